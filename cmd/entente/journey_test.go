// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/entente-project/entente/internal/care"
)

// link starts a session of the client waiting today and gives a fresh token to
// its forms.
func (d demo) link(t *testing.T, label string) string {
	t.Helper()
	me, err := d.app.Authenticate(t.Context(), d.links.therapist)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.app.Caseload(t.Context(), me.Actor)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Client.Label != label {
			continue
		}
		s, err := d.app.StartSession(t.Context(), me.Actor, r.Episode)
		if err != nil {
			t.Fatal(err)
		}
		l, err := d.app.Invite(t.Context(), me.Actor, s)
		if err != nil {
			t.Fatal(err)
		}
		return l.Token
	}
	t.Fatalf("no client %q", label)
	return ""
}

// received are the answers' heads that the last session of a client has.
func (d demo) received(t *testing.T, label string) (clientForms, clientDone int) {
	t.Helper()
	me, err := d.app.Authenticate(t.Context(), d.links.therapist)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.app.Caseload(t.Context(), me.Actor)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Client.Label == label {
			v, err := d.app.ClientPage(t.Context(), me.Actor, r.Client.ID, care.ID(""))
			if err != nil {
				t.Fatal(err)
			}
			a := v.Sessions[len(v.Sessions)-1].Asked
			return a.ClientForms, a.ClientDone
		}
	}
	return 0, 0
}

// fill answers every question that is shown: lines at a share of their length,
// buttons with the first choice.
func (b browser) fill(share float64) {
	b.t.Helper()
	eval[any](b, fmt.Sprintf(`document.querySelectorAll('fieldset.item').forEach(f => { const r = [...f.querySelectorAll('input[type=radio]')];
		(f.querySelector('.line') ? r[Math.round(%f * (r.length - 1))] : r[0]).click(); })`, share))
}

// TestJourney is the main job with two people in two browsers.
func TestJourney(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	therapist, client := newBrowser(t), newBrowser(t)
	therapist.look(1280, false)
	client.look(390, false)

	therapist.open(d.base + "/demo/" + d.links.therapist)
	therapist.until("location.pathname === '/today'")
	therapist.open(therapist.client(d.base, "Ines"))
	therapist.click(".acts button.main") // start a session
	therapist.until("location.pathname.startsWith('/sessions/')")
	therapist.click("form[action$='/invite'] button")
	therapist.until("document.querySelector('.scan img')")
	therapist.shot("ask-desktop-en")
	link := eval[string](therapist, "document.getElementById('link').value")
	eval[any](therapist, "window.notReloaded = true")

	client.open(link)
	client.until("location.pathname === '/form'")
	cost := eval[[]float64](client, `(() => { const e = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
		return [e.length, e.reduce((n, x) => n + x.encodedBodySize, 0)]; })()`)
	t.Logf("client's form: %.0f requests, %.0f bytes", cost[0], cost[1])
	if cost[0] > 2 || cost[1] > 20_000 || cost[1] == 0 {
		t.Errorf("the client's form takes %.0f requests and %.0f bytes; at most 2 and 20,000", cost[0], cost[1])
	}
	if who := eval[string](client, "document.querySelector('.reads').textContent"); !strings.Contains(who, "Elena Neri") {
		t.Errorf("the form does not say who reads it: %q", who)
	}
	if n := eval[int](client, "document.querySelectorAll('input:checked').length"); n != 0 {
		t.Errorf("%d answers are chosen before the person has", n)
	}
	client.shot("form-phone-en")
	client.fill(.3)
	eval[any](client, "document.getElementById('comment').value = 'The plan was made without me.'")
	client.shot("form-answered-phone-en")
	client.click("button.send")
	client.until("document.querySelector('fieldset.item') && !document.querySelector('input:checked')")
	client.shot("form-second-phone-en")
	client.fill(.5)
	client.click("button.send")
	client.until("document.querySelector('.receipt')")
	client.shot("receipt-phone-en")

	therapist.until("document.body.innerText.includes('The client has answered')")
	if !eval[bool](therapist, "window.notReloaded === true") {
		t.Error("the therapist's page was reloaded")
	}
	if text := eval[string](therapist, "document.body.innerText"); strings.Contains(text, "Worth asking") {
		t.Error("the client's rating shows before the prediction")
	}
	therapist.click("a[href$='/rate']")
	therapist.until("document.querySelector('fieldset.item')")
	therapist.fill(.8)
	therapist.click("button.send")
	therapist.click("a[href$='/predict']")
	therapist.until("location.pathname.endsWith('/predict') && document.querySelector('fieldset.item')")
	therapist.fill(.8)
	therapist.click("button.send")
	therapist.until("document.body.innerText.includes('Worth asking')")
	therapist.click(".crumb a")
	therapist.until("document.querySelector('svg.course') && document.body.innerText.includes('The plan was made without me.')")
	if lead := eval[string](therapist, "document.querySelector('.ask .lead').innerText"); !strings.HasPrefix(lead, "Worth asking. ") {
		t.Errorf("the first sentence is %q", lead)
	}
	therapist.shot("client-after-desktop-en")
	therapist.printed("client-print-en")
}

