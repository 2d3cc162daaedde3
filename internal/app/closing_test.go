// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// someEnds are an episode to be ended, and one that has ended (see need).
func (w *world) someEnds() {
	w.t.Helper()
	for _, id := range []*care.ID{&w.endable, &w.over} {
		client := get[care.ID](w.t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-ends", AgeBand: care.Adult, Language: "en"}))
		*id = get[app.ClientView](w.t)(w.app.ClientPage(w.ctx, w.neri, client, "")).Episode.ID
	}
	must(w.t, w.app.CloseEpisode(w.ctx, w.neri, w.over, care.ClosingContent{Reason: care.NotKnown}))
}

// TestClosing: a course that ends leaves the lists, asks nothing more and stays
// readable, with why it ended and how the alliance stood; it can go on again.
func TestClosing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.answerAll(w.respondent, .8, 0, "")
		w.course(.8, .8, .3)
		id := get[care.ID](t)(w.app.ScheduleSession(w.ctx, w.neri, w.episode, w.now.Load()+1000))
		end := care.ClosingContent{Reason: care.Dissatisfied, Words: " CANARY-end "}
		same(t, "with a session to come", keyOf(w.app.CloseEpisode(w.ctx, w.neri, w.episode, end)), "closing.planned")
		must(t, w.app.MissSession(w.ctx, w.neri, id))
		same(t, "without a reason", care.CodeOf(w.app.CloseEpisode(w.ctx, w.neri, w.episode, care.ClosingContent{Reason: "bored"})), care.Invalid)
		same(t, "the supervisor's", care.CodeOf(w.app.CloseEpisode(w.ctx, w.longo, w.episode, end)), care.Forbidden)
		must(t, w.app.CloseEpisode(w.ctx, w.neri, w.episode, end))
		same(t, "twice", keyOf(w.app.CloseEpisode(w.ctx, w.neri, w.episode, end)), "closing.already")
		_, err := w.app.StartSession(w.ctx, w.neri, w.episode)
		same(t, "a session after its end", keyOf(err), "closing.already")
		_, err = w.app.ScheduleSession(w.ctx, w.neri, w.episode, w.now.Load()+1000)
		same(t, "one to come", keyOf(err), "closing.already")
		same(t, "in the list", len(get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri))), 0)
		if kept := strings.Join(w.rows("closing"), "\n"); strings.Contains(kept, "CANARY") || strings.Contains(kept, "dissatisfied") {
			t.Error("why it ended lies open")
		}
		v := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if v.CanAsk || !v.Runs || len(v.Closings) != 1 || v.Closings[0].Content.Words != "CANARY-end" || !v.Closings[0].Shown.Asks() || v.Closings[0].By != "CANARY-neri" {
			t.Errorf("%+v", v.Closings)
		}
		for _, a := range []care.Actor{w.neri, w.longo} {
			if got := get[[]app.EndedRow](t)(w.app.Ended(w.ctx, a)); len(got) != 1 || got[0].Reason != care.Dissatisfied || got[0].Client.Label != "CANARY-client" || got[0].Episode.ClosedOn == "" {
				t.Errorf("%+v", got)
			}
		}
		for _, a := range []care.Actor{w.costa, w.boss, w.stranger} {
			same(t, "another's", len(get[[]app.EndedRow](t)(w.app.Ended(w.ctx, a))), 0)
		}
		w.now.Add(time.Minute.Milliseconds())
		must(t, w.app.ReopenEpisode(w.ctx, w.neri, w.episode))
		same(t, "again", keyOf(w.app.ReopenEpisode(w.ctx, w.neri, w.episode)), "closing.not_ended")
		get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		v = get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if !v.CanAsk || len(v.Closings) != 1 {
			t.Errorf("going on: %+v", v.Closings)
		}
	})
}
