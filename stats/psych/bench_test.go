// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// simulated returns n persons on three correlated factors of four items each;
// with levels, cut into that many.
func simulated(n, levels int, seed uint64) *Table {
	rng := rand.New(rand.NewPCG(seed, 7))
	t := &Table{X: mat.NewDense(n, 12, nil)}
	for j := range 12 {
		t.Names = append(t.Names, "y"+string(rune('a'+j)))
	}
	for i := range n {
		g := rng.NormFloat64()
		for f := range 3 {
			eta := math.Sqrt(.4)*g + math.Sqrt(.6)*rng.NormFloat64()
			for k := range 4 {
				l := .5 + .1*float64(k)
				v := l*eta + math.Sqrt(1-l*l)*rng.NormFloat64()
				if levels > 0 {
					v = math.Min(float64(levels-1), math.Max(0, math.Floor(v*1.1+float64(levels)/2)))
				}
				t.X.Set(i, 4*f+k, v)
			}
		}
	}
	return t
}

const threeByFour = "f1 =~ ya+yb+yc+yd\nf2 =~ ye+yf+yg+yh\nf3 =~ yi+yj+yk+yl"

func benchmarkCFA(b *testing.B, levels int, o Options) {
	t := simulated(1000, levels, 1)
	m, err := ParseModel(threeByFour)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if f, err := CFA(m, t, o); err != nil || !f.Converged {
			b.Fatal(err)
		}
	}
}

func BenchmarkCFA3x4ML(b *testing.B)    { benchmarkCFA(b, 0, Options{}) }
func BenchmarkCFA3x4MLR(b *testing.B)   { benchmarkCFA(b, 0, Options{Estimator: MLR}) }
func BenchmarkCFA3x4WLSMV(b *testing.B) { benchmarkCFA(b, 5, Options{Estimator: WLSMV}) }

func BenchmarkPolychoric12(b *testing.B) {
	t := simulated(1000, 5, 1)
	for b.Loop() {
		if _, err := Polychoric(t.X); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGradedResponse(b *testing.B) {
	d, _ := goldenTable(b, "irt_01_bfi_grm")
	for b.Loop() {
		if _, err := GradedResponse(d.X, GradedOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAlpha(b *testing.B) {
	d, _ := goldenTable(b, "psy_02_bfi_alpha_omega")
	for b.Loop() {
		if _, err := Alpha(d.X, .95); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCFA2x5FIML(b *testing.B) {
	d, _ := goldenTable(b, "cfa_05_bfi_fiml")
	m, err := ParseModel("A =~ A1+A2+A3+A4+A5\nC =~ C1+C2+C3+C4+C5")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if f, err := CFA(m, d, Options{Missing: FIML}); err != nil || !f.Converged {
			b.Fatal(err)
		}
	}
}
