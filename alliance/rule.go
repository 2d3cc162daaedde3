// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"cmp"
	"math"
	"slices"
)

// Kind is what a verdict comes to.
type Kind string

// The kinds. There is none for "all is well": nobody can know that from scores.
const (
	TooLittle        Kind = "too_little"
	NothingStandsOut Kind = "nothing"
	WorthAsking      Kind = "worth_asking"
	WorthAskingNow   Kind = "worth_asking_now"
	CannotBeRead     Kind = "cannot_be_read"
)

// ReasonCode names why.
type ReasonCode string

// The reasons.
const (
	Fell        ReasonCode = "fall"         // the level has just fallen, as the rule says
	Tense       ReasonCode = "tension"      // the direct question was answered "a little" or "yes"
	BelowCutoff ReasonCode = "below_cutoff" // below the form's published cutoff
	FlatMaximal ReasonCode = "flat_maximal" // every answer at the top: the form cannot show anything
	FewValues   ReasonCode = "few_values"   // not enough rated sessions yet
)

// Figures are the numbers behind a reason, in points of the form and always
// finite. From and To are the two ratings compared, Change = To - From, Mean and
// SD what was foreseen of the newest rating, Deviation how far from Mean it came,
// Threshold the fall that is weighed, or the cutoff, N the number of rated sessions.
// FromSession is 0 where From is the mean of all ratings before.
type Figures struct {
	From, To, Mean, SD, Change, Deviation, Threshold float64
	N                                                int
	FromSession, ToSession                           int
}

// Reason is one thing a verdict rests on.
type Reason struct {
	Code      ReasonCode
	Dimension Dimension
	Informant Informant
	Rater     string // of the series
	Session   int
	Tension   TensionAnswer // for Tense
	Back      bool          // for Fell: it was the rating before the newest, which came back
	Figures   Figures
}

// Verdict is what a rule says of a course as it stands, with the rule's name and
// version and every figure. Session is the newest session a client or carer
// rated.
type Verdict struct {
	Kind    Kind
	Rule    string
	Version int
	Session int
	Reasons []Reason
	Weighed []Weighed // what was foreseen of each series' newest rating, by a rule that foresees
	// FalseAlarms is, for a published rule, the share of stable courses as long as this
	// one that it asks about at least once; the weighing tells it for each series.
	FalseAlarms float64
}

// Asks says that the verdict is worth asking, or worth asking now.
func (v Verdict) Asks() bool { return v.Kind == WorthAsking || v.Kind == WorthAskingNow }

// deciding gives the series that decide, in an order of their own, the newest
// session in them, and how many ratings the longest holds.
func deciding(c Course) (own []Series, session, most int) {
	for _, s := range c.Series {
		rated := s.rated()
		if s.Informant != Client && s.Informant != Carer || !s.ranged() || len(rated) == 0 {
			continue
		}
		s.Points = rated
		own = append(own, s)
		if most == 0 || rated[len(rated)-1].Session > session {
			session = rated[len(rated)-1].Session
		}
		most = max(most, len(rated))
	}
	slices.SortStableFunc(own, compare)
	said := most > 0
	for _, t := range c.Tension {
		if t.Answer != "" && (!said || t.Session > session) {
			session, said = t.Session, true
		}
	}
	return own, session, most
}

// compare orders series: bond, tasks, goals, the whole, what else there is; of two
// forms with the same dimension the order is arbitrary, but always the same.
func compare(a, b Series) int {
	place := func(s Series) int {
		if i := slices.Index([]Dimension{Bond, Tasks, Goals, Whole}, s.Dimension); i >= 0 {
			return i
		}
		return math.MaxInt
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Informant, b.Informant), cmp.Compare(a.Rater, b.Rater),
		cmp.Compare(a.Min, b.Min), cmp.Compare(a.Max, b.Max), cmp.Compare(a.SEM, b.SEM), cmp.Compare(a.Cutoff, b.Cutoff), cmp.Compare(a.worse(), b.worse()),
		slices.CompareFunc(a.Points, b.Points, func(p, q Point) int {
			return cmp.Or(cmp.Compare(p.Session, q.Session), cmp.Compare(p.Value, q.Value))
		}))
}

// tension is a signal of its own, whatever the scores say; of two answers about
// one session the plainer counts.
func tension(c Course, session int) []Reason {
	plainest := TensionAnswer("")
	for _, t := range c.Tension {
		if t.Session == session && (t.Answer == TensionYes || t.Answer == TensionALittle && plainest == "") {
			plainest = t.Answer
		}
	}
	if plainest == "" {
		return nil
	}
	return []Reason{{Code: Tense, Informant: Client, Session: session, Tension: plainest}}
}

// falls says that a way is one for the worse. A billionth of the range is left for
// rounding, so that the unit of a form decides nothing.
func falls(s Series, change float64) bool { return s.worse()*change > 1e-9*(s.Max-s.Min) }

// below names a newest rating under the form's published cutoff.
func below(s Series, session int) (Reason, bool) {
	last := s.Points[len(s.Points)-1]
	if !s.HasCutoff || !number(s.Cutoff) || last.Session != session || !(s.worse()*(last.Value-s.Cutoff) > 0) {
		return Reason{}, false
	}
	return Reason{Code: BelowCutoff, Dimension: s.Dimension, Informant: s.Informant, Rater: s.Rater, Session: session,
		Figures: Figures{To: last.Value, ToSession: last.Session, Threshold: s.Cutoff, N: len(s.Points)}}, true
}

// fewestFlat is from how many rated sessions on a course at the top cannot be read.
const fewestFlat = 4

// flat says that every rating of the client is at the best the form allows, and
// over how many sessions.
func flat(own []Series) (n int, all bool) {
	for _, s := range own {
		if s.Informant != Client {
			continue
		}
		best := s.Max
		if !s.HigherIsBetter {
			best = s.Min
		}
		if len(s.Points) < fewestFlat {
			return 0, false
		}
		for _, p := range s.Points {
			if math.Abs(p.Value-best) > 1e-9*(s.Max-s.Min) {
				return 0, false
			}
		}
		n = max(n, len(s.Points))
	}
	return n, n > 0
}
