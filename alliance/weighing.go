// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"fmt"
	"math"
	"sync"
)

// Weighing judges by how much better the ratings fit "it has just fallen" than "it
// goes on as before" (see Detector). It speaks from the second rating on, judges
// each rating by what was known when it was given, and asks where the odds exceed
// limits that the simulator found (see Limits). Safe for use by several goroutines.
type Weighing struct {
	detector *Detector
}

// WeighingName and WeighingVersion are the rule as verdicts carry it.
const (
	WeighingName    = "weighed-fall"
	WeighingVersion = 1
)

// Stated is the population that stands in for a practice's own until that has
// courses enough, on 0 to 10: a convention of ours near what client's short forms
// of the alliance show, not a measured value. Levels are taken to spread twice as
// far as they do there: who lies far from others must not be taken for fallen, and
// it costs hardly any falls (docs/detector.md).
func Stated() Population {
	return Population{Level: 7.2, LevelSD: 2.6, Growth: .3, GrowthSD: .3, Within: math.Exp(-.35 * .35 / 2), WithinLogSD: .35, Auto: .2}
}

// NewWeighing prepares the rule for a population on 0 to 10, higher better: every
// form is judged as a share of its range. Errors: what makes no sense in it.
func NewWeighing(p Population) (*Weighing, error) {
	d, err := NewDetector(p)
	if err != nil {
		return nil, err
	}
	return &Weighing{d}, nil
}

// Usual is the rule with the stated population.
var Usual = sync.OnceValue(func() *Weighing {
	w, err := NewWeighing(Stated())
	if err != nil {
		panic(err) // a constant that makes no sense
	}
	return w
})

// Weighed is what a rule foresaw of one series' newest rating, in points of the
// form: Value came where Low to High was expected with 80 % (and Expected in the
// mean). Probability is that the person's level has just fallen by at least
// Margin, more than their ratings usually vary by. Lower says that Value is worse
// than all of the expected range, which happens once in ten ratings by chance.
type Weighed struct {
	Dimension                        Dimension
	Informant                        Informant
	Rater                            string // of the series
	Value, Expected, Low, High       float64
	Odds, Limit, Probability, Margin float64
	N, Session, FromSession          int
	From                             float64
	Fallen, Now, Back, Lower         bool
	FalseAlarms, FalseAlarmsNow      float64 // share of stable courses of N sessions that are asked about at least once
}

// Judge looks at the newest session a client or carer rated, or answered the
// direct question about; a therapist's series decides nothing. It never fails:
// what is not a finite number counts as not rated, a series without a range is
// left out. The order of the series does not matter.
func (w *Weighing) Judge(c Course) Verdict {
	v := Verdict{Kind: TooLittle, Rule: WeighingName, Version: WeighingVersion}
	own, session, most := deciding(c)
	v.Session = session
	v.Reasons = append(v.Reasons, tension(c, session)...)
	now := len(v.Reasons) > 0 && v.Reasons[0].Tension == TensionYes
	for _, s := range own {
		if x, ok := w.weigh(s, session, len(own)); ok {
			v.Weighed = append(v.Weighed, x)
			if x.Fallen {
				v.Reasons = append(v.Reasons, x.reason(s))
				now = now || x.Now
			}
		}
		if reason, ok := below(s, session); ok {
			v.Reasons = append(v.Reasons, reason)
		}
	}
	n, top := flat(own)
	switch {
	case now:
		v.Kind = WorthAskingNow
	case len(v.Reasons) > 0:
		v.Kind = WorthAsking
	case most < fewestToWeigh:
		v.Reasons = []Reason{{Code: FewValues, Session: session, Figures: Figures{N: most}}}
	case top:
		v.Kind = CannotBeRead
		v.Reasons = []Reason{{Code: FlatMaximal, Informant: Client, Session: session, Figures: Figures{N: n}}}
	default:
		v.Kind = NothingStandsOut
	}
	return v
}

