// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// TestLease: of many who ask at once one gets it; the others after its time, or
// once it is given back.
func TestLease(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		take := func(holder string, now, until int64) bool {
			got, err := b.s.Lease(b.ctx, "backup", holder, now, until)
			must(t, err)
			return got
		}
		var all sync.WaitGroup
		var winners atomic.Int64
		for i := range 8 {
			all.Go(func() {
				got, err := b.s.Lease(b.ctx, "at once", string(rune('a'+i)), 100, 200)
				if err != nil {
					t.Error(err)
				}
				if got {
					winners.Add(1)
				}
			})
		}
		all.Wait()
		same(t, "winners", winners.Load(), int64(1))
		same(t, "the first", take("a", 100, 200), true)
		same(t, "another meanwhile", take("b", 199, 400), false)
		same(t, "the first again", take("a", 150, 300), true)
		same(t, "another too early", take("b", 299, 400), false)
		same(t, "another afterwards", take("b", 300, 400), true)
		same(t, "the first no longer", take("a", 301, 500), false)
		same(t, "given back", take("b", 302, 302), true)
		same(t, "free again", take("a", 302, 500), true)
	})
}

// TestSecrets: another server of the same key reads them, the database does not
// show them, an exchange of keys takes them along, and what no key opens counts
// as not there.
func TestSecrets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		must(t, b.s.Close())
		file := filepath.Join(t.TempDir(), "entente.key")
		v, err := vault.Create(file)
		must(t, err)
		b.vault, b.s = v, nil
		b.s = b.open()
		_, err = b.s.Secret(b.ctx, "care.example.org")
		same(t, "what is not there", care.CodeOf(err), care.NotFound)
		for _, text := range []string{"first", "CANARY-key"} {
			must(t, b.s.PutSecret(b.ctx, "care.example.org", []byte(text)))
		}
		if at := strings.Join(b.rows("server_secret"), "\n"); strings.Contains(at, "CANARY") {
			t.Error("the secret rests in the open")
		}
		get := func() string {
			got, err := b.s.Secret(b.ctx, "care.example.org")
			must(t, err)
			return string(got)
		}
		same(t, "the secret", get(), "CANARY-key")
		old := b.bytes("SELECT wrapped FROM server_secret")
		_, err = vault.AddKey(b.ctx, file, vault.NoLock())
		must(t, err)
		must(t, v.Reload(b.ctx, file, vault.NoLock()))
		added := v.Keys()[1].Fingerprint
		must(t, vault.PromoteKey(b.ctx, file, vault.NoLock(), added))
		must(t, v.Reload(b.ctx, file, vault.NoLock()))
		same(t, "after an exchange", get(), "CANARY-key")
		now := b.bytes("SELECT wrapped FROM server_secret")
		if bytes.Equal(old, now) || v.WrappedUnder(now) != added {
			t.Errorf("wrapped under %q, not %q", v.WrappedUnder(now), added)
		}
		b.sql("UPDATE server_secret SET name = 'evil.example.org'")
		_, err = b.s.Secret(b.ctx, "evil.example.org")
		same(t, "one that was moved", care.CodeOf(err), care.NotFound)
		must(t, b.s.DropSecret(b.ctx, "evil.example.org"))
		must(t, b.s.DropSecret(b.ctx, "evil.example.org"))
		same(t, "rows", len(b.rows("server_secret")), 0)
	})
}

// TestBackupState: nothing at first, then what was put last.
func TestBackupState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		state := func() care.BackupState {
			return read(b, func(tx *Tx) (care.BackupState, error) { return tx.BackupState() })
		}
		same(t, "at first", state(), care.BackupState{})
		for _, s := range []care.BackupState{{FailedMillis: 3, EveryMillis: 4}, {MadeMillis: 5, TookMillis: 6, SizeBytes: 1 << 40, FailedMillis: 3, EveryMillis: 4}} {
			b.write(func(tx *Tx) error { return tx.PutBackupState(s) })
			same(t, "then", state(), s)
		}
	})
}
