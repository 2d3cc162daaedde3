// SPDX-License-Identifier: AGPL-3.0-or-later

package outcome_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/entente-project/entente/outcome"
	"github.com/entente-project/entente/stats/psych"
)

// core10 are the published figures of a ten-item scale of distress: clinical from
// 11 on, a change of 6 reliable.
var core10 = outcome.Figures{Change: 6, Cutoff: &outcome.Cutoff{Value: 11, Inclusive: true}}

// upward is a scale of well-being: clinical below 25, a change of 5 reliable.
var upward = outcome.Figures{HigherIsBetter: true, Change: 5, Cutoff: &outcome.Cutoff{Value: 25}}

func TestClass(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		f        outcome.Figures
		from, to float64
		want     psych.Change
	}{
		{core10, 20, 14, psych.Improved},
		{core10, 20, 14.1, psych.Unchanged},
		{core10, 20, 11, psych.Improved}, // at the cutoff is the clinical side
		{core10, 20, 10, psych.Recovered},
		{core10, 10, 4, psych.Improved}, // was never on the clinical side
		{core10, 10, 16, psych.Deteriorated},
		{core10, 10, 15.9, psych.Unchanged},
		{upward, 20, 25, psych.Recovered}, // below 25 is the clinical side
		{upward, 20, 24.9, psych.Unchanged},
		{upward, 19, 24.9, psych.Improved},
		{upward, 30, 25, psych.Deteriorated},
		{outcome.Figures{}, 0, 40, psych.Unchanged},
		{outcome.Figures{Change: 6}, 20, 1, psych.Improved},
		{outcome.Figures{Change: .3}, .1, .4, psych.Deteriorated}, // .4-.1 is a little less than .3
		{core10, math.NaN(), 4, psych.Unchanged},
		{core10, 4, math.Inf(1), psych.Unchanged},
	} {
		if got := x.f.Class(x.from, x.to); got != x.want {
			t.Errorf("%+v from %v to %v: %v, want %v", x.f, x.from, x.to, got, x.want)
		}
	}
}

