// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// absent are the tables that Check misses a row of.
func (w *world) absent() (tables []string) {
	w.t.Helper()
	_, err := w.store.Check(w.ctx, func(int64) error { return nil }, func(d care.Damaged) error {
		if d.Column == care.Absent {
			tables = append(tables, d.Table)
		} else {
			w.t.Errorf("damaged: %s", d)
		}
		return nil
	})
	must(w.t, err)
	return tables
}

// TestDeletedRowsAreMissed: a row that is deleted behind the program's back is named
// by the check, one that went with a person who was erased is not.
func TestDeletedRowsAreMissed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.need()
		must(t, w.app.AddNote(w.ctx, w.neri, w.session, "CANARY-note"))
		w.answerAll(w.respondent, .5, 1, "CANARY-words")
		other := get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "stays", AgeBand: care.Adult, Language: "it"}))
		episode := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, other, "")).Episode.ID
		planned := get[care.ID](t)(w.app.ScheduleSession(w.ctx, w.neri, episode, w.now.Load()))
		session := get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, episode))
		must(t, w.app.AddNote(w.ctx, w.neri, session, "a note"))
		w.answerAll(w.visit(session), .5, 1, "")
		if gone := w.absent(); gone != nil {
			t.Fatalf("of a whole database these are missed: %v", gone)
		}
		do := func(query string, args ...any) {
			t.Helper()
			_, err := w.db.ExecContext(w.ctx, query, args...)
			must(t, err)
		}
		do("DELETE FROM session_note WHERE session_id = $1", session)
		do("DELETE FROM response WHERE session_id = $1 AND response_id = (SELECT MIN(response_id) FROM response WHERE session_id = $1)", session)
		do("DELETE FROM session WHERE session_id = $1", planned)
		do("DELETE FROM emergency_notice")
		do("DELETE FROM emergency")
		want := []string{"session", "response", "session_note", "emergency"}
		if gone := w.absent(); !slices.Equal(gone, want) {
			t.Errorf("missed are %v, not %v", gone, want)
		}
		var count care.Unopened
		if !errors.As(w.store.Damage(), &count) || int(count) != len(want) {
			t.Errorf("health knows of %v", w.store.Damage())
		}
		must(t, w.app.EraseClient(w.ctx, w.boss, app.Erase{Client: w.client, Name: "CANARY-client", Reason: care.AskedFor}))
		if gone := w.absent(); !slices.Equal(gone, want) {
			t.Errorf("after somebody was erased: %v", gone)
		}
		must(t, w.app.EraseClient(w.ctx, w.boss, app.Erase{Client: other, Name: "stays", Reason: care.AskedFor}))
		if gone := w.absent(); !slices.Equal(gone, []string{"emergency"}) {
			t.Errorf("after everybody of them was erased: %v", gone)
		}
	})
}
