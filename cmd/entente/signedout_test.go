// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// TestSignedOutElsewhere: when a sign-in ends, by another device or by time, its
// open pages go away without a touch, with every name on them.
func TestSignedOutElsewhere(t *testing.T) {
	t.Parallel()
	d := serveDemo(t, "en")
	b := newBrowser(t)
	b.look(1200, false)
	b.open(d.base + "/demo/" + d.links.therapist)
	b.until("location.pathname === '/today'")
	for _, page := range []string{b.client(d.base, "Ines"), b.client(d.base, "Ines") + "/edit"} {
		b.open(page)
		b.until("document.readyState === 'complete' && document.body.innerHTML.includes('Ines')")
	}
	b.put("label", "half a name") // typed, and not sent when the sign-in ends
	me, err := d.app.Authenticate(t.Context(), d.links.therapist)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := care.Actor{Practice: me.Actor.Practice, Staff: me.Actor.Staff, Roles: me.Actor.Roles, SignIn: "another device"}
	if err := d.app.EndSignIns(t.Context(), elsewhere, ""); err != nil {
		t.Fatal(err)
	}
	b.until("location.pathname === '/signin'")
	if text := eval[string](b, "document.documentElement.outerHTML"); strings.Contains(text, "Ines") {
		t.Error("a client's name is still on the page")
	}
	if text := eval[string](b, "document.body.innerText"); !strings.Contains(text, i18n.For("en").T("signin.unsaved")) {
		t.Error("nobody says that what was typed is lost")
	}
}
