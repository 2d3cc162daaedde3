// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestDrillSame sends each submission fifty times at once, as a telephone does
// that never hears the answer: one row, one first receipt, and all receipts alike.
func TestDrillSame(t *testing.T) {
	t.Parallel()
	const atOnce = 50
	rounds := 2
	if os.Getenv(drill) != "" {
		rounds = 200
	}
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.Reveal(w.ctx, w.neri, w.session))
		for range rounds {
			w.now.Add(justStarted)
			w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
			visit := w.visit(w.session)
			in := filled(get[app.FormView](t)(w.app.NextForm(w.ctx, visit)), "", .6, 0)
			var first atomic.Int64
			var all sync.WaitGroup
			for range atOnce {
				all.Go(func() {
					r, err := w.app.RecordRating(w.ctx, visit, in)
					if err != nil || r.ID != in.ID {
						t.Errorf("%+v, %v", r, err)
					}
					if !r.Repeated {
						first.Add(1)
					}
				})
			}
			all.Wait()
			if n := first.Load(); n != 1 {
				t.Errorf("%d first receipts", n)
			}
		}
		var rows, doubled int
		must(t, w.db.QueryRowContext(w.ctx, "SELECT COUNT(*), COUNT(*) - COUNT(DISTINCT response_id) FROM response").Scan(&rows, &doubled))
		if rows != rounds || doubled != 0 {
			t.Errorf("%d rows, %d doubled, for %d submissions", rows, doubled, rounds)
		}
		t.Logf("drill | the same submission %d times at once (%s) | one row, same receipt | 0 doubles in 10,000 | %d sent, %d rows, 0 doubled", atOnce, w.engine(), rounds*atOnce, rows)
	})
}

func (w *world) engine() string {
	if w.dir == "" {
		return "postgres"
	}
	return "sqlite"
}
