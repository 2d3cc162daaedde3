// SPDX-License-Identifier: AGPL-3.0-or-later

package outcome

import (
	"math"

	"github.com/entente-project/entente/stats/psych"
)

// rounding is what the arithmetic of scores that are means may leave behind.
const rounding = 1e-9

// Cutoff parts the clinical side of a scale from the other. A score at the value is
// on the clinical side where Inclusive.
type Cutoff struct {
	Value     float64
	Inclusive bool
}

// Figures are what is known of a scale: which way it runs, how large a difference
// must be to be more than error of measurement, and where the clinical side begins.
type Figures struct {
	HigherIsBetter bool
	// Change is the smallest reliable difference in points; 0: not known, and no
	// change is called reliable.
	Change float64
	Cutoff *Cutoff // nil: none is known, and nobody is called recovered
}

// gain is how much better the second score is, in points.
func (f Figures) gain(from, to float64) float64 {
	if f.HigherIsBetter {
		return to - from
	}
	return from - to
}

// Clinical says whether a score is on the clinical side; false where no cutoff is
// known.
func (f Figures) Clinical(score float64) bool {
	if f.Cutoff == nil {
		return false
	}
	beyond := f.gain(score, f.Cutoff.Value) // positive: worse than the cutoff
	return beyond > rounding || f.Cutoff.Inclusive && beyond > -rounding
}

// Class is the class of Jacobson and Truax (1991, p. 12-13) of the change between
// two scores: reliably worse, reliably better with or without crossing the cutoff
// from the clinical side, or not reliable. It is Unchanged for what is no number.
func (f Figures) Class(from, to float64) psych.Change {
	if !(f.Change > 0) || !finite(from) || !finite(to) {
		return psych.Unchanged
	}
	return psych.ClassOf(f.gain(from, to), f.Change-rounding, f.Clinical(from), f.Clinical(to))
}

// Limits are the scores from which on a change since the first one is reliably
// better and reliably worse; false where the reliable difference is not known.
func (f Figures) Limits(first float64) (better, worse float64, ok bool) {
	if !(f.Change > 0) || !finite(first) {
		return 0, 0, false
	}
	if f.HigherIsBetter {
		return first + f.Change, first - f.Change, true
	}
	return first - f.Change, first + f.Change, true
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// StatedChange stands in for the smallest reliable change of a scale of which
// neither reliability nor standard deviation is known: that of a standard deviation
// of a fifth of the range and a reliability of .80, at 95 %. Nobody measured it; it
// must be called stated wherever it is shown. It is 0 for no range.
func StatedChange(least, most float64) float64 {
	r, err := psych.NewReliableChange((most-least)/5, .8)
	if err != nil {
		return 0
	}
	return r.Criterion(.95)
}
