// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"fmt"
	"math"
	"slices"
)

// Scorer scores many responses to one instrument, and allocates nothing for each.
// It may be used by several goroutines at once. Its scores are those of
// [Instrument.Score], to the last bit.
type Scorer struct {
	items  []Item
	scales []scorerScale
}

type scorerScale struct {
	Scale
	at        []int // of its items, in the instrument's order
	reversed  []bool
	parts     []int // of other scales; -1: there is none
	low, high float64
	bounded   bool
}

// Scorer prepares the scoring of many responses.
func (i *Instrument) Scorer() *Scorer {
	s := &Scorer{items: i.Items}
	for _, scale := range i.Scales {
		x := scorerScale{Scale: scale}
		for _, id := range scale.Items {
			x.at = append(x.at, slices.IndexFunc(i.Items, func(it Item) bool { return it.ID == id }))
			x.reversed = append(x.reversed, slices.Contains(scale.Reversed, id))
		}
		for _, p := range scale.Parts {
			x.parts = append(x.parts, slices.IndexFunc(i.Scales, func(o Scale) bool { return o.ID == p.Scale && len(o.Parts) == 0 }))
		}
		x.low, x.high, x.bounded = i.bounds(scale)
		s.scales = append(s.scales, x)
	}
	return s
}

// onStack is how many items of a scale need no memory of their own.
const onStack = 64

// Score appends a score for each scale to dst. answers are in the order of the
// instrument's items; NaN stands for an item that was not answered, and so does
// whatever Check refuses. It panics unless there is an answer for each item.
func (s *Scorer) Score(dst []Score, answers []float64) []Score {
	if len(answers) != len(s.items) {
		panic(fmt.Sprintf("instrument: %d answers to %d items", len(answers), len(s.items)))
	}
	first := len(dst)
	for n := range s.scales {
		x := &s.scales[n]
		if len(x.Parts) == 0 {
			dst = append(dst, s.one(x, answers))
		} else {
			dst = append(dst, Score{Scale: x.ID, Dimension: x.Dimension, Value: math.NaN()})
		}
	}
	for n := range s.scales {
		if x := &s.scales[n]; len(x.Parts) > 0 {
			compose(&dst[first+n], x, dst[first:])
		}
	}
	return dst
}

func (s *Scorer) one(x *scorerScale, answers []float64) Score {
	var room [onStack]float64
	values := room[:0]
	for k, at := range x.at {
		if at < 0 {
			continue
		}
		it := &s.items[at]
		v := answers[at]
		if !it.holds(v) {
			continue
		}
		if x.reversed[k] {
			v = it.Min + it.Max - v
		}
		values = append(values, v)
	}
	out := Score{Scale: x.ID, Dimension: x.Dimension, Value: math.NaN(), Answered: len(values), Of: len(x.at)}
	if len(values) == 0 || len(x.at)-len(values) > x.MissingAllowed {
		return out
	}
	out.OK = true
	slices.Sort(values)
	out.Value = x.combine(values, len(x.at))
	if x.bounded {
		out.Value = snap(snap(out.Value, x.low, x.high-x.low), x.high, x.high-x.low)
	}
	return out
}

// holds says whether v is a number that a person gave to the item.
func (it *Item) holds(v float64) bool {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return false
	}
	if it.Display == Buttons {
		for k := range it.Options {
			if it.Options[k].Value == v {
				return !it.Options[k].NoAnswer
			}
		}
		return false
	}
	return v >= it.Min && v <= it.Max && (it.Step <= 0 || whole((v-it.Min)/it.Step))
}

func compose(out *Score, x *scorerScale, scores []Score) {
	out.OK, out.Value = true, 0
	for k, at := range x.parts {
		if at < 0 {
			out.OK = false
			continue
		}
		p := &scores[at]
		out.OK = out.OK && p.OK
		out.Value += x.Parts[k].Weight * p.Value
		out.Answered, out.Of = out.Answered+p.Answered, out.Of+p.Of
	}
	if !out.OK {
		out.Value = math.NaN()
	}
}
