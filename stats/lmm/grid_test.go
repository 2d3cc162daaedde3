// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/entente-project/entente/stats"
)

// gridCase is one model of lme4 or nlme with what R says of it;
// testdata/grid/grid.R writes them.
type gridCase struct {
	Kind, Data, Formula, Weights, Variance string
	Factors                                []string
	ML                                     bool
	Within                                 *struct{ Kind, Group, Time string }
	Expected                               gridExpected
}

type gridExpected struct {
	Criterion, LogLik, AIC, BIC, Sigma float64
	Names                              []string
	Beta, SE, VCov, SDCor              []float64
	Fitted, Resid                      []float64
	Ranef                              map[string]struct {
		Levels []string
		Values [][]float64
		Var    [][]float64
	}
	Satt, KR *struct{ SE, DF, T, P []float64 }
	Profile  *struct {
		Names  []string
		Lo, Hi []*float64
	}
	DF, P, SD []float64
	Cor       *float64
	Ratio     []float64
}

func (c *gridCase) options() *Options {
	o := &Options{ML: c.ML, Weights: c.Weights}
	if c.Weights == "NULL" {
		o.Weights = ""
	}
	if c.Variance != "" {
		o.Variance = &Variances{Stratum: c.Variance}
	}
	if w := c.Within; w != nil && w.Kind != "" {
		o.Within = &Correlation{Kind: map[string]Kind{"ar1": AR1, "car1": ContinuousAR1, "cs": Symmetric}[w.Kind], Group: w.Group, Time: w.Time}
	}
	return o
}

