// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// setupView is the first-run page: what was typed, and the choices.
type setupView struct {
	app.SetUp
	TimeZones []string
}

// Rules are whose consent a practice may wait for.
func (setupView) Rules() []care.HoldersRule { return care.HoldersRules() }

// timeZones are offered for choosing. Any other zone can be written in the
// configuration of the practice later.
func timeZones() []string {
	return []string{
		"Europe/Rome", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Madrid", "Europe/Paris",
		"Europe/Brussels", "Europe/Amsterdam", "Europe/Zurich", "Europe/Berlin", "Europe/Vienna", "Europe/Copenhagen",
		"Europe/Oslo", "Europe/Stockholm", "Europe/Warsaw", "Europe/Prague", "Europe/Budapest", "Europe/Athens",
		"Europe/Helsinki", "Europe/Bucharest", "Europe/Istanbul", "Atlantic/Azores", "Africa/Johannesburg",
		"America/Sao_Paulo", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
		"Asia/Jerusalem", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland", "UTC",
	}
}

func setupPage(c *call) error {
	empty, err := c.app().NeedsSetUp(c.r.Context())
	if err != nil {
		return err
	}
	if !empty {
		return c.redirect("/signin")
	}
	in := app.SetUp{Code: c.r.URL.Query().Get("code"), Language: c.p.Lang(), TimeZone: timeZones()[0]}
	return c.render(http.StatusOK, "setup", setupView{SetUp: in, TimeZones: timeZones()})
}

func setup(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	f := func(name string) string { return strings.TrimSpace(c.r.PostForm.Get(name)) }
	in := app.SetUp{
		Code: f("code"), Practice: f("practice"), Language: f("language"), TimeZone: f("time_zone"),
		Name: f("name"), Email: f("email"), Password: c.r.PostForm.Get("password"), Device: device(c.r), Consent: care.HoldersRule(f("holders")),
	}
	var done app.SignedIn
	err := c.guess(func() (err error) {
		done, err = c.app().SetUpPractice(c.r.Context(), in)
		return err
	})
	if isThrottled(err) {
		return err
	}
	if err != nil {
		in.Password = ""
		return c.again("setup", setupView{SetUp: in, TimeZones: timeZones()}, err)
	}
	c.keepSignIn(done)
	return c.redirect("/today")
}
