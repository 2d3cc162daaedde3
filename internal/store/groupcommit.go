// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// maxBatch bounds how many transactions share one commit, and so how long the
// first of them waits for the last.
const maxBatch = 64

// groupWriter is SQLite's single writer: whatever waits when a commit begins
// goes into it together, each behind its own savepoint, so that many submissions
// cost one fsync and none of them sees the failure of another.
type groupWriter struct {
	db    *sql.DB
	saw   *witness // nil: none
	queue chan *job
	done  chan struct{}
	stop  sync.Once
	gone  chan struct{}
}

type job struct {
	ctx    context.Context
	do     func(*sql.Tx) error
	result chan error
	failed error // what do returned; known before the commit
	panic  any
}

func newGroupWriter(db *sql.DB, saw *witness) *groupWriter {
	w := &groupWriter{db: db, saw: saw, queue: make(chan *job, maxBatch), done: make(chan struct{}), gone: make(chan struct{})}
	go w.loop()
	return w
}

func (w *groupWriter) write(ctx context.Context, f func(*sql.Tx) error) error {
	j := &job{ctx: ctx, do: f, result: make(chan error, 1)}
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done:
		return errClosed
	}
	// From here on the outcome must be known: a canceled caller still waits for it.
	select {
	case err := <-j.result:
		return j.end(err)
	case <-w.gone:
	}
	// The last commits and the end may both be there: the outcome goes first.
	select {
	case err := <-j.result:
		return j.end(err)
	default:
		return errClosed
	}
}

func (j *job) end(err error) error {
	if j.panic != nil {
		panic(j.panic)
	}
	return err
}

var errClosed = errors.New("the store is closed")

func (w *groupWriter) close() error {
	w.stop.Do(func() { close(w.done) })
	<-w.gone
	return errors.Join(w.db.Close(), w.saw.close())
}

func (w *groupWriter) loop() {
	defer close(w.gone)
	for {
		select {
		case j := <-w.queue:
			w.commit(w.gather(j))
		case <-w.done:
			for {
				select {
				case j := <-w.queue:
					w.commit(w.gather(j))
				default:
					return
				}
			}
		}
	}
}

// gather takes whatever already waits, without waiting for more.
func (w *groupWriter) gather(first *job) []*job {
	batch := []*job{first}
	for len(batch) < maxBatch {
		select {
		case j := <-w.queue:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (w *groupWriter) commit(batch []*job) {
	ctx := context.Background()
	tx, err := w.db.BeginTx(ctx, nil)
	if err == nil {
		for _, j := range batch {
			if err = w.run(ctx, tx, j); err != nil {
				break // the transaction itself is broken
			}
		}
		err = w.end(ctx, tx, err)
	}
	for _, j := range batch {
		switch {
		case j.failed != nil:
			j.result <- j.failed
		case err != nil:
			j.result <- fmt.Errorf("commit: %w", err)
		default:
			j.result <- nil
		}
	}
}

// end commits what has not failed, and lets the witness note it.
func (w *groupWriter) end(ctx context.Context, tx *sql.Tx, failed error) error {
	if failed == nil && w.saw == nil {
		return tx.Commit()
	}
	var lines int64
	if failed == nil {
		failed = tx.QueryRowContext(ctx, auditLines).Scan(&lines)
	}
	if failed != nil {
		return errors.Join(failed, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	w.saw.note(lines)
	return nil
}

const auditLines = "SELECT COALESCE(SUM(seq), 0) FROM audit_head"

// run does one job behind a savepoint. It returns an error only if the
// transaction as a whole cannot go on.
func (w *groupWriter) run(ctx context.Context, tx *sql.Tx, j *job) error {
	if err := j.ctx.Err(); err != nil {
		j.failed = err
		return nil //nolint:nilerr // the failure is this job's own; the others go on
	}
	if _, err := tx.ExecContext(ctx, "SAVEPOINT job"); err != nil {
		return err
	}
	j.failed = j.guarded(tx)
	if j.failed != nil {
		if _, err := tx.ExecContext(ctx, "ROLLBACK TO job"); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "RELEASE job")
	return err
}

// guarded turns a panic of the job into a failure, to be raised again in its caller.
func (j *job) guarded(tx *sql.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			j.panic = p
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return j.do(tx)
}
