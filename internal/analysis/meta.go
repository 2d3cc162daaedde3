// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/meta"
)

// MetaCommand is `stats meta`.
type MetaCommand struct {
	Source        `embed:""`
	EffectColumns `embed:""`
	Output        `embed:""`
	Method        string    `default:"REML" help:"Estimator of the variance between studies: FE (also EE, CE), DL, HE, HS, SJ, PM, ML, REML, EB." group:"Model"`
	Knha          bool      `help:"Knapp and Hartung's standard errors and t tests; the same as --test knha." group:"Model"`
	Test          string    `enum:"z,t,knha,adhoc" default:"z" help:"Tests and intervals: z, t, knha, adhoc (knha that never narrows)." group:"Model"`
	Tau2          *float64  `name:"tau2" help:"Use this variance between studies instead of an estimate." placeholder:"VALUE" group:"Model"`
	Mods          string    `help:"Moderators, as a formula: 'year + age', 'factor(design)', '0 + type'." placeholder:"FORMULA" group:"Model"`
	Subgroup      string    `help:"Compare the groups of studies that this column names." placeholder:"COLUMN" group:"Model"`
	Levels        string    `help:"Nested random effects from the outermost in: 'study/effect' is the three-level model." placeholder:"COLUMN/COLUMN" group:"Model"`
	Fix           []string  `help:"Variances of levels that are given and not estimated: study=0." placeholder:"LEVEL=VALUE" group:"Model"`
	Rho           *float64  `help:"Correlation of the sampling errors within --within, or within --cluster with --rve." placeholder:"VALUE" group:"Model"`
	Within        string    `help:"Level within which sampling errors are correlated; the outermost where not given." placeholder:"LEVEL" group:"Model"`
	Cluster       string    `help:"Clusters that standard errors are to be robust to." placeholder:"COLUMN" group:"Model"`
	Robust        string    `enum:"CR0,CR1,CR1m,CR2" default:"CR2" help:"Kind of robust errors: CR0, CR1, CR1m, CR2 (Satterthwaite's degrees of freedom)." group:"Model"`
	Joint         []string  `help:"Terms of --mods whose coefficients are tested together by robust errors (HTZ)." placeholder:"TERM" group:"Model"`
	Rve           string    `enum:"none,corr,hier" default:"none" help:"Robust variance estimation with weights from moments instead: corr or hier, with --cluster." group:"Model"`
	Label         string    `aliases:"slab" help:"Names of the studies." placeholder:"COLUMN" group:"Show"`
	Transform     string    `enum:"auto,none,ztor,exp" default:"auto" help:"Scale for readers: ztor, exp, none; by the effect size where not given." group:"Show"`
	Prediction    string    `enum:"test,hts,t" default:"test" help:"Prediction interval: test (quantile of the test, as metafor), hts (t, k-p-1), t (t, k-p)." group:"Show"`
	At            []string  `sep:"none" help:"Predict at these values of the moderators: 'year=2000; age=30'; may be given several times." placeholder:"COLUMN=VALUE;..." group:"Show"`
	Profile       bool      `help:"Profile likelihood intervals of the variances." group:"Show"`
	Bias          bool      `help:"Ask what may be missing: Egger (both forms), Begg, trim and fill, PET, PEESE, fail-safe N." group:"Show"`
	Selection     []float64 `help:"Selection model: the chance to be published changes at these one-sided p-values; 0.025 is the three-parameter model." placeholder:"P,P" group:"Show"`
	Less          bool      `help:"With --selection: effects below zero are preferred." group:"Show"`
	Permute       int       `help:"Permutation test of the coefficients, with so many arrangements; exact if there are no more." placeholder:"N" group:"Show"`
	Seed          uint64    `help:"Seed of the permutations." group:"Show"`
	Influence     bool      `help:"What each study does to the result." group:"Show"`
	LeaveOneOut   bool      `help:"The result without each study in turn." group:"Show"`
	Cumulative    string    `help:"The result as studies came in, in the order of this column." placeholder:"COLUMN" group:"Show"`
	Add           string    `help:"Add the studies of this file, which has the same columns, one after the other, and show the result with each (living update)." placeholder:"FILE" group:"Show"`
}

