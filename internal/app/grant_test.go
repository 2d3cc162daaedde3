// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

// grant records a ground for the next key that has none.
func (w *world) grant(a care.Actor) error {
	id, err := w.app.RecordGrant(w.ctx, a, app.NewGrant{Instrument: library.Keys()[w.keys].ID, Ground: care.PublicDomain, Note: "CANARY-grant", File: []byte("CANARY-file")})
	if err == nil {
		w.keys++
		if a.Practice == w.neri.Practice {
			w.granted = id
		}
	}
	return err
}

// TestGate: a form of a practice's is asked by no way before a ground is recorded
// and after it was withdrawn; what was answered stays readable.
func TestGate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, ownForm("sleep", 1)))
		w.notAsked("before a ground")
		own := app.NewGrant{Instrument: "sleep", Ground: care.OwnWork}
		id := get[care.ID](t)(w.app.RecordGrant(w.ctx, w.boss, own))
		if _, err := w.app.RecordGrant(w.ctx, w.boss, own); care.CodeOf(err) != care.Conflict {
			t.Errorf("a second ground: %v", err)
		}
		must(t, w.app.ChooseForms(w.ctx, w.neri, w.episode, []string{"session-therapist", "sleep"}))
		f := get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent))
		if f.Instrument.Key() != "sleep@1" || f.Of != 1 || f.Instrument.Licence.Notice.In("en") == "" {
			t.Fatalf("asked %s of %d", f.Instrument.Key(), f.Of)
		}
		// Whoever had version 1 open may send it after version 2 came.
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, ownForm("sleep", 2)))
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.respondent, filled(f, w.session, .5, 0)))
		w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		w.respondent = w.visit(w.session)
		f = get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent))
		if f.Instrument.Key() != "sleep@2" {
			t.Errorf("a new session asks %s", f.Instrument.Key())
		}
		if err := w.app.WithdrawGrant(w.ctx, w.boss, id, " "); care.CodeOf(err) != care.Invalid {
			t.Errorf("withdrawn without a reason: %v", err)
		}
		must(t, w.app.WithdrawGrant(w.ctx, w.boss, id, "The owner asked."))
		w.notAsked("after it was withdrawn")
		f.Submission = care.ID(uuid.NewString())
		if _, err := w.app.RecordRating(w.ctx, w.respondent, filled(f, w.session, .5, 0)); care.CodeOf(err) != care.Invalid {
			t.Errorf("an answer after it was withdrawn: %v", err)
		}
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if len(page.Outcome) != 1 || page.Outcome[0].Instrument.ID != "sleep" {
			t.Errorf("what was answered is not readable: %+v", page.Outcome)
		}
		g := get[[]app.GrantLine](t)(w.app.Grants(w.ctx, w.boss, "sleep"))
		if len(g) != 1 || g[0].InForce() || g[0].EndReason != "The owner asked." || g[0].By != "CANARY-boss" || g[0].EndedBy != "CANARY-boss" {
			t.Errorf("the record: %#v", g)
		}
	})
}

// notAsked tries every use case that could ask the form "sleep".
func (w *world) notAsked(when string) {
	w.t.Helper()
	if v := get[app.EpisodeForms](w.t)(w.app.EpisodeForms(w.ctx, w.neri, w.episode)); slices.ContainsFunc(v.Forms, func(f *instrument.Instrument) bool { return f.ID == "sleep" }) {
		w.t.Errorf("%s it is offered", when)
	}
	if err := w.app.ChooseForms(w.ctx, w.neri, w.episode, []string{"sleep"}); care.CodeOf(err) != care.Invalid {
		w.t.Errorf("%s it can be chosen: %v", when, err)
	}
	with := app.NewEpisode{Forms: []string{"sleep"}}
	if _, err := w.app.OpenEpisode(w.ctx, w.neri, w.client, with); care.CodeOf(err) != care.Invalid {
		w.t.Errorf("%s an episode opens with it: %v", when, err)
	}
	if _, err := w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "N.", AgeBand: care.Adult, Language: "en", Episode: with}); care.CodeOf(err) != care.Invalid {
		w.t.Errorf("%s a client is added with it: %v", when, err)
	}
	// Even where it stands in an episode.
	before := get[app.EpisodeForms](w.t)(w.app.EpisodeForms(w.ctx, w.neri, w.episode))
	must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error { return tx.SetEpisodeForms(w.neri.Practice, w.episode, []string{"sleep"}) }))
	if _, err := w.app.NextForm(w.ctx, w.respondent); care.CodeOf(err) != care.NotFound {
		w.t.Errorf("%s it is the next form: %v", when, err)
	}
	in := app.Submission{ID: care.ID(uuid.NewString()), Instrument: "sleep", Version: 1, Language: "en", Answers: instrument.Answers{"a": 5, "b": 5}}
	if _, err := w.app.RecordRating(w.ctx, w.respondent, in); care.CodeOf(err) != care.Invalid {
		w.t.Errorf("%s an answer is kept: %v", when, err)
	}
	var chosen []string
	for id := range before.Asked {
		chosen = append(chosen, id)
	}
	must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error { return tx.SetEpisodeForms(w.neri.Practice, w.episode, chosen) }))
}

