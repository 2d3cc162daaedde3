// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// Store is one open database of either engine.
type Store struct {
	engine   engine
	readers  *sql.DB
	writer   writer
	vault    *vault.Vault
	hook     Hook
	reading  bool   // nothing is written, and another process may have the database
	owner    string // connects to PostgreSQL as the owner of its tables, "" if the one that serves is
	wrote    atomic.Int64
	release  func() error
	damage   atomic.Pointer[error]
	unopened atomic.Int64  // values that the last Check could not open
	probe    chan struct{} // held by the Health that is under way
}

// Hook is called before each statement of a transaction; an error it returns
// stands in for the statement's. Tests use it to break things.
type Hook func(statement string) error

// Option changes how a store is opened.
type Option func(*Store)

// WithHook sets a statement hook.
func WithHook(h Hook) Option { return func(s *Store) { s.hook = h } }

// ReadOnly opens a database that another process may be using; every Write is
// refused.
func ReadOnly() Option { return func(s *Store) { s.reading = true } }

// WithOwner brings the schema up to date by another connection, as the user that
// owns the tables; the one that serves then needs no right to change them.
func WithOwner(url string) Option { return func(s *Store) { s.owner = url } }

// writer runs one write transaction to its durable end.
type writer interface {
	write(ctx context.Context, f func(*sql.Tx) error) error
	close() error
}

// refusing is the writer of a store that is only read.
type refusing struct{ db *sql.DB }

func (refusing) write(context.Context, func(*sql.Tx) error) error {
	return &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: errors.New("store: opened for reading only")}
}

func (w refusing) close() error { return w.db.Close() }

// Open opens the database at url ("sqlite:PATH" or "postgres://...") and brings
// its schema up to date. It refuses a schema newer than this program, and a SQLite
// file that lacks changes which it had acknowledged.
func Open(ctx context.Context, url string, v *vault.Vault, opts ...Option) (*Store, error) {
	e, err := engineOf(url)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: e, vault: v, probe: make(chan struct{}, 1)}
	for _, o := range opts {
		o(s)
	}
	s.release = func() error { return nil }
	if !s.reading {
		if s.release, err = e.lock(url); err != nil {
			return nil, err
		}
	}
	main, readers, err := e.open(ctx, url)
	if err != nil {
		return nil, errors.Join(err, s.release())
	}
	if err := s.prepare(ctx, url, main); err != nil {
		return nil, errors.Join(err, main.Close(), readers.Close(), s.release())
	}
	s.readers = readers
	if s.writer, err = e.writer(ctx, url, main, s.reading); err != nil {
		return nil, errors.Join(err, main.Close(), readers.Close(), s.release())
	}
	return s, nil
}

// prepare brings the schema up to date, as the owner of the tables, and makes sure
// that the user that serves is bound by what keeps practices apart.
func (s *Store) prepare(ctx context.Context, url string, main *sql.DB) (err error) {
	if s.reading || !s.engine.walled() {
		return migrate(ctx, s.engine, main, s.reading)
	}
	if err := bound(ctx, main); err != nil {
		return err
	}
	owner, user := main, ""
	if s.owner != "" {
		if err := main.QueryRowContext(ctx, "SELECT current_user").Scan(&user); err != nil {
			return fmt.Errorf("who the user of the database is cannot be read: %w", err)
		}
		if owner, _, err = s.engine.open(ctx, s.owner); err != nil {
			return fmt.Errorf("as the owner: %w", err)
		}
		defer func() { err = errors.Join(err, owner.Close()) }()
		url = s.owner
	}
	changing, done, err := s.engine.whole(url, owner)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return s.engine.prepare(ctx, owner, user, func() error { return migrate(ctx, s.engine, changing, false) })
}

// Close waits for the last write and closes every connection.
func (s *Store) Close() error {
	return errors.Join(s.writer.close(), s.readers.Close(), s.release())
}

// ReadsOnly reports whether it was opened with [ReadOnly].
func (s *Store) ReadsOnly() bool { return s.reading }

// LastWrite is when this store last wrote, or tried to; 1970 for never.
func (s *Store) LastWrite() time.Time { return time.UnixMilli(s.wrote.Load()) }

// Health reports within a few seconds whether a durable write is possible now: also
// while a database keeps every writer waiting, as PostgreSQL does whose standby is
// away.
func (s *Store) Health(ctx context.Context) error {
	late := time.After(patience + time.Second)
	silent := &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: errors.New("store: the database does not answer a write")}
	select {
	case s.probe <- struct{}{}: // one at a time, however long it waits
	case <-late:
		return silent
	}
	done := make(chan error, 1)
	go func() {
		err := s.beat(context.WithoutCancel(ctx))
		<-s.probe
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-late:
		return silent
	}
}

// beat makes the smallest durable write.
func (s *Store) beat(ctx context.Context) error {
	return s.Write(ctx, func(t *Tx) error {
		_, err := t.exec("INSERT INTO throttle (bucket, window_millis, hits) VALUES ($1, $2, $3) ON CONFLICT (bucket, window_millis) DO UPDATE SET hits = throttle.hits + 1", "health", 0, 1)
		return err
	})
}

// fault turns an engine's error into one of the six codes.
func (s *Store) fault(doing string, err error) error {
	var e *care.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return err
	case errors.Is(err, vault.ErrTampered):
		out := &care.Error{Code: care.Internal, Key: "error.tampered", Err: err}
		if at, ok := errors.AsType[*vault.TamperError](err); ok {
			out.Args = map[string]string{"Table": at.Place.Table, "Column": at.Place.Column, "Row": at.Place.Row}
		}
		return out
	case errors.Is(err, vault.ErrErased): // the rows go at the next start, see FinishErasures
		return &care.Error{Code: care.NotFound, Key: "error.not_found", Err: err}
	case errors.Is(err, vault.ErrNoShares), errors.Is(err, vault.ErrNoShare), errors.Is(err, vault.ErrBadShare):
		return &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: fmt.Errorf("store: %s: %w", doing, err)}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), s.engine.unavailable(err):
		return &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: fmt.Errorf("store: %s: %w", doing, err)}
	case s.engine.duplicate(err):
		return &care.Error{Code: care.Conflict, Key: "error.conflict", Err: fmt.Errorf("store: %s: %w", doing, err)}
	}
	return fmt.Errorf("store: %s: %w", doing, err)
}
