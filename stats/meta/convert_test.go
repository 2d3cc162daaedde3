// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestConversionsAgree: the ways from a test statistic to an effect meet.
func TestConversionsAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(0.01, 6).Draw(t, "t")
		n := float64(rapid.IntRange(4, 200).Draw(t, "n"))
		same := func(name string, a, b float64) {
			if !alike(a, b, 0, 1e-9) {
				t.Fatalf("%s: %v and %v", name, a, b)
			}
		}
		r := must(RFromT(x, 2*n-2))
		same("F", must(RFromF(x*x, 2*n-2)), r)
		same("p", must(RFromP(twoSided(x, 2*n-2), 2*n)), r)
		d := must(DFromT(x, n, n))
		same("d by F", must(DFromF(x*x, n, n)), d)
		same("d by p", must(DFromP(twoSided(x, 2*n-2), n, n)), d)
		// A t test of two groups is that of a point-biserial correlation.
		same("d by r", must(DFromChi2(r*r*n, n)), x*2/math.Sqrt(2*n-2))
		same("z", ZToR(RToZ(r)), r)
		e := Effect{d, 0.1}
		back := must(DFromR(must(RFromD(e, n, n))))
		same("d by r and back", back.Y, e.Y)
		same("its variance", back.V, e.V)
		odds := DFromLogOR(LogORFromD(e))
		same("d by the odds ratio", odds.Y, e.Y)
		same("its variance", odds.V, e.V)
		same("correction for bias", HedgesJ(n), HedgesJApprox(n)*(HedgesJ(n)/HedgesJApprox(n)))
		if math.Abs(HedgesJ(n)-HedgesJApprox(n)) > 0.01/(n*n/16) {
			t.Fatalf("J(%v) = %v, approximately %v", n, HedgesJ(n), HedgesJApprox(n))
		}
	})
}

// TestCorrelationUnbiased against the elementary case
// F(1/2, 1/2; 3/2; x) = arcsin(sqrt x)/sqrt x, which is n = 5.
func TestCorrelationUnbiased(t *testing.T) {
	t.Parallel()
	for _, r := range []float64{0.9, 0.5, 0.1, -0.3, 1e-4} {
		x := math.Sqrt(1 - r*r)
		if got, want := must(CorrelationUnbiased(r, 5)).Y, r*math.Asin(x)/x; !alike(got, want, 0, 1e-12) {
			t.Errorf("r %v, n 5: %v, want %v", r, got, want)
		}
	}
	if e := must(CorrelationUnbiased(1, 10)); e.Y != 1 || e.V != 0 {
		t.Errorf("a perfect correlation became %v", e)
	}
}

func TestDisattenuated(t *testing.T) {
	t.Parallel()
	e := must(Disattenuated(Effect{0.3, 0.01}, 0.81, 0.64))
	if !alike(e.Y, 0.3/0.72, 0, 1e-14) || !alike(e.V, 0.01/(0.81*0.64), 0, 1e-14) {
		t.Errorf("%+v", e)
	}
	if _, err := Disattenuated(Effect{0.3, 0.01}, 0, 1); err == nil {
		t.Error("a reliability of zero, without a complaint")
	}
}

// TestAllVariancesGiven: nothing to estimate is a fit too, the FE one when all
// are zero.
func TestAllVariancesGiven(t *testing.T) {
	t.Parallel()
	d := inventedLevels(40, 5)
	zero := 0.0
	rows := d
	rows.Levels = []Level{d.Levels[0], {Name: "effect"}}
	a, b := must(FitMultilevel(d, Options{})), must(FitMultilevel(rows, Options{}))
	if a.LogLik != b.LogLik || a.Components[1] != b.Components[1] && *a.Components[1].SE != *b.Components[1].SE {
		t.Errorf("no labels are not labels for each row: %+v and %+v", b.Components, a.Components)
	}
	d.Levels[0].Fixed, d.Levels[1].Fixed = &zero, &zero
	m := must(FitMultilevel(d, Options{}))
	fe := must(Fit(d.Data, Options{Method: FE}))
	if m.State != Converged || !alike(m.Coefficients[0].Estimate, fe.Coefficients[0].Estimate, 0, 1e-12) || !alike(m.LogLikML, fe.LogLikML, 0, 1e-12) {
		t.Errorf("%+v, want %+v", m.Coefficients, fe.Coefficients)
	}
	if _, err := m.Profile(0); err == nil {
		t.Error("a profile of a given variance, without a complaint")
	}
}