// Run does the analysis.
func (c *MetaCommand) Run(ctx context.Context, s *Streams) error {
	c.RCode = c.RCode || c.R.Code
	if err := c.settle(); err != nil {
		return err
	}
	return c.run(ctx, s, c.code, func(ctx context.Context, progress func(string)) (*Document, error) {
		m, err := c.prepare(s)
		if err != nil {
			return nil, err
		}
		return m.document(ctx, progress)
	})
}

// settle makes the flags consistent, or says which exclude each other.
func (c *MetaCommand) settle() error {
	if c.Knha {
		if c.Test == "adhoc" || c.Test == "t" {
			return wrongUse("--knha and --test %s exclude each other", c.Test)
		}
		c.Test = "knha"
	}
	if _, err := meta.ParseMethod(c.Method); err != nil {
		return wrongUse("--method %s: %v", c.Method, err)
	}
	switch {
	case c.Levels == "" && len(c.Fix) > 0:
		return wrongUse("--fix needs --levels")
	case c.Levels == "" && c.Rve == "none" && c.Rho != nil:
		return wrongUse("--rho needs --levels, or --rve corr with --cluster")
	case c.Levels != "" && (c.Test == "knha" || c.Test == "adhoc"):
		return wrongUse("--test %s is for models without --levels; use --test t or robust errors (--cluster)", c.Test)
	case c.Levels != "" && (c.Subgroup != "" || c.Bias || c.Influence || c.LeaveOneOut || c.Cumulative != "" || c.Tau2 != nil):
		return wrongUse("--subgroup, --bias, --influence, --leave-one-out, --cumulative and --tau2 are for models without --levels")
	case c.Levels != "" && (len(c.Selection) > 0 || c.Permute != 0):
		return wrongUse("--selection and --permute are for models without --levels")
	case c.Add != "" && (c.Levels != "" || c.Rve != "none"):
		return wrongUse("--add is for models without --levels and --rve")
	case c.Add == "-":
		return wrongUse("--add needs a file; standard input is not read twice")
	case c.Permute < 0 || c.Permute == 1:
		return wrongUse("--permute %d: an arrangement beside the observed one is needed", c.Permute)
	case c.Less && len(c.Selection) == 0:
		return wrongUse("--less needs --selection")
	case c.Levels != "" && c.Rve != "none":
		return wrongUse("--rve and --levels exclude each other")
	case c.Rve != "none" && c.Cluster == "":
		return wrongUse("--rve needs --cluster")
	case c.Mods != "" && (c.Subgroup != "" || c.LeaveOneOut || c.Cumulative != ""):
		return wrongUse("--subgroup, --leave-one-out and --cumulative are for models without --mods")
	case len(c.At) > 0 && (c.Mods == "" || c.Levels != ""):
		return wrongUse("--at needs --mods, and no --levels")
	case len(c.Joint) > 0 && (c.Cluster == "" || c.Mods == "" || c.Robust != "CR2"):
		return wrongUse("--joint needs --mods and --cluster with --robust CR2")
	}
	return nil
}

// metaModel is all that one meta-analysis has computed.
type metaModel struct {
	*MetaCommand
	table    *Table
	effects  *effects
	labels   []string
	data     meta.Data
	options  meta.Options
	design   *stats.Design // nil without moderators
	clusters []string
	shown    scale
	flat     *meta.Result           // without --levels
	deep     *meta.MultilevelResult // with them
	levels   meta.MultilevelData
	doc      *Document
}

func (c *MetaCommand) prepare(s *Streams) (*metaModel, error) {
	t, err := c.open(s.In)
	if err != nil {
		return nil, err
	}
	also, err := c.columns(t)
	if err != nil {
		return nil, err
	}
	m := &metaModel{MetaCommand: c}
	if m.table, m.effects, err = c.read(t, also); err != nil {
		return nil, err
	}
	t = m.table
	m.data = meta.Data{Y: m.effects.y, V: m.effects.v}
	method, _ := meta.ParseMethod(c.Method)
	m.options = meta.Options{Method: method, Test: meta.Test(c.Test), Level: c.Level, Tau2: c.Tau2}
	if m.shown, err = shownAs(c.Transform, m.effects.measure); err != nil {
		return nil, err
	}
	if c.Mods != "" {
		if err := m.moderate(); err != nil {
			return nil, err
		}
	}
	if c.Cluster != "" {
		if m.clusters, err = t.labels("cluster", c.Cluster); err != nil {
			return nil, err
		}
	}
	if m.labels, err = m.names(); err != nil {
		return nil, err
	}
	return m, m.fit()
}

