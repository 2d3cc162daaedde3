// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// lines are n items of a form, none of which says anything.
func lines(word string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d. %s %d\n", i+1, word, i+1)
	}
	return b.String()
}

// fieldsOf is what a browser sends of the editor on a page.
func fieldsOf(t *testing.T, page string) url.Values {
	t.Helper()
	doc := must[*html.Node](t)(html.Parse(strings.NewReader(page)))
	out := url.Values{}
	for n := range doc.Descendants() {
		a := map[string]string{}
		for _, x := range n.Attr {
			a[x.Key] = x.Val
		}
		_, checked := a["checked"]
		switch {
		case n.Type != html.ElementNode || a["name"] == "":
		case n.Data == "textarea" && n.FirstChild != nil:
			out.Set(a["name"], n.FirstChild.Data)
		case n.Data == "textarea":
			out.Set(a["name"], "")
		case n.Data == "select":
			for o := range n.ChildNodes() {
				for _, x := range o.Attr {
					if x.Key == "selected" {
						out.Set(a["name"], o.Attr[0].Val)
					}
				}
			}
		case n.Data == "input" && a["type"] == "checkbox" && checked:
			if a["value"] == "" {
				a["value"] = "on"
			}
			out.Add(a["name"], a["value"])
		case n.Data == "input" && a["type"] != "checkbox":
			out.Set(a["name"], a["value"])
		}
	}
	return out
}

// press fills fields of the editor and sends it with a button, as a browser does
// in which no script runs.
func press(t *testing.T, v visitor, at, do string, typed map[string]string) (form url.Values, r answer) {
	t.Helper()
	form = fieldsOf(t, v.get(at).body)
	for k, x := range typed {
		form.Set(k, x)
	}
	form.Set("do", do)
	return form, v.post(at, form)
}

// TestBuilderWithoutScripts: a form of 20 items and four scales comes about by
// plain requests; mistakes are kept and named, two tabs notice each other, and what a
// change means for the course follows from what was changed.
func TestBuilderWithoutScripts(t *testing.T) {
	t.Parallel()
	b, p := newBlock(t), i18n.For("en")
	v := b.people[roleManager]
	has := func(r answer, key string, kv ...any) {
		t.Helper()
		if text := p.T(key, kv...); !strings.Contains(html.UnescapeString(r.body), text) {
			t.Fatalf("%q is missing (%d): %.2000s", text, r.status, r.body)
		}
	}
	at := v.post("/drafts", nil).location
	if !strings.HasPrefix(at, "/drafts/") {
		t.Fatalf("a new form leads to %q", at)
	}
	// Half done: kept as it was typed, with what is missing beside it.
	_, r := press(t, v, at, "save", map[string]string{"name-en": "Our <b>form", "answers-option-1-value": "many"})
	page := v.get(r.location)
	for _, key := range []string{"draft.wrong.empty", "draft.wrong.number", "draft.wrong.too_few.items", "draft.wrong.too_few.scales"} {
		has(page, key)
	}
	if f := fieldsOf(t, page.body); f.Get("name-en") != "Our <b>form" || f.Get("answers-option-1-value") != "many" {
		t.Errorf("what was typed is gone: %v", f)
	}
	if r := v.get(at + "/publish"); r.location != at+"?named=1" {
		t.Errorf("a draft with mistakes can be published: %d %s", r.status, r.location)
	}
	texts := map[string]string{"answers-option-1-value": "0"}
	for _, lang := range i18n.Languages() {
		for _, name := range []string{"name-", "title-", "intro-", "notice-"} {
			texts[name+lang] = "Our form " + lang
		}
	}
	press(t, v, at, "save", texts)
	press(t, v, at, "range", map[string]string{"from": "0", "to": "5"})
	press(t, v, at, "paste", map[string]string{"paste-en": lines("Statement", 20), "paste-it": lines("Frase", 20)})
	press(t, v, at, "usual", nil)
	_, r = press(t, v, at, "save", map[string]string{"scale-1-items": "1-7", "scale-2-items": "8-14", "scale-3-items": "15-20", "scale-4-missing": "2", "item-20-reversed": "on"})
	has(v.get(r.location), "draft.sound")
	// All lowest: the reversed item counts 5.
	check := v.get(at + "/check?fill=low")
	has(check, "draft.work.reversed", "N", "20", "Min", "0", "Max", "5", "Answer", "0", "Used", "5")
	if !strings.Contains(check.body, "Goals: 0.83") || !strings.Contains(check.body, "Bond: 0 ") || !strings.Contains(check.body, "Total: 0.25") {
		t.Errorf("scores: %s", check.body)
	}
	has(v.get(at+"/check?a-q1=9"), "draft.try.wrong", "Min", "0", "Max", "5")
	preview := v.get(at + "/preview?lang=it&light=dark&size=large")
	if !strings.Contains(preview.body, "Frase 20") || !strings.Contains(preview.body, "inside-dark.css") || !strings.Contains(preview.body, `class="large"`) || strings.Contains(preview.body, `name="submission"`) ||
		!strings.Contains(preview.body, `class="aloud" hidden`) || !strings.Contains(preview.body, "/child.") {
		t.Errorf("the preview: %d %s", preview.status, preview.body)
	}
	release := v.get(at + "/publish")
	has(release, "draft.first")
	r = v.post(at+"/publish", fieldsOf(t, release.body))
	if r.location != "/library/our-form-en" {
		t.Fatalf("published: %d %s", r.status, r.location)
	}
	has(v.get(r.location), "library.state.permission.says")
	for path, want := range map[string][2]bool{"/library/session-client-adult": {true, false}, "/library/our-form-en": {false, true}, "/library/core-10": {}} {
		page, other := v.get(path).body, b.people[roleColleague].get(path).body
		if got := [2]bool{strings.Contains(page, p.T("draft.adapt")), strings.Contains(page, p.T("draft.write_next"))}; got != want || strings.Contains(other, `action="/drafts"`) {
			t.Errorf("%s offers a manager %v, and a therapist: %v", path, got, strings.Contains(other, `action="/drafts"`))
		}
	}
	b.corrects(t, v)
	// A file that is brought says the same.
	v.post("/publish", url.Values{"text": {sleepForm}, "do": {"publish"}})
	file := strings.Replace(sleepForm, "version: 1", "version: 2", 1)
	has(v.post("/publish", url.Values{"text": {strings.Replace(file, "Your nights", "Your  nights", 1)}}), "draft.correction", "Version", 2)
	has(v.post("/publish", url.Values{"text": {strings.Replace(file, "max: 10,", "max: 100,", 1)}}), "draft.structure", "Version", 2)
}

