// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/i18n"
)

// TestConversationJourney: from the sentence to the questions, to what came of it,
// and to its place on the client's page.
func TestConversationJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p, b := serveDemo(t, lang), i18n.For(lang), newBrowser(t)
			b.open(d.base + "/demo/" + d.links.therapist)
			client := b.client(d.base, "M. R.")
			b.open(client)
			b.click("a.button[href$='/conversation']")
			b.until("location.pathname.endsWith('/conversation')")
			b.looks("conversation", lang)
			if n := eval[float64](b, "document.querySelectorAll('main section li').length"); n < 3 {
				t.Errorf("%v questions", n)
			}
			b.click("input[value=not_now]") // without a reason
			b.click("form.sheet button.main")
			b.until("document.querySelector('#why-error')")
			b.axe("conversation refused " + lang)
			b.click("input[value=talked]")
			b.click("details.more summary")
			b.click("input[value=withdrawal]")
			b.put("said", "MARK-said")
			b.put("agreed", "MARK-agreed")
			b.put("next", "MARK-next")
			b.click("form.sheet button.main")
			b.until("document.querySelector('#said article')")
			text := eval[string](b, "document.querySelector('#said').innerText")
			for _, want := range []string{p.T("said.talked"), "MARK-said", "MARK-next", p.T("said.list")} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in %q", want, text)
				}
			}
			b.looks("client-said", lang)
			b.open(client + "/together")
			if text := eval[string](b, "document.body.innerText"); !strings.Contains(text, "MARK-agreed") || strings.Contains(text, "MARK-said") {
				t.Errorf("looked at together: %q", text)
			}
			b.looks("together", lang)
			b.open(client + "/review")
			b.looks("review", lang)
			b.open(d.base + "/supervision")
			if text := eval[string](b, "document.body.innerText"); !strings.Contains(text, "MARK-said") || !strings.Contains(text, p.T("marker.withdrawal")) {
				t.Errorf("for supervision: %q", text)
			}
			b.looks("supervision", lang)
			b.open(client + "/close")
			b.looks("closing", lang)
			b.click("input[value=agreed]")
			b.put("words", "MARK-end")
			b.click("form.sheet button.main")
			b.until("location.pathname == '/clients/ended'")
			b.looks("ended", lang)
			b.open(client)
			if text := eval[string](b, "document.querySelector('main').innerText"); !strings.Contains(text, "MARK-end") {
				t.Errorf("its end is not told: %q", text)
			}
		})
	}
}
