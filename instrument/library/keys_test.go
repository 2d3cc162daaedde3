// SPDX-License-Identifier: AGPL-3.0-or-later

package library_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

// uniform answers every item alike, but for those given by number; NaN leaves out.
func uniform(k *instrument.Key, v float64, but map[int]float64) []float64 {
	out := make([]float64, len(k.Form.Items))
	for n := range out {
		out[n] = v
		if x, ok := but[n+1]; ok {
			out[n] = x
		}
	}
	return out
}

// gone marks an item that was not answered.
var gone = math.NaN()

// TestKeysByHand: scores worked out by hand from the published rule. The rule and
// where it was read stand in each key's file.
func TestKeysByHand(t *testing.T) {
	t.Parallel()
	none := math.NaN()
	for _, c := range []struct {
		key, scale string
		answers    float64
		but        map[int]float64
		want       float64
	}{
		// 12 items 1-5, none reversed; task 1 2 10 12, bond 3 5 7 9, goal 4 6 8 11.
		{"wai-sr", "total", 3, nil, 36},
		{"wai-sr", "task", 1, map[int]float64{1: 5, 2: 4, 10: 3, 12: 2}, 14},
		{"wai-sr", "goal", 1, map[int]float64{8: 5, 10: 5}, 8}, // item 8 is a goal here, item 10 a task
		{"wai-sr", "bond", 5, map[int]float64{9: gone}, none},
		// The short form of 1989 has another key: 8 is a task; 4 and 10 are goals and reversed, 8 - answer.
		{"wai-s", "task", 1, map[int]float64{8: 7}, 10},
		{"wai-s", "goal", 7, nil, 1 + 7 + 1 + 7},
		{"wai-s", "total", 1, nil, 10 + 2*7},
		// 36 items 1-7, 14 reversed: all 1 gives 22 + 14 x 7.
		{"wai-36", "total", 1, nil, 22 + 14*7},
		{"wai-36", "total", 4, nil, 144},
		// 12 items 1-4; 2 5 7 8 11 reversed, 5 - answer; bond 1 3 5 6 8 10.
		{"tasc-r", "total", 1, nil, 7 + 5*4},
		{"tasc-r", "bond", 4, nil, 4 + 4 + 1 + 4 + 1 + 4},
		{"tasc-r", "task", 4, map[int]float64{9: 2}, 1 + 4 + 1 + 2 + 1 + 4},
		// Four marks of 0-10 to one decimal.
		{"srs-v3", "total", 9.5, map[int]float64{4: 7.3}, 35.8},
		{"ors", "total", 6.2, map[int]float64{2: gone}, none},
		// 19 items 1-6; 4 8 11 16 19 reversed, 7 - answer.
		{"haq-ii", "total", 6, nil, 14*6 + 5},
		{"arm-5", "total", 7, nil, (4*7 + 1) / 5.0},
		// 10 items 0-4; 2 and 3 reversed; one may be missing: 10 times the mean of nine.
		{"core-10", "total", 1, nil, 8 + 2*3},
		{"core-10", "total", 2, map[int]float64{7: gone}, 20},
		{"core-10", "total", 1, map[int]float64{1: gone}, 10 * (7 + 6) / 9.0},
		{"core-10", "total", 1, map[int]float64{1: gone, 2: gone}, none},
		{"yp-core", "total", 0, nil, 3 * 4},
		// 34 items 0-4, ten times the mean; 8 reversed, and item 30 is not one of them.
		{"core-om", "total", 0, nil, 10 * 8 * 4 / 34.0},
		{"core-om", "total", 0, map[int]float64{30: 4}, 10 * (8*4 + 4) / 34.0},
		{"core-om", "total", 2, map[int]float64{1: gone, 2: gone, 5: gone}, 20},
		{"core-om", "total", 2, map[int]float64{1: gone, 2: gone, 5: gone, 6: gone}, none},
		{"core-om", "risk", 0, map[int]float64{6: 3, 9: 3}, 10},
		// Sums.
		{"phq-9", "total", 3, nil, 27},
		{"gad-7", "total", 1, map[int]float64{7: 3}, 9},
		{"gad-7", "total", 1, map[int]float64{7: gone}, none},
		// Five answers of 0-5, times four; all needed.
		{"who-5", "total", 3, nil, 60},
		{"who-5", "total", 3, map[int]float64{1: gone}, none},
		{"wsas", "total", 8, nil, 40},
		{"wsas", "total", 2, map[int]float64{1: gone}, none},
		{"wsas", "total_without_work", 2, map[int]float64{1: gone}, 8},
		// Five items of 0-2 on 0-10, three needed, rounded: 5 x 2/4 = 2.5 is 3, 5 x 4/3 = 6.67 is 7.
		{"sdq", "emotional", 0, map[int]float64{3: 2, 8: gone}, 3},
		{"sdq", "emotional", 0, map[int]float64{3: 2, 8: 2, 13: gone, 16: gone}, 7},
		{"sdq", "emotional", 0, map[int]float64{3: gone, 8: gone, 13: gone}, none},
		{"sdq", "conduct", 0, nil, 2}, // item 7 reversed
		{"sdq", "peer", 2, nil, 6},    // 11 and 14 reversed
		{"sdq", "hyperactivity", 1, nil, 5},
		{"sdq", "total", 0, nil, 0 + 2 + 4 + 4},
		{"sdq", "internalising", 0, nil, 0 + 4},
		{"sdq", "externalising", 0, nil, 2 + 4},
		{"sdq", "total", 0, map[int]float64{3: gone, 8: gone, 13: gone}, none},
		{"sdq", "prosocial", 2, nil, 10},
		{"rcads-47", "mdd", 1, nil, 10},
		{"rcads-47", "ocd", 3, nil, 18},
		{"gbo", "goals", 4, map[int]float64{2: 7, 3: gone}, 5.5},
		// Means of seven; readiness is contemplation + action + maintenance - precontemplation.
		{"urica-32", "readiness", 3, nil, 6},
		{"urica-32", "readiness", 5, map[int]float64{1: 1, 5: 1, 11: 1, 13: 1, 23: 1, 26: 1, 29: 1}, 14},
		{"urica-32", "readiness", 1, map[int]float64{1: 5, 5: 5, 11: 5, 13: 5, 23: 5, 26: 5, 29: 5}, -2},
		{"urica-32", "action", 1, map[int]float64{3: 5, 7: 4}, 14 / 7.0},
		{"urica-32", "action", 2, map[int]float64{4: gone, 9: gone, 20: gone, 31: gone}, 2}, // not scored
		{"socrates-8", "recognition", 5, nil, 35},
		{"socrates-8", "ambivalence", 1, nil, 4},
		{"socrates-8", "taking_steps", 5, nil, 40},
		{"sparq", "positive", 0, map[int]float64{1: 4, 6: 3, 7: 2, 8: 1}, 10},
		{"risq", "total", 0, map[int]float64{2: 1}, 1},
	} {
		k, ok := library.Key(c.key)
		if !ok || k.Form == nil {
			t.Fatalf("no key %q", c.key)
		}
		answers := uniform(k, c.answers, c.but)
		byID := instrument.Answers{}
		for n, v := range answers {
			if !math.IsNaN(v) {
				byID[strconv.Itoa(n+1)] = v
			}
		}
		fast, slow := k.Form.Scorer().Score(nil, answers), k.Form.Score(byID)
		found := false
		for n, s := range fast {
			if s.Scale != c.scale {
				continue
			}
			found = true
			if s.OK == math.IsNaN(c.want) || s.OK && math.Abs(s.Value-c.want) > 1e-12*max(1, math.Abs(c.want)) {
				t.Errorf("%s %s of %v but %v: %v, by hand %v", c.key, c.scale, c.answers, c.but, s.Value, c.want)
			}
			if slow[n].OK != s.OK || s.OK && slow[n].Value != s.Value {
				t.Errorf("%s %s: %+v and %+v", c.key, c.scale, s, slow[n])
			}
		}
		if !found {
			t.Errorf("%s has no scale %q", c.key, c.scale)
		}
	}
}

