// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"testing"

	"github.com/entente-project/entente/internal/i18n"
)

// TestLibraryJourney: a therapist finds an instrument and reads what is known of
// it and what is missing.
func TestLibraryJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p, b := serveDemo(t, lang), i18n.For(lang), newBrowser(t)
			b.open(d.base + "/demo/" + d.links.therapist)
			b.click("a[href='/library']")
			b.until("location.pathname === '/library' && document.querySelectorAll('.shelf li').length > 40")
			b.looks("library", lang)
			b.put("q", "core-10")
			b.click(".filter button")
			b.until("location.search.includes('core-10') && document.querySelectorAll('.shelf li').length === 1")
			b.click(".shelf a")
			b.until("location.pathname === '/library/core-10'")
			b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("library.state.wording.says")))
			b.looks("instrument", lang)
		})
	}
}
