// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"time"

	"github.com/entente-project/entente/internal/app"
)

// The cookies. Over https their names get the prefix that binds them to this
// host; over plain http (a trial on one's own machine) browsers refuse it.
const (
	staffCookie   = "entente"
	visitCookie   = "visit"
	textsCookie   = "texts"
	receiptCookie = "receipt"
	langCookie    = "lang"
)

func (s *Server) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

// cookie reads one of ours; "" when the browser sent none.
func (c *call) cookie(name string) string {
	k, err := c.r.Cookie(c.s.cookieName(name))
	if err != nil {
		return ""
	}
	return k.Value
}

// setCookie keeps a value until expires; the zero time means until the browser
// is closed.
func (c *call) setCookie(name, value string, expires time.Time, same http.SameSite) {
	k := &http.Cookie{ //nolint:gosec // Secure wherever the address is https; a demo on loopback is not
		Name: c.s.cookieName(name), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: c.s.secure, SameSite: same,
	}
	http.SetCookie(c.w, k)
}

func (c *call) dropCookie(name string) {
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // as above
		Name: c.s.cookieName(name), Path: "/", MaxAge: -1,
		HttpOnly: true, Secure: c.s.secure, SameSite: http.SameSiteLaxMode,
	})
}

// keepSignIn lets the browser stay signed in. Lax, so that a link in a mail
// opens the page it names; every change is a POST, which Lax keeps out.
func (c *call) keepSignIn(in app.SignedIn) {
	c.setCookie(staffCookie, in.Token, in.Expires, http.SameSiteLaxMode)
}

// keepVisit lets the browser answer the forms of one invitation. It ends with
// the browser, so that a shared device does not stay open.
func (c *call) keepVisit(link app.Link) {
	c.dropCookie(receiptCookie)
	c.setCookie(visitCookie, link.Token, time.Time{}, http.SameSiteStrictMode)
}
