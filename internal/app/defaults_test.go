// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"slices"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestDefaultForms: with others in the room the client's form is the one made for
// it, where there is one for the age; what goes on in the sessions is asked only
// where somebody chose it.
func TestDefaultForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	for _, x := range []struct {
		age     care.AgeBand
		setting care.Setting
		want    []string
	}{
		{care.Adult, "", []string{"session-client-adult", "outcome-brief", "session-therapist", "prediction-therapist"}},
		{care.Adult, care.Online, []string{"session-client-adult", "outcome-brief", "session-therapist", "prediction-therapist"}},
		{care.Adult, care.Couple, []string{"session-client-couple", "outcome-brief", "session-therapist", "prediction-therapist"}},
		{care.Adolescent, care.Family, []string{"session-client-family", "outcome-brief", "session-therapist", "prediction-therapist"}},
		{care.Child, care.Family, []string{"session-client-child", "session-therapist", "prediction-therapist"}},
		{care.Adult, care.Group, []string{"session-client-group", "outcome-brief", "session-therapist", "prediction-therapist"}},
	} {
		id := get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "D", AgeBand: x.age, Language: "en", Episode: app.NewEpisode{Setting: x.setting}}))
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, id, ""))
		if !slices.Equal(page.Episode.Forms, x.want) {
			t.Errorf("%s, %s: %v", x.age, x.setting, page.Episode.Forms)
		}
	}
}

// TestProcessForms: what goes on in the sessions has its own pictures, and raises
// nothing by itself.
func TestProcessForms(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.ChooseForms(w.ctx, w.neri, w.episode, []string{"conditions-client-adult", "involvement-client"}))
		for _, share := range []float64{1, 1, 1, 1, 0} {
			w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
			w.answerAll(w.visit(w.session), share, 0, "")
		}
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		var drawn []string
		for _, m := range page.Process {
			last := m.Client[0].Points[len(m.Client[0].Points)-1]
			if !last.OK || last.Value != m.Min {
				t.Errorf("%s: %+v", m.Instrument.ID, last)
			}
			for _, r := range m.Readings {
				drawn = append(drawn, m.Instrument.ID+" "+r.Scale.ID)
			}
		}
		if want := []string{"conditions-client-adult total", "conditions-client-adult empathy", "conditions-client-adult regard", "conditions-client-adult genuineness",
			"involvement-client involvement", "involvement-client responsiveness"}; !slices.Equal(drawn, want) {
			t.Errorf("drawn: %v", drawn)
		}
		if page.Verdict.Asks() {
			t.Errorf("the verdict is %s", page.Verdict.Kind)
		}
	})
}
