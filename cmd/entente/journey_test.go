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
	"github.com/entente-project/entente/internal/i18n"
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
	b.until("document.readyState !== 'loading' && document.querySelector('fieldset.item')")
	eval[any](b, fmt.Sprintf(`document.querySelectorAll('fieldset.item').forEach(f => { const r = [...f.querySelectorAll('input[type=radio]')];
		(f.querySelector('.line') ? r[Math.round(%f * (r.length - 1))] : r[0]).click(); })`, share))
}

// TestJourney is the main job with two people in two browsers, in each language.
func TestJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			j := journey{t, lang, i18n.For(lang), serveDemo(t, lang), newBrowser(t), newBrowser(t)}
			j.client.look(390, false)
			j.answers(j.asks())
			j.sees()
		})
	}
}

type journey struct {
	t                 *testing.T
	lang              string
	p                 *i18n.Printer
	d                 demo
	therapist, client browser
}

// who is the client asked: each answers in the language of the practice.
func (j journey) who() string { return map[string]string{"en": "Ines", "it": "Anna B."}[j.lang] }

const said = "The plan was made without me. Il programma è stato fatto senza di me."

// asks starts a session and shows the code; it returns what a telephone reads.
func (j journey) asks() (link string) {
	b := j.therapist
	b.open(j.d.base + "/demo/" + j.d.links.therapist)
	b.until("location.pathname === '/today'")
	b.open(b.client(j.d.base, j.who()))
	b.click(".acts button.main") // start a session
	b.until("location.pathname.startsWith('/sessions/')")
	b.click("form[action$='/invite'] button")
	link = b.scan()
	b.looks("ask", j.lang)
	eval[any](b, "window.notReloaded = true")
	return link
}

// answers is the client's part, on a telephone.
func (j journey) answers(link string) {
	b, t := j.client, j.t
	b.open(link)
	b.until("location.pathname === '/form'")
	cost := eval[[]float64](b, `(() => { const e = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
		return [e.length, e.reduce((n, x) => n + x.encodedBodySize, 0)]; })()`)
	t.Logf("client's form: %.0f requests, %.0f bytes", cost[0], cost[1])
	if cost[0] > 2 || cost[1] > 20_000 || cost[1] == 0 {
		t.Errorf("the client's form takes %.0f requests and %.0f bytes; at most 2 and 20,000", cost[0], cost[1])
	}
	if who := eval[string](b, "document.querySelector('.reads').textContent"); !strings.Contains(who, "Elena Neri") {
		t.Errorf("the form does not say who reads it: %q", who)
	}
	if n := eval[int](b, "document.querySelectorAll('input:checked').length"); n != 0 {
		t.Errorf("%d answers are chosen before the person has", n)
	}
	b.shot("form-phone-" + j.lang)
	b.fill(.3)
	eval[any](b, fmt.Sprintf("document.getElementById('comment').value = %q", said))
	b.shot("form-answered-phone-" + j.lang)
	b.click("button.send")
	b.until("document.querySelector('fieldset.item') && !document.querySelector('input:checked')")
	b.shot("form-second-phone-" + j.lang)
	b.fill(.5)
	b.click("button.send")
	b.until("document.querySelector('.receipt')")
	b.looks("receipt", j.lang)
}

// sees is what the therapist meets afterwards: first the own rating and guess.
func (j journey) sees() {
	b, t := j.therapist, j.t
	worth := strings.TrimSuffix(j.p.T("verdict.worth_asking.word"), ".")
	b.until(fmt.Sprintf("document.body.innerText.includes(%q)", j.p.T("asked.client_done")))
	if !eval[bool](b, "window.notReloaded === true") {
		t.Error("the therapist's page was reloaded")
	}
	if text := eval[string](b, "document.body.innerText"); strings.Contains(text, worth) {
		t.Error("the client's rating shows before the prediction")
	}
	b.click("a[href$='/rate']")
	b.until("document.querySelector('fieldset.item')")
	b.fill(.8)
	b.click("button.send")
	b.click("a[href$='/predict']")
	b.until("location.pathname.endsWith('/predict') && document.querySelector('fieldset.item')")
	b.fill(.8)
	b.click("button.send")
	b.until(fmt.Sprintf("document.body.innerText.includes(%q)", worth))
	b.click(".crumb a")
	b.until(fmt.Sprintf("document.querySelector('svg.course') && document.body.innerText.includes(%q)", said))
	if lead := eval[string](b, "document.querySelector('.ask .lead').innerText"); !strings.HasPrefix(lead, worth) {
		t.Errorf("the first sentence is %q", lead)
	}
	b.looks("client-after", j.lang)
	b.printed("client-print-" + j.lang)
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
