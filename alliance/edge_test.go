// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-project/entente/alliance"
)

// odd draws what a number should not be, and what it should.
var odd = rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e308, -1e308, 1e200, 1e99, 0, 1, 3.5, 5, 10, -2})

// Whatever is in a course, the rule says something, says it twice alike, and its
// figures can be stored.
func TestAnything(t *testing.T) {
	t.Parallel()
	informants := rapid.SampledFrom([]alliance.Informant{alliance.Client, alliance.Therapist, alliance.Carer, alliance.Observer, ""})
	dimensions := rapid.SampledFrom([]alliance.Dimension{alliance.Bond, alliance.Whole, "", "x"})
	answers := rapid.SampledFrom([]alliance.TensionAnswer{alliance.TensionNone, alliance.TensionALittle, alliance.TensionYes, alliance.TensionNotSaid, "", "x"})
	rapid.Check(t, func(t *rapid.T) {
		number := func() float64 { return odd.Draw(t, "number") }
		var c alliance.Course
		for range rapid.IntRange(0, 4).Draw(t, "series") {
			s := alliance.Series{Dimension: dimensions.Draw(t, "dimension"), Informant: informants.Draw(t, "informant"), Min: number(), Max: number(),
				HigherIsBetter: rapid.Bool().Draw(t, "higher"), SEM: number(), Cutoff: number(), HasCutoff: rapid.Bool().Draw(t, "has cutoff")}
			for range rapid.IntRange(0, 6).Draw(t, "points") {
				s.Points = append(s.Points, alliance.Point{Session: rapid.IntRange(-2, 6).Draw(t, "session"), Value: number(), OK: rapid.Bool().Draw(t, "rated")})
			}
			c.Series = append(c.Series, s)
		}
		for range rapid.IntRange(0, 3).Draw(t, "answers") {
			c.Tension = append(c.Tension, alliance.TensionPoint{Session: rapid.IntRange(-2, 6).Draw(t, "session"), Answer: answers.Draw(t, "answer")})
		}
		rule := alliance.Usual()
		v := rule.Judge(c)
		if !reflect.DeepEqual(v, rule.Judge(c)) {
			t.Fatal("two answers to one question")
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatalf("figures that cannot be stored: %v in %+v", err, v)
		}
		if (v.Kind == alliance.NothingStandsOut) != (len(v.Reasons) == 0) {
			t.Fatalf("%s with %d reasons", v.Kind, len(v.Reasons))
		}
		for _, s := range c.Series {
			for _, g := range alliance.Gap(s, c.Series[0]) {
				if g.OK && (math.IsNaN(g.Difference) || math.IsInf(g.Difference, 0)) {
					t.Fatalf("%+v", g)
				}
			}
		}
	})
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	fallen := func(change func(*alliance.Series)) alliance.Series {
		s := series(alliance.Bond, 8, 8, 8, 2)
		change(&s)
		return s
	}
	for name, s := range map[string]alliance.Series{
		"a range that is no number": fallen(func(s *alliance.Series) { s.Max = nan }),
		"a range without an end":    fallen(func(s *alliance.Series) { s.Max = math.Inf(1) }),
		"a range of nothing":        fallen(func(s *alliance.Series) { s.Max = s.Min }),
		"squares without a number": fallen(func(s *alliance.Series) {
			for i := range s.Points {
				s.Points[i].Value *= 1e199
			}
			s.Max = 1e200
		}),
	} {
		if v := judge(s); v.Kind != alliance.TooLittle {
			t.Errorf("%s: %+v", name, v)
		}
	}
	steady := series(alliance.Bond, 8, 8, 8)
	for _, cut := range []float64{nan, math.Inf(1), math.Inf(-1)} {
		steady.Cutoff, steady.HasCutoff = cut, true
		if v := judge(steady); v.Kind != alliance.NothingStandsOut {
			t.Errorf("a cutoff of %v: %+v", cut, v)
		}
	}
}

// An empty answer to the direct question is no rating of that session.
func TestUnansweredTension(t *testing.T) {
	t.Parallel()
	c := alliance.Course{Series: []alliance.Series{series(alliance.Bond, 8, 8, 8, 2)}, Tension: []alliance.TensionPoint{{Session: 5}}}
	if v := alliance.Usual().Judge(c); v.Kind != alliance.WorthAskingNow || v.Session != 4 {
		t.Errorf("%+v", v)
	}
	c.Tension[0].Answer = alliance.TensionNotSaid
	if v := alliance.Usual().Judge(c); v.Kind != alliance.NothingStandsOut || v.Session != 5 {
		t.Errorf("declining is an answer: %+v", v)
	}
	c.Tension = []alliance.TensionPoint{{Session: 4, Answer: alliance.TensionYes}, {Session: 4, Answer: alliance.TensionALittle}}
	if v := alliance.Usual().Judge(c); len(v.Reasons) != 2 || v.Reasons[0].Tension != alliance.TensionYes {
		t.Errorf("two forms ask: %+v", v)
	}
}

// A form whose mean is no exact number is at the top all the same, and the
// carer's sessions are not counted as the client's.
func TestFlat(t *testing.T) {
	t.Parallel()
	almost := math.Nextafter(10, 0)
	carer := series(alliance.Bond, 8, 8, 8, 8, 8, 8)
	carer.Informant = alliance.Carer
	v := judge(series(alliance.Bond, 10, almost, 10, 10), series(alliance.Goals, 10, 10, 10, 10), carer)
	if v.Kind != alliance.CannotBeRead || v.Reasons[0].Figures.N != 4 {
		t.Errorf("%+v", v)
	}
	lower := series(alliance.Whole, 0, 0, 0, 0)
	lower.HigherIsBetter = false
	if v := judge(lower); v.Kind != alliance.CannotBeRead {
		t.Errorf("lower is better: %+v", v)
	}
	if v := judge(series(alliance.Bond, 10, 10, 10, 10), series(alliance.Goals, 10, 10, 9.9, 10)); v.Kind != alliance.NothingStandsOut {
		t.Errorf("one rating says something: %+v", v)
	}
}
