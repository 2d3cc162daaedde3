// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// entryOf is a key, or a form of ours, as the library gives it.
func entryOf(id string) app.LibraryEntry {
	if k, ok := library.Key(id); ok {
		e := app.LibraryEntry{ID: id, Name: instrument.Text{"en": k.Name}, Kind: k.Kind, Informants: k.Informants, Key: k, State: app.WordingNeeded}
		if k.Form == nil {
			e.State = app.KeyIncomplete
		}
		return e
	}
	f, _ := library.Get(id)
	return app.LibraryEntry{ID: id, Name: f.Name, Kind: f.Kind, Informants: []instrument.Informant{f.Informant}, Ages: f.Ages, Forms: []*instrument.Instrument{f}, Ours: true, State: app.Ready}
}

// librarySamples are the list, and the page of every key and of a form of ours.
func librarySamples(c *call) (out []sample) {
	v := libraryView{Search: "<b>", Kinds: libraryKinds, Informants: libraryInformants, Ages: care.AgeBands(), States: app.LibraryStates()}
	out = append(out, sample{"library", v, nil})
	for _, s := range app.LibraryStates() {
		v.Rows = append(v.Rows, libraryRow{ID: string(s), Name: "<i>", State: s, Says: "x"})
	}
	out = append(out, sample{"library", v, nil}, sample{"instrument", c.instrumentModel(entryOf("session-client-adult")), nil})
	granted := c.instrumentModel(entryOf("core-10"))
	granted.Grants = grantsView{Shown: true, InForce: true, Grounds: care.Grounds(), Lines: []grantLine{{ID: "g", Text: "<i>", Note: "<b>", File: true, InForce: true}, {ID: "h", Text: "y", End: "z"}}}
	asked := granted
	asked.Grants.InForce, asked.Grants.Lines = false, nil
	preview := newFormModel(c.p, sampleForm(c.p.Lang(), "session-client-child", false), nil, nil).together()
	out = append(out, sample{"instrument", granted, map[string]string{"reason": "No."}}, sample{"instrument", asked, map[string]string{"from": "No.", "file": "No.", "note": "No.", "given_on": "No.", "licence": "No."}},
		sample{"publish", publishView{Text: "<x>"}, map[string]string{"text": "No."}}, sample{"publish", publishView{Text: "<x>", Preview: &preview}, nil},
		sample{"words", wordsView{ID: "x", Name: "<N>", Ages: []ageChoice{{Band: "adult"}}}, nil},
		sample{"words", wordsView{ID: "x", Name: "<N>", File: "<f>", Kept: "eA==", Language: "<l>", Owner: "<o>", Notes: []string{"<n>"}, LeaveOut: []string{"<a>"}, Keep: []string{"<b>"}, TurnBack: []string{"<c>"},
			Bad: []wordsMismatch{{Text: "<t>", Place: "<p>", Item: "<i>", Extra: true}, {Text: "y", Item: "z", Turned: true}}}, map[string]string{"file": "No."}},
		sample{"asking", askingView{ID: "e", Client: "c", Label: "<L>", NotAsked: []string{"x"}, Choices: []askingChoice{{ID: "a", Name: "<A>", About: "b", Chosen: true}, {ID: "o", Name: "<O>", Rhythm: care.EveryFourth, Rhythms: care.Rhythms()}}}, map[string]string{"forms": "No."}})
	for _, k := range library.Keys() {
		out = append(out, sample{"instrument", c.instrumentModel(entryOf(k.ID)), nil})
	}
	return out
}

// TestInstrumentPage: figures come with sample and mark, items by number, and the
// rule for missing ones in words.
func TestInstrumentPage(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		lang, id  string
		want, not []string
	}{
		{"en", "core-10", []string{"1–10", "2–3", "mean of the items × 10", "at most 1 is missing", "0 to 40, lower is better", "11 or more: clinical range", "6 (90 % confidence)", "the published clinical sample", "Item 6: 1 or more"}, []string{"general knowledge"}},
		{"it", "core-10", []string{"media degli item × 10", "11 o più: fascia clinica", "confidenza 90 %"}, nil},
		{"en", "phq-9", []string{"to be checked", "general knowledge", "IAPT", "Item 9: 1 or more", "from 20 severe"}, nil},
		{"en", "3rs", []string{"It cannot be scored. Not known: the number of items and which items belong to which scale."}, []string{"<h2>Scales"}},
		{"it", "3rs", []string{"Non è noto: il numero di item e quali item appartengono a quale scala."}, nil},
		{"en", "session-client-adult", []string{"It can be asked.", "Not yet validated", "CC-BY-4.0"}, []string{"Published figures"}},
	} {
		c, body := newStaffCall(t, x.lang)
		if err := c.render(http.StatusOK, "instrument", c.instrumentModel(entryOf(x.id))); err != nil {
			t.Fatal(err)
		}
		for _, want := range x.want {
			if !strings.Contains(body(), want) {
				t.Errorf("%s in %s does not say %q", x.id, x.lang, want)
			}
		}
		for _, not := range x.not {
			if strings.Contains(body(), not) {
				t.Errorf("%s in %s says %q", x.id, x.lang, not)
			}
		}
	}
}

// TestLackIsTranslated: what a key lacks is said in the reader's language.
func TestLackIsTranslated(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		c, _ := newStaffCall(t, lang)
		for _, k := range library.Keys() {
			for _, l := range k.Lacks {
				if known, _, _ := strings.Cut(l, " ("); lackKeys[known] == "" {
					t.Errorf("%s: no message for %q", k.ID, l)
				} else if lang == "it" && c.lack(l) == known {
					t.Errorf("%s: %q is not in Italian", k.ID, l)
				}
			}
		}
	}
}

func TestLibraryFilter(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		v    libraryView
		id   string
		want bool
	}{
		{libraryView{Search: "CORE"}, "core-10", true}, {libraryView{Search: "core 10"}, "core-10", true}, {libraryView{Search: "srs"}, "core-10", false},
		{libraryView{Kind: "outcome"}, "core-10", true}, {libraryView{Kind: "alliance"}, "core-10", false},
		{libraryView{Informant: "carer"}, "core-10", false}, {libraryView{State: "incomplete"}, "3rs", true}, {libraryView{State: "ready"}, "3rs", false},
		{libraryView{Age: "child"}, "session-client-adult", false}, {libraryView{Age: "adult"}, "session-client-adult", true},
	} {
		if got := x.v.wants(entryOf(x.id), "en"); got != x.want {
			t.Errorf("%+v, %s: %v", x.v, x.id, got)
		}
	}
}
