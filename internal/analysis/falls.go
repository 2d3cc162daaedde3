// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/stats/psych"
)

// FallsCommand is `stats falls`.
type FallsCommand struct {
	Source  `embed:""`
	Plain   `embed:""`
	Person  string  `required:"" help:"Column that names the courses, one value each." placeholder:"COLUMN" group:"Courses"`
	Session string  `help:"Column of the session's number or time, by which ratings are put in order; the order of the rows where not given." placeholder:"COLUMN" group:"Courses"`
	Rating  string  `required:"" help:"Column of the ratings." placeholder:"COLUMN" group:"Courses"`
	Min     float64 `help:"Least rating that the form allows." default:"0" group:"Form"`
	Max     float64 `help:"Greatest rating that the form allows." default:"10" group:"Form"`
	Lower   bool    `name:"lower-is-better" help:"A fall is a rise, as with scales of distress." group:"Form"`
	Fewest  int     `help:"Leave out courses with fewer ratings." default:"4" group:"Courses"`
}

// Run does the analysis.
func (c *FallsCommand) Run(ctx context.Context, s *Streams) error {
	switch {
	case !(c.Max > c.Min):
		return wrongUse("--max %g must be above --min %g", c.Max, c.Min)
	case c.Fewest < 2:
		return wrongUse("--fewest is %d; a fall needs two ratings", c.Fewest)
	}
	code := func() (string, error) {
		return "", wrongUse("there is no R code of this analysis: its rules are in no package")
	}
	return c.output().run(ctx, s, code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		return c.document(t)
	})
}

// courses gives each person's ratings in their order, on 0 to 10, higher better.
func (c *FallsCommand) courses(t *Table) (names []string, out [][]float64, err error) {
	person, err := t.labels("person", c.Person)
	if err != nil {
		return nil, nil, err
	}
	rating, err := t.numbers("rating", c.Rating)
	if err != nil {
		return nil, nil, err
	}
	at := make([]float64, len(rating))
	for i := range at {
		at[i] = float64(i)
	}
	if c.Session != "" {
		if at, err = t.numbers("session", c.Session); err != nil {
			return nil, nil, err
		}
	}
	rows := map[string][]int{}
	for i, name := range person {
		switch v := rating[i]; {
		case name == "" || math.IsNaN(v) || math.IsNaN(at[i]):
			t.dropped = append(t.dropped, i)
		case v < c.Min || v > c.Max:
			return nil, nil, fmt.Errorf("row %d, column %s: %g is outside %g to %g; mend it, or give --min and --max", t.row[i], c.Rating, v, c.Min, c.Max)
		default:
			if rows[name] == nil {
				names = append(names, name)
			}
			rows[name] = append(rows[name], i)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return len(rows[name]) < c.Fewest })
	for _, name := range names {
		slices.SortStableFunc(rows[name], func(i, j int) int { return cmp.Compare(at[i], at[j]) })
		var y []float64
		for _, i := range rows[name] {
			v := (rating[i] - c.Min) / (c.Max - c.Min) * 10
			if c.Lower {
				v = 10 - v
			}
			y = append(y, v)
		}
		out = append(out, y)
	}
	if len(out) == 0 {
		return nil, nil, fmt.Errorf("no course has %d ratings or more; lower --fewest", c.Fewest)
	}
	return names, out, nil
}

// asker is a rule with its limit, and the first session in which it asks about
// each course, 0 for never.
type asker struct {
	name, limitOf string
	limit         float64
	first         []int
	ratings       int // about how many ratings it asks
}

func (a asker) courses() (n int) {
	for _, at := range a.first {
		if at > 0 {
			n++
		}
	}
	return n
}

