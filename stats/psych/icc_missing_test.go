// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestICCMissing compares tables with missing ratings with psych's mixed model;
// in two of them a variance is nought.
func TestICCMissing(t *testing.T) {
	name := os.Getenv("ENTENTE_ICC")
	if name == "" {
		name = filepath.Join("testdata", "reference", "icc.json")
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		X                                     [][]*float64
		Variance, ICC, F, DF1, DF2, P, Lo, Hi []float64
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	g := &gridReport{t: t, worst: map[string]float64{}}
	for i, c := range all {
		r, err := ICC(gridMatrix(c.X), .95)
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		if !r.Mixed.State.Converged {
			t.Errorf("case %d: %+v", i, r.Mixed.State)
		}
		k, n := float64(r.Raters), float64(r.Targets)
		for j, v := range []float64{(r.MSB - r.MSE) / k, (r.MSJ - r.MSE) / n, r.MSE} {
			g.is("", "variance", v, c.Variance[j], .1, 1e-5)
		}
		for j, f := range r.Forms {
			g.is(f.Type, "ICC", f.ICC, c.ICC[j], .1, 1e-5)
			g.is(f.Type, "F", f.F, c.F[j], .1, 1e-5)
			g.is(f.Type, "df", f.DF1, c.DF1[j], 1, 0)
			g.is(f.Type, "df", f.DF2, c.DF2[j], 1, 0)
			g.is(f.Type, "p", f.P, c.P[j], 1e-3, 1e-4)
			g.is(f.Type, "interval", f.CI[0], c.Lo[j], .1, 1e-5)
			g.is(f.Type, "interval", f.CI[1], c.Hi[j], .1, 1e-5)
		}
	}
	t.Logf("%d numbers, largest relative differences %v", g.count, g.worst)
}

// Where nothing is missing the mixed model finds the mean squares of the analysis
// of variance, unless that has a negative variance.
func TestICCMixedOfWholeTable(t *testing.T) {
	x := mat.NewDense(6, 4, []float64{9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7})
	a, err := ICC(x, .95)
	if err != nil {
		t.Fatal(err)
	}
	b := &ICCResult{Targets: 6, Raters: 4}
	if err := b.mixedSquares(x); err != nil {
		t.Fatal(err)
	}
	for _, p := range [][2]float64{{a.MSB, b.MSB}, {a.MSW, b.MSW}, {a.MSJ, b.MSJ}, {a.MSE, b.MSE}} {
		if math.Abs(p[0]/p[1]-1) > 1e-5 {
			t.Errorf("%g by variance, %g by the mixed model", p[0], p[1])
		}
	}
}

func TestICCMissingAtTheEdge(t *testing.T) {
	no := math.NaN()
	for name, c := range map[string]struct {
		x    *mat.Dense
		want string
	}{
		"a rater without ratings":       {mat.NewDense(3, 3, []float64{1, 2, no, 2, 4, no, 5, 3, no}), "rater 3 has no rating"},
		"one rating each":               {mat.NewDense(3, 2, []float64{1, no, no, 2, 3, no}), "no target has two ratings"},
		"all equal":                     {mat.NewDense(3, 2, []float64{4, 4, 4, no, no, 4}), "all ratings are equal"},
		"no error":                      {mat.NewDense(4, 2, []float64{1, 2, 2, 3, 4, 5, 7, no}), "leave out the targets with a missing rating"},
		"nothing":                       {mat.NewDense(2, 2, []float64{no, no, no, no}), "two targets"},
		"one target":                    {mat.NewDense(2, 2, []float64{1, 2, no, no}), "two targets"},
		"large":                         {mat.NewDense(3, 2, []float64{1e308, -1e308, 2, no, 1, 2}), "too large"},
		"hardly any":                    {mat.NewDense(2, 2, []float64{1, 2, 5, no}), ""},
		"larger than squares, as given": {mat.NewDense(3, 2, []float64{1e200, 2e200, 2, no, 1, 2}), "too large"},
	} {
		r, err := ICC(c.x, .95)
		if c.want == "" {
			if err == nil {
				for _, f := range r.Forms {
					if math.IsNaN(f.ICC + f.F + f.P + f.CI[0] + f.CI[1]) {
						t.Errorf("%s: %+v", name, f)
					}
				}
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, not %q", name, err, c.want)
		}
	}
}