// TestVersionNeverChanges: a version that is there stays as it is, in the store
// too, and another practice's is its own.
func TestVersionNeverChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		first := ownForm("sleep", 1)
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, first))
		changed := strings.Replace(first, "I slept", "I dozed", 1)
		if _, err := w.app.PublishForm(w.ctx, w.neri, changed); care.CodeOf(err) != care.Conflict {
			t.Errorf("published again: %v", err)
		}
		must(t, w.store.Write(w.ctx, func(tx *store.Tx) error {
			return tx.AddInstrument(w.neri.Practice, "sleep", 1, changed)
		}))
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.stranger, changed))
		must(t, w.store.Read(w.ctx, func(tx *store.Tx) error {
			if got := get[string](t)(tx.Instrument(w.neri.Practice, "sleep", 1)); got != first {
				t.Errorf("it changed: %s", got)
			}
			return nil
		}))
		for what, text := range map[string]string{
			"publish.unreadable": "id: x", "publish.id_ours": ownForm("session-client-adult", 9), "publish.key_incomplete": ownForm("calpas-p", 1), "publish.not_as_key": ownForm("wai-sr", 1), "publish.not_as_key ": ownForm("core-10", 1),
		} {
			_, err := w.app.PublishForm(w.ctx, w.neri, text)
			if e, ok := err.(*care.Error); !ok || e.Key != strings.TrimSpace(what) { //nolint:errorlint // it is the error itself
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// TestGrantChecks: a ground needs what proves it, and a file is what it says.
func TestGrantChecks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		base := app.NewGrant{Instrument: "core-10", Ground: care.ByPermission, From: "The owner", Note: "Letter of May", GivenOn: "2026-01-31"}
		for field, change := range map[string]func(*app.NewGrant){
			"ground": func(g *app.NewGrant) { g.Ground = "because" }, "from": func(g *app.NewGrant) { g.From = " " }, "note": func(g *app.NewGrant) { g.Note = "" },
			"licence": func(g *app.NewGrant) { g.Ground = care.ByLicence }, "given_on": func(g *app.NewGrant) { g.GivenOn = "2027-01-01" },
			"file": func(g *app.NewGrant) { g.File = []byte("<html><script>x</script>") },
		} {
			g := base
			change(&g)
			_, err := w.app.RecordGrant(w.ctx, w.boss, g)
			if e, ok := err.(*care.Error); !ok || e.Field != field || e.Code != care.Invalid { //nolint:errorlint // it is the error itself
				t.Errorf("%s: %v", field, err)
			}
		}
		large := base
		large.File = make([]byte, care.GrantFileBytes+1)
		if _, err := w.app.RecordGrant(w.ctx, w.boss, large); care.CodeOf(err) != care.Invalid {
			t.Errorf("a large file: %v", err)
		}
		for _, id := range []string{"no-such-thing", "session-client-adult"} {
			g := base
			g.Instrument = id
			if _, err := w.app.RecordGrant(w.ctx, w.boss, g); care.CodeOf(err) != care.NotFound {
				t.Errorf("%s: %v", id, err)
			}
		}
		base.File = []byte("%PDF-1.7 CANARY-letter")
		id := get[care.ID](t)(w.app.RecordGrant(w.ctx, w.boss, base))
		kind, data, err := w.app.GrantFile(w.ctx, w.boss, id)
		if err != nil || kind != "application/pdf" || string(data) != string(base.File) {
			t.Errorf("%s %q %v", kind, data, err)
		}
		for _, row := range w.rows("instrument_grant") {
			for _, secret := range []string{"CANARY", "The owner", "Letter", "2026-01-31"} {
				if strings.Contains(row, secret) {
					t.Errorf("%q stands in the table", secret)
				}
			}
		}
	})
}
