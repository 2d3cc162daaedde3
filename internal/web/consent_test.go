// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// someConsents is an adolescent's page: one holder said yes to an older text, the
// other no, a court was added.
func someConsents(c *call) consentView {
	said := func(seq int64, who care.ID, version int, state care.ConsentState, note string) care.ConsentRecord {
		return care.ConsentRecord{ID: "r", Client: "c1", Person: who, Kind: care.ToTreatment, Version: version, Language: "it", State: state, How: care.OnPaper, By: "s", Seq: seq, AtMillis: daysAgo(3), Note: note}
	}
	v := app.ConsentView{Rule: care.ConsentRule{Holders: care.BothNeeded, AssentAge: 12}, CanAct: true, InForce: true, Due: 14, Staff: map[care.ID]string{"s": "Anna Neri"}, Consents: care.Consents{
		Client:  care.Client{ID: "c1", Label: "M. <R.>", AgeBand: care.Adolescent, Language: "it"},
		Holders: []care.ConsentHolder{{ID: "h1", Capacity: care.AsHolder1, Name: "<One>"}, {ID: "h2", Capacity: care.AsHolder2, Name: "Two"}, {ID: "h3", Capacity: care.AsCourt, Name: "Tribunale"}},
		Texts:   []care.ConsentText{{Kind: care.ToTreatment, Version: 1, Edition: 1}, {Kind: care.ToTreatment, Version: 2, Edition: 2}},
		Records: []care.ConsentRecord{said(1, "h1", 1, care.Given, ""), said(2, "h2", 2, care.Refused, "<said so>"), said(3, "c1", 0, care.Overridden, "in danger"), said(4, "c1", 0, care.OverrideEnd, "")},
	}}
	v.Gaps = v.Rule.Lacks(v.Consents)
	m := c.consentModel(v)
	m.Link, m.Plain, m.QR, m.Until = "http://x/form/text#t", "http://x/form/text/t", "data:image/png;base64,AA==", "y"
	return m
}

// TestConsentPageSays: whose word is missing stands in a sentence each, and a notice
// that was read offers nothing to be taken back.
func TestConsentPageSays(t *testing.T) {
	t.Parallel()
	c, _ := newStaffCall(t, "en")
	m := someConsents(c)
	if got := strings.Join(m.Lacks, " "); got != "Two refused. <One> agreed to an earlier text and is to be asked anew. M. <R.> has said nothing yet." {
		t.Errorf("the page says %q", got)
	}
	if len(m.Lines) != 4 || !strings.Contains(m.Lines[2], "Two, Consent to treatment: refused · version 2") {
		t.Errorf("the list is %q", m.Lines)
	}
}

// TestBesideComesBack: the mark goes with the answers, comes back with a form that is
// to be mended, and is not asked where a therapist or a carer is there anyway.
func TestBesideComesBack(t *testing.T) {
	t.Parallel()
	typed := url.Values{"beside": {"1"}, "form": {"session-client-adult@1"}}
	if !submissionOf(typed, "en").Beside || submissionOf(url.Values{}, "en").Beside {
		t.Error("the mark does not go with the answers")
	}
	page := func(id string, kiosk bool, typed url.Values) string {
		c, w := newCall(t, "en", "GET /form")
		if err := c.render(http.StatusOK, "form", newFormModel(c.p, sampleForm("en", id, kiosk), typed, nil)); err != nil {
			t.Fatal(err)
		}
		return w.Body.String()
	}
	const box = `name="beside" value="1"`
	if p := page("session-client-adult", false, nil); !strings.Contains(p, box+">") {
		t.Error("it cannot be marked")
	}
	if p := page("session-client-adult", false, typed); !strings.Contains(p, box+" checked>") {
		t.Error("it does not come back")
	}
	if strings.Contains(page("session-client-adult", true, nil)+page("session-client-child", false, nil), box) {
		t.Error("it is asked in the therapist's room, or of a child")
	}
}
