// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"sync"
	"testing"
)

// TestCrowdAtOneRow: writers of three servers at one row, for longer than any of
// them would wait for a database that is away, all come to their end, and none
// overwrites what another one counted.
func TestCrowdAtOneRow(t *testing.T) {
	t.Parallel()
	b := newBench(t, "postgres")
	stores := []*Store{b.s, b.open(), b.open()}
	const writers, writes = 8, 8
	var wg sync.WaitGroup
	for _, s := range stores {
		if s != b.s {
			t.Cleanup(func() { must(t, s.Close()) })
		}
		for range writers {
			wg.Go(func() {
				for range writes {
					if err := s.Write(b.ctx, func(tx *Tx) error {
						if _, err := tx.Hit("crowd", 1, 1); err != nil {
							return err
						}
						_, err := tx.exec("SELECT pg_sleep(.02)") // a slow machine
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	same(t, "counted", read(b, func(tx *Tx) (int64, error) { return tx.Hits("crowd", 1) }), int64(len(stores)*writers*writes))
}
