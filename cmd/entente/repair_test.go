// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// rated has a client rate a session a week later, each line at a share of it.
func (d *door) rated(t *testing.T, by care.Actor, episode care.ID, shares ...float64) {
	t.Helper()
	for _, share := range shares {
		d.later(7 * 24 * time.Hour)
		session := must[care.ID](t)(d.app.StartSession(t.Context(), by, episode))
		v := d.visitor(t)
		v.post("/f", url.Values{"token": {must[app.Link](t)(d.app.Invite(t.Context(), by, session)).Token}})
		form := filled(v.get("/form").body, share)
		form.Set("a-tension", "0") // nothing is said but by the lines
		if r := v.post("/form", form); r.location != "/form/sent" {
			t.Fatalf("a rating: %d %s", r.status, r.body)
		}
	}
}

// TestRepairJourney: a fall, the sentence, the questions, what was agreed; the next
// ratings show that it came back. The same where it does not: after three sessions
// it is one for supervision, and stands there until both see it as mended.
func TestRepairJourney(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	ada := d.colleague(t, "ada")
	b := newBrowser(t)
	text := func() string {
		b.until("document.readyState === 'complete'")
		return eval[string](b, "document.querySelector('main').innerText")
	}
	enter := func() {
		b.open(d.base + "/signin")
		b.put("email", "ada@example.org")
		b.put("password", demoPassword)
		b.click("main button.main")
		b.until("location.pathname == '/today'")
	}
	for _, c := range []struct {
		label string
		then  []float64
		says  string
		mends bool
	}{
		{"M. R.", []float64{.5, .8}, "It came back.", true},
		{"L. V.", []float64{.4, .4, .4}, "Three sessions later it has not come back. Bring it to supervision.", false},
	} {
		client := must[care.ID](t)(d.app.AddClient(t.Context(), ada, app.NewClient{Label: c.label, AgeBand: care.Adult, Language: "en", Episode: app.NewEpisode{Forms: []string{"session-client-adult"}}}))
		page := d.base + "/clients/" + string(client)
		episode := must[app.ClientView](t)(d.app.ClientPage(t.Context(), ada, client, "")).Episode.ID
		d.rated(t, ada, episode, .8, .8, .8, .3)
		enter()
		b.open(page)
		if got := text(); !strings.Contains(got, "Worth asking") || !strings.Contains(got, "fell from 8.0 to 3.0") {
			t.Fatalf("the sentence: %s", got)
		}
		b.click("a.button[href$='/conversation']")
		b.until("location.pathname.endsWith('/conversation') && document.readyState === 'complete'")
		if got := text(); !strings.Contains(got, "Questions that may open it") {
			t.Errorf("no questions: %s", got)
		}
		b.click("input[value=talked]")
		b.put("agreed", "Slower, and one thing at a time")
		b.click("form.sheet button.main")
		b.until("document.querySelector('#said article')")
		b.open("about:blank") // a page left open would ask for itself while weeks pass
		d.rated(t, ada, episode, c.then...)
		enter()
		b.open(page)
		if got := text(); !strings.Contains(got, c.says) || !strings.Contains(got, "Slower, and one thing at a time") {
			t.Errorf("the next ratings: %s", got)
		}
		b.open(d.base + "/supervision")
		if got := text(); strings.Contains(got, c.label) == c.mends {
			t.Errorf("for supervision: %s", got)
		}
		if c.mends {
			b.open("about:blank")
		}
	}
	b.looks("supervision-open", "en")
}
