// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestSignalRule: what a practice chooses judges every course of its own, old ones
// too, on each page; what was shown before stays; another practice's do not change.
func TestSignalRule(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		kind := func() (alliance.Kind, string) {
			v := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, "")).Verdict
			row := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri))[0].Verdict
			same(t, "in the list", row.Kind, v.Kind)
			same(t, "in the list", row.Rule, v.Rule)
			return v.Kind, v.Rule
		}
		w.answerAll(w.respondent, .8, 0, "")
		w.course(.8, .8, .6) // two points: nothing to the weighing, a fall to the plainest rule
		k, rule := kind()
		same(t, "at first", k, alliance.NothingStandsOut)
		same(t, "at first", rule, alliance.WeighingName)
		must(t, w.app.SetSignalRule(w.ctx, w.boss, "raw-fall"))
		same(t, "chosen", get[string](t)(w.app.SignalRule(w.ctx, w.boss)), "raw-fall")
		k, rule = kind()
		same(t, "then", k, alliance.WorthAsking)
		same(t, "then", rule, "raw-fall")
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, care.ConversationContent{Choice: care.Talked}))
		same(t, "another practice's", get[string](t)(w.app.SignalRule(w.ctx, w.stranger)), alliance.WeighingName)
		for _, bad := range []string{"", "reliable-change", "moon"} {
			same(t, bad, care.CodeOf(w.app.SetSignalRule(w.ctx, w.boss, bad)), care.Invalid)
		}
		must(t, w.app.SetSignalRule(w.ctx, w.boss, alliance.WeighingName))
		k, _ = kind()
		same(t, "back", k, alliance.NothingStandsOut)
		same(t, "what was shown", w.said()[0].Shown.Rule, "raw-fall")
	})
}
