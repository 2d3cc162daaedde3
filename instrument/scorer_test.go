// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"pgregory.net/rapid"
)

// TestScorerAgrees: the fast way gives what Score gives, whatever is answered and
// whatever is missing or unfit.
func TestScorerAgrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := drawForm(t)
		a := drawAnswers(t, i)
		answers := make([]float64, len(i.Items))
		for n, it := range i.Items {
			v, ok := a[it.ID]
			if !ok {
				v = rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), it.Max + 1, it.Min - it.Step/2}).Draw(t, "unfit")
			}
			answers[n] = v
		}
		want, got := i.Score(a), i.Scorer().Score(nil, answers)
		if !slices.EqualFunc(want, got, func(x, y instrument.Score) bool {
			return x == y || math.IsNaN(x.Value) && math.IsNaN(y.Value) && !x.OK && !y.OK && x.Answered == y.Answered && x.Of == y.Of
		}) {
			t.Fatalf("%v\n%v", want, got)
		}
	})
}

// twelve is a form of 12 items in three scales.
func twelve(tb testing.TB) *instrument.Instrument {
	tb.Helper()
	var b strings.Builder
	b.WriteString(head + "items:\n")
	for n := range 12 {
		fmt.Fprintf(&b, "  - {id: i%d, text: {en: x}, display: line, min: 1, max: 5, step: 1, low: {en: x}, high: {en: x}}\n", n)
	}
	b.WriteString("scales:\n")
	for n, d := range []string{"bond", "tasks", "goals"} {
		fmt.Fprintf(&b, "  - {id: %s, name: {en: x}, dimension: %s, items: [i%d, i%d, i%d, i%d], reversed: [i%d], method: mean, missing_allowed: 1}\n", d, d, n, n+3, n+6, n+9, n)
	}
	i, err := instrument.Parse("twelve.yaml", []byte(b.String()))
	if err != nil {
		tb.Fatal(err)
	}
	return i
}

func TestScorerAllocates(t *testing.T) {
	i := twelve(t)
	s, answers, room := i.Scorer(), make([]float64, 12), make([]instrument.Score, 0, 3)
	for n := range answers {
		answers[n] = float64(1 + n%5)
	}
	if n := testing.AllocsPerRun(100, func() { room = s.Score(room[:0], answers) }); n != 0 {
		t.Errorf("scoring allocates %v times", n)
	}
	if len(room) != 3 || !room[0].OK {
		t.Errorf("%v", room)
	}
	defer func() {
		if recover() == nil {
			t.Error("eleven answers to twelve items are taken")
		}
	}()
	s.Score(nil, answers[:11])
}

func BenchmarkScorer(b *testing.B) {
	s, answers, room := twelve(b).Scorer(), make([]float64, 12), make([]instrument.Score, 0, 3)
	for n := range answers {
		answers[n] = float64(1 + n*7%5)
	}
	b.ReportAllocs()
	for b.Loop() {
		room = s.Score(room[:0], answers)
	}
}
