// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/i18n"
)

// draftFor is a draft of a form of ours, as the use case gives it.
func draftFor(t *testing.T, id string, change func(d *instrument.Draft)) app.Draft {
	f, _ := library.Get(id)
	form, err := instrument.DraftOf(f)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&form)
	}
	d := app.Draft{ID: "d1", Revision: 3, By: "Anna <b>", Form: form, Version: 2, Before: f, Instrument: id}
	if d.Ready, d.Wrong = form.Form(id, 2); d.Ready != nil {
		d.Change = instrument.Compare(f, d.Ready)
	}
	return d
}

// spoil makes a mistake in many places.
func spoil(d *instrument.Draft) {
	d.Name["it"], d.Intro["en"], d.Ages, d.Holder = "", " ", nil, ""
	d.Items[0].Text["it"], d.Items[0].Tension = "", true
	d.Items[6].Own.Options[1].Value, d.Items[6].Own.Options[2].Label["en"] = "0", ""
	d.Items[6].Own.Options[0].NoAnswer = true
	d.Answers.Max, d.Answers.Low["it"] = "ten", ""
	d.Scales[0].Items, d.Scales[1].Items, d.Scales[2].Missing = "x", "", "-"
	d.Scales[3].Name["it"] = ""
}

// pageOf draws the editor.
func pageOf(t *testing.T, lang string, d app.Draft, named bool) string {
	t.Helper()
	c, w := newCall(t, lang, "GET /drafts/{id}")
	if err := c.edit(http.StatusOK, d, named, ""); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

// TestDraftPageIsSound: the editor with nothing in it, with everything in it, and
// with many mistakes, each of which leads to a field that is there.
func TestDraftPageIsSound(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		fresh := app.Draft{ID: "d0", Form: instrument.NewDraft(i18n.Languages())}
		_, fresh.Wrong = fresh.Form.Form("x", 1)
		inspect(t, lang, pageOf(t, lang, fresh, false))
		inspect(t, lang, pageOf(t, lang, fresh, true))
		spoilt := draftFor(t, "session-client-adult", spoil)
		page := pageOf(t, lang, spoilt, true)
		inspect(t, lang, page)
		if n := strings.Count(page, `class="wrong"`); n < 12 || len(spoilt.Wrong) < 12 {
			t.Errorf("%d of %d mistakes stand beside a field", n, len(spoilt.Wrong))
		}
		if lang == i18n.Italian {
			for _, p := range spoilt.Wrong {
				if strings.Contains(page, p.Message) {
					t.Errorf("%s is told in English: %s", p.Path, p.Message)
				}
			}
		}
		if !strings.Contains(pageOf(t, lang, draftFor(t, "session-client-adult", nil), true), i18n.For(lang).T("draft.sound")) {
			t.Error("nobody is told that nothing is wrong")
		}
	}
}

// TestDraftSamples: the pages of what is looked at before it is published.
func TestDraftSamples(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		c, _ := newCall(t, lang, "GET /drafts/{id}")
		other := draftFor(t, "session-client-adult", func(d *instrument.Draft) {
			d.Items[1].Text["en"], d.Items[2].Text["it"] = "<i>wholly</i> another thing that nobody asked", "x"
			d.Remove(3)
			d.Scales[1].Items, d.Scales[0].Method = "3", instrument.Sum
		})
		if len(other.Wrong) > 0 {
			t.Fatal(other.Wrong)
		}
		m := newFormModel(c.p, app.FormView{Instrument: other.Ready, Language: lang, Of: 1}, nil, nil)
		m.Trial = "/drafts/d1/check"
		for i, x := range []sample{
			{"draft-publish", c.releaseModel(other), nil}, {"draft-publish", c.releaseModel(draftFor(t, "session-client-adult", nil)), map[string]string{"": "No."}},
			{"draft-publish", c.releaseModel(app.Draft{Form: other.Form}), nil},
			{"draft-preview", previewView{formModel: m, Back: "/drafts/d1", Sheet: "inside-dark.css", Ways: [][]previewWay{{{"<b>", "/x", true}}}}, nil},
			{"draft-check", checkView{Name: "<i>", Back: "/drafts/d1", Any: true, Tries: []tryItem{{1, "a-x", "<b>", nil, "7", "No."}}, Worked: []workedScale{{Name: "x", Lines: []string{"y"}}}}, nil},
		} {
			t.Run(fmt.Sprintf("%s/%s/%d", lang, x.name, i), func(t *testing.T) {
				t.Parallel()
				c, w := newCall(t, lang, "GET /drafts/{id}")
				if err := c.write(http.StatusOK, x.name, view{Path: "/x", V: x.v, Errors: x.errors}); err != nil {
					t.Fatal(err)
				}
				inspect(t, lang, w.Body.String())
				if strings.Contains(w.Body.String(), "draft.") && strings.Contains(strings.ReplaceAll(w.Body.String(), "draft.css", ""), "draft.") {
					t.Error("a message is missing")
				}
			})
		}
	}
}

