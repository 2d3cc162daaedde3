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
	m := conversationModel{Prompts: c.prompts(v, care.Adult), Markers: c.markers(), Choices: care.SignalChoices(), Typed: care.ConversationContent{Choice: care.NotNow, Said: "<said>", Next: "\"next\""}}
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
		for _, age := range []care.AgeBand{care.Child, care.Adolescent} {
			v := alliance.Verdict{Reasons: []alliance.Reason{{Code: alliance.Fell, Dimension: alliance.Bond}, {Code: alliance.Fell, Dimension: alliance.Tasks}, {Code: alliance.Tense}, {Code: alliance.FlatMaximal}}}
			of := c.prompts(v, age)
			if len(of) != 3 || of[0].Lines[0] == got[0].Lines[0] || strings.Contains(strings.Join(of[0].Lines, ""), "prompt.") {
				t.Errorf("%s, %s: %+v", lang, age, of)
			}
		}
		if none := c.prompts(alliance.Verdict{Kind: alliance.NothingStandsOut}, care.Adult); none != nil {
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
	got := c.said(v.Said)[0]
	want := []string{"Goals fell from 8.0 to 4.0. Since then: 6.0 and 8.0. It has not come back.", "Goals fell from 8.0 to 4.0. Since then: 6.0 and 8.0. It came back.", "Bond fell from 8.0 to 3.0. It was not rated since."}
	a, _ := json.Marshal(got.Lines)
	b, _ := json.Marshal(want)
	if string(a) != string(b) || got.Verdict != "" {
		t.Errorf("%s\n%s", a, b)
	}
}

// TestTogether: on the page that both look at stands nothing of the therapist's own:
// no rating, no guess, no note, no verdict, no word that was not agreed on.
func TestTogether(t *testing.T) {
	t.Parallel()
	c, _ := newStaffCall(t, "en")
	v := aCourse()
	v.CanAsk = true
	v.Sessions[1].Notes = []app.NoteView{{Text: "CANARY-note", By: "CANARY-by"}}
	carer := v.Alliance[0].Client[0]
	carer.Informant = alliance.Carer
	v.Alliance[0].Client = append(v.Alliance[0].Client, carer)
	v.Said = []app.ConversationView{{Conversation: care.Conversation{Content: care.ConversationContent{Choice: care.Talked, Why: "CANARY-why", Said: "CANARY-said", Mine: "CANARY-mine", Agreed: "slower", Next: "CANARY-next"}}}}
	m := c.togetherModel(v)
	if len(v.Sessions[1].Notes) != 1 {
		t.Error("the course itself was changed")
	}
	var page strings.Builder
	for _, p := range m.Pictures {
		page.WriteString(string(p.Wide) + string(p.Narrow))
		for _, r := range p.Rows {
			page.WriteString(r.Name + r.Therapist + r.Gap + r.Foretold)
		}
	}
	for _, a := range m.Agreed {
		page.WriteString(a.Text)
	}
	for _, bad := range []string{"CANARY", c.p.T("informant.therapist"), c.p.T("chart.note")} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("%q is on it", bad)
		}
	}
	if len(m.Agreed) != 1 || m.Agreed[0].Text != "slower" || len(m.Pictures) != 1 || len(m.Pictures[0].Rows) != 2 {
		t.Errorf("%+v", m)
	}
}
