// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// localHelpRoutes are what a manager has the forms say of help nearby.
func (s *Server) localHelpRoutes() []route {
	return []route{
		{"GET /practice/help", staff, localHelpPage},
		{"POST /practice/help", staff, setLocalHelp},
	}
}

// localHelpView is what a practice tells of help, a text for each language.
type localHelpView struct {
	Texts []helpText
	Most  int
	Done  bool
}

type helpText struct {
	Language string
	care.HelpText
}

func localHelpModel(h care.LocalHelp) localHelpView {
	v := localHelpView{Most: care.MaxHelpText}
	for _, l := range app.Languages {
		v.Texts = append(v.Texts, helpText{l, h[l]})
	}
	return v
}

func localHelpPage(c *call) error {
	h, err := c.app().LocalHelp(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	v := localHelpModel(h)
	v.Done = c.r.URL.Query().Get("done") != ""
	return c.render(http.StatusOK, "localhelp", v)
}

func setLocalHelp(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	h := care.LocalHelp{}
	for _, l := range app.Languages {
		h[l] = care.HelpText{All: c.r.PostForm.Get("all-" + l), Young: c.r.PostForm.Get("young-" + l), Hours: c.r.PostForm.Get("hours-" + l)}
	}
	if err := c.app().SetLocalHelp(c.r.Context(), c.by, h); err != nil {
		return c.again("localhelp", localHelpModel(h), err)
	}
	return c.redirect("/practice/help?done=1")
}
