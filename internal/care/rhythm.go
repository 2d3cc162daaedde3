// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import "slices"

// Rhythm says at which sessions of an episode a form is asked.
type Rhythm string

// The rhythms. A number is every so many sessions, counted from the last one in
// which the form was answered, so that a form left out is asked again next time.
const (
	EverySession   Rhythm = ""
	EverySecond    Rhythm = "2"
	EveryFourth    Rhythm = "4"
	EveryEighth    Rhythm = "8"
	FirstAndReview Rhythm = "first" // until it was answered once, and in sessions marked as a review
)

// Rhythms lists them.
func Rhythms() []Rhythm {
	return []Rhythm{EverySession, EverySecond, EveryFourth, EveryEighth, FirstAndReview}
}

// Known says whether a rhythm is one of Rhythms.
func (r Rhythm) Known() bool { return slices.Contains(Rhythms(), r) }

// Due says whether a form is asked in a session, given how many sessions before it
// the form was last answered: 1 is the session before, 0 never. In a review every
// form is asked.
func (r Rhythm) Due(since int, review bool) bool {
	if review || since == 0 {
		return true
	}
	every, ok := map[Rhythm]int{EverySession: 1, EverySecond: 2, EveryFourth: 4, EveryEighth: 8}[r]
	return ok && since >= every
}
