// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// ours is a form that comes with the program.
const ours = "session-client-adult"

// write begins a form that could be published.
func (w *world) write() {
	w.t.Helper()
	w.draft = get[care.ID](w.t)(w.app.StartDraft(w.ctx, w.neri, app.NewDraft{From: ours, Adapt: true, Name: instrument.Text{"en": " (adapted)"}, Notice: instrument.Text{"en": "Adapted from: "}}))
	d := get[app.Draft](w.t)(w.app.Draft(w.ctx, w.neri, w.draft))
	w.revision, w.typed = d.Revision, d.Form
}

// again passes an error on; without one a use case has ended the draft, and the
// next needs another.
func (w *world) again(err error) error {
	if err == nil {
		w.fail.Store(0)
		w.write()
	}
	return err
}

// TestDraft: a form of ours is adapted under an id of its own, without what was
// found out about the old one and with where its words come from; it is asked
// once there is a ground, and only then adapted further.
func TestDraft(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.write()
		d := get[app.Draft](t)(w.app.Draft(w.ctx, w.boss, w.draft))
		if d.By != "CANARY-neri" || d.Version != 1 || d.Before != nil || d.Ready == nil || d.Ready.ID != "session-form-adult-client-adapted" || d.Ready.Validated ||
			!strings.HasPrefix(d.Ready.Licence.Notice["en"], "Adapted from: Entente session form, CC BY 4.0") {
			t.Fatalf("%+v", d)
		}
		f := get[*instrument.Instrument](t)(w.app.PublishDraft(w.ctx, w.boss, w.draft, 1, 1))
		before, _ := library.Get(ours)
		if f.Key() != "session-form-adult-client-adapted@1" || !instrument.Compare(&instrument.Instrument{ID: f.ID, Informant: f.Informant, Kind: f.Kind, Period: f.Period, Intro: before.Intro, Items: before.Items, Scales: before.Scales}, f).Keeps() {
			t.Errorf("published %s", f.Key())
		}
		if _, err := w.app.Draft(w.ctx, w.neri, w.draft); care.CodeOf(err) != care.NotFound {
			t.Errorf("the draft is still there: %v", err)
		}
		adapt := app.NewDraft{From: f.ID, Adapt: true}
		if _, err := w.app.StartDraft(w.ctx, w.neri, adapt); keyOf(err) != "draft.not_own" {
			t.Errorf("adapted before anybody said whose words they are: %v", err)
		}
		get[care.ID](t)(w.app.RecordGrant(w.ctx, w.boss, app.NewGrant{Instrument: f.ID, Ground: care.OwnWork}))
		id := get[care.ID](t)(w.app.StartDraft(w.ctx, w.neri, adapt))
		if d := get[app.Draft](t)(w.app.Draft(w.ctx, w.neri, id)); d.Ready.ID != f.ID+"-2" || d.Version != 1 {
			t.Errorf("a second of the same name: %s", d.Ready.Key())
		}
		if n := len(get[[]app.Draft](t)(w.app.Drafts(w.ctx, w.boss))); n != 1 {
			t.Errorf("%d drafts", n)
		}
		must(t, w.app.DropDraft(w.ctx, w.boss, id, 1))
		if n := len(get[[]app.Draft](t)(w.app.Drafts(w.ctx, w.boss))); n != 0 {
			t.Errorf("%d drafts after it was taken away", n)
		}
		if rows := w.rows("instrument_draft"); len(rows) != 0 {
			t.Error(rows)
		}
	})
}

// TestDraftStarts: what cannot be written on says so.
func TestDraftStarts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, ownForm("wai-like", 1)))
		get[care.ID](t)(w.app.RecordGrant(w.ctx, w.boss, app.NewGrant{Instrument: "wai-like", Ground: care.ByPermission, From: "The owner", Note: "A letter"}))
		uneven := strings.Replace(ownForm("uneven", 1), "missing_allowed: 0}", "missing_allowed: 0}\n  - {id: half, name: {en: \"Half\", it: \"Parte\"}, dimension: part, items: [a], reversed: [a], method: mean}", 1)
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, uneven))
		for want, in := range map[string]app.NewDraft{
			"draft.ours": {From: ours}, "draft.not_own": {From: "wai-like", Adapt: true}, "error.not_found": {From: "core-10", Adapt: true}, "draft.not_held": {From: "uneven"},
		} {
			if _, err := w.app.StartDraft(w.ctx, w.neri, in); keyOf(err) != want {
				t.Errorf("%+v: %v, not %s", in, err, want)
			}
		}
		if _, err := w.app.StartDraft(w.ctx, w.stranger, app.NewDraft{From: "wai-like"}); care.CodeOf(err) != care.NotFound {
			t.Errorf("another practice's form: %v", err)
		}
		if rows := w.rows("instrument_draft"); len(rows) != 0 {
			t.Errorf("kept: %s", rows)
		}
		// A word of it may be corrected: the ground stands on the form itself.
		get[care.ID](t)(w.app.StartDraft(w.ctx, w.neri, app.NewDraft{From: "wai-like"}))
	})
}

