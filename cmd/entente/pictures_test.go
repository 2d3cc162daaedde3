// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"testing"
)

// client is the address of the client whose label is given, as the caseload
// links to it.
func (b browser) client(base, label string) string {
	b.t.Helper()
	b.open(base + "/clients?q=" + label)
	path := eval[string](b, fmt.Sprintf("[...document.querySelectorAll('.case .name')].find(a => a.textContent === %q)?.getAttribute('href') ?? ''", label))
	if path == "" {
		b.t.Fatalf("no client %q in the list", label)
	}
	return base + path
}

// TestPictures opens every page of the invented practice in both languages,
// light and dark, wide and narrow: each must pass axe. With ENTENTE_PICTURES set
// it keeps what it saw there.
func TestPictures(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := serveDemo(t, lang)
			b := newBrowser(t)
			b.open(d.base + "/demo/" + d.links.therapist)
			asking, hidden := b.client(d.base, "M. R."), b.client(d.base, "Sofia")
			b.open(asking)
			session := eval[string](b, "document.querySelector('.past a').href")
			b.open(d.base + "/today")
			waiting := eval[string](b, "[...document.querySelectorAll('.sessions li')].find(l => l.textContent.includes('Ines')).querySelector('.acts a').href")
			pages := []struct{ name, url string }{
				{"today", d.base + "/today"}, {"caseload", d.base + "/clients"}, {"client", asking},
				{"client-repaired", b.client(d.base, "Anna B.")}, {"client-flat", b.client(d.base, "Giorgio P.")}, {"client-gaps", b.client(d.base, "L-014")},
				{"client-hidden", hidden}, {"session", waiting}, {"session-done", session}, {"rate", waiting + "/rate"}, {"predict", waiting + "/predict"},
				{"client-new", d.base + "/clients/new"}, {"client-edit", asking + "/edit"}, {"access", asking + "/access"}, {"colleagues", d.base + "/colleagues"}, {"signal-rule", d.base + "/practice/signals"}, {"expected", d.base + "/practice/expected"}, {"import", d.base + "/import"},
				{"not-found", d.base + "/nowhere"},
			}
			for _, p := range pages {
				for _, look := range []struct {
					name  string
					width int64
					dark  bool
				}{{"desktop", 1280, false}, {"phone", 390, false}, {"dark", 1280, true}} {
					b.look(look.width, look.dark)
					b.open(p.url)
					if wide := eval[float64](b, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
						t.Errorf("%s %s %s: %.0f px wider than the window", p.name, look.name, lang, wide)
					}
					b.shot(p.name + "-" + look.name + "-" + lang)
				}
			}
		})
	}
}
