// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/stats"
)

// readFrame reads a table beside the golden values.
func readFrame(t testing.TB, name string, factors ...string) *stats.Frame {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "golden", name))
	if err != nil {
		file, err = os.Open(filepath.Join("testdata", "more", name))
	}
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

func mustFit(t testing.TB, formula string, f *stats.Frame, o *Options) *Model {
	t.Helper()
	m, err := Fit(formula, f, o)
	if err != nil {
		t.Fatalf("%s: %v", formula, err)
	}
	return m
}

// golden compares every expected number of a case with ours.
type golden struct {
	t        *testing.T
	id       string
	expected map[string]any
	worst    map[string]float64
	compared int
	// tolerance of a quantity by the last name in its path; 1e-6 otherwise.
	tolerance map[string]float64
	// absolute says for which paths a difference below the value counts as none,
	// with the reason in the test that sets it.
	absolute map[string]float64
}

func newGolden(t *testing.T, id string) *golden {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "golden", id+".json"))
	if err != nil {
		text, err = os.ReadFile(filepath.Join("testdata", "more", id+".json"))
	}
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Expected map[string]any }
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return &golden{t: t, id: id, expected: c.Expected, worst: map[string]float64{},
		tolerance: map[string]float64{"theta": 1e-5, "vcov": 1e-5, "sdcor": 1e-5, "Satterthwaite df": 1e-5, "p": 1e-5, "ranef": 1e-5, "vcov_beta": 1e-5},
		absolute:  map[string]float64{}}
}

// done compares all, and logs the largest difference by quantity.
func (g *golden) done(got map[string]any) {
	g.t.Helper()
	g.compare("", g.expected, got)
	var line strings.Builder
	for _, k := range slices.Sorted(maps.Keys(g.worst)) {
		fmt.Fprintf(&line, " %s %.1e", k, g.worst[k])
	}
	g.t.Logf("%s: %d numbers;%s", g.id, g.compared, line.String())
}

func (g *golden) compare(path string, want, got any) {
	g.t.Helper()
	switch w := want.(type) {
	case map[string]any:
		o, ok := got.(map[string]any)
		if !ok {
			g.t.Errorf("%s%s: nothing to compare with", g.id, path)
			return
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			v, ok := o[k]
			if !ok {
				g.t.Errorf("%s%s/%s is expected and not computed", g.id, path, k)
				continue
			}
			g.compare(path+"/"+k, w[k], v)
		}
	case []any:
		g.compareList(path, w, got)
	case nil:
		if got != nil {
			g.t.Errorf("%s%s: %v, want nothing", g.id, path, got)
		}
	case float64:
		g.number(path, []float64{w}, []float64{toFloat(got)})
	default:
		if fmt.Sprint(want) != fmt.Sprint(unlist(got)) {
			g.t.Errorf("%s%s: %v, want %v", g.id, path, got, want)
		}
	}
}

// unlist takes one of a list of one, as R writes it.
func unlist(v any) any {
	if s, ok := v.([]string); ok && len(s) == 1 {
		return s[0]
	}
	if s, ok := v.([]any); ok && len(s) == 1 {
		return s[0]
	}
	return v
}

func toFloat(v any) float64 {
	switch x := unlist(v).(type) {
	case float64:
		return x
	case int:
		return float64(x)
	case []float64:
		if len(x) == 1 {
			return x[0]
		}
	}
	return math.NaN()
}

func (g *golden) compareList(path string, want []any, got any) {
	g.t.Helper()
	if len(want) == 0 {
		return
	}
	switch o := got.(type) {
	case []float64:
		w := make([]float64, len(want))
		for i := range w {
			w[i], _ = want[i].(float64)
		}
		g.number(path, w, o)
	case [][]float64:
		var w, flat []float64
		for _, row := range want {
			for _, v := range row.([]any) {
				w = append(w, v.(float64))
			}
		}
		for _, row := range o {
			flat = append(flat, row...)
		}
		g.number(path, w, flat)
	case []string:
		for i := range want {
			if i >= len(o) || fmt.Sprint(want[i]) != o[i] {
				g.t.Errorf("%s%s: %v, want %v", g.id, path, o, want)
				return
			}
		}
	case []any:
		if len(o) != len(want) {
			g.t.Errorf("%s%s: %d, want %d", g.id, path, len(o), len(want))
			return
		}
		for i := range want {
			g.compare(fmt.Sprintf("%s/%d", path, i), want[i], o[i])
		}
	default:
		g.t.Errorf("%s%s: nothing to compare with (%T)", g.id, path, got)
	}
}

