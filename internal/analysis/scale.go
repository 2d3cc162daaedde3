// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/stats/psych"
)

// Items name the items of a scale.
type Items struct {
	Items    []string `help:"Columns of the items; all columns of numbers where not given." placeholder:"COLUMN" group:"Scale"`
	Reverse  []string `help:"Items keyed the other way, to be turned by --range." placeholder:"COLUMN" group:"Scale"`
	Range    string   `help:"Lowest and highest answer, such as 1-6; those that occur where not given." placeholder:"LOW-HIGH" group:"Scale"`
	Complete bool     `help:"Use only rows with an answer to each item." group:"Scale"`
}

func sqrt(v float64) float64 { return math.Sqrt(max(0, v)) }

// read returns the answers, turned where they are to be.
func (c *Items) read(t *Table) (*Table, []string, *mat.Dense, error) {
	names, x, err := t.items("items", c.Items)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(c.Reverse) > 0 {
		low, high, err := c.limits(x)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, n := range c.Reverse {
			j := slices.Index(names, n)
			if j < 0 {
				return nil, nil, nil, wrongUse("--reverse %s: the items are %s", n, strings.Join(names, ", "))
			}
			rows, _ := x.Dims()
			for i := range rows {
				v := x.At(i, j)
				if v < low || v > high {
					return nil, nil, nil, fmt.Errorf("row %d, column %s: %g is outside the answers %g to %g; mend it, or give --range", t.row[i], n, v, low, high)
				}
				x.Set(i, j, low+high-v)
			}
		}
	}
	if c.Complete {
		if t, x, err = t.wholeRows(x); err != nil {
			return nil, nil, nil, err
		}
	}
	return t, names, x, nil
}

func (c *Items) limits(x *mat.Dense) (low, high float64, err error) {
	if c.Range != "" {
		at := strings.LastIndex(c.Range, "-")
		if at > 0 {
			l, ok := number(strings.TrimSpace(c.Range[:at]))
			h, also := number(strings.TrimSpace(c.Range[at+1:]))
			if ok && also && l < h {
				return l, h, nil
			}
		}
		return 0, 0, wrongUse("--range %s: write the lowest and the highest answer, such as 1-6", c.Range)
	}
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range x.RawMatrix().Data {
		if !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high, nil
}

// inFile names the file in front of an error about it.
func inFile(file string, err error) error {
	if file == "-" {
		file = "standard input"
	}
	return fmt.Errorf("%s: %w", file, err)
}

// AlphaCommand is `stats alpha`.
type AlphaCommand struct {
	Source `embed:""`
	Items  `embed:""`
	Plain  `embed:""`
}

// Run does the analysis.
func (c *AlphaCommand) Run(ctx context.Context, s *Streams) error {
	return c.output().run(ctx, s, c.code, func(context.Context, func(string)) (*Document, error) {
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		t, names, x, err := c.read(t)
		if err != nil {
			return nil, err
		}
		r, err := psych.Alpha(x, c.Level)
		if err != nil {
			return nil, inFile(c.Data, err)
		}
		return c.document(t, names, r), nil
	})
}

func (c *AlphaCommand) document(t *Table, names []string, r *psych.AlphaResult) *Document {
	d := &Document{Analysis: "alpha", Source: t, Title: fmt.Sprintf("Internal consistency of %d items, %d people", r.K, r.N)}
	var items []Object
	var rows [][]string
	for i, it := range r.Items {
		o := Object{{"name", names[i]}, {"n", it.N}, {"mean", it.Mean}, {"sd", it.SD}, {"r_drop", it.RDrop}, {"alpha_drop", nil}}
		drop := ""
		if it.AlphaDropN > 1 {
			o[5].Value, drop = it.AlphaDrop, num(it.AlphaDrop)
		}
		items = append(items, o)
		turned := ""
		if slices.Contains(c.Reverse, names[i]) {
			turned = " (turned)"
		}
		rows = append(rows, []string{names[i] + turned, whole(it.N), num(it.Mean), num(it.SD), num(it.RDrop), drop})
	}
	d.Result = Object{{"n", r.N}, {"k", r.K}, {"alpha", r.Raw}, {"se", r.SE}, {"level", r.Level}, {"lower", r.CI[0]}, {"upper", r.CI[1]}, {"standardised", r.Standardised}, {"G6", r.G6}, {"average_r", r.AverageR}, {"singular", r.Singular}, {"items", items}}
	d.table("", []string{"alpha", "SE", percent(r.Level) + " from", "to", "standardised", "lambda 6", "mean r"}, [][]string{{num(r.Raw), num(r.SE), num(r.CI[0]), num(r.CI[1]), num(r.Standardised), num(r.G6), num(r.AverageR)}})
	if r.Singular {
		d.say("One item follows from the others, or the correlations of pairs form no correlation matrix: lambda 6 is an upper limit.")
	}
	d.say("The interval is Feldt's; the standard error supposes normal items.")
	d.table("Items", []string{"", "n", "mean", "SD", "r with the rest", "alpha without"}, rows)
	return d
}

// OmegaCommand is `stats omega`.
type OmegaCommand struct {
	Source    `embed:""`
	Items     `embed:""`
	Plain     `embed:""`
	Factors   int    `default:"3" help:"Group factors of omega hierarchical (two or more); 0 leaves it out." group:"Model"`
	Estimator string `enum:"ML,MLR" default:"ML" help:"Estimator of the one-factor model: ML or MLR." group:"Model"`
}

// Run does the analysis.
func (c *OmegaCommand) Run(ctx context.Context, s *Streams) error {
	if c.Factors < 0 || c.Factors == 1 {
		return wrongUse("--factors is %d; give 2 or more, or 0 to leave omega hierarchical out", c.Factors)
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
		return c.document(t, names, x)
	})
}

