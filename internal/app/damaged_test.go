// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestDamagedIsNamed: one altered answer or note costs nothing but itself. The
// page says which it is, the list marks the client, new answers are kept, and no
// standing that lacks something is kept as if it were whole.
func TestDamagedIsNamed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.AddNote(w.ctx, w.neri, w.session, "CANARY-note"))
		w.answerAll(w.respondent, .5, 1, "CANARY-words")
		at := w.now.Load()
		spoil := func(query string) {
			t.Helper()
			_, err := w.db.ExecContext(w.ctx, query, append([]byte{1, 1}, make([]byte, 60)...))
			must(t, err)
		}
		spoil("UPDATE session_note SET note = $1")
		spoil("UPDATE response SET content = $1 WHERE instrument = '" + w.asked.Instrument.ID + "'")
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if len(page.Damaged) != 2 || page.Client.Label != "CANARY-client" || len(page.Sessions) != 1 || len(page.Sessions[0].Notes) != 0 {
			t.Fatalf("the page: %d damaged, %d sessions", len(page.Damaged), len(page.Sessions))
		}
		for _, d := range page.Damaged {
			if d.SessionMillis != at || d.Client != w.client || d.Table != "response" && d.Table != "session_note" {
				t.Errorf("damaged: %s", d)
			}
		}
		noted := 0
		for _, l := range w.rows("audit") {
			if strings.Contains(l, "|damaged|") {
				noted++
			}
		}
		if noted != 2 {
			t.Errorf("%d lines in the audit", noted)
		}
		w.now.Add(justStarted)
		w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		w.answerAll(w.visit(w.session), .5, 1, "")
		for range 2 { // the second time too: nothing that lacks something was kept
			rows := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri))
			if len(rows) != 1 || !rows[0].Damaged || rows[0].Client.Label != "CANARY-client" {
				t.Fatalf("the list: %+v", rows)
			}
		}
		get[app.Today](t)(w.app.Today(w.ctx, w.neri))
		spoil("UPDATE client SET label = $1")
		if rows := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri)); len(rows) != 1 || !rows[0].Damaged || rows[0].Client.ID != w.client || rows[0].Client.Label != "" {
			t.Errorf("the list without a name: %+v", rows)
		}
	})
}

// TestDamagedElsewhere: a name or a reason that does not open costs the pages of
// today and of a session nothing but itself.
func TestDamagedElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.need()
		w.answerAll(w.respondent, .5, 1, "CANARY-words")
		spoil := func(query string, args ...any) {
			t.Helper()
			_, err := w.db.ExecContext(w.ctx, query, append([]any{append([]byte{1, 1}, make([]byte, 60)...)}, args...)...)
			must(t, err)
		}
		check := func(name string, damaged bool) {
			t.Helper()
			s := get[app.SessionView](t)(w.app.Session(w.ctx, w.neri, w.session))
			if s.Damaged != damaged || s.Client.Label != name || s.Client.ID != w.client || !s.CanAsk || s.Asked.ClientDone == 0 {
				t.Errorf("the session: %v %q", s.Damaged, s.Client.Label)
			}
			today := get[app.Today](t)(w.app.Today(w.ctx, w.neri))
			if len(today.Sessions) != 1 || today.Sessions[0].Damaged != damaged || today.Sessions[0].Client.Label != name || len(today.Told) != 1 {
				t.Errorf("today: %+v", today.Sessions)
			}
		}
		must(t, w.app.Reveal(w.ctx, w.neri, w.session))
		check("CANARY-client", false)
		spoil("UPDATE response SET content = $1 WHERE client_id = $2", w.client)
		check("CANARY-client", true)
		spoil("UPDATE client SET label = $1 WHERE client_id = $2", w.client)
		check("", true)
		spoil("UPDATE client SET label = $1")
		spoil("UPDATE emergency SET reason = $1")
		check("", true)
		if n := get[app.Today](t)(w.app.Today(w.ctx, w.neri)).Told[0]; n.Label != "" || n.Reason != "" || n.By == "" || n.Client != w.inNeed {
			t.Errorf("the notice: %+v", n)
		}
		spoil("UPDATE staff SET name = $1 WHERE staff_id = $2", w.riva.Staff)
		if n := get[app.Today](t)(w.app.Today(w.ctx, w.neri)).Told[0]; n.By != "" || n.Client != w.inNeed {
			t.Errorf("the notice of somebody without a name: %+v", n)
		}
		must(t, w.app.SeeEmergency(w.ctx, w.neri, w.emergency))
		if page := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri)); len(page) < 2 {
			t.Errorf("%d rows", len(page))
		}
	})
}

// TestDamagedColleague: where a colleague's own name does not open, they can work,
// their client answers, and each page goes on and says that there is somebody.
func TestDamagedColleague(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.need()
		must(t, w.app.AddNote(w.ctx, w.neri, w.session, "CANARY-note"))
		in := w.signIn()
		_, err := w.db.ExecContext(w.ctx, "UPDATE staff SET name = $1 WHERE practice_id = $2", append([]byte{1, 1}, make([]byte, 60)...), w.neri.Practice)
		must(t, err)
		if me := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)); me.Name != "" || me.Actor.Staff != w.neri.Staff || !me.Actor.Has(care.Therapist) {
			t.Errorf("signed in as %+v", me)
		}
		if f := get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent)); !slices.Equal(f.Readers, []string{""}) {
			t.Errorf("the client is told that %q read", f.Readers)
		}
		w.answerAll(w.respondent, .5, 1, "CANARY-words")
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if !slices.Equal(page.Therapists, []string{""}) || len(page.Sessions[0].Notes) != 1 || page.Sessions[0].Notes[0].By != "" || len(page.Damaged) == 0 || page.Damaged[0].Table != "staff" || page.Damaged[0].Column != "name" {
			t.Errorf("the page: %q, %v", page.Therapists, page.Damaged)
		}
		if today := get[app.Today](t)(w.app.Today(w.ctx, w.neri)); len(today.Sessions) != 1 || len(today.Told) != 1 || len(today.Pulls) != 1 || today.Pulls[0].By != "" {
			t.Errorf("the day: %d sessions, %d notices", len(today.Sessions), len(today.Told))
		}
		get[app.SessionView](t)(w.app.Session(w.ctx, w.neri, w.session))
	})
}
