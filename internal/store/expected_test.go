// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"testing"

	"github.com/entente-project/entente/internal/care"
)

// TestRoundTripRhythm: rhythms, reviews and which forms were given come back.
func TestRoundTripRhythm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		rs := func() map[string]care.Rhythm {
			return read(b, func(tx *Tx) (care.Episode, error) { return tx.Episode(here.ID, therapy.ID) }).Rhythms
		}
		same(t, "at first", len(rs()), 0)
		want := map[string]care.Rhythm{"phq-9": care.EveryFourth, "own": care.FirstAndReview}
		b.write(func(tx *Tx) error {
			return tx.SetRhythms(here.ID, therapy.ID, map[string]care.Rhythm{"phq-9": "4", "own": "first", "x": ""})
		})
		same(t, "rhythms", rs(), want)
		b.write(func(tx *Tx) error { return tx.SetRhythms(here.ID, therapy.ID, nil) })
		same(t, "none", len(rs()), 0)
		b.write(func(tx *Tx) error { return tx.SetReview(here.ID, first.ID, true) })
		same(t, "review", read(b, func(tx *Tx) (care.Session, error) { return tx.Session(here.ID, first.ID) }).Review, true)
		given := read(b, func(tx *Tx) (map[string]map[care.ID]bool, error) { return tx.GivenForms(here.ID, therapy.ID, anna.ID) })
		r := answer("0190-r-1", first)
		if !given[r.Instrument][first.ID] || len(given["none"]) != 0 {
			t.Errorf("given %v", given)
		}
	})
}

// TestExpectedResponses: what was worked out comes back by form and scale, the newest
// alone; what was altered is left out.
func TestExpectedResponses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		e := care.ExpectedResponse{Practice: here.ID, Instrument: "a", Scale: "s", MadeMillis: 5, Body: []byte("one")}
		other := care.ExpectedResponse{Practice: here.ID, Instrument: "a", Scale: "t", MadeMillis: 5, Body: []byte("two")}
		b.write(func(tx *Tx) error { return tx.PutExpectedResponse(e) })
		b.write(func(tx *Tx) error { return tx.PutExpectedResponse(other) })
		e.MadeMillis, e.Body = 6, []byte("three")
		b.write(func(tx *Tx) error { return tx.PutExpectedResponse(e) })
		all := func() []care.ExpectedResponse {
			var out []care.ExpectedResponse
			for _, x := range read(b, func(tx *Tx) ([]care.ExpectedResponse, error) { return tx.ExpectedResponses(here.ID) }) {
				if x.Instrument == "a" {
					out = append(out, x)
				}
			}
			return out
		}
		same(t, "all", all(), []care.ExpectedResponse{e, other})
		b.sql("UPDATE expected_response SET made_millis = 7 WHERE scale = 's'")
		same(t, "an altered one", all(), []care.ExpectedResponse{other})
	})
}
