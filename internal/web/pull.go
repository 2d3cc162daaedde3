// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// pullRoutes are what a manager does with a notice of many clients opened.
func (s *Server) pullRoutes() []route {
	return []route{
		{"GET /pulls/{id}/seen", staff, toToday},
		{"POST /pulls/{id}/seen", staff, seePull},
	}
}

func seePull(c *call) error {
	if err := c.app().SeePull(c.r.Context(), c.by, c.id()); err != nil {
		return err
	}
	return c.redirect("/today")
}

// pullView is a notice in words.
type pullView struct {
	ID   care.ID
	Text string
}

func (c *call) pulls(all []app.PullNotice) (out []pullView) {
	for _, p := range all {
		out = append(out, pullView{ID: p.ID, Text: c.p.T("pull.notice", "By", c.who(p.By), "N", int(p.Clients), "At", c.p.DateTime(c.at(p.AtMillis)))})
	}
	return out
}
