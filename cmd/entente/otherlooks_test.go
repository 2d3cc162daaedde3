// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// Words that would tell somebody who looks at a client's telephone or mailbox
// what this is about: the practice, its staff, the field, the program.
var telling = []string{"Aurora", "Neri", "Ines", "Entente", "therap", "terap", "psych", "psico", "alliance", "alleanza", "session ", "seduta"}

// tells lists which telling words a text has.
func tells(text string) (out []string) {
	for _, w := range telling {
		if strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
			out = append(out, w)
		}
	}
	return out
}

// mailed sends a client the link of a session that just began and gives the letter.
func (d demo) mailed(t *testing.T, label, language string) letter {
	t.Helper()
	office, address := openPostOffice(t)
	m := must[*smtpMailer](t)(newMailer(mailFlags{SMTP: address, SMTPFrom: "check@example.org", SMTPSecurity: "none"}, d.base))
	a := app.New(d.store, app.Config{Mail: m})
	me := must[app.Me](t)(a.Authenticate(t.Context(), d.links.therapist))
	rows := must[[]app.CaseloadRow](t)(a.Caseload(t.Context(), me.Actor))
	c := rows[slices.IndexFunc(rows, func(r app.CaseloadRow) bool { return r.Client.Label == label })]
	session := must[care.ID](t)(a.StartSession(t.Context(), me.Actor, c.Episode))
	person := must[care.Client](t)(a.Client(t.Context(), me.Actor, c.Client.ID))
	person.Email, person.Language = "reader@example.org", language
	if err := a.EditClient(t.Context(), me.Actor, person); err != nil {
		t.Fatal(err)
	}
	if err := a.MailInvitation(t.Context(), me.Actor, session); err != nil {
		t.Fatal(err)
	}
	return <-office.got
}

// TestMailTellsNothing: neither the envelope, nor a header, nor the words of a
// client's mail say what it is about, or on which machine it was made.
func TestMailTellsNothing(t *testing.T) {
	t.Parallel()
	host := must[string](t)(os.Hostname())
	for _, lang := range []string{"en", "it"} {
		d := serveDemo(t, lang)
		got := d.mailed(t, "Ines", lang)
		if got.hello != "example.org" || got.from != "check@example.org" {
			t.Errorf("the post office is greeted as %q, from %q", got.hello, got.from)
		}
		msg := must[*mail.Message](t)(mail.ReadMessage(strings.NewReader(got.text)))
		for name, values := range msg.Header {
			if !slices.Contains([]string{"Mime-Version", "Message-Id", "Date", "From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding"}, name) {
				t.Errorf("the mail has a header %s: %q", name, values)
			}
			if strings.Contains(strings.Join(values, " "), "@"+host) {
				t.Errorf("%s names this machine", name)
			}
		}
		if id := msg.Header.Get("Message-Id"); !strings.HasSuffix(id, "@example.org>") {
			t.Errorf("the mail's id is %q", id)
		}
		if found := tells(got.text); len(found) > 0 {
			t.Errorf("%s: the mail says %q:\n%s", lang, found, got.text)
		}
	}
}

// past is what the browser's back button leads to: addresses and titles.
func (b browser) past() (out []string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		h, err := chromedp.Call(ctx, page.GetNavigationHistory, cdp.Empty{})
		for _, e := range h.Entries {
			out = append(out, e.URL+" "+e.Title)
		}
		return err
	}))
	return out
}

// back is the browser's back button; at the first page it does nothing.
func (b browser) back() {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		h, err := chromedp.Call(ctx, page.GetNavigationHistory, cdp.Empty{})
		if err != nil || h.CurrentIndex == 0 {
			return err
		}
		_, err = chromedp.Call(ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: h.Entries[h.CurrentIndex-1].ID})
		return err
	}))
}

// keeps is what the browser holds of us: cookies and every kind of storage.
func (b browser) keeps() (out []string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		r, err := chromedp.Call(ctx, network.GetCookies, network.GetCookiesParams{})
		for _, k := range r.Cookies {
			out = append(out, "cookie "+k.Name)
		}
		return err
	}))
	return append(out, eval[[]string](b, `(async () => [...Object.keys(localStorage), ...Object.keys(sessionStorage),
		...await caches?.keys() ?? [], ...(await indexedDB.databases()).map(d => d.name), ...(await navigator.serviceWorker?.getRegistrations() ?? []).map(r => r.scope)])()`)...)
}

// looksInnocent fails if the page in front, its title or its address tells what it was.
func (b browser) looksInnocent(where, title string, private ...string) {
	b.t.Helper()
	text := eval[string](b, "document.title + ' ' + location.href + ' ' + document.documentElement.outerHTML")
	if found := tells(text); len(found) > 0 {
		b.t.Errorf("%s tells %q", where, found)
	}
	for _, p := range private {
		if strings.Contains(text, p) {
			b.t.Errorf("%s shows %q", where, p)
		}
	}
	if got := eval[string](b, "document.title"); title != "" && got != title {
		b.t.Errorf("%s is titled %q", where, got)
	}
	if n := eval[int](b, "document.querySelectorAll('fieldset, textarea').length"); n != 0 {
		b.t.Errorf("%s shows the form", where)
	}
}

