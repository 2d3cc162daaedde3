// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
	"github.com/entente-project/entente/internal/store"
)

// TestLongTexts: a text that is too long is refused with a sentence, by whoever and
// wherever it is sent, and nothing of it is kept; one that is a little too long
// comes back to be shortened.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	b, p := newBlock(t), i18n.For("en")
	th, path := b.people[roleTherapist], "/sessions/"+b.ids["session"]
	client := b.visitor(t)
	me := b.therapist(t)
	session := must[care.ID](t)(b.app.StartSession(t.Context(), me, care.ID(b.ids["episode"])))
	client.post("/f", url.Values{"token": {must[app.Link](t)(b.app.Invite(t.Context(), me, session)).Token}})
	form := filled(client.get("/form").body, .5)
	before := b.kept(t, noted...)
	for _, long := range []struct {
		who   visitor
		path  string
		form  url.Values
		field string
		least int // one more than may be sent
	}{
		{th, path + "/note", url.Values{}, "note", 4_001},
		{th, path + "/conversation", url.Values{"choice": {"talked"}}, "said", 4_001},
		{th, "/risk/" + b.ids["risk"], url.Values{}, "done", 4_001},
		{client, "/form", form, "comment", 2_001},
		{th, "/clients/new", url.Values{"age_band": {"adult"}, "language": {"en"}}, "label", 201},
		{th, "/clients/" + b.ids["client"] + "/consent", url.Values{"person": {b.ids["client"]}, "kind": {"data_notice"}, "state": {"given"}, "how": {"paper"}, "language": {"en"}}, "note", 2_001},
		{th, "/emergency", url.Values{"name": {"somebody"}}, "reason", 2_001},
	} {
		little, much := maps.Clone(long.form), maps.Clone(long.form)
		little.Set(long.field, "BEGIN"+strings.Repeat("ä ", long.least/2+1))
		much.Set(long.field, strings.Repeat("x", 100_000))
		if r := long.who.post(long.path, little); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, p.T("field.too_long")) || !strings.Contains(r.body, "BEGIN") {
			t.Errorf("%s, a little too long: %d, comes back: %v", long.field, r.status, strings.Contains(r.body, "BEGIN"))
		}
		if r := long.who.post(long.path, much); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, p.T("error.too_long")) || len(r.body) > 20_000 {
			t.Errorf("%s of 100,000 letters: %d, a page of %d bytes", long.field, r.status, len(r.body))
		}
	}
	if !maps.Equal(before, b.kept(t, noted...)) {
		t.Error("something of it was kept")
	}
}

// TestManyClients: however many clients somebody has, the list shows 500 of them and
// says so, and a search finds each.
func TestManyClients(t *testing.T) {
	t.Parallel()
	b, p := newBlock(t), i18n.For("en")
	me := b.therapist(t)
	const many = 520
	if err := b.store.Write(t.Context(), func(tx *store.Tx) error {
		for i := range many {
			c := care.Client{ID: care.ID(uuid.NewString()), Practice: me.Practice, Label: fmt.Sprintf("Client %03d", i), AgeBand: care.Adult, Language: "en"}
			e := care.Episode{ID: care.ID(uuid.NewString()), Practice: me.Practice, Clients: []care.ID{c.ID}, Therapists: []care.ID{me.Staff}, Orientation: "other", Setting: care.Individual, OpenedOn: "2026-01-01"}
			if err := errors.Join(tx.AddClient(c), tx.AddEpisode(e)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	page := b.people[roleTherapist].get("/clients").body
	if n := strings.Count(page, `<li class="case">`); n != 500 || !strings.Contains(page, p.T("caseload.beyond", "Shown", 500, "Total", many+1)) || strings.Contains(page, "data-filter") {
		t.Errorf("%d clients are listed in %d bytes", n, len(page))
	}
	if found := b.people[roleTherapist].get("/clients?q=client+519").body; !strings.Contains(found, "Client 519") || strings.Contains(found, "Client 518") {
		t.Error("the last client is not found by name")
	}
	if today := b.people[roleTherapist].get("/today").body; len(today) > 100_000 {
		t.Errorf("the day's page has %d bytes", len(today))
	}
}

// TestManySessions: however long a course is, the client's page lists the newest
// hundred sessions, and all of them when it is asked to. ENTENTE_DRILL makes it
// 5,000 and prints how long they take.
func TestManySessions(t *testing.T) {
	t.Parallel()
	b, p := newBlock(t), i18n.For("en")
	me := b.therapist(t)
	many := 130
	if os.Getenv("ENTENTE_DRILL") != "" {
		many = 5_000
	}
	before := len(must[app.ClientView](t)(b.app.ClientPage(t.Context(), me, care.ID(b.ids["client"]), "")).Sessions)
	if err := b.store.Write(t.Context(), func(tx *store.Tx) error {
		for i := range many {
			if err := tx.AddSession(care.Session{ID: care.ID(uuid.NewString()), Practice: me.Practice, Episode: care.ID(b.ids["episode"]), AtMillis: int64(i+1) * 86_400_000, Status: care.Held}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	path := "/clients/" + b.ids["client"]
	begun := time.Now()
	page := b.people[roleTherapist].get(path)
	t.Logf("the page of %d sessions: %d kB in %s", many+before, len(page.body)/1000, time.Since(begun).Round(time.Millisecond))
	listed := func(body string) int { return strings.Count(body, `<span class="no">`) }
	if n := listed(page.body); n != 100 || !strings.Contains(page.body, p.T("sessions.beyond", "Shown", 100, "Total", many+before)) {
		t.Errorf("%d sessions are listed", n)
	}
	begun = time.Now()
	page = b.people[roleTherapist].get(path + "?all=1")
	t.Logf("with all of them: %d kB in %s", len(page.body)/1000, time.Since(begun).Round(time.Millisecond))
	if n := listed(page.body); n != many+before {
		t.Errorf("%d of %d sessions are listed when all are asked for", n, many+before)
	}
}
