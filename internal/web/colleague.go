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
	Backup                backupView
}

// backupView is what a manager reads of backups.
type backupView struct {
	Text string // empty for whoever is no manager
	Bad  bool
}

// backup says when the last good backup was made, and what to do about a bad one.
func (c *call) backup() (v backupView, err error) {
	if !c.by.Has(care.Manager) {
		return v, nil
	}
	b, err := c.app().Backups(c.r.Context(), c.by)
	if err != nil {
		return v, err
	}
	return c.backupView(b), nil
}

func (c *call) backupView(b care.BackupState) (v backupView) {
	switch {
	case b.MadeMillis == 0 && b.EveryMillis == 0:
		v.Text = c.p.T("colleagues.backup_off")
	case b.MadeMillis == 0:
		v.Text = c.p.T("colleagues.backup_first")
	default:
		v.Text = c.p.T("colleagues.backup_made", "Day", c.day(b.MadeMillis), "Time", c.p.Clock(c.at(b.MadeMillis)))
	}
	switch {
	case b.Failing():
		v.Bad = true
		v.Text += " " + c.p.T("colleagues.backup_failing", "Day", c.day(b.FailedMillis), "Time", c.p.Clock(c.at(b.FailedMillis)))
	case b.MadeMillis > 0 && b.Late(c.s.cfg.Now().UnixMilli()):
		v.Bad = true
		v.Text += " " + c.p.T("colleagues.backup_late")
	}
	return v
}

func (c *call) colleagues() (colleaguesView, error) {
	v := colleaguesView{Roles: care.Roles()[:3], Languages: app.Languages, Language: c.p.Lang(), Chosen: map[string]bool{string(care.Therapist): true}}
	var err error
	if v.All, err = c.app().Staff(c.r.Context(), c.by); err != nil {
		return v, err
	}
	v.Backup, err = c.backup()
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
