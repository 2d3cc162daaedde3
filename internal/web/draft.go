// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// draftRoutes are the pages on which a manager writes a form.
func (s *Server) draftRoutes() []route {
	return []route{
		{"GET /drafts", staff, toLibrary},
		{"POST /drafts", staff, startDraft},
		{"GET /drafts/{id}", staff, draftPage},
		{"POST /drafts/{id}", staff, saveDraft},
		{"GET /drafts/{id}/preview", staff, previewDraft},
		{"GET /drafts/{id}/check", staff, checkDraft},
		{"GET /drafts/{id}/publish", staff, publishDraftPage},
		{"POST /drafts/{id}/publish", staff, publishDraft},
		{"GET /drafts/{id}/drop", staff, draftPage},
		{"POST /drafts/{id}/drop", staff, dropDraft},
	}
}

// draftLine is a draft in the library.
type draftLine struct {
	ID          care.ID
	Name, About string
}

// draftLines are what the practice is writing, for managers.
func (c *call) draftLines() (out []draftLine, err error) {
	if !c.by.Has(care.Manager) {
		return nil, nil
	}
	all, err := c.app().Drafts(c.r.Context(), c.by)
	for _, d := range all {
		about := []string{c.p.N("library.items", len(d.Form.Items)), c.p.T("draft.saved", "By", d.By, "When", c.p.DateTime(c.at(d.AtMillis)))}
		out = append(out, draftLine{ID: d.ID, Name: c.draftName(d), About: strings.Join(about, " · ")})
	}
	return out, err
}

func (c *call) draftName(d app.Draft) string {
	for _, lang := range append([]string{c.p.Lang()}, d.Form.Languages...) {
		if name := strings.TrimSpace(d.Form.Name[lang]); name != "" {
			return name
		}
	}
	return c.p.T("draft.unnamed")
}

// eachLanguage is a message in every language of the program.
func eachLanguage(key string) instrument.Text {
	out := instrument.Text{}
	for _, lang := range i18n.Languages() {
		out[lang] = i18n.For(lang).T(key)
	}
	return out
}

func startDraft(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	in := app.NewDraft{
		From: c.r.PostForm.Get("from"), Adapt: c.r.PostForm.Get("as") != "next", Languages: i18n.Languages(),
		Holder: c.p.T("draft.holder_own"), Notice: eachLanguage("draft.adapted_from"), Name: eachLanguage("draft.adapted"),
	}
	id, err := c.app().StartDraft(c.r.Context(), c.by, in)
	if err != nil {
		return err
	}
	return c.redirect(draftPath(id))
}

func draftPath(id care.ID) string { return "/drafts/" + string(id) }

// draftPage is the editor. It names the mistakes once somebody has asked for
// that: an empty draft is full of them.
func draftPage(c *call) error {
	d, err := c.app().Draft(c.r.Context(), c.by, c.id())
	if err != nil {
		return err
	}
	return c.edit(http.StatusOK, d, c.r.URL.Query().Has("named"), "")
}

// edit draws the editor; said is a message about the whole.
func (c *call) edit(status int, d app.Draft, named bool, said string) error {
	v := c.draftModel(d)
	errs := map[string]string{}
	if named {
		for _, p := range d.Wrong {
			v.name(c, errs, p)
		}
		v.Sound = d.Ready != nil
	}
	if said != "" {
		v.Wrong = append([]wrongLine{{Text: said}}, v.Wrong...)
	}
	v.fill(errs)
	return c.write(status, "draft", view{Me: c.me, Path: c.r.URL.Path, V: v, SecondFrom: c.secondFrom()})
}

// saveDraft keeps what was typed and does what the button says: each button of
// the editor saves, so that nothing typed is ever lost by another one.
func saveDraft(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	d, err := c.app().Draft(c.r.Context(), c.by, c.id())
	if err != nil {
		return err
	}
	typed := c.r.PostForm
	d.Form = readDraft(typed, d.Form)
	where := act(&d.Form, typed)
	revision, _ := strconv.Atoi(typed.Get("revision"))
	if _, err := c.app().SaveDraft(c.r.Context(), c.by, d.ID, revision, d.Form); err != nil {
		switch care.CodeOf(err) {
		case care.Conflict: // what was typed stays, and the next save is told to be over the other
			return c.edit(http.StatusConflict, d, false, c.p.T("draft.saved_since_by", "By", d.By, "When", c.p.DateTime(c.at(d.AtMillis))))
		case care.Invalid:
			return c.edit(http.StatusUnprocessableEntity, d, false, c.p.T("field.too_long"))
		}
		return err
	}
	return c.redirect(draftPath(d.ID) + where)
}

