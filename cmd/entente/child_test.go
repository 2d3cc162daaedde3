// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// A browser's voices are the device's: here there are two, and what they are told
// to say is noted.
const voices = `(() => {
  const said = [];
  const list = ['%[1]s', 'far-%[1]s'].map((lang, n) => ({ lang: lang.replace('far-', ''), localService: n === 0, name: lang }));
  Object.defineProperty(window, 'speechSynthesis', { value: {
    speaking: false, getVoices: () => list, cancel() { said.length = 0; this.speaking = false; },
    speak(u) { said.push([u.text, u.voice.name]); this.speaking = true; } } });
  window.SpeechSynthesisUtterance = function (text) { this.text = text; };
  window.said = said;
})()`

// contrast is the least contrast of a picture's lines with their ground (WCAG 2.2,
// 1.4.11 asks for 3).
const contrast = `(() => {
  const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  return Math.min(...[...document.querySelectorAll('.drawn')].map((e) => {
    const [a, b] = [light(getComputedStyle(e).stroke), light(getComputedStyle(e.parentNode).backgroundColor)].sort((x, y) => y - x);
    return (a + .05) / (b + .05);
  }));
})()`

// TestChildJourney: a child of ten answers by touch, one question a screen, has it
// read aloud by a voice of the device, and every picture stands above words.
func TestChildJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p, b := serveDemo(t, lang), i18n.For(lang), newBrowser(t)
			link := d.childsLink(t, lang)
			b.hears(lang)
			b.look(390, false)
			b.open(d.base + "/f#" + link)
			b.until("document.querySelector('.aloud:not([hidden])')")
			b.axe("child " + lang)

			b.click("#bond1 .aloud")
			b.until("said.length > 4")
			heard := eval[string](b, "said.map(s => s[0]).join('|')")
			want := eval[string](b, "[...document.querySelectorAll('#bond1 legend, #bond1 .choices span')].map(e => e.textContent).join('|')")
			if heard != want || strings.Count(heard, "|") != 4 || eval[string](b, "said[0][1]") != lang {
				t.Errorf("heard %q by %q, want %q by the device's own voice", heard, eval[string](b, "said[0][1]"), want)
			}
			if small := eval[string](b, "[...document.querySelectorAll('.choices label, .aloud, .onward a')].filter(e => e.getBoundingClientRect().height < 48 || e.getBoundingClientRect().width < 48).map(e => e.textContent).join()"); small != "" {
				t.Errorf("too small for a finger: %s", small)
			}
			if bare := eval[float64](b, "[...document.querySelectorAll('.drawn')].filter(e => !e.parentNode.textContent.trim()).length"); bare > 0 {
				t.Error("a picture stands alone")
			}
			for _, dark := range []bool{true, false} {
				b.look(390, dark)
				// One colour of line for all: lightness alone tells the pictures from their ground.
				b.until(contrast + " >= 4.5") // once the colours have changed
				inks := eval[string](b, "[...new Set([...document.querySelectorAll('.drawn')].map(e => getComputedStyle(e).stroke + ' on ' + getComputedStyle(e.parentNode).backgroundColor))].join(' | ')")
				if strings.Contains(inks, "|") {
					t.Errorf("dark %v: pictures in %s", dark, inks)
				}
			}
			// Two questions never share a screen.
			if near := eval[float64](b, "Math.min(...[...document.querySelectorAll('.item')].map(e => e.offsetHeight)) / innerHeight"); near < .9 {
				t.Errorf("a question takes %.2f of the screen", near)
			}
			items := strings.Split(eval[string](b, "[...document.querySelectorAll('.item')].map(e => e.id).join()"), ",")
			for i, id := range items {
				b.do(chromedp.Click("#" + id + " .choices label")) // a finger, which a script is not
				if i+1 < len(items) {
					b.until(fmt.Sprintf("Math.abs(document.getElementById(%q).getBoundingClientRect().top) < 40", items[i+1]))
				}
			}
			b.click("button.send")
			b.until("document.querySelector('.receipt')")
			if text := eval[string](b, "document.body.innerText"); strings.Contains(text, p.T("form.send")) {
				t.Errorf("after sending: %s", text)
			}
		})
	}
}

// childsLink adds a child of ten and asks after a first session.
func (d demo) childsLink(t *testing.T, lang string) string {
	t.Helper()
	me, err := d.app.Authenticate(t.Context(), d.links.therapist)
	if err != nil {
		t.Fatal(err)
	}
	id, err := d.app.AddClient(t.Context(), me.Actor, app.NewClient{Label: "Child", AgeBand: care.Child, Language: lang})
	if err != nil {
		t.Fatal(err)
	}
	view, err := d.app.ClientPage(t.Context(), me.Actor, id, "")
	if err != nil {
		t.Fatal(err)
	}
	session, err := d.app.StartSession(t.Context(), me.Actor, view.Episode.ID)
	if err != nil {
		t.Fatal(err)
	}
	link, err := d.app.Invite(t.Context(), me.Actor, session)
	if err != nil {
		t.Fatal(err)
	}
	return link.Token
}

// hears gives the browser voices of a language, from the next page on.
func (b browser) hears(lang string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(voices, lang)})
		return err
	}))
}
