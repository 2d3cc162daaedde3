// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
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
	return alliance.DefaultRule().Judge(alliance.Course{Series: s})
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
	known := series(alliance.Bond, 8, 8, 8, 7)
	known.SEM = .3
	for _, c := range []struct {
		name   string
		series []alliance.Series
		kind   alliance.Kind
		reason alliance.ReasonCode
	}{
		{"nothing rated", nil, alliance.TooLittle, alliance.FewValues},
		{"two values", []alliance.Series{series(alliance.Goals, 8, 2)}, alliance.TooLittle, alliance.FewValues},
		{"a gap is not a value", []alliance.Series{series(alliance.Goals, 8, nan, 2)}, alliance.TooLittle, alliance.FewValues},
		{"a fall", []alliance.Series{series(alliance.Goals, 7, 8, 8, 4)}, alliance.WorthAsking, alliance.Fell},
		{"within error", []alliance.Series{series(alliance.Goals, 7, 8, 8, 7)}, alliance.NothingStandsOut, ""},
		{"beyond error but usual for this person", []alliance.Series{series(alliance.Goals, 9, 3, 9, 3, 9, 5.5)}, alliance.NothingStandsOut, ""},
		{"beyond a known error", []alliance.Series{known}, alliance.WorthAsking, alliance.Fell},
		{"growth", []alliance.Series{series(alliance.Goals, 3, 5, 7, 9)}, alliance.NothingStandsOut, ""},
		{"lower is better and rose", []alliance.Series{lower}, alliance.WorthAsking, alliance.Fell},
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
		if v.Rule != alliance.RuleName || v.Version != alliance.RuleVersion {
			t.Errorf("%s: rule %s %d", c.name, v.Rule, v.Version)
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	v := judge(series(alliance.Goals, 6, 7, 8, 4))
	f := v.Reasons[0].Figures
	if f.From != 8 || f.To != 4 || f.Change != -4 || f.Mean != 7 || f.SD != 1 || f.Deviation != -3 || f.N != 4 || f.FromSession != 3 || f.ToSession != 4 || f.ErrorKnown {
		t.Errorf("%+v", f)
	}
	// Reliable change at 90 %: 1.645 * sqrt(2) * SEM, with the default SEM of a tenth of the range.
	if want := 1.645 * math.Sqrt2 * 1.0; math.Abs(f.Threshold-want) > 1e-12 {
		t.Errorf("threshold %v, want %v", f.Threshold, want)
	}
}

func TestTensionCountsAlone(t *testing.T) {
	t.Parallel()
	for answer, want := range map[alliance.TensionAnswer]alliance.Kind{
		alliance.TensionYes: alliance.WorthAsking, alliance.TensionALittle: alliance.WorthAsking,
		alliance.TensionNone: alliance.CannotBeRead, alliance.TensionNotSaid: alliance.CannotBeRead,
	} {
		v := alliance.DefaultRule().Judge(alliance.Course{
			Series: []alliance.Series{series(alliance.Bond, 10, 10, 10, 10)}, Tension: []alliance.TensionPoint{{Session: 2, Answer: alliance.TensionYes}, {Session: 4, Answer: answer}},
		})
		if v.Kind != want {
			t.Errorf("%s: %s, want %s", answer, v.Kind, want)
		}
	}
}

// Shifting and stretching a form's points changes no verdict, nor does the order
// in which the series are given.
func TestInvariance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 10), 0, 12).Draw(t, "values")
		other := rapid.SliceOfN(rapid.Float64Range(0, 10), 0, 12).Draw(t, "other")
		a, b := rapid.Float64Range(.1, 9).Draw(t, "stretch"), rapid.Float64Range(-50, 50).Draw(t, "shift")
		one, two := series(alliance.Bond, values...), series(alliance.Goals, other...)
		v := judge(one, two)
		if !reflect.DeepEqual(v, judge(two, one)) {
			t.Fatal("the order of the series matters")
		}
		moved := []alliance.Series{one, two}
		for i := range moved {
			moved[i].Min, moved[i].Max = b, a*10+b
			moved[i].Points = append([]alliance.Point(nil), moved[i].Points...)
			for k := range moved[i].Points {
				moved[i].Points[k].Value = a*moved[i].Points[k].Value + b
			}
		}
		if w := judge(moved...); len(w.Reasons) != len(v.Reasons) || w.Kind != v.Kind {
			// A value that lies on a threshold to the last bit may fall on either side.
			for _, r := range append(v.Reasons, w.Reasons...) {
				if math.Abs(math.Abs(r.Figures.Change)-r.Figures.Threshold) < 1e-9 {
					return
				}
			}
			t.Fatalf("%+v became %+v", v, w)
		}
	})
}

// A stable client, whose ratings only vary by chance, is asked about wrongly now
// and then. How often the rule does that in a course of 12 sessions is measured
// here, not assumed.
func TestFalseAlarms(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 36))
	const courses, sessions = 2000, 12
	wrong := 0
	for range courses {
		var values []float64
		alarm := false
		for range sessions {
			values = append(values, min(10, max(0, 7+r.NormFloat64())))
			alarm = alarm || judge(series(alliance.Whole, values...)).Kind == alliance.WorthAsking
		}
		if alarm {
			wrong++
		}
	}
	share := float64(wrong) / courses
	t.Logf("false alarms in a stable course of %d sessions with a within-person SD of 1 on 0-10: %.3f", sessions, share)
	if share > .25 {
		t.Errorf("%.3f of stable courses are asked about", share)
	}
}

func TestGap(t *testing.T) {
	t.Parallel()
	client := series(alliance.Bond, 4, math.NaN(), 6)
	therapist := series(alliance.Bond, 20, 30, 40)
	therapist.Min, therapist.Max, therapist.Informant = 10, 50, alliance.Therapist
	g := alliance.Gap(client, therapist)
	if g[0].Difference != -1.5 || g[1].OK || g[2].Difference != 1.5 {
		t.Errorf("%+v", g)
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	first, previous, now := alliance.Snapshot(series(alliance.Bond, math.NaN(), 4, math.NaN(), 6, 5, math.NaN()))
	if first.Session != 2 || previous.Session != 4 || now.Session != 5 {
		t.Errorf("%+v %+v %+v", first, previous, now)
	}
	if first, previous, now = alliance.Snapshot(alliance.Series{}); first.OK || previous.OK || now.OK {
		t.Error("an empty series has points")
	}
}

func ExampleRule_Judge() {
	goals := alliance.Series{Dimension: alliance.Goals, Informant: alliance.Client, Max: 10, HigherIsBetter: true}
	for i, v := range []float64{7, 8, 8, 4} {
		goals.Points = append(goals.Points, alliance.Point{Session: i + 1, Value: v, OK: true})
	}
	v := alliance.DefaultRule().Judge(alliance.Course{Series: []alliance.Series{goals}})
	fmt.Println(v.Kind, v.Reasons[0].Dimension, v.Reasons[0].Figures.From, "to", v.Reasons[0].Figures.To)
	// Output: worth_asking goals 8 to 4
}
