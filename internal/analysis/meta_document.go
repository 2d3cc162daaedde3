// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/stats/meta"
)

func (m *metaModel) document(ctx context.Context, progress func(string)) (*Document, error) {
	m.doc = &Document{Analysis: "meta", Source: m.table}
	steps := []func() error{m.reportFlat, m.reportDeep, m.reportRobust, m.reportRve, m.reportSubgroups, m.reportBias, m.reportSelection,
		func() error { return m.reportPermutation(ctx, progress) }, m.reportInfluence, m.reportSeries, m.reportLiving}
	m.doc.Result = Object{{"measure", m.effects.measure}, {"effects", m.effectRows()}}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, m.place(err)
		}
	}
	m.pictures()
	return m.doc, nil
}

func (m *metaModel) add(key string, value any) {
	m.doc.Result = append(m.doc.Result, Field{key, value})
}

func (m *metaModel) effectRows() []Object {
	var out []Object
	for i, l := range m.labels {
		out = append(out, Object{{"row", m.table.row[i]}, {"label", l}, {"yi", m.data.Y[i]}, {"vi", m.data.V[i]}})
	}
	return out
}

func coefficientObjects(cs []meta.Coefficient) []Object {
	var out []Object
	for _, c := range cs {
		out = append(out, Object{{"name", c.Name}, {"estimate", c.Estimate}, {"se", c.SE}, {"stat", c.Stat}, {"df", infinite(c.DF)}, {"p", c.P}, {"lower", c.Lower}, {"upper", c.Upper}})
	}
	return out
}

// infinite degrees of freedom, those of the normal distribution, are null.
func infinite(v float64) any {
	if v == 0 {
		return nil
	}
	return v
}

func testObject(t meta.TestResult) Object {
	return Object{{"stat", t.Stat}, {"df1", t.DF1}, {"df2", infinite(t.DF2)}, {"p", t.P}}
}

func matrixRows(s mat.Matrix) [][]float64 {
	if s == nil {
		return nil
	}
	n, k := s.Dims()
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, k)
		for j := range out[i] {
			out[i][j] = s.At(i, j)
		}
	}
	return out
}

func (m *metaModel) coefficientTable(title string, cs []meta.Coefficient) {
	stat, dof := "z", false
	for _, c := range cs {
		if c.DF > 0 {
			stat, dof = "t", true
		}
	}
	head := []string{"", "estimate", "SE", stat, "p", percent(m.Level) + " from", "to"}
	if dof {
		head = []string{"", "estimate", "SE", stat, "df", "p", percent(m.Level) + " from", "to"}
	}
	var rows [][]string
	for _, c := range cs {
		name := c.Name
		if len(cs) == 1 {
			name = "average"
		}
		r := []string{name, num(c.Estimate), num(c.SE), num(c.Stat)}
		if dof {
			r = append(r, df(c.DF))
		}
		rows = append(rows, append(r, prob(c.P), num(c.Lower), num(c.Upper)))
	}
	m.doc.table(title, head, rows)
}

func (m *metaModel) title() string {
	kind := "Random-effects"
	switch {
	case m.Levels != "":
		kind = "Multilevel"
	case m.options.Method == meta.FE:
		kind = "Fixed-effect"
	}
	what := "meta-analysis"
	if m.Mods != "" {
		what = "meta-regression"
	}
	if kind == "Random-effects" && m.Mods != "" {
		kind = "Mixed-effects"
	}
	units := "studies"
	switch {
	case m.Levels != "":
		units = "effects"
	case len(m.data.Y) == 1:
		units = "study"
	}
	return fmt.Sprintf("%s %s of %d %s, %s (%s)", kind, what, len(m.data.Y), units, measureNames[m.effects.measure], m.options.Method)
}

var measureNames = map[string]string{
	"GEN": "effects as given", "ZCOR": "Fisher's z", "COR": "correlations", "UCOR": "correlations without bias", "SMD": "Hedges' g", "SMDH": "standardised difference, unequal variances",
	"MD": "mean difference", "SMCR": "standardised change", "SMCC": "standardised change score", "OR": "log odds ratio", "RR": "log risk ratio", "RD": "risk difference", "PETO": "Peto's log odds ratio",
}

