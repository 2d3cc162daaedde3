// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/psych"
)

// ICCCommand is `stats icc`.
type ICCCommand struct {
	Source   `embed:""`
	Plain    `embed:""`
	Raters   []string `help:"Columns of the raters, one row for each person rated; all columns of numbers where not given." placeholder:"COLUMN" group:"Scale"`
	Complete bool     `help:"Leave out persons with a missing rating; else a mixed model uses every rating there is." group:"Scale"`
}

// Run does the analysis.
func (c *ICCCommand) Run(ctx context.Context, s *Streams) error {
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		_, x, err := t.items("raters", c.Raters)
		if err != nil {
			return nil, err
		}
		if c.Complete {
			if t, x, err = t.wholeRows(x); err != nil {
				return nil, err
			}
		} else {
			t.drop(unanswered(x))
		}
		r, err := psych.ICC(x, c.Level)
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		return c.document(t, r), nil
	})
}

var iccMeaning = map[string]string{
	"ICC1": "one rater, each person has others", "ICC2": "one rater, agreement", "ICC3": "one rater, consistency",
	"ICC1k": "mean of raters, each person has others", "ICC2k": "mean of raters, agreement", "ICC3k": "mean of raters, consistency",
}

func (c *ICCCommand) document(t *Table, r *psych.ICCResult) *Document {
	d := &Document{Analysis: "icc", Source: t, Title: fmt.Sprintf("Intraclass correlations: %d persons, %d raters", r.Targets, r.Raters)}
	var forms []Object
	var rows [][]string
	for _, f := range r.Forms {
		o := Object{{"type", f.Type}, {"icc", f.ICC}, {"F", f.F}, {"df1", f.DF1}, {"df2", f.DF2}, {"p", f.P}, {"lower", f.CI[0]}, {"upper", f.CI[1]}, {"exact", f.Exact}}
		stat := num(f.F)
		if f.Exact {
			o[2].Value, stat = nil, "infinite"
		}
		forms = append(forms, o)
		rows = append(rows, []string{f.Type, iccMeaning[f.Type], num(f.ICC), stat, df(f.DF1), df(f.DF2), prob(f.P), num(f.CI[0]), num(f.CI[1])})
	}
	method, converged, boundary := "analysis of variance", true, []string(nil)
	if r.Mixed != nil {
		method, converged, boundary = "mixed model", r.Mixed.State.Converged, r.Mixed.State.Singular
		d.say("%d of %d ratings are missing: the variances are those of a mixed model of all the others (REML), and the mean squares what they would be for a full table.", r.Missing, r.Targets*r.Raters)
		if !converged {
			d.say("The search did NOT converge: do not report it.")
		}
		for _, s := range boundary {
			d.say("On a boundary: %s.", strings.TrimSuffix(s, "."))
		}
	}
	d.Result = Object{{"targets", r.Targets}, {"raters", r.Raters}, {"missing", r.Missing}, {"method", method}, {"converged", converged}, {"boundary", boundary}, {"level", r.Level}, {"ms_between", r.MSB}, {"ms_within", r.MSW}, {"ms_raters", r.MSJ}, {"ms_error", r.MSE}, {"forms", forms}}
	d.table("", []string{"", "of", "ICC", "F", "df", "df of error", "p", percent(r.Level) + " from", "to"}, rows)
	d.say("Mean squares: persons %s, within persons %s, raters %s, rest %s.", short(r.MSB), short(r.MSW), short(r.MSJ), short(r.MSE))
	return d
}

// KappaCommand is `stats kappa`.
type KappaCommand struct {
	Source  `embed:""`
	Plain   `embed:""`
	Raters  []string `help:"The columns of the two raters; the first two of the table where not given." placeholder:"COLUMN,COLUMN" group:"Scale"`
	Weights string   `enum:"none,linear,quadratic" default:"none" help:"Weights of disagreement: none, linear, quadratic." group:"Model"`
}

// Run does the analysis.
func (c *KappaCommand) Run(ctx context.Context, s *Streams) error {
	if n := len(c.Raters); n != 0 && n != 2 {
		return wrongUse("--raters names %d columns; kappa is of two", n)
	}
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		if len(c.Raters) == 0 {
			if len(t.Names()) < 2 {
				return nil, wrongUse("%s has one column; kappa needs two raters", c.Data)
			}
			c.Raters = t.Names()[:2]
		}
		for _, n := range c.Raters {
			if _, err := t.column("raters", n); err != nil {
				return nil, err
			}
		}
		if t, err = t.complete(c.Raters...); err != nil {
			return nil, err
		}
		return c.document(t)
	})
}

// counts makes the table of both raters over the values that either has used,
// in their order: of numbers, or of letters.
func (c *KappaCommand) counts(t *Table) ([]string, *mat.Dense, error) {
	a, _ := t.Column(c.Raters[0])
	b, _ := t.Column(c.Raters[1])
	if a.Kind() == stats.Numeric && b.Kind() == stats.Numeric {
		levels, counts, err := psych.Crosstab(a.Floats(), b.Floats())
		names := make([]string, len(levels))
		for i, l := range levels {
			names[i] = fmt.Sprintf("%g", l)
		}
		return names, counts, err
	}
	x, err := t.labels("raters", c.Raters[0])
	if err != nil {
		return nil, nil, err
	}
	y, err := t.labels("raters", c.Raters[1])
	if err != nil {
		return nil, nil, err
	}
	return psych.Crosstab(x, y)
}

