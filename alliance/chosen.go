// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"fmt"
)

// Rule judges a course as it stands. Key names the rule and its version: a verdict
// of another key is to be made anew. Safe for use by several goroutines.
type Rule interface {
	Judge(c Course) Verdict
	Key() string
}

// Offered are the published rules a practice may choose instead of the weighing:
// those that say by themselves when to ask. The others of PublishedRules want a
// figure of the form (a cutoff, a reliability) that our own forms do not have yet.
func Offered() (out []Published) {
	for _, p := range PublishedRules() {
		if p.Limit == 0 {
			continue
		}
		if p.ID == "individuals-chart" {
			two := p
			two.ID, two.Limit = "individuals-chart-2", 2
			out = append(out, two)
		}
		out = append(out, p)
	}
	return out
}

// RuleByID returns the weighing for "" or its name, else the published rule of that
// ID with its paper's limit. Errors: a rule that is not offered.
func RuleByID(id string) (Rule, error) {
	if id == "" || id == WeighingName {
		return Usual(), nil
	}
	for _, p := range Offered() {
		if p.ID == id {
			return chosen{p}, nil
		}
	}
	return nil, fmt.Errorf("no rule %q is offered; choose one of those that Offered lists, or %s", id, WeighingName)
}

// chosenVersion counts changes in how published rules are put to use here.
const chosenVersion = 1

// chosen is a published rule at its paper's limit.
type chosen struct{ Published }

// Key is the rule's ID and version.
func (r chosen) Key() string { return fmt.Sprintf("%s/%d", r.ID, chosenVersion) }

// Judge asks where the rule's number for a client's or carer's newest rating
// exceeds its limit. What belongs to no rule is as with the weighing: the direct
// question, a form's cutoff, a course at the very top.
func (r chosen) Judge(c Course) Verdict {
	v := Verdict{Kind: TooLittle, Rule: r.ID, Version: chosenVersion}
	own, session, most := deciding(c)
	v.Session, v.FalseAlarms = session, FalseAlarms(r.ID, len(own), most)
	v.Reasons = append(v.Reasons, tension(c, session)...)
	now := len(v.Reasons) > 0 && v.Reasons[0].Tension == TensionYes
	speaks := false
	for _, s := range own {
		if s.Points[len(s.Points)-1].Session == session {
			reason, spoke, asks := r.ask(s)
			speaks = speaks || spoke
			if asks {
				v.Reasons = append(v.Reasons, reason)
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
	case top:
		v.Kind = CannotBeRead
		v.Reasons = []Reason{{Code: FlatMaximal, Informant: Client, Session: session, Figures: Figures{N: n}}}
	case !speaks:
		v.Reasons = []Reason{{Code: FewValues, Session: session, Figures: Figures{N: most}}}
	default:
		v.Kind = NothingStandsOut
	}
	return v
}

// ask puts the rule to a series' ratings on 0 to 10, higher better. From is the mean
// of the ratings before the newest, so FromSession is 0; Threshold half of their SD,
// by which a way back is told.
func (r chosen) ask(s Series) (reason Reason, speaks, asks bool) {
	y := make([]float64, len(s.Points))
	scale := (s.Max - s.Min) / 10
	for i, p := range s.Points {
		y[i] = (p.Value - s.Min) / scale
		if !s.HigherIsBetter {
			y[i] = (s.Max - p.Value) / scale
		}
	}
	between := Stated()
	between.LevelSD /= 2 // as far as levels do spread: see Stated
	number := r.Of(y, between)
	last := s.Points[len(s.Points)-1]
	if number == cannot {
		return reason, false, false
	}
	var before []float64
	for _, p := range s.Points[:len(s.Points)-1] {
		before = append(before, p.Value)
	}
	f := Figures{To: last.Value, ToSession: last.Session, N: len(s.Points)}
	if len(before) > 0 {
		f.From = mean(before)
		f.Mean, f.Change = f.From, last.Value-f.From
	}
	if len(before) > 1 {
		_, f.SD = momentsOf(before)
		f.Threshold = f.SD / 2
	}
	return Reason{Code: Fell, Dimension: s.Dimension, Informant: s.Informant, Rater: s.Rater, Session: last.Session, Figures: f}, true, number > r.Limit
}

// FalseAlarms is in what share of stable courses of n sessions a rule asks at least
// once, of one series or of three: the weighing, or an offered rule, as
// simulate.FalseAlarms found it. 0 for
// a rule that is not offered; for longer courses than were drawn the longest.
func FalseAlarms(id string, series, n int) float64 {
	if id == WeighingName {
		l := LimitsFor(series)
		return l.share(l.AnyAsking, n)
	}
	shares := falseAlarmsOfOne[id]
	if series > 1 {
		shares = falseAlarmsOfThree[id]
	}
	return Limits{}.share(shares, n)
}
