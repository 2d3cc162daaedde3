// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/entente-project/entente/stats/psych"
)

// RCICommand is `stats rci`.
type RCICommand struct {
	Source      `embed:""`
	Plain       `embed:""`
	Pre         string   `help:"Column of the ratings before." placeholder:"COLUMN" group:"Scores"`
	Post        string   `help:"Column of the ratings after." placeholder:"COLUMN" group:"Scores"`
	Score       string   `help:"One person's ratings in their order instead: the first and the last are compared, and control charts drawn up." placeholder:"COLUMN" group:"Scores"`
	Person      string   `help:"Column that names the people." placeholder:"COLUMN" group:"Scores"`
	SD          *float64 `name:"sd" help:"Standard deviation of the scale; that of --pre where not given." placeholder:"VALUE" group:"Scale"`
	Reliability float64  `required:"" help:"Reliability of the scale." placeholder:"VALUE" group:"Scale"`
	Clinical    string   `help:"Mean and standard deviation of people in therapy: 30,7.5." placeholder:"MEAN,SD" group:"Scale"`
	General     string   `help:"Mean and standard deviation of people who are not: 8,6." placeholder:"MEAN,SD" group:"Scale"`
	Cutoff      string   `help:"Criterion for the classes: a, b, c (of Jacobson and Truax), or a number." default:"c" group:"Scale"`
	Higher      bool     `name:"higher-is-better" help:"A rise is good, as with scales of wellbeing." group:"Scale"`
	Lambda      float64  `default:"0.2" help:"Weight of the newest value in the moving average (EWMA)." group:"Charts"`
	Width       float64  `default:"3" help:"Width of the limits of the moving average, in standard errors." group:"Charts"`
}

// Run does the analysis.
func (c *RCICommand) Run(ctx context.Context, s *Streams) error {
	switch {
	case (c.Score == "") == (c.Pre == "" && c.Post == ""):
		return wrongUse("give --pre and --post, or --score")
	case c.Score == "" && (c.Pre == "" || c.Post == ""):
		return wrongUse("--pre and --post go together")
	case (c.Clinical == "") != (c.General == ""):
		return wrongUse("--clinical and --general go together")
	case c.Score != "" && c.SD == nil:
		return wrongUse("--score needs --sd, the standard deviation of the scale between people")
	}
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		if c.Score != "" {
			return c.series(t)
		}
		return c.people(t)
	})
}

func pairOf(flag, text string) (a, b float64, err error) {
	l, r, ok := strings.Cut(text, ",")
	a, first := number(strings.TrimSpace(l))
	b, second := number(strings.TrimSpace(r))
	if !ok || !first || !second {
		return 0, 0, wrongUse("--%s %s: write a mean and a standard deviation, such as 30,7.5", flag, text)
	}
	return a, b, nil
}

// cutoffs are those of the norms, nil without norms.
func (c *RCICommand) cutoffs() (*psych.Cutoffs, error) {
	if c.Clinical == "" {
		return nil, nil //nolint:nilnil // no norms were given
	}
	var n psych.Norms
	var err error
	if n.ClinicalMean, n.ClinicalSD, err = pairOf("clinical", c.Clinical); err != nil {
		return nil, err
	}
	if n.GeneralMean, n.GeneralSD, err = pairOf("general", c.General); err != nil {
		return nil, err
	}
	k, err := n.Cutoffs()
	return &k, err
}

func (c *RCICommand) cutoff(k *psych.Cutoffs) (float64, bool, error) {
	if v, ok := number(c.Cutoff); ok {
		return v, true, nil
	}
	if k == nil {
		if c.Cutoff != "c" {
			return 0, false, wrongUse("--cutoff %s needs --clinical and --general", c.Cutoff)
		}
		return 0, false, nil
	}
	switch strings.ToLower(c.Cutoff) {
	case "a":
		return k.A, true, nil
	case "b":
		return k.B, true, nil
	case "c":
		return k.C, true, nil
	}
	return 0, false, wrongUse("--cutoff %s: give a, b, c or a number", c.Cutoff)
}

// scaleOf says how exact the scale is, for both kinds of table.
func (c *RCICommand) scaleOf(d *Document, sd float64) (psych.ReliableChange, *psych.Cutoffs, error) {
	r, err := psych.NewReliableChange(sd, c.Reliability)
	if err != nil {
		return r, nil, err
	}
	k, err := c.cutoffs()
	if err != nil {
		return r, nil, err
	}
	d.Result = Object{{"sd", r.SD}, {"reliability", r.Reliability}, {"sem", r.SEM}, {"sdiff", r.Sdiff}, {"level", c.Level}, {"criterion", r.Criterion(c.Level)}, {"smallest_detectable", r.Smallest(1.96)}, {"cutoffs", nil}}
	d.say("Standard error of measurement %s, of a difference %s: a change of %s points or more is reliable (%s).", short(r.SEM), short(r.Sdiff), short(r.Criterion(c.Level)), percent(c.Level))
	if k != nil {
		d.Result[7].Value = Object{{"a", k.A}, {"b", k.B}, {"c", k.C}}
		d.say("Cutoffs of Jacobson and Truax: a %s, b %s, c %s.", short(k.A), short(k.B), short(k.C))
	}
	return r, k, nil
}

