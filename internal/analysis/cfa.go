// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/entente-project/entente/stats/psych"
)

// CFACommand is `stats cfa`.
type CFACommand struct {
	Source        `embed:""`
	Model         []string `arg:"" optional:"" help:"Model, for example 'visual =~ x1 + x2 + x3'; several parts, or one with line breaks or semicolons."`
	Plain         `embed:""`
	ModelFile     string   `help:"Read the model from this file." placeholder:"FILE" group:"Model"`
	Estimator     string   `enum:"ML,MLR,MLM,WLSMV,DWLS" default:"ML" help:"ML, MLR, MLM; for ordered items WLSMV or DWLS." group:"Model"`
	Missing       string   `enum:"listwise,fiml" default:"listwise" help:"Rows with a missing value: listwise leaves them out, fiml uses what is there." group:"Model"`
	StdLV         bool     `name:"std-lv" help:"Scale factors to variance 1 instead of by their first items." group:"Model"`
	Orthogonal    bool     `help:"Factors do not covary." group:"Model"`
	MeanStructure bool     `name:"meanstructure" help:"Estimate intercepts." group:"Model"`
	Bifactor      string   `help:"Add a general factor of this name on all items; factors are then uncorrelated and of variance 1." placeholder:"NAME" group:"Model"`
	Group         string   `help:"Fit in each group that the column names." placeholder:"COLUMN" group:"Groups"`
	GroupEqual    []string `help:"Equal in all groups: loadings, intercepts, thresholds, residuals, residual.covariances, lv.variances, lv.covariances, means, regressions." placeholder:"NAME" group:"Groups"`
	GroupPartial  []string `sep:"none" help:"Free in spite of --group-equal: 'visual =~ x2'." placeholder:"PARAMETER" group:"Groups"`
	Invariance    bool     `help:"The sequence of measurement invariance: configural, metric, scalar, strict." group:"Groups"`
	Against       string   `help:"Compare with this model, nested in the first or containing it." placeholder:"MODEL" group:"Show"`
	Modifications bool     `name:"modindices" help:"Modification indices." group:"Show"`
	Reliability   bool     `help:"Alpha, omega and average variance extracted of each factor." group:"Show"`
	Scores        bool     `help:"Factor scores of each person, into the JSON." group:"Show"`
	Moments       bool     `help:"Implied and observed covariances, into the JSON." group:"Show"`
}

// Run does the analysis.
func (c *CFACommand) Run(ctx context.Context, s *Streams) error {
	if err := c.settle(); err != nil {
		return err
	}
	return c.output().run(ctx, s, c.code, func(_ context.Context, progress func(string)) (*Document, error) {
		progress("fitting the model")
		t, err := c.open(s.In)
		if err != nil {
			return nil, err
		}
		return c.analyse(t)
	})
}

func (c *CFACommand) settle() error {
	ordered := c.Estimator == "WLSMV" || c.Estimator == "DWLS"
	switch {
	case len(c.Model) == 0 && c.ModelFile == "":
		return wrongUse("give a model, such as 'visual =~ x1 + x2 + x3', or --model-file")
	case len(c.Model) > 0 && c.ModelFile != "":
		return wrongUse("a model and --model-file exclude each other")
	case (c.Invariance || len(c.GroupEqual) > 0 || len(c.GroupPartial) > 0) && c.Group == "":
		return wrongUse("--invariance, --group-equal and --group-partial need --group")
	case c.Missing == "fiml" && (ordered || c.Estimator == "MLM"):
		return wrongUse("--missing fiml is for --estimator ML and MLR")
	case ordered && c.Modifications:
		return wrongUse("--modindices is for continuous items (ML, MLR, MLM)")
	case ordered && c.Reliability:
		return wrongUse("--reliability is for continuous items (ML, MLR, MLM)")
	}
	if _, err := c.model(); err != nil {
		return err
	}
	return nil
}

func (c *CFACommand) text() (string, error) {
	if c.ModelFile != "" {
		b, err := os.ReadFile(c.ModelFile)
		if err != nil {
			return "", fmt.Errorf("--model-file %s cannot be read: %w", c.ModelFile, err)
		}
		return string(b), nil
	}
	return strings.Join(c.Model, "\n"), nil
}

func (c *CFACommand) model() (*psych.Model, error) {
	text, err := c.text()
	if err != nil {
		return nil, err
	}
	m, err := psych.ParseModel(text)
	if err != nil {
		return nil, wrongUse("the model: %v", err)
	}
	if c.Bifactor != "" {
		if m, err = psych.ParseModel(c.Bifactor + " =~ " + strings.Join(m.Items(), " + ") + "\n" + text); err != nil {
			return nil, wrongUse("--bifactor %s: %v", c.Bifactor, err)
		}
	}
	return m, nil
}

