// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/entente-project/entente/internal/care"
)

// patience is how long a transaction waits for a database that is away, such as
// one that is restarted or whose standby takes over, before it says so.
const patience = 2 * time.Second

// again is the pause between two tries.
const again = 20 * time.Millisecond

// pause waits a moment, unless ctx or the patience ends first.
func pause(ctx context.Context, until time.Time) bool {
	if time.Until(until) < again {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(again):
		return true
	}
}

// lostCommit says that the connection broke while a transaction was being
// committed: it may be kept or not.
type lostCommit struct{ err error }

func (e *lostCommit) Error() string {
	return "the connection was lost while committing: " + e.err.Error()
}
func (e *lostCommit) Unwrap() error { return e.err }

// trace is what a transaction leaves behind if, and only if, it was kept: its
// number on the server, and a line of an audit.
type trace struct {
	number   string
	practice care.ID
	line     care.ID
}

// Read runs f on one consistent snapshot; it waits a moment for a database that is
// away. Errors: those of f; unavailable when the database cannot be reached.
func (s *Store) Read(ctx context.Context, f func(*Tx) error) error {
	for until := time.Now().Add(patience); ; {
		ran, err := s.readOnce(ctx, f)
		// Only f knows what it has already taken from a broken transaction, so it runs
		// again only if that is nothing.
		if err == nil || ran > 1 || !s.engine.lost(err) || !pause(ctx, until) {
			return err
		}
	}
}

func (s *Store) readOnce(ctx context.Context, f func(*Tx) error) (ran int, err error) {
	tx, err := s.readers.BeginTx(ctx, s.engine.readOptions())
	if err != nil {
		return 0, s.fault("begin", err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	t := &Tx{ctx: ctx, s: s, q: tx}
	err = t.told(f(t))
	return t.ran, err
}

// Write runs f in one transaction that is durable when Write returns nil, and
// leaves the database unchanged when it returns an error. f may run again if the
// engine asks for it, so it must not have effects of its own. If the connection
// breaks while f is committed, Write finds out whether it was kept; only where that
// cannot be known the error is unavailable and f may be kept all the same.
func (s *Store) Write(ctx context.Context, f func(*Tx) error) error {
	// Once begun, a write is not torn by a browser that went away.
	s.wrote.Store(time.Now().UnixMilli())
	steady := context.WithoutCancel(ctx)
	for until := time.Now().Add(patience); ; {
		var left trace
		err := s.writer.write(ctx, func(tx *sql.Tx) error {
			t := &Tx{ctx: steady, s: s, q: tx, writing: true}
			err := t.told(f(t))
			left = t.left
			return err
		})
		var lost *lostCommit
		if errors.As(err, &lost) {
			switch fate, known := s.fate(steady, left); {
			case known && fate:
				return nil
			case known && pause(steady, until):
				continue
			}
		}
		var e *care.Error
		if err == nil || errors.As(err, &e) {
			return err
		}
		return s.fault("write", err)
	}
}

// fate finds out whether a transaction whose commit was not answered was kept.
func (s *Store) fate(ctx context.Context, left trace) (kept, known bool) {
	if left.number == "" || left.line == "" {
		return false, false
	}
	for until := time.Now().Add(patience); ; {
		running, err := s.stillRuns(ctx, left.number)
		if err == nil && !running {
			break
		}
		if !pause(ctx, until) {
			return false, false
		}
	}
	// The number may belong to another by now, on a server that took over; the line
	// is nobody else's.
	err := s.Read(ctx, func(t *Tx) error {
		_, err := one(t, func(r scanner) (n int, err error) { return n, r.Scan(&n) }, "SELECT 1 FROM audit WHERE practice_id = $1 AND audit_id = $2", left.practice, left.line)
		return err
	})
	switch {
	case care.CodeOf(err) == care.NotFound:
		return false, true
	case err != nil:
		return false, false
	}
	// A transaction that was ended while it waited for its standby is kept here only.
	// One that is acknowledged after it says that the standby has both.
	return true, s.beat(ctx) == nil
}

// stillRuns asks the server whether a transaction of this number is neither kept
// nor undone yet.
func (s *Store) stillRuns(ctx context.Context, number string) (bool, error) {
	var state sql.NullString
	err := s.readers.QueryRowContext(ctx, "SELECT pg_xact_status($1::xid8)", number).Scan(&state)
	if s.engine.unheard(err) {
		return false, nil // a server that took over never heard of it
	}
	if err != nil {
		return false, fmt.Errorf("store: state of a transaction: %w", err)
	}
	return state.String == "in progress", nil
}