// TestClassAsPsych holds the classes by figures against those worked out of
// reliability and standard deviation, on the 43 courses.
func TestClassAsPsych(t *testing.T) {
	t.Parallel()
	r, err := psych.NewReliableChange(10.5, .931)
	if err != nil {
		t.Fatal(err)
	}
	f := outcome.Figures{Change: r.Criterion(.95), Cutoff: &outcome.Cutoff{Value: 14, Inclusive: true}}
	counts := map[psych.Change]int{}
	for i, y := range append(courses(t), courses(t)...) {
		if i >= 43 { // as if time ran the other way: nobody here got reliably worse
			slices.Reverse(y)
		}
		v := f.Judge(y, nil)
		want, err := r.Classify(v.First, v.Now, 14, .95, true)
		if err != nil || v.Class != want {
			t.Errorf("%v: %v, want %v (%v)", y, v.Class, want, err)
		}
		counts[want]++
	}
	if len(counts) != 4 {
		t.Errorf("not every class occurs: %v", counts)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	g := &outcome.Growth{Until: 10, Centre: 20, Beta: [4]float64{20, 1, -3, 0}, Between: [2][2]float64{{4, 0}, {0, 0}}, Sigma: 2} // band: plus or minus 3.62
	for name, x := range map[string]struct {
		scores []float64
		g      *outcome.Growth
		want   outcome.State
		track  outcome.Track
	}{
		"none":                                  {nil, g, outcome.TooEarly, outcome.NoBand},
		"one":                                   {[]float64{nan, 20}, g, outcome.TooEarly, outcome.NoBand},
		"no change early":                       {[]float64{20, 19}, nil, outcome.TooEarly, outcome.NoBand},
		"no change":                             {[]float64{20, 19, 19, 18, 17}, nil, outcome.Unchanged, outcome.NoBand},
		"no change counts from the first score": {[]float64{nan, nan, 20, 19, 18}, nil, outcome.TooEarly, outcome.NoBand},
		"better at once":                        {[]float64{20, 12}, nil, outcome.Improved, outcome.NoBand},
		"recovered":                             {[]float64{20, nan, 8, nan}, nil, outcome.Recovered, outcome.NoBand},
		"worse":                                 {[]float64{20, 26}, g, outcome.Worse, outcome.Beyond},
		"beyond the band":                       {[]float64{20, 20, 20, 20, 20}, g, outcome.NotOnTrack, outcome.Beyond},
		"beyond, though not told without":       {[]float64{20, 20, 20, 20, 20}, nil, outcome.Unchanged, outcome.NoBand},
		"better, and still beyond":              {[]float64{30, 29, 28, 29, 29, 29, 29, 29, 29, 29}, g, outcome.NotOnTrack, outcome.Beyond},
		"within":                                {[]float64{20, 19, 18, 18, 17}, g, outcome.Unchanged, outcome.Within},
		"ahead":                                 {[]float64{20, 12}, g, outcome.Improved, outcome.Ahead},
		"beyond what the episodes reach":        {[]float64{20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20}, g, outcome.Unchanged, outcome.NoBand},
	} {
		v := core10.Judge(x.scores, x.g)
		if v.State != x.want || v.Track != x.track {
			t.Errorf("%s: %s, %s; want %s, %s (%+v)", name, v.State, v.Track, x.want, x.track, v)
		}
	}
	if v := (outcome.Figures{}).Judge([]float64{1, 9, 9, 9, 9, 9}, nil); v.State != outcome.NoFigure || v.Sudden != nil {
		t.Errorf("without figures: %+v", v)
	}
}

// TestJudgeMirror turns everything round: the same is to be said.
func TestJudgeMirror(t *testing.T) {
	t.Parallel()
	w := world{r: rand.New(rand.NewPCG(5, 5)), sessions: 12}
	all := w.courses(220)
	turned := make([][]float64, len(all))
	for i, y := range all {
		for _, v := range y {
			turned[i] = append(turned[i], 60-v)
		}
	}
	g, err := outcome.FitGrowth(all)
	if err != nil {
		t.Fatal(err)
	}
	h, err := outcome.FitGrowth(turned)
	if err != nil {
		t.Fatal(err)
	}
	down := outcome.Figures{Change: 8, Cutoff: &outcome.Cutoff{Value: 14, Inclusive: true}}
	up := outcome.Figures{HigherIsBetter: true, Change: 8, Cutoff: &outcome.Cutoff{Value: 46, Inclusive: true}}
	seen := map[outcome.State]int{}
	for i := range all {
		a, b := down.Judge(all[i], g), up.Judge(turned[i], h)
		if a.State != b.State || a.Track != b.Track || math.Abs(a.Expected.Mean-(60-b.Expected.Mean)) > .001 && a.Track != outcome.NoBand {
			t.Errorf("%v: %+v, turned round %+v", all[i], a, b)
		}
		seen[a.State]++
	}
	if len(seen) < 5 {
		t.Errorf("only %v occur", seen)
	}
}

// FuzzJudge looks for anything that stops it or gives no state.
func FuzzJudge(f *testing.F) {
	f.Add(3., 4., 5., 6., true)
	f.Add(math.NaN(), math.Inf(1), -1., 1e308, false)
	g := &outcome.Growth{Until: 3, Sigma: 1, Beta: [4]float64{1, 1, 1, 1}}
	f.Fuzz(func(t *testing.T, a, b, c, d float64, up bool) {
		v := outcome.Figures{HigherIsBetter: up, Change: d, Cutoff: &outcome.Cutoff{Value: c}}.Judge([]float64{a, b, c, d}, g)
		if v.State == "" || math.IsNaN(v.Expected.Lower) {
			t.Errorf("%+v", v)
		}
	})
}
