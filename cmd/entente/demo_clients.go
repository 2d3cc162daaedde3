// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"math"

	"github.com/entente-project/entente/internal/care"
)

// demoClient is the script of one invented course.
type demoClient struct {
	label, language, email, therapist, orientation string
	age                                            care.AgeBand
	setting                                        care.Setting
	sessions, every, ago                           int // how many, days between, days since the last
	start, end                                     [3]float64
	falls                                          []fall
	strained                                       map[int]int // session: 1 a little, 2 yes
	words, notes                                   map[int]string
	missed                                         map[int]bool
	gapAfter, gapDays                              int
	flat, open, unguessed, read, shared            bool
	wellFrom, wellTo                               float64
}

// fall lowers bond, tasks and goals from one session to another.
type fall struct {
	from, to int
	by       [3]float64
}

// felt is the level of bond, tasks and goals at a session, on 0-1: growth on log
// time, less what fell.
func (p demoClient) felt(n int) (out [3]float64) {
	share := math.Log(float64(n)) / math.Log(float64(max(2, p.sessions)))
	for d := range out {
		out[d] = p.start[d] + (p.end[d]-p.start[d])*share
		for _, f := range p.falls {
			if n >= f.from && n <= f.to {
				out[d] -= f.by[d]
			}
		}
	}
	return out
}

func even(x float64) [3]float64 { return [3]float64{x, x, x} }

// demoClients are twelve made-up people of all ages.
var demoClients = []demoClient{
	{label: "M. R.", language: "en", email: "m.r@example.org", therapist: "neri", orientation: "integrative", age: care.Adult, setting: care.Individual,
		sessions: 11, every: 7, start: [3]float64{.62, .55, .58}, end: [3]float64{.86, .76, .84}, shared: true, wellFrom: .35, wellTo: .58,
		falls: []fall{{11, 11, [3]float64{.02, .03, .36}}}, strained: map[int]int{11: 1},
		words: map[int]string{4: "It helped to draw it instead of explaining it.", 11: "I still like coming. I am not sure we are working on the thing I came for."},
		notes: map[int]string{4: "Review: what has changed, what has not."}},
	{label: "Anna B.", language: "it", therapist: "neri", orientation: "psychodynamic", age: care.Adult, setting: care.Individual,
		sessions: 18, every: 7, ago: 2, start: even(.55), end: [3]float64{.88, .82, .8}, falls: []fall{{9, 10, [3]float64{.34, .2, .1}}}, strained: map[int]int{9: 2, 10: 1},
		words: map[int]string{9: "Mi è sembrato che avesse fretta.", 12: "Sono contenta che ne abbiamo parlato."}, notes: map[int]string{10: "Parlato della fretta della volta scorsa: mia la parte dell'orologio."},
		read: true, wellFrom: .3, wellTo: .66},
	{label: "T. G.", language: "en", therapist: "neri", orientation: "cognitive_behavioural", age: care.Adult, setting: care.Online,
		sessions: 14, every: 7, ago: 5, start: even(.6), end: [3]float64{.8, .7, .7}, falls: []fall{{8, 14, [3]float64{.12, .33, .25}}}, strained: map[int]int{8: 2, 9: 1},
		words: map[int]string{8: "The exercises feel like homework from school.", 13: "Fine."}, wellFrom: .4, wellTo: .36},
	{label: "Giorgio P.", language: "it", therapist: "neri", orientation: "humanistic", age: care.Adult, setting: care.Individual,
		sessions: 9, every: 7, ago: 3, flat: true, read: true, words: map[int]string{2: "Tutto bene."}, wellFrom: .55, wellTo: .6},
	{label: "L-014", language: "en", therapist: "neri", orientation: "integrative", age: care.Adult, setting: care.Individual,
		sessions: 12, every: 7, ago: 6, start: even(.5), end: even(.7), missed: map[int]bool{4: true, 5: true, 12: true}, gapAfter: 6, gapDays: 21, read: true, wellFrom: .3, wellTo: .5},
	{label: "Sofia", language: "it", therapist: "neri", orientation: "systemic", age: care.Adolescent, setting: care.Individual,
		sessions: 8, every: 7, ago: 0, unguessed: true, start: [3]float64{.5, .45, .4}, end: [3]float64{.8, .66, .6}, words: map[int]string{8: "Oggi è andata, si può parlare anche di cose stupide."}, wellFrom: .4, wellTo: .55},
	{label: "Leo", language: "it", therapist: "riva", orientation: "systemic", age: care.Child, setting: care.Individual,
		sessions: 6, every: 14, ago: 1, start: [3]float64{.6, .5, .4}, end: [3]float64{.95, .8, .6}, shared: true},
	{label: "D. & S.", language: "en", therapist: "costa", orientation: "systemic", age: care.Adult, setting: care.Couple,
		sessions: 7, every: 14, ago: 4, start: even(.55), end: even(.7), falls: []fall{{5, 5, even(.25)}}, strained: map[int]int{5: 2}, wellFrom: .4, wellTo: .5, shared: true},
	{label: "Marco V.", language: "it", therapist: "costa", orientation: "cognitive_behavioural", age: care.Adult, setting: care.Individual,
		sessions: 25, every: 7, ago: 2, start: even(.52), end: [3]float64{.9, .86, .88}, read: true, wellFrom: .25, wellTo: .75},
	{label: "K. W.", language: "en", therapist: "riva", orientation: "unspecified", age: care.Adolescent, setting: care.Online,
		sessions: 5, every: 7, ago: 3, start: even(.5), end: even(.62), missed: map[int]bool{2: true}, wellFrom: .35, wellTo: .4},
	{label: "Ines", language: "en", email: "ines@example.org", therapist: "neri", orientation: "integrative", age: care.Adult, setting: care.Individual,
		sessions: 5, every: 7, ago: 0, open: true, start: even(.6), end: even(.78), wellFrom: .45, wellTo: .55, read: true},
	{label: "B. N.", language: "en", therapist: "neri", orientation: "psychodynamic", age: care.Adult, setting: care.Individual,
		sessions: 4, every: 14, ago: 8, start: even(.65), end: even(.72), read: true, wellFrom: .5, wellTo: .52},
}
