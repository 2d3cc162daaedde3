// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/i18n"
)

// TestLibraryJourney: a therapist finds an instrument and reads what is known of
// it and what is missing.
func TestLibraryJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p, b := serveDemo(t, lang), i18n.For(lang), newBrowser(t)
			b.open(d.base + "/demo/" + d.links.therapist)
			b.click("a[href='/library']")
			b.until("location.pathname === '/library' && document.querySelectorAll('.shelf li').length > 40")
			b.looks("library", lang)
			b.put("q", "core-10")
			b.click(".filter button")
			b.until("location.search.includes('core-10') && document.querySelectorAll('.shelf li').length === 1")
			b.click(".shelf a")
			b.until("location.pathname === '/library/core-10'")
			b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("library.state.wording.says")))
			b.looks("instrument", lang)
		})
	}
}

// sleepForm is a practice's own form of one item.
const sleepForm = `id: sleep
version: 1
kind: outcome
languages: [en, it]
name: {en: "Sleep", it: "Sonno"}
title: {en: "Your nights", it: "Le tue notti"}
intro: {en: "Think of the last week.", it: "Pensa all'ultima settimana."}
informant: client
ages: [adult, adolescent, child]
period: week
higher_is_better: true
validated: false
licence: {spdx: CC-BY-4.0, holder: "The practice", notice: {en: "Written by us.", it: "Scritto da noi."}}
items:
  - {id: a, display: line, min: 0, max: 10, step: 1, text: {en: "I slept <b>", it: "Ho dormito <b>"}, low: {en: "badly", it: "male"}, high: {en: "well", it: "bene"}}
scales:
  - {id: rest, name: {en: "Rest", it: "Riposo"}, dimension: whole, items: [a], method: mean, missing_allowed: 0}
`

// TestFormJourney: a manager brings a form, looks at it, publishes it and records
// the ground; a therapist has it asked; it is withdrawn.
func TestFormJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p, b := serveDemo(t, lang), i18n.For(lang), newBrowser(t)
			says := func(key string, kv ...any) {
				t.Helper()
				b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T(key, kv...)))
			}
			b.open(d.base + "/demo/" + d.links.therapist)
			b.click("a[href='/library']")
			b.click("a[href='/publish']")
			b.until("document.getElementById('text')")
			b.put("text", strings.Replace(sleepForm, "kind: outcome", "kind: income", 1))
			b.click("main form button.main")
			b.until("document.querySelector('.errors')")
			b.looks("publish-wrong", lang)
			b.put("text", sleepForm)
			b.click("main form button.main")
			says("publish.preview_lead")
			b.looks("publish-preview", lang)
			b.click("main form button.main")
			b.until("location.pathname === '/library/sleep'")
			says("library.state.permission.says")
			b.click("#ground summary")
			eval[any](b, "document.querySelector('[name=ground][value=permission]').checked = true")
			b.click("#ground form button.main")
			says("grant.name_giver")
			b.looks("ground-wrong", lang)
			eval[any](b, "document.querySelector('[name=ground][value=own]').checked = true")
			b.click("#ground form button.main")
			says("library.state.ready.says")
			b.looks("ground", lang)
			b.open(d.base + "/clients")
			b.click(".case a.name")
			b.click("a[href$='/forms']")
			b.until("document.querySelector('[name=forms][value=sleep]')")
			eval[any](b, "document.querySelectorAll('[name=forms]').forEach((x) => { x.checked = x.value === 'sleep' })")
			b.looks("asking", lang)
			b.click("main form button.main")
			b.until("location.pathname.startsWith('/clients/')")
			b.open(d.base + "/library/sleep")
			b.click("#ground summary")
			b.put("reason", "The owner asked.")
			b.click("#ground form button")
			says("library.state.permission.says")
			says("grant.ended")
			b.open(d.base + "/library/session-client-adult")
			b.click("a[href$='/figures']")
			says("own.how")
			b.looks("own", lang)
		})
	}
}

// TestGroundFile: the letter comes back as it was, under a name that says nothing
// and never as a page; a colleague who is no manager learns nothing.
func TestGroundFile(t *testing.T) {
	t.Parallel()
	b := newBlock(t)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	letter := "%PDF-1.7 <script>CANARY</script>"
	for _, f := range [][2]string{{"ground", "permission"}, {"from", "The owner"}, {"given_on", "2026-01-31"}} {
		must[struct{}](t)(struct{}{}, w.WriteField(f[0], f[1]))
	}
	part := must[io.Writer](t)(w.CreateFormFile("file", "CANARY-name.html"))
	must[int](t)(io.WriteString(part, letter))
	must[struct{}](t)(struct{}{}, w.Close())
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, b.base+"/library/core-10/ground", &body))
	req.Header.Set("Content-Type", w.FormDataContentType())
	res := must[*http.Response](t)(b.people[roleManager].http.Do(req))
	must[struct{}](t)(struct{}{}, res.Body.Close())
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("recorded: %d", res.StatusCode)
	}
	page := b.people[roleManager].get("/library/core-10")
	_, rest, ok := strings.Cut(page.body, `href="/grants/`)
	id, _, _ := strings.Cut(rest, "/")
	if !ok || strings.Contains(page.body, "CANARY") {
		t.Fatalf("the manager's page: %v", ok)
	}
	r := b.people[roleManager].get("/grants/" + id + "/file")
	if r.status != http.StatusOK || r.body != letter || r.header.Get("Content-Type") != "application/pdf" || r.header.Get("X-Content-Type-Options") != "nosniff" ||
		r.header.Get("Content-Disposition") != `attachment; filename="document.pdf"` {
		t.Errorf("%d %q %v", r.status, r.body, r.header)
	}
	for _, role := range []rune{roleColleague, roleStranger} {
		if r := b.people[role].get("/grants/" + id + "/file"); r.status < 400 || strings.Contains(r.body, "CANARY") {
			t.Errorf("%c gets the letter: %d", role, r.status)
		}
	}
	if r := b.people[roleColleague].get("/library/core-10"); strings.Contains(r.body, "The owner") || strings.Contains(r.body, "/grants/") {
		t.Error("a therapist reads who gave the permission")
	}
}
