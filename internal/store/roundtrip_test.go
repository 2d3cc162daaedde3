// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"reflect"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %#v\nwant %#v", what, got, want)
	}
}

func missing(t *testing.T, what string, err error) {
	t.Helper()
	if care.CodeOf(err) != care.NotFound {
		t.Errorf("%s: %v, want not_found", what, err)
	}
}

func TestRoundTripPeople(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		same(t, "practices", read(b, (*Tx).Practices), []care.Practice{here, elsewhere})
		same(t, "staff", read(b, func(tx *Tx) (care.Staff, error) { return tx.Staff(here.ID, neri.ID) }), neri)
		same(t, "staff by address", read(b, func(tx *Tx) (care.Staff, error) { return tx.StaffByEmail(here.ID, "  canary.NERI@example.org ") }), neri)
		same(t, "all staff", read(b, func(tx *Tx) ([]care.Staff, error) { return tx.AllStaff(here.ID) }), []care.Staff{neri, longo})
		_, err := tryRead(b, func(tx *Tx) (care.Staff, error) { return tx.StaffByEmail(elsewhere.ID, neri.Email) })
		missing(t, "staff in another practice", err)
		_, err = tryRead(b, func(tx *Tx) (care.Staff, error) { return tx.Staff(elsewhere.ID, neri.ID) })
		missing(t, "staff by id in another practice", err)
		twin := longo
		twin.ID, twin.Email = "0190-staff-3", " LONGO@example.org"
		if err := b.s.Write(b.ctx, func(tx *Tx) error { return tx.AddStaff(twin) }); care.CodeOf(err) != care.Conflict {
			t.Errorf("an address taken already: %v", err)
		}
		changed := longo
		changed.PasswordHash, changed.Language = "new", "it"
		b.write(func(tx *Tx) error {
			return errors.Join(tx.SetPassword(here.ID, longo.ID, "new"), tx.SetStaffLanguage(here.ID, longo.ID, "it"))
		})
		same(t, "changed staff", read(b, func(tx *Tx) (care.Staff, error) { return tx.Staff(here.ID, longo.ID) }), changed)
		missing(t, "password of nobody", b.s.Write(b.ctx, func(tx *Tx) error { return tx.SetPassword(elsewhere.ID, longo.ID, "x") }))
	})
}

func TestRoundTripSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		in := care.SignIn{ID: "0190-in-1", Practice: here.ID, Staff: neri.ID, TokenHash: []byte{0, 1, 0xff}, CreatedMillis: 1, ExpiresMillis: 50, IdleMillis: 50, KioskPINHash: "pin", PINFailures: 2}
		join := care.Join{Practice: here.ID, Staff: longo.ID, TokenHash: []byte("first"), ExpiresMillis: 50}
		b.write(func(tx *Tx) error { return errors.Join(tx.AddSignIn(in), tx.PutJoin(join)) })
		find := func(now int64) (care.SignIn, error) {
			return tryRead(b, func(tx *Tx) (care.SignIn, error) { return tx.SignInByToken(in.TokenHash, now) })
		}
		want := in
		want.TokenHash = nil
		got, err := find(49)
		must(t, err)
		same(t, "sign-in", got, want)
		_, err = find(50)
		missing(t, "an expired sign-in", err)
		b.write(func(tx *Tx) error { return tx.CountPINFailure(here.ID, in.ID) })
		got, err = find(1)
		must(t, err)
		same(t, "wrong PINs", got.PINFailures, 3)
		b.write(func(tx *Tx) error { return tx.SetKiosk(here.ID, in.ID, "") })
		got, err = find(1)
		must(t, err)
		same(t, "unlocked", got.KioskPINHash+string(rune('0'+got.PINFailures)), "0")
		b.write(func(tx *Tx) error { return tx.EndSignIn(here.ID, in.ID) })
		_, err = find(1)
		missing(t, "an ended sign-in", err)

		joining := func(token string, now int64) (care.Join, error) {
			return tryRead(b, func(tx *Tx) (care.Join, error) { return tx.JoinByToken([]byte(token), now) })
		}
		j, err := joining("first", 49)
		must(t, err)
		same(t, "join", j, care.Join{Practice: here.ID, Staff: longo.ID, ExpiresMillis: 50})
		_, err = joining("first", 50)
		missing(t, "an expired way in", err)
		join.TokenHash = []byte("second")
		b.write(func(tx *Tx) error { return tx.PutJoin(join) })
		_, err = joining("first", 1)
		missing(t, "a way in that was replaced", err)
		b.write(func(tx *Tx) error { return tx.EndJoin(here.ID, longo.ID) })
		_, err = joining("second", 1)
		missing(t, "a way in that was used", err)
	})
}

