// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"math"
	"slices"
)

// Mark says how far a fact about a published instrument has been checked.
type Mark string

// The marks: seen in the named source; seen in a secondary source; seen in part;
// general knowledge; computed by us; not found. Only the first and the fifth
// need no further look.
const (
	Verified   Mark = "verified"
	Secondary  Mark = "secondary"
	Partly     Mark = "partly"
	Background Mark = "background"
	Derived    Mark = "derived"
	Unknown    Mark = "unknown"
)

// Checked says whether a fact needs no further look before it is relied on.
func (m Mark) Checked() bool { return m == Verified || m == Derived }

// Key is what is known of a published instrument but for its words: how many
// items, their range, which belong together and which are reversed, how scores
// are made, what figures were published, and who owns the words. The words come
// from a practice that may use them.
type Key struct {
	ID, Name string
	Kind     Kind
	// Informants are who answers it.
	Informants []Informant
	// Ages, Period and Method are as published: such as "13+" or "last week".
	Ages, Period, Method string
	// Form scores answers by the items' numbers, "1" to "n"; nil while the key is
	// incomplete. It has no words and cannot be shown to anybody.
	Form *Instrument
	// Lacks says, for an incomplete key, what is not known; it is never guessed.
	Lacks []string
	// Figures are what was published about the scores, by scale.
	Figures map[string]Figures
	// Risk are the items of which an answer from a value on needs a person at once.
	Risk    []Risk
	Terms   Terms
	Facts   []Fact
	Notes   []string
	Sources []string
}

// Readiness is a kind that only keys have: how ready somebody is to change.
const Readiness Kind = "readiness"

// Figures are published figures about one scale, each with the sample it is of.
type Figures struct {
	Cutoffs     []Threshold
	Bands       []Band
	BandsMark   Mark
	BandsNote   string
	Change      []Change
	Norms       []Norm
	Reliability *Alpha
}

// Side says on which side of a threshold something holds.
type Side string

// The sides.
const (
	AtLeast Side = "at_least"
	AtMost  Side = "at_most"
	Below   Side = "below"
)

// Threshold is a published cutoff.
type Threshold struct {
	Value float64
	Side  Side
	Label Text
	Mark  Mark
	Ages  []AgeBand // of whom it is published; nil: of all
}

// For says whether a threshold is for an age band.
func (t Threshold) For(age AgeBand) bool { return len(t.Ages) == 0 || slices.Contains(t.Ages, age) }

// Holds says whether a score is on the threshold's side.
func (t Threshold) Holds(score float64) bool {
	switch t.Side {
	case AtLeast:
		return score >= t.Value
	case AtMost:
		return score <= t.Value
	default:
		return score < t.Value
	}
}

// Band is a published range of scores: from From up to the next band's.
type Band struct {
	From  float64
	Label Text
}

// Upto is where a band ends: the start of the next one; false for the last.
func (f Figures) Upto(b Band) (float64, bool) {
	i := slices.IndexFunc(f.Bands, func(x Band) bool { return x.From > b.From })
	if i < 0 {
		return 0, false
	}
	return f.Bands[i].From, true
}

// Band is the band of a score; false if there are none or it lies below the first.
func (f Figures) Band(score float64) (Band, bool) {
	for _, b := range slices.Backward(f.Bands) {
		if score >= b.From {
			return b, true
		}
	}
	return Band{}, false
}

// Change is a published reliable change: it belongs to its sample and not to the
// scale. Confidence is 0 where it was not recorded.
type Change struct {
	Value, Confidence float64
	Sample            string
	Mark              Mark
}

// Reached says whether a difference between two scores is as large as the change.
func (c Change) Reached(difference float64) bool {
	const rounding = 1e-9 // of scores that are means
	return math.Abs(difference) >= c.Value-rounding
}

// Norm is a published mean and standard deviation of a sample.
type Norm struct {
	Sample   string
	Mean, SD float64
	Mark     Mark
}

// Alpha is a published reliability; Kind says of which sort and sample.
type Alpha struct {
	Value float64
	Kind  string
	Mark  Mark
}

// Risk are items of which an answer of From or more is to be looked at.
type Risk struct {
	Items []string
	From  float64
}

// Terms say on what terms a practice may use the words. Class is "open",
// "non-commercial", "unconfirmed" or "by permission"; Text is what was found.
type Terms struct{ Class, Text, Languages string }

// Fact is one thing known of the instrument and how far it was checked.
type Fact struct {
	What string
	Mark Mark
	Note string
}

// ToCheck are the facts that still need a look before anything relies on them.
func (k *Key) ToCheck() (out []Fact) {
	for _, f := range k.Facts {
		if !f.Mark.Checked() {
			out = append(out, f)
		}
	}
	return out
}

// AtRisk are the items, among those answered, that need a person at once.
func (k *Key) AtRisk(a Answers) (out []string) {
	if k.Form == nil {
		return nil
	}
	for _, r := range k.Risk {
		for _, id := range r.Items {
			if v, state := k.Form.Read(a, id); state == Given && v >= r.From {
				out = append(out, id)
			}
		}
	}
	return out
}
