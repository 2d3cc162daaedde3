// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

func (b *bench) answer(r care.Response) (added bool, err error) {
	err = b.s.Write(b.ctx, func(tx *Tx) (err error) {
		added, err = tx.AddResponse(r)
		return err
	})
	return added, err
}

func TestResponse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		early, late := answer("0190-r-2", first), answer("0190-r-1", second)
		own := answer("0190-r-3", first)
		own.By, own.Informant, own.Instrument, own.Content = neri.ID, care.ByTherapist, "two", care.Content{}
		for _, r := range []care.Response{late, early, own} {
			if added, err := b.answer(r); err != nil || !added {
				t.Fatalf("%s: %v, %v", r.ID, added, err)
			}
		}
		got, err := b.responses()
		must(t, err)
		same(t, "responses, by time", got, []care.Response{early, own, late})
		bare := func(r care.Response) care.Response {
			r.Content = care.Content{}
			return r
		}
		same(t, "of one session", read(b, func(tx *Tx) ([]care.Response, error) {
			return tx.SessionResponses(here.ID, therapy.ID, anna.ID, first.ID)
		}), []care.Response{bare(early), own})
		same(t, "head", read(b, func(tx *Tx) (care.Response, error) { return tx.ResponseHead(here.ID, late.ID) }), bare(late))
		_, err = tryRead(b, func(tx *Tx) (care.Response, error) { return tx.ResponseHead(elsewhere.ID, late.ID) })
		missing(t, "head in another practice", err)
		same(t, "about bruno", len(read(b, func(tx *Tx) ([]care.Response, error) { return tx.Responses(here.ID, therapy.ID, bruno.ID) })), 0)
	})
}

// TestResponseOnce: an id is kept once, whatever comes with it later, and a
// person answers a form of a session once, whatever the id.
func TestResponseOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		r := answer("0190-r-1", first)
		if added, err := b.answer(r); err != nil || !added {
			t.Fatalf("%v, %v", added, err)
		}
		rest := b.rows("response")
		elseSession, elseContent := answer(r.ID, second), r
		elseContent.Content = care.Content{Comment: "changed"}
		for name, again := range map[string]care.Response{"the same": r, "other content": elseContent, "another session": elseSession} {
			if added, err := b.answer(again); err != nil || added {
				t.Errorf("%s under the same id: %v, %v", name, added, err)
			}
		}
		other := r
		other.ID = "0190-r-2"
		if added, err := b.answer(other); care.CodeOf(err) != care.Conflict || added {
			t.Errorf("the same form again: %v, %v", added, err)
		}
		lost := answer("0190-r-3", first)
		lost.Session = "0190-nowhere"
		if _, err := b.answer(lost); care.CodeOf(err) != care.Conflict {
			t.Errorf("an answer to no session: %v", err)
		}
		same(t, "what rests", b.rows("response"), rest)
		got, err := b.responses()
		must(t, err)
		same(t, "what is read", got, []care.Response{r})
		for _, change := range []func(*care.Response){
			func(r *care.Response) { r.Session = second.ID },
			func(r *care.Response) { r.Instrument = "two" },
			func(r *care.Response) { r.By = neri.ID },
			func(r *care.Response) { r.Client, r.By = bruno.ID, anna.ID },
		} {
			next := r
			change(&next)
			next.ID = care.ID(fmt.Sprintf("0190-r-9-%s-%s-%s-%s", next.Session, next.Instrument, next.By, next.Client))
			if added, err := b.answer(next); err != nil || !added {
				t.Errorf("%s: %v, %v", next.ID, added, err)
			}
		}
	})
}

// TestResponseRace: of many equal submissions at once one is kept, and every
// other learns that it was there.
func TestResponseRace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		r := answer("0190-r-1", first)
		type outcome struct {
			added bool
			err   error
		}
		outcomes := make(chan outcome, 16)
		for range cap(outcomes) {
			go func() {
				added, err := b.answer(r)
				outcomes <- outcome{added, err}
			}()
		}
		kept := 0
		for range cap(outcomes) {
			o := <-outcomes
			must(t, o.err)
			if o.added {
				kept++
			}
		}
		if n := b.count("SELECT COUNT(*) FROM response"); kept != 1 || n != 1 {
			t.Errorf("%d were told it was new, %d are there", kept, n)
		}
	})
}

