// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// providerRoutes are the ways in by an outside provider.
func (s *Server) providerRoutes() []route {
	return []route{
		{"POST /signin/with/{provider}", anyone, toProvider},
		{"GET /signin/with/{provider}", anyone, toSignIn},
		{"GET /signin/with/{provider}/back", anyone, fromProvider},
		{"POST /account/with/{provider}", staff, linkProvider},
		{"POST /account/unlink/{id}", staff, unlinkProvider},
	}
}

// flowCookie stays in the browser that went to a provider until it is back. Lax,
// because the way back begins on another site.
const flowCookie = "flow"

// onward is a page that leads on by itself: the policy lets no form end on
// another site, and cookies that are kept from other sites need a step of our own.
type onward struct{ Address, Name string }

func (c *call) onward(address, name string) error {
	c.w.Header().Set("Refresh", "0;url="+address)
	return c.render(http.StatusOK, "onward", onward{address, name})
}

// redirectOf is the address at which a provider sends people back, exactly as it
// must be registered there; each provider has its own.
func (c *call) redirectOf(provider string) string {
	return c.s.cfg.BaseURL + "/signin/with/" + provider + "/back"
}

func toSignIn(c *call) error { return c.redirect("/signin") }

func (c *call) send(sent app.ProviderSent) error {
	c.setCookie(flowCookie, sent.Browser, sent.Expires, http.SameSiteLaxMode)
	return c.onward(sent.Address, sent.Name)
}

func toProvider(c *call) error {
	id := c.r.PathValue("provider")
	sent, err := c.app().BeginProvider(c.r.Context(), id, c.redirectOf(id), c.s.address(c.r))
	if err != nil {
		return c.signInAgain(err)
	}
	return c.send(sent)
}

// signInAgain shows the sign-in page with why a provider did not let somebody in;
// the password stays a way in.
func (c *call) signInAgain(err error) error {
	status := http.StatusUnprocessableEntity
	switch care.CodeOf(err) {
	case care.Invalid:
	case care.Unavailable:
		status = http.StatusServiceUnavailable
		c.w.Header().Set("Retry-After", "60")
	default:
		return err
	}
	return c.refuse(status, "signin", c.signInView(), err)
}

// fromProvider is where somebody comes back.
func fromProvider(c *call) error {
	q := c.r.URL.Query()
	id := c.r.PathValue("provider")
	in := app.ProviderBack{Provider: id, Redirect: c.redirectOf(id), State: q.Get("state"), Code: q.Get("code"), Iss: q.Get("iss"), Failure: q.Get("error"), Browser: c.cookie(flowCookie), Device: device(c.r)}
	me, err := c.app().Authenticate(c.r.Context(), c.cookie(staffCookie))
	if ignoreMissing(err) != nil {
		return err
	}
	if me.Kiosk { // the device is in a client's hands
		return goTo("/kiosk")
	}
	done, err := c.app().FinishProvider(c.r.Context(), me.Actor, in)
	if code := care.CodeOf(err); code != care.NotFound {
		c.dropCookie(flowCookie)
	}
	switch {
	case err != nil && me.Actor.IsStaff():
		c.me, c.by = me, me.Actor
		return c.showAccount(err, nil)
	case err != nil:
		return c.signInAgain(err)
	case done.Linked:
		return c.onward("/account?done=linked", "Entente")
	}
	to, err := c.admitted(done.SignedIn)
	if err != nil {
		return err
	}
	return c.onward(to, "Entente")
}

func linkProvider(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	id := c.r.PathValue("provider")
	sent, err := c.app().BeginLink(c.r.Context(), c.by, id, c.redirectOf(id), c.r.PostForm.Get("old"))
	if err != nil {
		return c.showAccount(err, nil)
	}
	return c.send(sent)
}

func unlinkProvider(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	if err := c.app().Unlink(c.r.Context(), c.by, c.id(), c.r.PostForm.Get("old")); err != nil {
		return c.showAccount(err, nil)
	}
	return c.redirect("/account?done=unlinked")
}

// linkedLine is one link of an account to a provider.
type linkedLine struct {
	ID          care.ID
	Name, Email string
	When        string
}

// linked are the links there are, and the providers that are left.
func (c *call) linked(all []care.Identity) (lines []linkedLine, left []app.ProviderName) {
	used := map[string]bool{}
	names := map[string]string{}
	providers := c.app().Providers()
	for _, p := range providers {
		names[p.ID] = p.Name
	}
	for _, i := range all {
		used[i.Provider] = true
		name := names[i.Provider]
		if name == "" {
			name = i.Provider // one that is not set up any more
		}
		lines = append(lines, linkedLine{i.ID, name, i.Email, c.p.DateTime(c.at(i.LinkedMillis))})
	}
	for _, p := range providers {
		if !used[p.ID] {
			left = append(left, p)
		}
	}
	return lines, left
}
