// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/entente-project/entente/internal/i18n"
)

// device gives the browser a device that makes passkeys, and says whose fingers it
// knows.
func (b browser) device() (proves func(bool)) {
	b.t.Helper()
	var id webauthn.AuthenticatorID
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		r, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		if err == nil {
			id = r.AuthenticatorID
		}
		return err
	}))
	return func(is bool) {
		b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: is})
			return err
		}))
	}
}

// TestPasskeyJourney: in Chromium, with a device of its own, a passkey is added and
// lets in without a password; not when the device does not know the fingers; a
// removed one no more. Without a device the page leads back to the password.
func TestPasskeyJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p := newDoorAt(t, "localhost", nil), i18n.For(lang)
			must[struct{}](t)(struct{}{}, d.app.SetLanguage(t.Context(), d.boss, lang))
			b := newBrowser(t)
			b.look(390, false)
			says := func(key string) {
				t.Helper()
				b.until("document.body.innerText.includes(" + strconv.Quote(p.T(key)) + ")")
			}
			b.open(d.base + "/signin")
			b.put("email", "boss@example.org")
			b.put("password", demoPassword)
			b.click("form[action='/signin'] button.main")
			b.until("location.pathname === '/today'")
			proves := b.device()
			b.open(d.base + "/account")
			says("passkey.what")
			eval[any](b, "document.querySelector('form[action=\"/account/passkeys\"]').closest('details').open = true")
			b.put("pk-name", "Telephone")
			b.put("old-pk", demoPassword)
			b.looks("passkey-account", lang)
			b.click("form[action='/account/passkeys'] button")
			says("passkey.done")
			b.until("document.body.innerText.includes('Telephone')")
			d.later(time.Minute)
			b.click("form[action='/signout'] button")
			b.click("form[action='/signin/passkey'] button")
			b.until("location.pathname === '/today'")

			b.click("form[action='/signout'] button")
			proves(false)
			b.click("form[action='/signin/passkey'] button")
			b.until("document.getElementById('failed') && !document.getElementById('failed').hidden")
			b.looks("passkey-failed", lang)
			proves(true)
			b.click("#passkey button.main")
			b.until("location.pathname === '/today'")

			d.later(time.Hour / 4)
			b.open(d.base + "/account")
			eval[any](b, "document.querySelector('form[action$=\"/remove\"][action^=\"/account/passkeys\"]').closest('details').open = true")
			eval[any](b, "document.querySelector('form[action$=\"/remove\"][action^=\"/account/passkeys\"] input').value = "+strconv.Quote(demoPassword))
			b.click("form[action$='/remove'][action^='/account/passkeys'] button")
			says("passkey.removed")
			b.click("form[action='/signout'] button")
			b.click("form[action='/signin/passkey'] button")
			b.until("location.pathname === '/signin/passkey/answer'")
			b.until("document.getElementById('password')")
		})
	}
}
