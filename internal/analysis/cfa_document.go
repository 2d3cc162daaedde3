// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"strings"

	"github.com/entente-project/entente/stats/psych"
)

func chiObject(t psych.Test) Object {
	return Object{{"chi2", t.ChiSq}, {"df", t.DF}, {"p", t.P}}
}

func rmseaObject(r psych.RMSEA) Object {
	return Object{{"value", r.Value}, {"lower", r.Lower}, {"upper", r.Upper}, {"p", r.P}}
}

func indicesObject(i psych.Indices) Object {
	o := Object{
		{"npar", i.NPar}, {"fmin", i.FMin}, {"test", chiObject(i.Test)}, {"baseline", chiObject(i.Baseline)}, {"cfi", i.CFI}, {"tli", i.TLI}, {"rmsea", rmseaObject(i.RMSEA)},
		{"rmr", i.RMR}, {"srmr", i.SRMR}, {"srmr_bentler", i.SRMRBentler}, {"likelihood", nil}, {"scaled", nil}, {"robust", nil},
	}
	if l := i.Likelihood; l != nil {
		o[10].Value = Object{{"loglik", l.LogL}, {"unrestricted", l.Unrestricted}, {"aic", l.AIC}, {"bic", l.BIC}, {"bic2", l.BIC2}}
	}
	if s := i.Scaled; s != nil {
		o[11].Value = Object{{"test", chiObject(s.Test)}, {"factor", s.Factor}, {"shift", s.Shift}, {"baseline", chiObject(s.Baseline)}, {"baseline_factor", s.BaselineFactor}, {"cfi", s.CFI}, {"tli", s.TLI}, {"rmsea", rmseaObject(s.RMSEA)}}
	}
	if r := i.Robust; r != nil {
		o[12].Value = Object{{"cfi", r.CFI}, {"tli", r.TLI}, {"rmsea", rmseaObject(r.RMSEA)}}
	}
	return o
}

func (c *CFACommand) fitObject(f *psych.Fit) Object {
	var ps []Object
	for _, p := range f.Parameters {
		ps = append(ps, Object{{"lhs", p.LHS}, {"op", p.Op}, {"rhs", p.RHS}, {"group", f.Groups[p.Group-1]}, {"label", p.Label}, {"free", p.Free}, {"estimate", p.Estimate}, {"se", p.SE}, {"z", p.Z}, {"p", p.P}, {"lower", p.CI[0]}, {"upper", p.CI[1]}, {"std_lv", p.StdLV}, {"std_all", p.StdAll}})
	}
	return Object{
		{"estimator", string(f.Estimator)}, {"missing", c.Missing}, {"n", f.N}, {"groups", f.Groups}, {"group_n", f.GroupN}, {"converged", f.Converged}, {"identified", f.Identified}, {"problems", f.Problems}, {"iterations", f.Iterations},
		{"fit", indicesObject(f.Indices)}, {"parameters", ps},
	}
}

func (c *CFACommand) fitTables(d *Document, f *psych.Fit) {
	sayFit(d, f)
	i := f.Indices
	head := []string{"", string("standard")}
	rows := [][]string{
		{"chi²", num(i.ChiSq)}, {"df", whole(i.DF)}, {"p", prob(i.P)}, {"CFI", num(i.CFI)}, {"TLI", num(i.TLI)},
		{"RMSEA", num(i.RMSEA.Value)}, {"  90 % from", num(i.RMSEA.Lower)}, {"  to", num(i.RMSEA.Upper)}, {"  p of RMSEA <= .05", prob(i.RMSEA.P)},
	}
	add := func(name string, cells ...string) {
		head = append(head, name)
		for k := range rows {
			rows[k] = append(rows[k], cells[k])
		}
	}
	if s := i.Scaled; s != nil {
		add("scaled", num(s.ChiSq), whole(s.DF), prob(s.P), num(s.CFI), num(s.TLI), num(s.RMSEA.Value), num(s.RMSEA.Lower), num(s.RMSEA.Upper), prob(s.RMSEA.P))
	}
	if r := i.Robust; r != nil {
		add("robust", "", "", "", num(r.CFI), num(r.TLI), num(r.RMSEA.Value), num(r.RMSEA.Lower), num(r.RMSEA.Upper), prob(r.RMSEA.P))
	}
	rows = append(rows, []string{"SRMR", num(i.SRMR)})
	if l := i.Likelihood; l != nil {
		rows = append(rows, []string{"AIC", num(l.AIC)}, []string{"BIC", num(l.BIC)}, []string{"log-likelihood", num(l.LogL)})
	}
	d.table("Fit", head, rows)
	for g, name := range f.Groups {
		c.parameterTables(d, f, g+1, name)
	}
}

var parameterTitles = []struct{ op, title string }{
	{"=~", "Loadings"}, {"~", "Regressions"}, {"cov", "Covariances"}, {"var", "Variances"}, {"~1", "Intercepts and means"}, {"|", "Thresholds"},
}

func (c *CFACommand) parameterTables(d *Document, f *psych.Fit, group int, name string) {
	rows := map[string][][]string{}
	for _, p := range f.Parameters {
		if p.Group != group {
			continue
		}
		op, label := p.Op, p.LHS+" "+p.Op+" "+p.RHS
		switch {
		case op == "~~" && p.LHS == p.RHS:
			op, label = "var", p.LHS
		case op == "~~":
			op = "cov"
		case op == "~1":
			label = p.LHS
		case op == "~*~":
			continue
		}
		row := []string{label, num(p.Estimate), "", "", "", num(p.StdAll)}
		if p.SE > 0 {
			row = []string{label, num(p.Estimate), num(p.SE), num(p.Z), prob(p.P), num(p.StdAll)}
		}
		rows[op] = append(rows[op], row)
	}
	for _, t := range parameterTitles {
		title := t.title
		if name != "" {
			title += ", " + strings.TrimSpace(c.Group+" "+name)
		}
		d.table(title, []string{"", "estimate", "SE", "z", "p", "std. all"}, rows[t.op])
	}
}
