// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestEndingJourney: ada hands one client to zoe on the client's page; the manager
// then ends ada's account and gives zoe the other. Ada's browser is out at the next
// click and her password opens nothing.
func TestEndingJourney(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	ada, zoe := d.colleague(t, "ada"), d.colleague(t, "zoe")
	client := func(label string) string {
		return "/clients/" + string(must[care.ID](t)(d.app.AddClient(t.Context(), ada, app.NewClient{Label: label, AgeBand: care.Adult, Language: "en"})))
	}
	one, two := client("first of ada"), client("second of ada")
	hers, other, boss := d.enter(t, "ada"), d.enter(t, "zoe"), d.enter(t, "boss")
	if r := hers.get(one + "/edit"); !strings.Contains(r.body, one+"/handover") {
		t.Error("the client's page does not lead there")
	}
	if r := hers.get(one + "/handover"); !strings.Contains(r.body, ">zoe</option>") || strings.Contains(r.body, ">ada</option>") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := hers.post(one+"/handover", url.Values{"to": {string(ada.Staff)}}); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `id="to-error"`) {
		t.Errorf("to herself: %d", r.status)
	}
	if r := hers.post(one+"/handover", url.Values{"to": {string(zoe.Staff)}}); r.location != "/clients" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := hers.get(one); r.status != http.StatusNotFound {
		t.Errorf("she still reads it: %d", r.status)
	}
	if r := other.get(one); r.status != http.StatusOK || !strings.Contains(r.body, "first of ada") {
		t.Errorf("zoe does not: %d", r.status)
	}

	path := "/colleagues/" + string(ada.Staff)
	if r := boss.get(path); !strings.Contains(r.body, path+"/end") {
		t.Error("the colleague's page does not lead there")
	}
	if r := boss.get(path + "/end"); !strings.Contains(r.body, "They treat one client") || strings.Contains(r.body, "second of ada") {
		t.Errorf("%d %s", r.status, r.body)
	}
	form := url.Values{"reason": {"moves <b>away</b> in May"}, "old": {demoPassword}}
	if r := boss.post(path+"/end", form); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `id="to-error"`) || !strings.Contains(r.body, "&lt;b&gt;away") {
		t.Errorf("to nobody: %d", r.status)
	}
	form.Set("to", string(zoe.Staff))
	if r := boss.post(path+"/end", form); r.location != path+"?done=1" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if l := <-d.office.got; !strings.Contains(l.to, "ada@") || strings.Contains(l.text, "May") {
		t.Errorf("to %s: %s", l.to, l.text)
	}
	if r := hers.get("/today"); r.location != "/signin" {
		t.Errorf("her browser is still in: %d", r.status)
	}
	if r := d.visitor(t).post("/signin", url.Values{"email": {"ada@example.org"}, "password": {demoPassword}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("her password: %d", r.status)
	}
	if r := other.get(two); !strings.Contains(r.body, "second of ada") {
		t.Errorf("zoe does not read the second: %d", r.status)
	}
	if r := other.get(two + "/access"); !strings.Contains(r.body, "handed the client over") {
		t.Error("the list of who saw the data does not say it")
	}
	if r := boss.get("/colleagues"); !strings.Contains(r.body, "account ended") {
		t.Error("the list does not say it")
	}
	if r := boss.get(path); !strings.Contains(r.body, "This account ended") || !strings.Contains(r.body, "Boss ended the account") || strings.Contains(r.body, "<form method=\"post\" action=\""+path) {
		t.Errorf("%s", r.body)
	}
	if r := other.get("/clients/new"); strings.Contains(r.body, "> ada</label>") {
		t.Error("she is offered as a therapist")
	}
}