// corrects writes the next versions of the form that was published: a word, and
// then another structure; and saves one of them from two tabs.
func (b *block) corrects(t *testing.T, v visitor) {
	t.Helper()
	p := i18n.For("en")
	next := func() string {
		return v.post("/drafts", url.Values{"from": {"our-form-en"}, "as": {"next"}}).location
	}
	at := next()
	old := fieldsOf(t, v.get(at).body)
	_, r := press(t, v, at, "publish", map[string]string{"item-3-text-en": "A statement 3"})
	page := v.get(r.location)
	if !strings.Contains(page.body, p.T("draft.correction", "Version", 2)) || !strings.Contains(page.body, "<ins>A statement 3</ins>") {
		t.Fatalf("a word: %s", page.body)
	}
	if r := v.post(at+"/publish", fieldsOf(t, page.body)); r.location != "/library/our-form-en" {
		t.Errorf("version 2: %d", r.status)
	}
	at = next()
	_, r = press(t, v, at, "remove-20", nil)
	if r.location != at+"#items" {
		t.Errorf("removed: %d %s", r.status, r.location)
	}
	release := v.get(at + "/publish")
	if !strings.Contains(release.body, p.T("draft.structure", "Version", 3)) || !strings.Contains(release.body, p.T("draft.change.item_removed", "At", "20")) {
		t.Errorf("an item less: %s", release.body)
	}
	// The tab that was opened before is told, keeps what it has, and then may.
	old.Set("do", "save")
	old.Set("item-1-text-en", "From the other tab")
	r = v.post(at, old)
	if r.status != http.StatusConflict || fieldsOf(t, r.body).Get("item-1-text-en") != "From the other tab" {
		t.Fatalf("the second tab: %d", r.status)
	}
	if strings.Contains(v.get(at).body, "From the other tab") {
		t.Error("it was saved all the same")
	}
	stale := fieldsOf(t, release.body)
	again := fieldsOf(t, r.body)
	again.Set("do", "save")
	if r := v.post(at, again); r.location != at+"?named=1" {
		t.Errorf("saved knowingly: %d %s", r.status, r.location)
	}
	if r := v.post(at+"/publish", stale); r.status != http.StatusConflict {
		t.Errorf("what nobody has looked at was published: %d", r.status)
	}
	form := fieldsOf(t, v.get(at).body)
	if r := v.post(at+"/drop", form); r.location != "/library" || v.get(at).status != http.StatusNotFound {
		t.Errorf("thrown away: %d %s", r.status, r.location)
	}
}

