// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-project/entente/alliance"
)

// series makes a client's series of one dimension on 0-10; NaN is not rated.
func series(d alliance.Dimension, values ...float64) alliance.Series {
	s := alliance.Series{Dimension: d, Informant: alliance.Client, Max: 10, HigherIsBetter: true}
	for i, v := range values {
		s.Points = append(s.Points, alliance.Point{Session: i + 1, Value: v, OK: !math.IsNaN(v)})
	}
	return s
}

func judge(s ...alliance.Series) alliance.Verdict {
	return alliance.Usual().Judge(alliance.Course{Series: s})
}

func TestJudge(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	lower := series(alliance.Whole, 2, 2, 2, 6)
	lower.HigherIsBetter = false
	therapist := series(alliance.Bond, 8, 8, 8, 2)
	therapist.Informant = alliance.Therapist
	carer := series(alliance.Bond, 8, 8, 8, 2)
	carer.Informant = alliance.Carer
	cut := series(alliance.Whole, 30, 31)
	cut.Max, cut.Cutoff, cut.HasCutoff = 40, 36, true
	for _, c := range []struct {
		name   string
		series []alliance.Series
		kind   alliance.Kind
		reason alliance.ReasonCode
	}{
		{"nothing rated", nil, alliance.TooLittle, alliance.FewValues},
		{"one value", []alliance.Series{series(alliance.Goals, 8)}, alliance.TooLittle, alliance.FewValues},
		{"two values", []alliance.Series{series(alliance.Goals, 8, 2)}, alliance.WorthAsking, alliance.Fell},
		{"two values, nearer", []alliance.Series{series(alliance.Goals, 8, 5)}, alliance.NothingStandsOut, ""},
		{"a gap is not a value", []alliance.Series{series(alliance.Goals, nan, nan, 2)}, alliance.TooLittle, alliance.FewValues},
		{"a fall", []alliance.Series{series(alliance.Goals, 7, 8, 8, 5)}, alliance.WorthAsking, alliance.Fell},
		{"a large fall", []alliance.Series{series(alliance.Goals, 7, 8, 8, 4)}, alliance.WorthAskingNow, alliance.Fell},
		{"a point", []alliance.Series{series(alliance.Goals, 7, 8, 8, 7)}, alliance.NothingStandsOut, ""},
		{"usual for this person", []alliance.Series{series(alliance.Goals, 9, 3, 9, 3, 9, 5.5)}, alliance.NothingStandsOut, ""},
		{"unusual for one who never varies", []alliance.Series{series(alliance.Goals, 8, 8, 8, 8, 8, 8, 6)}, alliance.WorthAsking, alliance.Fell},
		{"low for a second time", []alliance.Series{series(alliance.Goals, 8, 8, 8, 6, 5.5)}, alliance.WorthAsking, alliance.Fell},
		{"growth", []alliance.Series{series(alliance.Goals, 3, 5, 7, 9)}, alliance.NothingStandsOut, ""},
		{"lower is better and rose", []alliance.Series{lower}, alliance.WorthAskingNow, alliance.Fell},
		{"the therapist's fall decides nothing", []alliance.Series{series(alliance.Bond, 8, 8, 8, 8), therapist}, alliance.NothingStandsOut, ""},
		{"a carer's fall does", []alliance.Series{series(alliance.Bond, 8, 8, 8, 8), carer}, alliance.WorthAsking, alliance.Fell},
		{"flat at the top", []alliance.Series{series(alliance.Bond, 10, 10, 10, 10)}, alliance.CannotBeRead, alliance.FlatMaximal},
		{"flat, not at the top", []alliance.Series{series(alliance.Bond, 9, 9, 9, 9)}, alliance.NothingStandsOut, ""},
		{"below the cutoff, with two values", []alliance.Series{cut}, alliance.WorthAsking, alliance.BelowCutoff},
		{"not numbers", []alliance.Series{series(alliance.Bond, math.Inf(1), nan, math.Inf(-1), 5)}, alliance.TooLittle, alliance.FewValues},
	} {
		v := judge(c.series...)
		got := alliance.ReasonCode("")
		if len(v.Reasons) > 0 {
			got = v.Reasons[0].Code
		}
		if v.Kind != c.kind || got != c.reason {
			t.Errorf("%s: %s because %q, want %s because %q", c.name, v.Kind, got, c.kind, c.reason)
		}
		if v.Rule != alliance.WeighingName || v.Version != alliance.WeighingVersion {
			t.Errorf("%s: rule %s %d", c.name, v.Rule, v.Version)
		}
	}
}

