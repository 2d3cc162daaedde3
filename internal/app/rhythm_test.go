// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// step answers the first n forms of a new session, and returns which were asked
// in all.
func (w *world) step(n int) (asked []string) {
	w.t.Helper()
	w.now.Add(7 * day)
	w.session = get[care.ID](w.t)(w.app.StartSession(w.ctx, w.neri, w.episode))
	must(w.t, w.app.Reveal(w.ctx, w.neri, w.session))
	return w.fillUpTo(n)
}

func (w *world) fillUpTo(n int) (asked []string) {
	w.t.Helper()
	by := w.visit(w.session)
	for {
		f, err := w.app.NextForm(w.ctx, by)
		var e *care.Error
		if errors.As(err, &e) && e.Key == "form.done" {
			return asked
		}
		must(w.t, err)
		if asked = append(asked, f.Instrument.ID); len(asked) > n {
			return asked
		}
		r := get[app.Receipt](w.t)(w.app.RecordRating(w.ctx, by, filled(f, "", .5, 0)))
		if next, err := w.app.NextForm(w.ctx, by); r.More != (err == nil) || r.More && next.Step > next.Of {
			w.t.Errorf("after %v more is %v, then %v", asked, r.More, err)
		}
	}
}

// TestRhythm: an outcome form comes after the alliance's at its own rhythm, again
// the next time where it was left out, and always in a review.
func TestRhythm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		both := []string{"session-client-adult", "outcome-brief"}
		alone := both[:1]
		choose := func(r care.Rhythm) {
			must(t, w.app.ChooseFormsAt(w.ctx, w.neri, w.episode, both, map[string]care.Rhythm{"outcome-brief": r}))
		}
		view := func() app.SessionView { return get[app.SessionView](t)(w.app.Session(w.ctx, w.neri, w.session)) }
		choose(care.EverySecond)
		w.answerAll(w.respondent, .5, 0, "") // session 1: both
		for i, x := range []struct {
			answer int
			want   []string
		}{{9, alone}, {1, both}, {9, both}, {9, alone}, {9, both}} { // the second time it is left out
			if got := w.step(x.answer); !slices.Equal(got, x.want) {
				t.Errorf("session %d: %v, want %v", i+2, got, x.want)
			}
		}
		w.step(9)
		if v := view(); v.Asked.ClientForms != 1 || v.Asked.ClientDone != 1 || len(v.Resting) != 1 || v.Resting[0].ID != "outcome-brief" {
			t.Errorf("the session's page: %+v", v)
		}
		must(t, w.app.ReviewSession(w.ctx, w.neri, w.session, true))
		if v := view(); v.Asked.ClientForms != 2 || len(v.Resting) != 0 || !v.Session.Review {
			t.Errorf("in a review: %+v", v)
		}
		must(t, w.app.ReviewSession(w.ctx, w.neri, w.session, false))
		same(t, "taken back", view().Asked.ClientForms, 1)
		must(t, w.app.ReviewSession(w.ctx, w.neri, w.session, true))
		if got := w.fillUpTo(9); !slices.Equal(got, both[1:]) {
			t.Errorf("a review asks for %v too", got)
		}
		choose(care.FirstAndReview)
		if got := w.step(9); !slices.Equal(got, alone) {
			t.Errorf("at first and at reviews: %v", got)
		}
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		var forms []int
		for _, p := range page.Sessions {
			forms = append(forms, p.Asked.ClientForms)
		}
		if want := []int{2, 1, 1, 2, 1, 2, 2, 1}; !slices.Equal(forms, want) { // of session 3 it was not answered, and since then it was
			t.Errorf("forms by session %v, want %v", forms, want)
		}
		must(t, w.app.ChooseForms(w.ctx, w.neri, w.episode, both))
		same(t, "kept", get[app.EpisodeForms](t)(w.app.EpisodeForms(w.ctx, w.neri, w.episode)).Rhythms["outcome-brief"], care.FirstAndReview)
		for _, bad := range []map[string]care.Rhythm{{"outcome-brief": "3"}, {"session-client-adult": care.EverySecond}} {
			same(t, "bad", care.CodeOf(w.app.ChooseFormsAt(w.ctx, w.neri, w.episode, both, bad)), care.Invalid)
		}
		choose(care.EverySession)
		if got := w.step(9); !slices.Equal(got, both) {
			t.Errorf("at every session: %v", got)
		}
	})
}
