// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"context"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

type importContext = context.Context

// TestFaults breaks the n-th statement of each writing use case, for n = 1, 2,
// ... until it succeeds: after each failure the database is as it was, and the
// error never says that something does not exist.
func TestFaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		broken := 0
		w.need()
		w.carerEach()
		for _, u := range useCases {
			if !u.writes || u.method == "SignOut" || u.method == "EndVisit" || u.method == "MissSession" {
				continue
			}
			broken += w.breakEach(u, u.may[0])
		}
		for _, u := range useCases { // those that end something others need
			if u.method == "MissSession" || u.method == "EndVisit" || u.method == "SignOut" {
				if u.method == "MissSession" {
					w.now.Add(justStarted)
					w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
				}
				broken += w.breakEach(u, u.may[0])
			}
		}
		if broken < 100 {
			t.Errorf("only %d statements were broken", broken)
		}
		t.Logf("%d statements broken one by one", broken)
	})
}

// breakEach returns how many statements were broken before u succeeded.
func (w *world) breakEach(u useCase, x who) int {
	w.t.Helper()
	before := w.digest()
	for n := int64(1); n < 500; n++ {
		w.left.Store(n)
		w.fail.Store(1)
		err := u.run(w, w.actor(x))
		w.fail.Store(0)
		if err == nil {
			return int(n - 1)
		}
		if care.CodeOf(err) != care.Unavailable {
			w.t.Errorf("%s, statement %d broken: %v", u.method, n, err)
			return int(n)
		}
		if now := w.digest(); now != before {
			before = now
			w.t.Errorf("%s, statement %d broken: half of it was written", u.method, n)
		}
	}
	w.t.Errorf("%s never succeeds", u.method)
	return 0
}