func (c *KappaCommand) document(t *Table) (*Document, error) {
	levels, counts, err := c.counts(t)
	if err != nil {
		return nil, inFile(c.Data, err)
	}
	w := map[string]psych.Weights{"none": psych.Unweighted, "linear": psych.Linear, "quadratic": psych.Quadratic}[c.Weights]
	r, err := psych.Kappa(counts, w, c.Level)
	if err != nil {
		return nil, inFile(c.Data, err)
	}
	title := "Cohen's kappa"
	if c.Weights != "none" {
		title = "Weighted kappa (" + c.Weights + ")"
	}
	d := &Document{Analysis: "kappa", Source: t, Title: fmt.Sprintf("%s of %s and %s, %g pairs", title, c.Raters[0], c.Raters[1], r.N)}
	var rows [][]string
	for i, l := range levels {
		row := []string{l}
		for j := range levels {
			row = append(row, fmt.Sprintf("%g", counts.At(i, j)))
		}
		rows = append(rows, row)
	}
	d.Result = Object{{"n", r.N}, {"weights", c.Weights}, {"kappa", r.Kappa}, {"se", r.SE}, {"level", r.Level}, {"lower", r.CI[0]}, {"upper", r.CI[1]}, {"observed", r.Observed}, {"expected", r.Expected}, {"se0", r.SE0}, {"z", r.Z}, {"p", r.P}, {"levels", levels}, {"counts", matrixRows(counts)}}
	d.table("", []string{"kappa", "SE", percent(r.Level) + " from", "to", "observed", "by chance", "z", "p"}, [][]string{{num(r.Kappa), num(r.SE), num(r.CI[0]), num(r.CI[1]), num(r.Observed), num(r.Expected), num(r.Z), prob(r.P)}})
	d.table("Rows: "+c.Raters[0]+". Columns: "+c.Raters[1]+".", append([]string{""}, levels...), rows)
	return d, nil
}

// PolychoricCommand is `stats polychoric`.
type PolychoricCommand struct {
	Source `embed:""`
	Items  `embed:""`
	Plain  `embed:""`
	Full   bool `help:"Two items only: estimate thresholds and correlation together." group:"Model"`
}

// Run does the analysis.
func (c *PolychoricCommand) Run(ctx context.Context, s *Streams) error {
	if c.Full && len(c.Items.Items) != 2 {
		return wrongUse("--full is for two items; name them by --items")
	}
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		t, names, x, err := c.read(t)
		if err != nil {
			return nil, err
		}
		if t, x, err = t.wholeRows(x); err != nil {
			return nil, err
		}
		if c.Full {
			return c.pair(t, names, x)
		}
		r, err := psych.Polychoric(x)
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		return c.document(t, names, r), nil
	})
}

func (c *PolychoricCommand) document(t *Table, names []string, r *psych.PolychoricResult) *Document {
	d := &Document{Analysis: "polychoric", Source: t, Title: fmt.Sprintf("Polychoric correlations of %d items, %d people", len(names), r.N)}
	var rows, cuts [][]string
	var ends []Object
	for i, n := range names {
		row, cut := []string{n}, []string{n}
		for j := range i {
			row = append(row, num(r.Rho.At(i, j)))
		}
		for _, v := range r.Thresholds[i] {
			cut = append(cut, num(v))
		}
		rows, cuts = append(rows, append(row, "1")), append(cuts, cut)
	}
	for _, p := range r.AtEnd {
		ends = append(ends, Object{{"first", names[p[0]]}, {"second", names[p[1]]}})
		d.say("%s and %s: a correlation of %.0f fits best; none is estimated.", names[p[0]], names[p[1]], math.Copysign(1, r.Rho.At(p[0], p[1])))
	}
	d.Result = Object{{"n", r.N}, {"items", names}, {"rho", matrixRows(r.Rho)}, {"se", matrixRows(r.SE)}, {"thresholds", r.Thresholds}, {"at_end", ends}}
	d.table("", append([]string{""}, names...), rows)
	d.table("Thresholds", nil, cuts)
	return d
}

func (c *PolychoricCommand) pair(t *Table, names []string, x *mat.Dense) (*Document, error) {
	a, b := mat.Col(nil, 0, x), mat.Col(nil, 1, x)
	counts := table2(a, b)
	r, err := psych.PolychoricTable(counts, false)
	if err != nil {
		return nil, inFile(c.Data, err)
	}
	d := &Document{Analysis: "polychoric", Source: t, Title: fmt.Sprintf("Polychoric correlation of %s and %s by maximum likelihood, %g people", names[0], names[1], r.N)}
	d.Result = Object{{"n", r.N}, {"items", names}, {"rho", r.Rho}, {"se", r.SE}, {"thresholds", [][]float64{r.Row, r.Col}}, {"converged", r.Converged}, {"at_end", r.AtEnd}}
	d.table("", []string{"correlation", "SE"}, [][]string{{num(r.Rho), num(r.SE)}})
	if !r.Converged {
		d.say("The search did NOT converge: do not report it.")
	}
	return d, nil
}

// table2 counts pairs over the values that each item has.
func table2(a, b []float64) *mat.Dense {
	la, lb := levelsOf(a), levelsOf(b)
	out := mat.NewDense(len(la), len(lb), nil)
	for i := range a {
		r, c := la[a[i]], lb[b[i]]
		out.Set(r, c, out.At(r, c)+1)
	}
	return out
}
