// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Score is the score of one scale for one response. With OK false more items
// are missing than the scale allows: there is no score, and Value is NaN (null
// in JSON), so that it cannot pass for a number. Answered counts the items with
// a number, out of Of.
type Score struct {
	Scale        string
	Dimension    Dimension
	Value        float64
	OK           bool
	Answered, Of int
}

// Score computes every scale, in the order of the instrument. Reversed items
// are turned round within their own range (min + max - answer). A mean is over
// the answered items; a sum with missing items is the mean of the answered ones
// times the number of items (prorated); then comes what [Scale.Times] and
// [Scale.Rounded] ask for. Answers that Check refuses count as missing.
func (i *Instrument) Score(a Answers) []Score {
	out := make([]Score, len(i.Scales))
	for n, s := range i.Scales {
		out[n] = i.score(s, a)
	}
	return out
}

func (i *Instrument) score(s Scale, a Answers) Score {
	if len(s.Parts) > 0 {
		return i.composite(s, a)
	}
	values := make([]float64, 0, len(s.Items))
	for _, id := range s.Items {
		v, state := i.Read(a, id)
		if state != Given {
			continue
		}
		if slices.Contains(s.Reversed, id) {
			it, _ := i.Item(id)
			v = it.Min + it.Max - v
		}
		values = append(values, v)
	}
	out := Score{Scale: s.ID, Dimension: s.Dimension, Value: math.NaN(), Answered: len(values), Of: len(s.Items)}
	if len(values) == 0 || len(s.Items)-len(values) > s.MissingAllowed {
		return out
	}
	out.OK = true
	slices.Sort(values)
	out.Value = s.combine(values, len(s.Items))
	if low, high, ok := i.bounds(s); ok {
		out.Value = snap(snap(out.Value, low, high-low), high, high-low)
	}
	return out
}

// composite adds the scores of other scales with their weights.
func (i *Instrument) composite(s Scale, a Answers) Score {
	out := Score{Scale: s.ID, Dimension: s.Dimension, OK: true}
	for _, p := range s.Parts {
		part, ok := i.Scale(p.Scale)
		if !ok || len(part.Parts) > 0 {
			out.OK = false
			continue
		}
		x := i.score(part, a)
		out.OK = out.OK && x.OK
		out.Value += p.Weight * x.Value
		out.Answered, out.Of = out.Answered+x.Answered, out.Of+x.Of
	}
	if !out.OK {
		out.Value = math.NaN()
	}
	return out
}

// combine makes a score of sorted values: the last bit must not depend on the
// order in which the scale lists its items. It multiplies before it divides, so
// that ten times a mean of ten whole numbers is a whole number.
func (s Scale) combine(values []float64, of int) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	if s.Times != 0 {
		total *= s.Times
	}
	switch n := len(values); {
	case s.Method == Mean:
		total /= float64(n)
	case n < of:
		total = total * float64(of) / float64(n)
	}
	if s.Rounded {
		total = math.Floor(total + .5)
	}
	return total
}

// bounds are the least and the greatest score the items allow; false if the
// scale names an item the instrument does not have.
func (i *Instrument) bounds(s Scale) (low, high float64, ok bool) {
	if len(s.Parts) > 0 {
		return i.compositeBounds(s)
	}
	var lows, highs []float64
	for _, id := range s.Items {
		it, found := i.Item(id)
		if !found {
			return 0, 0, false
		}
		lows, highs = append(lows, it.Min), append(highs, it.Max)
	}
	if len(lows) == 0 {
		return 0, 0, false
	}
	slices.Sort(lows)
	slices.Sort(highs)
	return s.combine(lows, len(lows)), s.combine(highs, len(highs)), true
}

func (i *Instrument) compositeBounds(s Scale) (low, high float64, ok bool) {
	for _, p := range s.Parts {
		part, found := i.Scale(p.Scale)
		if !found || len(part.Parts) > 0 {
			return 0, 0, false
		}
		l, h, ok := i.bounds(part)
		if !ok {
			return 0, 0, false
		}
		low, high = low+min(p.Weight*l, p.Weight*h), high+max(p.Weight*l, p.Weight*h)
	}
	return low, high, true
}

// snap takes a value that is at the end of its range but for a rounding error
// to that end, so that the best score is the best score.
func snap(v, end, width float64) float64 {
	if math.Abs(v-end) <= 1e-13*(math.Abs(end)+width) {
		return end
	}
	return v
}

type scoreJSON struct {
	Scale     string    `json:"scale"`
	Dimension Dimension `json:"dimension"`
	Value     *float64  `json:"value"`
	OK        bool      `json:"ok"`
	Answered  int       `json:"answered"`
	Of        int       `json:"of"`
}

// MarshalJSON writes the score with lower-case names, the value of a score that
// is not OK as null.
func (s Score) MarshalJSON() ([]byte, error) {
	j := scoreJSON{Scale: s.Scale, Dimension: s.Dimension, OK: s.OK, Answered: s.Answered, Of: s.Of}
	if s.OK {
		j.Value = &s.Value
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes; a score that is OK without a
// value is an error.
func (s *Score) UnmarshalJSON(data []byte) error {
	var j scoreJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("score: %w", err)
	}
	if j.OK && j.Value == nil {
		return fmt.Errorf("score of %q: ok without a value", j.Scale)
	}
	*s = Score{Scale: j.Scale, Dimension: j.Dimension, Value: math.NaN(), OK: j.OK, Answered: j.Answered, Of: j.Of}
	if j.OK {
		s.Value = *j.Value
	}
	return nil
}
