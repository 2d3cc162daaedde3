// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/store/storetest"
)

var (
	sessionPath = regexp.MustCompile(`/sessions/[0-9a-f-]{36}`)
	episodePath = regexp.MustCompile(`/episodes/[0-9a-f-]{36}/sessions`)
	linkSecret  = regexp.MustCompile(`/f#([0-9A-Za-z]{20,})`)
)

// TestTwoServers runs the real program twice over one PostgreSQL, from the set-up
// to reading: a sign-in made at one is known to the other, a link made at one opens
// at the other, and an answer sent to one shows at the other's page without a
// reload. One of them is killed, and the other goes on.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn := storetest.Postgres(t)
	key := filepath.Join(dir, "entente.key")
	args := []string{"serve", "--database=" + storetest.Serving(dsn), "--database-owner=" + dsn, "--key=" + key, "--listen=127.0.0.1:0"}
	a := entente(t, args...)
	setup := a.after("set up: ")
	baseA, _, _ := strings.Cut(setup, "/setup")
	b := entente(t, args[0], args[1], args[3], args[4]) // as the user that owns nothing
	baseB := strings.Fields(b.after(" serves "))[0]
	atA := demo{base: baseA}.visitor(t)
	atB := visitor{t, baseB, atA.http} // the same cookies: a balancer shows one address

	address, err := url.Parse(setup)
	if err != nil {
		t.Fatal(err)
	}
	account := url.Values{"code": {address.Query().Get("code")}, "practice": {"Studio Lanterna"}, "language": {"en"}, "time_zone": {"Europe/Rome"},
		"name": {"Elena Neri"}, "email": {"neri@example.org"}, "password": {"a lantern on the stairs"}}
	if r := atA.post("/setup", account); r.location != "/today" {
		t.Fatalf("set up: %d %.300s", r.status, r.body)
	}
	if r := atB.get("/setup"); r.location != "/signin" {
		t.Errorf("the other server can be set up again: %d %s", r.status, r.location)
	}
	client := atB.post("/clients/new", url.Values{"label": {"Anna"}, "age_band": {"adult"}, "language": {"en"}}).location
	page := atA.get(client)
	start := episodePath.FindString(page.body)
	if page.status != http.StatusOK || start == "" {
		t.Fatalf("%s at the other server: %d", client, page.status)
	}
	session := sessionPath.FindString(atA.post(start, url.Values{"now": {"1"}}).location)
	secret := linkSecret.FindStringSubmatch(atB.post(session+"/invite", nil).body)
	if session == "" || secret == nil {
		t.Fatalf("no link for session %q", session)
	}

	watching := newBrowser(t)
	watching.open(baseB + "/signin")
	watching.put("email", "neri@example.org", "password", "a lantern on the stairs")
	watching.click("main button.main")
	watching.until("location.pathname === '/today'")
	watching.open(baseB + session)
	watching.until("document.querySelector('main')")
	eval[any](watching, "window.unchanged = document.querySelector('main').innerText; window.same = true")
	respondent := demo{base: baseA}.visitor(t)
	if r := respondent.post("/f", url.Values{"token": {secret[1]}}); r.location != "/form" {
		t.Fatalf("the link at the other server: %d", r.status)
	}
	answerForm(t, respondent)
	watching.until("window.same && document.querySelector('main').innerText !== window.unchanged")

	if err := a.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	a.finish()
	if r := atB.get(client); r.status != http.StatusOK || !strings.Contains(r.body, "Anna") {
		t.Errorf("after the other server was killed: %d", r.status)
	}
	respondent.base = baseB
	answerForm(t, respondent)
	if r := respondent.get("/form/sent"); r.status != http.StatusOK {
		t.Errorf("no receipt: %d", r.status)
	}
}

// answerForm answers whatever form is asked next.
func answerForm(t *testing.T, v visitor) {
	t.Helper()
	form := v.get("/form").body
	answers := url.Values{}
	for _, name := range []string{"submission", "form"} {
		_, rest, _ := strings.Cut(form, `name="`+name+`" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		answers.Set(name, value)
	}
	for _, m := range regexp.MustCompile(`name="(a-[a-z0-9]+)"`).FindAllStringSubmatch(form, -1) {
		answers.Set(m[1], "1")
	}
	if r := v.post("/form", answers); r.status != http.StatusSeeOther || len(answers) < 4 {
		t.Fatalf("%d %.300s", r.status, r.body)
	}
}

// TestServerWithoutKey: a second server that was not given the key file says so,
// and leaves no key of its own behind.
func TestServerWithoutKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn := storetest.Postgres(t)
	live(t, dsn)
	stray := filepath.Join(dir, "entente.key")
	out, ok := command(t, "serve", "--database="+dsn, "--key="+stray, "--listen=127.0.0.1:0")
	if ok || !strings.Contains(out, "--key") || !strings.Contains(out, "key file of") {
		t.Errorf("%v %s", ok, out)
	}
	if _, err := os.Stat(stray); !os.IsNotExist(err) {
		t.Errorf("a key was left behind: %v", err)
	}
}
