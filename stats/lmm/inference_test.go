// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"sync"
	"testing"

	"github.com/entente-project/entente/stats"
)

// TestPairsAsEffectsOrResiduals fits the same model twice: a random intercept of
// each couple is one correlation of its residuals.
func TestPairsAsEffectsOrResiduals(t *testing.T) {
	t.Parallel()
	f := readFrame(t, "dyad_01_acitelli_apim.csv")
	a := mustFit(t, "sat ~ otherpos_a + otherpos_p + (1 | CoupleID)", f, nil)
	b := mustFit(t, "sat ~ otherpos_a + otherpos_p", f, &Options{Within: &Correlation{Kind: Symmetric, Group: "CoupleID"}})
	if math.Abs(a.Criterion-b.Criterion) > 1e-8 {
		t.Errorf("criteria %v and %v", a.Criterion, b.Criterion)
	}
	ta, err := a.Satterthwaite()
	if err != nil {
		t.Fatal(err)
	}
	tb, err := b.Satterthwaite()
	if err != nil {
		t.Fatal(err)
	}
	for j := range ta {
		if math.Abs(ta[j].DF/tb[j].DF-1) > 1e-6 || math.Abs(ta[j].SE/tb[j].SE-1) > 1e-6 {
			t.Errorf("%+v and %+v", ta[j], tb[j])
		}
	}
	lower, upper := ta[1].Interval(0.95)
	if p := tTest("", ta[1].Estimate-upper, ta[1].SE, ta[1].DF).P; math.Abs(p-0.05) > 1e-9 || math.Abs(lower+upper-2*ta[1].Estimate) > 1e-12 {
		t.Errorf("an interval of %v to %v", lower, upper)
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	m := mustFit(t, "y ~ x * arm + (1 + x | p) + (1 | th)", readFrame(t, "crossed.csv"), &Options{Contrasts: map[string]stats.Contrast{"arm": stats.Sum()}})
	for _, kr := range []bool{false, true} {
		terms, err := m.Terms(kr)
		if err != nil {
			t.Fatal(err)
		}
		if len(terms) != 3 || terms[2].Term != "x:arm" || terms[2].DF1 != 2 || terms[1].Term != "arm" {
			t.Fatalf("%+v", terms)
		}
		if !kr {
			one, err := m.Satterthwaite()
			if err != nil || math.Abs(one[1].T*one[1].T-terms[0].F) > 1e-9*terms[0].F || math.Abs(one[1].P-terms[0].P) > 1e-9 {
				t.Errorf("t %+v, F %+v, %v", one[1], terms[0], err)
			}
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	t.Parallel()
	f := readFrame(t, "crossed.csv")
	fit := func(formula string, o *Options) *Model { return mustFit(t, formula, f, o) }
	a := fit("y ~ x + (1 | p)", nil)
	for _, b := range []*Model{
		fit("y ~ x * arm + (1 | p)", nil), fit("y ~ x + (x | p)", &Options{ML: true}), fit("y ~ x + (x | p)", &Options{Weights: "w"}),
		fit("log(y + 30) ~ x + (x | p)", nil), fit("y ~ x + (1 | th)", nil), mustFit(t, "y ~ x + (x | p)", f.Take([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}), nil),
	} {
		if r, err := Compare(a, b); err == nil {
			t.Errorf("%s and %s: %+v", a.Formula, b.Formula, r)
		}
	}
	if k, err := fit("y ~ x + (1 | p)", &Options{ML: true}).KenwardRoger(); err == nil {
		t.Errorf("Kenward and Roger under ML: %+v", k)
	}
	if c, err := fit("y ~ x + (1 | p) + (1 | th)", nil).Containment(); err == nil {
		t.Errorf("containment of crossed groupings: %+v", c)
	}
}

// TestModelIsForSeveral uses one model from many sides at once; the race detector
// looks on.
func TestModelIsForSeveral(t *testing.T) {
	t.Parallel()
	f := readFrame(t, "sessions.csv")
	m := mustFit(t, "y ~ t + (1 | id)", f, &Options{Within: &Correlation{Kind: AR1, Group: "id", Time: "t"}})
	first, err := m.Predict(f, PredictOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for _, use := range []func() error{
		func() error { _, err := m.Satterthwaite(); return err },
		func() error { _, err := m.Profile(t.Context(), 0.9); return err },
		func() error { _, err := m.Bootstrap(t.Context(), BootstrapOptions{Draws: 20}); return err },
		func() error { m.Simulate(1); m.Fitted(); return nil },
	} {
		wait.Go(func() {
			if err := use(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	again, err := m.Predict(f, PredictOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range first {
		if first[i] != again[i] {
			t.Fatalf("row %d: %+v, later %+v", i, first[i], again[i])
		}
	}
}