// TestDraftComesBack: what a browser sends of the editor is the draft it was drawn
// from, for every form of ours and for one full of mistakes.
func TestDraftComesBack(t *testing.T) {
	t.Parallel()
	drafts := []app.Draft{draftFor(t, "session-client-adult", spoil)}
	for _, f := range library.All() {
		drafts = append(drafts, draftFor(t, f.ID, nil))
	}
	for _, d := range drafts {
		sent := asSent(t, pageOf(t, "en", d, false))
		got := readDraft(sent, d.Form)
		one, err := d.Form.YAML("x", 1)
		other, otherErr := got.YAML("x", 1)
		if one != other || err != nil || otherErr != nil {
			t.Errorf("%s:\n%s\nnot\n%s", d.Instrument, other, one)
		}
	}
}

func asJSON(t *testing.T, d instrument.Draft) string {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// asSent is what a browser would send of the form "draft" on a page.
func asSent(t *testing.T, page string) url.Values {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	out := url.Values{}
	for n := range doc.Descendants() {
		a := attributes(n)
		_, checked := a["checked"]
		switch {
		case n.Type != html.ElementNode || a["name"] == "":
		case n.Data == "textarea":
			text := ""
			if n.FirstChild != nil {
				text = n.FirstChild.Data
			}
			out.Add(a["name"], text)
		case n.Data == "select":
			for o := range n.Descendants() {
				if _, chosen := attributes(o)["selected"]; chosen {
					out.Add(a["name"], attributes(o)["value"])
				}
			}
		case n.Data == "input" && (a["type"] != "checkbox" || checked):
			value, ok := a["value"]
			if !ok {
				value = "on"
			}
			out.Add(a["name"], value)
		}
	}
	return out
}

// TestDraftButtons: what each button does to a draft, and that none stumbles over
// a place that is not there.
func TestDraftButtons(t *testing.T) {
	t.Parallel()
	start := func() instrument.Draft { return draftFor(t, "session-client-adult", nil).Form }
	press := func(d *instrument.Draft, button string, more ...string) string {
		v := url.Values{"do": {button}}
		for i := 0; i < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return act(d, v)
	}
	d := start()
	if to := press(&d, "up-2"); to != "#item-1" || d.Items[0].ID != "bond2" || d.Scales[0].Items != "1-2" {
		t.Errorf("up: %s %+v", to, d.Items[0])
	}
	if to := press(&d, "down-1"); to != "#item-2" || d.Items[0].ID != "bond1" {
		t.Errorf("down: %s", to)
	}
	press(&d, "remove-7")
	press(&d, "paste", "paste-en", "1. One\n2. Two", "paste-it", "1. Uno")
	if len(d.Items) != 8 || d.Items[6].Text["it"] != "Uno" || d.Items[7].Text["it"] != "" {
		t.Errorf("pasted: %+v", d.Items[6:])
	}
	press(&d, "range", "from", "1", "to", "7")
	press(&d, "option-0")
	press(&d, "unoption-0-1")
	if o := d.Answers.Options; len(o) != 7 || o[0].Value != "2" || o[6].Value != "" {
		t.Errorf("answers: %+v", o)
	}
	press(&d, "unscale-1")
	press(&d, "scale", "dimension", "part")
	if n := len(d.Scales); n != 4 || d.Scales[0].ID != "tasks" || d.Scales[3].Dimension != instrument.Part {
		t.Errorf("scales: %+v", d.Scales)
	}
	own := start()
	press(&own, "option-7")
	press(&own, "unoption-7-1")
	if o := own.Items[6].Own.Options; len(o) != 4 || o[0].Value != "1" {
		t.Errorf("own answers: %+v", o)
	}
	for _, button := range []string{"", "up", "up-0", "up-1", "up--3", "down-7", "down-999", "remove-0", "remove-8", "unscale-0", "unscale-9", "option-1", "option--1", "unoption-0-99", "unoption-7-0x", "scale", "range", "paste", "nonsense-1-2-3"} {
		d, before := start(), start()
		press(&d, button)
		if asJSON(t, d) != asJSON(t, before) && !slices.Contains([]string{"scale", "unoption-7-0x"}, button) {
			t.Errorf("%q changed something", button)
		}
	}
	for _, page := range []string{"preview", "check", "publish"} {
		if to := press(&d, page); to != "/"+page {
			t.Errorf("%s leads to %s", page, to)
		}
	}
}

// TestDraftNewLanguage: a column that is not shown keeps what stood in it.
func TestDraftNewLanguage(t *testing.T) {
	t.Parallel()
	d := draftFor(t, "session-client-adult", func(d *instrument.Draft) { d.Languages = []string{"en"} })
	sent := asSent(t, pageOf(t, "en", d, false))
	if sent.Has("name-it") {
		t.Error("a language that was not chosen has a column")
	}
	sent.Add("languages", "it")
	got := readDraft(sent, d.Form)
	if got.Items[0].Text["it"] != d.Form.Items[0].Text["it"] || got.Answers.Low["it"] == "" || len(got.Languages) != 2 {
		t.Errorf("%+v", got.Items[0])
	}
	sent.Set("name-en", "a\r\nb\x00\u202ec\xff")
	if name := readDraft(sent, d.Form).Name["en"]; name != "a\nb\u202ec" {
		t.Errorf("%q", name)
	}
}
