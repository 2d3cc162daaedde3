// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/entente-project/entente/stats/lmm"
)

func (m *lmmModel) add(key string, value any) {
	m.doc.Result = append(m.doc.Result, Field{key, value})
}

func (m *lmmModel) document(ctx context.Context, progress func(string)) (*Document, error) {
	method := "REML"
	if m.ML {
		method = "maximum likelihood"
	}
	m.doc = &Document{Analysis: "lmm", Source: m.table, Title: fmt.Sprintf("Linear mixed model by %s: %s", method, m.fit.Formula)}
	m.model()
	for _, step := range []func(context.Context, func(string)) error{m.fixed, m.terms, m.intervals, m.against, m.ranef, m.predictions} {
		if err := step(ctx, progress); err != nil {
			return nil, err
		}
	}
	m.pictures()
	return m.doc, nil
}

func (m *lmmModel) model() {
	f := m.fit
	var thetas, comps []Object
	for _, t := range f.Theta {
		thetas = append(thetas, Object{{"name", t.Name}, {"value", t.Value}})
	}
	var rows [][]string
	was := ""
	for _, c := range f.Components {
		comps = append(comps, Object{{"group", c.Group}, {"var1", c.Var1}, {"var2", c.Var2}, {"vcov", c.VCov}, {"sdcor", c.SDCor}})
		group, name := c.Group, c.Var1
		if group == was {
			group = ""
		}
		was = c.Group
		if c.Var2 != "" {
			rows = append(rows, []string{group, name + ", " + c.Var2, "", "", num(c.SDCor)})
		} else {
			rows = append(rows, []string{group, name, num(c.VCov), num(c.SDCor), ""})
		}
	}
	var second any
	if f.State.Second != nil {
		second = Object{{"criterion", f.State.Second.Criterion}, {"agrees", f.State.Second.Agrees}}
	}
	m.add("model", Object{
		{"formula", f.Formula}, {"reml", f.REML}, {"n", f.N}, {"groups", m.groups()}, {"criterion", f.Criterion}, {"loglik", f.LogLik}, {"aic", f.AIC}, {"bic", f.BIC}, {"parameters", f.Parameters}, {"sigma", f.Sigma},
		{"theta", thetas}, {"components", comps}, {"vcov", matrixRows(f.VCov)}, {"aliased", f.Aliased}, {"residual", m.residual()},
		{"state", Object{{"converged", f.State.Converged}, {"singular", f.State.Singular}, {"gradient", f.State.Gradient}, {"note", f.State.Note}, {"second", second}}},
	})
	name := "deviance"
	if f.REML {
		name = "REML criterion"
	}
	groups := []string{}
	for _, g := range m.groups() {
		groups = append(groups, fmt.Sprintf("%v %d", g[0].Value, g[1].Value))
	}
	m.doc.say("%d rows; groups: %s. %s %s, AIC %s, BIC %s, log-likelihood %s.", f.N, orNone(strings.Join(groups, ", ")), name, fmt.Sprintf("%.4f", f.Criterion), fmt.Sprintf("%.2f", f.AIC), fmt.Sprintf("%.2f", f.BIC), fmt.Sprintf("%.4f", f.LogLik))
	if !f.State.Converged {
		m.doc.say("The fit did NOT converge: do not report it. %s", f.State.Note)
	}
	for _, s := range f.State.Singular {
		m.doc.say("On a boundary: %s", s)
	}
	if len(f.Aliased) > 0 {
		m.doc.say("Left out, as they follow from the other fixed effects: %s.", strings.Join(f.Aliased, ", "))
	}
	m.doc.table("Random effects", []string{"group", "effect", "variance", "SD", "correlation"}, rows)
	m.sayResidual()
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (m *lmmModel) residual() any {
	r := m.fit.Residual
	if r == nil {
		return nil
	}
	var strata []Object
	for i, s := range r.Strata {
		strata = append(strata, Object{{"level", s}, {"ratio", r.Ratio[i]}, {"sd", r.SD[i]}})
	}
	var corr any
	if m.options.Within != nil {
		corr = r.Correlation
	}
	return Object{{"correlation", corr}, {"strata", strata}}
}

func (m *lmmModel) sayResidual() {
	r := m.fit.Residual
	if r == nil {
		return
	}
	if m.options.Within != nil {
		m.doc.say("Correlation of residuals within %s: %s.", m.options.Within.Group, short(r.Correlation))
	}
	var rows [][]string
	for i, s := range r.Strata {
		rows = append(rows, []string{s, num(r.SD[i]), num(r.Ratio[i])})
	}
	m.doc.table("Residual standard deviations by "+m.VarIdent, []string{"", "SD", "ratio"}, rows)
}

func (m *lmmModel) fixed(context.Context, func(string)) error {
	tests, err := m.tests()
	note := ""
	if err != nil {
		note = fmt.Sprintf("No degrees of freedom by %s: %v.", m.DF, err)
	}
	var objects []Object
	var rows [][]string
	z := distuv.UnitNormal.Quantile((1 + m.Level) / 2)
	for i, c := range m.fit.Fixed {
		if tests == nil || err != nil {
			objects = append(objects, Object{{"name", c.Name}, {"estimate", c.Estimate}, {"se", c.SE}, {"df", nil}, {"t", c.Estimate / c.SE}, {"p", nil}, {"lower", c.Estimate - z*c.SE}, {"upper", c.Estimate + z*c.SE}})
			rows = append(rows, []string{c.Name, num(c.Estimate), num(c.SE), num(c.Estimate / c.SE), "", "", num(c.Estimate - z*c.SE), num(c.Estimate + z*c.SE)})
			continue
		}
		t := tests[i]
		lo, hi := t.Interval(m.Level)
		objects = append(objects, Object{{"name", t.Name}, {"estimate", t.Estimate}, {"se", t.SE}, {"df", t.DF}, {"t", t.T}, {"p", t.P}, {"lower", lo}, {"upper", hi}})
		rows = append(rows, []string{t.Name, num(t.Estimate), num(t.SE), num(t.T), df(t.DF), prob(t.P), num(lo), num(hi)})
	}
	m.add("df_method", m.DF)
	m.add("df_note", note)
	m.add("fixed", objects)
	title := "Fixed effects, t tests by " + map[string]string{"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward and Roger", "containment": "containment"}[m.DF]
	if m.DF == "none" || err != nil {
		title = "Fixed effects, intervals by the normal distribution"
	}
	m.doc.table(title, []string{"", "estimate", "SE", "t", "df", "p", percent(m.Level) + " from", "to"}, rows)
	if note != "" {
		m.doc.say("%s", note)
	}
	return nil
}

func (m *lmmModel) terms(context.Context, func(string)) error {
	if !m.Terms {
		return nil
	}
	ts, err := m.fit.Terms(m.DF == "kenward-roger")
	if err != nil {
		return fmt.Errorf("--terms: %w", err)
	}
	var objects []Object
	var rows [][]string
	for _, t := range ts {
		objects = append(objects, Object{{"term", t.Term}, {"F", t.F}, {"df1", t.DF1}, {"df2", t.DF2}, {"p", t.P}, {"scale", t.Scale}})
		rows = append(rows, []string{t.Term, num(t.F), df(t.DF1), df(t.DF2), prob(t.P)})
	}
	m.add("terms", objects)
	m.doc.table("Terms, each beside all the others", []string{"", "F", "df", "df of error", "p"}, rows)
	return nil
}

func (m *lmmModel) intervals(ctx context.Context, progress func(string)) error {
	var is []lmm.Interval
	var o Object
	switch m.Confint {
	case "wald":
		return nil
	case "profile":
		progress("profiling the likelihood")
		p, err := m.fit.Profile(ctx, m.Level)
		if err != nil {
			return fmt.Errorf("--confint profile: %w", err)
		}
		is, o = p, Object{{"method", "profile"}}
	case "bootstrap":
		b, err := m.fit.Bootstrap(ctx, lmm.BootstrapOptions{Draws: m.Draws, Level: m.Level, Seed: m.Seed, Progress: func(done, draws int) {
			progress(fmt.Sprintf("bootstrap: %d of %d draws", done, draws))
		}})
		if err != nil {
			return fmt.Errorf("--confint bootstrap: %w", err)
		}
		is, o = b.Intervals, Object{{"method", "bootstrap"}, {"draws", len(b.Draws)}, {"failed", b.Failed}, {"singular", b.Singular}, {"seed", int(m.Seed)}}
		m.doc.say("%d draws; %d did not converge and are left out, %d ended on a boundary.", len(b.Draws)+b.Failed, b.Failed, b.Singular)
	}
	var objects []Object
	var rows [][]string
	for _, i := range is {
		objects = append(objects, Object{{"name", i.Name}, {"estimate", i.Estimate}, {"lower", i.Lower}, {"upper", i.Upper}})
		rows = append(rows, []string{i.Name, num(i.Estimate), num(i.Lower), num(i.Upper)})
	}
	m.add("intervals", append(o, Field{"values", objects}))
	m.doc.table("Intervals by "+m.Confint, []string{"", "estimate", percent(m.Level) + " from", "to"}, rows)
	return nil
}

func (m *lmmModel) against(context.Context, func(string)) error {
	if m.Against == "" {
		return nil
	}
	other, err := lmm.Fit(m.Against, m.table.Frame, m.options)
	if err != nil {
		return fmt.Errorf("--against '%s': %w", m.Against, err)
	}
	small, large := other, m.fit
	if small.Parameters > large.Parameters {
		small, large = large, small
	}
	l, err := lmm.Compare(small, large)
	if err != nil {
		return fmt.Errorf("--against '%s': %w", m.Against, err)
	}
	m.add("against", Object{{"formula", other.Formula}, {"loglik", other.LogLik}, {"aic", other.AIC}, {"bic", other.BIC}, {"parameters", other.Parameters}, {"chi2", l.Chi2}, {"df", l.DF}, {"p", l.P}, {"note", l.Note}})
	m.doc.table("Comparison", []string{"", "parameters", "AIC", "BIC", "log-lik."}, [][]string{
		{small.Formula, whole(small.Parameters), num(small.AIC), num(small.BIC), num(small.LogLik)},
		{large.Formula, whole(large.Parameters), num(large.AIC), num(large.BIC), num(large.LogLik)},
	})
	m.doc.say("chi²(%d) = %s, %s. %s", l.DF, short(l.Chi2), pShort(l.P), l.Note)
	return nil
}

func (m *lmmModel) ranef(context.Context, func(string)) error {
	var objects []Object
	for _, e := range m.fit.Effects {
		o := Object{{"group", e.Group}, {"names", e.Names}, {"levels", e.Levels}, {"modes", e.Modes}, {"sd", modeSDs(e)}}
		if m.Ranef {
			var rows [][]string
			for i, l := range e.Levels {
				r := []string{l}
				for _, v := range e.Modes[i] {
					r = append(r, num(v))
				}
				rows = append(rows, r)
			}
			m.doc.table("Effects of each "+e.Group, append([]string{""}, e.Names...), rows)
			objects = append(objects, o)
		}
	}
	if m.Ranef {
		m.add("ranef", objects)
	}
	if m.Fitted {
		m.add("rows", m.table.fileRows(m.fit.Rows()))
		m.add("fitted", m.fit.Fitted())
		m.add("residuals", m.fit.Residuals())
	}
	return nil
}

func (t *Table) fileRows(at []int) []int {
	out := make([]int, len(at))
	for i, r := range at {
		out[i] = t.row[r]
	}
	return out
}

func modeSDs(e lmm.Effects) [][]float64 {
	out := make([][]float64, len(e.Levels))
	for i, v := range e.Variance {
		for j := range e.Names {
			out[i] = append(out[i], sqrt(v.At(j, j)))
		}
	}
	return out
}

func (m *lmmModel) predictions(context.Context, func(string)) error {
	if m.Predict == "" {
		return nil
	}
	if m.Predict == "-" {
		return wrongUse("--predict needs a file; standard input is not read twice")
	}
	s := m.Source
	s.Data, s.Keep = m.Predict, nil
	t, err := s.open(nil)
	if err != nil {
		return err
	}
	if err := m.extend(t); err != nil {
		return fmt.Errorf("--predict: %w", err)
	}
	ps, err := m.fit.Predict(t.Frame, lmm.PredictOptions{Level: m.Level, Population: m.New})
	if err != nil {
		return fmt.Errorf("--predict %s: %w", m.Predict, err)
	}
	var objects []Object
	var rows [][]string
	for _, p := range ps {
		objects = append(objects, Object{{"row", t.row[p.Row]}, {"known", p.Known}, {"mean", p.Mean}, {"se", p.SE}, {"lower", p.Lower}, {"upper", p.Upper}, {"new_se", p.NewSE}, {"new_lower", p.NewLower}, {"new_upper", p.NewUpper}})
		known := "new"
		if p.Known {
			known = "known"
		}
		rows = append(rows, []string{whole(t.row[p.Row]), known, num(p.Mean), num(p.Lower), num(p.Upper), num(p.NewLower), num(p.NewUpper)})
	}
	m.add("predictions", objects)
	m.doc.table("Prediction", []string{"row", "groups", "expected", percent(m.Level) + " from", "to", "one session from", "to"}, rows)
	return nil
}
