// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestWorkJourney: a first goal in the client's words and a task are written down
// together; after the next session the client says on a phone how far they came and
// that the task was not done, and why; it stands on their page, and a smaller step
// is made of it.
func TestWorkJourney(t *testing.T) {
	t.Parallel()
	d := newDoor(t, nil)
	ada := d.colleague(t, "ada")
	client := must[care.ID](t)(d.app.AddClient(t.Context(), ada, app.NewClient{Label: "N. V.", AgeBand: care.Adult, Language: "en", Episode: app.NewEpisode{Forms: []string{"session-client-adult"}}}))
	episode := must[app.ClientView](t)(d.app.ClientPage(t.Context(), ada, client, "")).Episode.ID
	session := must[care.ID](t)(d.app.StartSession(t.Context(), ada, episode))

	b := newBrowser(t)
	b.open(d.base + "/signin")
	b.put("email", "ada@example.org")
	b.put("password", demoPassword)
	b.click("main button.main")
	b.until("location.pathname == '/today'")
	goals := d.base + "/clients/" + string(client) + "/goals"
	write := func(kind string, fields map[string]string) {
		b.open(goals)
		eval[any](b, "document.querySelector(`input[name=kind][value="+kind+"]`).closest('details').open = true")
		for id, text := range fields {
			b.put(id, text)
		}
		eval[any](b, "document.querySelector(`#new-"+kind+"-words`).form.requestSubmit()")
		b.until("location.search.startsWith('?episode=')")
	}
	write("goal", map[string]string{"new-goal-words": "To sleep through again"})
	write("task", map[string]string{"new-task-words": "Walk for half an hour", "new-task-why": "So that I am tired at night", "new-task-often": "each evening"})
	b.until("document.readyState === 'complete' && ['To sleep through again', 'So that I am tired at night'].every((x) => document.querySelector('main').innerText.includes(x))")

	link := must[app.Link](t)(d.app.Invite(t.Context(), ada, session))
	phone := newBrowser(t)
	phone.look(390, false)
	phone.open(d.base + "/f#" + link.Token)
	phone.until("document.readyState === 'complete' && document.querySelector('#form')")
	phone.click("input[name='a-bond1'][value='8']")
	phone.click("#send")
	phone.until("location.pathname == '/form/work' && document.querySelector('main form[action=\"/form/work\"]')")
	phone.looks("form-work", "en")
	eval[any](phone, "document.querySelector(`input[name^='p-'][value='3']`).click()")
	eval[any](phone, "document.querySelector(`input[name^='d-'][value='not']`).click()")
	eval[any](phone, "document.querySelector(`textarea[name^='y-']`).value = 'It rained, and I was ashamed'")
	phone.click("main form[action='/form/work'] button.main")
	phone.until("location.pathname == '/form/sent'")

	b.open(d.base + "/clients/" + string(client))
	for _, want := range []string{"To sleep through again", "3 of 10 now", "not done", "It rained, and I was ashamed"} {
		if text := eval[string](b, "document.querySelector('main').innerText"); !strings.Contains(text, want) {
			t.Errorf("the client's page lacks %q", want)
		}
	}
	b.open(goals)
	eval[any](b, "document.querySelector(`input[name=step_of]`).closest('details').open = true")
	eval[any](b, "{ const f = document.querySelector(`input[name=step_of]`).form; f.elements.words.value = 'To the corner and back'; f.requestSubmit(); }")
	b.until("document.querySelector('main').innerText.includes('A smaller step of: Walk for half an hour')")
	b.looks("goals", "en")
}
