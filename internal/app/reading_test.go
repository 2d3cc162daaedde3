// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"slices"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// worded is the file of a form that is scored by a key of the library, with
// words of no meaning.
func worded(t *testing.T, id string) string {
	t.Helper()
	k, ok := library.Key(id)
	if !ok || k.Form == nil {
		t.Fatalf("no key %s", id)
	}
	text := func(s string) instrument.Text { return instrument.Text{"en": s, "it": s} }
	f := *k.Form
	f.ID, f.Version, f.Kind, f.Name, f.Title, f.Intro, f.Informant = id, 1, k.Kind, text(k.Name), text("T"), text("I"), instrument.Client
	f.Ages, f.Period, f.Licence = []instrument.AgeBand{instrument.Adult}, "week", instrument.Licence{SPDX: "LicenseRef-theirs", Holder: "H", Notice: text("N")}
	f.Items = slices.Clone(f.Items)
	for i, it := range f.Items {
		it.Text, it.Display, it.Step, it.Low, it.High = text("W"+it.ID), instrument.Line, 1, text("l"), text("h")
		f.Items[i] = it
	}
	out, err := instrument.Format(&f)
	must(t, err)
	return string(out)
}

// TestReadings: a form of a published key is drawn by its whole with every scale
// beside it, and by each scale where there is none; each comes with its figures.
func TestReadings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		forms := []string{"gad-7", "sdq", "rcads-47"}
		for _, id := range forms {
			get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.boss, worded(t, id)))
			get[care.ID](t)(w.app.RecordGrant(w.ctx, w.boss, app.NewGrant{Instrument: id, Ground: care.PublicDomain}))
		}
		must(t, w.app.ChooseForms(w.ctx, w.neri, w.episode, append(forms, "session-client-adult")))
		w.answerAll(w.respondent, 1, 0, "")
		w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		w.answerAll(w.visit(w.session), 0, 0, "")

		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		of := map[string][]app.Measure{}
		for _, m := range page.Outcome {
			of[m.Instrument.ID] = append(of[m.Instrument.ID], m)
		}
		gad := of["gad-7"]
		if len(gad) != 1 || len(gad[0].Client) != 1 || len(gad[0].Readings) != 1 || len(gad[0].Readings[0].Figures.Bands) != 4 {
			t.Fatalf("GAD-7: %+v", gad)
		}
		got := gad[0].Readings[0].Series.Points
		if n := len(got); got[n-2].Value != 21 || got[n-1].Value != 0 {
			t.Errorf("GAD-7 over the sessions: %v", got)
		}
		var names []string
		for _, r := range of["sdq"][0].Readings {
			names = append(names, r.Scale.ID)
		}
		if want := []string{"total", "emotional", "conduct", "hyperactivity", "peer", "prosocial", "internalising", "externalising"}; len(of["sdq"]) != 1 || !slices.Equal(names, want) {
			t.Errorf("%d pictures of the SDQ, of %v", len(of["sdq"]), names)
		}
		if n := len(of["rcads-47"]); n != 6 {
			t.Errorf("%d pictures of the six RCADS scales", n)
		}
		for _, m := range of["rcads-47"] {
			if len(m.Readings) != 1 || len(m.Client) != 1 || m.Min != m.Readings[0].Scale.Min || m.Max != m.Readings[0].Scale.Max {
				t.Errorf("RCADS: %+v", m)
			}
		}
	})
}
