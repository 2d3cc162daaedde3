// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// distributions are values of R 4.2.2 and mnormt 2.1.1; the calls are in the file.
type distributions struct {
	Bivariate struct{ X, Y, Rho, P []float64 }
	Chisq     struct{ X, K, Lambda, P, Q []float64 }
}

func readDistributions(t *testing.T) (d distributions) {
	t.Helper()
	raw, err := os.ReadFile("testdata/distributions.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNoncentralChiSquaredAgainstR(t *testing.T) {
	t.Parallel()
	d := readDistributions(t).Chisq
	var worst float64
	for i, x := range d.X {
		c := NoncentralChiSquared{K: d.K[i], Lambda: d.Lambda[i]}
		// R itself promises about 1e-12.
		for _, p := range [][2]float64{{c.CDF(x), d.P[i]}, {c.Survival(x), d.Q[i]}} {
			diff := math.Abs(p[0] - p[1])
			worst = math.Max(worst, diff)
			if diff > 2e-12 {
				t.Errorf("%+v at %v: %v, want %v", c, x, p[0], p[1])
			}
		}
	}
	t.Logf("largest difference %.1e", worst)
}

func TestNoncentralChiSquaredFarOut(t *testing.T) {
	t.Parallel()
	for _, lambda := range []float64{9e7, 1e12, 1e16} {
		d := NoncentralChiSquared{K: 24, Lambda: lambda}
		sd := math.Sqrt(2 * (d.K + 2*lambda))
		for _, z := range []float64{-3, -1, 0, 2} {
			x := d.K + lambda + z*sd
			if p := d.CDF(x); math.Abs(p-normalCDF(z)) > 1e-4 || math.Abs(p+d.Survival(x)-1) > 1e-8 {
				t.Errorf("%+v at %v: %v, %v", d, x, p, d.Survival(x))
			}
			if near := math.Abs(d.CDF(x) - d.sankaran(x, false)); near > 1e-8 {
				t.Errorf("%+v at %v: %v from the normal approximation", d, x, near)
			}
		}
	}
}

func TestNoncentralityFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.Float64Range(.5, 300).Draw(t, "k")
		lambda := rapid.Float64Range(0, 3000).Draw(t, "lambda")
		x := rapid.Float64Range(.1, 4000).Draw(t, "x")
		d := NoncentralChiSquared{K: k, Lambda: lambda}
		p, q := d.CDF(x), d.Survival(x)
		if math.Abs(p+q-1) > 1e-11 {
			t.Fatalf("CDF %v and Survival %v do not make 1", p, q)
		}
		if p > 1e-4 && p < 1-1e-4 {
			if l := NoncentralityFor(x, k, p); math.Abs(l-lambda) > 1e-6*(1+lambda) {
				t.Fatalf("NoncentralityFor = %v, want %v", l, lambda)
			}
		}
	})
}

func TestBivariateNormalAgainstR(t *testing.T) {
	t.Parallel()
	d := readDistributions(t).Bivariate
	var worst float64
	for i, x := range d.X {
		got := BivariateNormalCDF(x, d.Y[i], d.Rho[i])
		diff := math.Abs(got - d.P[i])
		worst = math.Max(worst, diff)
		if diff > 1e-14 {
			t.Errorf("(%v, %v, %v) = %v, want %v", x, d.Y[i], d.Rho[i], got, d.P[i])
		}
	}
	t.Logf("largest difference %.1e", worst)
}

func TestBivariateNormalInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-6, 6).Draw(t, "x")
		y := rapid.Float64Range(-6, 6).Draw(t, "y")
		r := rapid.Float64Range(-1, 1).Draw(t, "rho")
		p := BivariateNormalCDF(x, y, r)
		if q := BivariateNormalCDF(y, x, r); math.Abs(p-q) > 1e-14 {
			t.Fatalf("not symmetric: %v, %v", p, q)
		}
		// P(X<x, Y<y) + P(X<x, Y>y) = P(X<x)
		if s := p + BivariateNormalCDF(x, -y, -r); math.Abs(s-normalCDF(x)) > 4e-15 {
			t.Fatalf("margin %v, want %v", s, normalCDF(x))
		}
		if math.Abs(r) < .999 {
			const h = 1e-5
			slope := (BivariateNormalCDF(x, y, r+h) - BivariateNormalCDF(x, y, r-h)) / (2 * h)
			if f := BivariateNormalDensity(x, y, r); math.Abs(slope-f) > 1e-6*(1+100*f) {
				t.Fatalf("slope by rho %v, density %v", slope, f)
			}
		}
	})
}

func TestBivariateNormalLimits(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for _, c := range []struct{ x, y, rho, want float64 }{
		{inf, inf, .5, 1}, {-inf, inf, .5, 0}, {inf, 0, .5, .5}, {0, 0, 0, .25},
		{0, 0, 1, .5}, {0, 0, -1, 0}, {1, 2, 1, normalCDF(1)}, {0, 0, .5, 1. / 3},
	} {
		if got := BivariateNormalCDF(c.x, c.y, c.rho); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func ExampleNoncentralityFor() {
	// The 90 % interval of the RMSEA of a chi-squared of 85.306 on 24, n 301.
	lower, upper := NoncentralityFor(85.306, 24, .95), NoncentralityFor(85.306, 24, .05)
	fmt.Printf("%.3f %.3f\n", math.Sqrt(lower/(301*24)), math.Sqrt(upper/(301*24)))
	// Output: 0.071 0.114
}

func BenchmarkBivariateNormalCDF(b *testing.B) {
	for b.Loop() {
		BivariateNormalCDF(.3, -.7, .6)
	}
}
