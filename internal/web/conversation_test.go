// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// aConversation is the page with everything that may stand on it.
func aConversation(c *call) conversationModel {
	v := alliance.Verdict{Kind: alliance.WorthAskingNow, Rule: alliance.WeighingName, Version: 1, Session: 3}
	for _, d := range []alliance.Dimension{alliance.Bond, alliance.Tasks, alliance.Goals, alliance.Whole, alliance.Bond} {
		v.Reasons = append(v.Reasons, alliance.Reason{Code: alliance.Fell, Dimension: d, Informant: alliance.Client})
	}
	v.Reasons = append(v.Reasons, alliance.Reason{Code: alliance.Tense, Tension: alliance.TensionYes}, alliance.Reason{Code: alliance.FlatMaximal})
	m := conversationModel{Prompts: c.prompts(v), Choices: care.SignalChoices(), Typed: care.ConversationContent{Choice: care.NotNow, Said: "<said>", Next: "\"next\""}}
	m.Session, m.Client = care.Session{ID: "s", Number: 3}, care.Client{ID: "c", Label: "<C>"}
	m.Verdict = verdictWords(c.p, v, func(int) string { return "" })
	return m
}

// TestPrompts: each thing that a verdict rests on has its questions once, and a
// verdict that rests on nothing has none.
func TestPrompts(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		c, _ := newStaffCall(t, lang)
		got := aConversation(c).Prompts
		if len(got) != 6 {
			t.Fatalf("%s: %d prompts", lang, len(got))
		}
		for _, p := range got {
			if len(p.Lines) != mostPrompts || strings.Contains(strings.Join(p.Lines, ""), "prompt.") {
				t.Errorf("%s: %+v", lang, p)
			}
		}
		if none := c.prompts(alliance.Verdict{Kind: alliance.NothingStandsOut}); none != nil {
			t.Errorf("%s: %+v", lang, none)
		}
	}
}

// TestSaid: what had fallen and came back is told in other words than what did not.
func TestSaid(t *testing.T) {
	t.Parallel()
	c, _ := newStaffCall(t, "en")
	values := []alliance.Point{{Session: 4, Value: 6, OK: true}, {Session: 5, Value: 8, OK: true}}
	since := app.Since{Dimension: alliance.Goals, From: 8, To: 4, Values: values}
	back := since
	back.Back = true
	v := app.ClientView{Said: []app.ConversationView{{Since: []app.Since{since, back, {Dimension: alliance.Bond, From: 8, To: 3}}}}}
	got := c.said(v)[0]
	want := []string{"Goals fell from 8.0 to 4.0. Since then: 6.0 and 8.0. It has not come back.", "Goals fell from 8.0 to 4.0. Since then: 6.0 and 8.0. It came back.", "Bond fell from 8.0 to 3.0. It was not rated since."}
	a, _ := json.Marshal(got.Lines)
	b, _ := json.Marshal(want)
	if string(a) != string(b) || got.Verdict != "" {
		t.Errorf("%s\n%s", a, b)
	}
}
