// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

func (w *world) erase() error {
	return w.app.EraseClient(w.ctx, w.boss, app.Erase{Client: w.client, Name: "canary-client", Reason: care.AskedFor})
}

func (w *world) newID() care.ID {
	return care.ID(uuid.NewString())
}

// about counts the rows that name an id.
func (w *world) about(id care.ID, but ...string) (in []string) {
	w.t.Helper()
	for _, table := range tables {
		if !slices.Contains(but, table) && strings.Contains(strings.Join(w.rows(table), " "), string(id)) {
			in = append(in, table)
		}
	}
	return in
}

// TestErasureEndsEverything: links, visits and what is on its way come to
// nothing, and only the audit and one line of numbers still know the identifier.
func TestErasureEndsEverything(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.AddNote(w.ctx, w.neri, w.session, "CANARY-note"))
		w.answerAll(w.respondent, .5, 1, "CANARY-words")
		w.now.Add(justStarted)
		next := get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		link := get[app.Link](t)(w.app.Invite(w.ctx, w.neri, next))
		form := get[app.FormView](t)(w.app.NextForm(w.ctx, w.visit(next)))
		open := w.visit(next)
		ask := get[app.ErasureAsk](t)(w.app.AskErasure(w.ctx, w.boss, "CANARY-client"))
		if h := ask.Goes; h.Episodes != 1 || h.Sessions != 2 || h.Responses == 0 || h.Notes != 1 || h.Shared != 0 {
			t.Errorf("what goes: %+v", h)
		}
		must(t, w.erase())
		if err := errorOf(w.app.RecordRating(w.ctx, open, filled(form, next, .5, 0))); care.CodeOf(err) != care.NotFound {
			t.Errorf("an answer on its way: %v", err)
		}
		if err := errorOf(w.app.OpenInvitation(w.ctx, link.Token)); care.CodeOf(err) != care.NotFound {
			t.Errorf("an open link: %v", err)
		}
		if err := w.app.EndVisit(w.ctx, open); care.CodeOf(err) != care.NotFound {
			t.Errorf("an open visit: %v", err)
		}
		for _, id := range []care.ID{w.client, w.episode, w.session, next} {
			if in := w.about(id, "audit", "erasure"); in != nil {
				t.Errorf("%s is still in %v", id, in)
			}
		}
		lines := get[[]app.ErasureLine](t)(w.app.Erasures(w.ctx, w.neri))
		if len(lines) != 1 || lines[0].Who != "CANARY-boss" || lines[0].DestroyedMillis == 0 || lines[0].Went != ask.Goes {
			t.Errorf("the list says %+v", lines)
		}
		var did []string
		for _, l := range get[[]app.AccessLine](t)(w.app.ErasedAccess(w.ctx, w.boss, w.client)) {
			did = append(did, l.Who+" "+l.Action)
		}
		if !slices.Contains(did, "CANARY-boss erase_client") || !slices.Contains(did, "CANARY-neri add_client") {
			t.Errorf("the audit of her says %v", did)
		}
		if err := w.erase(); care.CodeOf(err) != care.NotFound {
			t.Errorf("erased twice: %v", err)
		}
		get[app.Today](t)(w.app.Today(w.ctx, w.neri))
		if rows := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri)); len(rows) != 0 {
			t.Errorf("%d are in the list", len(rows))
		}
		must(t, w.store.Read(w.ctx, func(tx *store.Tx) error { return errorOf(tx.VerifyAudit(w.neri.Practice, nil)) }))
	})
}

