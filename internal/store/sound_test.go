// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

// TestSound: what a check finds stays known until a check finds nothing.
func TestSound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		b.write(func(tx *Tx) error {
			return errors.Join(tx.AcrossPractices(), tx.Audit(care.AuditEntry{ID: "0190-a-0", Practice: elsewhere.ID, AtMillis: 1, Actor: neri.ID, Action: "tried"}),
				tx.Audit(care.AuditEntry{ID: "0190-a-1", Practice: here.ID, AtMillis: 1, Actor: neri.ID, Action: "tried"}))
		})
		must(t, b.s.Sound(t.Context()))
		same(t, "damage", b.s.Damage(), nil)
		b.sql("UPDATE audit SET act = 'untried' WHERE audit_id = '0190-a-1'")
		if err := b.s.Sound(t.Context()); err == nil || b.s.Damage() == nil || !strings.Contains(b.s.Damage().Error(), "0190-a-1") {
			t.Errorf("a changed line: %v, kept %v", err, b.s.Damage())
		}
		b.sql("UPDATE audit SET act = 'tried'")
		must(t, b.s.Sound(t.Context()))
		same(t, "damage after it was mended", b.s.Damage(), nil)
	})
}
