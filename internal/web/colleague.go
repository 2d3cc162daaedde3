// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

type colleaguesView struct {
	All                   []app.Colleague
	Name, Email, Language string
	Chosen                map[string]bool
	Roles                 []care.Role
	Languages             []string
	Link, For             string
}

func (c *call) colleagues() (colleaguesView, error) {
	v := colleaguesView{Roles: care.Roles()[:3], Languages: app.Languages, Language: c.p.Lang(), Chosen: map[string]bool{string(care.Therapist): true}}
	var err error
	v.All, err = c.app().Staff(c.r.Context(), c.by)
	return v, err
}

func colleaguesPage(c *call) error {
	v, err := c.colleagues()
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "colleagues", v)
}

// addColleague shows the new colleague's link once; it is in no address of ours.
func addColleague(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	t := c.r.PostForm
	in := app.NewColleague{Name: t.Get("name"), Email: t.Get("email"), Language: t.Get("language")}
	for _, r := range t["roles"] {
		in.Roles = append(in.Roles, care.Role(r))
	}
	link, addErr := c.app().AddStaff(c.r.Context(), c.by, in)
	v, err := c.colleagues()
	if err != nil {
		return err
	}
	if addErr != nil {
		v.Name, v.Email, v.Language, v.Chosen = in.Name, in.Email, in.Language, map[string]bool{}
		for _, r := range in.Roles {
			v.Chosen[string(r)] = true
		}
		if care.CodeOf(addErr) == care.Conflict {
			return c.refuse(http.StatusConflict, "colleagues", v, addErr)
		}
		return c.again("colleagues", v, addErr)
	}
	v.Link, v.For = c.s.cfg.BaseURL+"/join/"+link.Token, in.Name
	return c.render(http.StatusOK, "colleagues", v)
}
