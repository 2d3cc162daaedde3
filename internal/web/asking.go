// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"io"
	"net/http"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// publishView is a form on its way in: its file as text, and once it can be read
// how a client sees it.
type publishView struct {
	Text    string
	Preview *formModel
	Form    libraryRow
	Change  *releaseView // from the version before; nil for the first
	Notes   []string     // on what was taken from a file of words
}

func publishPage(c *call) error {
	if err := care.May(c.by, care.LicenseForms); err != nil {
		return err
	}
	return c.render(http.StatusOK, "publish", publishView{})
}

// publishForm shows a form as the client will see it, and keeps it when that was
// looked at.
func publishForm(c *call) error {
	if err := care.May(c.by, care.LicenseForms); err != nil {
		return err
	}
	if err := c.r.ParseMultipartForm(2 * care.GrantFileBytes); err != nil && !errors.Is(err, http.ErrNotMultipart) { // bounded by maxBody
		return c.again("publish", publishView{}, &care.Error{Code: care.Invalid, Field: "text", Key: "field.too_long", Err: err})
	}
	v := publishView{Text: c.r.PostFormValue("text")}
	if f, _, err := c.r.FormFile("file"); err == nil {
		defer f.Close() //nolint:errcheck // read only
		data, err := io.ReadAll(f)
		if err != nil {
			return c.again("publish", v, &care.Error{Code: care.Invalid, Field: "file", Key: "field.needed", Err: err})
		}
		if len(data) > 0 {
			v.Text = string(data)
		}
	}
	if c.r.PostFormValue("do") == "publish" {
		f, err := c.app().PublishForm(c.r.Context(), c.by, v.Text)
		if care.CodeOf(err) == care.Conflict {
			return c.refuse(http.StatusConflict, "publish", v, err)
		}
		if err != nil {
			return c.again("publish", v, err)
		}
		return c.redirect("/library/" + f.ID)
	}
	f, err := c.app().PreviewForm(c.r.Context(), c.by, v.Text)
	if err != nil {
		return c.again("publish", v, err)
	}
	e := app.LibraryEntry{ID: f.ID, Kind: f.Kind, Informants: []instrument.Informant{f.Informant}, Ages: f.Ages, Forms: []*instrument.Instrument{f}}
	v.Form = libraryRow{ID: f.Key(), Name: f.Name.In(c.p.Lang()), About: c.aboutInstrument(e)}
	if err := c.addChange(&v, f); err != nil {
		return err
	}
	m := newFormModel(c.p, app.FormView{Instrument: f, Language: c.p.Lang()}, nil, nil).together()
	v.Preview = &m
	return c.render(http.StatusOK, "publish", v)
}

// addChange says what a version changes of the newest one that is there.
func (c *call) addChange(v *publishView, f *instrument.Instrument) error {
	e, err := c.app().LibraryInstrument(c.r.Context(), c.by, f.ID)
	if err != nil || len(e.Forms) == 0 {
		return ignoreMissing(err)
	}
	before := e.Form()
	change := c.releaseModel(app.Draft{Version: f.Version, Ready: f, Before: before, Change: instrument.Compare(before, f)})
	v.Change = &change
	return nil
}

// askingView is which forms are asked in an episode.
type askingView struct {
	ID, Client care.ID
	Label      string
	Choices    []askingChoice
	NotAsked   []string
}

type askingChoice struct {
	ID, Name, About string
	Chosen          bool
	Rhythm          care.Rhythm
	Rhythms         []care.Rhythm // nil: it is asked at every session
}

func (c *call) asking(typed []string, rhythms map[string]care.Rhythm) (askingView, error) {
	x, err := c.app().EpisodeForms(c.r.Context(), c.by, c.id())
	if err != nil {
		return askingView{}, err
	}
	v := askingView{ID: x.Episode, Client: x.Client.ID, Label: x.Client.Label, NotAsked: x.NotAsked}
	if typed != nil {
		x.Asked = map[string]bool{}
		for _, id := range typed {
			x.Asked[id] = true
		}
	}
	if rhythms != nil {
		x.Rhythms = rhythms
	}
	for _, f := range x.Forms {
		e := app.LibraryEntry{Kind: f.Kind, Informants: []instrument.Informant{f.Informant}, Forms: []*instrument.Instrument{f}}
		choice := askingChoice{ID: f.ID, Name: f.Name.In(c.p.Lang()), About: c.aboutInstrument(e), Chosen: x.Asked[f.ID], Rhythm: x.Rhythms[f.ID]}
		if app.HasRhythm(f) {
			choice.Rhythms = care.Rhythms()
		}
		v.Choices = append(v.Choices, choice)
	}
	return v, nil
}

func askingPage(c *call) error {
	v, err := c.asking(nil, nil)
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "asking", v)
}

func chooseForms(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	typed, rhythms := c.r.PostForm["forms"], map[string]care.Rhythm{}
	for _, id := range typed {
		if r := care.Rhythm(c.r.PostForm.Get("rhythm-" + id)); r != care.EverySession {
			rhythms[id] = r
		}
	}
	err := c.app().ChooseFormsAt(c.r.Context(), c.by, c.id(), typed, rhythms)
	if err != nil && care.CodeOf(err) != care.Invalid {
		return err
	}
	v, lookErr := c.asking(append([]string{}, typed...), rhythms)
	if lookErr != nil {
		return lookErr
	}
	if err != nil {
		return c.again("asking", v, err)
	}
	return c.redirect("/clients/" + string(v.Client))
}
