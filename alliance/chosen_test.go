// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-project/entente/alliance"
)

func chosen(t testing.TB, id string) alliance.Rule {
	t.Helper()
	r, err := alliance.RuleByID(id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestChosenRules: each rule on offer asks where its paper's number exceeds its
// paper's limit, by hand, and not just below it.
func TestChosenRules(t *testing.T) {
	t.Parallel()
	for id, x := range map[string]struct{ asks, silent []float64 }{
		"raw-fall":            {[]float64{8, 6.9}, []float64{8, 7}},
		"criterion":           {[]float64{8, 8, 6.5}, []float64{8, 8, 6.9}},                           // 1.3 between people
		"individuals-chart":   {[]float64{8, 8.2, 8, 8.2, 8, 8.2, 8, 6}, []float64{8, 7, 8, 7, 8, 6}}, // spread by the steps
		"individuals-chart-2": {[]float64{8, 7, 8, 7, 8, 7, 8, 4.5}, []float64{8, 7, 8, 7, 8, 6}},
		"running-baseline":    {[]float64{8, 7, 8, 7, 6}, []float64{8, 7, 8, 7, 6.6}}, // mean 7.5, SD .577: 6.35
		"sudden-loss":         {[]float64{8, 8.1, 7.9, 5, 5.1}, []float64{8, 7, 9, 7, 6}},
	} {
		for want, values := range map[alliance.Kind][]float64{alliance.WorthAsking: x.asks, alliance.NothingStandsOut: x.silent} {
			if got := chosen(t, id).Judge(alliance.Course{Series: []alliance.Series{series(alliance.Bond, values...)}}); got.Kind != want || got.Rule != id {
				t.Errorf("%s of %v: %s, want %s", id, values, got.Kind, want)
			}
		}
	}
	if _, err := alliance.RuleByID("moon"); err == nil {
		t.Error("a rule that is not offered")
	}
	if got := chosen(t, "").Key(); got != alliance.Usual().Key() || got != chosen(t, alliance.WeighingName).Key() {
		t.Errorf("none chosen: %s", got)
	}
}

// TestChosenUnits: in which units a form counts, and which way, changes no verdict;
// the figures are in the form's own.
func TestChosenUnits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(0, 10), 1, 12).Draw(r, "values")
		id := rapid.SampledFrom(alliance.Offered()).Draw(r, "rule").ID
		plain := series(alliance.Bond)
		turned := series(alliance.Bond)
		turned.Min, turned.Max, turned.HigherIsBetter = 5, 45, false
		for i, v := range values {
			plain.Points = append(plain.Points, alliance.Point{Session: i + 1, Value: float64(v), OK: true})
			turned.Points = append(turned.Points, alliance.Point{Session: i + 1, Value: 45 - 4*float64(v), OK: true})
		}
		a, b := chosen(t, id).Judge(alliance.Course{Series: []alliance.Series{plain}}), chosen(t, id).Judge(alliance.Course{Series: []alliance.Series{turned}})
		if a.Kind != b.Kind || len(a.Reasons) != len(b.Reasons) {
			r.Fatalf("%s of %v: %s and %s", id, values, a.Kind, b.Kind)
		}
		for i := range a.Reasons {
			if x, y := a.Reasons[i].Figures, b.Reasons[i].Figures; math.Abs(4*x.Change+y.Change) > 1e-9 || math.Abs(4*x.Threshold-y.Threshold) > 1e-9 {
				r.Fatalf("%+v and %+v", x, y)
			}
		}
	})
}

// TestChosenTells: what belongs to no rule is told by each of them.
func TestChosenTells(t *testing.T) {
	t.Parallel()
	for _, p := range alliance.Offered() {
		r := chosen(t, p.ID)
		if got := r.Judge(alliance.Course{Series: []alliance.Series{series(alliance.Bond, 7)}, Tension: []alliance.TensionPoint{{Session: 1, Answer: alliance.TensionYes}}}); got.Kind != alliance.WorthAskingNow {
			t.Errorf("%s: a plain yes is %s", p.ID, got.Kind)
		}
		if got := r.Judge(alliance.Course{Series: []alliance.Series{series(alliance.Bond, 10, 10, 10, 10, 10, 10)}}); got.Kind != alliance.CannotBeRead {
			t.Errorf("%s: all at the top is %s", p.ID, got.Kind)
		}
		if got := r.Judge(alliance.Course{Series: []alliance.Series{series(alliance.Bond, 7)}}); got.Kind != alliance.TooLittle {
			t.Errorf("%s: one rating is %s", p.ID, got.Kind)
		}
		if got := r.Judge(alliance.Course{}); got.Kind != alliance.TooLittle || got.Session != 0 {
			t.Errorf("%s: nothing is %+v", p.ID, got)
		}
		if n := 16; !(alliance.FalseAlarms(p.ID, 1, n) > 0 && alliance.FalseAlarms(p.ID, 3, n) > alliance.FalseAlarms(p.ID, 1, n) && alliance.FalseAlarms(p.ID, 3, 99) <= 1) {
			t.Errorf("%s: false alarms", p.ID)
		}
	}
}
