// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// golden is one case of reference values: each leaf of its expected values is
// compared, or named with a reason, or the test fails.
type golden struct {
	t       *testing.T
	leaves  map[string]any
	seen    map[string]bool
	largest map[string]float64
}

func openGolden(t *testing.T, id string) *golden {
	t.Helper()
	return openGoldenFile(t, filepath.Join("testdata", "golden", id+".json"))
}

func openGoldenFile(t *testing.T, path string) *golden {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Expected map[string]any }
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	g := &golden{t: t, leaves: map[string]any{}, seen: map[string]bool{}, largest: map[string]float64{}}
	g.flatten("", c.Expected)
	if len(g.leaves) == 0 {
		t.Fatal("the case expects nothing")
	}
	return g
}

func (g *golden) flatten(path string, v any) {
	join := func(k string) string {
		if path == "" {
			return k
		}
		return path + "/" + k
	}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			g.flatten(join(k), e)
		}
	case []any:
		for i, e := range v {
			g.flatten(join(strconv.Itoa(i)), e)
		}
	case nil:
	default:
		g.leaves[path] = v
	}
}

func (g *golden) has(path string) bool { _, ok := g.leaves[path]; return ok }

// num compares a value with the leaf; a relative tolerance, absolute below 1e-6.
func (g *golden) num(path string, got, tol float64) {
	g.t.Helper()
	g.within(path, got, tol, math.Max(1e-6, math.Abs(g.want(path))))
}

func (g *golden) want(path string) float64 {
	g.t.Helper()
	switch v := g.leaves[path].(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	}
	g.t.Errorf("%s: not a number of the case", path)
	return 0
}

func (g *golden) within(path string, got, tol, scale float64) {
	g.t.Helper()
	want := g.want(path)
	g.seen[path] = true
	diff := math.Abs(got-want) / scale
	name := quantity(path)
	if diff > g.largest[name] || math.IsNaN(diff) {
		g.largest[name] = diff
	}
	if !(diff <= tol) {
		g.t.Errorf("%s = %.15g, want %.15g (relative %.2g, allowed %.2g)", path, got, want, diff, tol)
	}
}

func (g *golden) nums(path string, got []float64, tol float64) {
	g.t.Helper()
	for i, v := range got {
		g.num(path+"/"+strconv.Itoa(i), v, tol)
	}
}

func (g *golden) text(path, got string) {
	g.t.Helper()
	g.seen[path] = true
	if g.leaves[path] != got {
		g.t.Errorf("%s = %q, want %q", path, got, g.leaves[path])
	}
}

// skip names what the package does not give, with the reason.
func (g *golden) skip(prefix, reason string) {
	g.t.Helper()
	n := 0
	for p := range g.leaves {
		if (p == prefix || strings.HasPrefix(p, prefix+"/")) && !g.seen[p] {
			g.seen[p] = true
			n++
		}
	}
	if n == 0 {
		g.t.Errorf("nothing to leave out at %s", prefix)
	}
	g.t.Logf("left out: %s (%d values): %s", prefix, n, reason)
}

// done fails for what was not looked at and prints the largest differences.
func (g *golden) done() {
	g.t.Helper()
	var missed []string
	for p := range g.leaves {
		if !g.seen[p] {
			missed = append(missed, quantity(p))
		}
	}
	sort.Strings(missed)
	if len(missed) > 0 {
		g.t.Errorf("not compared: %v", slices.Compact(missed))
	}
	names := make([]string, 0, len(g.largest))
	for n := range g.largest {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		g.t.Logf("largest difference %-40s %.1e", n, g.largest[n])
	}
}

// quantity is a path without its positions.
func quantity(path string) string {
	parts := strings.Split(path, "/")
	kept := parts[:0]
	for _, p := range parts {
		if _, err := strconv.Atoi(p); err != nil {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "/")
}

// readTable reads a case's data; columns that hold text are kept as text.
func readTable(t testing.TB, path string) (*Table, map[string][]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head, rows := rows[0], rows[1:]
	x := mat.NewDense(len(rows), len(head), nil)
	text := map[string][]string{}
	for j, name := range head {
		for i, r := range rows {
			v := math.NaN()
			if r[j] != "NA" && r[j] != "" {
				if v, err = strconv.ParseFloat(r[j], 64); err != nil {
					v = math.NaN()
					if len(text[name]) == 0 {
						text[name] = make([]string, len(rows))
					}
				}
			}
			x.Set(i, j, v)
		}
		if text[name] != nil {
			for i, r := range rows {
				text[name][i] = r[j]
			}
		}
	}
	return &Table{Names: head, X: x}, text
}

func goldenTable(t testing.TB, id string) (*Table, map[string][]string) {
	t.Helper()
	return readTable(t, filepath.Join("testdata", "golden", id+".csv"))
}

func column(t *Table, name string) []float64 {
	j := t.Column(name)
	if j < 0 {
		panic(fmt.Sprintf("no column %s", name))
	}
	return mat.Col(nil, j, t.X)
}
