// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/entente-project/entente/stats"
)

// course invents n sessions of persons with 10 sessions each: level and growth
// differ, the residual standard deviation is 1.
func course(t testing.TB, n int) *stats.Frame {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 7))
	y, x, g := make([]float64, n), make([]float64, n), make([]float64, n)
	var level, growth float64
	for i := range n {
		if i%10 == 0 {
			level, growth = 1.3*r.NormFloat64(), 0.2*r.NormFloat64()
			growth += 0.05 * level
		}
		x[i], g[i] = float64(i%10), float64(i/10)
		y[i] = 5 + level + (0.1+growth)*x[i] + r.NormFloat64()
	}
	var columns []*stats.Column
	for name, v := range map[string][]float64{"y": y, "x": x, "g": g} {
		c, err := stats.NewNumeric(name, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	f, err := stats.NewFrame(columns...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// BenchmarkRandomSlope fits y ~ x + (x | g) to 10^4, 10^5 and 10^6 rows.
func BenchmarkRandomSlope(b *testing.B) {
	for _, n := range []int{1e4, 1e5, 1e6} {
		f := course(b, n)
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustFit(b, "y ~ x + (x | g)", f, nil)
			}
		})
	}
}

// BenchmarkNested fits persons within therapists, 10^5 rows.
func BenchmarkNested(b *testing.B) {
	for _, n := range []int{1e4, 1e5} {
		f := invented(b, n, n/10, n/200, 1)
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			for b.Loop() {
				mustFit(b, "y ~ x + (1 | h/p)", f, nil)
			}
		})
	}
}

// BenchmarkCrossed fits persons crossed with therapists, 10^4 rows.
func BenchmarkCrossed(b *testing.B) {
	f := invented(b, 1e4, 1000, 50, 1)
	for b.Loop() {
		mustFit(b, "y ~ x + (x | p) + (1 | h)", f, nil)
	}
}

// BenchmarkKenwardRoger tests the fixed effects of a random slope, 10^4 rows.
func BenchmarkKenwardRoger(b *testing.B) {
	f := course(b, 1e4)
	for b.Loop() {
		if _, err := mustFit(b, "y ~ x + (x | g)", f, nil).KenwardRoger(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAR1 fits correlated residuals, 10^4 rows.
func BenchmarkAR1(b *testing.B) {
	f := course(b, 1e4)
	for b.Loop() {
		mustFit(b, "y ~ x + (1 | g)", f, &Options{Within: &Correlation{Group: "g", Time: "x"}})
	}
}
