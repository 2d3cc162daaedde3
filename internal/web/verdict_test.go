// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/i18n"
)

func TestVerdictWords(t *testing.T) {
	t.Parallel()
	fall := alliance.Reason{Code: alliance.Fell, Dimension: alliance.Goals, Informant: alliance.Client, Session: 4,
		Figures: alliance.Figures{From: 4.6, To: 3.1, Mean: 4.5, Change: -1.5, Deviation: -1.4, Threshold: 1.2, N: 4, FromSession: 3, ToSession: 4}}
	tense := alliance.Reason{Code: alliance.Tense, Session: 4, Tension: alliance.TensionYes}
	verdict := func(k alliance.Kind, r ...alliance.Reason) alliance.Verdict {
		return alliance.Verdict{Kind: k, Rule: alliance.RuleName, Version: alliance.RuleVersion, Session: 4, Reasons: r}
	}
	for _, c := range []struct {
		lang   string
		v      alliance.Verdict
		state  string
		text   string
		why    []string
		absent string
	}{
		{"en", verdict(alliance.WorthAsking, fall), "warm", "Worth asking. Goals fell from 4.6 to 3.1 since Tuesday.", []string{"1.5 points", "not a measured value", "version 1"}, "rupture"},
		{"it", verdict(alliance.WorthAsking, fall), "warm", "Vale la pena chiedere. Obiettivi: da 4,6 a 3,1 rispetto a Tuesday.", []string{"1,5 punti", "non misurato", "versione 1"}, "rottura"},
		{"en", verdict(alliance.WorthAsking, tense), "warm", "Worth asking. Asked directly, the client said that something stood between you.", []string{"version 1"}, "points"},
		{"en", verdict(alliance.NothingStandsOut), "calm", "Nothing stands out. The last rating lies within this person's usual range.", nil, ""},
		{"en", verdict(alliance.TooLittle, alliance.Reason{Code: alliance.FewValues, Figures: alliance.Figures{N: 1}}), "little", "Too little to say. Only one session is rated so far", nil, ""},
		{"it", verdict(alliance.CannotBeRead, alliance.Reason{Code: alliance.FlatMaximal, Figures: alliance.Figures{N: 9}}), "unread", "Non si può leggere. Tutte le 9 valutazioni", nil, ""},
	} {
		p := i18n.For(c.lang)
		got := verdictWords(p, c.v, func(int) string { return p.T("day.since", "Day", "Tuesday") })
		if got.State != c.state || !strings.HasPrefix(got.Word+" "+got.Text, c.text) {
			t.Errorf("%s: %q %s", c.lang, got.Word+" "+got.Text, got.State)
		}
		why := strings.Join(got.Why, "\n")
		for _, w := range c.why {
			if !strings.Contains(why, w) {
				t.Errorf("%s: %q is missing in %q", c.lang, w, why)
			}
		}
		if c.absent != "" && strings.Contains(got.Text+why, c.absent) {
			t.Errorf("%s: %q stands in %q", c.lang, c.absent, got.Text+why)
		}
	}
}
