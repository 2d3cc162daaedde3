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
	CannotBeRead     Kind = "cannot_be_read"
)

// ReasonCode names why.
type ReasonCode string

// The reasons.
const (
	Fell        ReasonCode = "fall"         // beyond measurement error since the rating before, and below the person's own recent mean
	Tense       ReasonCode = "tension"      // the direct question was answered "a little" or "yes"
	BelowCutoff ReasonCode = "below_cutoff" // below the form's published cutoff
	FlatMaximal ReasonCode = "flat_maximal" // every answer at the top: the form cannot show anything
	FewValues   ReasonCode = "few_values"   // not enough rated sessions yet
)

// Figures are the numbers behind a reason, in points of the form and always
// finite. From and To are the two ratings compared, Change = To - From, Mean and
// SD the person's own recent level and spread before To, Deviation = To - Mean,
// Threshold the change that measurement error alone would rarely exceed, N the
// number of rated sessions.
type Figures struct {
	From, To, Mean, SD, Change, Deviation, Threshold float64
	ErrorKnown                                       bool // Threshold rests on a known reliability, not on the stated default
	N                                                int
	FromSession, ToSession                           int
}

// Reason is one thing a verdict rests on.
type Reason struct {
	Code      ReasonCode
	Dimension Dimension
	Informant Informant
	Session   int
	Tension   TensionAnswer // for Tense
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
}

// Rule is "recent change": the simplest rule that respects both measurement error
// and the person's own course. A parameter that makes no sense (not a number,
// negative, a window of nothing) counts as its default.
type Rule struct {
	MinValues   int     // rated sessions needed before anything is said of scores; 3, at least 2
	Window      int     // how many earlier ratings make the recent mean; 5
	Z           float64 // of the reliable change: 1.645 is 90 %, two-sided
	DefaultSEM  float64 // share of the form's range taken as error where reliability is unknown; .1
	MinDeviate  float64 // how unusual for this person, in standard errors of predicting a rating from the recent mean; 2.1
	FlatMinimum int     // rated sessions at the maximum from which on a course cannot be read; 4
}

// DefaultRule is version 1 with its stated defaults. DefaultSEM is a convention
// of ours, not a measured value, and verdicts that rest on it say so.
//
// How often it asks without cause at least once in a stable course of 12 sessions
// was measured (independent normal ratings around 7 on 0-10, within-person SD a
// tenth of the range, reliability unknown): in .09 of courses for one series, and
// in .19 for a form of bond, tasks and goals correlated .7, since three series
// have three chances. Where a stated SEM is much smaller than the person's
// ordinary ups and downs, or the course is longer, it is more. TestFalseAlarms
// holds both figures.
func DefaultRule() Rule {
	return Rule{MinValues: 3, Window: 5, Z: 1.645, DefaultSEM: .1, MinDeviate: 2.1, FlatMinimum: 4}
}

// Name and version of the rule, as verdicts carry them.
const (
	RuleName    = "recent-change"
	RuleVersion = 1
)

// sane replaces what makes no sense by its default.
func (r Rule) sane() Rule {
	d := DefaultRule()
	if r.MinValues < 2 {
		r.MinValues = d.MinValues
	}
	if r.Window < 1 {
		r.Window = d.Window
	}
	if !(r.Z >= 0) || !number(r.Z) {
		r.Z = d.Z
	}
	if !(r.DefaultSEM > 0) || !number(r.DefaultSEM) {
		r.DefaultSEM = d.DefaultSEM
	}
	if !(r.MinDeviate >= 0) || !number(r.MinDeviate) {
		r.MinDeviate = d.MinDeviate
	}
	if r.FlatMinimum < 2 {
		r.FlatMinimum = d.FlatMinimum
	}
	return r
}