func (c *FallsCommand) document(t *Table) (*Document, error) {
	names, courses, err := c.courses(t)
	if err != nil {
		return nil, err
	}
	d := &Document{Analysis: "falls", Source: t, Title: fmt.Sprintf("How often rules ask about a fall in %d courses of %d ratings or more", len(courses), c.Fewest)}
	p, own, err := population(courses)
	if err != nil {
		return nil, err
	}
	w, err := alliance.NewDetector(p)
	if err != nil {
		return nil, err
	}
	ours := scores(courses, func(y []float64) (out []float64) {
		track := w.Track()
		for i, v := range y {
			out = append(out, track.Add(i+1, float64(i), v).Odds)
		}
		return out
	})
	first := ask("Entente", "simulated", ours, alliance.LimitsFor(1).Asking)
	all, same := []asker{first}, []asker{first}
	for _, r := range alliance.PublishedRules() {
		s := scores(courses, func(y []float64) (out []float64) {
			for i := range y {
				out = append(out, r.Of(y[:i+1], p))
			}
			return out
		})
		if r.Limit > 0 {
			all = append(all, ask(r.Name, "paper", s, r.Limit))
		}
		same = append(same, ask(r.Name, "as many courses", s, limitFor(s, first.courses())))
	}
	if own {
		d.say("The population is estimated from these courses: level %s, SD between people %s, within a person %s (on 0 to 10).", short(p.Level), short(p.LevelSD), short(p.Within))
	} else {
		d.say("Too few courses tell a population (eight of four ratings are needed): the stated one stands in for it.")
	}
	c.tables(d, names, all, same)
	return d, nil
}

func (c *FallsCommand) tables(d *Document, names []string, all, same []asker) {
	var rows [][]string
	var objects []Object
	for _, a := range all {
		rows = append(rows, []string{a.name, a.limitOf, ifAny(a.limit), whole(a.courses()), fmt.Sprintf("%.0f %%", 100*float64(a.courses())/float64(len(a.first))), whole(a.ratings)})
		objects = append(objects, Object{{"rule", a.name}, {"limit", a.limit}, {"limit_of", a.limitOf}, {"courses", a.courses()}, {"ratings", a.ratings}})
	}
	d.table("Courses that are asked about at least once", []string{"rule", "limit of", "limit", "courses", "", "ratings"}, rows)
	rows = nil
	var agreed []Object
	for _, a := range same[1:] {
		k, both := agreement(same[0], a)
		rows = append(rows, []string{a.name, ifAny(a.limit), whole(a.courses()), whole(both), ifAny(k)})
		agreed = append(agreed, Object{{"rule", a.name}, {"limit", a.limit}, {"courses", a.courses()}, {"both", both}, {"kappa", k}})
	}
	d.table(fmt.Sprintf("The same courses? Each rule with the limit at which it asks about as many as ours, %d or fewer", same[0].courses()),
		[]string{"rule", "limit", "courses", "as ours", "kappa"}, rows)
	var asked []Object
	for i, name := range names {
		if at := same[0].first[i]; at > 0 {
			asked = append(asked, Object{{"course", name}, {"rating", at}})
		}
	}
	d.Result = Object{{"courses", len(names)}, {"rules", objects}, {"agreement", agreed}, {"asked", asked}}
	d.say("Nobody knows here which falls were strains: this says how often rules would ask and whether they agree, not which of them is right. See docs/detector.md for that.")
}

// population is that of the courses where they tell one, else the stated one.
func population(courses [][]float64) (p alliance.Population, own bool, err error) {
	if p, err = alliance.EstimatePopulation(courses); err == nil {
		return p, true, nil
	}
	return alliance.Stated(), false, nil
}

func scores(courses [][]float64, of func([]float64) []float64) (out [][]float64) {
	for _, y := range courses {
		out = append(out, of(y))
	}
	return out
}

func ask(name, limitOf string, scores [][]float64, limit float64) asker {
	a := asker{name: name, limitOf: limitOf, limit: limit, first: make([]int, len(scores))}
	for i, row := range scores {
		for t, v := range row {
			if v > limit {
				a.ratings++
				if a.first[i] == 0 {
					a.first[i] = t + 1
				}
			}
		}
	}
	return a
}

// limitFor is the smallest limit at which no more than n courses are asked about.
func limitFor(scores [][]float64, n int) float64 {
	var most []float64
	for _, row := range scores {
		most = append(most, slices.Max(row))
	}
	slices.Sort(most)
	slices.Reverse(most)
	return most[min(n, len(most)-1)]
}

// ifAny is a cell with a limit that nothing may reach, or an agreement that may not
// be defined.
func ifAny(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "none"
	}
	return num(v)
}

// agreement is Cohen's kappa of two rules over courses, NaN where one of them asks
// about all or none, and about how many both ask.
func agreement(a, b asker) (kappa float64, both int) {
	counts := mat.NewDense(2, 2, nil)
	for i := range a.first {
		p, q := min(1, a.first[i]), min(1, b.first[i])
		counts.Set(p, q, counts.At(p, q)+1)
		both += p * q
	}
	k, err := psych.Kappa(counts, psych.Unweighted, .95)
	if err != nil {
		return math.NaN(), both
	}
	return k.Kappa, both
}
