// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"strings"
	"testing"

	"github.com/entente-project/entente/stats"
)

// frame makes a table of numeric columns.
func frame(t testing.TB, columns map[string][]float64) *stats.Frame {
	t.Helper()
	var cs []*stats.Column
	for name, v := range columns {
		missing := make([]bool, len(v))
		for i, x := range v {
			missing[i] = math.IsNaN(x)
		}
		c, err := stats.NewNumeric(name, v, missing)
		if err != nil {
			t.Fatal(err)
		}
		cs = append(cs, c)
	}
	f, err := stats.NewFrame(cs...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// allFinite says whether every number of a model is one.
func allFinite(m *Model) bool {
	v := []float64{m.Sigma, m.Criterion, m.LogLik, m.AIC, m.BIC, m.State.Gradient, m.State.Gain}
	for _, c := range m.Fixed {
		v = append(v, c.Estimate, c.SE)
	}
	for _, c := range m.Components {
		v = append(v, c.VCov, c.SDCor)
	}
	for _, e := range m.Effects {
		for g := range e.Modes {
			v = append(v, e.Modes[g]...)
			for j := range e.Names {
				v = append(v, e.Variance[g].At(j, j))
			}
		}
	}
	return finite(append(append(v, m.Fitted()...), m.Residuals()...))
}

func TestBadData(t *testing.T) {
	t.Parallel()
	g := []float64{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}
	x := []float64{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 4}
	y := []float64{3, 5, 4, 6, 7, 9, 2, 2, 4, 5, 7, 8}
	each := func(f func(i int) float64) []float64 {
		v := make([]float64, 12)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	nan := math.NaN()
	f := frame(t, map[string][]float64{
		"g": g, "x": x, "y": y, "one": each(func(int) float64 { return 1 }), "row": each(func(i int) float64 { return float64(i) }),
		"line": each(func(i int) float64 { return 2 + 3*x[i] }), "nought": make([]float64, 12),
		"neg": each(func(i int) float64 { return float64(i) - 3 }), "gone": each(func(int) float64 { return nan }),
		"huge": each(func(i int) float64 { return x[i] * 1e300 }), "tiny": each(func(i int) float64 { return x[i] * 1e-300 }),
	})
	for _, c := range []struct {
		formula string
		o       *Options
		want    string
	}{
		{"y ~ x + (1 | one)", nil, `"one" has a single group`},
		{"y ~ x + (1 | row)", nil, `"row" has 12 groups with 1 effects each for 12 rows`},
		{"y ~ x + (x + I(x^2) | g)", nil, `"g" has 4 groups with 3 effects each for 12 rows`},
		{"one ~ x + (1 | g)", nil, "is 1 in every row"},
		{"line ~ x + (1 | g)", nil, "without a rest"},
		{"y ~ x + (0 + nought | g)", nil, `"nought" is nought in every row`},
		{"y ~ huge + (1 | g)", nil, "another unit"},
		{"y ~ tiny + (1 | g)", nil, "another unit"},
		{"y ~ x + (0 + huge | g)", nil, "another unit"},
		{"y ~ gone + (1 | g)", nil, "none of the 12 rows is complete"},
		{"y ~ x + (1 | g) + (1 | g)", nil, "twice"},
		{"~ x + (1 | g)", nil, "no response"},
		{"y ~ factor(row) + (1 | g)", nil, "too few"},
		{"y ~ x + (1 | g)", &Options{Weights: "neg"}, "row 1: the weight -3"},
		{"y ~ x + (1 | g)", &Options{Weights: "who"}, `no column "who"`},
		{"y ~ x + (1 | g)", &Options{Variance: &Variances{Stratum: "one"}}, "one level only"},
		{"y ~ x + (1 | g)", &Options{Variance: &Variances{Stratum: "g", Reference: "9"}}, `"9" is no level`},
		{"y ~ x + (1 | g)", &Options{Within: &Correlation{Group: "row"}}, "no group"},
		{"y ~ x + (1 | g)", &Options{Within: &Correlation{Group: "one"}}, "must lie inside"},
		{"y ~ x + (1 | g)", &Options{Within: &Correlation{Group: "g", Time: "one"}}, "at the same time"},
		{"y ~ x + (1 | g)", &Options{Contrasts: map[string]stats.Contrast{"q": stats.Sum()}}, `"q"`},
	} {
		_, err := Fit(c.formula, f, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.formula, err, c.want)
		}
	}
}

// TestEdges fits what is odd and yet a model: nothing in it may fail to be a
// number, and what is special is named.
func TestEdges(t *testing.T) {
	t.Parallel()
	g := []float64{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}
	x := []float64{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 4}
	y := []float64{3, 5, 4, 6, 7, 9, 2, 2, 4, 5, 7, 8}
	for _, size := range []float64{1e-130, 1e-20, 1, 1e20, 1e130} {
		v := make([]float64, 12)
		for i := range v {
			v[i] = y[i] * size
		}
		m, err := Fit("y ~ x + (1 | g)", frame(t, map[string][]float64{"g": g, "x": x, "y": v}), nil)
		if err != nil {
			t.Errorf("size %v: %v", size, err)
			continue
		}
		if !m.State.Converged || !allFinite(m) || math.Abs(m.Fixed[1].Estimate/size/0.973662915905719-1) > 1e-9 {
			t.Errorf("size %v: %+v %+v", size, m.State, m.Fixed)
		}
	}
	f := frame(t, map[string][]float64{"g": g, "x": x, "y": y, "c": {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, "d": {3, 5, 7, 3, 5, 7, 3, 5, 7, 3, 5, 9},
		"level": {1, 1, 1, 4, 4, 4, 2, 2, 2, 7, 7, 7}, "flat": {1, 2, 3, 3, 2, 1, 2, 3, 1, 1, 3, 2}})
	m := mustFit(t, "y ~ c + x + d + (1 | g)", f, nil)
	if strings.Join(m.Aliased, " ") != "c d" || len(m.Fixed) != 2 || !allFinite(m) {
		t.Errorf("aliased %q, fixed %+v", m.Aliased, m.Fixed)
	}
	m = mustFit(t, "flat ~ x + (1 | g)", f, nil)
	if len(m.State.Singular) != 1 || !m.State.Converged || !allFinite(m) || m.Components[0].VCov != 0 {
		t.Errorf("no variance between groups: %+v %+v", m.State, m.Components)
	}
	if tests, err := m.Satterthwaite(); err != nil || !(tests[1].DF > 0) || !finite([]float64{tests[1].P}) {
		t.Errorf("Satterthwaite on the boundary: %+v %v", tests, err)
	}
	// Groups explain everything: there is no residual variance to speak of.
	if _, err := Fit("level ~ 1 + (1 | g)", f, nil); err == nil || !strings.Contains(err.Error(), "vanishes") {
		t.Errorf("groups that explain everything: %v", err)
	}
	tiny := make([]float64, 12)
	for i := range tiny {
		tiny[i] = y[i] * 1e-300
	}
	if _, err := Fit("y ~ x + (1 | g)", frame(t, map[string][]float64{"g": g, "x": x, "y": tiny}), nil); err == nil || !strings.Contains(err.Error(), "another unit") {
		t.Errorf("a response of 1e-300: %v", err)
	}
	if m, err := Fit("y ~ x + (c + x | g)", f, nil); err == nil && (len(m.State.Singular) == 0 || !allFinite(m)) {
		t.Errorf("a constant slope beside an intercept: %+v", m.State)
	}
}

// TestShapeEnds estimates correlations and variances that run to the end of their
// range: the fit says so.
func TestShapeEnds(t *testing.T) {
	t.Parallel()
	n := 60
	g, time, y, half, z := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		g[i], time[i], half[i] = float64(i/6), float64(i%6), float64(i%2)
		y[i] = 3 + math.Sin(float64(i*i))*0.3 + 2*float64(i%2) // jumps up and down within each group
		z[i] = math.Cos(float64(7*i*i)) * (1 - half[i])        // does not vary in one half
	}
	f := frame(t, map[string][]float64{"g": g, "t": time, "y": y, "half": half, "z": z})
	m := mustFit(t, "y ~ 1", f, &Options{Within: &Correlation{Kind: ContinuousAR1, Group: "g", Time: "t"}})
	if len(m.State.Singular) != 1 || !allFinite(m) || m.Residual.Correlation > 1e-4 {
		t.Errorf("a continuous AR(1) of what jumps: %+v %+v", m.State, m.Residual)
	}
	if m, err := Fit("z ~ half", f, &Options{Variance: &Variances{Stratum: "half"}}); err == nil || !strings.Contains(err.Error(), "grows without end") {
		t.Errorf("no variance in one half: %+v %v", m, err)
	}
}
