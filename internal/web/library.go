// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// libraryRoutes are the pages of the instruments.
func (s *Server) libraryRoutes() []route {
	return []route{
		{"GET /library", staff, libraryPage},
		{"GET /library/{id}", staff, instrumentPage},
		{"GET /library/{id}/figures", staff, ownFigures},
		{"GET /library/{id}/ground", staff, toInstrument},
		{"POST /library/{id}/ground", staff, recordGrant},
		{"GET /grants/{id}/withdraw", staff, toLibrary},
		{"POST /grants/{id}/withdraw", staff, withdrawGrant},
		{"GET /grants/{id}/file", staff, grantFile},
		{"GET /library/{id}/words", staff, wordsPage},
		{"POST /library/{id}/words", staff, bindWords},
		{"GET /library/{id}/questionnaire.json", staff, questionnaire},
		{"GET /publish", staff, publishPage},
		{"POST /publish", staff, publishForm},
		{"GET /episodes/{id}/forms", staff, askingPage},
		{"POST /episodes/{id}/forms", staff, chooseForms},
	}
}

// toLibrary and toInstrument lead back from the address of a form that was sent.
func toLibrary(c *call) error { return c.redirect("/library") }

func toInstrument(c *call) error {
	return c.redirect("/library/" + url.PathEscape(c.r.PathValue("id")))
}

// libraryView is the list, and what it was narrowed down to.
type libraryView struct {
	Search, Kind, Informant, Age, State string
	Kinds                               []instrument.Kind
	Informants                          []instrument.Informant
	Ages                                []care.AgeBand
	States                              []app.LibraryState
	Rows                                []libraryRow
	Drafts                              []draftLine
	All                                 int
}

type libraryRow struct {
	ID, Name, About string
	State           app.LibraryState
	Says            string // the state in a sentence
}

var (
	libraryKinds      = []instrument.Kind{instrument.Alliance, instrument.Outcome, instrument.Prediction, instrument.Process, instrument.Readiness}
	libraryInformants = []instrument.Informant{instrument.Client, instrument.Therapist, instrument.Carer, instrument.Observer}
)

func libraryPage(c *call) error {
	all, err := c.app().Library(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	q := c.r.URL.Query()
	v := libraryView{
		Search: strings.TrimSpace(q.Get("q")), Kind: q.Get("kind"), Informant: q.Get("informant"), Age: q.Get("age"), State: q.Get("state"),
		Kinds: libraryKinds, Informants: libraryInformants, Ages: care.AgeBands(), States: app.LibraryStates(), All: len(all),
	}
	if v.Drafts, err = c.draftLines(); err != nil {
		return err
	}
	for _, e := range all {
		if v.wants(e, c.p.Lang()) {
			v.Rows = append(v.Rows, libraryRow{ID: e.ID, Name: e.Name.In(c.p.Lang()), About: c.aboutInstrument(e), State: e.State, Says: c.stateSays(e)})
		}
	}
	return c.render(http.StatusOK, "library", v)
}

// wants reports whether an entry is among those looked for. One whose ages are
// not told apart is shown for every age.
func (v libraryView) wants(e app.LibraryEntry, lang string) bool {
	text := strings.ToLower(e.ID + " " + e.Name.In(lang))
	for word := range strings.FieldsSeq(strings.ToLower(v.Search)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return (v.Kind == "" || string(e.Kind) == v.Kind) &&
		(v.Informant == "" || slices.Contains(e.Informants, instrument.Informant(v.Informant))) &&
		(v.Age == "" || e.Ages == nil || slices.Contains(e.Ages, instrument.AgeBand(v.Age))) &&
		(v.State == "" || string(e.State) == v.State)
}

// aboutInstrument is a line on what it is for and who answers.
func (c *call) aboutInstrument(e app.LibraryEntry) string {
	parts := []string{c.p.T("library.kind." + string(e.Kind)), strings.ToLower(c.informants(e))}
	if ages := c.ages(e); ages != "" {
		parts = append(parts, ages)
	}
	if f := e.Form(); f != nil {
		parts = append(parts, c.p.N("library.items", len(f.Items)))
	}
	return strings.Join(parts, " · ")
}

func (c *call) informants(e app.LibraryEntry) string {
	var who []string
	for _, i := range e.Informants {
		who = append(who, c.p.T("informant."+string(i)))
	}
	return c.p.List(who)
}

func (c *call) ages(e app.LibraryEntry) string {
	var bands []string
	for _, b := range e.Ages {
		bands = append(bands, c.p.T("age."+string(b)))
	}
	return c.p.List(bands)
}

// stateSays is where an instrument stands, in a sentence that says what is missing.
func (c *call) stateSays(e app.LibraryEntry) string {
	if e.State != app.KeyIncomplete {
		return c.p.T("library.state." + string(e.State) + ".says")
	}
	var lacks []string
	for _, l := range e.Key.Lacks {
		lacks = append(lacks, c.lack(l))
	}
	return c.p.T("library.state.incomplete.says", "Lacks", c.p.List(lacks))
}

// lackKeys are the messages for what a key may lack; what follows one in the
// key's own words stays as it is.
var lackKeys = map[string]string{
	"the number of items": "library.lack.items", "the range of the answers": "library.lack.range", "which items are reversed": "library.lack.reversed",
	"which items belong to which scale": "library.lack.scales", "how scores are made": "library.lack.scores",
}

func (c *call) lack(text string) string {
	known, _, _ := strings.Cut(text, " (")
	if key, ok := lackKeys[known]; ok {
		return c.p.T(key)
	}
	return text
}
