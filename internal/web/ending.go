// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// endingRoutes are how clients go from one therapist to another, and how an
// account ends.
func (s *Server) endingRoutes() []route {
	return []route{
		{"GET /colleagues/{id}/end", staff, endingPage},
		{"POST /colleagues/{id}/end", staff, endAccount},
		{"GET /clients/{id}/handover", staff, handOverPage},
		{"POST /clients/{id}/handover", staff, handOver},
	}
}

func endingPage(c *call) error {
	v, err := c.helpView()
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "ending", v)
}

func endAccount(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	in := app.NewEnding{To: care.ID(t.Get("to")), Reason: t.Get("reason")}
	err := c.app().EndStaff(c.r.Context(), c.by, c.id(), in, t.Get("old"))
	if err == nil {
		return c.redirect("/colleagues/" + string(c.id()) + "?done=1")
	}
	if care.CodeOf(err) != care.Invalid {
		return err
	}
	v, viewErr := c.helpView()
	if viewErr != nil {
		return viewErr
	}
	v.Reason, v.To = in.Reason, in.To
	return c.again("ending", v, err)
}

// handOverView is to whom a client can be handed over.
type handOverView struct {
	ID     care.ID
	Label  string
	To     care.ID
	Ending app.Ending
}

func (c *call) handOverView() (handOverView, error) {
	label, e, err := c.app().Takers(c.r.Context(), c.by, c.id())
	return handOverView{ID: c.id(), Label: label, Ending: e}, err
}

func handOverPage(c *call) error {
	v, err := c.handOverView()
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "handover", v)
}

func handOver(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	to := care.ID(c.r.PostForm.Get("to"))
	err := c.app().HandOver(c.r.Context(), c.by, c.id(), to)
	if err == nil {
		return c.redirect("/clients")
	}
	if care.CodeOf(err) != care.Invalid {
		return err
	}
	v, viewErr := c.handOverView()
	if viewErr != nil {
		return viewErr
	}
	v.To = to
	return c.again("handover", v, err)
}