// Key is the rule's name and version.
func (w *Weighing) Key() string { return fmt.Sprintf("%s/%d", WeighingName, WeighingVersion) }

const (
	fewestToWeigh = 2
	week          = 7 * 24 * 60 * 60 * 1000 // milliseconds
	tenth         = 1.2815515655446004      // standard normal, 90 %: 80 % lie within
)

// weigh follows a series up to its newest rating, if that is of the session.
func (w *Weighing) weigh(s Series, session, series int) (x Weighed, ok bool) {
	n := len(s.Points)
	if n < fewestToWeigh || s.Points[n-1].Session != session {
		return x, false
	}
	scale := (s.Max - s.Min) / 10
	shown := func(v float64) float64 { // on 0 to 10, higher better
		if s.HigherIsBetter {
			return (v - s.Min) / scale
		}
		return (s.Max - v) / scale
	}
	points := func(v float64) float64 {
		v = min(10, max(0, v))
		if s.HigherIsBetter {
			return s.Min + v*scale
		}
		return s.Max - v*scale
	}
	track, step := w.detector.Track(), 0.0
	var f, before Fall
	for i, p := range s.Points {
		if i > 0 {
			step += interval(s.Points[i-1], p)
		}
		switch {
		case i < n-2:
			track.take(p.Session, step, shown(p.Value))
		case i == n-2:
			before = track.Add(p.Session, step, shown(p.Value))
		default:
			f = track.Add(p.Session, step, shown(p.Value))
		}
	}
	last := s.Points[n-1]
	from := s.Points[max(0, n-2-f.Since)]
	limits := LimitsFor(series)
	x = Weighed{
		Dimension: s.Dimension, Informant: s.Informant, Rater: s.Rater, Value: last.Value, Expected: points(f.Expected), Low: points(f.Expected - tenth*f.SD), High: points(f.Expected + tenth*f.SD),
		Odds: f.Odds, Limit: limits.Asking, Probability: f.Probability, Margin: w.detector.Margin() * scale, N: n, Session: session, FromSession: from.Session, From: from.Value,
		Back: f.Back, FalseAlarms: limits.share(limits.AnyAsking, n), FalseAlarmsNow: limits.share(limits.AnyNow, n),
	}
	if x.Low > x.High {
		x.Low, x.High = x.High, x.Low
	}
	x.Lower = s.worse()*(last.Value-points(f.Expected-tenth*f.SD)) > 1e-9*(s.Max-s.Min)
	low := last.Value
	if f.Back {
		low = s.Points[n-2].Value
	}
	x.Fallen = f.Odds > limits.Asking && falls(s, low-from.Value)
	if f.Back && before.Odds > limits.Asking { // it was asked about when it fell
		x.Fallen = false
	}
	x.Now = x.Fallen && f.Odds > limits.Now
	return x, number(x.Expected) && number(x.Low) && number(x.High) && number(x.Odds)
}

// interval is the time between two ratings in weeks; by sessions where the
// instants are not known, or go back.
func interval(a, b Point) float64 {
	if a.AtMillis > 0 && b.AtMillis > a.AtMillis {
		return min(100, max(.05, float64(b.AtMillis-a.AtMillis)/week))
	}
	return max(.05, float64(b.Session)-float64(a.Session))
}

// reason puts what was weighed into the figures that every rule gives.
func (x Weighed) reason(s Series) Reason {
	to, at := x.Value, x.Session
	if x.Back {
		before := s.Points[len(s.Points)-2]
		to, at = before.Value, before.Session
	}
	return Reason{Code: Fell, Dimension: x.Dimension, Informant: x.Informant, Rater: x.Rater, Session: x.Session, Back: x.Back, Figures: Figures{
		From: x.From, To: to, Change: to - x.From, Mean: x.Expected, SD: (x.High - x.Low) / 2 / tenth, Deviation: x.Value - x.Expected,
		Threshold: x.Margin, N: x.N, FromSession: x.FromSession, ToSession: at,
	}}
}
