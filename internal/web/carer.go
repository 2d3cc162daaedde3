// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// carerRoutes are who else is asked about the work with a child or adolescent.
func (s *Server) carerRoutes() []route {
	return []route{
		{"GET /clients/{id}/carers", staff, carersPage},
		{"POST /clients/{id}/carers", staff, changeCarers},
		{"POST /sessions/{id}/carer", staff, askCarer},
	}
}

// carersModel is a client's carers and the form to add one.
type carersModel struct {
	app.CarersView
	Relations []care.CarerRelation
	Languages []string
	Typed     care.CarerContent
}

func (c *call) carersModel() (m carersModel, err error) {
	v, err := c.app().Carers(c.r.Context(), c.by, c.id())
	if err != nil {
		return m, err
	}
	m = carersModel{CarersView: v, Relations: care.CarerRelations(), Languages: app.Languages, Typed: care.CarerContent{Relation: care.Parent, Language: v.Client.Language}}
	m.Client.Label = c.nameOf(v.Client.Label, v.Client.ID)
	return m, nil
}

func carersPage(c *call) error {
	m, err := c.carersModel()
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "carers", m)
}

// changeCarers adds a carer, or lets one be asked no more.
func changeCarers(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	typed := care.CarerContent{Label: t.Get("label"), Relation: care.CarerRelation(t.Get("relation")), Language: t.Get("language"), Email: t.Get("email")}
	var err error
	if t.Get("do") == "end" {
		err = c.app().EndCarer(c.r.Context(), c.by, c.id(), care.ID(t.Get("person")))
	} else {
		_, err = c.app().AddCarer(c.r.Context(), c.by, c.id(), typed)
	}
	if err == nil {
		return c.redirect("/clients/" + string(c.id()) + "/carers")
	}
	if care.CodeOf(err) != care.Invalid {
		return err
	}
	m, lookErr := c.carersModel()
	if lookErr != nil {
		return lookErr
	}
	m.Typed = typed
	return c.refuse(http.StatusUnprocessableEntity, "carers", m, err)
}

// askCarer shows a carer's new link at once, or mails it.
func askCarer(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	person := care.ID(c.r.PostForm.Get("person"))
	if c.r.PostForm.Get("by") == "mail" {
		if err := c.app().MailCarer(c.r.Context(), c.by, c.id(), person); err != nil {
			return c.sessionAgain(err, nil)
		}
		return c.redirect("/sessions/" + string(c.id()) + "?mailed=1")
	}
	l, err := c.app().InviteCarer(c.r.Context(), c.by, c.id(), person)
	if err != nil {
		return c.sessionAgain(err, nil)
	}
	return c.showLink(l, person)
}

// carerLine is how far a carer is with a session's forms, in words.
type carerLine struct {
	app.CarerAsked
	Text, State string // the state is a class of the stylesheet
	Ask         bool   // something of theirs is still to be asked
}

func (c *call) carerName(x care.Carer) string {
	if x.Content.Label == "" {
		return c.p.T("damaged.carer")
	}
	return x.Content.Label
}

func (c *call) carerLine(x app.CarerAsked) carerLine {
	l := carerLine{CarerAsked: x, State: "open", Ask: x.Done < x.Forms && x.Carer.EndedMillis == 0}
	key := "carer.open"
	switch {
	case x.Done > 0 && x.Done >= x.Forms:
		key, l.State = "carer.done", "done"
	case x.Done > 0:
		key, l.State = "carer.part", "part"
	case x.Invited:
		key = "carer.waiting"
	}
	l.Text = c.p.T(key, "Who", c.carerName(x.Carer), "Done", x.Done, "Of", x.Forms)
	return l
}