// printed looks at a page as it is printed and makes the PDF of it.
func (b browser) printed(name string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		pdf, err := chromedp.Call(ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
		if err == nil && len(pdf.Data) < 5_000 {
			b.t.Errorf("the printed page has %d bytes", len(pdf.Data))
		}
		return err
	}), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}))
	if shown := eval[int](b, "[...document.querySelectorAll('.bar, button, .noprint')].filter(e => e.checkVisibility()).length"); shown != 0 {
		b.t.Errorf("%d controls are printed", shown)
	}
	b.shot(name)
}

// TestJourneyWithoutJavaScript: the same forms by the plain link.
func TestJourneyWithoutJavaScript(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "it")
	b := newBrowser(t)
	b.look(390, true)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.open(d.base + "/f/" + d.link(t, "Ines"))
	b.until("document.querySelector('form button')")
	b.click("main form button.main")
	b.until("location.pathname === '/form'")
	for range 2 {
		b.fill(.7)
		b.click("button.send")
		b.until("!document.querySelector('input:checked')")
	}
	b.until("document.querySelector('.receipt')")
	if of, done := d.received(t, "Ines"); of != 2 || done != 2 {
		t.Errorf("%d of %d forms were received", done, of)
	}
}

// TestJourneyByKeyboard: the same forms with Tab, arrows, Space and Enter only.
func TestJourneyByKeyboard(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	b := newBrowser(t)
	b.look(1280, false)
	b.open(d.base + "/f#" + d.link(t, "Ines"))
	b.until("location.pathname === '/form'")
	for range 2 {
		b.typeThrough()
		b.until("!document.querySelector('input:checked')")
	}
	b.until("document.querySelector('.receipt')")
	if of, done := d.received(t, "Ines"); of != 2 || done != 2 {
		t.Errorf("%d of %d forms were received", done, of)
	}
}

// typeThrough answers each question it comes to and sends the form.
func (b browser) typeThrough() {
	b.t.Helper()
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		switch at := eval[string](b, "(e => e.matches('input[type=radio]') ? 'radio' : e.matches('.send') ? 'send' : e.tagName)(document.activeElement)"); at {
		case "radio":
			if !eval[bool](b, "getComputedStyle(document.activeElement, '::before').outlineStyle !== 'none' || getComputedStyle(document.activeElement.nextElementSibling ?? document.body).outlineStyle !== 'none'") {
				b.t.Error("the focus cannot be seen")
			}
			b.do(chromedp.KeyEvent(" "), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
		case "send":
			n := eval[int](b, "document.querySelectorAll('input:checked').length")
			if all := eval[int](b, "document.querySelectorAll('fieldset.item').length"); n != all {
				b.t.Errorf("%d of %d questions were answered by keyboard", n, all)
			}
			b.do(chromedp.KeyEvent(kb.Enter))
			return
		}
	}
	b.t.Fatal("the button to send is never reached by Tab")
}