// number compares a vector. A number is held against its own size, but against no
// less than a thousandth of the largest of its vector: a residual that happens
// to be near nought carries the digits of the others.
func (g *golden) number(path string, want, got []float64) {
	g.t.Helper()
	quantity := g.quantity(path)
	tol := g.tolerance[quantity]
	if tol == 0 {
		tol = 1e-6
	}
	if len(want) != len(got) {
		g.t.Errorf("%s%s: %d numbers, want %d", g.id, path, len(got), len(want))
		return
	}
	largest := 0.0
	for _, w := range want {
		largest = math.Max(largest, math.Abs(w))
	}
	for i, w := range want {
		g.compared++
		d := math.Abs(got[i] - w)
		if d != 0 && d > g.absolute[quantity] {
			d /= math.Max(math.Abs(w), 1e-3*largest)
		} else {
			d = 0
		}
		g.worst[quantity] = math.Max(g.worst[quantity], d)
		if !(d <= tol) {
			g.t.Errorf("%s%s[%d]: %.12g, want %.12g (relative %.2g)", g.id, path, i, got[i], w, d)
		}
	}
}

// quantity names what a path leads to.
func (g *golden) quantity(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for _, p := range parts {
		switch p {
		case "theta", "ranef_head", "vcov_beta":
			return strings.TrimSuffix(p, "_head")
		}
	}
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] != "values" && !strings.ContainsAny(parts[i][:1], "0123456789") {
			return parts[i]
		}
	}
	return path
}

// lm4 writes a model as the function lm4 of HELPERS.R does.
func lm4(t *testing.T, m *Model, ranef, satterthwaite bool) map[string]any {
	t.Helper()
	groups, theta := map[string]any{}, map[string]any{}
	var comps []any
	for _, e := range m.Effects {
		groups[e.Group] = len(e.Levels)
	}
	for _, v := range m.Theta {
		theta[v.Name] = v.Value
	}
	for _, c := range m.Components {
		comps = append(comps, map[string]any{"grp": c.Group, "var1": text(c.Var1), "var2": text(c.Var2), "vcov": c.VCov, "sdcor": c.SDCor})
	}
	names, beta, se := columnsOf(m)
	o := map[string]any{
		"n": m.N, "ngroups": groups, "REML": m.REML, "criterion": m.Criterion, "logLik": m.LogLik, "AIC": m.AIC, "BIC": m.BIC,
		"sigma": m.Sigma, "theta": theta, "fixed_names": names, "beta": beta, "se": se, "varcorr": comps,
		"vcov_beta":   map[string]any{"rows": names, "cols": names, "values": square(m)},
		"fitted_head": m.Fitted()[:10], "resid_head": m.Residuals()[:10],
	}
	if ranef {
		o["ranef_head"] = modes(m)
	}
	if satterthwaite {
		tests, err := m.Satterthwaite()
		if err != nil {
			t.Fatal(err)
		}
		o["satterthwaite"] = table(tests)
	}
	return o
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func columnsOf(m *Model) (names []string, beta, se []float64) {
	for _, c := range m.Fixed {
		names, beta, se = append(names, c.Name), append(beta, c.Estimate), append(se, c.SE)
	}
	return names, beta, se
}

func square(m *Model) [][]float64 {
	var v [][]float64
	for i := range m.Fixed {
		var row []float64
		for j := range m.Fixed {
			row = append(row, m.VCov.At(i, j))
		}
		v = append(v, row)
	}
	return v
}

// modes puts the terms of one grouping beside each other, as ranef does.
func modes(m *Model) map[string]any {
	out := map[string]any{}
	for _, e := range m.Effects {
		k := min(8, len(e.Levels))
		o, ok := out[e.Group].(map[string]any)
		if !ok {
			o = map[string]any{"names": []string{}, "levels": e.Levels[:k], "values": make([][]float64, k)}
			out[e.Group] = o
		}
		o["names"] = append(o["names"].([]string), e.Names...)
		v := o["values"].([][]float64)
		for i := range v {
			v[i] = append(v[i], e.Modes[i]...)
		}
	}
	return out
}

// table writes tests as the table of summary does.
func table(tests []Test) map[string]any {
	var names []string
	var values [][]float64
	for _, c := range tests {
		names = append(names, c.Name)
		values = append(values, []float64{c.Estimate, c.SE, c.DF, c.T, c.P})
	}
	return map[string]any{"rows": names, "cols": []string{"Estimate", "Std. Error", "df", "t value", "Pr(>|t|)"}, "values": values}
}
