// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// helpRoutes are what a manager can do for a colleague who cannot sign in, or
// whose device is in other hands.
func (s *Server) helpRoutes() []route {
	return []route{
		{"GET /colleagues/{id}", staff, colleaguePage},
		{"POST /colleagues/{id}", staff, helpColleague},
	}
}

// helpView is a colleague as a manager sees them.
type helpView struct {
	app.ColleagueView
	Lines        []helpLine
	Reason, Kind string
	EndedText    string // "" for an account that goes on
	To           care.ID
	Done         bool
}

// helpLine is one thing done to somebody's sign-ins, in words.
type helpLine struct{ What, Reason string }

func (c *call) helpLines(all []app.HelpLine) (out []helpLine) {
	for _, l := range all {
		who := l.Who
		if l.By == "" {
			who = c.p.T("help.operator")
		}
		out = append(out, helpLine{c.p.T("help.did."+string(l.Kind), "Who", who, "When", c.p.DateTime(c.at(l.AtMillis))), l.Reason})
	}
	return out
}

func (c *call) helpView() (helpView, error) {
	v, err := c.app().Colleague(c.r.Context(), c.by, c.id())
	out := helpView{ColleagueView: v, Lines: c.helpLines(v.Help)}
	if v.Ended {
		out.EndedText = c.p.T("ending.was", "When", c.p.DateTime(c.at(v.Ending.EndedMillis)))
	}
	return out, err
}

func colleaguePage(c *call) error {
	v, err := c.helpView()
	if err != nil {
		return err
	}
	v.Done = c.r.URL.Query().Get("done") != ""
	return c.render(http.StatusOK, "colleague", v)
}

func helpColleague(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	in := app.NewHelp{Kind: care.HelpKind(c.r.PostForm.Get("kind")), Reason: c.r.PostForm.Get("reason")}
	err := c.app().HelpColleague(c.r.Context(), c.by, c.id(), in, c.r.PostForm.Get("old"))
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
	v.Reason, v.Kind = in.Reason, string(in.Kind)
	return c.again("colleague", v, err)
}

// hold keeps whoever must do something first on their own account.
func (c *call) hold() error {
	_, path, _ := strings.Cut(c.r.Pattern, " ")
	switch {
	case c.me.Must == "" || path == "/account" || strings.HasPrefix(path, "/account/"):
		return nil
	case path == "/pulse":
		return care.Denied() // a redirect would look like the end of the sign-in
	}
	return goTo("/account")
}

// secondFrom is the day from which on a second factor is demanded of whoever
// reads the page and has none, "" for nobody.
func (c *call) secondFrom() string {
	if c.me.SecondFromMillis == 0 {
		return ""
	}
	return c.p.Date(c.at(c.me.SecondFromMillis))
}

// dayOf reads a date of a form as the beginning of that day in the practice;
// none is 0.
func (c *call) dayOf(field string) (int64, error) {
	text := strings.TrimSpace(c.r.PostForm.Get(field))
	if text == "" {
		return 0, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, c.zone())
	if err != nil {
		return 0, care.Bad(field, "field.choice")
	}
	return t.UnixMilli(), nil
}
