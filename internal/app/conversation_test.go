// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// course lets weeks pass in which the client gives each item such a share.
func (w *world) course(shares ...float64) {
	for _, share := range shares {
		w.now.Add((7 * 24 * time.Hour).Milliseconds())
		w.session = get[care.ID](w.t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		must(w.t, w.app.Reveal(w.ctx, w.neri, w.session))
		w.answerAll(w.visit(w.session), share, 0, "")
	}
}

func (w *world) said() []app.ConversationView {
	return get[app.ClientView](w.t)(w.app.ClientPage(w.ctx, w.neri, w.client, "")).Said
}

// TestConversation: a fall is talked about, what was shown is kept with it, and the
// next ratings show that it came back.
func TestConversation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.answerAll(w.respondent, .8, 0, "")
		w.course(.8, .8, .3)
		about := w.session
		if today := get[app.Today](t)(w.app.Today(w.ctx, w.neri)); len(today.Asking) != 1 || today.Clients[0].Answered {
			t.Errorf("asked for: %+v", today.Asking)
		}
		w.now.Add(time.Minute.Milliseconds())
		must(t, w.app.AnswerSignal(w.ctx, w.neri, about, care.ConversationContent{Choice: care.NextTime}))
		w.now.Add(time.Minute.Milliseconds())
		must(t, w.app.AnswerSignal(w.ctx, w.neri, about, care.ConversationContent{Choice: care.Talked, Said: " CANARY-said ", Mine: "CANARY-mine", Agreed: "CANARY-agreed", Next: "CANARY-next"}))
		if today := get[app.Today](t)(w.app.Today(w.ctx, w.neri)); len(today.Asking) != 0 || !today.Clients[0].Answered {
			t.Errorf("still asked for: %+v", today.Asking)
		}
		got := w.said()
		if len(got) != 2 || got[0].Content.Choice != care.Talked || got[0].Content.Said != "CANARY-said" || got[0].Number != 4 || got[0].By == "" || !got[0].Shown.Asks() || len(got[0].Since) != 3 || got[0].Unrepaired {
			t.Fatalf("%+v", got)
		}
		if s := got[0].Since[0]; s.From != 8 || s.To != 3 || len(s.Values) != 0 || s.Back {
			t.Errorf("%+v", s)
		}
		if kept := strings.Join(w.rows("conversation"), "\n"); strings.Contains(kept, "CANARY") || strings.Contains(kept, "talked") {
			t.Error("what was said lies open")
		}
		w.course(.5, .8)
		got = w.said()
		if s := got[0].Since[0]; len(s.Values) != 2 || !s.Back || got[0].Unrepaired {
			t.Errorf("%+v", got[0])
		}
		if was := got[0].Shown; !was.Asks() || was.Session != 4 {
			t.Errorf("what was shown then: %+v", was)
		}
	})
}

// TestUnrepaired: three rated sessions without a way back are one for supervision,
// two are not, and a session that was not rated does not count.
func TestUnrepaired(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.answerAll(w.respondent, .8, 0, "")
		w.course(.8, .8, .3)
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, care.ConversationContent{Choice: care.NotNow, Why: "exams"}))
		w.course(.4, .4)
		get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		same(t, "after two", w.said()[0].Unrepaired, false)
		w.course(.4)
		same(t, "after three", w.said()[0].Unrepaired, true)
	})
}

// TestConversationRefused: a choice is needed, a reason where it says so; what is
// still hidden is not told by way of an answer; nobody else answers.
func TestConversationRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for field, in := range map[string]care.ConversationContent{
			"choice": {Choice: "maybe"}, "why": {Choice: care.NotNow, Why: "  "}, "agreed": {Choice: care.Talked, Agreed: strings.Repeat("x", 4001)},
		} {
			err := w.app.AnswerSignal(w.ctx, w.neri, w.session, in)
			if e, ok := errors.AsType[*care.Error](err); !ok || e.Code != care.Invalid || e.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		w.answerAll(w.respondent, .7, 2, "")
		talked := care.ConversationContent{Choice: care.Talked}
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, talked))
		if got := w.said(); len(got) != 1 || len(got[0].Content.Shown) != 0 || len(got[0].Shown.Reasons) != 0 {
			t.Errorf("before the guess: %+v", got)
		}
		w.now.Add(time.Minute.Milliseconds())
		must(t, w.app.Reveal(w.ctx, w.neri, w.session))
		for _, a := range []care.Actor{w.costa, w.longo, w.boss, w.stranger, w.respondent} {
			if code := care.CodeOf(w.app.AnswerSignal(w.ctx, a, w.session, talked)); code != care.NotFound && code != care.Forbidden {
				t.Errorf("another: %q", code)
			}
		}
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, talked))
		if got := w.said(); len(got) != 2 || !got[0].Shown.Asks() {
			t.Errorf("after it: %+v", got)
		}
	})
}
