// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

const (
	rewrapClients = 250 // more than two batches
	rewrapStorm   = 4
)

// TestRewrapInAStorm exchanges the key while clients are added and read: nothing
// fails, nothing is lost, and all is read by a program that has only the new key.
func TestRewrapInAStorm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		file := filepath.Join(t.TempDir(), "key")
		_, err := vault.Create(file)
		must(t, err)
		b.vault, err = vault.Open(file)
		must(t, err)
		must(t, b.s.Close())
		b.s = b.open()
		old := b.vault.Fingerprint()
		b.settle()
		added := func(n int) care.Client {
			c := anna
			c.ID, c.Reference = care.ID(fmt.Sprintf("0190-storm-%05d", n)), fmt.Sprintf("storm-%05d", n)
			return c
		}
		b.write(func(tx *Tx) error {
			for n := range rewrapClients {
				if err := tx.AddClient(added(n)); err != nil {
					return err
				}
			}
			return nil
		})
		stop, counts := make(chan struct{}), make([]int, rewrapStorm)
		var storm sync.WaitGroup
		for w := range rewrapStorm {
			storm.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					c := added((w+1)*10000 + n)
					if err := b.s.Write(b.ctx, func(tx *Tx) error { return tx.AddClient(c) }); err != nil {
						t.Errorf("a write while the key is exchanged: %v", err)
						return
					}
					counts[w]++
					if err := b.s.Read(b.ctx, func(tx *Tx) error { _, err := tx.Client(here.ID, c.ID); return err }); err != nil {
						t.Errorf("a read while the key is exchanged: %v", err)
						return
					}
				}
			})
		}
		next, err := vault.AddKey(b.ctx, file, vault.NoLock())
		must(t, err)
		must(t, b.vault.Reload(b.ctx, file, vault.NoLock()))
		must(t, vault.PromoteKey(b.ctx, file, vault.NoLock(), next.Fingerprint))
		must(t, b.vault.Reload(b.ctx, file, vault.NoLock()))
		rewrapped, err := b.s.Rewrap(b.ctx, func(int64) error { return nil })
		close(stop)
		storm.Wait()
		must(t, err)
		// A client that was being added at the reload may have come under the
		// former key behind the back of the first round.
		_, err = b.s.Rewrap(b.ctx, func(int64) error { return nil })
		must(t, err)
		if rewrapped < rewrapClients {
			t.Errorf("%d data keys rewrapped, want at least %d", rewrapped, rewrapClients)
		}
		under, err := b.s.KeysUnder(b.ctx)
		must(t, err)
		if under[old] != 0 || under[""] != 0 {
			t.Fatalf("data keys left under the former key: %v", under)
		}
		must(t, vault.RemoveKey(b.ctx, file, vault.NoLock(), old))
		must(t, b.s.Close())
		b.vault, err = vault.Open(file)
		must(t, err)
		b.s = b.open()
		total := 0
		for w, n := range append([]int{rewrapClients}, counts...) {
			total += n
			for i := range n {
				c := added(w*10000 + i)
				got := read(b, func(tx *Tx) (care.Client, error) { return tx.Client(here.ID, c.ID) })
				if got.Label != anna.Label || got.Reference != c.Reference {
					t.Fatalf("%s reads as %q, %q", c.ID, got.Label, got.Reference)
				}
			}
		}
		t.Logf("%d rewrapped, %d clients read with the new key alone", rewrapped, total)
	})
}

// TestRewrapStopped: each statement of a rewrap may fail; what is done stays
// readable under both keys, and the next call finishes.
func TestRewrapStopped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		file := filepath.Join(t.TempDir(), "key")
		_, err := vault.Create(file)
		must(t, err)
		b.vault, err = vault.Open(file)
		must(t, err)
		must(t, b.s.Close())
		b.s = b.open()
		b.settle()
		next, err := vault.AddKey(b.ctx, file, vault.NoLock())
		must(t, err)
		must(t, vault.PromoteKey(b.ctx, file, vault.NoLock(), next.Fingerprint))
		must(t, b.vault.Reload(b.ctx, file, vault.NoLock()))
		failures := 0
		for n := 0; ; n++ {
			left := n
			b.s.hook = func(string) error {
				if left--; left < 0 {
					return fmt.Errorf("broken at statement %d", n)
				}
				return nil
			}
			_, err := b.s.Rewrap(b.ctx, func(int64) error { return nil })
			b.s.hook = nil
			read(b, func(tx *Tx) (care.Client, error) { return tx.Client(here.ID, anna.ID) })
			if err == nil {
				break
			}
			failures++
		}
		if failures == 0 {
			t.Error("no statement failed")
		}
		under, err := b.s.KeysUnder(b.ctx)
		must(t, err)
		if len(under) != 1 || under[next.Fingerprint] != 4 {
			t.Errorf("data keys by key: %v", under)
		}
	})
}