func (c *RCICommand) people(t *Table) (*Document, error) {
	t, v, err := t.whole([]string{"pre", "post"}, []string{c.Pre, c.Post})
	if err != nil {
		return nil, err
	}
	names := make([]string, t.Rows())
	if c.Person != "" {
		if names, err = t.labels("person", c.Person); err != nil {
			return nil, err
		}
	}
	sd := spread(v[0])
	if c.SD != nil {
		sd = *c.SD
	}
	d := &Document{Analysis: "rci", Source: t, Title: fmt.Sprintf("Reliable change from %s to %s, %d people", c.Pre, c.Post, t.Rows())}
	r, k, err := c.scaleOf(d, sd)
	if err != nil {
		return nil, err
	}
	cut, has, err := c.cutoff(k)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	var objects []Object
	var rows [][]string
	for i := range names {
		pre, post := v[0][i], v[1][i]
		if names[i] == "" {
			names[i] = "row " + whole(t.row[i])
		}
		class := c.reliably(r, pre, post)
		if has {
			ch, err := r.Classify(pre, post, cut, c.Level, !c.Higher)
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", t.row[i], err)
			}
			class = ch.String()
		}
		counts[class]++
		objects = append(objects, Object{{"row", t.row[i]}, {"person", names[i]}, {"pre", pre}, {"post", post}, {"difference", post - pre}, {"rci", r.RCI(pre, post)}, {"class", class}})
		rows = append(rows, []string{names[i], num(pre), num(post), num(post - pre), num(r.RCI(pre, post)), class})
	}
	var summary []Object
	var words []string
	for _, name := range []string{psych.Recovered.String(), psych.Improved.String(), psych.Unchanged.String(), psych.Deteriorated.String()} {
		summary = append(summary, Object{{"class", name}, {"n", counts[name]}})
		words = append(words, fmt.Sprintf("%s %d (%.0f %%)", name, counts[name], 100*float64(counts[name])/float64(len(names))))
	}
	d.Result = append(d.Result, Field{"classes", summary}, Field{"people", objects})
	d.say("%s.", strings.Join(words, ", "))
	d.table("", []string{"", c.Pre, c.Post, "difference", "RCI", ""}, rows)
	return d, nil
}

// reliably says whether a change is reliable, where no cutoff is known.
func (c *RCICommand) reliably(r psych.ReliableChange, pre, post float64) string {
	if math.Abs(post-pre) < r.Criterion(c.Level) {
		return psych.Unchanged.String()
	}
	if (post > pre) == c.Higher {
		return psych.Improved.String()
	}
	return psych.Deteriorated.String()
}

func spread(v []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		sum += (x - mean) * (x - mean)
	}
	return math.Sqrt(sum / float64(len(v)-1))
}

func (c *RCICommand) series(t *Table) (*Document, error) {
	t, v, err := t.whole([]string{"score"}, []string{c.Score})
	if err != nil {
		return nil, err
	}
	x := v[0]
	if len(x) < 2 {
		return nil, fmt.Errorf("%s has %d value in %s; a change needs two", c.Data, len(x), c.Score)
	}
	d := &Document{Analysis: "rci", Source: t, Title: fmt.Sprintf("One person's change over %d ratings of %s", len(x), c.Score)}
	r, k, err := c.scaleOf(d, *c.SD)
	if err != nil {
		return nil, err
	}
	cut, has, err := c.cutoff(k)
	if err != nil {
		return nil, err
	}
	pre, post := x[0], x[len(x)-1]
	class := c.reliably(r, pre, post)
	if has {
		ch, err := r.Classify(pre, post, cut, c.Level, !c.Higher)
		if err != nil {
			return nil, err
		}
		class = ch.String()
	}
	i, err := psych.Individuals(x)
	if err != nil {
		return nil, inFile(c.Data, err)
	}
	d.Result = append(d.Result, Field{"first", pre}, Field{"last", post}, Field{"rci", r.RCI(pre, post)}, Field{"class", class},
		Field{"individuals", Object{{"centre", i.Centre}, {"lower", i.Lower}, {"upper", i.Upper}, {"mean_range", i.MeanRange}, {"range_upper", i.RangeUpper}, {"sigma", i.Sigma}, {"beyond", oneBased(i.Beyond)}}})
	d.say("From %s to %s: RCI %s, %s.", short(pre), short(post), short(r.RCI(pre, post)), class)
	d.say("Chart of single values: centre %s, limits %s to %s; beyond them: %s.", short(i.Centre), short(i.Lower), short(i.Upper), listed(i.Beyond))
	if i.Sigma > 0 {
		e, err := psych.EWMA(x, i.Centre, i.Sigma, c.Lambda, c.Width)
		if err != nil {
			return nil, wrongUse("--lambda %g, --width %g: %v", c.Lambda, c.Width, err)
		}
		s, err := psych.CUSUM(x, i.Centre, i.Sigma, .5, 5)
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		d.Result = append(d.Result,
			Field{"ewma", Object{{"lambda", c.Lambda}, {"values", e.Z}, {"lower", e.Lower}, {"upper", e.Upper}, {"beyond", oneBased(e.Beyond)}}},
			Field{"cusum", Object{{"high", s.High}, {"low", s.Low}, {"limit", s.Limit}, {"beyond", oneBased(s.Beyond)}}})
		d.say("Moving average (weight %g): beyond its limits: %s. Cumulative sums: beyond: %s.", c.Lambda, listed(e.Beyond), listed(s.Beyond))
	}
	d.say("Limits that come from few ratings are themselves uncertain: a chart is worth asking about, not a finding.")
	return d, nil
}

func oneBased(at []int) []int {
	out := make([]int, len(at))
	for i, a := range at {
		out[i] = a + 1
	}
	return out
}

func listed(at []int) string {
	if len(at) == 0 {
		return "none"
	}
	var s []string
	for _, a := range at {
		s = append(s, whole(a+1))
	}
	return "rating " + strings.Join(s, ", ")
}
