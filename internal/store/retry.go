// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// retryWriter runs each write in its own transaction, and again when another
// one got in its way. Those that are unlucky more often than that take turns, on
// all servers of the database together, so that many at one row do not keep each
// other from it.
type retryWriter struct {
	db      *sql.DB
	turn    chan struct{} // holds one while somebody here has or awaits the turn
	renewed *atomic.Int64 // when connections were last let go of, in milliseconds
}

const (
	maxRetries      = 20
	takesTurns      = 3 // tries
	uniqueViolation = "23505"
	// taking is the number of the lock that is the turn, the same for every server.
	taking = 0x656e746574726e
	// longestTurn bounds the wait for the turn.
	longestTurn = 20 * time.Second
)

// errCrowd says that others were in the way each time.
var errCrowd = errors.New("store: too many write the same at once")

// beginner is a pool of connections, or the one that has the turn.
type beginner interface {
	BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
}

func (w retryWriter) write(ctx context.Context, f func(*sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	met := false
	until := time.Now().Add(patience)
	var on beginner = w.db
	giveBack := func() {}
	defer func() { giveBack() }()
	for try := 0; ; try++ {
		err := once(ctx, on, f)
		var e *pgconn.PgError
		var unknown *lostCommit
		if errors.As(err, &unknown) {
			w.renew()
			return err
		}
		if w.lost(err) && pause(ctx, until) {
			giveBack()
			on, giveBack = w.db, func() {}
			w.renew()
			try = min(try, takesTurns-1) - 1
			continue
		}
		if err == nil || !errors.As(err, &e) {
			return err
		}
		switch {
		case e.Code[:2] == "40":
		case e.Code == uniqueViolation && strings.HasPrefix(e.ConstraintName, "audit_"):
			// Two wrote the next line of one chain: the one that runs again takes another.
		case e.Code == uniqueViolation && !met:
			// Of two that insert one row at once, ON CONFLICT spares the later only if the index it
			// names catches it; any other index fails. By the next run that row can be seen.
			met = true
		default:
			return err
		}
		// By tries alone a crowd at one row is told to come again while the machine is only slow.
		if try >= maxRetries && time.Now().After(until) {
			return fmt.Errorf("%w: %w", errCrowd, err)
		}
		if on != beginner(w.db) {
			continue // who has the turn need not step aside
		}
		if try+1 < takesTurns {
			time.Sleep(time.Duration(rand.Int64N(int64(time.Millisecond) << try))) //nolint:gosec // spreads retries, hides nothing
			continue
		}
		conn, release, turnErr := w.take(ctx)
		switch {
		case turnErr == nil:
			on, giveBack = conn, release
		case w.lost(turnErr) && pause(ctx, until):
			w.renew()
			try--
		default:
			return fmt.Errorf("%w: %w: %w", errCrowd, turnErr, err)
		}
	}
}

// take waits for the turn and returns the connection that has it. A lock of the
// transaction itself would be too late: repeatable read sees what was there when
// its first statement began, and that would be the one that waits.
func (w retryWriter) take(ctx context.Context) (*sql.Conn, func(), error) {
	steady, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestTurn)
	defer cancel()
	select {
	case w.turn <- struct{}{}:
	case <-steady.Done():
		return nil, nil, steady.Err()
	}
	conn, err := w.db.Conn(steady)
	if err != nil {
		<-w.turn
		return nil, nil, err
	}
	release := func() {
		// A connection that cannot give the turn back must not be used again: closing it does.
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if _, err := conn.ExecContext(brief, "SELECT pg_advisory_unlock($1)", taking); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close()
		<-w.turn
	}
	if _, err := conn.ExecContext(steady, "SELECT pg_advisory_lock($1)", taking); err != nil {
		release()
		return nil, nil, err
	}
	return conn, release, nil
}

func once(ctx context.Context, on beginner, f func(*sql.Tx) error) error {
	// Repeatable read: what a use case looked up still holds when it writes, or it runs again.
	tx, err := on.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // for a panic: a connection that is not given back is lost
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err = tx.Commit(); (retryWriter{}).lost(err) {
		return &lostCommit{err}
	}
	return err
}

// lost is wider for a writer: a server that was set back to reading, because
// another took over, is one to leave.
func (w retryWriter) lost(err error) bool {
	var e *pgconn.PgError
	return (postgresEngine{}).lost(err) || errors.As(err, &e) && e.Code == "25006"
}

// renew lets go of all connections that rest: they may lead to the same server. Not
// again at once, when those that rest are new.
func (w retryWriter) renew() {
	now, last := time.Now().UnixMilli(), w.renewed.Load()
	if now-last < renewEvery || !w.renewed.CompareAndSwap(last, now) {
		return
	}
	w.db.SetMaxIdleConns(0)
	w.db.SetMaxIdleConns(connections)
}

const renewEvery = 500 // milliseconds

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func (w retryWriter) close() error { return w.db.Close() }