func (c *CFACommand) options() psych.Options {
	o := psych.Options{Estimator: psych.Estimator(c.Estimator), Missing: psych.Missing(c.Missing), StdLV: c.StdLV || c.Bifactor != "", Orthogonal: c.Orthogonal || c.Bifactor != "", MeanStructure: c.MeanStructure, GroupPartial: c.GroupPartial, Level: c.Level}
	for _, e := range c.GroupEqual {
		o.GroupEqual = append(o.GroupEqual, psych.Equal(e))
	}
	return o
}

// table takes the columns of the model, and the groups.
func (c *CFACommand) table(t *Table, m *psych.Model) (*Table, *psych.Table, error) {
	for _, n := range m.Items() {
		if _, err := t.Column(n); err != nil {
			return nil, nil, wrongUse("the model names %s: there is no such column; there are %s", n, strings.Join(t.Names(), ", "))
		}
	}
	names := m.Items()
	if c.Group != "" {
		if _, err := t.column("group", c.Group); err != nil {
			return nil, nil, err
		}
		var err error
		if t, err = t.complete(c.Group); err != nil {
			return nil, nil, err
		}
	}
	_, x, err := t.items("items", names)
	if err != nil {
		return nil, nil, err
	}
	out := &psych.Table{Names: names}
	if c.Group != "" {
		// The first row of a group counts even if it has a value missing: so does
		// lavaan number groups.
		if out.Order, err = t.labels("group", c.Group); err != nil {
			return nil, nil, err
		}
	}
	if c.Missing == "listwise" {
		if t, x, err = t.wholeRows(x); err != nil {
			return nil, nil, err
		}
	}
	out.X = x
	if c.Group != "" {
		if out.Group, err = t.labels("group", c.Group); err != nil {
			return nil, nil, err
		}
	}
	return t, out, nil
}

func (c *CFACommand) analyse(t *Table) (*Document, error) {
	m, err := c.model()
	if err != nil {
		return nil, err
	}
	t, x, err := c.table(t, m)
	if err != nil {
		return nil, err
	}
	if c.Invariance {
		return c.sequence(t, m, x)
	}
	f, err := psych.CFA(m, x, c.options())
	if err != nil {
		return nil, inFile(c.Data, err)
	}
	d := &Document{Analysis: "cfa", Source: t, Title: c.title(f)}
	d.Result = c.fitObject(f)
	c.fitTables(d, f)
	for _, step := range []func(*Document, *psych.Fit, *psych.Table) error{c.compare, c.reliability, c.modifications, c.scores} {
		if err := step(d, f, x); err != nil {
			return nil, inFile(c.Data, err)
		}
	}
	c.pictures(d, f)
	return d, nil
}

func (c *CFACommand) title(f *psych.Fit) string {
	groups := ""
	if len(f.Groups) > 1 {
		groups = fmt.Sprintf(" in %d groups of %s", len(f.Groups), c.Group)
	}
	return fmt.Sprintf("Factor model by %s, %d people%s", f.Estimator, f.N, groups)
}

func (c *CFACommand) compare(d *Document, f *psych.Fit, x *psych.Table) error {
	if c.Against == "" {
		return nil
	}
	m, err := psych.ParseModel(c.Against)
	if err != nil {
		return wrongUse("--against: %v", err)
	}
	other, err := psych.CFA(m, x, c.options())
	if err != nil {
		return fmt.Errorf("--against: %w", err)
	}
	larger, smaller := f, other
	if larger.Indices.NPar < smaller.Indices.NPar {
		larger, smaller = smaller, larger
	}
	t, err := psych.Compare(larger, smaller)
	if err != nil {
		return fmt.Errorf("--against: %w", err)
	}
	d.Result = append(d.Result, Field{"against", Object{{"model", m.String()}, {"chi2", other.Indices.ChiSq}, {"df", other.Indices.DF}, {"test", differenceObject(t)}}})
	d.say("Against the other model: chi²(%d) = %s, %s; CFI differs by %s.", t.DF, short(t.ChiSq), pShort(t.P), short(t.DeltaCFI))
	return nil
}

func differenceObject(t *psych.Difference) Object {
	return Object{{"chi2", t.ChiSq}, {"df", t.DF}, {"p", t.P}, {"factor", t.Factor}, {"delta_cfi", t.DeltaCFI}, {"delta_rmsea", t.DeltaRMSEA}, {"negative", t.Negative}}
}

