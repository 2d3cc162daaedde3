// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"math"
	"slices"
)

// Working is a score with how it came about.
type Working struct {
	Score
	Terms []Term
}

// Term is an item's share in a score: what was answered, and the number that
// went into the score, turned round if the scale reverses the item. Both are NaN
// unless the state is Given.
type Term struct {
	Item         string
	Answer, Used float64
	Reversed     bool
	State        State
}

// Working is Score with its terms, for a person who checks it by hand. A score
// made of other scales has no terms.
func (i *Instrument) Working(a Answers) []Working {
	out := make([]Working, len(i.Scales))
	for n, score := range i.Score(a) {
		out[n].Score = score
		s := i.Scales[n]
		for _, id := range s.Items {
			t := Term{Item: id, Used: math.NaN(), Reversed: slices.Contains(s.Reversed, id)}
			if t.Answer, t.State = i.Read(a, id); t.State == Given {
				t.Used = t.Answer
				if it, _ := i.Item(id); t.Reversed {
					t.Used = it.Min + it.Max - t.Answer
				}
			}
			out[n].Terms = append(out[n].Terms, t)
		}
	}
	return out
}

// Places are the answers with a number that an item takes, from the lowest; of
// a line with more than a thousand, only its ends and its middle.
func (it Item) Places() (out []float64) {
	if it.Display == Buttons {
		for _, o := range it.Options {
			if !o.NoAnswer {
				out = append(out, o.Value)
			}
		}
		slices.Sort(out)
		return out
	}
	steps := int(math.Round((it.Max - it.Min) / it.Step))
	if it.Step <= 0 || steps > 1000 {
		return []float64{it.Min, (it.Min + it.Max) / 2, it.Max}
	}
	for j := range steps + 1 {
		out = append(out, math.Round((it.Min+float64(j)*it.Step)*1e6)/1e6)
	}
	return out
}
