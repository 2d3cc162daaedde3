// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// ofForm are the hidden fields of a form and its first answer.
var ofForm = regexp.MustCompile(`(?s)name="submission" value="([^"]+)".*?name="form" value="([^"]+)".*?type="radio" name="([^"]+)" value="([^"]+)"`)

// TestLocalHelpJourney: a manager writes whom to call at night; a girl of fourteen
// reads the text for the young below her form and after it, beside 112 and that
// nobody watches, and an adult the other text. Without a script.
func TestLocalHelpJourney(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	ada := d.colleague(t, "ada")
	boss := d.enter(t, "boss")
	if r := boss.get("/practice/help"); !strings.Contains(r.body, `name="young-it"`) {
		t.Fatalf("the page: %d %s", r.status, r.body)
	}
	long := url.Values{"all-it": {strings.Repeat("x", care.MaxHelpText+1)}}
	if r := boss.post("/practice/help", long); r.status != 422 || !strings.Contains(r.body, `id="all-it-error"`) || !strings.Contains(r.body, long.Get("all-it")) {
		t.Errorf("too long a text: %d", r.status)
	}
	if r := boss.post("/practice/help", url.Values{"all-it": {"Guardia medica: 116117"}, "young-it": {"Sei in ansia?\r\nChiama <19696>"}}); r.location != "/practice/help?done=1" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := boss.get("/practice/help"); !strings.Contains(r.body, "Guardia medica: 116117") {
		t.Error("the page does not show what was saved")
	}
	for _, c := range []struct {
		band      care.AgeBand
		says, not string
	}{{care.Adolescent, "Sei in ansia?\nChiama &lt;19696&gt;", "116117"}, {care.Adult, "Guardia medica: 116117", "19696"}} {
		id := must[care.ID](t)(d.app.AddClient(t.Context(), ada, app.NewClient{Label: "A. B.", AgeBand: c.band, Language: "it"}))
		client := must[app.ClientView](t)(d.app.ClientPage(t.Context(), ada, id, ""))
		session := must[care.ID](t)(d.app.StartSession(t.Context(), ada, client.Episode.ID))
		link := must[app.Link](t)(d.app.Invite(t.Context(), ada, session))
		v := d.visitor(t)
		v.post("/f", url.Values{"token": {link.Token}})
		page := v.get("/form")
		d.helps(t, "form", page.body, c.says, c.not)
		if c.band == care.Adolescent && os.Getenv("ENTENTE_PICTURES") != "" {
			b := newBrowser(t)
			b.look(390, false)
			b.open(d.base + "/f#" + link.Token)
			b.until("document.querySelector('.aid')")
			b.shot("localhelp-form-it")
			v.post("/f", url.Values{"token": {link.Token}}) // the browser's visit ended this one
		}
		for page.location != "/form/sent" {
			f := ofForm.FindStringSubmatch(v.get("/form").body)
			if f == nil {
				t.Fatal("no form")
			}
			if page = v.post("/form", url.Values{"submission": {f[1]}, "form": {f[2]}, f[3]: {f[4]}}); page.location == "" {
				t.Fatalf("%d %s", page.status, page.body)
			}
		}
		d.helps(t, "receipt", v.get("/form/sent").body, c.says, c.not)
	}
}

// helps checks what a page says of help, and that it promises nothing.
func (d *door) helps(t *testing.T, name, page, says, not string) {
	t.Helper()
	if !strings.Contains(page, says) || strings.Contains(page, not) {
		t.Errorf("the %s does not say %q, or says %q:\n%s", name, says, not, page)
	}
	if never := i18n.For("it").T("form.emergency"); !strings.Contains(never, "112") || !strings.Contains(page, never) {
		t.Errorf("the %s no longer says %q", name, never)
	}
}
