// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

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
	return newDoorAt(t, "127.0.0.1", more)
}

// newDoorAt serves under a name of this machine.
func newDoorAt(t *testing.T, host string, more func(*app.Config)) *door {
	t.Helper()
	d := &door{}
	d.now.Store(time.Now().UnixMilli())
	d.store = must[*store.Store](t)(store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "entente.db"), vault.Generate()))
	srv := httptest.NewUnstartedServer(nil)
	d.base = strings.Replace("http://"+srv.Listener.Addr().String(), "127.0.0.1", host, 1)
	office, address := openPostOffice(t)
	office.got = make(chan letter, 100)
	d.office = office
	d.log = &safeBuffer{}
	cfg := app.Config{Mail: must[*smtpMailer](t)(newMailer(mailFlags{SMTP: address, SMTPFrom: "check@example.org", SMTPSecurity: "none"}, d.base)), SetUpCode: demoCode, Now: d.clock, Log: slog.New(slog.NewJSONHandler(d.log, nil))}
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

// colleague is somebody who has joined.
func (d *door) colleague(t *testing.T, name string) care.Actor {
	t.Helper()
	l := must[app.Link](t)(d.app.AddStaff(t.Context(), d.boss, app.NewColleague{Name: name, Email: name + "@example.org", Language: "en", Roles: []care.Role{care.Therapist}}))
	in := must[app.SignedIn](t)(d.app.Join(t.Context(), l.Token, demoPassword, ""))
	return must[app.Me](t)(d.app.Authenticate(t.Context(), in.Token)).Actor
}

// TestSecondDemandedPage: on the day each address leads to the own account, in
// which a second factor is set up, and then everything opens again.
func TestSecondDemandedPage(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	d.colleague(t, "ada")
	boss, ada := d.enter(t, "boss"), d.enter(t, "ada")
	tomorrow := d.clock().Add(24 * time.Hour).UTC().Format(time.DateOnly)
	form := url.Values{"idle": {"60"}, "longest": {"24"}, "second_from": {"31/12"}, "old": {demoPassword}}
	if r := boss.post("/practice", form); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `id="second-error"`) {
		t.Errorf("a date that is none: %d", r.status)
	}
	form.Set("second_from", tomorrow)
	if r := boss.post("/practice", form); r.location == "" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := ada.get("/today"); !strings.Contains(r.body, "asks everybody for a code") {
		t.Error("nobody is reminded")
	}
	d.later(24 * time.Hour)
	ada = d.enter(t, "ada")
	for _, pattern := range web.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		if method != "GET" || strings.HasPrefix(path, "/f") || strings.HasPrefix(path, "/account") || strings.HasPrefix(path, "/signin") || !strings.Contains(path, "{") && !slices.Contains([]string{"/today", "/clients", "/clients/new", "/colleagues", "/practice", "/import", "/emergency"}, path) {
			continue
		}
		path = strings.NewReplacer("{id}", "x", "{part...}", "x", "{token}", "x", "{file}", "x", "{$}", "").Replace(path)
		if r := ada.get(path); r.location != "/account" && r.status != http.StatusNotFound && path != "/" {
			t.Errorf("%s: %d %s", path, r.status, r.location)
		}
	}
	if r := ada.get("/pulse"); r.status != http.StatusForbidden {
		t.Errorf("the page that asks for itself: %d", r.status)
	}
	if r := ada.get("/account"); !strings.Contains(r.body, "set up a code here") {
		t.Error("the account does not say why")
	}
	page := ada.post("/account/second/new", nil)
	secret := regexp.MustCompile(`name="secret" value="([A-Z2-7]+)"`).FindStringSubmatch(page.body)
	if secret == nil {
		t.Fatal("no secret")
	}
	code := must[string](t)(totp.GenerateCode(secret[1], d.clock()))
	if r := ada.post("/account/second", url.Values{"secret": {secret[1]}, "code": {code}, "old": {demoPassword}}); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := ada.get("/today"); r.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", r.status, r.location)
	}
}

// TestHelpPage: a manager takes a lost phone's codes away, the colleague is told
// by mail and reads why on their own page.
func TestHelpPage(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	id := d.colleague(t, "ada").Staff
	boss, ada := d.enter(t, "boss"), d.enter(t, "ada")
	if r := boss.get("/colleagues"); !strings.Contains(r.body, "/colleagues/"+string(id)) || !strings.Contains(r.body, "no second factor") {
		t.Error("the list does not lead there")
	}
	path := "/colleagues/" + string(id)
	form := url.Values{"kind": {"reset_second"}, "reason": {"the phone fell <b>into</b> the sea"}, "old": {"wrong"}}
	if r := boss.post(path, form); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `value="reset_second" checked`) || strings.Contains(r.body, "<b>into") {
		t.Errorf("%d %s", r.status, r.body)
	}
	form.Set("old", demoPassword)
	if r := boss.post(path, form); r.location != path+"?done=1" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := ada.get("/today"); r.location != "/signin" {
		t.Errorf("the colleague is still in: %d", r.status)
	}
	l := <-d.office.got
	if !strings.Contains(l.text, "/account") || strings.Contains(l.text, "sea") {
		t.Errorf("the mail says %s", l.text)
	}
	if r := d.enter(t, "ada").get("/account"); !strings.Contains(r.body, "into the sea") && !strings.Contains(r.body, "into&lt;/b&gt; the sea") {
		t.Error("the account page does not say why")
	}
	if r := boss.post(path, url.Values{"kind": {"sent_link"}, "reason": {"forgot the password, called me"}, "old": {demoPassword}}); r.location != path+"?done=1" || strings.Contains(boss.get(path).body, "/join/") {
		t.Fatalf("%d %s", r.status, r.body)
	}
	l = <-d.office.got
	link := regexp.MustCompile(`/join/[0-9A-Za-z]+`).FindString(strings.ReplaceAll(l.text, "=\r\n", ""))
	v := d.visitor(t)
	if r := v.post(link, url.Values{"password": {"seven kettles upon a ridge"}}); !strings.Contains(l.to, "ada@") || r.location != "/today" {
		t.Errorf("to %s, the link %q: %d", l.to, link, r.status)
	}
}

// TestAccountCommand: the operator prints the accounts and lets one in again.
func TestAccountCommand(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	c := accountRecover{Email: "boss@example.org", Reason: "the only manager lost phone and password"}
	var out strings.Builder
	if err := c.recover(t.Context(), d.store, nil, d.base, &out); err != nil {
		t.Fatal(err)
	}
	link, _, _ := strings.Cut(out.String(), "\n")
	path, ok := strings.CutPrefix(link, d.base)
	if !ok {
		t.Fatalf("printed %q", out.String())
	}
	v := d.visitor(t)
	if r := v.post(path, url.Values{"password": {"seven kettles upon a ridge"}}); r.location != "/today" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := v.get("/account"); !strings.Contains(r.body, "The operator of the server") {
		t.Error("the account page does not say who")
	}
	c.Email = "nobody@example.org"
	if err := c.recover(t.Context(), d.store, nil, d.base, &out); err == nil || !strings.Contains(err.Error(), "account list") {
		t.Errorf("%v", err)
	}
}
