// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/stats/psych"
)

// IRTCommand is `stats irt`.
type IRTCommand struct {
	Source `embed:""`
	Items  `embed:""`
	Plain  `embed:""`
	Points int       `default:"121" help:"Points of the grid that the trait is integrated over." group:"Model"`
	Limit  float64   `default:"6" help:"The grid goes from minus this to this." group:"Model"`
	Equal  bool      `name:"equal-discriminations" help:"One discrimination for all items." group:"Model"`
	At     []float64 `default:"-3,-2,-1,0,1,2,3" help:"Values of the trait to give the information of items and scale at." placeholder:"VALUE" group:"Show"`
	Scores bool      `help:"Expected trait of each person (EAP), into the JSON." group:"Show"`
}

// levelsOf numbers the values of an item in their order.
func levelsOf(v []float64) map[float64]int {
	var all []float64
	for _, x := range v {
		if !math.IsNaN(x) && !slices.Contains(all, x) {
			all = append(all, x)
		}
	}
	slices.Sort(all)
	out := map[float64]int{}
	for i, x := range all {
		out[x] = i
	}
	return out
}

// unanswered are the rows without any value.
func unanswered(x *mat.Dense) []int {
	var empty []int
	rows, _ := x.Dims()
	for i := range rows {
		if !slices.ContainsFunc(x.RawRowView(i), func(v float64) bool { return !math.IsNaN(v) }) {
			empty = append(empty, i)
		}
	}
	return empty
}

// Run does the analysis.
func (c *IRTCommand) Run(ctx context.Context, s *Streams) error {
	if c.Points < 11 || !(c.Limit > 0) {
		return wrongUse("--points must be 11 or more and --limit above 0")
	}
	for _, v := range c.At {
		if !(math.Abs(v) <= 100) {
			return wrongUse("--at %g: give values of the trait, such as -2,0,2", v)
		}
	}
	return c.output().run(ctx, s, c.code, func(_ context.Context, progress func(string)) (*Document, error) {
		progress("fitting the model")
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		t, names, x, err := c.read(t)
		if err != nil {
			return nil, err
		}
		r, err := psych.GradedResponse(x, psych.GradedOptions{Points: c.Points, Limit: c.Limit, EqualA: c.Equal})
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		return c.document(t, names, x, r)
	})
}

func (c *IRTCommand) document(t *Table, names []string, x *mat.Dense, r *psych.GradedResult) (*Document, error) {
	t.drop(unanswered(x))
	d := &Document{Analysis: "irt", Source: t, Title: fmt.Sprintf("Graded response model of %d items, %d people", len(names), r.N)}
	if !r.Converged {
		d.say("The search did NOT converge: do not report it.")
	}
	if !r.Identified {
		d.say("The information has no inverse: there are no standard errors.")
	}
	var items []Object
	var table [][]string
	most := 0
	for i, it := range r.Items {
		o := Object{{"name", names[i]}, {"levels", it.Levels}, {"a", it.A}, {"a_se", nil}, {"d", it.D}, {"d_se", nil}, {"b", nil}, {"b_se", nil}, {"information", c.curve(it.Information)}}
		row := []string{names[i], num(it.A), ""}
		if r.Identified {
			o[3].Value, o[5].Value, row[2] = it.ASE, it.DSE, num(it.ASE)
		}
		if it.B != nil {
			o[6].Value = it.B
			if r.Identified {
				o[7].Value = it.BSE
			}
		}
		for _, b := range it.B {
			row = append(row, num(b))
		}
		most = max(most, len(it.B))
		items, table = append(items, o), append(table, row)
	}
	var information []Object
	var curve [][]string
	for _, theta := range c.At {
		v := r.Information(theta)
		information = append(information, Object{{"theta", theta}, {"information", v}})
		curve = append(curve, []string{fmt.Sprintf("%g", theta), num(v), num(1 / math.Sqrt(v)), num(v / (v + 1))})
	}
	d.Result = Object{{"n", r.N}, {"parameters", r.K}, {"reliability", r.Reliability()}, {"converged", r.Converged}, {"identified", r.Identified}, {"loglik", r.LogL}, {"aic", r.AIC}, {"bic", r.BIC}, {"items", items}, {"information", information}}
	d.say("Log-likelihood %.4f, AIC %.2f, BIC %.2f with %d parameters. Marginal reliability %s.", r.LogL, r.AIC, r.BIC, r.K, short(r.Reliability()))
	head := []string{"item", "a", "SE"}
	for k := range most {
		head = append(head, fmt.Sprintf("b%d", k+1))
	}
	d.table("Discrimination and difficulties", head, table)
	d.table("Information of the scale", []string{"trait", "information", "SE", "reliability"}, curve)
	irtPictures(d, names, r)
	if c.Scores {
		if err := c.scores(d, t, x, r); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// curve is what f gives at the values of --at.
func (c *IRTCommand) curve(f func(float64) float64) []float64 {
	var out []float64
	for _, theta := range c.At {
		out = append(out, f(theta))
	}
	return out
}

func (c *IRTCommand) scores(d *Document, t *Table, x *mat.Dense, r *psych.GradedResult) error {
	var out []Object
	rows, _ := x.Dims()
	for i := range rows {
		mean, sd, err := r.EAP(x.RawRowView(i))
		if err != nil {
			return fmt.Errorf("row %d: %w", t.row[i], err)
		}
		out = append(out, Object{{"row", t.row[i]}, {"mean", mean}, {"sd", sd}})
	}
	d.Result = append(d.Result, Field{"scores", out})
	d.say("The scores of %d people are in the JSON.", rows)
	return nil
}
