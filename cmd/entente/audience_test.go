// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
	"github.com/entente-project/entente/internal/web"
)

// twin is a practice in which everything is as in any other twin: the clock stands,
// and identifiers are counted. What differs between the pages of two twins is what
// was done differently in them.
type twin struct {
	demo
	at      time.Time
	me      care.Actor
	client  care.ID
	episode care.ID
	staff   visitor
}

func newTwin(t *testing.T) *twin {
	t.Helper()
	ctx := t.Context()
	w := &twin{at: time.Date(2126, 3, 4, 9, 0, 0, 0, time.UTC)} // ahead, so that no cookie is over
	w.store = must[*store.Store](t)(store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "entente.db"), vault.Generate()))
	var made atomic.Int64
	now := func() time.Time { return w.at }
	w.app = app.New(w.store, app.Config{SetUpCode: demoCode, Now: now, NewID: func() care.ID { return care.ID(fmt.Sprintf("00000000-0000-7000-8000-%012d", made.Add(1))) }})
	srv := httptest.NewUnstartedServer(nil)
	w.base = "http://" + srv.Listener.Addr().String()
	srv.Config.Handler = must[http.Handler](t)(web.New(w.app, web.Config{BaseURL: "http://here", Now: now}))
	srv.Start()
	t.Cleanup(func() {
		srv.Close()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	in := must[app.SignedIn](t)(w.app.SetUpPractice(ctx, app.SetUp{Code: demoCode, Practice: "Here", Language: "en", TimeZone: "UTC", Name: "T.", Email: "t@example.org", Password: demoPassword}))
	w.me = must[app.Me](t)(w.app.Authenticate(ctx, in.Token)).Actor
	w.client = must[care.ID](t)(w.app.AddClient(ctx, w.me, app.NewClient{Label: "M. R.", AgeBand: care.Adult, Language: "en"}))
	w.episode = must[app.ClientView](t)(w.app.ClientPage(ctx, w.me, w.client, "")).Episode.ID
	w.staff = w.visitor(t)
	if r := w.staff.post("/signin", url.Values{"email": {"t@example.org"}, "password": {demoPassword}}); r.status != http.StatusSeeOther {
		t.Fatalf("the therapist cannot sign in: %d", r.status)
	}
	return w
}

// week begins a session a week after the last and opens its forms.
func (w *twin) week(t *testing.T) (care.ID, visitor) {
	t.Helper()
	w.at = w.at.AddDate(0, 0, 7)
	w.staff = w.visitor(t) // a sign-in does not last a week
	w.staff.post("/signin", url.Values{"email": {"t@example.org"}, "password": {demoPassword}})
	s := must[care.ID](t)(w.app.StartSession(t.Context(), w.me, w.episode))
	v := w.visitor(t)
	if r := v.post("/f", url.Values{"token": {must[app.Link](t)(w.app.Invite(t.Context(), w.me, s)).Token}}); r.location != "/form" {
		t.Fatalf("the link: %d", r.status)
	}
	return s, v
}

// says answers both forms of a session at a share of each line.
func (v visitor) says(share float64, comment string) {
	v.t.Helper()
	for range 2 {
		form := filled(v.get("/form").body, share)
		form.Set("comment", comment)
		if r := v.post("/form", form); r.status != http.StatusSeeOther {
			v.t.Fatalf("the answers: %d", r.status)
		}
	}
}

var anID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// asShown is a page without the identifiers in it.
func asShown(r answer) string { return fmt.Sprint(r.status, anID.ReplaceAllString(r.body, "ID")) }

// TestClientSeesNothingOfUs: every page of the client is the same to the byte,
// whether or not anybody has rated, predicted or noted anything, and whatever the
// client has said before.
func TestClientSeesNothingOfUs(t *testing.T) {
	t.Parallel()
	pages := func(much bool) (out []string) {
		w := newTwin(t)
		for range 3 {
			s, v := w.week(t)
			if !much {
				continue
			}
			v.says(1, "CANARY-before")
			if err := w.app.AddNote(t.Context(), w.me, s, "CANARY-note"); err != nil {
				t.Fatal(err)
			}
		}
		s, v := w.week(t)
		out = append(out, asShown(v.get("/form")))
		if much {
			for _, own := range []string{"rate", "predict"} {
				path := "/sessions/" + string(s) + "/" + own
				if r := w.staff.post(path, filled(w.staff.get(path).body, 1)); r.status != http.StatusSeeOther {
					t.Fatalf("the therapist's %s: %d", own, r.status)
				}
			}
		}
		out = append(out, asShown(v.get("/form")))
		bad := filled(v.get("/form").body, .3)
		for name := range bad {
			if name[0] == 'a' {
				bad.Set(name, "1000")
			}
		}
		out = append(out, asShown(v.post("/form", bad)))
		v.says(.3, "")
		return append(out, regexp.MustCompile(`Receipt [0-9A-F-]+`).ReplaceAllString(asShown(v.get("/form/sent")), ""), asShown(v.get("/form")))
	}
	little, much := pages(false), pages(true)
	if little[0] != little[1] {
		t.Error("a form that is asked for twice is not the same, so that the comparison would prove nothing")
	}
	for i := range little {
		if little[i] != much[i] {
			t.Errorf("page %d shows the client that something has happened:\n%s\n\n%s", i, little[i], much[i])
		}
	}
}

// TestTherapistLearnsNothingBeforeGuessing: while a client's new answers wait for
// the therapist's guess, every page of the therapist is the same to the byte
// whatever the client has said, and whether or not in words; afterwards it is not.
func TestTherapistLearnsNothingBeforeGuessing(t *testing.T) {
	t.Parallel()
	pages := func(share float64, comment string) (before, after map[string]string) {
		w := newTwin(t)
		for range 3 {
			s, v := w.week(t)
			v.says(.8, "")
			if err := w.app.Reveal(t.Context(), w.me, s); err != nil {
				t.Fatal(err)
			}
		}
		s, v := w.week(t)
		v.says(share, comment)
		look := func() map[string]string {
			out := map[string]string{}
			client, session := "/clients/"+string(w.client), "/sessions/"+string(s)
			for _, path := range []string{"/today", "/clients", client, client + "/course.svg?episode=" + string(w.episode), client + "/edit", client + "/access", client + "/access.csv", session, session + "/predict", session + "/rate", "/pulse"} {
				r := w.staff.get(path)
				if r.status != http.StatusOK {
					t.Errorf("%s: %d", path, r.status)
				}
				out[anID.ReplaceAllString(path, "ID")] = asShown(r)
			}
			return out
		}
		before = look()
		if err := w.app.Reveal(t.Context(), w.me, s); err != nil {
			t.Fatal(err)
		}
		return before, look()
	}
	low, lowAfter := pages(0, "CANARY-words that were written")
	high, highAfter := pages(.9, "")
	for path := range low {
		if low[path] != high[path] {
			t.Errorf("%s tells the therapist what was said before they guessed:\n%s\n\n%s", path, low[path], high[path])
		}
	}
	for _, path := range []string{"/clients", "/clients/ID", "/clients/ID/course.svg?episode=ID", "/sessions/ID"} {
		if lowAfter[path] == highAfter[path] {
			t.Errorf("%s shows no difference afterwards either, so that the comparison proves nothing", path)
		}
	}
}
