// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-project/entente/alliance"
)

func pairs(client, therapist []float64) (out []alliance.GapPoint) {
	return alliance.Gap(series(alliance.Bond, client...), series(alliance.Bond, therapist...))
}

// TestTwoRaters compares with R 4.2.2: t.test(t - c) and cor.test(c, t) of these seven
// sessions.
func TestTwoRaters(t *testing.T) {
	t.Parallel()
	c, th := []float64{6, 7, 5, 8, 7.5, 4, 6.5}, []float64{6.5, 7, 6, 7.5, 7, 6, 6}
	got, ok := alliance.TwoRaters(pairs(c, th))
	if !ok || got.N != 7 || !got.Moves {
		t.Fatalf("%+v", got)
	}
	for name, x := range map[string][2]float64{
		"bias": {got.Bias, .2857142857}, "low": {got.BiasLow, -.5939894930}, "high": {got.BiasHigh, 1.1654180645},
		"r": {got.Congruence, .8477948079}, "r low": {got.CongLow, .2620211649}, "r high": {got.CongHigh, .9770599677},
	} {
		if math.Abs(x[0]-x[1]) > 1e-9 {
			t.Errorf("%s: %.9f, not %.9f", name, x[0], x[1])
		}
	}
	if _, ok := alliance.TwoRaters(pairs(c[:5], th[:5])); ok {
		t.Error("five sessions say something")
	}
	if got, ok := alliance.TwoRaters(pairs([]float64{5, 5, 5, 5, 5, 5}, th[:6])); !ok || got.Moves {
		t.Errorf("a rater who never varies moves with nobody: %+v", got)
	}
}

// TestTwoRatersTurned: who is the client turns the sign of the bias and changes
// nothing of the congruence; a session that one did not rate does not count.
func TestTwoRatersTurned(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(6, 20).Draw(r, "n")
		c := rapid.SliceOfN(rapid.Float64Range(0, 10), n, n).Draw(r, "client")
		th := rapid.SliceOfN(rapid.Float64Range(0, 10), n, n).Draw(r, "therapist")
		a, _ := alliance.TwoRaters(pairs(c, th))
		b, _ := alliance.TwoRaters(pairs(th, c))
		gap, _ := alliance.TwoRaters(pairs(append(c, math.NaN()), append(th, 3)))
		if math.Abs(a.Bias+b.Bias) > 1e-9 || math.Abs(a.BiasLow+b.BiasHigh) > 1e-9 || math.Abs(a.Congruence-b.Congruence) > 1e-9 || a != gap {
			r.Fatalf("%+v, %+v, %+v", a, b, gap)
		}
		if a.Moves && !(a.CongLow <= a.Congruence && a.Congruence <= a.CongHigh) {
			r.Fatalf("%+v", a)
		}
	})
}
