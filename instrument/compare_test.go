// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
)

const compared = `id: mood
version: 1
kind: alliance
languages: [en, it]
name: {en: "Mood", it: "Umore"}
title: {en: "Today", it: "Oggi"}
intro: {en: "Think of the session of today.", it: "Pensi alla seduta di oggi."}
informant: client
ages: [adult]
period: session
higher_is_better: true
validated: false
licence: {spdx: CC-BY-4.0, holder: "The practice", notice: {en: "Ours.", it: "Nostro."}}
items:
  - {id: q1, display: line, min: 0, max: 10, text: {en: "I felt herd today.", it: "Mi sono sentito ascoltato."}, low: {en: "not at all", it: "per niente"}, high: {en: "completely", it: "del tutto"}}
  - {id: q2, display: line, min: 0, max: 10, text: {en: "We agreed on where to go.", it: "Eravamo d'accordo sulla direzione."}, low: {en: "not at all", it: "per niente"}, high: {en: "completely", it: "del tutto"}}
  - id: q3
    display: buttons
    text: {en: "I wanted to leave.", it: "Volevo andare via."}
    options:
      - {value: 0, label: {en: "never", it: "mai"}}
      - {value: 1, label: {en: "often", it: "spesso"}}
      - {value: 9, no_answer: true, label: {en: "rather not say", it: "preferisco non dirlo"}}
scales:
  - {id: bond, name: {en: "Bond", it: "Legame"}, dimension: bond, items: [q1, q2], method: mean, missing_allowed: 1}
  - {id: total, name: {en: "Total", it: "Totale"}, dimension: whole, items: [q1, q2, q3], reversed: [q3], method: sum}
`

// refused stands for a change that makes no form.
const refused = "refused"