func (c *OmegaCommand) document(t *Table, names []string, x *mat.Dense) (*Document, error) {
	u, complete, err := t.wholeRows(x)
	if err != nil {
		return nil, err
	}
	d := &Document{Analysis: "omega", Source: u}
	n, k := complete.Dims()
	d.Title = fmt.Sprintf("McDonald's omega of %d items, %d people", k, n)
	if err := c.oneFactor(d, names, complete); err != nil {
		return nil, err
	}
	if c.Factors == 0 {
		return d, nil
	}
	if k < 2*c.Factors {
		d.Result = append(d.Result, Field{"hierarchical", nil})
		d.say("Omega hierarchical is left out: %d group factors need more than %d items.", c.Factors, k)
		return d, nil
	}
	r, err := psych.OmegaHierarchical(complete, c.Factors)
	if err != nil {
		return nil, inFile(c.Data, err)
	}
	c.hierarchical(d, names, r)
	return d, nil
}

func (c *OmegaCommand) oneFactor(d *Document, names []string, x *mat.Dense) error {
	m, err := psych.ParseModel("omega_factor =~ " + strings.Join(names, " + "))
	if err != nil {
		return inFile(c.Data, err)
	}
	f, err := psych.CFA(m, &psych.Table{Names: names, X: x}, psych.Options{Estimator: psych.Estimator(c.Estimator), StdLV: true, Level: c.Level})
	if err != nil {
		return inFile(c.Data, err)
	}
	rel, err := f.Reliability()
	if err != nil {
		return inFile(c.Data, err)
	}
	r := rel[0]
	var items []Object
	var rows [][]string
	for _, p := range f.Parameters {
		if p.Op == "=~" {
			items = append(items, Object{{"name", p.RHS}, {"loading", p.Estimate}, {"se", p.SE}, {"std", p.StdAll}, {"residual", nil}})
			rows = append(rows, []string{p.RHS, num(p.Estimate), num(p.SE), num(p.StdAll)})
		}
		if i := slices.Index(names, p.LHS); p.Op == "~~" && p.LHS == p.RHS && i >= 0 {
			items[i][4].Value = p.Estimate
		}
	}
	d.Result = append(d.Result, Field{"one_factor", Object{
		{"estimator", string(f.Estimator)}, {"n", f.N}, {"converged", f.Converged}, {"problems", f.Problems}, {"omega", r.Omega}, {"se", r.OmegaSE}, {"level", r.Level}, {"lower", r.OmegaCI[0]}, {"upper", r.OmegaCI[1]},
		{"omega_bentler", r.Omega2}, {"omega_mcdonald", r.Omega3}, {"alpha", r.Alpha}, {"ave", r.AVE},
		{"chi2", f.Indices.ChiSq}, {"df", f.Indices.DF}, {"p", f.Indices.P}, {"cfi", f.Indices.CFI}, {"rmsea", f.Indices.RMSEA.Value}, {"items", items},
	}})
	d.table("One factor ("+string(f.Estimator)+")", []string{"omega", "SE", percent(r.Level) + " from", "to", "alpha", "AVE", "CFI", "RMSEA"}, [][]string{{num(r.Omega), num(r.OmegaSE), num(r.OmegaCI[0]), num(r.OmegaCI[1]), num(r.Alpha), num(r.AVE), num(f.Indices.CFI), num(f.Indices.RMSEA.Value)}})
	sayFit(d, f)
	d.table("", []string{"item", "loading", "SE", "standardised"}, rows)
	return nil
}

func (c *OmegaCommand) hierarchical(d *Document, names []string, r *psych.OmegaResult) {
	l := r.Loadings
	head := []string{"item", "general"}
	for j := range c.Factors {
		head = append(head, fmt.Sprintf("group %d", j+1))
	}
	head = append(head, "unique", "")
	var items []Object
	var rows [][]string
	for i, n := range names {
		row := []string{n, num(l.General[i])}
		for _, v := range l.Group.RawRowView(i) {
			row = append(row, num(v))
		}
		turned := ""
		if r.Turned[i] {
			turned = "turned"
		}
		rows = append(rows, append(row, num(l.Uniqueness[i]), turned))
		items = append(items, Object{{"name", n}, {"general", l.General[i]}, {"group", slices.Clone(l.Group.RawRowView(i))}, {"uniqueness", l.Uniqueness[i]}, {"turned", r.Turned[i]}})
	}
	d.Result = append(d.Result, Field{"hierarchical", Object{{"n", r.N}, {"factors", c.Factors}, {"omega_total", r.Total}, {"omega_hierarchical", r.Hierarchical}, {"asymptotic", r.Asymptotic}, {"ecv", r.ECV}, {"alpha_standardised", r.Alpha}, {"converged", l.Converged}, {"heywood", l.Heywood}, {"items", items}}})
	d.table(fmt.Sprintf("A general factor and %d group factors (Schmid-Leiman)", c.Factors), []string{"omega total", "omega hierarchical", "asymptotic", "ECV"}, [][]string{{num(r.Total), num(r.Hierarchical), num(r.Asymptotic), num(r.ECV)}})
	if l.Heywood {
		d.say("An item or a factor has no uniqueness left: this solution stands at a limit; try fewer --factors.")
	}
	d.table("", head, rows)
}

// sayFit says what is wrong with a factor model.
func sayFit(d *Document, f *psych.Fit) {
	if !f.Converged {
		d.say("The model did NOT converge: do not report it.")
	}
	if !f.Identified {
		d.say("The model is not identified: no parameter has a standard error.")
	}
	for _, p := range f.Problems {
		d.say("Improper: %s.", strings.TrimSuffix(p, "."))
	}
}
