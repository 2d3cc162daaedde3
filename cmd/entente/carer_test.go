// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestCarerJourney: a therapist adds a child's mother and mails her a link; she
// reads who will read her answers and answers on a telephone, where nothing tells of
// the child's answers; both stand on the child's page as courses of their own.
func TestCarerJourney(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	ada := d.colleague(t, "ada")
	client := must[care.ID](t)(d.app.AddClient(t.Context(), ada, app.NewClient{Label: "T. R.", AgeBand: care.Child, Language: "en"}))
	episode := must[app.ClientView](t)(d.app.ClientPage(t.Context(), ada, client, "")).Episode.ID
	session := must[care.ID](t)(d.app.StartSession(t.Context(), ada, episode))

	b := newBrowser(t)
	b.open(d.base + "/signin")
	b.put("email", "ada@example.org")
	b.put("password", demoPassword)
	b.click("main button.main")
	b.until("location.pathname == '/today'")
	b.open(d.base + "/clients/" + string(client) + "/carers")
	b.put("label", "M. R.")
	b.put("email", "mother@example.org")
	b.looks("carers", "en")
	b.click("main button.main")
	b.until("document.readyState === 'complete' && document.querySelector('main').innerText.includes('mother@example.org')")

	child := newBrowser(t)
	child.look(390, false)
	link := must[app.Link](t)(d.app.Invite(t.Context(), ada, session))
	child.open(d.base + "/f#" + link.Token)
	child.until("document.readyState === 'complete' && document.querySelector('#form')")
	eval[any](child, "for (const n of new Set([...document.querySelectorAll('#form input[type=radio]')].map((x) => x.name))) document.querySelector(`input[name='${n}']`).click()")
	eval[any](child, "{ const c = document.getElementById('comment'); if (c) c.value = 'CANARY-child'; document.getElementById('form').requestSubmit() }")
	child.until("location.pathname != '/form' || document.querySelector('.receipt')")

	b.open(d.base + "/sessions/" + string(session))
	if text := eval[string](b, "document.querySelector('main').innerText"); !strings.Contains(text, "M. R.: not asked yet") {
		t.Errorf("who has not been asked is not said: %s", text)
	}
	eval[any](b, "document.querySelector(`form[action$='/carer'] input[name=by]`).form.requestSubmit()")
	b.until("location.search == '?mailed=1' && document.readyState === 'complete'")
	b.looks("session-carers", "en")

	got := <-d.office.got
	if got.to != "mother@example.org" || strings.Contains(got.text, "T. R.") || strings.Contains(got.text, "M. R.") {
		t.Errorf("to %s, or it names somebody: %s", got.to, got.text)
	}
	_, sent, ok := strings.Cut(got.text, d.base+"/f#")
	if !ok {
		t.Fatalf("no link in %s", got.text)
	}
	phone := newBrowser(t)
	phone.look(390, false)
	phone.open(d.base + "/f#" + sent[:26])
	phone.until("document.readyState === 'complete' && document.querySelector('#form')")
	phone.looks("form-carer", "en")
	for _, want := range []string{"not the child or young person, not another parent"} {
		if text := eval[string](phone, "document.body.innerText"); !strings.Contains(text, want) || strings.Contains(text, "CANARY") || strings.Contains(text, "T. R.") {
			t.Errorf("the carer's form: %s", text)
		}
	}
	phone.click("input[name='a-bond1'][value='8']")
	phone.click("#send")
	phone.until("location.pathname == '/form/sent'")
	if text := eval[string](phone, "document.documentElement.outerHTML"); strings.Contains(text, "CANARY") {
		t.Error("the carer reads the child's words")
	}

	if err := d.app.Reveal(t.Context(), ada, session); err != nil {
		t.Fatal(err)
	}
	b.open(d.base + "/clients/" + string(client))
	if text := eval[string](b, "document.querySelector('main').innerText"); !strings.Contains(text, "M. R. · Session form, carer") {
		t.Errorf("the carer's course is not on the page: %s", text)
	}
	b.looks("client-carers", "en")
}