func parsed(t *testing.T, text string) *instrument.Instrument {
	t.Helper()
	i, err := instrument.Parse("compared", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestCompare: what is a correction, and what begins a new course, both ways.
func TestCompare(t *testing.T) {
	t.Parallel()
	older := parsed(t, compared)
	q2 := compared[strings.Index(compared, "  - {id: q2"):strings.Index(compared, "  - id: q3")]
	q1 := compared[strings.Index(compared, "  - {id: q1"):strings.Index(compared, "  - {id: q2")]
	tests := []struct {
		name, from, to string
		want           string // the structure; "" for a correction
		wording        int
	}{
		{"nothing", "", "", "", 0},
		{"a typo", "herd", "heard", "", 1},
		{"punctuation and capitals", "I wanted to leave.", "I WANTED TO LEAVE!", "", 1},
		{"a better translation of a part", "ascoltato", "ascoltato davvero", "", 1},
		{"another question", "I felt herd today.", "We spoke about my work.", "[{item_reworded q1}]", 1},
		{"a typo in a label", "often", "oftn", "", 1},
		{"another label", "often", "always", "[{item_labels q3}]", 1},
		{"another end of a line", `high: {en: "completely", it: "del tutto"}}` + "\n  - id: q3", `high: {en: "often", it: "del tutto"}}` + "\n  - id: q3", "[{item_labels q2}]", 1},
		{"name and title", `name: {en: "Mood", it: "Umore"}`, `name: {en: "How it was", it: "Com'era"}`, "", 2},
		{"another instruction", "Think of the session of today.", "How were the last two months?", "[{intro }]", 1},
		{"ages", "ages: [adult]", "ages: [adult, adolescent]", "", 0},
		{"the licence", "CC-BY-4.0", "CC0-1.0", "", 0},
		{"a comment is asked", "items:\n", "comment_prompt: {en: \"More?\", it: \"Altro?\"}\nitems:\n", "", 2},
		{"kind", "kind: alliance", "kind: outcome", "[{kind }]", 0},
		{"informant", "informant: client", "informant: carer", "[{informant }]", 0},
		{"period", "period: session", "period: week", "[{period }]", 0},
		{"what is better", "higher_is_better: true", "higher_is_better: false", "[{scale_rule bond} {scale_rule total}]", 0},
		{"the range of the choices", "{value: 0, ", "{value: -1, ", "[{item_answers q3} {scale_rule total}]", 0},
		{"the step of a line", "{id: q1, display: line, min: 0, max: 10,", "{id: q1, display: line, min: 0, max: 10, step: 0.5,", "[{item_answers q1}]", 0},
		{"the value of a choice", "{value: 1, ", "{value: 2, ", "[{item_answers q3} {scale_rule total}]", 0},
		{"a choice more", "      - {value: 9, no_answer: true", "      - {value: 0.5, label: {en: \"at times\", it: \"a volte\"}}\n      - {value: 9, no_answer: true", "[{item_answers q3}]", 0},
		{"order", q1 + q2, q2 + q1, "[{item_order }]", 0},
		{"an item removed", q2 + compared[strings.Index(compared, "  - id: q3"):], strings.ReplaceAll(strings.ReplaceAll(compared[strings.Index(compared, "  - id: q3"):], "q1, q2", "q1"), "missing_allowed: 1", "missing_allowed: 0"),
			"[{item_removed q2} {scale_items bond} {scale_rule bond} {scale_items total} {scale_rule total}]", 0},
		{"an item of a scale", "dimension: bond, items: [q1, q2]", "dimension: bond, items: [q1, q3]", refused, 0}, // their ranges differ
		{"the order within a scale", "items: [q1, q2]", "items: [q2, q1]", "", 0},
		{"reversed", "reversed: [q3]", "reversed: [q2, q3]", "[{scale_reversed total}]", 0},
		{"sum for mean", "method: mean", "method: sum", "[{scale_rule bond}]", 0},
		{"what may be missing", "missing_allowed: 1", "missing_allowed: 0", "[{scale_rule bond}]", 0},
		{"dimension", "dimension: bond", "dimension: goals", "[{scale_dimension bond}]", 0},
		{"a scale renamed", `name: {en: "Bond", it: "Legame"}`, `name: {en: "Warmth", it: "Calore"}`, "", 2},
		{"a scale of another id", "id: bond", "id: warmth", "[{scale_removed bond} {scale_added warmth}]", 0},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(compared, c.from, c.to, 1)
			if c.from != c.to && text == compared {
				t.Fatal("nothing was changed")
			}
			newer, err := instrument.Parse("newer", []byte(text))
			if c.want == refused {
				if err == nil {
					t.Error("accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := instrument.Compare(older, newer)
			if s := fmt.Sprint(got.Structure); s != cmp.Or(c.want, "[]") {
				t.Errorf("structure %s, not %s", s, c.want)
			}
			if got.Keeps() != (c.want == "") || len(got.Wording) != c.wording {
				t.Errorf("keeps %v, wording %v", got.Keeps(), got.Wording)
			}
			if back := instrument.Compare(newer, older); back.Keeps() != got.Keeps() {
				t.Errorf("the other way round: %v", back.Structure)
			}
		})
	}
}

// TestCompareLanguages: a translation that is added or dropped leaves the course
// as it is, and what was added is told.
func TestCompareLanguages(t *testing.T) {
	t.Parallel()
	older := parsed(t, compared)
	newer := parsed(t, compared)
	for _, x := range []instrument.Text{newer.Name, newer.Title, newer.Intro, newer.Items[0].Text} {
		delete(x, "it")
	}
	if c := instrument.Compare(older, newer); !c.Keeps() || len(c.Wording) != 0 {
		t.Errorf("dropped: %+v", c)
	}
	if c := instrument.Compare(newer, older); !c.Keeps() || len(c.Wording) != 4 || c.Wording[0].From != "" {
		t.Errorf("added: %+v", c)
	}
}

// TestSameCourse: only versions of one form can share a course.
func TestSameCourse(t *testing.T) {
	t.Parallel()
	a := parsed(t, compared)
	b := parsed(t, strings.Replace(strings.Replace(compared, "version: 1", "version: 2", 1), "herd", "heard", 1))
	c := parsed(t, strings.Replace(strings.Replace(compared, "version: 1", "version: 3", 1), "method: sum", "method: mean", 1))
	d := parsed(t, strings.Replace(compared, "id: mood", "id: other", 1))
	if !instrument.SameCourse(a, b) || instrument.SameCourse(b, c) || instrument.SameCourse(a, d) {
		t.Error("a correction goes on, a change of structure and another form do not")
	}
}

// TestWorking: the terms of a score add up to it.
func TestWorking(t *testing.T) {
	t.Parallel()
	i := parsed(t, compared)
	w := i.Working(instrument.Answers{"q1": 7, "q3": 1})
	if w[0].Value != 7 || w[0].Terms[1].State != instrument.Unanswered || !math.IsNaN(w[0].Terms[1].Used) {
		t.Errorf("%+v", w[0])
	}
	if w[1].OK {
		t.Error("a total without one of its items")
	}
	w = i.Working(instrument.Answers{"q1": 7, "q2": 2, "q3": 1})
	total := 0.0
	for _, x := range w[1].Terms {
		total += x.Used
	}
	if last := w[1].Terms[2]; total != 9 || w[1].Value != total || !last.Reversed || last.Answer != 1 || last.Used != 0 {
		t.Errorf("%+v", w[1])
	}
	if declined := i.Working(instrument.Answers{"q3": 9}); declined[1].Terms[2].State != instrument.Declined {
		t.Errorf("%+v", declined[1])
	}
	if p := fmt.Sprint(i.Items[2].Places(), len(i.Items[0].Places())); p != "[0 1] 11" {
		t.Error(p)
	}
}
