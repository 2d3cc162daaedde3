// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/entente-project/entente/internal/figure"
	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/meta"
	"github.com/entente-project/entente/stats/psych"
)

var pictureMeasures = map[string]string{
	"GEN": "Effect", "ZCOR": "Fisher's z", "COR": "Correlation", "UCOR": "Correlation", "SMD": "Hedges' g", "SMDH": "Standardised difference", "MD": "Mean difference",
	"SMCR": "Standardised change", "SMCC": "Standardised change", "OR": "Log odds ratio", "RR": "Log risk ratio", "RD": "Risk difference", "PETO": "Log odds ratio",
}

var shownNames = map[string]string{"correlation": "Correlation", "odds ratio": "Odds ratio", "risk ratio": "Risk ratio"}

func (m *metaModel) pictures() {
	if m.Rve != "none" {
		return
	}
	m.doc.picture("forest", m.forest)
	m.doc.picture("funnel", m.funnel)
	if m.flat != nil {
		m.doc.picture("baujat", m.baujat)
		m.doc.picture("influence", m.influencePanels)
	}
}

func (m *metaModel) back(v float64) float64 {
	if m.shown.back != nil {
		return m.shown.back(v)
	}
	return v
}

func (m *metaModel) measureName() string {
	if n := shownNames[m.shown.name]; n != "" {
		return n
	}
	return pictureMeasures[m.effects.measure]
}

func (m *metaModel) forest() (*figure.Canvas, error) {
	f := &figure.Forest{Title: m.doc.Title, Measure: m.measureName(), Level: m.Level, Log: m.Transform == "exp" || m.shown.name != "" && m.shown.name != "correlation", Weights: m.flat != nil && m.Mods == ""}
	f.Null = m.back(0)
	var groups []string
	if m.Subgroup != "" {
		var err error
		if groups, err = m.table.labels("subgroup", m.Subgroup); err != nil {
			return nil, err
		}
	}
	z := distuv.UnitNormal.Quantile((1 + m.Level) / 2)
	weights := m.weights()
	for i, l := range m.labels {
		se := math.Sqrt(m.data.V[i])
		r := figure.ForestRow{Label: l, Estimate: m.back(m.data.Y[i]), Lower: m.back(m.data.Y[i] - z*se), Upper: m.back(m.data.Y[i] + z*se)}
		if f.Weights {
			r.Weight = weights[i]
		}
		if groups != nil {
			r.Group = groups[i]
		}
		f.Rows = append(f.Rows, r)
	}
	if groups != nil {
		g, _, err := m.subgroups()
		if err != nil {
			return nil, err
		}
		said := func(label string) string {
			if _, isNumber := number(label); isNumber {
				return m.Subgroup + " " + label
			}
			return label
		}
		for i := range f.Rows {
			f.Rows[i].Group = said(f.Rows[i].Group)
		}
		for _, s := range g.Groups {
			f.Summaries = append(f.Summaries, m.summary("Average of "+said(s.Label), said(s.Label), s.Fit))
		}
	}
	if m.Mods == "" {
		if m.flat != nil {
			f.Summaries = append(f.Summaries, m.summary("Average of all", "", m.flat))
		} else {
			c := m.deep.Coefficients[0]
			f.Summaries = append(f.Summaries, figure.ForestSummary{Label: "Average of all", Estimate: m.back(c.Estimate), Lower: m.back(c.Lower), Upper: m.back(c.Upper), Note: fmt.Sprintf("I² = %.1f %%", m.deep.I2)})
		}
	}
	return f.Draw(), nil
}

// weights are the shares of the studies in percent, from the variance of the fit.
func (m *metaModel) weights() []float64 {
	if m.flat == nil {
		return nil
	}
	out := make([]float64, len(m.data.V))
	sum := 0.0
	for i, v := range m.data.V {
		out[i] = 1 / (v + m.flat.Tau2)
		sum += out[i]
	}
	for i := range out {
		out[i] *= 100 / sum
	}
	return out
}