// columns lists what a row must have beside its effect size.
func (c *MetaCommand) columns(t *Table) ([]string, error) {
	var names []string
	add := func(flag, name string) error {
		if name == "" {
			return nil
		}
		_, err := t.column(flag, name)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return err
	}
	if c.Mods != "" {
		f, err := oneSided(c.Mods)
		if err != nil {
			return nil, err
		}
		for _, n := range f.Variables() {
			if err := add("mods", n); err != nil {
				return nil, err
			}
		}
	}
	if c.Levels != "" {
		for _, n := range strings.Split(c.Levels, "/") {
			if err := add("levels", strings.TrimSpace(n)); err != nil {
				return nil, err
			}
		}
	}
	for _, x := range [][2]string{{"subgroup", c.Subgroup}, {"cluster", c.Cluster}, {"cumulative", c.Cumulative}} {
		if err := add(x[0], x[1]); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// moderate takes the columns of the model matrix but the constant.
func (m *metaModel) moderate() error {
	f, d, err := moderators(m.table, m.Mods)
	if err != nil {
		return err
	}
	m.design = d
	m.data.NoIntercept = !f.Intercept
	for j, name := range d.X.Names {
		if d.X.Term[j] < 0 {
			continue
		}
		v := make([]float64, d.X.Rows)
		for i := range v {
			v[i] = d.X.Row(i)[j]
		}
		m.data.Moderators = append(m.data.Moderators, meta.Moderator{Name: name, Values: v})
	}
	return nil
}

// names labels the studies by --label, by a column that is named so, or by row.
func (m *metaModel) names() ([]string, error) {
	name := m.Label
	for _, usual := range []string{"study", "author", "authors", "trial", "slab"} {
		if name == "" && slices.Contains(m.table.Names(), usual) {
			name = usual
		}
	}
	out := make([]string, m.table.Rows())
	if name != "" {
		var err error
		if out, err = m.table.labels("label", name); err != nil {
			return nil, err
		}
	}
	for i := range out {
		if out[i] == "" {
			out[i] = "row " + whole(m.table.row[i])
		} else if _, err := strconv.ParseFloat(out[i], 64); err == nil && m.Label == "" {
			out[i] = name + " " + out[i]
		}
	}
	return out, nil
}

func (m *metaModel) fit() (err error) {
	if m.Levels == "" {
		m.flat, err = meta.Fit(m.data, m.options)
		return m.place(err)
	}
	m.levels = meta.MultilevelData{Data: m.data}
	for _, n := range strings.Split(m.Levels, "/") {
		l := meta.Level{Name: strings.TrimSpace(n)}
		if l.Group, err = m.table.labels("levels", l.Name); err != nil {
			return err
		}
		m.levels.Levels = append(m.levels.Levels, l)
	}
	for _, rule := range m.Fix {
		name, text, _ := strings.Cut(rule, "=")
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		i := slices.IndexFunc(m.levels.Levels, func(l meta.Level) bool { return l.Name == strings.TrimSpace(name) })
		if err != nil || i < 0 || !(v >= 0) {
			return wrongUse("--fix %s: write LEVEL=VARIANCE with a level of --levels and a number that is not negative", rule)
		}
		m.levels.Levels[i].Fixed = &v
	}
	if m.Rho != nil {
		within := m.Within
		if within == "" {
			within = m.levels.Levels[0].Name
		}
		m.levels.Correlated = &meta.Correlated{Within: within, Rho: *m.Rho}
	}
	m.deep, err = meta.FitMultilevel(m.levels, m.options)
	return m.place(err)
}

// place turns the row of an error into the row of the file.
func (m *metaModel) place(err error) error {
	d, ok := err.(*meta.DataError) //nolint:errorlint // meta returns it bare
	if !ok {
		return err
	}
	where := ""
	if d.Row > 0 && d.Row <= len(m.table.row) {
		where = fmt.Sprintf("row %d: ", m.table.row[d.Row-1])
	}
	if d.Column != "" {
		where += "column " + d.Column + ": "
	}
	return fmt.Errorf("%s%s", where, d.Reason)
}
