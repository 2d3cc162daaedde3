// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/entente-project/entente/internal/figure"
	"github.com/entente-project/entente/outcome"
)

// OutcomeCommand is `stats outcome`.
type OutcomeCommand struct {
	Source  `embed:""`
	Plain   `embed:""`
	Person  string   `help:"Column that names the people." placeholder:"COLUMN" group:"Scores"`
	Scores  []string `help:"Columns of the scores, one for each session in their order: s1,s2,s3." placeholder:"COLUMNS" group:"Scores"`
	Score   string   `help:"Instead of --scores: the column of the scores, one row for each session." placeholder:"COLUMN" group:"Scores"`
	Session string   `help:"With --score: the column of the session's number, from 1." placeholder:"COLUMN" group:"Scores"`
	Change  float64  `required:"" help:"Smallest reliable change, in points; also of a sudden gain. See stats rci." placeholder:"POINTS" group:"Scale"`
	Cutoff  *float64 `help:"Where the clinical side begins, itself included." placeholder:"VALUE" group:"Scale"`
	Higher  bool     `name:"higher-is-better" help:"A rise is good, as with scales of wellbeing." group:"Scale"`
	Expect  bool     `help:"Fit the expected response to these people and draw its band, however few they are." group:"Expected response"`
}

// Run does the analysis.
func (c *OutcomeCommand) Run(ctx context.Context, s *Streams) error {
	switch {
	case (len(c.Scores) == 0) == (c.Score == ""):
		return wrongUse("give --scores, or --score and --session")
	case c.Score != "" && (c.Session == "" || c.Person == ""):
		return wrongUse("--score needs --session and --person")
	case !(c.Change > 0) || math.IsInf(c.Change, 0):
		return wrongUse("--change is %g; give a number of points above 0", c.Change)
	}
	code := func() (string, error) {
		return "", wrongUse("there is no R code of this analysis: the package suddengains has sudden gains alone, and takes every loss for a quarter")
	}
	return c.output().run(ctx, s, code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		names, courses, err := c.courses(t)
		if err != nil {
			return nil, err
		}
		return c.document(t, names, courses)
	})
}

// courses gives each person's scores by session.
func (c *OutcomeCommand) courses(t *Table) (names []string, out [][]float64, err error) {
	if c.Person != "" {
		if names, err = t.labels("person", c.Person); err != nil {
			return nil, nil, err
		}
	} else {
		for _, row := range t.row {
			names = append(names, "row "+whole(row))
		}
	}
	if c.Score != "" {
		return c.long(t, names)
	}
	out = make([][]float64, len(names))
	for _, name := range c.Scores {
		v, err := t.numbers("scores", name)
		if err != nil {
			return nil, nil, err
		}
		for i := range out {
			out[i] = append(out[i], v[i])
		}
	}
	return names, out, nil
}

// longest bounds the number of a session.
const longest = 2000

func (c *OutcomeCommand) long(t *Table, person []string) (names []string, out [][]float64, err error) {
	score, err := t.numbers("score", c.Score)
	if err != nil {
		return nil, nil, err
	}
	session, err := t.numbers("session", c.Session)
	if err != nil {
		return nil, nil, err
	}
	at := map[string]int{}
	for i, name := range person {
		n := session[i]
		if name == "" || math.IsNaN(n) || math.IsNaN(score[i]) {
			t.dropped = append(t.dropped, i)
			continue
		}
		if n != math.Trunc(n) || n < 1 || n > longest {
			return nil, nil, fmt.Errorf("row %d, column %s: %g is not the number of a session from 1 to %d", t.row[i], c.Session, n, longest)
		}
		k, known := at[name]
		if !known {
			k = len(out)
			at[name], names, out = k, append(names, name), append(out, nil)
		}
		for len(out[k]) < int(n) {
			out[k] = append(out[k], math.NaN())
		}
		if !math.IsNaN(out[k][int(n)-1]) {
			return nil, nil, fmt.Errorf("row %d: %s has two scores of session %g", t.row[i], name, n)
		}
		out[k][int(n)-1] = score[i]
	}
	if len(out) == 0 {
		return nil, nil, errors.New("no row has a person, a session and a score")
	}
	return names, out, nil
}

func (c *OutcomeCommand) figures() outcome.Figures {
	f := outcome.Figures{HigherIsBetter: c.Higher, Change: c.Change}
	if c.Cutoff != nil {
		f.Cutoff = &outcome.Cutoff{Value: *c.Cutoff, Inclusive: true}
	}
	return f
}

