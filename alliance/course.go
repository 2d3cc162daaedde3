// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import "math"

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
func (p Point) rated() bool {
	return p.OK && !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0)
}

// Series is one informant's ratings of one dimension, ordered by session.
type Series struct {
	Dimension      Dimension
	Informant      Informant
	Min, Max       float64 // of the form, in points
	HigherIsBetter bool
	SEM            float64 // standard error of measurement in points; 0: reliability unknown
	Cutoff         float64
	HasCutoff      bool
	Points         []Point
}

// rated returns the points that hold a number.
func (s Series) rated() (out []Point) {
	for _, p := range s.Points {
		if p.rated() {
			out = append(out, p)
		}
	}
	return out
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

// Gap matches two informants' ratings of one dimension by session. Forms of
// other ranges are compared as shares of their range, given in points of the
// client's form.
func Gap(client, therapist Series) []GapPoint {
	other := map[int]Point{}
	for _, p := range therapist.rated() {
		other[p.Session] = p
	}
	out := make([]GapPoint, 0, len(client.Points))
	for _, p := range client.Points {
		g := GapPoint{Session: p.Session}
		if t, ok := other[p.Session]; ok && p.rated() && therapist.Max > therapist.Min && client.Max > client.Min {
			share := (t.Value - therapist.Min) / (therapist.Max - therapist.Min)
			if therapist.HigherIsBetter != client.HigherIsBetter {
				share = 1 - share
			}
			g.Client, g.Therapist = p.Value, client.Min+share*(client.Max-client.Min)
			g.Difference, g.OK = g.Therapist-g.Client, true
		}
		out = append(out, g)
	}
	return out
}
