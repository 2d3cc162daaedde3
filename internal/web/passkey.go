// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/passkey"
)

// passkeyRoutes are where a passkey is added, removed and shown.
func (s *Server) passkeyRoutes() []route {
	return []route{
		{"POST /signin/passkey", anyone, askPasskey},
		{"GET /signin/passkey", anyone, toSignIn},
		{"POST /signin/passkey/answer", anyone, showPasskey},
		{"GET /signin/passkey/answer", anyone, toSignIn},
		{"POST /account/passkeys", staff, newPasskey},
		{"POST /account/passkeys/answer", staff, addPasskey},
		{"POST /account/passkeys/{id}/remove", staff, removePasskey},
	}
}

// passkeyCookie stays in the browser from the question to the answer.
const passkeyCookie = "passkey"

// site is where passkeys count; false where browsers make none.
func (c *call) site() (passkey.Site, bool) { return passkey.NewSite(c.s.cfg.BaseURL, "Entente") }

// passkeyView is a page that asks the browser for a passkey.
type passkeyView struct {
	Add     bool   // a new one; else one that is there
	Options string // what the browser is asked, as JSON
	Name    string // what its owner calls a new one
}

// passkeyLine is one passkey of an account.
type passkeyLine struct {
	ID         care.ID
	Name, When string
}

func (c *call) passkeyLines(all []care.Passkey) (out []passkeyLine) {
	for _, p := range all {
		l := passkeyLine{ID: p.ID, Name: p.Name, When: c.p.T("passkey.added", "Day", c.p.Date(c.at(p.CreatedMillis)))}
		if p.UsedMillis > 0 {
			l.When = c.p.T("passkey.used", "At", c.p.DateTime(c.at(p.UsedMillis)))
		}
		out = append(out, l)
	}
	return out
}

func askPasskey(c *call) error {
	site, ok := c.site()
	if !ok {
		return care.Missing()
	}
	asked, err := c.app().BeginPasskeySignIn(c.r.Context(), site, c.s.address(c.r))
	if err != nil {
		return c.signInAgain(err)
	}
	c.setCookie(passkeyCookie, asked.Browser, asked.Expires, http.SameSiteStrictMode)
	return c.render(http.StatusOK, "passkey", passkeyView{Options: asked.Options})
}

func showPasskey(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	site, ok := c.site()
	if !ok {
		return care.Missing()
	}
	in, err := c.app().PasskeySignIn(c.r.Context(), site, c.cookie(passkeyCookie), []byte(c.r.PostForm.Get("answer")), device(c.r))
	c.dropCookie(passkeyCookie)
	if err != nil {
		return c.signInAgain(err)
	}
	return c.signedIn(in)
}

func newPasskey(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	site, ok := c.site()
	if !ok {
		return care.Missing()
	}
	asked, err := c.app().BeginPasskey(c.r.Context(), c.by, site, c.r.PostForm.Get("old"))
	if err != nil {
		return c.showAccount(err, nil)
	}
	c.setCookie(passkeyCookie, asked.Browser, asked.Expires, http.SameSiteStrictMode)
	return c.render(http.StatusOK, "passkey", passkeyView{Add: true, Options: asked.Options, Name: c.r.PostForm.Get("name")})
}

func addPasskey(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	site, ok := c.site()
	if !ok {
		return care.Missing()
	}
	f := c.r.PostForm
	err := c.app().AddPasskey(c.r.Context(), c.by, site, f.Get("name"), c.cookie(passkeyCookie), []byte(f.Get("answer")))
	c.dropCookie(passkeyCookie)
	if err != nil {
		return c.showAccount(err, nil)
	}
	return c.redirect("/account?done=passkey")
}

func removePasskey(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	if err := c.app().RemovePasskey(c.r.Context(), c.by, c.id(), c.r.PostForm.Get("old")); err != nil {
		return c.showAccount(err, nil)
	}
	return c.redirect("/account?done=no_passkey")
}

// signInView is the sign-in page as it stands for everybody.
func (c *call) signInView() signInView {
	_, ok := c.site()
	return signInView{Providers: c.app().Providers(), Passkeys: ok}
}
