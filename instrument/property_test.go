// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"pgregory.net/rapid"
)

// drawForm writes a random valid form and parses it, so that what holds for it
// holds for whatever Parse lets through.
func drawForm(t *rapid.T) *instrument.Instrument {
	var b strings.Builder
	b.WriteString(head + "items:\n")
	n := rapid.IntRange(1, 6).Draw(t, "items")
	low := rapid.IntRange(-3, 3).Draw(t, "low")
	width := rapid.IntRange(1, 10).Draw(t, "width")
	tenths := rapid.Bool().Draw(t, "tenths")
	var ids, reversed []string
	step, scale := "1", 1.0
	if tenths {
		step, scale = ".1", .1
	}
	for k := range n {
		id := fmt.Sprintf("i%d", k)
		ids = append(ids, id)
		if rapid.Bool().Draw(t, "reversed") {
			reversed = append(reversed, id)
		}
		fmt.Fprintf(&b, "  - {id: %s, text: {en: x}, display: line, min: %g, max: %g, step: %s, low: {en: x}, high: {en: x}}\n",
			id, float64(low)*scale, float64(low+width)*scale, step)
	}
	method := rapid.SampledFrom([]string{"mean", "sum"}).Draw(t, "method")
	missing := rapid.IntRange(0, n-1).Draw(t, "missing")
	fmt.Fprintf(&b, "scales:\n  - {id: s, name: {en: x}, dimension: whole, items: [%s], reversed: [%s], method: %s, missing_allowed: %d}\n",
		strings.Join(ids, ", "), strings.Join(reversed, ", "), method, missing)
	i, err := instrument.Parse("drawn.yaml", []byte(b.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return i
}

func drawAnswers(t *rapid.T, i *instrument.Instrument) instrument.Answers {
	a := instrument.Answers{}
	for _, it := range i.Items {
		if rapid.Bool().Draw(t, "answered") {
			steps := int((it.Max-it.Min)/it.Step + .5)
			v := it.Min + float64(rapid.IntRange(0, steps).Draw(t, "step"))*it.Step
			a[it.ID] = min(v, it.Max)
		}
	}
	return a
}

func TestScoreStaysInRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := drawForm(t)
		a := drawAnswers(t, i)
		if err := i.Check(a); err != nil {
			t.Fatal(err)
		}
		s, got := i.Scales[0], i.Score(a)[0]
		if want := len(s.Items)-len(a) <= s.MissingAllowed && len(a) > 0; got.OK != want {
			t.Fatalf("ok %v, want %v", got.OK, want)
		}
		if got.OK && (got.Value < s.Min || got.Value > s.Max) {
			t.Fatalf("score %v outside %v to %v", got.Value, s.Min, s.Max)
		}
	})
}

func TestScoreDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := drawForm(t)
		a := drawAnswers(t, i)
		before := i.Score(a)[0]
		other := *i
		other.Items = rapid.Permutation(i.Items).Draw(t, "item order")
		other.Scales = slices.Clone(i.Scales)
		other.Scales[0].Items = rapid.Permutation(i.Scales[0].Items).Draw(t, "scale order")
		after := other.Score(a)[0]
		if before.OK != after.OK || before.OK && before != after {
			t.Fatalf("%+v, then %+v", before, after)
		}
	})
}

// Turning every item round turns the score round in its range.
func TestScoreReversal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := drawForm(t)
		a := drawAnswers(t, i)
		other := *i
		other.Scales = slices.Clone(i.Scales)
		s := &other.Scales[0]
		var turned []string
		for _, id := range s.Items {
			if !slices.Contains(s.Reversed, id) {
				turned = append(turned, id)
			}
		}
		s.Reversed = turned
		x, y := i.Score(a)[0], other.Score(a)[0]
		if x.OK && (x.Value+y.Value-s.Min-s.Max > 1e-9 || x.Value+y.Value-s.Min-s.Max < -1e-9) {
			t.Fatalf("%v and %v do not mirror in %v to %v", x.Value, y.Value, s.Min, s.Max)
		}
	})
}

// What was not asked for a scale cannot change its score.
func TestScoreIgnoresOtherAnswers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := drawForm(t)
		a := drawAnswers(t, i)
		before := i.Score(a)[0]
		a["other"] = rapid.Float64().Draw(t, "other")
		if after := i.Score(a)[0]; before.OK != after.OK || before.OK && before != after {
			t.Fatalf("%+v, then %+v", before, after)
		}
	})
}
