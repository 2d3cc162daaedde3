// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
	"github.com/entente-project/entente/internal/web"
)

// door is a practice with a manager, whose clock the test moves.
type door struct {
	demo
	now    atomic.Int64
	office *postOffice
	boss   care.Actor
	log    *safeBuffer
}

func (d *door) clock() time.Time { return time.UnixMilli(d.now.Load()) }

func (d *door) later(t time.Duration) { d.now.Add(t.Milliseconds()) }

// newDoor serves as in earnest; more may change what the pages are built from.
func newDoor(t *testing.T, more func(*app.Config)) *door {
	t.Helper()
	d := &door{}
	d.now.Store(time.Now().UnixMilli())
	d.store = must[*store.Store](t)(store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "entente.db"), vault.Generate()))
	srv := httptest.NewUnstartedServer(nil)
	d.base = "http://" + srv.Listener.Addr().String()
	office, address := openPostOffice(t)
	office.got = make(chan letter, 100)
	d.office = office
	d.log = &safeBuffer{}
	cfg := app.Config{Mail: must[*smtpMailer](t)(newMailer(mailFlags{SMTP: address, SMTPFrom: "check@example.org", SMTPSecurity: "none"}, d.base)), SetUpCode: demoCode, Now: d.clock}
	if more != nil {
		more(&cfg)
	}
	d.app = app.New(d.store, cfg)
	srv.Config.Handler = must[http.Handler](t)(web.New(d.app, web.Config{BaseURL: d.base, Now: d.clock, Log: slog.New(slog.NewJSONHandler(d.log, nil))}))
	srv.Start()
	t.Cleanup(func() {
		srv.Close()
		if err := d.store.Close(); err != nil {
			t.Error(err)
		}
	})
	in := must[app.SignedIn](t)(d.app.SetUpPractice(t.Context(), app.SetUp{Code: demoCode, Practice: "Here", Language: "en", TimeZone: "UTC", Name: "Boss", Email: "boss@example.org", Password: demoPassword}))
	d.boss = must[app.Me](t)(d.app.Authenticate(t.Context(), in.Token)).Actor
	return d
}

// enter signs in by the page.
func (d *door) enter(t *testing.T, name string) visitor {
	t.Helper()
	v := d.visitor(t)
	if r := v.post("/signin", url.Values{"email": {name + "@example.org"}, "password": {demoPassword}}); r.status != http.StatusSeeOther {
		t.Fatalf("%s cannot sign in: %d %s", name, r.status, r.body)
	}
	return v
}

// TestOpenPageIsNoUse: a page that asks for itself keeps nobody signed in, a
// click does; a manager shortens the time on a page that asks for the password.
func TestOpenPageIsNoUse(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	v := d.enter(t, "boss")
	for range 7 {
		d.later(9 * time.Minute)
		v.get("/pulse")
	}
	if r := v.get("/today"); r.location != "/signin" {
		t.Errorf("an open page keeps a sign-in alive: %d", r.status)
	}
	v = d.enter(t, "boss")
	for range 7 {
		d.later(9 * time.Minute)
		if r := v.get("/clients"); r.status != http.StatusOK {
			t.Fatalf("somebody at work is signed out: %d", r.status)
		}
	}
	page := v.get("/practice")
	for _, part := range []string{`value="60" selected`, `value="12" selected`, `name="old"`} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	form := url.Values{"idle": {"5"}, "longest": {"8"}, "old": {"not the password"}}
	if r := v.post("/practice", form); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `id="old-error"`) || !strings.Contains(r.body, `value="5" selected`) {
		t.Errorf("with a wrong password: %d", r.status)
	}
	form.Set("old", demoPassword)
	if r := v.post("/practice", form); r.location != "/practice?done=1" {
		t.Errorf("%d %s", r.status, r.body)
	}
	d.later(5 * time.Minute)
	if r := v.get("/today"); r.location != "/signin" {
		t.Errorf("after five minutes: %d", r.status)
	}
}
