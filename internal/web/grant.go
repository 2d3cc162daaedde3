// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// grantsView is on what grounds an instrument's words are used, for managers.
type grantsView struct {
	Shown   bool // to this reader
	Lines   []grantLine
	InForce bool
	Own     bool // the ground in force is that the practice wrote it
	Grounds []care.Ground
	Typed   grantTyped
}

type grantTyped struct{ Ground, Licence, From, GivenOn, Note, Reason string }

type grantLine struct {
	ID              care.ID
	Text, Note, End string
	File, InForce   bool
}

// grants is what a manager reads and records; not shown to anybody else, nor for
// a form of ours, which needs no ground.
func (c *call) grants(e app.LibraryEntry) (v grantsView, err error) {
	if e.Ours || !c.by.Has(care.Manager) {
		return v, nil
	}
	all, err := c.app().Grants(c.r.Context(), c.by, e.ID)
	if err != nil {
		return v, err
	}
	v = grantsView{Shown: true, Grounds: care.Grounds()}
	for _, g := range all {
		l := grantLine{ID: g.ID, Note: g.Note, File: g.FileKind != "", InForce: g.InForce()}
		parts := []string{c.p.T("grant.ground." + string(g.Ground))}
		for _, x := range []named{{"grant.line_licence", g.Licence}, {"grant.line_from", g.From}, {"grant.line_on", g.GivenOn}} {
			if x.Value != "" {
				parts = append(parts, c.p.T(x.Name, "What", x.Value))
			}
		}
		parts = append(parts, c.p.T("grant.recorded", "By", g.By, "Day", c.p.Date(c.at(g.AtMillis))))
		l.Text = strings.Join(parts, " · ")
		if !l.InForce {
			l.End = c.p.T("grant.withdrawn", "By", g.EndedBy, "Day", c.p.Date(c.at(g.EndedMillis)), "Why", g.EndReason)
		}
		v.InForce = v.InForce || l.InForce
		v.Own = v.Own || l.InForce && g.Ground == care.OwnWork
		v.Lines = append(v.Lines, l)
	}
	return v, nil
}

// recordGrant keeps on what ground the words are used.
func recordGrant(c *call) error {
	if err := care.May(c.by, care.LicenseForms); err != nil {
		return err
	}
	id := c.r.PathValue("id")
	if err := c.r.ParseMultipartForm(2 * care.GrantFileBytes); err != nil && !errors.Is(err, http.ErrNotMultipart) { // bounded by maxBody
		return c.grantAgain(id, grantTyped{}, &care.Error{Code: care.Invalid, Field: "file", Key: "grant.file_large", Err: err})
	}
	t := c.r.PostForm
	typed := grantTyped{Ground: t.Get("ground"), Licence: t.Get("licence"), From: t.Get("from"), GivenOn: t.Get("given_on"), Note: t.Get("note")}
	in := app.NewGrant{Instrument: id, Ground: care.Ground(typed.Ground), Licence: typed.Licence, From: typed.From, GivenOn: typed.GivenOn, Note: typed.Note}
	switch f, _, err := c.r.FormFile("file"); {
	case errors.Is(err, http.ErrMissingFile), errors.Is(err, http.ErrNotMultipart):
	case err != nil:
		return c.grantAgain(id, typed, &care.Error{Code: care.Invalid, Field: "file", Key: "grant.file_kind", Err: err})
	default:
		defer f.Close() //nolint:errcheck // read only
		if in.File, err = io.ReadAll(io.LimitReader(f, care.GrantFileBytes+1)); err != nil {
			return c.grantAgain(id, typed, &care.Error{Code: care.Invalid, Field: "file", Key: "grant.file_kind", Err: err})
		}
	}
	if _, err := c.app().RecordGrant(c.r.Context(), c.by, in); err != nil {
		return c.grantAgain(id, typed, err)
	}
	return c.redirect("/library/" + id)
}

// grantAgain shows the page once more with what was typed; a file has to be
// chosen anew, as browsers have it.
func (c *call) grantAgain(id string, typed grantTyped, err error) error {
	if code := care.CodeOf(err); code != care.Invalid && code != care.Conflict {
		return err
	}
	e, lookErr := c.app().LibraryInstrument(c.r.Context(), c.by, id)
	if lookErr != nil {
		return lookErr
	}
	v := c.instrumentModel(e)
	if v.Grants, lookErr = c.grants(e); lookErr != nil {
		return lookErr
	}
	v.Grants.Typed = typed
	c.writable(&v, e)
	if care.CodeOf(err) == care.Conflict {
		return c.refuse(http.StatusConflict, "instrument", v, err)
	}
	return c.again("instrument", v, err)
}

// withdrawGrant ends a ground; the form says on which page it stands.
func withdrawGrant(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	id, reason := c.r.PostForm.Get("instrument"), c.r.PostForm.Get("reason")
	if err := c.app().WithdrawGrant(c.r.Context(), c.by, c.id(), reason); err != nil {
		return c.grantAgain(id, grantTyped{Reason: reason}, err)
	}
	if _, err := c.app().LibraryInstrument(c.r.Context(), c.by, id); err != nil {
		return c.redirect("/library")
	}
	return c.redirect("/library/" + id)
}

// grantEndings are the names under which a file is saved: what somebody called
// it may name a person.
var grantEndings = map[string]string{"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "text/plain": "txt"}

// grantFile is never shown in place: it was sent in by somebody.
func grantFile(c *call) error {
	kind, data, err := c.app().GrantFile(c.r.Context(), c.by, c.id())
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="document.`+grantEndings[kind]+`"`)
	_, err = c.w.Write(data)
	return err
}
