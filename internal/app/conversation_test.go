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
			"marker": {Choice: care.Talked, Marker: "rupture"},
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

// TestAgenda: a signal that nobody answered stands on the agenda, then what came of
// it until the ratings come back; a strain that only the therapist saw until it is
// settled; a supervisor reads of it what was shared.
func TestAgenda(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		agenda := func(a care.Actor) []app.AgendaRow { return get[[]app.AgendaRow](t)(w.app.Agenda(w.ctx, a)) }
		w.answerAll(w.respondent, .8, 0, "")
		w.course(.8)
		same(t, "nothing yet", len(agenda(w.neri)), 0)
		w.course(.8, .3)
		for _, a := range []care.Actor{w.neri, w.longo} {
			if got := agenda(a); len(got) != 1 || !got[0].Unanswered || !got[0].Verdict.Asks() || got[0].Number != 4 || got[0].Since != w.now.Load() || len(got[0].Open) != 0 {
				t.Errorf("not answered: %+v", got)
			}
		}
		for _, a := range []care.Actor{w.costa, w.boss, w.stranger} {
			same(t, "another's", len(agenda(a)), 0)
		}
		same(t, "a client's", care.CodeOf(errorOf(w.app.Agenda(w.ctx, w.respondent))), care.NotFound)
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, care.ConversationContent{Choice: care.Talked, Said: "CANARY-said", Mine: "CANARY-mine", Marker: care.Withdrawal}))
		if got := agenda(w.neri); len(got) != 1 || got[0].Unanswered || len(got[0].Open) != 1 || got[0].Open[0].Content.Mine == "" || got[0].Open[0].Withheld || got[0].Unrepaired {
			t.Errorf("taken up: %+v", got)
		}
		if got := agenda(w.longo); len(got) != 1 || got[0].Open[0].Content.Marker != care.Withdrawal || got[0].Open[0].Content.Said+got[0].Open[0].Content.Mine != "" || !got[0].Open[0].Withheld {
			t.Errorf("not shared: %+v", got)
		}
		if got := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.longo, w.client, "")).Said; len(got) != 1 || got[0].Content.Mine != "" {
			t.Errorf("on the client's page: %+v", got)
		}
		w.course(.4, .4, .4)
		if got := agenda(w.longo); len(got) != 1 || !got[0].Unrepaired {
			t.Errorf("after three: %+v", got)
		}
		w.now.Add(time.Minute.Milliseconds())
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, care.ConversationContent{Choice: care.Talked, Settled: true}))
		for _, r := range agenda(w.neri) {
			if len(r.Open) > 0 {
				t.Errorf("settled: %+v", r)
			}
		}
		w.now.Add(time.Minute.Milliseconds())
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, care.ConversationContent{Choice: care.NextTime, Marker: care.UnsureMarker, Mine: "CANARY-again", Shared: true}))
		if got := agenda(w.longo); len(got) != 1 || len(got[0].Open) != 1 || got[0].Open[0].Content.Mine != "CANARY-again" {
			t.Errorf("a strain of the therapist's own: %+v", got)
		}
		w.course(.4, .8)
		if got := agenda(w.longo); len(got) != 1 || len(got[0].Open) != 1 {
			t.Errorf("no rating settles what only a person saw: %+v", got)
		}
	})
}
