// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// emergencyRoutes are access in an emergency and what follows from it.
func (s *Server) emergencyRoutes() []route {
	return []route{
		{"GET /emergency", staff, emergencyPage},
		{"POST /emergency", staff, openEmergency},
		{"GET /emergency/{id}/seen", staff, toToday},
		{"POST /emergency/{id}/seen", staff, seeEmergency},
		{"GET /clients/{id}/emergency", staff, toToday},
		{"POST /clients/{id}/emergency", staff, endEmergency},
	}
}

// emergencyForm is what was typed.
type emergencyForm struct{ Name, Reason string }

// notice is an emergency access in words.
type notice struct {
	ID, Client          care.ID
	Text, Reason, State string
	Open                bool
}

func toToday(c *call) error { return c.redirect("/today") }

func emergencyPage(c *call) error {
	if err := care.May(c.by, care.ActInNeed); err != nil {
		return err
	}
	return c.render(http.StatusOK, "emergency", emergencyForm{})
}

func openEmergency(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	f := emergencyForm{Name: c.r.PostForm.Get("name"), Reason: c.r.PostForm.Get("reason")}
	id, err := c.app().OpenEmergency(c.r.Context(), c.by, app.NewEmergency(f))
	if isThrottled(err) {
		return c.refuse(http.StatusTooManyRequests, "emergency", f, err)
	}
	if err != nil {
		return c.again("emergency", f, err)
	}
	return c.redirect("/clients/" + string(id))
}

func seeEmergency(c *call) error {
	if err := c.app().SeeEmergency(c.r.Context(), c.by, c.id()); err != nil {
		return err
	}
	return c.redirect("/today")
}

func endEmergency(c *call) error {
	if err := c.app().EndEmergency(c.r.Context(), c.by, c.id()); err != nil {
		return err
	}
	return c.redirect("/today")
}

// reasonOf is why somebody looked. A reason is never empty: then it does not open.
func (c *call) reasonOf(reason string) string {
	if reason == "" {
		return c.p.T("damaged.title") + ": " + c.whatIs("emergency", "reason")
	}
	return c.p.T("emergency.why", "Reason", reason)
}

// told puts others' emergency accesses into words, held the reader's own.
func (c *call) told(all []app.EmergencyNotice) (out []notice) {
	for _, e := range all {
		n := notice{ID: e.ID, Client: e.Client, Open: e.In(c.s.cfg.Now().UnixMilli()), Reason: c.reasonOf(e.Reason), State: c.p.T("emergency.over")}
		n.Text = c.p.T("emergency.notice", "By", c.who(e.By), "Label", c.nameOf(e.Label, e.Client), "At", c.p.DateTime(c.at(e.AtMillis)))
		if n.Open {
			n.State = c.p.T("emergency.until", "Until", c.p.DateTime(c.at(e.UntilMillis)))
		}
		out = append(out, n)
	}
	return out
}

func (c *call) held(all []app.EmergencyNotice) (out []notice) {
	for _, e := range all {
		out = append(out, notice{ID: e.ID, Client: e.Client, Text: c.p.T("emergency.own", "Label", c.nameOf(e.Label, e.Client), "Until", c.p.DateTime(c.at(e.UntilMillis)))})
	}
	return out
}
