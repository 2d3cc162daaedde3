// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

type orderedScoreCase struct {
	Model       string
	X           [][]float64
	Group       []string
	Own, Scores [][]*float64 // nil where lavaan found none
}

func orderedScoreCases(t *testing.T) []orderedScoreCase {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "reference", "ordered_scores.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []orderedScoreCase
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (c *orderedScoreCase) fit(t *testing.T, more string) *Fit {
	t.Helper()
	d := &Table{X: mat.NewDense(len(c.X), len(c.X[0]), nil), Group: c.Group}
	for j := range c.X[0] {
		d.Names = append(d.Names, fmt.Sprintf("x%d", j+1))
	}
	for i, r := range c.X {
		d.X.SetRow(i, r)
	}
	return mustCFA(t, c.Model+more, d, Options{Estimator: WLSMV})
}

// TestOrderedScores compares posterior modes with those of lavaan's criterion: of
// its own search, which stops early, and of one that goes further.
func TestOrderedScores(t *testing.T) {
	var worst, own float64
	count := 0
	for i, c := range orderedScoreCases(t) {
		s, err := c.fit(t, "").Scores()
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		for r, want := range c.Scores {
			for k, w := range want {
				if c.Own[r][k] != nil && c.Group == nil { // lavaan takes the loadings of the first group for all
					own = math.Max(own, math.Abs(s.At(r, k)-*c.Own[r][k]))
				}
				if w == nil {
					continue
				}
				count++
				worst = math.Max(worst, math.Abs(s.At(r, k)-*w))
				if math.Abs(s.At(r, k)-*w) > 5e-5 { // nlminb has no derivatives here
					t.Fatalf("case %d, row %d, factor %d: %.9g, lavaan says %.9g", i, r, k, s.At(r, k), *w)
				}
			}
		}
	}
	t.Logf("%d scores: largest difference %.1e, %.1e from lavaan's own search", count, worst, own)
	if own > .01 || count < 1500 {
		t.Errorf("%d scores compared, %.1e from lavaan's own search", count, own)
	}
}

// At the top the slope of the posterior, taken by differences, is nought.
func TestOrderedScoresAreTops(t *testing.T) {
	c := orderedScoreCases(t)[1]
	f := c.fit(t, "")
	s, err := f.Scores()
	if err != nil {
		t.Fatal(err)
	}
	m, err := newOrderedPosterior(f.rams[0], f.Items)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		var codes []int
		for j := range f.Items {
			codes = append(codes, f.weight.groups[0].data.code[j][i])
		}
		at := append([]float64(nil), s.RawRowView(i)...)
		top := m.value(codes, at)
		for k := range at {
			for _, h := range []float64{-.01, .01} {
				at[k] += h
				if v := m.value(codes, at); v <= top {
					t.Errorf("row %d: %.12g beside the top %.12g", i, v, top)
				}
				at[k] -= h
			}
		}
	}
}

func TestOrderedScoresRefuse(t *testing.T) {
	c := orderedScoreCases(t)[0]
	if _, err := c.fit(t, "\nx1 ~~ x2").Scores(); err == nil || !strings.Contains(err.Error(), "correlated with another") {
		t.Errorf("residual covariance: %v", err)
	}
}

// Far in the tails the probability between two bounds keeps its digits.
func TestLogBetween(t *testing.T) {
	for _, b := range [][2]float64{{-1, 1}, {6, 7}, {-7, -6}, {20, 21}, {math.Inf(-1), -10}, {10, math.Inf(1)}, {0, .001}} {
		const h = 1e-5
		l, first, second := logBetween(b[0], b[1])
		up, _, _ := logBetween(b[0]+h, b[1]+h)
		down, _, _ := logBetween(b[0]-h, b[1]-h)
		if d := (up - down) / (2 * h); math.Abs(d-first) > 1e-5*(1+math.Abs(first)) {
			t.Errorf("%v: slope %g by differences, %g", b, d, first)
		}
		if d := (up - 2*l + down) / (h * h); math.Abs(d-second) > 1e-2*(1+math.Abs(second)) {
			t.Errorf("%v: curve %g by differences, %g", b, d, second)
		}
		mirror, slope, curve := logBetween(-b[1], -b[0])
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), 1) }
		if !near(mirror, l) || !near(slope, -first) || !near(curve, second) {
			t.Errorf("%v: %g %g %g is no mirror of %g %g %g", b, mirror, slope, curve, l, first, second)
		}
	}
}
