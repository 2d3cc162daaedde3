// SPDX-License-Identifier: AGPL-3.0-or-later

package outcome

import "github.com/entente-project/entente/stats/psych"

// State is the one thing to say of a course.
type State string

// The states, the most pressing first.
const (
	Worse      State = "worse"        // reliably worse than at first
	NotOnTrack State = "not_on_track" // beyond the band of those who began alike, on the worse side
	Recovered  State = "recovered"    // reliably better, and from the clinical side to the other
	Improved   State = "improved"     // reliably better
	Unchanged  State = "unchanged"    // no reliable change
	TooEarly   State = "too_early"    // nothing to compare, or no change before session Early
	NoFigure   State = "no_figure"    // how large a change must be is not known
)

// States lists them.
func States() []State {
	return []State{Worse, NotOnTrack, Recovered, Improved, Unchanged, TooEarly, NoFigure}
}

// Early is the session up to which no change is no news.
const Early = 4

// Track is where the newest score lies in the band of those who began alike.
type Track string

// The places; NoBand where nothing is expected of the session.
const (
	NoBand Track = ""
	Within Track = "within"
	Beyond Track = "beyond" // on the worse side
	Ahead  Track = "ahead"  // on the better side
)

// Verdict is what is to be said of a course, with what it rests on. Sessions count
// from 1.
type Verdict struct {
	State            State
	Class            psych.Change
	First, Now       float64
	FirstAt, NowAt   int
	Track            Track
	Expected         Expectation // of session NowAt, by the first score alone
	Sudden           []Sudden
	Clinical, WasSo  bool // the newest score is on the clinical side; the first was
	Scored, Sessions int
}

// Support says that the course asks for a look at what could help.
func (v Verdict) Support() bool { return v.State == Worse || v.State == NotOnTrack }

// Judge says how a course stands. A nil growth gives no band: then only a reliable
// change is told. Reliable worsening comes first, then a score beyond the band, then
// what got better.
func (f Figures) Judge(scores []float64, g *Growth) Verdict {
	v := Verdict{Sessions: len(scores), State: TooEarly}
	for i, x := range scores {
		if !finite(x) {
			continue
		}
		if v.Scored++; v.Scored == 1 {
			v.First, v.FirstAt = x, i+1
		}
		v.Now, v.NowAt = x, i+1
	}
	if v.Scored == 0 {
		return v
	}
	v.WasSo, v.Clinical = f.Clinical(v.First), f.Clinical(v.Now)
	if f.Change > 0 {
		v.Sudden = SuddenRule{HigherIsBetter: f.HigherIsBetter, Points: f.Change, Share: SuddenShare}.Find(scores)
	}
	if v.Scored == 1 {
		return v
	}
	v.Class = f.Class(v.First, v.Now)
	f.track(&v, scores, g)
	switch {
	case v.Class == psych.Deteriorated:
		v.State = Worse
	case v.Track == Beyond:
		v.State = NotOnTrack
	case v.Class == psych.Recovered:
		v.State = Recovered
	case v.Class == psych.Improved:
		v.State = Improved
	case v.NowAt-v.FirstAt+1 <= Early:
	case f.Change > 0:
		v.State = Unchanged
	default:
		v.State = NoFigure
	}
	return v
}

func (f Figures) track(v *Verdict, scores []float64, g *Growth) {
	if g == nil {
		return
	}
	e := g.Band(scores, v.NowAt, Level)[v.NowAt-1]
	if !e.OK {
		return
	}
	v.Expected, v.Track = e, Within
	worse, better := e.Lower, e.Upper
	if !f.HigherIsBetter {
		worse, better = e.Upper, e.Lower
	}
	switch {
	case f.gain(worse, v.Now) < -rounding:
		v.Track = Beyond
	case f.gain(better, v.Now) > rounding:
		v.Track = Ahead
	}
}
