// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// TestDrillCoverage measures how often 95 % intervals hold the truth. It runs
// when ENTENTE_DRILL is set; its figures are for the documentation.
func TestDrillCoverage(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("set ENTENTE_DRILL to measure the coverage of intervals, some minutes")
	}
	const runs = 20000
	within := 3 * math.Sqrt(0.95*0.05/runs)
	for _, k := range []int{5, 10, 20, 40} {
		for _, tau2 := range []float64{0, 0.05, 0.2} {
			z, knha, profile := 0, 0, 0
			rng := rand.New(rand.NewPCG(uint64(k), uint64(1000*tau2)))
			for range runs {
				d := Data{Y: make([]float64, k), V: make([]float64, k)}
				for i := range k {
					d.V[i] = 0.02 + 0.08*rng.Float64()
					d.Y[i] = 0.3 + rng.NormFloat64()*math.Sqrt(d.V[i]+tau2)
				}
				holds := func(c Coefficient) int {
					if c.Lower <= 0.3 && 0.3 <= c.Upper {
						return 1
					}
					return 0
				}
				z += holds(must(Fit(d, Options{})).Coefficients[0])
				r := must(Fit(d, Options{Test: KnappHartung}))
				knha += holds(r.Coefficients[0])
				if q := must(r.QProfile()); q.State != Empty && q.Tau2.Lower <= tau2 && tau2 <= q.Tau2.Upper {
					profile++
				}
			}
			share := func(n int) float64 { return float64(n) / runs }
			t.Logf("k %2d, tau² %.2f: z %.4f, Knapp-Hartung %.4f, Q-profile of tau² %.4f (Monte Carlo error %.4f)", k, tau2, share(z), share(knha), share(profile), within/3)
			// At tau² = 0 the interval of tau² has the point on its edge, and Knapp
			// and Hartung's is a little wide.
			if tau2 > 0 && (math.Abs(share(profile)-0.95) > within || math.Abs(share(knha)-0.95) > within+0.005) {
				t.Errorf("k %d, tau² %v: coverage %.4f and %.4f", k, tau2, share(knha), share(profile))
			}
		}
	}
}

// TestDrillClusters is the same for the three-level model with few clusters.
func TestDrillClusters(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("set ENTENTE_DRILL to measure the coverage of intervals, some minutes")
	}
	const runs = 4000
	for _, clusters := range []int{8, 20, 50} {
		z, cr1, cr2 := 0, 0, 0
		rng := rand.New(rand.NewPCG(uint64(clusters), 9))
		for range runs {
			d := threeLevels(rng, clusters)
			m := must(FitMultilevel(d, Options{}))
			holds := func(c Coefficient) int {
				if c.Lower <= 0.3 && 0.3 <= c.Upper {
					return 1
				}
				return 0
			}
			z += holds(m.Coefficients[0])
			cr1 += holds(must(m.Robust(d.Levels[0].Group, CR1)).Coefficients[0])
			cr2 += holds(must(m.Robust(d.Levels[0].Group, CR2)).Coefficients[0])
		}
		share := func(n int) float64 { return float64(n) / runs }
		t.Logf("%2d clusters: z %.4f, CR1 %.4f, CR2 with Satterthwaite %.4f (Monte Carlo error %.4f)", clusters, share(z), share(cr1), share(cr2), math.Sqrt(0.95*0.05/runs))
		if math.Abs(share(cr2)-0.95) > 0.015 {
			t.Errorf("%d clusters: coverage of CR2 %.4f", clusters, share(cr2))
		}
	}
}

// threeLevels draws one to five effects in each cluster, with sampling errors
// more correlated than the fitted model believes.
func threeLevels(rng *rand.Rand, clusters int) MultilevelData {
	d := MultilevelData{Levels: []Level{{Name: "study"}, {Name: "effect"}}}
	for c := range clusters {
		u, shared := 0.3*rng.NormFloat64(), rng.NormFloat64()
		for e := range 1 + rng.IntN(5) {
			v := 0.02 + 0.08*rng.Float64()
			noise := math.Sqrt(v) * (math.Sqrt(0.6)*shared + math.Sqrt(0.4)*rng.NormFloat64())
			d.Y, d.V = append(d.Y, 0.3+u+0.15*rng.NormFloat64()+noise), append(d.V, v)
			d.Levels[0].Group = append(d.Levels[0].Group, strconv.Itoa(c))
			d.Levels[1].Group = append(d.Levels[1].Group, fmt.Sprint(e))
		}
	}
	return d
}