func TestRoundTripClient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		client := func(id care.ID) care.Client {
			return read(b, func(tx *Tx) (care.Client, error) { return tx.Client(here.ID, id) })
		}
		same(t, "client", client(anna.ID), anna)
		same(t, "client without address", client(bruno.ID), bruno)
		changed := anna
		changed.Label, changed.Email, changed.AgeBand, changed.Language = "A.", "", care.Adolescent, "en"
		b.write(func(tx *Tx) error { return tx.ChangeClient(changed) })
		same(t, "changed client", client(anna.ID), changed)
		same(t, "the other client", client(bruno.ID), bruno)
		_, err := tryRead(b, func(tx *Tx) (care.Client, error) { return tx.Client(elsewhere.ID, anna.ID) })
		missing(t, "client in another practice", err)
		twin := care.Client{ID: "0190-client-3", Practice: here.ID, Reference: anna.Reference}
		if err := b.s.Write(b.ctx, func(tx *Tx) error { return tx.AddClient(twin) }); care.CodeOf(err) != care.Conflict {
			t.Errorf("a reference taken already: %v", err)
		}
		same(t, "keys after a refused client", b.count("SELECT COUNT(*) FROM data_key"), 4)
		same(t, "episode", read(b, func(tx *Tx) (care.Episode, error) { return tx.Episode(here.ID, therapy.ID) }), therapy)
		_, err = tryRead(b, func(tx *Tx) (care.Episode, error) { return tx.Episode(elsewhere.ID, therapy.ID) })
		missing(t, "episode in another practice", err)
		later := care.Episode{ID: "0190-episode-0", Practice: here.ID, Clients: []care.ID{anna.ID}, Therapists: []care.ID{neri.ID}, OpenedOn: "2026-02-01", ClosedOn: "2026-03-01"}
		b.write(func(tx *Tx) error { return tx.AddEpisode(later) })
		same(t, "episodes, newest first", read(b, func(tx *Tx) ([]care.ID, error) { return tx.EpisodesOf(here.ID, anna.ID) }), []care.ID{later.ID, therapy.ID})
		for staff, want := range map[care.ID]care.Relation{neri.ID: care.TreatsIn, longo.ID: care.SupervisesIn, "0190-staff-9": care.NoRelation} {
			same(t, "relation of "+string(staff), read(b, func(tx *Tx) (care.Relation, error) { return tx.Relation(here.ID, therapy.ID, staff) }), want)
		}
		b.write(func(tx *Tx) error {
			return errors.Join(tx.Relate(here.ID, therapy.ID, longo.ID, care.TreatsIn), tx.Relate(here.ID, therapy.ID, longo.ID, care.TreatsIn))
		})
		same(t, "the therapist wins", read(b, func(tx *Tx) (care.Relation, error) { return tx.Relation(here.ID, therapy.ID, longo.ID) }), care.TreatsIn)
	})
}

func TestRoundTripSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		session := func() care.Session {
			return read(b, func(tx *Tx) (care.Session, error) { return tx.Session(here.ID, first.ID) })
		}
		same(t, "session", session(), first)
		moved := first
		moved.AtMillis, moved.Status = 90, care.Missed
		b.write(func(tx *Tx) error { return tx.SetSession(moved) })
		same(t, "changed session", session(), moved)
		between := func(from, to int64) []care.Session {
			return read(b, func(tx *Tx) ([]care.Session, error) { return tx.SessionsBetween(here.ID, neri.ID, from, to) })
		}
		same(t, "both days", between(90, 201), []care.Session{moved, second})
		same(t, "the end is not within", between(90, 200), []care.Session{moved})
		notes := []care.Note{{ID: "0190-note-2", Practice: here.ID, Session: first.ID, Client: anna.ID, Staff: neri.ID, Text: "CANARY-note\n2", AtMillis: 1},
			{ID: "0190-note-1", Practice: here.ID, Session: second.ID, Client: anna.ID, Staff: longo.ID, Text: "", AtMillis: 2}}
		other := care.Note{ID: "0190-note-3", Practice: here.ID, Session: first.ID, Client: bruno.ID, Staff: neri.ID, Text: "b", AtMillis: 3}
		b.write(func(tx *Tx) error {
			return errors.Join(tx.AddNote(therapy.ID, notes[1]), tx.AddNote(therapy.ID, notes[0]), tx.AddNote(therapy.ID, other),
				tx.Reveal(here.ID, neri.ID, second.ID, 1), tx.Reveal(here.ID, neri.ID, first.ID, 2), tx.Reveal(here.ID, neri.ID, first.ID, 3), tx.Reveal(here.ID, longo.ID, first.ID, 3))
		})
		same(t, "notes", read(b, func(tx *Tx) ([]care.Note, error) { return tx.Notes(here.ID, therapy.ID, anna.ID) }), notes)
		same(t, "revealed", read(b, func(tx *Tx) ([]care.ID, error) { return tx.Revealed(here.ID, neri.ID) }), []care.ID{first.ID, second.ID})
	})
}