// TestFigures: what is told of a fall is what the detector foresaw, in points of
// the form, and the chance of a false alarm is that of a course as long as this one.
func TestFigures(t *testing.T) {
	t.Parallel()
	v := judge(move(series(alliance.Goals, 6, 7, 8, 3), 2, 10, false)) // on 10 to 30
	f, w := v.Reasons[0].Figures, v.Weighed[0]
	if f.From != 26 || f.To != 16 || f.Change != -10 || f.N != 4 || f.FromSession != 3 || f.ToSession != 4 || v.Reasons[0].Back {
		t.Errorf("%+v", f)
	}
	d, err := alliance.NewDetector(alliance.Stated())
	if err != nil {
		t.Fatal(err)
	}
	track := d.Track()
	var want alliance.Fall
	for i, y := range []float64{6, 7, 8, 3} {
		want = track.Add(i+1, float64(i), y)
	}
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("odds", w.Odds, want.Odds)
	near("expected", w.Expected, 10+2*want.Expected)
	near("low", w.Low, 10+2*(want.Expected-1.2815515655446004*want.SD))
	near("high", w.High, 10+2*(want.Expected+1.2815515655446004*want.SD))
	near("margin", w.Margin, 2*d.Margin())
	near("probability", w.Probability, want.Probability)
	limits := alliance.LimitsFor(1)
	if w.Limit != limits.Asking || w.FalseAlarms != limits.AnyAsking[2] || w.FalseAlarmsNow != limits.AnyNow[2] || !w.Now {
		t.Errorf("%+v", w)
	}
}

// TestBack: a fall that came back is told once. Where it was large enough to be
// asked about when it came, its coming back is no cause to ask again.
func TestBack(t *testing.T) {
	t.Parallel()
	if v := judge(series(alliance.Goals, 8, 8, 8, 4, 8)); v.Kind != alliance.NothingStandsOut {
		t.Errorf("asked about before: %+v", v)
	}
	v := judge(series(alliance.Goals, 8, 8, 8, 8, 8, 8, 8, 6.1, 8.5))
	if before := judge(series(alliance.Goals, 8, 8, 8, 8, 8, 8, 8, 6.1)); before.Asks() == v.Asks() && v.Asks() {
		t.Errorf("told twice: %+v, %+v", before, v)
	}
}

// TestLimitsOfThree: three series have three chances of a false alarm, and higher
// limits for it.
func TestLimitsOfThree(t *testing.T) {
	t.Parallel()
	one, three := alliance.LimitsFor(1), alliance.LimitsFor(3)
	if three.Asking <= one.Asking || three.Now <= one.Now {
		t.Errorf("%v, %v", one, three)
	}
	steady := []float64{8, 8, 8, 8}
	fall := series(alliance.Goals, 7, 8, 8, 5)
	if v := judge(fall); v.Kind != alliance.WorthAsking {
		t.Errorf("alone: %s", v.Kind)
	}
	if v := judge(fall, series(alliance.Bond, steady...), series(alliance.Tasks, steady...)); v.Kind != alliance.NothingStandsOut {
		t.Errorf("one of three: %s", v.Kind)
	}
}

// TestGaps: two ratings a day apart are more alike than two a month apart, and a
// rating at the same instant twice does no harm.
func TestGaps(t *testing.T) {
	t.Parallel()
	odds := func(days ...int64) float64 {
		s := series(alliance.Goals, 8, 7, 7.5, 6.5, 5)
		for i := range s.Points {
			s.Points[i].AtMillis = 1_700_000_000_000 + days[i]*24*3600_000
		}
		return judge(s).Weighed[0].Odds
	}
	weekly, daily, same := odds(0, 7, 14, 21, 28), odds(0, 1, 2, 3, 4), odds(0, 0, 0, 0, 0)
	if weekly == daily || math.IsNaN(same) || math.IsInf(same, 0) {
		t.Errorf("odds %v weekly, %v daily, %v at once", weekly, daily, same)
	}
}

