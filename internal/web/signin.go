// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// signInView is the sign-in page; the password is never sent back.
type signInView struct {
	Email     string
	Providers []app.ProviderName
	Passkeys  bool // there can be some here
	Unsaved   bool // something was sent after the sign-in had ended
}

func signInPage(c *call) error {
	empty, err := c.app().NeedsSetUp(c.r.Context())
	if err != nil {
		return err
	}
	if empty {
		return c.redirect("/setup")
	}
	v := c.signInView()
	v.Unsaved = c.r.URL.Query().Has(unsavedMark)
	return c.render(http.StatusOK, "signin", v)
}

func signIn(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	v := c.signInView()
	v.Email = strings.TrimSpace(c.r.PostForm.Get("email"))
	in, err := c.app().SignIn(c.r.Context(), app.Credentials{
		Email: v.Email, Password: c.r.PostForm.Get("password"), Address: c.s.address(c.r), Device: device(c.r),
	})
	if care.CodeOf(err) == care.Unavailable {
		// Told on the page itself, so that what to do next is in sight.
		c.w.Header().Set("Retry-After", "60")
		return c.refuse(http.StatusTooManyRequests, "signin", v, err)
	}
	if err != nil {
		return c.again("signin", v, err)
	}
	return c.signedIn(in)
}

func signOut(c *call) error {
	if c.me.Kiosk {
		return goTo("/kiosk") // a client must not end the therapist's sign-in
	}
	if err := c.app().SignOut(c.r.Context(), c.by); err != nil {
		return err
	}
	c.dropCookie(staffCookie)
	return c.redirect("/signin")
}

// demo signs in by an address, for a trial with invented people only.
func demo(c *call) error {
	if !c.s.cfg.Demo {
		return care.Missing()
	}
	token := c.r.PathValue("token")
	if _, err := c.app().Authenticate(c.r.Context(), token); err != nil {
		return err
	}
	c.setCookie(staffCookie, token, c.s.cfg.Now().AddDate(0, 0, 30), http.SameSiteLaxMode)
	return c.redirect("/today")
}

// joinView is the page on which an invited colleague chooses a password.
type joinView struct{ Name, Token string }

func joinPage(c *call) error {
	var name string
	err := c.guess(func() (err error) {
		name, err = c.app().JoinName(c.r.Context(), c.r.PathValue("token"))
		return err
	})
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "join", joinView{Name: name, Token: c.r.PathValue("token")})
}

func join(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	token := c.r.PathValue("token")
	var in app.SignedIn
	err := c.guess(func() (err error) {
		in, err = c.app().Join(c.r.Context(), token, c.r.PostForm.Get("password"), device(c.r))
		return err
	})
	if care.CodeOf(err) == care.Invalid {
		name, nameErr := c.app().JoinName(c.r.Context(), token)
		if nameErr != nil {
			return nameErr
		}
		return c.again("join", joinView{Name: name, Token: token}, err)
	}
	if err != nil {
		return err
	}
	return c.signedIn(in)
}