func TestRoundTripInvitation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		i := care.Invitation{ID: "0190-inv-1", Practice: here.ID, Session: first.ID, Episode: therapy.ID, Client: anna.ID, Channel: care.ByMail,
			TokenHash: []byte("token1"), CreatedMillis: 5, ExpiresMillis: 50}
		want := i
		want.TokenHash = nil
		b.write(func(tx *Tx) error { return tx.AddInvitation(i) })
		same(t, "invitation", read(b, func(tx *Tx) (care.Invitation, error) { return tx.Invitation(here.ID, i.ID) }), want)
		byToken := func(token string, now int64) error {
			got, err := tryRead(b, func(tx *Tx) (care.Invitation, error) { return tx.InvitationByToken([]byte(token), now) })
			if err == nil {
				same(t, "by token", got.Channel, care.ByMail)
			}
			return err
		}
		must(t, byToken("token1", 49))
		missing(t, "an expired link", byToken("token1", 50))
		b.write(func(tx *Tx) error { return tx.SetVisit(here.ID, i.ID, []byte("visit")) })
		same(t, "by visit", read(b, func(tx *Tx) (care.Invitation, error) { return tx.InvitationByVisit([]byte("visit"), 49) }), want)
		b.write(func(tx *Tx) error { return tx.SetVisit(here.ID, i.ID, nil) })
		_, err := tryRead(b, func(tx *Tx) (care.Invitation, error) { return tx.InvitationByVisit([]byte("visit"), 49) })
		missing(t, "a visit that ended", err)
		next := i
		next.ID, next.TokenHash, next.CreatedMillis = "0190-inv-2", []byte("token2"), 7
		b.write(func(tx *Tx) error { return tx.AddInvitation(next) })
		missing(t, "a link that was replaced", byToken("token1", 10))
		must(t, byToken("token2", 10))
		want.RevokedMillis = 7
		same(t, "revoked", read(b, func(tx *Tx) (care.Invitation, error) { return tx.Invitation(here.ID, i.ID) }), want)
		for now, want := range map[int64]bool{49: true, 50: false} {
			same(t, "invited", read(b, func(tx *Tx) (bool, error) { return tx.InvitedNow(here.ID, first.ID, anna.ID, "", now) }), want)
		}
		same(t, "bruno is not invited", read(b, func(tx *Tx) (bool, error) { return tx.InvitedNow(here.ID, first.ID, bruno.ID, "", 10) }), false)
	})
}

func TestRoundTripRest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		b.write(func(tx *Tx) error {
			return errors.Join(tx.AddInstrument(here.ID, "own", 1, "id: own"), tx.AddInstrument(here.ID, "own", 1, "other"), tx.AddImport(here.ID, "0190-import-1", neri.ID, 5, "CANARY.csv", 7))
		})
		same(t, "instrument", read(b, func(tx *Tx) (string, error) { return tx.Instrument(here.ID, "own", 1) }), "id: own")
		_, err := tryRead(b, func(tx *Tx) (string, error) { return tx.Instrument(elsewhere.ID, "own", 1) })
		missing(t, "instrument of another practice", err)
		same(t, "imports", b.count("SELECT responses FROM import WHERE import_id = '0190-import-1'"), 7)
		changes := func() int64 {
			return read(b, func(tx *Tx) (int64, error) { return tx.Changes(here.ID) })
		}
		same(t, "no change yet", changes(), 0)
		line := care.AuditEntry{Practice: here.ID, AtMillis: 1, Actor: neri.ID, Action: "x", Record: anna.ID, Changes: true}
		seen, foreign := line, line
		seen.Changes, foreign.Practice = false, elsewhere.ID
		b.write(func(tx *Tx) error {
			err := tx.AcrossPractices()
			for id, e := range map[care.ID]care.AuditEntry{"a2": line, "a1": line, "a3": seen, "a4": foreign} {
				e.ID = id
				err = errors.Join(err, tx.Audit(e))
			}
			return err
		})
		same(t, "changes", changes(), 2)
		var hits []int64
		for _, window := range []int64{1, 1, 2, 1} {
			b.write(func(tx *Tx) error {
				n, err := tx.Hit("bucket", window, window)
				hits = append(hits, n)
				return err
			})
		}
		same(t, "hits, window 1 swept by window 2", hits, []int64{1, 2, 1, 1})
		must(t, b.s.Health(b.ctx))
		must(t, b.s.Health(b.ctx))
	})
}