func (m *metaModel) reportFlat() error {
	m.doc.Title = m.title()
	r := m.flat
	if r == nil || m.Rve != "none" {
		return nil
	}
	model := Object{
		{"method", string(r.Method)}, {"test", string(r.Test)}, {"level", r.Level}, {"k", r.K}, {"p", r.P},
		{"tau2", r.Tau2}, {"tau2_se", r.Tau2SE}, {"state", string(r.State)},
		{"I2", r.I2}, {"H2", r.H2}, {"R2", r.R2}, {"typical_v", r.TypicalV},
		{"QE", testObject(r.QE)}, {"QM", testObject(r.QM)},
		{"coefficients", coefficientObjects(r.Coefficients)}, {"vcov", matrixRows(r.VCov)},
		{"loglik", r.LogLik}, {"loglik_ml", r.LogLikML},
	}
	m.add("model", model)
	rows := [][]string{}
	if r.Method != meta.FE {
		rows = append(rows, []string{"tau²", num(r.Tau2), "SE", opt(r.Tau2SE)})
	}
	rows = append(rows, []string{"I²", num(r.I2), "H²", num(r.H2)})
	if r.R2 != nil {
		rows = append(rows, []string{"R²", num(*r.R2)})
	}
	rows = append(rows, []string{"Q(" + df(r.QE.DF1) + ")", num(r.QE.Stat), "p", prob(r.QE.P)})
	title := "Heterogeneity"
	if m.Mods != "" {
		title = "Heterogeneity that is left"
	}
	m.doc.table(title+state(r.State), nil, rows)
	if err := m.intervals(); err != nil {
		return err
	}
	if m.Mods != "" {
		m.omnibus(r.QM)
	}
	m.coefficientTable("", r.Coefficients)
	return m.predictions()
}

func state(s meta.State) string {
	switch s {
	case meta.Converged:
		return ""
	case meta.Boundary:
		return " (a variance is estimated as 0)"
	case meta.Saturated:
		return " (as many coefficients as studies: none can be estimated)"
	}
	return " (the search did not converge: do not report)"
}

func (m *metaModel) omnibus(q meta.TestResult) {
	name, dof := "chi²", df(q.DF1)
	if q.DF2 > 0 {
		name, dof = "F", df(q.DF1)+", "+df(q.DF2)
	}
	m.doc.say("Test of the moderators: %s(%s) = %s, %s", name, dof, short(q.Stat), pShort(q.P))
}

// intervals of the heterogeneity; a model that allows none says so by null.
func (m *metaModel) intervals() error {
	one := func(key, title string, h meta.HeterogeneityIntervals, err error) {
		if err != nil {
			m.add(key, Object{{"state", err.Error()}})
			return
		}
		bounds := func(i meta.Interval) Object {
			return Object{{"estimate", i.Estimate}, {"lower", i.Lower}, {"upper", i.Upper}}
		}
		m.add(key, Object{{"state", string(h.State)}, {"tau2", bounds(h.Tau2)}, {"tau", bounds(h.Tau)}, {"I2", bounds(h.I2)}, {"H2", bounds(h.H2)}})
		var rows [][]string
		for _, x := range []struct {
			n string
			i meta.Interval
		}{{"tau²", h.Tau2}, {"tau", h.Tau}, {"I²", h.I2}, {"H²", h.H2}} {
			rows = append(rows, []string{x.n, num(x.i.Estimate), num(x.i.Lower), num(x.i.Upper)})
		}
		m.doc.table("", []string{title, "estimate", percent(m.Level) + " from", "to"}, rows)
	}
	if m.options.Method == meta.FE || m.Tau2 != nil {
		return nil
	}
	h, err := m.flat.QProfile()
	one("q_profile", "by Q-profile", h, err)
	if m.Profile {
		h, err := m.flat.ProfileLikelihood()
		one("profile_likelihood", "by likelihood", h, err)
	}
	return nil
}

func (m *metaModel) predictionKind() meta.PredictionKind {
	return map[string]meta.PredictionKind{"test": meta.PredictAsTest, "hts": meta.PredictHTS, "t": meta.PredictT}[m.Prediction]
}

// predictionObject leaves out where a new study would lie, if nothing could be
// estimated of how studies differ.
func (m *metaModel) predictionObject(at string, p meta.Prediction) Object {
	var lower, upper any = p.PILower, p.PIUpper
	if m.flat.State == meta.Saturated {
		lower, upper = nil, nil
	}
	return Object{{"at", at}, {"estimate", p.Estimate}, {"se", p.SE}, {"lower", p.Lower}, {"upper", p.Upper}, {"kind", string(p.Kind)}, {"df", infinite(p.DF)}, {"pi_lower", lower}, {"pi_upper", upper}}
}