// TestKeys: every key is read; the ends of each scale can be reached; risk items
// and bands are found.
func TestKeys(t *testing.T) {
	t.Parallel()
	complete := 0
	for _, k := range library.Keys() {
		if k.Form == nil {
			continue
		}
		complete++
		for _, s := range k.Form.Scales {
			best, worst := instrument.Answers{}, instrument.Answers{}
			set := func(of instrument.Scale, sign float64) {
				for _, id := range of.Items {
					it, _ := k.Form.Item(id)
					high, low := it.Max, it.Min
					for _, r := range of.Reversed {
						if r == id {
							high, low = low, high
						}
					}
					if sign < 0 {
						high, low = low, high
					}
					best[id], worst[id] = high, low
				}
			}
			set(s, 1)
			for _, p := range s.Parts {
				part, _ := k.Form.Scale(p.Scale)
				set(part, p.Weight)
			}
			for end, a := range map[float64]instrument.Answers{s.Max: best, s.Min: worst} {
				for _, got := range k.Form.Score(a) {
					if got.Scale == s.ID && (!got.OK || math.Abs(got.Value-end) > 1e-12) {
						t.Errorf("%s %s: the end %v is reached as %v", k.ID, s.ID, end, got.Value)
					}
				}
			}
		}
	}
	if all := len(library.Keys()); all != 48 || complete != 29 {
		t.Errorf("%d keys, %d of them complete; 48 and 29 were read from the sources", all, complete)
	}
	k, _ := library.Key("core-10")
	if got := k.AtRisk(instrument.Answers{"6": 1, "7": 4}); len(got) != 1 || got[0] != "6" {
		t.Errorf("risk: %v", got)
	}
	for score, want := range map[float64]string{0: "healthy", 10.9: "low", 11: "mild", 40: "severe"} {
		if b, ok := k.Figures["total"].Band(score); !ok || b.Label["en"] != want {
			t.Errorf("a score of %v lies in %v", score, b.Label)
		}
	}
}
