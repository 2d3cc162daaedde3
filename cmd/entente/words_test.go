// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument/fhir"
	"github.com/entente-project/entente/internal/i18n"
)

// TestWordsJourney: a manager brings words whose file has a question too many,
// sees it named, keeps it, looks at the form and publishes it; what is downloaded
// can be read as a FHIR Questionnaire.
func TestWordsJourney(t *testing.T) {
	t.Parallel()
	words := "item;text;0;1;2;3\n"
	for n := range 8 {
		words += fmt.Sprintf("%d;<i>Domanda</i> %d?;no;poco;molto;sempre\n", n+1, n+1)
	}
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p, b := serveDemo(t, lang), i18n.For(lang), newBrowser(t)
			b.open(d.base + "/demo/" + d.links.therapist)
			b.open(d.base + "/library/gad-7")
			b.click("a[href='/library/gad-7/words']")
			b.until("document.getElementById('file')")
			b.looks("words", lang)
			text, err := json.Marshal(words)
			if err != nil {
				t.Fatal(err)
			}
			eval[any](b, fmt.Sprintf("{ const d = new DataTransfer(); d.items.add(new File([%s], 'gad.csv')); document.getElementById('file').files = d.files }", text))
			b.click("main form button.main")
			b.until("document.querySelector('[value=keep]')")
			b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("wording.kept", "File", "gad.csv")))
			b.looks("words-mismatch", lang)
			b.put("owner", "(c) Nobody")
			eval[any](b, "document.querySelector('[value=keep]').checked = true")
			b.click("main form button.main")
			b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("publish.preview_lead")))
			b.looks("words-preview", lang)
			b.click("main form button.main")
			b.until("location.pathname === '/library/gad-7'")
			b.until("document.querySelector(\"a[href='/library/gad-7/questionnaire.json']\")")
			b.looks("words-published", lang)
			body := eval[string](b, "(async () => (await fetch('/library/gad-7/questionnaire.json')).text())()")
			w, err := fhir.Decode(strings.NewReader(body))
			if err != nil || len(w.Questions()) != 8 || len(w.Aside()) != 1 {
				t.Errorf("%v\n%s", err, body)
			}
		})
	}
}

// TestWordsByPlainRequest: the same without a script: the file goes with the page,
// a file that is no questionnaire is refused, and only a manager may.
func TestWordsByPlainRequest(t *testing.T) {
	t.Parallel()
	b := newBlock(t)
	words := "item,text:en,0:en,1:en,2:en,3:en\nowner,(c) Owner,,,,\n"
	for n := range 7 {
		words += fmt.Sprintf("%d,<b>%d?,no,a bit,more,much\n", n+1, n+1)
	}
	send := func(role rune, name, text string) answer {
		t.Helper()
		return b.people[role].post("/library/gad-7/words", url.Values{"name": {name}, "kept": {base64.StdEncoding.EncodeToString([]byte(text))}})
	}
	for _, c := range []struct {
		role       rune
		name, text string
		status     int
		says       string
	}{
		{roleManager, "w.csv", words, http.StatusOK, "&lt;b&gt;1?"},
		{roleManager, "w.csv", words + "8,x,,,,\n", http.StatusUnprocessableEntity, `name="extra:8"`},
		{roleManager, "w.json", `{"resourceType":"Patient"}`, http.StatusUnprocessableEntity, "in place of a Questionnaire"},
		{roleManager, "w.csv", "", http.StatusUnprocessableEntity, "file-error"},
		{roleColleague, "w.csv", words, http.StatusForbidden, ""},
	} {
		if r := send(c.role, c.name, c.text); r.status != c.status || !strings.Contains(r.body, c.says) || strings.Contains(r.body, "<b>1?") {
			t.Errorf("%c %s: %d\n%s", c.role, c.name, r.status, r.body)
		}
	}
	if r := b.people[roleColleague].get("/library/session-client-adult/questionnaire.json"); r.status != http.StatusOK || r.header.Get("Content-Type") != "application/fhir+json" {
		t.Errorf("%d %v", r.status, r.header)
	}
}