// hostile is the address of a draft that has a text of its own in every place, and
// is another structure of a form that was published.
func (d demo) hostile(t *testing.T, me care.Actor, texts []string) string {
	t.Helper()
	ctx := t.Context()
	must[*instrument.Instrument](t)(d.app.PublishForm(ctx, me, sleepForm))
	id := must[care.ID](t)(d.app.StartDraft(ctx, me, app.NewDraft{From: "sleep"}))
	f := must[app.Draft](t)(d.app.Draft(ctx, me, id)).Form
	n := 0
	for _, x := range []instrument.Text{f.Name, f.Title, f.Intro, f.Notice, f.Answers.Low, f.Answers.High, f.Items[0].Text, f.Scales[0].Name} {
		for lang := range x {
			x[lang] = texts[n]
			n += 7
		}
	}
	f.Holder, f.SPDX = texts[n], texts[n+7]
	must[int](t)(d.app.SaveDraft(ctx, me, id, 1, f))
	return "/drafts/" + string(id)
}

// TestBuilderJourney: a manager makes a form of 20 items by pasting them, tries
// its scoring, looks at it and publishes it; every page passes axe.
func TestBuilderJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p, b := serveDemo(t, lang), i18n.For(lang), newBrowser(t)
			says := func(key string, kv ...any) {
				t.Helper()
				b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T(key, kv...)))
			}
			seen := func(name, in string) { // each page in one language: what differs is tested without a browser
				if in == lang {
					b.looks(name, lang)
				}
			}
			b.open(d.base + "/demo/" + d.links.therapist)
			b.click("a[href='/library']")
			b.click("form[action='/drafts'] button")
			says("draft.next_new")
			b.click("button[value=save]")
			says("draft.wrong.too_few.items")
			seen("draft-wrong", "en")
			for _, x := range i18n.Languages() {
				for _, name := range []string{"name", "title", "intro", "notice"} {
					b.put(name+"-"+x, "Cento passi")
				}
				b.put("paste-"+x, lines("Statement", 20))
			}
			b.put("to", "5")
			b.click("button[value=range]")
			b.until("document.querySelector('#answers-option-6-value')")
			for _, x := range i18n.Languages() {
				b.put("paste-"+x, lines("Statement", 20))
			}
			b.click("button[value=paste]")
			b.until("document.querySelector('#item-20')")
			b.click("button[value=usual]")
			b.until("document.querySelector('#scale-4')")
			for n, items := range []string{"1-7", "8-14", "15-20"} {
				b.put(fmt.Sprintf("scale-%d-items", n+1), items)
			}
			b.click("button[value=save]")
			says("draft.sound")
			seen("draft", "it")
			b.click("button[value=check]")
			b.click("a[href$='fill=middle']")
			b.until("location.search.includes('middle') && document.querySelectorAll('#scores h3').length === 4")
			seen("draft-check", "en")
			b.click(".crumb a")
			b.click("button[value=preview]")
			says("draft.preview.lead")
			seen("draft-preview", "it")
			// A child's form is read aloud in its own language, not that of the page around it.
			other := map[string]string{"en": "it", "it": "en"}[lang]
			b.hears(other)
			b.click(".ways a[href*='lang=" + other + "']")
			b.until("document.querySelector('main').lang === '" + other + "'")
			b.click(".ways a[href*='size=large']")
			b.until("document.querySelector('.aloud:not([hidden])')")
			b.click(".aloud")
			b.until("said.length > 4 && said[0][1] === '" + other + "'")
			b.click(".ways a[href*='light=dark']")
			b.until("getComputedStyle(document.body).backgroundColor === 'rgb(20, 25, 27)'")
			b.click(".ways p a")
			b.click("button[value=publish]")
			says("draft.first")
			seen("draft-publish", "en")
			b.click("main form button.main")
			b.until("location.pathname === '/library/cento-passi'")
			says("library.state.permission.says")
		})
	}
}