func (c *OutcomeCommand) document(t *Table, names []string, courses [][]float64) (*Document, error) {
	d := &Document{Analysis: "outcome", Source: t, Title: fmt.Sprintf("How %d people fared", len(names))}
	var g *outcome.Growth
	var grown any
	if c.Expect {
		var err error
		if g, err = outcome.Illustrate(courses); err != nil {
			return nil, inFile(c.Data, err)
		}
		grown = Object{{"episodes", g.Episodes}, {"scores", g.Scores}, {"until", g.Until}, {"centre", g.Centre}, {"beta", g.Beta[:]}, {"sd_level", math.Sqrt(g.Between[0][0])}, {"sd_growth", math.Sqrt(g.Between[1][1])}, {"sigma", g.Sigma}}
	}
	f := c.figures()
	verdicts := make([]outcome.Verdict, len(courses))
	states := map[outcome.State]int{}
	var people []Object
	var rows, sudden [][]string
	for i, y := range courses {
		v := f.Judge(y, g)
		verdicts[i] = v
		states[v.State]++
		var found []Object
		for _, s := range v.Sudden {
			kind := "gain"
			if s.Loss {
				kind = "loss"
			}
			back := ""
			if s.Reversed > 0 {
				back = whole(s.Reversed)
			}
			found = append(found, Object{{"kind", kind}, {"from", s.From}, {"to", s.To}, {"points", s.Points}, {"reversed", s.Reversed}})
			sudden = append(sudden, []string{names[i], kind, whole(s.From), whole(s.To), num(s.Points), back})
		}
		people = append(people, Object{{"person", names[i]}, {"state", string(v.State)}, {"class", v.Class.String()}, {"first", v.First}, {"last", v.Now}, {"scores", v.Scored}, {"track", string(v.Track)}, {"sudden", found}})
		rows = append(rows, []string{names[i], whole(v.Scored), num(v.First), num(v.Now), v.Class.String(), string(v.State)})
	}
	d.Result = Object{{"change", c.Change}, {"growth", grown}, {"people", people}}
	var words []string
	for _, s := range outcome.States() {
		if n := states[s]; n > 0 {
			words = append(words, fmt.Sprintf("%s %d", strings.ReplaceAll(string(s), "_", " "), n))
		}
	}
	d.say("%s.", strings.Join(words, ", "))
	if g != nil {
		d.say("Expected: %s + %s (first - %s) + %s ln(session) + %s (first - %s) ln(session); SD between people %s in level, %s in growth, within %s.", short(g.Beta[0]), short(g.Beta[1]), short(g.Centre), short(g.Beta[2]), short(g.Beta[3]), short(g.Centre), short(math.Sqrt(g.Between[0][0])), short(math.Sqrt(g.Between[1][1])), short(g.Sigma))
		if g.Episodes < outcome.FewestEpisodes {
			d.say("%d people: an illustration. Before %d nobody should be called not on track by it, and these people are in their own band.", g.Episodes, outcome.FewestEpisodes)
		}
	}
	d.table("Sudden gains and losses (Tang and DeRubeis 1999)", []string{"", "", "from session", "to", "points", "reversed by"}, sudden)
	d.table("", []string{"", "scores", "first", "last", "change", "state"}, rows)
	d.picture("courses", func() (*figure.Canvas, error) { return c.picture(names, courses, verdicts, g), nil })
	return d, nil
}

func (c *OutcomeCommand) picture(names []string, courses [][]float64, verdicts []outcome.Verdict, g *outcome.Growth) *figure.Canvas {
	p := &figure.Courses{Title: fmt.Sprintf("%d courses", len(names)), X: "Session", Y: "Triangles: sudden gains"}
	if g != nil {
		p.Y += "; shaded: four of five who began alike; ! ends beyond it"
	}
	for i, y := range courses {
		q := figure.Course{Label: names[i], Scores: y, Beyond: verdicts[i].Track == outcome.Beyond}
		for _, s := range verdicts[i].Sudden {
			if !s.Loss {
				q.Sudden = append(q.Sudden, s.To)
			}
		}
		if g != nil {
			for _, e := range g.Band(y, len(y), outcome.Level) {
				low, high := math.NaN(), math.NaN()
				if e.OK {
					low, high = e.Lower, e.Upper
				}
				q.Lower, q.Upper = append(q.Lower, low), append(q.Upper, high)
			}
		}
		p.People = append(p.People, q)
	}
	return p.Draw()
}