func (m *metaModel) summary(label, group string, r *meta.Result) figure.ForestSummary {
	c := r.Coefficients[0]
	s := figure.ForestSummary{Label: label, Group: group, Estimate: m.back(c.Estimate), Lower: m.back(c.Lower), Upper: m.back(c.Upper)}
	s.Note = fmt.Sprintf("I² = %.1f %%, Q(%s) = %.1f, %s", r.I2, df(r.QE.DF1), r.QE.Stat, pShort(r.QE.P))
	if r.State == meta.Saturated {
		s.Note = ""
		return s
	}
	if r.Method != meta.FE {
		s.Note = fmt.Sprintf("tau² = %.3f, ", r.Tau2) + s.Note
		if p, err := r.Predict(nil, m.predictionKind()); err == nil && group == "" && r.State != meta.Saturated {
			s.PILower, s.PIUpper = m.back(p.PILower), m.back(p.PIUpper)
		}
	}
	return s
}

func (m *metaModel) funnel() (*figure.Canvas, error) {
	f := &figure.Funnel{Title: m.doc.Title, Measure: pictureMeasures[m.effects.measure], Y: m.data.Y}
	for _, v := range m.data.V {
		f.SE = append(f.SE, math.Sqrt(v))
	}
	switch {
	case m.Mods != "":
		return nil, wrongUse("--plot funnel is for models without --mods")
	case m.deep != nil:
		f.Centre = m.deep.Coefficients[0].Estimate
	default:
		f.Centre = m.flat.Coefficients[0].Estimate
		if m.Bias {
			if t, err := meta.TrimFill(m.data, m.options, meta.L0, ""); err == nil {
				for _, e := range t.Filled {
					f.FilledY, f.FilledSE = append(f.FilledY, e.Y), append(f.FilledSE, math.Sqrt(e.V))
				}
			}
		}
	}
	return f.Draw(), nil
}

func (m *metaModel) baujat() (*figure.Canvas, error) {
	rows, err := meta.Influence(m.data, m.options)
	if err != nil {
		return nil, m.place(err)
	}
	d := &figure.Dots{Title: fmt.Sprintf("What each of %d studies adds (Baujat)", len(m.labels)), X: "Part of Q", Y: "Influence on the average"}
	var far []float64
	for i, r := range rows {
		if r.Defined {
			d.Labels, d.XS, d.YS = append(d.Labels, m.labels[i]), append(d.XS, r.BaujatX), append(d.YS, r.BaujatY)
		}
	}
	mx, my := slices.Max(append(d.XS, 1e-300)), slices.Max(append(d.YS, 1e-300))
	for i := range d.XS {
		far = append(far, max(d.XS[i]/mx, d.YS[i]/my))
	}
	order := slices.Clone(far)
	slices.Sort(order)
	cut := order[max(0, len(order)-6)]
	for _, v := range far {
		d.Named = append(d.Named, v >= cut && v > .25)
	}
	return d.Draw(), nil
}

func (m *metaModel) influencePanels() (*figure.Canvas, error) {
	rows, err := meta.Influence(m.data, m.options)
	if err != nil {
		return nil, m.place(err)
	}
	k, p := float64(m.flat.K), float64(m.flat.P)
	panels := []figure.Panel{{Title: "rstudent", Limit: 1.96}, {Title: "DFFITS", Limit: 3 * math.Sqrt(p/(k-p))}, {Title: "Cook's D"}, {Title: "cov. ratio", Null: 1}, {Title: "tau² without", Null: m.flat.Tau2}, {Title: "weight %"}}
	f := &figure.Panels{Title: "Influence: " + m.doc.Title, Labels: m.labels}
	for _, r := range rows {
		v := []float64{r.RStudent, r.DFFITS, r.CookD, r.CovRatio, r.Tau2, r.Weight}
		for i := range panels {
			x := v[i]
			if !r.Defined && i < 5 {
				x = panels[i].Null
			}
			panels[i].Values = append(panels[i].Values, x)
		}
		f.Marked = append(f.Marked, r.Influential)
	}
	f.Panels = panels
	return f.Draw(), nil
}

func (m *lmmModel) pictures() {
	if len(m.fit.Effects) == 0 {
		return
	}
	m.doc.picture("caterpillar", m.caterpillar)
	m.doc.picture("spaghetti", m.spaghetti)
}

