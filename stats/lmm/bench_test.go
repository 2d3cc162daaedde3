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
