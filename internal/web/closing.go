// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// closingRoutes are the ends of episodes.
func (s *Server) closingRoutes() []route {
	return []route{
		{"GET /clients/ended", staff, endedPage},
		{"GET /clients/{id}/close", staff, closingPage},
		{"POST /clients/{id}/close", staff, closeEpisode},
		{"POST /clients/{id}/reopen", staff, reopenEpisode},
	}
}

// closingModel is the page on which an episode is ended.
type closingModel struct {
	Client  care.ID
	Label   string
	Episode care.ID
	Reasons []care.ClosingReason
	Typed   care.ClosingContent
}

// closingLine is an end in words.
type closingLine struct {
	app.ClosingView
	Day, Verdict string
}

func (c *call) closingLines(all []app.ClosingView) (out []closingLine) {
	for _, x := range all {
		l := closingLine{ClosingView: x, Day: c.p.Date(c.at(x.AtMillis))}
		if x.Shown.Kind != "" {
			v := verdictWords(c.p, x.Shown, func(n int) string { return c.p.T("session.number_since", "N", n) })
			l.Verdict = v.Word + " " + v.Text
		}
		out = append(out, l)
	}
	return out
}

func (c *call) closingModel(episode care.ID, typed care.ClosingContent) (m closingModel, err error) {
	who, e, err := c.app().Closable(c.r.Context(), c.by, c.id(), episode)
	if err != nil {
		return m, err
	}
	return closingModel{Client: who.ID, Label: c.nameOf(who.Label, who.ID), Episode: e.ID, Reasons: care.ClosingReasons(), Typed: typed}, nil
}

func closingPage(c *call) error {
	m, err := c.closingModel(care.ID(c.r.URL.Query().Get("episode")), care.ClosingContent{})
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "closing", m)
}

func closeEpisode(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	f := c.r.PostForm
	typed := care.ClosingContent{Reason: care.ClosingReason(f.Get("reason")), Words: f.Get("words")}
	m, err := c.closingModel(care.ID(f.Get("episode")), typed)
	if err != nil {
		return err
	}
	err = c.app().CloseEpisode(c.r.Context(), c.by, m.Episode, typed)
	if code := care.CodeOf(err); code == care.Invalid || code == care.Conflict {
		return c.refuse(statusOf[code], "closing", m, err)
	}
	if err != nil {
		return err
	}
	return c.redirect("/clients/ended")
}

func reopenEpisode(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	m, err := c.closingModel(care.ID(c.r.PostForm.Get("episode")), care.ClosingContent{})
	if err != nil {
		return err
	}
	if err := c.app().ReopenEpisode(c.r.Context(), c.by, m.Episode); err != nil && care.CodeOf(err) != care.Conflict {
		return err
	}
	return c.redirect("/clients/" + string(m.Client) + "?episode=" + url.QueryEscape(string(m.Episode)))
}

// endedRow is one ended course in the list.
type endedRow struct {
	Client, Episode          care.ID
	Label, From, To, Because string
}

func (c *call) ended(all []app.EndedRow) (out []endedRow) {
	for _, r := range all {
		x := endedRow{Client: r.Client.ID, Episode: r.Episode.ID, Label: c.nameOf(r.Client.Label, r.Client.ID), From: c.calendarDay(r.Episode.OpenedOn), To: c.calendarDay(r.Episode.ClosedOn)}
		if r.Reason != "" {
			x.Because = c.p.T("closing." + string(r.Reason))
		}
		out = append(out, x)
	}
	return out
}

// calendarDay is a day of the calendar in words; what is none stays as it is.
func (c *call) calendarDay(on string) string {
	t, err := time.Parse(time.DateOnly, on)
	if err != nil {
		return on
	}
	return c.p.Date(t)
}

func endedPage(c *call) error {
	all, err := c.app().Ended(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "ended", c.ended(all))
}