func (c *CFACommand) sequence(t *Table, m *psych.Model, x *psych.Table) (*Document, error) {
	steps, err := psych.Invariance(m, x, c.options())
	if err != nil {
		return nil, inFile(c.Data, err)
	}
	d := &Document{Analysis: "cfa", Source: t, Title: "Measurement invariance: " + c.title(steps[0].Fit)}
	var objects []Object
	var rows [][]string
	for _, s := range steps {
		i := s.Fit.Indices
		cfi, rmsea, chi := i.CFI, i.RMSEA.Value, i.Test
		if i.Scaled != nil {
			cfi, rmsea, chi = i.Scaled.CFI, i.Scaled.RMSEA.Value, i.Scaled.Test
		}
		row := []string{s.Name, num(chi.ChiSq), whole(chi.DF), prob(chi.P), num(cfi), num(rmsea)}
		o := Object{{"name", s.Name}, {"fit", c.fitObject(s.Fit)}, {"test", nil}}
		if s.Test != nil {
			o[2].Value = differenceObject(s.Test)
			row = append(row, num(s.Test.ChiSq), whole(s.Test.DF), prob(s.Test.P), num(s.Test.DeltaCFI))
		}
		objects, rows = append(objects, o), append(rows, row)
	}
	d.Result = Object{{"steps", objects}}
	d.table("", []string{"", "chi²", "df", "p", "CFI", "RMSEA", "chi² more", "df", "p", "CFI change"}, rows)
	for _, s := range steps {
		if !s.Fit.Converged || len(s.Fit.Problems) > 0 {
			d.say("%s:", s.Name)
			sayFit(d, s.Fit)
		}
	}
	c.pictures(d, steps[0].Fit)
	return d, nil
}

func (c *CFACommand) reliability(d *Document, f *psych.Fit, _ *psych.Table) error {
	if !c.Reliability {
		return nil
	}
	rs, err := f.Reliability()
	if err != nil {
		return err
	}
	var objects []Object
	var rows [][]string
	for _, r := range rs {
		objects = append(objects, Object{{"factor", r.Factor}, {"group", f.Groups[r.Group-1]}, {"items", r.Items}, {"alpha", r.Alpha}, {"omega", r.Omega}, {"se", r.OmegaSE}, {"lower", r.OmegaCI[0]}, {"upper", r.OmegaCI[1]}, {"omega_bentler", r.Omega2}, {"omega_mcdonald", r.Omega3}, {"ave", r.AVE}})
		rows = append(rows, []string{strings.TrimSpace(r.Factor + " " + f.Groups[r.Group-1]), num(r.Alpha), num(r.Omega), num(r.OmegaCI[0]), num(r.OmegaCI[1]), num(r.Omega2), num(r.Omega3), num(r.AVE)})
	}
	d.Result = append(d.Result, Field{"reliability", objects})
	d.table("Reliability", []string{"", "alpha", "omega", percent(c.Level) + " from", "to", "omega (Bentler)", "omega (McDonald)", "AVE"}, rows)
	return nil
}

func (c *CFACommand) modifications(d *Document, f *psych.Fit, _ *psych.Table) error {
	if !c.Modifications {
		return nil
	}
	ms, err := f.Modifications()
	if err != nil {
		return err
	}
	var objects []Object
	var rows [][]string
	for i, x := range ms {
		objects = append(objects, Object{{"lhs", x.LHS}, {"op", x.Op}, {"rhs", x.RHS}, {"group", f.Groups[x.Group-1]}, {"mi", x.MI}, {"p", x.P}, {"epc", x.EPC}})
		if i < 15 {
			rows = append(rows, []string{strings.TrimSpace(x.LHS + " " + x.Op + " " + x.RHS + " " + f.Groups[x.Group-1]), num(x.MI), prob(x.P), num(x.EPC)})
		}
	}
	d.Result = append(d.Result, Field{"modindices", objects})
	d.table("Modification indices, the largest first (all are in the JSON)", []string{"", "chi² less", "p", "expected value"}, rows)
	return nil
}

func (c *CFACommand) scores(d *Document, f *psych.Fit, x *psych.Table) error {
	if c.Moments {
		var ms []Object
		for g := range f.Implied {
			ms = append(ms, Object{{"group", f.Groups[g]}, {"items", f.Items}, {"implied", matrixRows(f.Implied[g].Cov)}, {"sample", matrixRows(f.Sample[g].Cov)}, {"implied_means", f.Implied[g].Mean}, {"sample_means", f.Sample[g].Mean}})
		}
		d.Result = append(d.Result, Field{"moments", ms})
	}
	if !c.Scores {
		return nil
	}
	s, err := f.Scores()
	if err != nil {
		return err
	}
	// Scores come group after group; the table has the rows as they were.
	var order []int
	if x.Group == nil {
		for i := range d.Source.row {
			order = append(order, i)
		}
	}
	for _, g := range f.Groups {
		for i := range x.Group {
			if x.Group[i] == g && !slices.Contains(order, i) {
				order = append(order, i)
			}
		}
	}
	n, _ := s.Dims()
	if n != len(order) {
		return fmt.Errorf("%d rows have no answer at all; leave them out of the table before asking for scores", len(order)-n)
	}
	d.Result = append(d.Result, Field{"scores", Object{{"factors", f.Factors}, {"rows", d.Source.fileRows(order)}, {"values", matrixRows(s)}}})
	d.say("The scores of %d people are in the JSON.", n)
	return nil
}
