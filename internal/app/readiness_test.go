// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestReadinessOfBoth: what the client and what the therapist said of being ready
// both stand on the page, each line by itself and whoever answered first; a low
// one of either raises nothing.
func TestReadinessOfBoth(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.ChooseForms(w.ctx, w.neri, w.episode, []string{"readiness-client", "readiness-therapist"}))
		w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		asked := get[app.SessionView](t)(w.app.Session(w.ctx, w.neri, w.session)).Asked
		if !asked.ProcessLeft || asked.TherapistOwn {
			t.Errorf("asked before: %+v", asked)
		}
		var told *care.Error
		own := get[app.FormView](t)(w.app.OwnForm(w.ctx, w.neri, w.session, instrument.Process))
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.neri, filled(own, w.session, 1, 0)))
		if err := errorOf(w.app.OwnForm(w.ctx, w.neri, w.session, instrument.Process)); !errors.As(err, &told) || told.Key != "form.done" {
			t.Errorf("asked again: %v", err)
		}
		if get[app.SessionView](t)(w.app.Session(w.ctx, w.neri, w.session)).Asked.ProcessLeft {
			t.Error("still offered")
		}
		w.answerAll(w.visit(w.session), 0, 0, "")
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		got := map[alliance.Informant][]string{}
		for _, m := range page.Process {
			r := m.Readings[0]
			last := r.Series.Points[len(r.Series.Points)-1]
			want := 0.0
			if r.Series.Informant == alliance.Therapist {
				want = 10
			}
			if !last.OK || last.Value != want {
				t.Errorf("%s of %s: %+v", r.Scale.ID, r.Series.Informant, last)
			}
			got[r.Series.Informant] = append(got[r.Series.Informant], r.Scale.ID)
		}
		if !slices.Equal(got[alliance.Client], []string{"importance", "confidence", "will", "clear_way"}) ||
			!slices.Equal(got[alliance.Therapist], []string{"able", "willing", "supported", "fitting"}) {
			t.Errorf("drawn: %v", got)
		}
		if k := page.Verdict.Kind; k == alliance.WorthAsking {
			t.Errorf("the verdict is %s", k)
		}
	})
}