func (m *lmmModel) caterpillar() (*figure.Canvas, error) {
	e := m.fit.Effects[0]
	z := distuv.UnitNormal.Quantile((1 + m.Level) / 2)
	f := &figure.Caterpillar{Title: "Effects of each " + e.Group + ": " + m.fit.Formula, X: "Deviation, with " + percent(m.Level) + " interval"}
	for _, g := range m.fit.Effects {
		if g.Group != e.Group {
			continue
		}
		sd := modeSDs(g)
		for j, n := range g.Names {
			c := figure.CaterpillarEffect{Name: n, Labels: g.Levels}
			for i := range g.Levels {
				c.Estimate = append(c.Estimate, g.Modes[i][j])
				c.Lower = append(c.Lower, g.Modes[i][j]-z*sd[i][j])
				c.Upper = append(c.Upper, g.Modes[i][j]+z*sd[i][j])
			}
			f.Effects = append(f.Effects, c)
		}
	}
	return f.Draw(), nil
}

// spaghetti draws the response against the first numeric variable of the fixed
// effects, for each group of the first grouping.
func (m *lmmModel) spaghetti() (*figure.Canvas, error) {
	f, err := stats.ParseFormula(m.Formula)
	if err != nil {
		return nil, err
	}
	var x *stats.Column
	for _, n := range f.Variables() {
		if c, err := m.table.Column(n); err == nil && c.Kind() == stats.Numeric && n != f.Response() && !slices.Contains(f.Random[0].Group, n) {
			x = c
			break
		}
	}
	y, err := m.table.Column(f.Response())
	if x == nil || err != nil || y.Kind() != stats.Numeric {
		return nil, wrongUse("--plot spaghetti needs a response and a numeric variable, such as the session, in the formula")
	}
	group := f.Random[0].Group[0]
	labels, err := m.table.labels("plot", group)
	if err != nil {
		return nil, err
	}
	fitted := m.fit.Fitted()
	people := map[string]*figure.SpaghettiPerson{}
	p := &figure.Spaghetti{Title: m.fit.Formula, X: x.Name(), Y: y.Name()}
	var order []string
	for i, row := range m.fit.Rows() {
		g := labels[row]
		if people[g] == nil {
			people[g] = &figure.SpaghettiPerson{Label: group + " " + g}
			order = append(order, g)
		}
		xv, _ := x.Float(row)
		yv, _ := y.Float(row)
		q := people[g]
		q.X, q.Y, q.Fitted = append(q.X, xv), append(q.Y, yv), append(q.Fitted, fitted[i])
	}
	for _, g := range order {
		p.People = append(p.People, inOrder(*people[g]))
	}
	return p.Draw(), nil
}

func inOrder(p figure.SpaghettiPerson) figure.SpaghettiPerson {
	at := make([]int, len(p.X))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		switch {
		case p.X[a] < p.X[b]:
			return -1
		case p.X[a] > p.X[b]:
			return 1
		}
		return 0
	})
	out := figure.SpaghettiPerson{Label: p.Label}
	for _, i := range at {
		out.X, out.Y, out.Fitted = append(out.X, p.X[i]), append(out.Y, p.Y[i]), append(out.Fitted, p.Fitted[i])
	}
	return out
}

func (c *CFACommand) pictures(d *Document, f *psych.Fit) {
	d.picture("path", func() (*figure.Canvas, error) {
		p := &figure.PathModel{Title: c.title(f) + ", standardised", Factors: f.Factors, Items: f.Items, Residuals: make([]string, len(f.Items))}
		if len(f.Groups) > 1 {
			p.Title = c.title(f) + ", group " + f.Groups[0] + ", standardised"
		}
		for _, x := range f.Parameters {
			if x.Group != 1 {
				continue
			}
			factor, item := slices.Index(f.Factors, x.LHS), slices.Index(f.Items, x.RHS)
			other := slices.Index(f.Factors, x.RHS)
			label := strconv.FormatFloat(x.StdAll, 'f', 2, 64)
			switch {
			case x.Op == "=~" && factor >= 0 && item >= 0:
				p.Loadings = append(p.Loadings, figure.PathEdge{From: factor, To: item, Label: label})
			case x.Op == "~~" && factor >= 0 && other >= 0 && factor != other && x.Free != 0:
				p.Between = append(p.Between, figure.PathEdge{From: factor, To: other, Label: label})
			case x.Op == "~~" && x.LHS == x.RHS && item >= 0:
				p.Residuals[item] = label
			}
		}
		return p.Draw(), nil
	})
}