// predictions are of the average, where there are no moderators, and at the
// values that --at asks for.
func (m *metaModel) predictions() error {
	places, err := m.places()
	if err != nil {
		return err
	}
	if len(places) == 0 {
		return nil
	}
	var objects, shown []Object
	var rows, back [][]string
	var p meta.Prediction
	for _, at := range places {
		if p, err = m.flat.Predict(at.values, m.predictionKind()); err != nil {
			m.add("predictions", []Object{})
			m.doc.say("There is no prediction interval: %v.", err)
			return nil
		}
		row := func(p meta.Prediction) []string {
			if m.flat.State == meta.Saturated {
				return []string{at.name, num(p.Estimate), num(p.Lower), num(p.Upper), "none", ""}
			}
			return []string{at.name, num(p.Estimate), num(p.Lower), num(p.Upper), num(p.PILower), num(p.PIUpper)}
		}
		objects, rows = append(objects, m.predictionObject(at.name, p)), append(rows, row(p))
		if m.shown.back != nil {
			q := p.Transformed(m.shown.back)
			shown, back = append(shown, m.predictionObject(at.name, q)), append(back, row(q))
		}
	}
	m.add("predictions", objects)
	m.add("predictions_shown", Object{{"scale", m.shown.name}, {"values", shown}})
	name := "Prediction"
	if len(m.At) == 0 {
		name = "Average, and where the true effect of a new study would lie"
	}
	quantile := "normal"
	if p.DF > 0 {
		quantile = "t with " + df(p.DF) + " df"
	}
	head := []string{"", "estimate", percent(m.Level) + " from", "to", "new study from", "to"}
	m.doc.table(fmt.Sprintf("%s (prediction interval: %s)", name, quantile), head, rows)
	if back != nil {
		m.doc.table("The same as "+m.shown.name, head, back)
	}
	return nil
}

type place struct {
	name   string
	values []float64
}

func (m *metaModel) places() ([]place, error) {
	if m.Mods == "" {
		return []place{{"average", nil}}, nil
	}
	var out []place
	for _, rule := range m.At {
		frame, err := m.given(rule)
		if err != nil {
			return nil, err
		}
		d, err := m.design.Apply(frame)
		if err != nil {
			return nil, wrongUse("--at '%s': %v", rule, err)
		}
		p := place{name: rule}
		for j := range d.X.Names {
			if d.X.Term[j] >= 0 {
				p.values = append(p.values, d.X.Row(0)[j])
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func (m *metaModel) reportDeep() error {
	r := m.deep
	if r == nil {
		return nil
	}
	var comps []Object
	var rows [][]string
	for i, c := range r.Components {
		o := Object{{"name", c.Name}, {"groups", c.Groups}, {"sigma2", c.Sigma2}, {"se", c.SE}, {"fixed", c.Fixed}, {"I2", c.I2}}
		row := []string{c.Name, whole(c.Groups), num(c.Sigma2), opt(c.SE), num(c.I2)}
		if m.Profile && !c.Fixed {
			p, err := r.Profile(i)
			if err != nil {
				return err
			}
			o = append(o, Field{"profile", Object{{"state", string(p.State)}, {"lower", p.Lower}, {"upper", p.Upper}}})
			row = append(row, num(p.Lower), num(p.Upper))
		}
		if !c.Fixed {
			l, err := m.without(i)
			if err != nil {
				return err
			}
			o = append(o, Field{"lrt", Object{{"chi2", l.Chi2}, {"df", l.DF}, {"p", l.P}, {"p_boundary", l.PBoundary}}})
			row = append(row, num(l.Chi2), prob(l.P))
		}
		comps, rows = append(comps, o), append(rows, row)
	}
	m.add("model", Object{
		{"method", string(r.Method)}, {"test", string(r.Test)}, {"level", r.Level}, {"k", r.K}, {"p", r.P}, {"state", string(r.State)},
		{"components", comps}, {"I2", r.I2}, {"typical_v", r.TypicalV}, {"QE", testObject(r.QE)}, {"QM", testObject(r.QM)},
		{"coefficients", coefficientObjects(r.Coefficients)}, {"vcov", matrixRows(r.VCov)}, {"loglik", r.LogLik}, {"loglik_ml", r.LogLikML},
	})
	head := []string{"level", "groups", "variance", "SE", "I²"}
	if m.Profile {
		head = append(head, percent(m.Level)+" from", "to")
	}
	m.doc.table("Variances"+state(r.State), append(head, "chi²(1) without it", "p"), rows)
	m.doc.say("All levels together: I² %s %%. Q(%s) = %s, %s.", short(r.I2), df(r.QE.DF1), short(r.QE.Stat), pShort(r.QE.P))
	if m.Mods != "" {
		m.omnibus(r.QM)
	}
	m.coefficientTable("", r.Coefficients)
	if m.shown.back != nil && m.Mods == "" {
		c := r.Coefficients[0]
		m.doc.say("As %s: %s (%s to %s).", m.shown.name, short(m.shown.back(c.Estimate)), short(m.shown.back(c.Lower)), short(m.shown.back(c.Upper)))
	}
	return nil
}

// without compares the model with the one in which a level has no variance.
func (m *metaModel) without(level int) (meta.LikelihoodRatio, error) {
	d := m.levels
	d.Levels = append([]meta.Level(nil), d.Levels...)
	zero := 0.0
	d.Levels[level].Fixed = &zero
	r, err := meta.FitMultilevel(d, m.options)
	if err != nil {
		return meta.LikelihoodRatio{}, err
	}
	return meta.CompareMultilevel(m.deep, r)
}

func trimmed(text string) (string, string, bool) {
	a, b, ok := strings.Cut(text, "=")
	return strings.TrimSpace(a), strings.TrimSpace(b), ok
}

func number(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}
