// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/meta"
)

// given makes one row of new data from a rule such as "year=2000; design=RCT".
func (m *metaModel) given(rule string) (*stats.Frame, error) {
	var cols []*stats.Column
	for _, part := range strings.Split(rule, ";") {
		name, text, ok := trimmed(part)
		if !ok {
			return nil, wrongUse("--at '%s': write COLUMN=VALUE, several with semicolons", rule)
		}
		if was, err := m.table.Column(name); err == nil && was.Kind() == stats.Factor {
			cols = append(cols, stats.NewFactor(name, []string{text}, nil))
			continue
		}
		v, ok := number(text)
		if !ok {
			return nil, wrongUse("--at '%s': %q is no number", rule, text)
		}
		c, err := stats.NewNumeric(name, []float64{v}, nil)
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
	return stats.NewFrame(cols...)
}

func (m *metaModel) robustOf() (*meta.RobustResult, error) {
	if m.deep != nil {
		return m.deep.Robust(m.clusters, meta.Adjustment(m.Robust))
	}
	return m.flat.Robust(m.clusters, meta.Adjustment(m.Robust))
}

func (m *metaModel) reportRobust() error {
	if m.Cluster == "" || m.Rve != "none" {
		return nil
	}
	r, err := m.robustOf()
	if err != nil {
		return err
	}
	return m.sayRobust(r, fmt.Sprintf("Robust to %d clusters of %s (%s)", r.Clusters, m.Cluster, r.Adjustment), nil)
}

func (m *metaModel) sayRobust(r *meta.RobustResult, title string, more Object) error {
	o := Object{{"adjustment", string(r.Adjustment)}, {"clusters", r.Clusters}, {"coefficients", coefficientObjects(r.Coefficients)}, {"vcov", matrixRows(r.VCov)}}
	m.coefficientTable(title, r.Coefficients)
	var joint []Object
	for _, term := range m.Joint {
		at, err := m.positions(term)
		if err != nil {
			return err
		}
		t, err := r.WaldHTZ(at...)
		if err != nil {
			return err
		}
		joint = append(joint, append(Object{{"term", term}}, testObject(t)...))
		m.doc.say("All of %s together (HTZ): F(%s, %s) = %s, %s", term, df(t.DF1), df(t.DF2), short(t.Stat), pShort(t.P))
	}
	m.add("robust", append(append(o, Field{"joint", joint}), more...))
	return nil
}

// positions finds the coefficients of a term of --mods.
func (m *metaModel) positions(term string) ([]int, error) {
	var at []int
	var labels []string
	for j, k := range m.design.X.Term {
		if k >= 0 && m.design.Formula.Terms[k].Label() == term {
			at = append(at, j)
		}
	}
	for _, t := range m.design.Formula.Terms {
		labels = append(labels, t.Label())
	}
	if at == nil {
		return nil, wrongUse("--joint %s: --mods has the terms %s", term, strings.Join(labels, ", "))
	}
	return at, nil
}

func (m *metaModel) reportRve() error {
	if m.Rve == "none" {
		return nil
	}
	var r *meta.RVE
	var err error
	if m.Rve == "corr" {
		rho := .8
		if m.Rho != nil {
			rho = *m.Rho
		}
		r, err = meta.RobustCorrelated(m.data, m.clusters, rho)
	} else {
		r, err = meta.RobustHierarchical(m.data, m.clusters)
	}
	if err != nil {
		return err
	}
	m.doc.Title = fmt.Sprintf("Robust variance estimation, %d effects in %d clusters of %s (%s)", len(m.data.Y), r.Clusters, m.Cluster, map[string]string{"corr": "correlated effects", "hier": "hierarchical effects"}[m.Rve])
	rows := [][]string{{"tau²", num(r.Tau2)}}
	if m.Rve == "hier" {
		rows = append(rows, []string{"omega²", num(r.Omega2)})
	} else {
		rows = append(rows, []string{"I²", num(r.I2)})
	}
	m.doc.table("Heterogeneity"+state(r.State), nil, rows)
	return m.sayRobust(r.RobustResult, "", Object{{"weights", m.Rve}, {"tau2", r.Tau2}, {"omega2", r.Omega2}, {"I2", r.I2}, {"QE", r.QE}, {"state", string(r.State)}})
}

func (m *metaModel) subgroups() (*meta.Subgroups, []string, error) {
	labels, err := m.table.labels("subgroup", m.Subgroup)
	if err != nil {
		return nil, nil, err
	}
	g, err := meta.FitSubgroups(m.data, labels, m.options)
	return g, labels, err
}

func (m *metaModel) reportSubgroups() error {
	if m.Subgroup == "" {
		return nil
	}
	g, _, err := m.subgroups()
	if err != nil {
		return err
	}
	var objects []Object
	var rows [][]string
	for _, s := range g.Groups {
		f, c := s.Fit, s.Fit.Coefficients[0]
		objects = append(objects, Object{{"label", s.Label}, {"k", f.K}, {"tau2", f.Tau2}, {"state", string(f.State)}, {"I2", f.I2}, {"QE", testObject(f.QE)}, {"average", coefficientObjects(f.Coefficients)[0]}})
		rows = append(rows, []string{s.Label, whole(f.K), num(c.Estimate), num(c.SE), num(c.Lower), num(c.Upper), num(f.Tau2), num(f.I2)})
	}
	o := Object{{"column", m.Subgroup}, {"groups", objects}, {"between", testObject(g.Between)}, {"common", nil}}
	m.doc.table("By "+m.Subgroup+", each with its own tau²", []string{"", "k", "estimate", "SE", percent(m.Level) + " from", "to", "tau²", "I²"}, rows)
	m.doc.say("Between the groups: Q(%s) = %s, %s", df(g.Between.DF1), short(g.Between.Stat), pShort(g.Between.P))
	if c := g.Common; c != nil {
		o[3].Value = Object{{"tau2", c.Tau2}, {"QM", testObject(c.QM)}, {"coefficients", coefficientObjects(c.Coefficients)}}
		m.doc.say("With one tau² for all (%s): Q(%s) = %s, %s", short(c.Tau2), df(c.QM.DF1), short(c.QM.Stat), pShort(c.QM.P))
	}
	m.add("subgroups", o)
	return nil
}

func (m *metaModel) reportInfluence() error {
	if !m.Influence {
		return nil
	}
	rows, err := meta.Influence(m.data, m.options)
	if err != nil {
		return err
	}
	var objects []Object
	var shown [][]string
	for i, r := range rows {
		o := Object{{"label", m.labels[i]}, {"defined", r.Defined}}
		for _, f := range []struct {
			key string
			v   float64
		}{{"rstudent", r.RStudent}, {"dffits", r.DFFITS}, {"cook_d", r.CookD}, {"cov_ratio", r.CovRatio}, {"tau2", r.Tau2}, {"QE", r.QE}, {"baujat_x", r.BaujatX}, {"baujat_y", r.BaujatY}} {
			var v any
			if r.Defined {
				v = f.v
			}
			o = append(o, Field{f.key, v})
		}
		objects = append(objects, append(o, Field{"hat", r.Hat}, Field{"weight", r.Weight}, Field{"dfbetas", r.DFBetas}, Field{"influential", r.Influential}))
		mark := ""
		if r.Influential {
			mark = "*"
		}
		if !r.Defined {
			shown = append(shown, []string{m.labels[i], "", "", "", "", "", "", num(r.Hat), num(r.Weight), mark})
			continue
		}
		shown = append(shown, []string{m.labels[i], num(r.RStudent), num(r.DFFITS), num(r.CookD), num(r.CovRatio), num(r.Tau2), num(r.QE), num(r.Hat), num(r.Weight), mark})
	}
	m.add("influence", objects)
	m.doc.table("Influence of each study (* stands out)", []string{"", "rstudent", "DFFITS", "Cook's D", "cov. ratio", "tau² without", "Q without", "hat", "weight %", ""}, shown)
	return nil
}

// reportSeries is of the results without each study, and as they came in.
func (m *metaModel) reportSeries() error {
	if m.LeaveOneOut {
		rs, err := meta.LeaveOneOut(m.data, m.options)
		if err != nil {
			return err
		}
		m.series("leave_one_out", "Without", rs, m.labels)
	}
	if m.Cumulative != "" {
		order, err := m.order()
		if err != nil {
			return err
		}
		rs, err := meta.Cumulative(m.data, m.options, order)
		if err != nil {
			return err
		}
		names := make([]string, len(order))
		for i, k := range order {
			names[i] = m.labels[k]
		}
		m.series("cumulative", "As they came in, by "+m.Cumulative, rs, names)
	}
	return nil
}

// order lists the rows by --cumulative, equal ones as they stand.
func (m *metaModel) order() ([]int, error) {
	return m.table.Order(m.Cumulative)
}

func (m *metaModel) series(key, title string, rs []*meta.Result, names []string) {
	var objects []Object
	var rows [][]string
	for i, r := range rs {
		c := r.Coefficients[0]
		objects = append(objects, Object{{"label", names[i]}, {"k", r.K}, {"estimate", c.Estimate}, {"se", c.SE}, {"p", c.P}, {"lower", c.Lower}, {"upper", c.Upper}, {"tau2", r.Tau2}, {"I2", r.I2}, {"state", string(r.State)}})
		rows = append(rows, []string{names[i], num(c.Estimate), num(c.SE), prob(c.P), num(c.Lower), num(c.Upper), num(r.Tau2), num(r.I2)})
	}
	m.add(key, objects)
	m.doc.table(title, []string{"", "estimate", "SE", "p", percent(m.Level) + " from", "to", "tau²", "I²"}, rows)
}

func (m *metaModel) reportBias() error {
	if !m.Bias {
		return nil
	}
	var o Object
	var rows [][]string
	for _, t := range []struct {
		key, name string
		do        func() (meta.RegressionTest, error)
	}{
		{"egger", "Egger, weighted regression", func() (meta.RegressionTest, error) { return meta.Egger(m.data) }},
		{"egger_mixed", "Egger, with tau²", func() (meta.RegressionTest, error) { return meta.EggerMixed(m.data, m.options) }},
		{"pet", "PET", func() (meta.RegressionTest, error) { return meta.PET(m.data) }},
		{"peese", "PEESE", func() (meta.RegressionTest, error) { return meta.PEESE(m.data) }},
	} {
		r, err := t.do()
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		o = append(o, Field{t.key, Object{{"slope", coefficientObjects([]meta.Coefficient{r.Slope})[0]}, {"limit", coefficientObjects([]meta.Coefficient{r.Limit})[0]}}})
		rows = append(rows, []string{t.name, num(r.Slope.Estimate), num(r.Slope.Stat), prob(r.Slope.P), num(r.Limit.Estimate), num(r.Limit.Lower), num(r.Limit.Upper)})
	}
	m.doc.table("Do small studies report other effects than large ones?", []string{"", "slope", "z or t", "p", "effect at no error", percent(m.Level) + " from", "to"}, rows)
	b, err := meta.Begg(m.data)
	if err != nil {
		return err
	}
	o = append(o, Field{"begg", Object{{"tau", b.Tau}, {"p", b.P}, {"exact", b.Exact}}})
	m.doc.say("Begg and Mazumdar's rank test: Kendall's tau %s, %s.", short(b.Tau), pShort(b.P))
	if m.Mods == "" {
		if err := m.trimFill(&o); err != nil {
			return err
		}
	}
	if err := m.failsafe(&o); err != nil {
		return err
	}
	m.add("bias", o)
	return nil
}

func (m *metaModel) trimFill(o *Object) error {
	var rows [][]string
	for _, e := range []meta.TrimEstimator{meta.L0, meta.R0, meta.Q0} {
		key := "trim_fill_" + string(e)
		t, err := meta.TrimFill(m.data, m.options, e, "")
		if err != nil {
			*o = append(*o, Field{key, Object{{"state", err.Error()}}})
			rows = append(rows, []string{string(e), "", "", "", "", err.Error()})
			continue
		}
		var y, v []float64
		for _, f := range t.Filled {
			y, v = append(y, f.Y), append(v, f.V)
		}
		c := t.Fit.Coefficients[0]
		*o = append(*o, Field{key, Object{{"state", string(t.State)}, {"k0", t.K0}, {"k0_se", t.SEK0}, {"side", string(t.Side)}, {"filled_yi", slices.Clone(y)}, {"filled_vi", slices.Clone(v)}, {"k", t.Fit.K}, {"tau2", t.Fit.Tau2}, {"average", coefficientObjects(t.Fit.Coefficients)[0]}}})
		rows = append(rows, []string{string(e), whole(t.K0), string(t.Side), num(c.Estimate), num(c.Lower), num(c.Upper)})
	}
	m.doc.table("Trim and fill", []string{"", "missing", "on the", "estimate", percent(m.Level) + " from", "to"}, rows)
	return nil
}

func (m *metaModel) failsafe(o *Object) error {
	var parts []string
	var f Object
	for _, k := range []meta.FailsafeKind{meta.Rosenthal, meta.Orwin, meta.Rosenberg} {
		n, err := meta.Failsafe(m.data, k, 0, 0)
		if err != nil {
			f = append(f, Field{strings.ToLower(string(k)), nil})
			parts = append(parts, string(k)+" none: "+err.Error())
			continue
		}
		f = append(f, Field{strings.ToLower(string(k)), n})
		parts = append(parts, fmt.Sprintf("%s %d", k, n))
	}
	*o = append(*o, Field{"failsafe", f})
	m.doc.say("Fail-safe N: %s.", strings.Join(parts, ", "))
	return nil
}
