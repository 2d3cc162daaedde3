// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// measureOf is a published form with one score a session for each of its scales.
func measureOf(t *testing.T, id string, scores map[string][]float64) app.Measure {
	t.Helper()
	k, ok := library.Key(id)
	if !ok || k.Form == nil {
		t.Fatalf("no key %s", id)
	}
	f := *k.Form
	f.Name = instrument.Text{"en": k.Name, "it": k.Name}
	m := app.Measure{Instrument: &f}
	for _, s := range f.Scales {
		x := alliance.Series{Dimension: alliance.Whole, Informant: alliance.Client, Min: s.Min, Max: s.Max, HigherIsBetter: s.HigherIsBetter}
		for i, v := range scores[s.ID] {
			x.Points = append(x.Points, alliance.Point{Session: i + 1, Value: v, OK: true})
		}
		m.Readings = append(m.Readings, app.Reading{Scale: s, Series: x, Figures: k.Figures[s.ID]})
		if s.Dimension == instrument.Whole {
			m.Min, m.Max, m.Client = s.Min, s.Max, []alliance.Series{x}
		}
	}
	return m
}

// TestReadingLines: scores stand beside the published figures of their own scale,
// on the right side of each, with sample and mark.
func TestReadingLines(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name, lang, id string
		scores         map[string][]float64
		want           []string
	}{
		{"better", "en", "gad-7", map[string][]float64{"total": {12, 11, 8}}, []string{
			"Total 8: in the band “mild” (from 5 to below 10). thresholds verified, names of the bands from general knowledge.",
			"Total 8: within “caseness, IAPT” (8 or more).",
			"Total: 4 points better since session 1. That reaches the reliable change of 4 (IAPT). To be checked: general knowledge.",
		}},
		{"worse", "it", "gad-7", map[string][]float64{"total": {3, 15}}, []string{
			"Totale 15: nella fascia «grave» (da 15). thresholds verified, names of the bands from general knowledge.",
			"Totale 15: rientra in «caso probabile, IAPT» (8 o più).",
			"Totale: 12 punti in peggio dalla seduta 1. Il cambiamento è affidabile: la soglia è 4 (IAPT). Da verificare: conoscenza generale.",
		}},
		{"less than the change", "en", "core-10", map[string][]float64{"total": {12, 100.0 / 9}}, []string{
			"Total 11.11: in the band “mild” (from 11 to below 15).",
			"Total 11.11: within “clinical range” (11 or more).",
			"Total 11.11: not within “depression” (13 or more).",
			"Total: 0.89 points from session 1. Less than the reliable change of 6 (the published clinical sample, 90 % confidence): it can be error of measurement.",
		}},
		{"once only", "en", "gad-7", map[string][]float64{"total": {4}}, []string{
			"Total 4: in the band “minimal” (from 0 to below 5). thresholds verified, names of the bands from general knowledge.",
			"Total 4: not within “caseness, IAPT” (8 or more).",
		}},
		{"not rated", "en", "gad-7", nil, nil},
		{"higher is better", "en", "ors", map[string][]float64{"total": {20, 30}}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := &call{p: i18n.For(x.lang)}
			got := c.readingLines(measureOf(t, x.id, x.scores))
			if x.want == nil && x.scores != nil {
				if !slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "10 points better since session 1") }) {
					t.Errorf("%q", got)
				}
				return
			}
			if !slices.Equal(got, x.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(x.want, "\n"))
			}
		})
	}
}

// TestBesides: every scale that is not drawn is a row and a column, and says what
// is better where that is not as in the picture.
func TestBesides(t *testing.T) {
	t.Parallel()
	c := &call{p: i18n.For("en")}
	m := measureOf(t, "sdq", map[string][]float64{"total": {20, 10}, "prosocial": {4, 9}})
	var names []string
	for _, r := range besides(m) {
		row := c.besideRow(m, r)
		names = append(names, row.Name)
		if r.Scale.ID == "prosocial" && (row.First != "4.0" || row.Previous != "4.0" || row.Now != "9.0") {
			t.Errorf("prosocial: %+v", row)
		}
		if r.Scale.ID == "conduct" && row.Now != "" {
			t.Errorf("conduct was not rated: %+v", row)
		}
	}
	if len(names) != 7 || names[4] != "Prosocial behaviour (higher is better)" || names[0] != "Emotional symptoms" {
		t.Errorf("%q", names)
	}
	if besides(measureOf(t, "gad-7", nil)) != nil {
		t.Error("a form of one scale has another one")
	}
	if got := c.cutoffs(measureOf(t, "gad-7", nil), care.Adult); len(got) != 1 || got[0].Value != 8 {
		t.Errorf("cutoffs drawn: %v", got)
	}
	if got := c.cutoffs(measureOf(t, "ors", nil), care.Adolescent); len(got) != 1 || got[0].Value != 28 {
		t.Errorf("an adolescent's cutoffs: %v", got)
	}
}
