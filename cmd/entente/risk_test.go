// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// askDanger publishes a form that asks about danger, in invented words, and has a
// new client asked by it; it returns the client, the session and a way in.
func (d *door) askDanger(t *testing.T, by care.Actor) (client, session care.ID, token string) {
	t.Helper()
	words := "item,text:en,text:it,0:en,0:it,1:en,1:it,2:en,2:it,3:en,3:it\nowner,(c) Owner,(c) Owner,,,,,,,,\n1,I slept badly,Ho dormito male,never,mai,some days,alcuni giorni,often,spesso,always,sempre\n"
	for i := 2; i <= 9; i++ {
		words += fmt.Sprintf("%d,Line %d of a form,Riga %d di un modulo,,,,,,,,\n", i, i, i)
	}
	b := must[app.BoundWords](t)(d.app.BindWords(t.Context(), d.boss, "phq-9", "w.csv", []byte(words), instrument.Choice{}))
	must[*instrument.Instrument](t)(d.app.PublishForm(t.Context(), d.boss, b.Text))
	must[care.ID](t)(d.app.RecordGrant(t.Context(), d.boss, app.NewGrant{Instrument: "phq-9", Ground: care.PublicDomain}))
	client = must[care.ID](t)(d.app.AddClient(t.Context(), by, app.NewClient{Label: "CANARY-label", AgeBand: care.Adult, Language: "en", Episode: app.NewEpisode{Forms: []string{"phq-9"}}}))
	episode := must[app.ClientView](t)(d.app.ClientPage(t.Context(), by, client, "")).Episode.ID
	session = must[care.ID](t)(d.app.StartSession(t.Context(), by, episode))
	return client, session, must[app.Link](t)(d.app.Invite(t.Context(), by, session)).Token
}

// TestRiskJourney: somebody chooses an answer that speaks of danger and never sends
// the form, while the mail server is down. They read at once whom to call; their
// therapist and whoever owns the duty see it, are mailed once when the server is
// back, without a word of it, and it goes to nobody else once it is taken up.
func TestRiskJourney(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	ada := d.colleague(t, "ada")
	boss := d.enter(t, "boss")
	for _, half := range []url.Values{{"hours": {"4"}, "alone": {"1"}, "reason": {" "}}, {"hours": {"4"}, "reason": {"a small practice"}}} {
		if r := boss.post("/practice/risk", half); r.status != 422 || !strings.Contains(r.body, `id="reason-error"`) {
			t.Errorf("without an owner, %v: %d", half, r.status)
		}
	}
	if r := boss.post("/practice/risk", url.Values{"owner": {string(d.boss.Staff)}, "hours": {"2"}}); r.location != "/practice/risk?done=1" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := boss.post("/practice/help", url.Values{"all-en": {"Night line 116 123"}, "hours-en": {"We read on working days from 9 to 18."}}); r.location == "" {
		t.Fatal(r.body)
	}
	d.alarms(t, "the weekly test", 1)
	client, _, token := d.askDanger(t, ada)
	d.office.refuse = true

	b := newBrowser(t)
	b.look(390, false)
	b.open(d.base + "/f#" + token)
	b.until("document.readyState === 'complete' && document.querySelector('#form')")
	if !eval[bool](b, "document.querySelector('#now').hidden") {
		t.Error("help is shown before there is a cause")
	}
	b.click("input[name='a-9'][value='1']")
	b.until("!document.querySelector('#now').hidden")
	b.looks("form-danger", "en")
	b.open("about:blank") // and never comes back

	d.alarms(t, "mail server down", 0)
	w := d.enter(t, "ada")
	page := w.get("/today").body
	if !strings.Contains(page, "CANARY-label") || !strings.Contains(page, "/risk/") {
		t.Fatalf("the therapist is not told: %s", page)
	}
	if page := w.get("/clients/" + string(client)).body; !strings.Contains(page, "/risk/") {
		t.Error("nothing on the client's page")
	}
	d.office.refuse = false
	d.later(6 * time.Minute)
	for _, l := range d.alarms(t, "server back", 2) {
		for _, bad := range []string{"CANARY", "Here", "danger", "phq", "risk"} {
			if strings.Contains(l.text, bad) {
				t.Errorf("a mail says %q: %s", bad, l.text)
			}
		}
	}
	d.later(10 * time.Minute)
	d.alarms(t, "again", 0)

	b.open(d.base + "/signin")
	b.put("email", "ada@example.org")
	b.put("password", demoPassword)
	b.click("main button.main")
	b.until("location.pathname == '/today'")
	b.looks("today-danger", "en")
	b.click("a[href^='/risk/']")
	b.until("document.querySelector('#done')")
	b.looks("risk", "en")
	b.put("done", "Called at once; we meet this evening.")
	b.click("form.sheet button.main")
	b.until("location.pathname == '/today'")
	if strings.Contains(boss.get("/today").body, "/risk/") {
		t.Error("the owner is still told")
	}
	d.later(24 * time.Hour)
	d.alarms(t, "the next day", 0)
}

// TestDangerWithoutScript: sent in the plain way, such an answer leads to the same
// help before anything else, twice if it is sent twice, and the form is kept.
func TestDangerWithoutScript(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	ada := d.colleague(t, "ada")
	if err := d.app.SetRiskDuty(t.Context(), d.boss, care.RiskDuty{Hours: 4, Alone: "a small practice"}); err != nil {
		t.Fatal(err)
	}
	_, session, token := d.askDanger(t, ada)
	v := d.visitor(t)
	v.post("/f", url.Values{"token": {token}})
	got := ofForm.FindStringSubmatch(v.get("/form").body)
	form := url.Values{"submission": {got[1]}, "form": {got[2]}, "a-9": {"2"}}
	for range 2 {
		r := v.post("/form", form)
		if r.status != 200 || !strings.Contains(r.body, "tel:112") || !strings.Contains(r.body, `href="/form/sent"`) || !strings.Contains(r.body, "ada") {
			t.Fatalf("%d %s", r.status, r.body)
		}
		for _, promise := range []string{"watch", "monitor"} {
			if strings.Contains(r.body, promise) {
				t.Errorf("it promises: %q", promise)
			}
		}
	}
	if n := len(must[app.Today](t)(d.app.Today(t.Context(), ada)).Risks); n != 1 {
		t.Errorf("%d signals", n)
	}
	if s := must[app.SessionView](t)(d.app.Session(t.Context(), ada, session)); s.Asked.ClientDone != 1 {
		t.Errorf("%+v", s.Asked)
	}
	if r := v.post("/form/part", url.Values{"form": {"phq-9@1"}, "a-1": {"3"}}); r.status != 204 {
		t.Errorf("nothing to tell: %d", r.status)
	}
}

// alarms looks after the alarms once, and returns the mails that went out.
func (d *door) alarms(t *testing.T, when string, want int) (out []letter) {
	t.Helper()
	if err := d.app.AlarmRound(t.Context()); err != nil {
		t.Fatal(err)
	}
	for len(d.office.got) > 0 {
		if l := <-d.office.got; strings.Contains(l.text, "/today") {
			out = append(out, l)
		}
	}
	if len(out) != want {
		t.Errorf("%s: %d mails, not %d", when, len(out), want)
	}
	return out
}
