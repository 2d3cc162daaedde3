// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/mail"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/i18n"
)

// enter signs a member of staff in by the page, with the keyboard's means only.
func (b browser) enter(base, email string) {
	b.t.Helper()
	b.open(base + "/signin")
	b.put("email", email)
	b.put("password", demoPassword)
	b.click("main button.main")
	b.until("location.pathname === '/today'")
}

// TestEmergencyJourney: a colleague opens a client in an emergency; the therapist
// is told on the page of today, ends it, and says to have seen it.
func TestEmergencyJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p := serveDemo(t, lang), i18n.For(lang)
			colleague, therapist := newBrowser(t), newBrowser(t)
			colleague.enter(d.base, "costa@studio-aurora.example")
			colleague.open(d.base + "/clients")
			colleague.click("a[href='/emergency']")
			colleague.until("document.getElementById('reason')")
			colleague.put("name", "Sofi")
			colleague.put("reason", "canary-reason: a call at night")
			colleague.click("main button.main")
			colleague.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("emergency.nobody")))
			colleague.looks("emergency", lang)
			colleague.put("name", "sofia")
			colleague.click("main button.main")
			colleague.until("location.pathname.startsWith('/clients/') && document.querySelector('svg.course')")
			if n := eval[int](colleague, "document.querySelectorAll('a[href$=\"/edit\"], form[action$=\"/sessions\"]').length"); n != 0 {
				t.Errorf("%d controls that change something are offered", n)
			}
			client := eval[string](colleague, "location.pathname")
			colleague.looks("emergency-client", lang)

			therapist.open(d.base + "/demo/" + d.links.therapist)
			therapist.until("document.querySelector('.notice')")
			text := eval[string](therapist, "document.querySelector('.notice').innerText")
			for _, want := range []string{"Paolo Costa", "Sofia", "canary-reason"} {
				if !strings.Contains(text, want) {
					t.Errorf("the notice does not say %q: %s", want, text)
				}
			}
			therapist.looks("emergency-notice", lang)
			therapist.click(".notice form[action$='/emergency'] button")
			therapist.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("emergency.over")))
			colleague.open(d.base + client)
			if got := eval[bool](colleague, "document.body.innerText.includes('Sofia')"); got {
				t.Error("the client can still be read after the access was ended")
			}
			therapist.click(".notice form[action$='/seen'] button")
			therapist.until("location.pathname === '/today' && !document.querySelector('.notice')")
			therapist.open(d.base + client + "/access")
			therapist.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("audit.open_emergency")))
			if list := eval[string](therapist, "document.body.innerText"); strings.Contains(list, "canary-reason") {
				t.Error("the list that the client may be given holds the reason")
			}
		})
	}
}

// TestEmergencyMail: the therapist's mail names nobody and says nothing of what
// happened.
func TestEmergencyMail(t *testing.T) {
	t.Parallel()
	office, address := openPostOffice(t)
	m, err := newMailer(mailFlags{SMTP: address, SMTPFrom: "check@example.org", SMTPSecurity: "none"}, "https://check.example.org")
	if err != nil {
		t.Fatal(err)
	}
	d := serveDemo(t, "it")
	a := app.New(d.store, app.Config{Mail: m})
	in, err := a.SignIn(t.Context(), app.Credentials{Email: "costa@studio-aurora.example", Password: demoPassword, Address: "test"})
	if err != nil {
		t.Fatal(err)
	}
	me, err := a.Authenticate(t.Context(), in.Token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.OpenEmergency(t.Context(), me.Actor, app.NewEmergency{Name: "Sofia", Reason: "canary-reason: a call at night"}); err != nil {
		t.Fatal(err)
	}
	got := <-office.got
	msg, err := mail.ReadMessage(strings.NewReader(got.text))
	if err != nil {
		t.Fatal(err)
	}
	if got.to != "neri@studio-aurora.example" || msg.Header.Get("Subject") == "" || !strings.Contains(got.text, "https://check.example.org/today") {
		t.Errorf("to %q:\n%s", got.to, got.text)
	}
	for _, private := range []string{"Sofia", "Costa", "Neri", "Aurora", "canary", "emergen", "Entente"} {
		if strings.Contains(got.text, private) {
			t.Errorf("the mail says %q:\n%s", private, got.text)
		}
	}
}