// TestDraftRace: of ten who save the same revision at once one does, and nine are
// told; of five who publish and five who save, nobody's words are lost unseen.
func TestDraftRace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		at := func(do func(n int) error) (done int) {
			t.Helper()
			errs := make([]error, 10)
			var all sync.WaitGroup
			for n := range errs {
				all.Go(func() { errs[n] = do(n) })
			}
			all.Wait()
			for n, err := range errs {
				switch {
				case err == nil:
					done++
				case keyOf(err) != "draft.saved_since" && care.CodeOf(err) != care.NotFound:
					t.Errorf("%d: %v", n, err)
				}
			}
			return done
		}
		w.write()
		if done := at(func(int) error { return errorOf(w.app.SaveDraft(w.ctx, w.neri, w.draft, 1, w.typed)) }); done != 1 {
			t.Errorf("%d saved one revision", done)
		}
		if done := at(func(n int) error {
			if n%2 == 0 {
				return errorOf(w.app.SaveDraft(w.ctx, w.neri, w.draft, 2, w.typed))
			}
			return errorOf(w.app.PublishDraft(w.ctx, w.boss, w.draft, 2, 1))
		}); done != 1 {
			t.Errorf("%d saved or published one revision", done)
		}
	})
}

// TestDraftRevisions: of two tabs the second to save is told, and nobody publishes
// what they have not seen.
func TestDraftRevisions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, ownForm("sleep", 1)))
		id := get[care.ID](t)(w.app.StartDraft(w.ctx, w.neri, app.NewDraft{From: "sleep"}))
		d := get[app.Draft](t)(w.app.Draft(w.ctx, w.neri, id))
		if d.Version != 2 || d.Before == nil || !d.Change.Keeps() || len(d.Change.Wording) != 0 {
			t.Fatalf("%+v", d)
		}
		one, two := d.Form, d.Form
		one.Items = append([]instrument.DraftItem{}, d.Form.Items...)
		one.Items[0].Text = instrument.Text{"en": "I slept well", "it": "Ho dormito"}
		if n := get[int](t)(w.app.SaveDraft(w.ctx, w.neri, id, 1, one)); n != 2 {
			t.Errorf("revision %d", n)
		}
		two.Items = nil
		if _, err := w.app.SaveDraft(w.ctx, w.boss, id, 1, two); keyOf(err) != "draft.saved_since" || care.CodeOf(err) != care.Conflict {
			t.Errorf("the second tab: %v", err)
		}
		if _, err := w.app.PublishDraft(w.ctx, w.boss, id, 1, 2); keyOf(err) != "draft.saved_since" {
			t.Errorf("published unseen: %v", err)
		}
		if err := w.app.DropDraft(w.ctx, w.boss, id, 1); keyOf(err) != "draft.saved_since" {
			t.Errorf("taken away unseen: %v", err)
		}
		// Half done is kept, and not published.
		get[int](t)(w.app.SaveDraft(w.ctx, w.boss, id, 2, two))
		d = get[app.Draft](t)(w.app.Draft(w.ctx, w.neri, id))
		if d.Ready != nil || len(d.Wrong) == 0 || d.By != "CANARY-boss" {
			t.Errorf("%+v", d)
		}
		if _, err := w.app.PublishDraft(w.ctx, w.boss, id, 3, 2); keyOf(err) != "draft.wrong" {
			t.Errorf("published with mistakes: %v", err)
		}
		get[int](t)(w.app.SaveDraft(w.ctx, w.boss, id, 3, one))
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, ownForm("sleep", 2)))
		if _, err := w.app.PublishDraft(w.ctx, w.boss, id, 4, 2); keyOf(err) != "draft.published_since" {
			t.Errorf("published over a version that came since: %v", err)
		}
		if f := get[*instrument.Instrument](t)(w.app.PublishDraft(w.ctx, w.boss, id, 4, 3)); f.Key() != "sleep@3" || f.Items[0].Text["en"] != "I slept well" {
			t.Errorf("%+v", f)
		}
		long := one
		long.Intro = instrument.Text{"en": strings.Repeat("x", 300<<10)}
		id = get[care.ID](t)(w.app.StartDraft(w.ctx, w.neri, app.NewDraft{From: "sleep"}))
		if _, err := w.app.SaveDraft(w.ctx, w.neri, id, 1, long); care.CodeOf(err) != care.Invalid {
			t.Errorf("300 KB: %v", err)
		}
	})
}
