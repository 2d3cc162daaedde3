// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
	"github.com/entente-project/entente/outcome"
	"github.com/entente-project/entente/stats/psych"
)

// fared is a measure judged as the app judges it.
func fared(of app.FigureOf, f outcome.Figures, g *outcome.Growth, scores ...float64) app.Measure {
	s := ratings(alliance.Whole, alliance.Client, scores...)
	s.Min, s.Max, s.HigherIsBetter = 0, 40, f.HigherIsBetter
	m := app.Measure{Instrument: &instrument.Instrument{ID: "x", Kind: instrument.Outcome, Name: instrument.Text{"en": "X", "it": "X"}}, Min: 0, Max: 40, Client: []alliance.Series{s}}
	x := app.Faring{Of: of, Figures: f, Change: instrument.Change{Value: f.Change, Sample: "a sample", Mark: instrument.Background}, Verdict: f.Judge(scores, g)}
	x.Expected = app.ExpectedResponse{Growth: g, Episodes: 12, Why: app.FewEnded, MadeMillis: daysAgo(3)}
	if g != nil {
		x.Band, x.Next = g.Band(scores, len(scores), .8), g.Expect(scores, len(scores)+1, .8)[len(scores)]
	}
	m.Faring = &x
	return m
}

// tight is a growth of which little is expected, by two points a session.
var tight = &outcome.Growth{Episodes: 300, Scores: 2000, Until: 9, Centre: 20, Low: 15, High: 25, Beta: [4]float64{20, 1, -6, 0}, Between: [2][2]float64{{4, 0}, {0, 0}}, Sigma: 2}

func aFaring(v app.ClientView) app.ClientView {
	v.Outcome = []app.Measure{fared(app.OfKey, outcome.Figures{Change: 6, Cutoff: &outcome.Cutoff{Value: 11}}, tight, 30, 30, 30, 30), fared(app.OfStated, outcome.Figures{Change: 9.9}, nil, 20, 20, 8, 9)}
	return v
}

// TestFaring: one sentence in each state, the rule behind it, and where to look only
// when it goes badly.
func TestFaring(t *testing.T) {
	t.Parallel()
	key := outcome.Figures{Change: 6, Cutoff: &outcome.Cutoff{Value: 11, Inclusive: true}}
	for _, x := range []struct {
		m       app.Measure
		state   string
		text    []string
		support bool
	}{
		{fared(app.OfKey, key, nil, 20, 27), "warm", []string{"Reliably worse. From 20.0 in session 1 to 27.0 in session 2", "from 6 points on", "a sample", "To be checked", "No band: 12 ended episodes with this form, and 200 are needed"}, true},
		{fared(app.OfKey, key, tight, 20, 20, 20, 20), "warm", []string{"Not on track. 20.0 in session 4", "began at 20.0, 8.1 to 15.3 was", "Next session, by the course so far", "from 300 ended episodes of this practice (2000 scores)"}, true},
		{fared(app.OfKey, key, tight, 30, 30, 12, 12), "calm", []string{"Reliably better.", "Sudden gain between", "Few began as this person did (most between 15.0 and 25.0)"}, false},
		{fared(app.OfKey, key, nil, 20, 20, 8), "calm", []string{"Recovered."}, false},
		{fared(app.OfForm, key, nil, 20, 20, 20, 20, 19), "little", []string{"No reliable change.", "that the form names"}, false},
		{fared(app.OfStated, outcome.Figures{Change: 9}, nil, 20, 20), "little", []string{"Too early to say.", "stated, not measured", "No cutoff is known"}, false},
		{fared(app.OfStated, outcome.Figures{Change: 9}, nil, 20, 9), "calm", []string{"Better, by a stated margin. From 20.0 in session 1 to 9.0 in session 2: more than the 9.0 points", "which nobody has measured"}, false},
		{fared(app.OfStated, outcome.Figures{Change: 9}, nil, 20, 30), "warm", []string{"Worse, by a stated margin."}, true},
		{fared(app.OfKey, key, nil, 20), "little", []string{"One score so far: 20.0"}, false},
		{fared(app.OfKey, outcome.Figures{}, nil, 20, 2, 2, 2, 2), "little", []string{"Not known."}, false},
	} {
		c := &call{p: i18n.For("en")}
		v := c.faring(app.ClientView{CanAsk: true}, x.m)
		all := v.Word + " " + v.Text + " " + strings.Join(v.Lines, " ") + " " + strings.Join(v.How, " ")
		for _, want := range x.text {
			if !strings.Contains(all, want) {
				t.Errorf("no %q in %s", want, all)
			}
		}
		if v.State != x.state || v.Support != x.support {
			t.Errorf("%s: %s, support %v", all, v.State, v.Support)
		}
		for _, lang := range i18n.Languages() {
			c := &call{p: i18n.For(lang)}
			if v := c.faring(app.ClientView{}, x.m); v.Episode != "" || strings.Contains(v.Text+strings.Join(v.How, ""), "faring.") {
				t.Errorf("%s: %+v", lang, v)
			}
		}
	}
	norms := fared(app.OfKey, key, nil, 20, 5)
	norms.Faring.Norms = &psych.Cutoffs{A: 4.3, B: 14.3, C: 10.46}
	if how := strings.Join((&call{p: i18n.For("en")}).faring(app.ClientView{}, norms).How, " "); !strings.Contains(how, "Cutoff: 11;") || !strings.Contains(how, "are 4.3, 14.3 and 10.46") {
		t.Errorf("by norms: %s", how)
	}
	none := fared(app.OfKey, key, nil)
	if (&call{p: i18n.For("en")}).faring(app.ClientView{}, none) != nil {
		t.Error("something is said of nothing")
	}
}

// TestFaringPicture: the band, the lines and the marks stand in the picture of whoever
// treats, and nothing of it in the one for both to look at.
func TestFaringPicture(t *testing.T) {
	t.Parallel()
	c, _ := newStaffCall(t, "en")
	v := aFaring(aCourse())
	m := c.clientModel(v).Measures[1]
	for _, want := range []string{`class="expected"`, "reliably better", "reliably worse", "Shaded: what was to be expected"} {
		if !strings.Contains(string(m.Wide), want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	if m := c.clientModel(v).Measures[2]; strings.Contains(string(m.Wide), `class="expected"`) || !strings.Contains(string(m.Wide), "sudden gain") {
		t.Error("a band without episodes, or no mark")
	}
	for _, x := range []string{"expected", "reliably"} {
		if strings.Contains(string(c.picture(v, v.Outcome[0], "together").SVG()), x) {
			t.Errorf("%s stands in the picture for both", x)
		}
	}
}

// TestFaringWords: whatever can be said has words in every language.
func TestFaringWords(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, s := range outcome.States() {
		keys = append(keys, "faring."+string(s)+".word", "faring."+string(s)+".text")
	}
	for _, f := range app.FiguresOf() {
		keys = append(keys, "faring.change."+string(f))
	}
	for _, l := range app.ExpectedLacks() {
		keys = append(keys, "expected.lack."+string(l))
	}
	for _, r := range care.Rhythms() {
		if r == care.EverySession {
			r = "each"
		}
		keys = append(keys, "rhythm."+string(r))
	}
	for _, lang := range i18n.Languages() {
		for _, k := range keys {
			if text := i18n.For(lang).T(k); text == "" || strings.Contains(text, k) {
				t.Errorf("%s: no words for %s: %q", lang, k, text)
			}
		}
	}
}