// TestSomebodyElseLooks: a partner takes the telephone after the client has left a
// half-answered form, and again after it was sent: back, reopened addresses,
// history, storage, and in the end every file of the browser's profile.
func TestSomebodyElseLooks(t *testing.T) {
	t.Parallel()
	d, p := serveDemo(t, "en"), i18n.For("en")
	profile := t.TempDir()
	b := newBrowser(t, chromedp.UserDataDir(profile))
	b.look(390, false)
	got := d.mailed(t, "Ines", "en")
	_, rest, _ := strings.Cut(got.text, d.base+"/f#")
	token := rest[:26]
	const words, sent = "CANARY-typed-and-not-sent", "CANARY-typed-and-sent"
	reopen := func() {
		b.open(d.base + "/f#" + token)
		b.until("location.pathname === '/form'")
	}
	checkAfter := func(when string) {
		b.until("location.pathname === '/blank'")
		b.looksInnocent(when, "", words, sent, token)
		for _, path := range []string{"/form", "/form/sent"} {
			b.open(d.base + path)
			b.looksInnocent(when+", "+path, p.T("form.title"), words, sent, token)
		}
		for range 4 {
			b.back()
			b.until("document.readyState === 'complete'")
			if eval[string](b, "location.pathname") != "/f" { // the link's own page, without its secret, asks for a code
				b.looksInnocent(when+", back", "", words, sent, token)
			}
		}
		for _, e := range b.past() {
			if len(tells(e)) > 0 || strings.Contains(e, token) {
				t.Errorf("%s: the history has %q", when, e)
			}
		}
		b.open(d.base + "/blank")
		if kept := b.keeps(); len(kept) > 0 {
			t.Errorf("%s: the browser keeps %q", when, kept)
		}
	}

	reopen()
	if title := eval[string](b, "document.title"); len(tells(title)) > 0 {
		t.Errorf("the form is titled %q", title)
	}
	if text := eval[string](b, "document.body.innerText"); !strings.Contains(text, "Neri") {
		t.Error("the form does not say who reads it, so that looking for a name proves nothing")
	}
	b.fill(.3)
	b.put("comment", words)
	b.click("[data-leave] button")
	checkAfter("left in the middle")

	reopen()
	if n := eval[int](b, "document.querySelectorAll('input:checked').length + document.getElementById('comment').value.length"); n != 0 {
		t.Error("whoever opens the link again sees what was chosen")
	}
	for range 2 {
		b.fill(.7)
		if eval[bool](b, "!!document.getElementById('comment')") {
			b.put("comment", sent)
		}
		eval[any](b, "document.querySelector('h1').dataset.old = '1'")
		b.click("button.send")
		b.until("!document.querySelector('h1').dataset.old")
	}
	b.until("document.querySelector('.receipt')")
	b.click("[data-leave] button")
	checkAfter("sent and left")
	b.open(d.base + "/f#" + token)
	b.until("location.pathname === '/form'")
	b.looksInnocent("the link once everything was sent", p.T("form.title"), words, sent, token)

	if err := chromedp.Cancel(b.ctx); err != nil {
		t.Fatal(err)
	}
	visited := false
	err := filepath.WalkDir(profile, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, secret := range []string{words, sent, "Neri", "Aurora"} {
			if bytes.Contains(data, []byte(secret)) || bytes.Contains(data, wide(secret)) {
				t.Errorf("the browser's file %s holds %q", filepath.Base(path), secret)
			}
		}
		visited = visited || bytes.Contains(data, []byte(d.base+"/blank"))
		return err
	})
	if err != nil || !visited {
		t.Errorf("the profile does not even hold where we were, so that it proves nothing: %v", err)
	}
}

// TestKioskBack: on a device that was handed over, and comes back with the answers
// sent, neither back nor a reload nor an address shows an answer, a page of the
// therapist's, or a name; the PIN brings the therapist's own pages back.
func TestKioskBack(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	b := newBrowser(t)
	b.look(820, false)
	b.open(d.base + "/demo/" + d.links.therapist)
	b.until("location.pathname === '/today'")
	client := b.client(d.base, "Ines")
	b.open(client)
	b.click(".acts button.main")
	b.until("document.getElementById('pin')")
	session := eval[string](b, "location.href")
	b.put("pin", "4711")
	b.click("form[action$='/kiosk'] button")
	b.until("location.pathname === '/form'")
	const words = "CANARY-sent-from-the-kiosk"
	for range 2 {
		b.fill(.7)
		if eval[bool](b, "!!document.getElementById('comment')") {
			b.put("comment", words)
		}
		eval[any](b, "document.querySelector('h1').dataset.old = '1'")
		b.click("button.send")
		b.until("!document.querySelector('h1').dataset.old")
	}
	b.until("document.querySelector('.receipt')")
	clean := func(where string) {
		t.Helper()
		b.until("document.readyState === 'complete'")
		text := eval[string](b, "document.title + document.body.innerHTML")
		for _, private := range []string{words, "Ines", "Aurora", "Anna B."} {
			if strings.Contains(text, private) {
				t.Errorf("%s (%s) shows %q", where, eval[string](b, "location.pathname"), private)
			}
		}
		if n := eval[int](b, "document.querySelectorAll('input:checked, fieldset').length"); n != 0 {
			t.Errorf("%s shows %d parts of the form", where, n)
		}
	}
	clean("the receipt")
	for i := range 5 {
		b.back()
		clean(fmt.Sprint("back ", i+1))
	}
	for _, address := range []string{client, session, d.base + "/form", d.base + "/form/sent", d.base + "/today"} {
		b.open(address)
		clean(address)
	}
	if kept := eval[string](b, "JSON.stringify({...sessionStorage, ...localStorage})"); kept != "{}" {
		t.Errorf("the browser keeps %s", kept)
	}
	b.open(d.base + "/kiosk")
	b.put("pin", "4711")
	b.click("main button.main")
	b.until("location.pathname === '/today'")
}

// wide is a text as a browser keeps some of them: two bytes for a character.
func wide(s string) (out []byte) {
	for _, c := range []byte(s) {
		out = append(out, c, 0)
	}
	return out
}