// TestErasureHalfDone: wherever it stops, either nothing happened or the next
// start finishes it; a key that cannot be destroyed is said to be there.
func TestErasureHalfDone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		away := w.shares + ".away"
		must(t, os.Rename(w.shares, away))
		before := w.digest()
		if err := w.app.EraseClient(w.ctx, w.boss, app.Erase{Client: w.client, Name: "CANARY", Reason: care.AskedFor}); care.CodeOf(err) != care.Invalid || w.digest() != before {
			t.Errorf("another name: %v", err)
		}
		err := w.erase()
		var e *care.Error
		if !errors.As(err, &e) || e.Key != "erasure.not_destroyed" {
			t.Fatalf("without the shares' disk: %v", err)
		}
		if _, err := w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "N.", AgeBand: care.Adult, Language: "en"}); care.CodeOf(err) != care.Unavailable {
			t.Errorf("a new client without the shares' disk: %v", err)
		}
		if n, err := w.store.FinishErasures(w.ctx, 1, w.newID); err == nil || n != 0 {
			t.Errorf("finished %d without the shares' disk: %v", n, err)
		}
		if l := get[[]app.ErasureLine](t)(w.app.Erasures(w.ctx, w.neri)); len(l) != 1 || l[0].DestroyedMillis != 0 {
			t.Errorf("the key is said to be destroyed: %+v", l)
		}
		must(t, os.Rename(away, w.shares))
		if n := get[int](t)(w.store.FinishErasures(w.ctx, 77, w.newID)); n != 1 {
			t.Errorf("%d erasures were finished", n)
		}
		if l := get[[]app.ErasureLine](t)(w.app.Erasures(w.ctx, w.neri)); len(l) != 1 || l[0].DestroyedMillis != 77 {
			t.Errorf("after the next start: %+v", l)
		}
		if n := get[int](t)(w.store.FinishErasures(w.ctx, 78, w.newID)); n != 0 {
			t.Errorf("%d erasures were finished twice", n)
		}
	})
}

// TestErasureOfOne: of a couple's therapy the other one's part stays, and nothing
// else.
func TestErasureOfOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		other := get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-other", AgeBand: care.Adult, Language: "en"}))
		e := care.Episode{ID: w.newID(), Practice: w.neri.Practice, Clients: []care.ID{w.client, other}, Therapists: []care.ID{w.neri.Staff}, Orientation: "systemic", Setting: care.Couple, OpenedOn: "2026-01-01"}
		s := care.Session{ID: w.newID(), Practice: e.Practice, Episode: e.ID, AtMillis: 5, Status: care.Held}
		said := func(of care.ID) care.Response {
			return care.Response{ID: w.newID(), Practice: e.Practice, Episode: e.ID, Session: s.ID, Client: of, By: of, Informant: care.ByClient, Instrument: "one", Version: 1, Language: "en", AnsweredMillis: 6, Content: care.Content{Comment: "CANARY"}}
		}
		must(t, w.store.Write(w.ctx, func(tx *store.Tx) error { return errors.Join(tx.AddEpisode(e), tx.AddSession(s)) }))
		must(t, w.store.Write(w.ctx, func(tx *store.Tx) error {
			_, err1 := tx.AddResponse(said(w.client))
			_, err2 := tx.AddResponse(said(other))
			return errors.Join(err1, err2)
		}))
		if h := get[app.ErasureAsk](t)(w.app.AskErasure(w.ctx, w.boss, "canary-client")).Goes; h.Shared != 1 || h.Episodes != 1 {
			t.Errorf("what goes: %+v", h)
		}
		must(t, w.erase())
		if in := w.about(w.client, "audit", "erasure"); in != nil {
			t.Errorf("still in %v", in)
		}
		must(t, w.store.Read(w.ctx, func(tx *store.Tx) error {
			rs, err := tx.Responses(e.Practice, e.ID, other)
			if len(rs) != 1 {
				t.Errorf("of the other %d responses stay", len(rs))
			}
			return err
		}))
	})
}

// TestErasedStayOut: a file that knows an erased person brings nobody back, also
// when it was looked at before.
func TestErasedStayOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m := get[*app.ImportMap](t)(app.ParseImportMap("map", []byte("client: c\ntime: {column: t, format: iso}\ninstrument: session-client-adult\nitems: {bond1: b}\n")))
		src := app.ImportSource{Name: "f.csv", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader([]byte("c,t,b\nX-0,2025-03-01,7\nX-1,2025-03-01,7\n"))), nil
		}}
		get[app.ImportPlan](t)(w.app.Import(w.ctx, w.neri, m, src, nil))
		ask := get[app.ErasureAsk](t)(w.app.AskErasure(w.ctx, w.boss, "x-1"))
		must(t, w.app.EraseClient(w.ctx, w.boss, app.Erase{Client: ask.Client, Name: "X-1", Reason: care.KeptLongEnough}))
		before := w.digest()
		for name, do := range map[string]func() error{
			"preview": func() error { return errorOf(w.app.PreviewImport(w.ctx, w.neri, m, src, nil)) },
			"import":  func() error { return errorOf(w.app.Import(w.ctx, w.neri, m, src, nil)) },
		} {
			var e *care.Error
			if err := do(); !errors.As(err, &e) || e.Key != "erasure.in_file" || e.Args["Line"] != "3" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if w.digest() != before {
			t.Error("something was written")
		}
	})
}