func TestReasonsAreOrdered(t *testing.T) {
	t.Parallel()
	goals, bond, carer := series(alliance.Goals, 8, 8, 8, 2), series(alliance.Bond, 8, 8, 8, 3), series(alliance.Bond, 9, 9, 9, 4)
	carer.Informant = alliance.Carer
	other := series(alliance.Goals, 9, 9, 9, 1)
	v := judge(goals, other, bond, carer)
	if !reflect.DeepEqual(v, judge(other, goals, carer, bond)) {
		t.Error("the order of the series matters")
	}
	if len(v.Reasons) != 4 || v.Reasons[0].Informant != alliance.Carer || v.Reasons[1].Dimension != alliance.Bond || v.Reasons[3].Dimension != alliance.Goals {
		t.Errorf("%+v", v.Reasons)
	}
}

func TestTensionCountsAlone(t *testing.T) {
	t.Parallel()
	for answer, want := range map[alliance.TensionAnswer]alliance.Kind{
		alliance.TensionYes: alliance.WorthAskingNow, alliance.TensionALittle: alliance.WorthAsking,
		alliance.TensionNone: alliance.CannotBeRead, alliance.TensionNotSaid: alliance.CannotBeRead,
	} {
		v := alliance.Usual().Judge(alliance.Course{
			Series: []alliance.Series{series(alliance.Bond, 10, 10, 10, 10)}, Tension: []alliance.TensionPoint{{Session: 2, Answer: alliance.TensionYes}, {Session: 4, Answer: answer}},
		})
		if v.Kind != want {
			t.Errorf("%s: %s, want %s", answer, v.Kind, want)
		}
	}
}

// Shifting, stretching or turning round a form's points changes no verdict, nor
// does the order in which the series are given.
func TestInvariance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		half := rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(0, 20).Draw(t, "half")) / 2 })
		values := rapid.SliceOfN(rapid.OneOf(half, rapid.Float64Range(0, 10)), 0, 12)
		one, two, three := series(alliance.Bond, values.Draw(t, "bond")...), series(alliance.Goals, values.Draw(t, "goals")...), series(alliance.Goals, values.Draw(t, "goals of another form")...)
		v := judge(one, two, three)
		for _, w := range []alliance.Verdict{judge(three, one, two), judge(three, two, one), judge(two, three, one)} {
			if !reflect.DeepEqual(v, w) {
				t.Fatalf("the order of the series matters: %+v, %+v", v, w)
			}
		}
		a, b := rapid.Float64Range(.1, 9).Draw(t, "stretch"), rapid.Float64Range(-50, 50).Draw(t, "shift")
		for _, turned := range []bool{false, true} {
			var moved []alliance.Series
			for _, s := range []alliance.Series{one, two, three} {
				moved = append(moved, move(s, a, b, turned))
			}
			if w := judge(moved...); w.Kind != v.Kind || codes(w) != codes(v) {
				t.Fatalf("turned %v: %+v became %+v", turned, v, w)
			}
		}
	})
}

// move gives a series on 0-10 in other points; turned, lower is better.
func move(s alliance.Series, stretch, shift float64, turned bool) alliance.Series {
	in := func(v float64) float64 {
		if turned {
			v = 10 - v
		}
		return stretch*v + shift
	}
	out := s
	out.Min, out.Max, out.HigherIsBetter, out.Points = shift, stretch*10+shift, !turned, nil
	for _, p := range s.Points {
		p.Value = in(p.Value)
		out.Points = append(out.Points, p)
	}
	return out
}

// codes lists the reasons as a set: of two forms with one dimension either may
// come first.
func codes(v alliance.Verdict) string {
	var out []string
	for _, r := range v.Reasons {
		out = append(out, fmt.Sprint(r.Code, r.Dimension, r.Session, r.Figures.N))
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}

// TestStable: a line that hardly moves is never asked about.
func TestStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.Float64Range(1, 8).Draw(t, "level")
		var values []float64
		for range rapid.IntRange(3, 20).Draw(t, "sessions") {
			values = append(values, level+rapid.Float64Range(0, 1).Draw(t, "error"))
		}
		for n := range values {
			if v := judge(series(alliance.Tasks, values[:n+1]...)); v.Asks() {
				t.Fatalf("%v: %+v", values[:n+1], v)
			}
		}
	})
}
