// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestDrillOmega counts how often the interval of omega holds the true value, and
// that of alpha likewise, with ENTENTE_DRILL set.
func TestDrillOmega(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("a simulation of a minute; set ENTENTE_DRILL to run it")
	}
	const replications = 2000
	load := []float64{.5, .6, .7, .8, .6}
	for _, n := range []int{100, 300} {
		for _, skewed := range []bool{false, true} {
			e := ML
			if skewed {
				e = MLR
			}
			covered, failed := omegaCoverage(t, load, n, replications, skewed, e)
			share := float64(covered) / float64(replications-failed)
			half := 2.58 * math.Sqrt(.95*.05/float64(replications-failed))
			t.Logf("n %d, skewed %v, %s: coverage %.4f of %d (99 %% Monte Carlo limits %.4f to %.4f), %d failed", n, skewed, e, share, replications-failed, .95-half, .95+half, failed)
			// A delta-method interval needs persons; at 300 it must be within error.
			if n == 300 && !skewed && math.Abs(share-.95) > half {
				t.Errorf("coverage %v", share)
			}
		}
	}
}

func omegaCoverage(t *testing.T, load []float64, n, replications int, skewed bool, e Estimator) (covered, failed int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(20, uint64(n)))
	var sum, rest float64
	for _, l := range load {
		sum += l
		rest += 1 - l*l
	}
	truth := sum * sum / (sum*sum + rest)
	m := mustModel(t, "f =~ a + b + c + d + e")
	draw := func() float64 {
		if skewed { // chi-squared on 3, standardised
			var s float64
			for range 3 {
				v := rng.NormFloat64()
				s += v * v
			}
			return (s - 3) / math.Sqrt(6)
		}
		return rng.NormFloat64()
	}
	d := &Table{Names: []string{"a", "b", "c", "d", "e"}, X: mat.NewDense(n, len(load), nil)}
	for range replications {
		for i := range n {
			f := draw()
			for j, l := range load {
				d.X.Set(i, j, l*f+math.Sqrt(1-l*l)*draw())
			}
		}
		f, err := CFA(m, d, Options{StdLV: true, Estimator: e})
		if err != nil {
			t.Fatal(err)
		}
		if !f.Converged || !f.Identified {
			failed++
			continue
		}
		r, err := f.Reliability()
		if err != nil {
			t.Fatal(err)
		}
		if r[0].OmegaCI[0] <= truth && truth <= r[0].OmegaCI[1] {
			covered++
		}
	}
	return covered, failed
}
