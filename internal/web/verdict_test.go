// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
	"strings"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/i18n"
)

func TestVerdictWords(t *testing.T) {
	t.Parallel()
	fall := alliance.Reason{Code: alliance.Fell, Dimension: alliance.Goals, Informant: alliance.Client, Session: 4,
		Figures: alliance.Figures{From: 4.6, To: 3.1, FromSession: 3, ToSession: 4}}
	back := fall
	back.Back = true
	weighed := alliance.Weighed{Dimension: alliance.Goals, Informant: alliance.Client, Value: 3.1, Low: 4, High: 5.2, Odds: math.Log(12), Limit: math.Log(7), Probability: .387, Margin: 1, N: 4, Fallen: true, FalseAlarms: .04, FalseAlarmsNow: .004}
	tense := alliance.Reason{Code: alliance.Tense, Session: 4, Tension: alliance.TensionYes}
	verdict := func(k alliance.Kind, r ...alliance.Reason) alliance.Verdict {
		return alliance.Verdict{Kind: k, Rule: alliance.WeighingName, Version: alliance.WeighingVersion, Session: 4, Reasons: r, Weighed: []alliance.Weighed{weighed}}
	}
	lower := verdict(alliance.NothingStandsOut)
	lower.Weighed[0].Fallen, lower.Weighed[0].Lower = false, true
	for _, c := range []struct {
		lang   string
		v      alliance.Verdict
		state  string
		text   string
		why    []string
		absent string
	}{
		{"en", verdict(alliance.WorthAsking, fall), "warm", "Worth asking. Goals fell from 4.6 to 3.1 since Tuesday.", []string{"Goals: 3.1, where 4.0 to 5.2 was to be expected in eight of ten cases.", "by 1.0 points or more, has a probability of 39 %", "a fall fits 12.0 times as well; from 7.0 times on", "courses of 4 sessions, 4 % are asked about without cause at least once, and less than 1 % at once", "version 1", "cannot see"}, "rupture"},
		{"it", verdict(alliance.WorthAskingNow, fall), "warm", "Vale la pena chiedere adesso. Obiettivi: da 4,6 a 3,1 rispetto a Tuesday.", []string{"tra 4,0 e 5,2", "almeno 1,0 punti, è del 39 %", "versione 1"}, "rottura"},
		{"en", verdict(alliance.WorthAsking, back), "warm", "Worth asking. Goals fell from 4.6 to 3.1 the time before, and came back.", nil, "since"},
		{"en", verdict(alliance.WorthAsking, tense), "warm", "Worth asking. Asked directly, the client said that something stood between you.", []string{"version 1"}, "rupture"},
		{"en", verdict(alliance.NothingStandsOut), "calm", "Nothing stands out. The last rating lies within what was to be expected of this person.", nil, ""},
		{"en", lower, "calm", "Nothing stands out. The last rating of Goals is lower than expected, but not", []string{"3.1, where"}, "probability"},
		{"en", verdict(alliance.TooLittle, alliance.Reason{Code: alliance.FewValues, Figures: alliance.Figures{N: 1}}), "little", "Too little to say. Only one session is rated so far", nil, ""},
		{"it", verdict(alliance.CannotBeRead, alliance.Reason{Code: alliance.FlatMaximal, Figures: alliance.Figures{N: 9}}), "unread", "Non si può leggere. Tutte le 9 valutazioni", nil, ""},
	} {
		p := i18n.For(c.lang)
		got := verdictWords(p, c.v, func(int) string { return p.T("day.since", "Day", "Tuesday") })
		if got.State != c.state || !strings.HasPrefix(got.Word+" "+got.Text, c.text) {
			t.Errorf("%s: %q %s", c.lang, got.Word+" "+got.Text, got.State)
		}
		why := strings.Join(append(got.Figures, got.How...), "\n")
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