// Judge looks at the newest session a client or carer rated, or answered the
// direct question about; a therapist's series decides nothing. It never fails:
// what is not a finite number counts as not rated, a series without a range is
// left out. The order of the series does not matter.
func (r Rule) Judge(c Course) Verdict {
	r = r.sane()
	v := Verdict{Kind: TooLittle, Rule: RuleName, Version: RuleVersion}
	own, session, most := deciding(c)
	v.Session = session
	v.Reasons = append(v.Reasons, tension(c, session)...)
	for _, s := range own {
		if reason, ok := r.fell(s, session); ok {
			v.Reasons = append(v.Reasons, reason)
		}
		if reason, ok := below(s, session); ok {
			v.Reasons = append(v.Reasons, reason)
		}
	}
	n, flat := r.flat(own)
	switch {
	case len(v.Reasons) > 0:
		v.Kind = WorthAsking
	case most < r.MinValues:
		v.Reasons = []Reason{{Code: FewValues, Session: session, Figures: Figures{N: most}}}
	case flat:
		v.Kind = CannotBeRead
		v.Reasons = []Reason{{Code: FlatMaximal, Informant: Client, Session: session, Figures: Figures{N: n}}}
	default:
		v.Kind = NothingStandsOut
	}
	return v
}

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
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Informant, b.Informant),
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

// fell compares the newest rating with the one before, against the reliable
// change index, and with the person's own recent mean and spread.
func (r Rule) fell(s Series, session int) (Reason, bool) {
	rated := s.Points
	if n := len(rated); n < r.MinValues || rated[n-1].Session != session {
		return Reason{}, false
	}
	last, before := rated[len(rated)-1], rated[len(rated)-2]
	earlier := rated[:len(rated)-1]
	f := Figures{From: before.Value, To: last.Value, Change: last.Value - before.Value, N: len(rated), FromSession: before.Session, ToSession: last.Session}
	f.Mean, _ = meanSD(earlier[max(0, len(earlier)-r.Window):])
	_, f.SD = meanSD(earlier)
	f.Deviation = last.Value - f.Mean
	sem := s.SEM
	f.ErrorKnown = sem > 0 && number(sem)
	if !f.ErrorKnown {
		sem = r.DefaultSEM * (s.Max - s.Min)
	}
	f.Threshold = ReliableChange(r.Z, sem)
	// The stricter of the person's own spread and the error of the form (after
	// Gumz et al. 2012), and the recent mean is itself an estimate.
	k := float64(min(len(earlier), r.Window))
	unusual := r.MinDeviate * max(f.SD, sem) * math.Sqrt(1+1/k)
	if !reaches(s, s.worse()*f.Change, f.Threshold) || !reaches(s, s.worse()*f.Deviation, unusual) {
		return Reason{}, false
	}
	return Reason{Code: Fell, Dimension: s.Dimension, Informant: s.Informant, Session: session, Figures: f}, true
}

// reaches says that v, a way for the worse, comes up to the limit. A billionth of
// the range is left for rounding, so that the unit of a form decides nothing; no
// way at all never counts, not even for a rule with limits of nought.
func reaches(s Series, v, limit float64) bool {
	slack := 1e-9 * (s.Max - s.Min)
	return v > slack && v >= limit-slack
}

// below names a newest rating under the form's published cutoff.
func below(s Series, session int) (Reason, bool) {
	last := s.Points[len(s.Points)-1]
	if !s.HasCutoff || !number(s.Cutoff) || last.Session != session || !(s.worse()*(last.Value-s.Cutoff) > 0) {
		return Reason{}, false
	}
	return Reason{Code: BelowCutoff, Dimension: s.Dimension, Informant: s.Informant, Session: session,
		Figures: Figures{To: last.Value, ToSession: last.Session, Threshold: s.Cutoff, N: len(s.Points), ErrorKnown: true}}, true
}

// flat says that every rating of the client is at the best the form allows, and
// over how many sessions.
func (r Rule) flat(own []Series) (n int, flat bool) {
	for _, s := range own {
		if s.Informant != Client {
			continue
		}
		best := s.Max
		if !s.HigherIsBetter {
			best = s.Min
		}
		if len(s.Points) < r.FlatMinimum {
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