func TestGrid(t *testing.T) {
	folder := os.Getenv("ENTENTE_MODELS")
	if folder == "" {
		folder = filepath.Join("testdata", "grid")
	}
	raw, err := os.ReadFile(filepath.Join(folder, "grid.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]json.RawMessage
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	g := &gridReport{t: t, worst: map[string]float64{}}
	for _, id := range slices.Sorted(maps.Keys(cases)) {
		var c gridCase
		raw := bytes.ReplaceAll(cases[id], []byte(`"ranef":[]`), []byte(`"ranef":null`))
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(id, err)
		}
		g.id = id + " " + c.Formula
		g.model(folder, &c)
	}
	for _, q := range slices.Sorted(maps.Keys(g.worst)) {
		t.Logf("largest relative difference %-14s %.1e", q, g.worst[q])
	}
	t.Logf("%d numbers of %d models, %d of which R stops early at", g.count, len(cases), g.early)
}

type gridReport struct {
	t            *testing.T
	id           string
	slack        float64 // what R's distance from the top allows estimates to differ
	worst        map[string]float64
	count, early int
}

// list compares numbers against their own size, but no less than a thousandth
// of the largest beside them.
func (g *gridReport) list(quantity string, got, want []float64, tolerance float64) {
	g.t.Helper()
	if len(want) == 0 {
		return
	}
	if len(got) != len(want) {
		g.t.Errorf("%s: %s: %d numbers, R has %d (%v, %v)", g.id, quantity, len(got), len(want), got, want)
		return
	}
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	for i, w := range want {
		g.count++
		d := math.Abs(got[i]-w) / max(math.Abs(w), 1e-3*largest, 1e-12)
		g.worst[quantity] = max(g.worst[quantity], d)
		if !(d <= tolerance+g.slack) {
			g.t.Errorf("%s: %s[%d] = %.12g, R says %.12g (%.1e)", g.id, quantity, i, got[i], w, d)
		}
	}
}

func gridFrame(t *testing.T, name string, factors []string) *stats.Frame {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	f, err := stats.ReadCSV(file, stats.CSVOptions{Factors: factors})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (g *gridReport) model(folder string, c *gridCase) {
	g.t.Helper()
	f := gridFrame(g.t, filepath.Join(folder, c.Data), c.Factors)
	m, err := Fit(c.Formula, f, c.options())
	if err != nil {
		g.t.Errorf("%s: %v", g.id, err)
		return
	}
	if !m.State.Converged {
		g.t.Errorf("%s: not converged: %+v", g.id, m.State)
	}
	e := &c.Expected
	if m.LogLik < e.LogLik-1e-7 {
		g.t.Errorf("%s: we stop early: log-likelihood %.10f, R's is %.10f; %+v", g.id, m.LogLik, e.LogLik, m.State)
		return
	}
	if m.LogLik > e.LogLik+1e-7 {
		g.early++
		g.t.Logf("%s: R stops early: log-likelihood %.10f, ours is %.10f %v", g.id, e.LogLik, m.LogLik, m.State.Singular)
		return
	}
	g.slack = 10 * math.Sqrt(max(0, m.LogLik-e.LogLik))
	g.list("log-likelihood", []float64{m.LogLik, m.AIC}, []float64{e.LogLik, e.AIC}, 1e-8)
	var beta, se []float64
	for _, x := range m.Fixed {
		beta, se = append(beta, x.Estimate), append(se, x.SE)
	}
	if c.Kind == "gls" || c.Kind == "lme" {
		g.nlme(m, c, beta)
		return
	}
	g.list("log-likelihood", []float64{m.Criterion, m.BIC}, []float64{e.Criterion, e.BIC}, 1e-8)
	g.list("beta", beta, e.Beta, 1e-5)
	g.list("se", se, e.SE, 1e-5)
	g.list("sigma", []float64{m.Sigma}, []float64{e.Sigma}, 1e-5)
	var vcov, sdcor []float64
	for _, x := range m.Components {
		vcov, sdcor = append(vcov, x.VCov), append(sdcor, x.SDCor)
	}
	loose := 2e-5
	if len(m.State.Singular) > 0 {
		loose = 1e-2 // the criterion is flat in what lies on the boundary
	}
	largest := 0.0
	for _, v := range e.VCov {
		largest = max(largest, math.Abs(v))
	}
	for i, v := range e.VCov {
		// A covariance near 0 has the digits of the variances.
		small := i < len(vcov) && math.Abs(v) < 1e-2*largest && m.Components[i].Var2 != ""
		if small {
			g.list("vcov", []float64{largest + vcov[i]}, []float64{largest + v}, loose)
			continue
		}
		g.list("vcov", vcov[min(i, len(vcov)):min(i+1, len(vcov))], []float64{v}, loose)
		if len(m.State.Singular) == 0 {
			g.list("sdcor", sdcor[i:i+1], e.SDCor[i:i+1], loose)
		}
	}
	g.list("fitted", m.Fitted()[:min(10, m.N)], e.Fitted, 1e-5)
	g.list("residual", m.Residuals()[:min(10, m.N)], e.Resid, 1e-4)
	g.modes(m, e, loose)
	g.tests(m, e)
	g.profile(m, e)
}

func (g *gridReport) modes(m *Model, e *gridExpected, tolerance float64) {
	g.t.Helper()
	for _, x := range m.Effects {
		want, ok := e.Ranef[x.Group]
		if !ok || len(want.Values) == 0 || len(want.Values[0]) != len(x.Names) {
			continue
		}
		for i, level := range want.Levels {
			j := slices.Index(x.Levels, level)
			if j < 0 {
				g.t.Errorf("%s: no level %s of %s in %v", g.id, level, x.Group, x.Levels[:min(5, len(x.Levels))])
				continue
			}
			g.list("modes", x.Modes[j], want.Values[i], 10*tolerance)
			var v []float64
			for a := range x.Names {
				for b := range x.Names {
					v = append(v, x.Variance[j].At(a, b))
				}
			}
			g.list("variance of modes", v, want.Var[i], 10*tolerance)
		}
	}
}

func (g *gridReport) tests(m *Model, e *gridExpected) {
	g.t.Helper()
	table := func(tests []Test) (se, df, tt, p []float64) {
		for _, x := range tests {
			se, df, tt, p = append(se, x.SE), append(df, x.DF), append(tt, x.T), append(p, x.P)
		}
		return
	}
	if s := e.Satt; s != nil {
		tests, err := m.Satterthwaite()
		if err != nil {
			g.t.Errorf("%s: Satterthwaite: %v", g.id, err)
		} else {
			_, df, tt, p := table(tests)
			g.list("Satterthwaite df", df, s.DF, 1e-4)
			g.list("Satterthwaite t", tt, s.T, 1e-5)
			g.list("Satterthwaite p", p, s.P, 1e-4)
		}
	}
	if s := e.KR; s != nil {
		tests, err := m.KenwardRoger()
		if err != nil {
			g.t.Errorf("%s: Kenward-Roger: %v", g.id, err)
			return
		}
		se, df, tt, p := table(tests)
		g.list("Kenward-Roger se", se, s.SE, 1e-4)
		g.list("Kenward-Roger df", df, s.DF, 1e-4)
		g.list("Kenward-Roger t", tt, s.T, 1e-4)
		g.list("Kenward-Roger p", p, s.P, 1e-4)
	}
}

func (g *gridReport) profile(m *Model, e *gridExpected) {
	g.t.Helper()
	if e.Profile == nil {
		return
	}
	intervals, err := m.Profile(g.t.Context(), 0.95)
	if err != nil {
		g.t.Errorf("%s: profile: %v", g.id, err)
		return
	}
	ml, err := m.underML()
	if err != nil {
		g.t.Fatal(err)
	}
	for i, name := range e.Profile.Names {
		j := slices.IndexFunc(intervals, func(x Interval) bool { return x.Name == name })
		if j < 0 {
			g.t.Errorf("%s: no profile of %s in %v", g.id, name, intervals)
			continue
		}
		g.bound(ml, j, intervals[j].Lower, e.Profile.Lo[i])
		g.bound(ml, j, intervals[j].Upper, e.Profile.Hi[i])
	}
}

// bound compares an end of a profile interval. R interpolates between points of
// the profile: where it differs, the deviance must rise by the quantile at our
// end and not at R's.
func (g *gridReport) bound(ml *Model, target int, got float64, want *float64) {
	g.t.Helper()
	if want == nil {
		return
	}
	if math.Abs(got-*want) <= 1e-3*math.Abs(*want) {
		g.list("profile", []float64{got}, []float64{*want}, 1e-3)
		return
	}
	t := ml.targets()[target]
	rise := func(at float64) float64 {
		p := &profiler{m: ml, t: t, free: ml.freeStart(t)}
		var z float64
		for _, part := range []float64{0.25, 0.5, 0.75, 1} { // as far as the start allows
			x, err := p.zeta(t.estimate + part*(at-t.estimate))
			if err != nil {
				g.t.Fatal(err)
			}
			z = x
		}
		return z * z
	}
	const quantile = 3.841458820694124
	ours, theirs := rise(got), rise(*want)
	g.t.Logf("%s: %s: the deviance rises by %.6f at our %v, by %.6f at R's %v", g.id, t.name, ours, got, theirs, *want)
	if math.Abs(ours-quantile) > 1e-5 || math.Abs(theirs-quantile) < 1e-3 {
		g.t.Errorf("%s: %s ends at %v, R says %v", g.id, t.name, got, *want)
	}
}

func (g *gridReport) nlme(m *Model, c *gridCase, beta []float64) {
	g.t.Helper()
	e := &c.Expected
	g.list("nlme beta", beta, e.Beta, 1e-5)
	se := m.UnbiasedSE()
	if c.Kind == "lme" { // varFix is without the correction that summary makes
		for i, x := range m.Fixed {
			se[i] = x.SE
		}
	}
	g.list("nlme se", se, e.SE, 1e-5)
	g.list("nlme sigma", []float64{m.Sigma}, []float64{e.Sigma}, 1e-5)
	if e.Cor != nil {
		// Its range is from -1 to 1: near 0 it has no digits of its own.
		g.list("nlme correlation", []float64{1 + m.Residual.Correlation}, []float64{1 + *e.Cor}, 1e-4)
	}
	if len(e.Ratio) > 0 {
		var ratio []float64
		for _, x := range m.Residual.Ratio {
			if x != 1 { // the reference
				ratio = append(ratio, x)
			}
		}
		g.list("nlme ratio", ratio, e.Ratio, 1e-4)
	}
	if c.Kind == "gls" {
		return
	}
	tests, err := m.Containment()
	if err != nil {
		g.t.Errorf("%s: containment: %v", g.id, err)
		return
	}
	var df, p []float64
	for _, x := range tests {
		df, p = append(df, x.DF), append(p, x.P)
	}
	g.list("nlme df", df, e.DF, 1e-12)
	g.list("nlme p", p, e.P, 1e-4)
}
