// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

// TestSecondProcess: a SQLite file has one program that writes; a second may
// only read. PostgreSQL takes several.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		before := strings.Join(b.rows("practice"), "\n")
		second, err := Open(b.ctx, b.url, b.vault)
		if b.engine == "sqlite" && (err == nil || !strings.Contains(err.Error(), "in use by another process")) {
			t.Errorf("a second writer: %v", err)
		}
		if err == nil {
			must(t, second.Close())
		}
		reader, err := Open(b.ctx, b.url, b.vault, ReadOnly())
		must(t, err)
		must(t, reader.Read(b.ctx, func(tx *Tx) error { _, err := tx.Client(here.ID, anna.ID); return err }))
		if err := reader.Write(b.ctx, func(tx *Tx) error { return mark(tx, 1) }); care.CodeOf(err) != care.Unavailable {
			t.Errorf("the reader writes: %v", err)
		}
		must(t, reader.Close())
		must(t, b.s.Health(b.ctx))
		same(t, "what rests", strings.Join(b.rows("practice"), "\n"), before)
		must(t, b.s.Close())
		b.s = b.open() // the lock ends with its owner
	})
}
