// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"net/http"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// erasureRoutes are the erasing of a person, in two steps, and the list of those
// who were.
func (s *Server) erasureRoutes() []route {
	return []route{
		{"GET /erasures", staff, erasuresPage},
		{"POST /erasures", staff, askErasure},
		{"GET /erasures/{id}", staff, toErasures},
		{"POST /erasures/{id}", staff, eraseClient},
		{"GET /erasures/{id}/access.csv", staff, erasedAccessFile},
	}
}

// erasuresView is the first step, what was done, and who was erased before.
type erasuresView struct {
	Name  string
	Done  bool
	Lines []erasureLine
}

type erasureLine struct {
	ID         care.ID
	Text, Went string
	Waiting    bool // the key is not destroyed yet
}

// erasureView is the second step.
type erasureView struct {
	ID      care.ID
	Label   string
	Goes    []string
	Shared  string
	Name    string // as it was typed in the first step
	Chosen  care.ErasureReason
	Reasons []care.ErasureReason
}

func toErasures(c *call) error { return c.redirect("/erasures") }

func erasuresPage(c *call) error {
	v, err := c.erasures()
	if err != nil {
		return err
	}
	v.Done = c.r.URL.Query().Get("done") == "1"
	return c.render(http.StatusOK, "erasures", v)
}

func (c *call) erasures() (v erasuresView, err error) {
	all, err := c.app().Erasures(c.r.Context(), c.by)
	for _, e := range all {
		who := e.Who
		if who == "" {
			who = c.p.T("erasure.operator")
		}
		v.Lines = append(v.Lines, erasureLine{
			ID:   e.Client,
			Text: c.p.T("erasure.line", "When", c.p.DateTime(c.at(e.AtMillis)), "Who", who, "Why", c.p.T("erasure.reason."+string(e.Reason))),
			Went: c.p.T("erasure.went", "Forms", e.Went.Responses, "Notes", e.Went.Notes, "Sessions", e.Went.Sessions), Waiting: e.DestroyedMillis == 0,
		})
	}
	return v, err
}

// askErasure is the first step: who, and what would go.
func askErasure(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	name := c.r.PostForm.Get("name")
	ask, err := c.app().AskErasure(c.r.Context(), c.by, name)
	if err != nil {
		return c.askedInVain(name, err)
	}
	return c.render(http.StatusOK, "erasure", c.secondStep(ask, name))
}

// askedInVain is the first step once more.
func (c *call) askedInVain(name string, err error) error {
	v, lookErr := c.erasures()
	if lookErr != nil {
		return lookErr
	}
	v.Name = name
	if e, ok := errors.AsType[*care.Error](err); ok && e.Key == "error.throttled" {
		return c.refuse(http.StatusTooManyRequests, "erasures", v, err)
	}
	return c.again("erasures", v, err)
}

func (c *call) secondStep(ask app.ErasureAsk, name string) erasureView {
	h := ask.Goes
	v := erasureView{ID: ask.Client, Label: ask.Label, Name: name, Reasons: care.ErasureReasons()}
	for _, x := range []struct {
		key string
		n   int64
	}{{"erasure.goes.episodes", h.Episodes}, {"erasure.goes.sessions", h.Sessions}, {"erasure.goes.forms", h.Responses}, {"erasure.goes.notes", h.Notes}, {"erasure.goes.links", h.Invitations}} {
		if x.n > 0 {
			v.Goes = append(v.Goes, c.p.N(x.key, int(x.n)))
		}
	}
	if h.Shared > 0 {
		v.Shared = c.p.N("erasure.stays.shared", int(h.Shared))
	}
	return v
}

// eraseClient is the second step.
func eraseClient(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	err := c.app().EraseClient(c.r.Context(), c.by, app.Erase{Client: c.id(), Name: t.Get("confirm"), Reason: care.ErasureReason(t.Get("reason"))})
	if care.CodeOf(err) == care.Invalid {
		ask, lookErr := c.app().AskErasure(c.r.Context(), c.by, t.Get("name"))
		if lookErr != nil || ask.Client != c.id() {
			return err
		}
		v := c.secondStep(ask, t.Get("name"))
		v.Chosen = care.ErasureReason(t.Get("reason"))
		return c.again("erasure", v, err)
	}
	if err != nil {
		return err
	}
	return c.redirect("/erasures?done=1")
}
