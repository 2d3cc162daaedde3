// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"time"

	"github.com/entente-project/entente/internal/care"
)

// staffRoutes are the pages of those who work in a practice.
func (s *Server) staffRoutes() []route {
	return []route{
		{"GET /today", staff, todayPage},
		{"GET /pulse", staff, pulse},
		{"GET /clients", staff, caseloadPage},
		{"GET /clients/new", staff, newClientPage},
		{"POST /clients/new", staff, addClient},
		{"GET /clients/{id}", staff, clientPage},
		{"GET /clients/{id}/course.svg", staff, coursePicture},
		{"GET /clients/{id}/edit", staff, editClientPage},
		{"GET /clients/{id}/access", staff, accessPage},
		{"GET /clients/{id}/access.csv", staff, accessFile},
		{"POST /clients/{id}/edit", staff, editClient},
		{"POST /clients/{id}/episodes", staff, openEpisode},
		{"POST /episodes/{id}/sessions", staff, addSession},
		{"GET /sessions/{id}", staff, sessionPage},
		{"POST /sessions/{id}/hold", staff, holdSession},
		{"POST /sessions/{id}/review", staff, reviewSession},
		{"POST /sessions/{id}/miss", staff, missSession},
		{"POST /sessions/{id}/invite", staff, invite},
		{"POST /sessions/{id}/mail", staff, mailInvitation},
		{"POST /sessions/{id}/kiosk", staff, startKiosk},
		{"POST /sessions/{id}/note", staff, addNote},
		{"POST /sessions/{id}/reveal", staff, reveal},
		{"GET /sessions/{id}/invite", staff, toSession},
		{"GET /sessions/{id}/mail", staff, toSession},
		{"GET /sessions/{id}/kiosk", staff, toSession},
		{"GET /sessions/{id}/note", staff, toSession},
		{"GET /clients/{id}/episodes", staff, toClient},
		{"GET /sessions/{id}/rate", staff, ownForm("rate")},
		{"POST /sessions/{id}/rate", staff, recordOwn("rate")},
		{"GET /sessions/{id}/predict", staff, ownForm("predict")},
		{"POST /sessions/{id}/predict", staff, recordOwn("predict")},
		{"GET /sessions/{id}/process", staff, ownForm("process")},
		{"POST /sessions/{id}/process", staff, recordOwn("process")},
		{"GET /account", staff, accountPage},
		{"POST /account/end", staff, endSignIns},
		{"POST /account/password", staff, changePassword},
		{"POST /account/second/new", staff, newSecond},
		{"POST /account/second", staff, addSecond},
		{"POST /account/second/remove", staff, removeSecond},
		{"GET /account/{part...}", staff, toAccount},
		{"GET /colleagues", staff, colleaguesPage},
		{"POST /colleagues", staff, addColleague},
		{"GET /import", staff, importPage},
		{"POST /import", staff, previewImport},
		{"GET /import/{id}", staff, importState},
		{"POST /import/{id}/start", staff, startImport},
		{"POST /import/{id}/stop", staff, stopImport},
	}
}

// toSession and toClient lead back from the address of a form that was sent, for
// whoever switches the language or reloads there.
func toSession(c *call) error { return c.redirect("/sessions/" + string(c.id())) }

func toClient(c *call) error { return c.redirect("/clients/" + string(c.id()) + "/edit") }

// pulse is one number; when it changes, a page asks for itself again.
func pulse(c *call) error {
	n, err := c.app().Pulse(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	_, err = fmt.Fprintf(c.w, "%d\n", n)
	return err
}

// id is the record a path names.
func (c *call) id() care.ID { return care.ID(c.r.PathValue("id")) }

// at is an instant in the practice's time zone.
func (c *call) at(millis int64) time.Time { return time.UnixMilli(millis).In(c.zone()) }

// today is the practice's calendar day.
func (c *call) today() time.Time { return c.s.cfg.Now().In(c.zone()) }

// day says when something was as a person would: today, yesterday, a weekday of
// the last days, or a date.
func (c *call) day(millis int64) string {
	t, now := c.at(millis), c.today()
	switch d := daysBetween(t, now); {
	case d == 0:
		return c.p.T("day.today")
	case d == 1:
		return c.p.T("day.yesterday")
	case d > 1 && d < 7:
		return c.p.Weekday(t)
	case t.Year() == now.Year():
		return c.p.DateShort(t)
	}
	return c.p.Date(t)
}

// daysBetween counts calendar days.
func daysBetween(t, now time.Time) int {
	day := func(t time.Time) int {
		return int(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
	}
	return day(now) - day(t)
}

// since says from when on; a date and a weekday want other words before them in
// some languages.
func (c *call) since(millis int64) string {
	if d := daysBetween(c.at(millis), c.today()); d >= 0 && d < 7 {
		return c.p.T("day.since", "Day", c.day(millis))
	}
	return c.p.T("day.since_date", "Day", c.day(millis))
}
