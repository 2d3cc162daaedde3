// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// golden is one case of reference values from R with the data beside it.
type golden struct {
	t        *testing.T
	expected map[string]any
	columns  map[string][]string
}

func openGolden(t *testing.T, folder, id string) *golden {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, id+"*.json"))
	if err != nil || len(names) != 1 {
		t.Fatalf("%s: %v, %v", id, names, err)
	}
	raw, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Data     string
		Expected map[string]any
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return &golden{t: t, expected: c.Expected, columns: readColumns(t, filepath.Join(folder, c.Data))}
}

func readColumns(t *testing.T, name string) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	for j, name := range rows[0] {
		for _, row := range rows[1:] {
			columns[name] = append(columns[name], row[j])
		}
	}
	return columns
}

func (g *golden) text(name string) []string {
	g.t.Helper()
	if g.columns[name] == nil {
		g.t.Fatalf("no column %s", name)
	}
	return g.columns[name]
}

func (g *golden) numbers(name string) []float64 {
	g.t.Helper()
	out := make([]float64, 0, len(g.text(name)))
	for _, cell := range g.text(name) {
		x, err := strconv.ParseFloat(cell, 64)
		if err != nil {
			g.t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// tree is what a test computed, in the shape of the expected values.
type tree = map[string]any

// flatten lists the leaves by path; a single number and a list of one are the
// same to R.
func flatten(out map[string]any, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			flatten(out, path+"."+key, child)
		}
	case []any:
		if len(v) == 1 {
			flatten(out, path, v[0])
			return
		}
		for i, child := range v {
			flatten(out, fmt.Sprintf("%s[%d]", path, i), child)
		}
	case []float64:
		flatten(out, path, slices.Collect(anys(v)))
	case []string:
		flatten(out, path, slices.Collect(anys(v)))
	case [][]float64:
		flatten(out, path, slices.Collect(anys(v)))
	case *float64:
		if v != nil {
			out[path] = *v
		} else {
			out[path] = nil
		}
	case int:
		out[path] = float64(v)
	default:
		out[path] = v
	}
}

func anys[T any](list []T) func(func(any) bool) {
	return func(yield func(any) bool) {
		for _, x := range list {
			if !yield(x) {
				return
			}
		}
	}
}

// compare every expected leaf with what was computed. tolerance says by prefix
// of the path which relative difference is allowed; "" is for the others.
// absent names leaves that are not compared, with the reason.
func (g *golden) compare(computed tree, tolerance map[string]float64, absent map[string]string) {
	g.t.Helper()
	want, got := map[string]any{}, map[string]any{}
	flatten(want, "", g.expected)
	flatten(got, "", computed)
	worst := map[string]float64{}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if reason, ok := absent[path]; ok {
			g.t.Logf("%s is not compared: %s", path, reason)
			continue
		}
		value, ok := got[path]
		if !ok {
			g.t.Errorf("%s is expected but was not computed", path)
			continue
		}
		d := difference(value, want[path])
		quantity := quantityOf(path)
		worst[quantity] = max(worst[quantity], d)
		if !(d <= allowed(tolerance, path)) {
			g.t.Errorf("%s = %v, want %v (difference %.2g)", path, value, want[path], d)
		}
	}
	for _, quantity := range slices.Sorted(maps.Keys(worst)) {
		g.t.Logf("largest relative difference %-18s %.1e", quantity, worst[quantity])
	}
	g.t.Logf("%d values compared", len(want)-len(absent))
}

func quantityOf(path string) string {
	path, _, _ = strings.Cut(path, "[")
	return path[strings.LastIndex(path, ".")+1:]
}

func allowed(tolerance map[string]float64, path string) float64 {
	best, length := 1e-6, -1
	for prefix, tol := range tolerance {
		if strings.HasPrefix(path, prefix) && len(prefix) > length {
			best, length = tol, len(prefix)
		}
	}
	return best
}

// difference is relative; absolute against 0, where 1e-9 of anything is noise
// of R's own search.
func difference(got, want any) float64 {
	a, okA := got.(float64)
	b, okB := want.(float64)
	if !okA || !okB {
		if got == want {
			return 0
		}
		return math.Inf(1)
	}
	if a == b {
		return 0
	}
	if b == 0 {
		return math.Abs(a)
	}
	return math.Abs(a-b) / math.Abs(b)
}

// must ends the test on an error and hands on the value.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func pick(coefficients []Coefficient, f func(Coefficient) float64) []float64 {
	out := make([]float64, len(coefficients))
	for i, c := range coefficients {
		out[i] = f(c)
	}
	return out
}

func estimateOf(c Coefficient) float64 { return c.Estimate }
func seOf(c Coefficient) float64       { return c.SE }
func statOf(c Coefficient) float64     { return c.Stat }
func pOf(c Coefficient) float64        { return c.P }
func lowerOf(c Coefficient) float64    { return c.Lower }
func upperOf(c Coefficient) float64    { return c.Upper }

// uni lays a result out as the helper of that name does in R.
func uni(r *Result) tree {
	out := tree{
		"k": r.K, "p": r.P, "tau2": r.Tau2, "se_tau2": r.Tau2SE,
		"beta": pick(r.Coefficients, estimateOf), "se": pick(r.Coefficients, seOf),
		"stat": pick(r.Coefficients, statOf), "pval": pick(r.Coefficients, pOf),
		"ci_lb": pick(r.Coefficients, lowerOf), "ci_ub": pick(r.Coefficients, upperOf),
		"QE": r.QE.Stat, "QEp": r.QE.P, "QM": r.QM.Stat, "QMp": r.QM.P,
		"I2": r.I2, "H2": r.H2, "R2": r.R2, "logLik": r.LogLik, "ddf": nil,
	}
	if r.Coefficients[0].DF > 0 {
		out["ddf"] = r.Coefficients[0].DF
	}
	if r.P == 1 && len(r.data.Moderators) == 0 {
		out["pi_lb"], out["pi_ub"] = nil, nil
		if r.Method != FE {
			p := must(r.Predict(nil, PredictAsTest))
			out["pi_lb"], out["pi_ub"] = p.PILower, p.PIUpper
		}
	}
	return out
}

func allEstimators(d Data) tree {
	out := tree{}
	for _, m := range Methods() {
		out[string(m)] = uni(must(Fit(d, Options{Method: m})))
	}
	return out
}

func (g *golden) fisherZ(r, n string) (y, v []float64) {
	ri, ni := g.numbers(r), g.numbers(n)
	y, v, err := Effects(len(ri), func(i int) (Effect, error) { return FisherZ(ri[i], ni[i]) })
	if err != nil {
		g.t.Fatal(err)
	}
	return y, v
}