func TestSessionNumbers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		own := care.Episode{ID: "0190-episode-2", Practice: here.ID, Clients: []care.ID{anna.ID}, Therapists: []care.ID{neri.ID}}
		b.write(func(tx *Tx) error { return tx.AddEpisode(own) })
		same(t, "none", len(read(b, func(tx *Tx) ([]care.Session, error) { return tx.Sessions(here.ID, own.ID) })), 0)
		var want []care.Session
		for i, x := range []struct {
			at     int64
			status care.SessionStatus
			number int
		}{{-5, care.Held, 1}, {0, care.Missed, 0}, {10, care.Held, 2}, {10, care.Held, 3}, {20, care.Planned, 0}, {30, care.Held, 4}} {
			want = append(want, care.Session{ID: care.ID(fmt.Sprintf("0190-s-%d", i)), Practice: here.ID, Episode: own.ID, AtMillis: x.at, Status: x.status, Number: x.number})
		}
		b.write(func(tx *Tx) error {
			var err error
			for _, s := range slices.Backward(want) {
				err = errors.Join(err, tx.AddSession(s))
			}
			return err
		})
		same(t, "sessions", read(b, func(tx *Tx) ([]care.Session, error) { return tx.Sessions(here.ID, own.ID) }), want)
		missed := want[0]
		missed.Status = care.Missed
		b.write(func(tx *Tx) error { return tx.SetSession(missed) })
		var numbers []int
		for _, s := range read(b, func(tx *Tx) ([]care.Session, error) { return tx.Sessions(here.ID, own.ID) }) {
			numbers = append(numbers, s.Number)
		}
		same(t, "after the first was missed", numbers, []int{0, 0, 1, 2, 0, 3})
	})
}

