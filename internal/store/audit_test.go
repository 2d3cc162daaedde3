// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

// note writes lines of the audit, each in a transaction of its own.
func (b *bench) note(from, to int) {
	b.t.Helper()
	for i := from; i <= to; i++ {
		b.write(func(tx *Tx) error {
			return tx.Audit(care.AuditEntry{ID: care.ID(fmt.Sprintf("0190-audit-%03d", i)), Practice: here.ID, AtMillis: int64(i), Actor: neri.ID,
				Action: "read_course", Record: therapy.ID, About: therapy.ID, Changes: i%2 == 0})
		})
	}
}

func (b *bench) verify(heads ...string) (int64, error) {
	return tryRead(b, func(tx *Tx) (int64, error) { return tx.VerifyAudit(here.ID, heads) })
}

func (b *bench) auditHead() string {
	return read(b, func(tx *Tx) (string, error) { return tx.AuditHead(here.ID) })
}

// edit changes the tables behind the store's back.
func (b *bench) edit(query string) {
	b.t.Helper()
	r, err := b.raw.ExecContext(b.ctx, query)
	must(b.t, err)
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		b.t.Fatalf("%s: touched %d rows, %v", query, n, err)
	}
}

// TestAuditChain: whoever changes, removes, swaps, adds or cuts lines of the
// audit, or sets it back, is found out, and the first bad line is named.
func TestAuditChain(t *testing.T) {
	t.Parallel()
	lane := "lane = (SELECT MAX(lane) FROM audit)"
	of := func(seq int) string { return fmt.Sprintf(" WHERE %s AND seq = %d", lane, seq) }
	swap := "UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE " + lane + " AND seq IN (2, 3); UPDATE audit SET seq = -seq WHERE seq < 0"
	for name, x := range map[string]struct {
		edit string
		seq  int64
		what care.FaultKind
	}{
		"who":             {"UPDATE audit SET actor_id = 'somebody'" + of(3), 3, care.LineAltered},
		"what":            {"UPDATE audit SET act = 'read_coursf'" + of(1), 1, care.LineAltered},
		"when":            {"UPDATE audit SET at_millis = at_millis + 1" + of(2), 2, care.LineAltered},
		"about whom":      {"UPDATE audit SET about_id = ''" + of(4), 4, care.LineAltered},
		"a value shifted": {"UPDATE audit SET act = act || 'x', record_id = SUBSTR(record_id, 2)" + of(4), 4, care.LineAltered},
		"the code":        {"UPDATE audit SET link = (SELECT link FROM audit" + of(1) + ")" + of(2), 2, care.LineAltered},
		"removed":         {"DELETE FROM audit" + of(2), 2, care.LineMissing},
		"the first":       {"DELETE FROM audit" + of(1), 1, care.LineMissing},
		"swapped":         {swap, 2, care.LineAltered},
		"cut":             {"DELETE FROM audit WHERE " + lane + " AND seq >= 4", 4, care.TailCut},
		"the head":        {"UPDATE audit_head SET seq = 3 WHERE " + strings.ReplaceAll(lane, "FROM audit", "FROM audit_head"), 5, care.HeadAltered},
		"another chain":   {"UPDATE audit SET lane = 99" + of(5), 5, care.TailCut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, b *bench) {
				b.settle()
				b.note(1, 80) // on PostgreSQL five in each of sixteen chains
				if lines, err := b.verify(b.auditHead()); err != nil || lines != 80 {
					t.Fatalf("untouched: %d lines, %v", lines, err)
				}
				if b.engine == "sqlite" {
					b.edit("DELETE FROM audit WHERE seq > 5")
					b.edit("UPDATE audit_head SET seq = 5, link = (SELECT link FROM audit WHERE seq = 5)")
				}
				b.edit(x.edit)
				_, err := b.verify()
				var fault care.AuditFault
				if !errors.As(err, &fault) || fault.What != x.what || fault.Seq != x.seq || fault.Practice != here.ID {
					t.Errorf("%v, not %s at %d", err, x.what, x.seq)
				}
			})
		})
	}
}

// TestAuditTogether: many transactions at once each get their line, and every
// chain holds.
func TestAuditTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		var all sync.WaitGroup
		for side := range 24 {
			all.Go(func() {
				for i := range 15 {
					err := b.s.Write(b.ctx, func(tx *Tx) error {
						return tx.Audit(care.AuditEntry{ID: care.ID(fmt.Sprintf("0190-together-%02d-%02d", side, i)), Practice: here.ID, Action: "x"})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if lines, err := b.verify(b.auditHead()); err != nil || lines != 24*15 {
			t.Errorf("%d lines, %v", lines, err)
		}
	})
}

// TestAuditAnchor: a tail cut together with its head, or the whole audit set
// back, shows only against a head noted outside.
func TestAuditAnchor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		b.note(1, 64)
		early := b.auditHead()
		b.note(65, 100)
		late := b.auditHead()
		for _, h := range [][]string{nil, {early}, {late}, {late, early}} {
			if lines, err := b.verify(h...); err != nil || lines != 100 {
				t.Errorf("%q: %d, %v", h, lines, err)
			}
		}
		b.edit("DELETE FROM audit WHERE audit_id > '0190-audit-064'")
		b.edit("UPDATE audit_head SET seq = (SELECT MAX(a.seq) FROM audit a WHERE a.lane = audit_head.lane), link = (SELECT a.link FROM audit a WHERE a.lane = audit_head.lane ORDER BY a.seq DESC LIMIT 1)")
		if _, err := b.verify(early); err != nil {
			t.Errorf("set back to the early head: %v", err)
		}
		var fault care.AuditFault
		if _, err := b.verify(late); !errors.As(err, &fault) || fault.What != care.NotAnchored {
			t.Errorf("the cut tail against the late head: %v", err)
		}
		for _, bad := range []string{"x", "1.2", "0.0." + strings.Repeat("a", 24), "0.1.zz", early + "-"} {
			if _, err := b.verify(bad); err == nil || errors.As(err, &fault) {
				t.Errorf("%q as a head: %v", bad, err)
			}
		}
		if _, err := tryRead(b, func(tx *Tx) (int64, error) { return tx.VerifyAudit(elsewhere.ID, nil) }); !errors.As(err, &fault) || fault.What != care.NoAudit {
			t.Errorf("a practice without an audit: %v", err)
		}
		same(t, "about the client", len(read(b, func(tx *Tx) ([]care.AuditEntry, error) { return tx.AuditAbout(here.ID, anna.ID, 10) })), 10)
		same(t, "about nobody", len(read(b, func(tx *Tx) ([]care.AuditEntry, error) { return tx.AuditAbout(elsewhere.ID, anna.ID, 10) })), 0)
	})
}
