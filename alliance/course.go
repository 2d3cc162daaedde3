// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Dimension is one of Bordin's three, or the whole where a form does not tell
// them apart (Bordin 1979).
type Dimension string

// The dimensions.
const (
	Bond  Dimension = "bond"
	Tasks Dimension = "tasks"
	Goals Dimension = "goals"
	Whole Dimension = "whole"
)

// Informant is who rated.
type Informant string

// The informants.
const (
	Client    Informant = "client"
	Therapist Informant = "therapist"
	Carer     Informant = "carer"
	Observer  Informant = "observer"
)

// Point is one session's rating in points of the form. OK is false where it was
// not rated: a gap.
type Point struct {
	Session  int   // number of the session, from 1
	AtMillis int64 // instant of the session, UTC milliseconds
	Value    float64
	OK       bool
}

// rated says that the point holds a number.
func (p Point) rated() bool { return p.OK && number(p.Value) }

// number is false for NaN, infinities and what is so large that its square has no
// number: figures must stay finite, and no form's points reach there.
func number(v float64) bool { return math.Abs(v) <= 1e100 }

// Series is one informant's ratings of one dimension, ordered by session.
type Series struct {
	Dimension      Dimension
	Informant      Informant
	Rater          string  // which of several informants of a kind, as two carers; else empty
	Min, Max       float64 // of the form, in points
	HigherIsBetter bool
	SEM            float64 // standard error of measurement in points; 0: reliability unknown
	Cutoff         float64
	HasCutoff      bool
	Points         []Point
}

// rated returns the points that hold a number, by session.
func (s Series) rated() (out []Point) {
	for _, p := range s.Points {
		if p.rated() {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b Point) int { return cmp.Compare(a.Session, b.Session) })
	return out
}

// ranged says that the form's range can be used: two numbers, apart.
func (s Series) ranged() bool { return number(s.Min) && number(s.Max) && s.Min < s.Max }

// worse is the sign of a change for the worse.
func (s Series) worse() float64 {
	if s.HigherIsBetter {
		return -1
	}
	return 1
}

// TensionAnswer is what somebody answered to the direct question whether
// something stood between the two.
type TensionAnswer string

// The answers; "" is not asked or not answered.
const (
	TensionNone    TensionAnswer = "none"
	TensionALittle TensionAnswer = "a_little"
	TensionYes     TensionAnswer = "yes"
	TensionNotSaid TensionAnswer = "not_said" // "rather not say"
)

// TensionPoint is one session's answer to the direct question.
type TensionPoint struct {
	Session int
	Answer  TensionAnswer
}

// Course is everything rated in one episode about one client.
type Course struct {
	Series  []Series
	Tension []TensionPoint
}

// Snapshot gives the first, the previous and the newest rated point of a series
// (B2). Points that do not exist have OK false.
func Snapshot(s Series) (first, previous, now Point) {
	r := s.rated()
	if len(r) > 0 {
		first, now = r[0], r[len(r)-1]
	}
	if len(r) > 1 {
		previous = r[len(r)-2]
	}
	return first, previous, now
}

// GapPoint is how far two informants were apart in one session: Difference is
// therapist minus client in points of the client's form. OK is false where one
// of them did not rate.
type GapPoint struct {
	Session                       int
	Client, Therapist, Difference float64
	OK                            bool
}

// Gap matches two informants' ratings of one dimension by session: a point for
// each session that either series knows, in order. Forms of other ranges are
// compared as shares of their range, given in points of the client's form; a form
// where lower is better is turned round first. A form without a range matches
// nothing.
func Gap(client, therapist Series) []GapPoint {
	own, other := bySession(client), bySession(therapist)
	sessions := map[int]bool{}
	for _, p := range slices.Concat(client.Points, therapist.Points) {
		sessions[p.Session] = true
	}
	out := make([]GapPoint, 0, len(sessions))
	for _, n := range slices.Sorted(maps.Keys(sessions)) {
		g := GapPoint{Session: n}
		c, rated := own[n]
		if t, ok := other[n]; ok && rated && client.ranged() && therapist.ranged() {
			g.Client, g.Therapist = c, translate(t, therapist, client)
			g.Difference, g.OK = g.Therapist-g.Client, true
		}
		out = append(out, g)
	}
	return out
}

func bySession(s Series) map[int]float64 {
	out := map[int]float64{}
	for _, p := range s.rated() {
		out[p.Session] = p.Value
	}
	return out
}

// translate says a value of one form in points of another. Equal forms are left
// alone, so that 3.7 stays 3.7 to the last bit.
func translate(v float64, from, to Series) float64 {
	if from.Min == to.Min && from.Max == to.Max && from.HigherIsBetter == to.HigherIsBetter {
		return v
	}
	share := (v - from.Min) / (from.Max - from.Min)
	if from.HigherIsBetter != to.HigherIsBetter {
		share = 1 - share
	}
	return to.Min + share*(to.Max-to.Min)
}