// TestCaseload: each client once, in the order of their ids, with the open
// episode of the newest session and the nearer relation.
func TestCaseload(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		older := care.Episode{ID: "0190-episode-0", Practice: here.ID, Clients: []care.ID{anna.ID}, Supervisors: []care.ID{neri.ID}}
		ended := care.Episode{ID: "0190-episode-9", Practice: here.ID, Clients: []care.ID{anna.ID, bruno.ID}, Therapists: []care.ID{neri.ID}, ClosedOn: "2026-02-02"}
		carla := care.Client{ID: "0190-client-0", Practice: here.ID, Label: "CANARY-carla", AgeBand: care.Adult, Language: "it", CreatedMillis: 99}
		alone := care.Episode{ID: "0190-episode-3", Practice: here.ID, Clients: []care.ID{carla.ID}, Therapists: []care.ID{neri.ID}, Supervisors: []care.ID{neri.ID}}
		b.write(func(tx *Tx) error {
			return errors.Join(tx.AddClient(carla), tx.AddEpisode(older), tx.AddEpisode(ended), tx.AddEpisode(alone),
				tx.PutStanding(care.Standing{Practice: here.ID, Episode: therapy.ID, Client: anna.ID, LastMillis: 100, Body: []byte("first")}),
				tx.PutStanding(care.Standing{Practice: here.ID, Episode: therapy.ID, Client: anna.ID, LastMillis: 200, Body: []byte("CANARY-standing")}),
				tx.PutStanding(care.Standing{Practice: here.ID, Episode: older.ID, Client: anna.ID, LastMillis: 150, Body: []byte("older")}),
				tx.PutStanding(care.Standing{Practice: here.ID, Episode: ended.ID, Client: anna.ID, LastMillis: 900, Body: []byte("ended")}),
				tx.PutStanding(care.Standing{Practice: here.ID, Episode: alone.ID, Client: carla.ID, Body: []byte{}}),
				tx.MarkRead(here.ID, neri.ID, therapy.ID, anna.ID, 5), tx.MarkRead(here.ID, neri.ID, therapy.ID, anna.ID, 7), tx.MarkRead(here.ID, longo.ID, therapy.ID, bruno.ID, 9))
		})
		caseload := func(practice, staff care.ID) []care.CaseloadEntry {
			return read(b, func(tx *Tx) ([]care.CaseloadEntry, error) { return tx.Caseload(practice, staff) })
		}
		same(t, "neri's", caseload(here.ID, neri.ID), []care.CaseloadEntry{
			{Client: carla, Episode: alone.ID, Relation: care.TreatsIn, Standing: []byte{}},
			{Client: anna, Episode: therapy.ID, Relation: care.TreatsIn, Standing: []byte("CANARY-standing"), ReadAtMillis: 7},
			{Client: bruno, Episode: therapy.ID, Relation: care.TreatsIn},
		})
		same(t, "longo's", caseload(here.ID, longo.ID), []care.CaseloadEntry{
			{Client: anna, Episode: therapy.ID, Relation: care.SupervisesIn, Standing: []byte("CANARY-standing")},
			{Client: bruno, Episode: therapy.ID, Relation: care.SupervisesIn, ReadAtMillis: 9},
		})
		same(t, "in another practice", len(caseload(elsewhere.ID, neri.ID)), 0)
		b.write(func(tx *Tx) error {
			return tx.PutStanding(care.Standing{Practice: here.ID, Episode: older.ID, Client: anna.ID, LastMillis: 300, Body: []byte("newest")})
		})
		newest := care.CaseloadEntry{Client: anna, Episode: older.ID, Relation: care.SupervisesIn, Standing: []byte("newest")}
		same(t, "after a session of the other episode", caseload(here.ID, neri.ID)[1], newest)
		put := func(changes int64, body string) {
			b.write(func(tx *Tx) error {
				return tx.PutStanding(care.Standing{Practice: here.ID, Episode: older.ID, Client: anna.ID, LastMillis: 300, Changes: changes, Body: []byte(body)})
			})
		}
		b.write(func(tx *Tx) error {
			n, err := tx.Touch(here.ID, older.ID, anna.ID)
			same(t, "changes", n, int64(1))
			return err
		})
		newest.Changes, newest.Stale = 1, true
		put(0, "made before the change")
		same(t, "after a change", caseload(here.ID, neri.ID)[1], newest)
		put(1, "made of it")
		newest.Stale, newest.Standing = false, []byte("made of it")
		same(t, "after it was worked out", caseload(here.ID, neri.ID)[1], newest)
		missing(t, "touched in another practice", b.s.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Touch(elsewhere.ID, older.ID, anna.ID)
			return err
		}))
	})
}

func TestNameID(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		name := func(practice care.ID, parts ...string) care.ID {
			return read(b, func(tx *Tx) (care.ID, error) { return tx.NameID(practice, parts...) })
		}
		id := name(here.ID, "client", "CANARY-7")
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(string(id)) {
			t.Errorf("%s is no UUID of version 8", id)
		}
		same(t, "again", name(here.ID, "client", "CANARY-7"), id)
		others := map[care.ID]string{id: "itself"}
		for what, other := range map[string]care.ID{
			"another practice":    name(elsewhere.ID, "client", "CANARY-7"),
			"another name":        name(here.ID, "client", "CANARY-8"),
			"another cut":         name(here.ID, "clientC", "ANARY-7"),
			"one part":            name(here.ID, "clientCANARY-7"),
			"an empty part":       name(here.ID, "client", "CANARY-7", ""),
			"parts like a length": name(here.ID, "client8:CANARY-7"),
		} {
			if was, taken := others[other]; taken {
				t.Errorf("%s has the id of %s", what, was)
			}
			others[other] = what
		}
		must(t, b.s.Close())
		b.s = b.open()
		same(t, "after opening again", name(here.ID, "client", "CANARY-7"), id)
		_, err := tryRead(b, func(tx *Tx) (care.ID, error) { return tx.NameID("0190-nowhere", "x") })
		missing(t, "in no practice", err)
	})
}
