// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"

	"github.com/entente-project/entente/internal/app"
)

// stale counts the courses of the world whose standing is of an earlier time.
func (w *world) stale() (n int) {
	w.t.Helper()
	must(w.t, w.db.QueryRowContext(w.ctx, "SELECT COUNT(*) FROM episode_client WHERE changes <> standing_of").Scan(&n))
	return n
}

// TestStandingKept: an answer only counts a change; the next look shows the
// course with it and keeps what it worked out, and each reader sees the same.
func TestStandingKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.Reveal(w.ctx, w.neri, w.session))
		get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri))
		if n := w.stale(); n != 0 {
			t.Fatalf("%d courses are stale before anybody answered", n)
		}
		w.now.Add(1)
		w.answerAll(w.respondent, .7, 2, "")
		if n := w.stale(); n != 1 {
			t.Errorf("%d courses are stale after an answer, not 1", n)
		}
		// A failing write must not turn a stale standing into a fresh one.
		w.left.Store(4)
		w.fail.Store(1)
		for range 30 {
			if _, err := w.app.Caseload(w.ctx, w.neri); err == nil {
				break
			}
			w.left.Store(w.fail.Add(1))
		}
		w.fail.Store(0)
		first := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri))
		if n := w.stale(); n != 0 {
			t.Errorf("%d courses are stale after a look", n)
		}
		kept := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri))
		if first[0].Unread != 1 || len(first[0].Spark) != 1 || first[0].Spark[0] != kept[0].Spark[0] || first[0].Verdict.Kind != kept[0].Verdict.Kind {
			t.Errorf("worked out %+v, kept %+v", first[0], kept[0])
		}
		if today := get[app.Today](t)(w.app.Today(w.ctx, w.longo)); len(today.Clients) != 1 || today.Clients[0].Spark[0] != kept[0].Spark[0] {
			t.Errorf("the supervisor sees %+v", today.Clients)
		}
	})
}