// act does what a button says to the draft, and returns where to go on. A button
// is a word, the place of an item or a scale (0 for the form), and of a choice.
func act(d *instrument.Draft, typed url.Values) string {
	button := append(strings.Split(typed.Get("do"), "-"), "", "")
	do := button[0]
	at, _ := strconv.Atoi(button[1])
	option, _ := strconv.Atoi(button[2])
	n := at - 1
	switch do {
	case "preview", "check", "publish":
		return "/" + do
	case "paste":
		text := instrument.Text{}
		for _, lang := range d.Languages {
			text[lang] = typed.Get("paste-" + lang)
		}
		d.Paste(text)
		return "#items"
	case "up", "down":
		by := map[string]int{"up": -1, "down": 1}[do]
		d.Move(n, by)
		return fmt.Sprintf("#item-%d", max(min(at+by, len(d.Items)), 1))
	case "remove":
		d.Remove(n)
		return "#items"
	case "range":
		from, fromErr := strconv.Atoi(strings.TrimSpace(typed.Get("from")))
		to, toErr := strconv.Atoi(strings.TrimSpace(typed.Get("to")))
		if fromErr == nil && toErr == nil {
			d.Answers.Range(d.Languages, from, to)
		}
		return "#answers"
	case "option", "unoption":
		changeOptions(answersAt(d, at), option)
		if at > 0 {
			return fmt.Sprintf("#item-%d", at)
		}
		return "#answers"
	case "scale":
		dimension := instrument.Dimension(typed.Get("dimension"))
		d.AddScale(dimension, namesOf(dimension))
		return "#scales"
	case "usual":
		for _, dimension := range []instrument.Dimension{instrument.Bond, instrument.Tasks, instrument.Goals, instrument.Whole} {
			d.AddScale(dimension, namesOf(dimension))
		}
		return "#scales"
	case "unscale":
		if n >= 0 && n < len(d.Scales) {
			d.Scales = append(d.Scales[:n:n], d.Scales[at:]...)
		}
		return "#scales"
	}
	return "?named=1"
}

// namesOf are what a scale of a dimension is called to begin with.
func namesOf(d instrument.Dimension) instrument.Text {
	if d == instrument.Part {
		return instrument.Text{}
	}
	return eachLanguage("draft.scale." + string(d))
}

// answersAt are the answers of an item that has its own, or for 0 those of the
// form; nil for none.
func answersAt(d *instrument.Draft, at int) *instrument.DraftAnswers {
	switch {
	case at == 0:
		return &d.Answers
	case at > 0 && at <= len(d.Items):
		return d.Items[at-1].Own
	}
	return nil
}

// changeOptions takes a choice away, counted from 1; with 0 it adds one.
func changeOptions(a *instrument.DraftAnswers, n int) {
	switch {
	case a == nil || n < 0 || n > len(a.Options):
	case n > 0:
		a.Options = append(a.Options[:n-1:n-1], a.Options[n:]...)
	case len(a.Options) < instrument.MostOptions:
		a.Options = append(a.Options, instrument.DraftOption{Label: instrument.Text{}})
	}
}

func dropDraft(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	revision, _ := strconv.Atoi(c.r.PostForm.Get("revision"))
	err := c.app().DropDraft(c.r.Context(), c.by, c.id(), revision)
	if care.CodeOf(err) == care.Conflict {
		return c.draftConflict(err)
	}
	if err != nil {
		return err
	}
	return c.redirect("/library")
}

// draftConflict shows the editor as it is now, with why something was not done.
func (c *call) draftConflict(err error) error {
	d, lookErr := c.app().Draft(c.r.Context(), c.by, c.id())
	if lookErr != nil {
		return lookErr
	}
	said := c.p.T("error.conflict")
	if e, ok := errors.AsType[*care.Error](err); ok {
		said = c.message(e)
	}
	return c.edit(http.StatusConflict, d, false, said)
}
