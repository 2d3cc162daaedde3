// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

var (
	ownLink = regexp.MustCompile(`value="[^"]*/form/text#([^"]+)"`)
	holder  = regexp.MustCompile(`<option value="([^"]+)"[^>]*>(Mamma|Papà) `)
)

// TestConsentJourney: the parents of a girl of fifteen live apart; her mother says yes
// without a script, her father no on his telephone. Nothing is asked of her until he
// has changed his mind and she has said yes; a link that was open says so calmly, and
// neither parent reads what the other did.
func TestConsentJourney(t *testing.T) {
	t.Parallel()
	d, p := newDoor(t, nil), i18n.For("it")
	ada := d.colleague(t, "ada")
	for _, a := range []care.Actor{ada, d.boss} {
		if err := d.app.SetLanguage(t.Context(), a, "it"); err != nil {
			t.Fatal(err)
		}
	}
	boss := d.enter(t, "boss")
	for _, k := range []care.ConsentKind{care.ToTreatment, care.Assent, care.DataNotice} {
		draft := p.T("consent.draft." + string(k))
		if r := boss.get("/practice/consent"); !strings.Contains(html.UnescapeString(r.body), draft) {
			t.Fatalf("no draft of %s: %d", k, r.status)
		}
		if r := boss.post("/practice/consent", url.Values{"kind": {string(k)}, "version": {"0"}, "text-it": {draft}}); r.location != "/practice/consent?done=1" {
			t.Fatalf("%s: %d %s", k, r.status, r.body)
		}
	}
	if r := boss.post("/practice/consent", url.Values{"holders": {"both"}, "assent_age": {"12"}, "own_age": {"0"}}); r.location == "" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	girl := must[care.ID](t)(d.app.AddClient(t.Context(), ada, app.NewClient{Label: "Giulia", AgeBand: care.Adolescent, Language: "it"}))
	session := must[care.ID](t)(d.app.StartSession(t.Context(), ada, must[app.ClientView](t)(d.app.ClientPage(t.Context(), ada, girl, "")).Episode.ID))
	page := "/clients/" + string(girl) + "/consent"
	b := newBrowser(t)
	b.enter(d.base, "ada@example.org")
	b.open(d.base + page)
	for i, name := range []string{"Mamma", "Papà"} {
		b.click("#capacity summary")
		b.put("name", name)
		b.click("#capacity button")
		b.until(fmt.Sprintf("location.pathname.endsWith('/consent') && document.querySelectorAll('dl').length === %d", i+2))
	}
	b.looks("consent", "it")
	v := d.enter(t, "ada")
	people := map[string]string{"": string(girl)}
	for _, m := range holder.FindAllStringSubmatch(v.get(page).body, -1) {
		people[m[2]] = m[1]
	}
	token := func(name string) string {
		t.Helper()
		m := ownLink.FindStringSubmatch(v.post(page, url.Values{"do": {"link"}, "person": {people[name]}}).body)
		if m == nil {
			t.Fatalf("no link for %q", name)
		}
		return m[1]
	}
	mother, young := d.visitor(t), d.visitor(t)
	say := func(who visitor, kind care.ConsentKind, state care.ConsentState) {
		t.Helper()
		if r := who.post("/form/texts", url.Values{"kind": {string(kind)}, "version": {"1"}, "language": {"it"}, "state": {string(state)}}); r.location != "/form/texts" {
			t.Fatalf("%s to %s: %d %s", state, kind, r.status, r.body)
		}
	}
	for name, who := range map[string]visitor{"Mamma": mother, "": young} {
		if r := who.post("/form/text", url.Values{"token": {token(name)}}); r.location != "/form/texts" {
			t.Fatalf("%q: %d %s", name, r.status, r.body)
		}
	}
	say(mother, care.ToTreatment, care.Given)
	say(young, care.Assent, care.Given)

	b.look(390, false)
	b.open(d.base + "/form/text#" + token("Papà"))
	b.until("document.getElementById('treatment')")
	b.looks("consent-own", "it")
	b.click("button[value=refused]")
	b.until("document.body.innerText.includes('Hai detto no')")
	if r := mother.get("/form/texts"); strings.Contains(r.body, "detto no") || strings.Contains(r.body, "Papà") || !strings.Contains(r.body, "Hai detto sì") {
		t.Error("the mother reads of the father, or not of herself")
	}

	asked := "/sessions/" + string(session) + "/invite"
	if r := v.post(asked, nil); r.status != http.StatusUnprocessableEntity || !strings.Contains(html.UnescapeString(r.body), p.T("consent.blocked")) {
		t.Errorf("asked with a refusal: %d", r.status)
	}
	if r := v.get(page); !strings.Contains(r.body, p.T("consent.lacks.refused", "Who", "Papà")) {
		t.Error("the page does not say who refused")
	}
	v.post(page, url.Values{"do": {"override"}, "reason": {"La giudice ha deciso oggi per telefono"}})
	link := must[app.Link](t)(d.app.Invite(t.Context(), ada, session))
	form := d.visitor(t)
	form.post("/f", url.Values{"token": {link.Token}})
	if r := form.get("/form"); r.status != http.StatusOK {
		t.Errorf("with the override: %d", r.status)
	}
	v.post(page, url.Values{"do": {"end"}})
	if r := form.get("/form"); r.status != http.StatusForbidden || !strings.Contains(r.body, p.T("consent.waiting")) || strings.Contains(r.body, "Papà") {
		t.Errorf("the open link: %d %s", r.status, r.body)
	}
	b.open(d.base + "/form/texts")
	b.click("button[value=given]")
	b.until("document.body.innerText.includes('Hai detto sì')")
	if r := form.get("/form"); r.status != http.StatusOK {
		t.Errorf("after everybody said yes: %d", r.status)
	}
	b.open(d.base + "/f#" + must[app.Link](t)(d.app.Invite(t.Context(), ada, session)).Token)
	b.until("location.pathname === '/form'")
	say(young, care.Assent, care.Withdrawn)
	b.open(d.base + "/form")
	b.looks("consent-waiting", "it")
	b.enter(d.base, "boss@example.org")
	b.open(d.base + "/practice/consent")
	b.click("details summary")
	b.looks("consent-practice", "it")
}
