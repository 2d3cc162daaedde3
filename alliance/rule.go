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
// and the person's own course.
type Rule struct {
	MinValues   int     // rated sessions needed before anything is said of scores
	Window      int     // how many earlier ratings make the recent mean
	Z           float64 // of the reliable change: 1.645 is 90 %, two-sided
	DefaultSEM  float64 // share of the form's range taken as error where reliability is unknown
	MinDeviate  float64 // how unusual for this person, in standard errors of predicting a rating from the recent mean
	FlatMinimum int     // rated sessions at the maximum from which on a course cannot be read
}

// DefaultRule is version 1 with its stated defaults. DefaultSEM is a convention
// of ours, not a measured value, and verdicts that rest on it say so. In
// simulated stable courses of 12 sessions (within-person SD a tenth of the range)
// it asks without cause in about one course of five: TestFalseAlarms measures it.
func DefaultRule() Rule {
	return Rule{MinValues: 3, Window: 5, Z: 1.645, DefaultSEM: .1, MinDeviate: 1.645, FlatMinimum: 4}
}

// Name and version of the rule, as verdicts carry them.
const (
	RuleName    = "recent-change"
	RuleVersion = 1
)

// Judge looks at the newest session a client or carer rated. It never fails:
// what is not a finite number counts as not rated.
func (r Rule) Judge(c Course) Verdict {
	v := Verdict{Kind: TooLittle, Rule: RuleName, Version: RuleVersion}
	own := slices.DeleteFunc(slices.Clone(c.Series), func(s Series) bool {
		return s.Informant != Client && s.Informant != Carer || s.Max <= s.Min || len(s.rated()) == 0
	})
	slices.SortStableFunc(own, func(a, b Series) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Informant, b.Informant))
	})
	most := 0
	for _, s := range own {
		rated := s.rated()
		v.Session = max(v.Session, rated[len(rated)-1].Session)
		most = max(most, len(rated))
	}
	for _, t := range c.Tension {
		v.Session = max(v.Session, t.Session)
	}
	v.Reasons = append(v.Reasons, r.tension(c, v.Session)...)
	for _, s := range own {
		if reason, ok := r.fell(s, v.Session); ok {
			v.Reasons = append(v.Reasons, reason)
		}
		if reason, ok := r.below(s, v.Session); ok {
			v.Reasons = append(v.Reasons, reason)
		}
	}
	switch {
	case len(v.Reasons) > 0:
		v.Kind = WorthAsking
	case most < r.MinValues:
		v.Reasons = []Reason{{Code: FewValues, Session: v.Session, Figures: Figures{N: most}}}
	case r.flat(own):
		v.Kind = CannotBeRead
		v.Reasons = []Reason{{Code: FlatMaximal, Session: v.Session, Figures: Figures{N: most}}}
	default:
		v.Kind = NothingStandsOut
	}
	return v
}

func order(s Series) int {
	return slices.Index([]Dimension{Bond, Tasks, Goals, Whole}, s.Dimension)
}

// tension is a signal of its own, whatever the scores say.
func (r Rule) tension(c Course, session int) (out []Reason) {
	for _, t := range c.Tension {
		if t.Session == session && (t.Answer == TensionYes || t.Answer == TensionALittle) {
			out = append(out, Reason{Code: Tense, Informant: Client, Session: session, Tension: t.Answer})
		}
	}
	return out
}

// fell compares the newest rating with the one before, against the reliable
// change index (Jacobson & Truax 1991: z * sqrt(2) * SEM), and with the person's
// own recent mean and spread.
func (r Rule) fell(s Series, session int) (Reason, bool) {
	rated := s.rated()
	if n := len(rated); n < r.MinValues || n < 2 || rated[n-1].Session != session {
		return Reason{}, false
	}
	last, before := rated[len(rated)-1], rated[len(rated)-2]
	earlier := rated[:len(rated)-1]
	f := Figures{From: before.Value, To: last.Value, Change: last.Value - before.Value, N: len(rated), FromSession: before.Session, ToSession: last.Session}
	f.Mean, _ = meanSD(earlier[max(0, len(earlier)-r.Window):])
	_, f.SD = meanSD(earlier)
	f.Deviation = last.Value - f.Mean
	sem := s.SEM
	f.ErrorKnown = sem > 0 && !math.IsInf(sem, 0) && !math.IsNaN(sem)
	if !f.ErrorKnown {
		sem = r.DefaultSEM * (s.Max - s.Min)
	}
	f.Threshold = r.Z * math.Sqrt2 * sem
	worse := 1.0
	if s.HigherIsBetter {
		worse = -1
	}
	// The stricter of the person's own spread and the error of the form (after
	// Gumz et al. 2012), and the recent mean is itself an estimate.
	k := float64(min(len(earlier), r.Window))
	if worse*f.Change < f.Threshold || worse*f.Deviation < r.MinDeviate*max(f.SD, sem)*math.Sqrt(1+1/k) {
		return Reason{}, false
	}
	return Reason{Code: Fell, Dimension: s.Dimension, Informant: s.Informant, Session: session, Figures: f}, true
}

// below names a newest rating under the form's published cutoff.
func (r Rule) below(s Series, session int) (Reason, bool) {
	rated := s.rated()
	last := rated[len(rated)-1]
	if !s.HasCutoff || last.Session != session {
		return Reason{}, false
	}
	if s.HigherIsBetter && last.Value >= s.Cutoff || !s.HigherIsBetter && last.Value <= s.Cutoff {
		return Reason{}, false
	}
	return Reason{Code: BelowCutoff, Dimension: s.Dimension, Informant: s.Informant, Session: session,
		Figures: Figures{To: last.Value, ToSession: last.Session, Threshold: s.Cutoff, N: len(rated), ErrorKnown: true}}, true
}

// flat says that every rating of the client is at the best the form allows.
func (r Rule) flat(own []Series) bool {
	seen := false
	for _, s := range own {
		if s.Informant != Client {
			continue
		}
		best := s.Max
		if !s.HigherIsBetter {
			best = s.Min
		}
		rated := s.rated()
		if len(rated) < r.FlatMinimum {
			return false
		}
		for _, p := range rated {
			if p.Value != best {
				return false
			}
		}
		seen = true
	}
	return seen
}

// meanSD gives mean and sample standard deviation (n-1); the latter is 0 for
// fewer than two values.
func meanSD(points []Point) (mean, sd float64) {
	for _, p := range points {
		mean += p.Value / float64(len(points))
	}
	if len(points) < 2 {
		return mean, 0
	}
	for _, p := range points {
		sd += (p.Value - mean) * (p.Value - mean)
	}
	return mean, math.Sqrt(sd / float64(len(points)-1))
}
