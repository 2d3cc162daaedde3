// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// accountView is a member of staff's own account.
type accountView struct {
	Name      string
	SignIns   []signInLine
	Second    bool
	CodesLeft int // for a lost device
	Least     int // characters of a new password
	Done      string
	Helped    []helpLine // what others did to their sign-ins
	Linked    []linkedLine
	Left      []app.ProviderName // not linked yet
	Passkeys  []passkeyLine
	// PasskeysHere says that browsers make passkeys for this address.
	PasskeysHere bool
	// While a second factor is being added:
	Secret string
	QR     template.URL
	Codes  []string // shown once
}

type signInLine struct {
	ID           care.ID
	When, Device string
	This         bool
}

func (c *call) accountView() (accountView, error) {
	v := accountView{Name: c.me.Name}
	a, err := c.app().Account(c.r.Context(), c.by)
	if err != nil {
		return v, err
	}
	v.Linked, v.Left = c.linked(a.Linked)
	v.Passkeys = c.passkeyLines(a.Passkeys)
	_, v.PasskeysHere = c.site()
	v.Second, v.CodesLeft, v.Least = a.Second, a.Recovery, a.Least
	v.Helped = c.helpLines(a.Help)
	for _, s := range a.SignIns {
		v.SignIns = append(v.SignIns, signInLine{ID: s.ID, When: c.p.DateTime(c.at(s.AtMillis)), Device: s.Device, This: s.This})
	}
	return v, nil
}

// showAccount shows the account after fill has added to it; a refusal keeps its
// place beside its field.
func (c *call) showAccount(refused error, fill func(*accountView)) error {
	if refused != nil && care.CodeOf(refused) != care.Invalid && care.CodeOf(refused) != care.Unavailable {
		return refused
	}
	v, err := c.accountView()
	if err != nil {
		return err
	}
	if fill != nil {
		fill(&v)
	}
	if refused != nil {
		return c.again("account", v, refused)
	}
	return c.render(http.StatusOK, "account", v)
}

func accountPage(c *call) error {
	return c.showAccount(nil, func(v *accountView) { v.Done = c.r.URL.Query().Get("done") })
}

func endSignIns(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	if err := c.app().EndSignIns(c.r.Context(), c.by, care.ID(c.r.PostForm.Get("id"))); err != nil {
		return err
	}
	return c.redirect("/account?done=ended")
}

func changePassword(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	if err := c.app().ChangePassword(c.r.Context(), c.by, c.r.PostForm.Get("old"), c.r.PostForm.Get("password")); err != nil {
		return c.showAccount(err, nil)
	}
	return c.redirect("/account?done=password")
}

// newSecond shows the secret to be taken over by an app; it is kept nowhere yet.
func newSecond(c *call) error {
	return c.offerSecond(nil, "")
}

func (c *call) offerSecond(refused error, secret string) error {
	url := ""
	if secret == "" {
		var err error
		if secret, url, err = c.app().NewSecond(c.r.Context(), c.by); err != nil {
			return err
		}
	} else {
		url = "otpauth://totp/Entente?issuer=Entente&secret=" + secret
	}
	picture, err := qr(url)
	if err != nil {
		return err
	}
	return c.showAccount(refused, func(v *accountView) { v.Secret, v.QR = secret, picture })
}

func addSecond(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	f := c.r.PostForm
	codes, err := c.app().AddSecond(c.r.Context(), c.by, f.Get("secret"), f.Get("code"), f.Get("old"))
	if err != nil {
		return c.offerSecond(err, f.Get("secret"))
	}
	return c.showAccount(nil, func(v *accountView) { v.Codes = codes })
}

func removeSecond(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	if err := c.app().RemoveSecond(c.r.Context(), c.by, c.r.PostForm.Get("old")); err != nil {
		return c.showAccount(err, nil)
	}
	return c.redirect("/account?done=removed")
}

func toAccount(c *call) error { return c.redirect("/account") }

// device names the kind of device a request comes from, and no more: enough to
// tell one's own sign-ins apart.
func device(r *http.Request) string {
	agent := r.UserAgent()
	for _, k := range []struct{ mark, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "Chromebook"}, {"Windows", "Windows"}, {"Mac OS", "Mac"}, {"Linux", "Linux"},
	} {
		if strings.Contains(agent, k.mark) {
			return k.name
		}
	}
	return ""
}

// waitCookie is a sign-in that waits for its code.
const waitCookie = "waiting"

func (c *call) signedIn(in app.SignedIn) error {
	to, err := c.admitted(in)
	if err != nil {
		return err
	}
	return c.redirect(to)
}

// admitted lets the browser keep a sign-in, and says where to go on.
func (c *call) admitted(in app.SignedIn) (string, error) {
	if in.Waits {
		c.setCookie(waitCookie, in.Token, in.Expires, http.SameSiteStrictMode)
		return "/signin/code", nil
	}
	c.dropCookie(waitCookie)
	// Whoever signs in anew in this browser leaves no other sign-in of it behind.
	if old, err := c.app().Authenticate(c.r.Context(), c.cookie(staffCookie)); err == nil {
		if err := c.app().SignOut(c.r.Context(), old.Actor); ignoreMissing(err) != nil {
			return "", err
		}
	}
	c.keepSignIn(in)
	return "/today", nil
}

func codePage(c *call) error {
	if c.cookie(waitCookie) == "" {
		return c.redirect("/signin")
	}
	return c.render(http.StatusOK, "signincode", nil)
}

func sendCode(c *call) error {
	if err := c.parse(); err != nil {
		return err
	}
	in, err := c.app().ConfirmSignIn(c.r.Context(), c.cookie(waitCookie), c.r.PostForm.Get("code"))
	switch care.CodeOf(err) {
	case "":
		return c.signedIn(in)
	case care.NotFound: // too late, or too often wrong: from the beginning
		c.dropCookie(waitCookie)
		return c.redirect("/signin")
	case care.Unavailable:
		return c.refuse(http.StatusTooManyRequests, "signincode", nil, err)
	}
	return c.again("signincode", nil, err)
}
