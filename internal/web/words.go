// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/fhir"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// wordsView is a file of words on its way in: what a person chose, and all that
// does not agree with the key. The file goes with the page, since a browser does
// not send one twice.
type wordsView struct {
	ID, Name        string
	File, Kept      string // its name, and itself in base64
	Language, Owner string
	Ages            []ageChoice
	Bad             []wordsMismatch
	Notes           []string
	LeaveOut, Keep  []string // chosen before
	TurnBack        []string
}

type ageChoice struct {
	Band   string
	Chosen bool
}

// wordsMismatch is one sentence; Extra and Turned say what can be chosen about it.
type wordsMismatch struct {
	Place, Text, Item string
	Extra, Turned     bool
}

func (c *call) wordsOf(id string) (v wordsView, err error) {
	if err := care.May(c.by, care.LicenseForms); err != nil {
		return v, err
	}
	e, err := c.app().LibraryInstrument(c.r.Context(), c.by, id)
	if err != nil {
		return v, err
	}
	if e.Key == nil {
		return v, care.Missing()
	}
	v = wordsView{ID: e.ID, Name: e.Name.In(c.p.Lang()), Language: c.p.Lang()}
	for _, b := range care.AgeBands() {
		v.Ages = append(v.Ages, ageChoice{Band: string(b)})
	}
	return v, nil
}

func wordsPage(c *call) error {
	v, err := c.wordsOf(c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "words", v)
}

// bindWords shows the form that comes of a file, as publishForm does, or what in
// the file is not as the key has it.
func bindWords(c *call) error {
	v, err := c.wordsOf(c.r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := c.r.ParseMultipartForm(2 * care.GrantFileBytes); err != nil && !errors.Is(err, http.ErrNotMultipart) { // bounded by maxBody
		return c.again("words", v, &care.Error{Code: care.Invalid, Field: "file", Key: "field.too_long", Err: err})
	}
	t := c.r.PostForm
	v.File, v.Kept, v.Language, v.Owner = t.Get("name"), t.Get("kept"), strings.TrimSpace(t.Get("language")), strings.TrimSpace(t.Get("owner"))
	choice := instrument.Choice{Owner: v.Owner, LeaveOut: t["leave_out"], Keep: t["keep"], TurnBack: t["turn_back"]}
	if v.Language != "" {
		choice.Languages = strings.Fields(strings.ReplaceAll(v.Language, ",", " "))
	}
	for i, a := range v.Ages {
		for _, chosen := range t["ages"] {
			if chosen == a.Band {
				v.Ages[i].Chosen = true
				choice.Ages = append(choice.Ages, instrument.AgeBand(a.Band))
			}
		}
	}
	for item, what := range decided(t) {
		switch what {
		case "leave_out":
			choice.LeaveOut = append(choice.LeaveOut, item)
		case "keep":
			choice.Keep = append(choice.Keep, item)
		}
	}
	v.LeaveOut, v.Keep, v.TurnBack = choice.LeaveOut, choice.Keep, choice.TurnBack
	data, err := v.take(c.r)
	if err != nil {
		return c.again("words", v, &care.Error{Code: care.Invalid, Field: "file", Key: "wording.file_needed", Err: err})
	}
	b, err := c.app().BindWords(c.r.Context(), c.by, v.ID, v.File, data, choice)
	if err != nil {
		return c.again("words", v, err)
	}
	for _, n := range b.Notes {
		v.Notes = append(v.Notes, strings.TrimPrefix(n.Path+": "+n.Message, ": "))
	}
	if b.Form == nil {
		for _, m := range b.Mismatches {
			v.Bad = append(v.Bad, wordsMismatch{Place: m.Path, Text: m.Message, Item: m.Item, Extra: m.Decide == instrument.LeaveOutOrKeep, Turned: m.Decide == instrument.TurnItBack})
		}
		return c.render(http.StatusUnprocessableEntity, "words", v)
	}
	return c.preview(b, v.Notes)
}

// decided is what was chosen for each question beyond the key: its field is named
// by its link id.
func decided(form map[string][]string) map[string]string {
	out := map[string]string{}
	for name, values := range form {
		if item, ok := strings.CutPrefix(name, "extra:"); ok && len(values) > 0 {
			out[item] = values[0]
		}
	}
	return out
}

// take is the file that was sent now, or the one that came with the page.
func (v *wordsView) take(r *http.Request) ([]byte, error) {
	f, head, err := r.FormFile("file")
	switch {
	case errors.Is(err, http.ErrMissingFile), errors.Is(err, http.ErrNotMultipart):
	case err != nil:
		return nil, err
	default:
		defer f.Close() //nolint:errcheck // read only
		data, err := io.ReadAll(f)
		if err != nil || len(data) > 0 {
			v.File, v.Kept = head.Filename, base64.StdEncoding.EncodeToString(data)
			return data, err
		}
	}
	data, err := base64.StdEncoding.DecodeString(v.Kept)
	if err != nil {
		v.Kept = ""
		return nil, fmt.Errorf("the file that came with the page: %w", err)
	}
	return data, nil
}

// preview is the look at a form before it is published.
func (c *call) preview(b app.BoundWords, notes []string) error {
	f := b.Form
	e := app.LibraryEntry{ID: f.ID, Kind: f.Kind, Informants: []instrument.Informant{f.Informant}, Ages: f.Ages, Forms: []*instrument.Instrument{f}}
	m := newFormModel(c.p, app.FormView{Instrument: f, Language: c.p.Lang()}, nil, nil).together()
	return c.render(http.StatusOK, "publish", publishView{Text: b.Text, Preview: &m, Notes: notes, Form: libraryRow{ID: f.Key(), Name: f.Name.In(c.p.Lang()), About: c.aboutInstrument(e)}})
}

// questionnaire is the newest form of an instrument as a FHIR Questionnaire.
func questionnaire(c *call) error {
	e, err := c.app().LibraryInstrument(c.r.Context(), c.by, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	if len(e.Forms) == 0 {
		return care.Missing()
	}
	f := e.Forms[len(e.Forms)-1]
	h := c.w.Header()
	h.Set("Content-Type", "application/fhir+json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="form.json"`)
	_, err = fhir.EncodeForm(c.w, f)
	return err
}
