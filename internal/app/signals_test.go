// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestNoShow: a session that nobody comes to says something of its own after one
// that is worth asking about, and nothing else; it is told until somebody comes.
func TestNoShow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		stayAway := func() {
			w.now.Add((7 * 24 * time.Hour).Milliseconds())
			id := get[care.ID](t)(w.app.ScheduleSession(w.ctx, w.neri, w.episode, w.now.Load()))
			must(t, w.app.MissSession(w.ctx, w.neri, id))
		}
		told := func(what string, want bool) {
			t.Helper()
			today := get[app.Today](t)(w.app.Today(w.ctx, w.neri))
			same(t, what+", in the list", today.Clients[0].NoShow, want)
			same(t, what+", on the page", get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, "")).NoShow, want)
			agenda := get[[]app.AgendaRow](t)(w.app.Agenda(w.ctx, w.longo))
			same(t, what+", for supervision", len(agenda) > 0 && agenda[0].NoShow, want)
		}
		w.answerAll(w.respondent, .8, 0, "")
		w.course(.8, .8)
		stayAway()
		told("with nothing to ask", false)
		w.course(.3)
		told("a fall", false)
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, care.ConversationContent{Choice: care.NextTime}))
		stayAway()
		told("and then nobody", true)
		if n := len(get[app.Today](t)(w.app.Today(w.ctx, w.neri)).Asking); n != 1 {
			t.Errorf("%d to ask about", n)
		}
		w.course(.8)
		told("back again", false)
	})
}
