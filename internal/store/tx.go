// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// Tx is one transaction. Its methods are the store's vocabulary; each returns
// care.Missing() for a row that is not there, never (zero, nil).
type Tx struct {
	ctx   context.Context
	s     *Store
	q     *sql.Tx
	keys  map[string]*vault.Key // unwrapped in this transaction
	reach reach

	damaged []care.Damaged // set aside, see damaged.go
	untold  error

	writing bool
	ran     int   // statements so far
	left    trace // by which a write is found again
}

func (t *Tx) exec(query string, args ...any) (sql.Result, error) {
	if err := t.admit(query, args); err != nil {
		return nil, err
	}
	r, err := t.q.ExecContext(t.ctx, query, args...)
	return r, t.s.fault("exec", err)
}

// Bulk prepares the transaction for writing thousands of rows.
func (t *Tx) Bulk() error {
	if t.s.engine.bulk() == "" {
		return nil
	}
	_, err := t.exec(t.s.engine.bulk())
	return err
}

func (t *Tx) trip(query string) error {
	if t.s.hook == nil {
		return nil
	}
	return t.s.fault("hook", t.s.hook(query))
}

// changed runs a statement that must touch exactly one row: Missing otherwise.
func (t *Tx) changed(query string, args ...any) error {
	r, err := t.exec(query, args...)
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err != nil {
		return t.s.fault("rows affected", err)
	}
	if n != 1 {
		return care.Missing()
	}
	return nil
}

// added runs an insert that may find its row already there.
func (t *Tx) added(query string, args ...any) (bool, error) {
	r, err := t.exec(query, args...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, t.s.fault("rows affected", err)
}

// scanner is what a row gives its columns through.
type scanner interface{ Scan(...any) error }

func one[T any](t *Tx, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	var zero T
	if err := t.admit(query, args); err != nil {
		return zero, err
	}
	v, err := scan(t.q.QueryRowContext(t.ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return zero, care.Missing()
	}
	return v, t.s.fault("query", err)
}

func list[T any](t *Tx, scan func(scanner) (T, error), query string, args ...any) (out []T, err error) {
	if err := t.admit(query, args); err != nil {
		return nil, err
	}
	rows, err := t.q.QueryContext(t.ctx, query, args...)
	if err != nil {
		return nil, t.s.fault("query", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, t.s.fault("scan", err)
		}
		out = append(out, v)
	}
	return out, t.s.fault("rows", rows.Err())
}

// practiceKey and clientKey name the data keys of a practice.
const practiceKey = "practice"

func clientKey(id care.ID) string { return "client:" + string(id) }

func keyPlace(practice care.ID, key string) vault.Place {
	return vault.Place{Practice: string(practice), Table: "data_key", Row: key, Column: "wrapped"}
}

// makeKey creates and keeps a client's data key, erasable where the vault has shares.
func (t *Tx) makeKey(practice care.ID, name string, atMillis int64) error {
	fresh := t.s.vault.NewKey
	if t.s.vault.HasShares() {
		fresh = t.s.vault.NewErasableKey
	}
	k, wrapped, err := fresh(keyPlace(practice, name))
	if errors.Is(err, vault.ErrErased) {
		return &care.Error{Code: care.Conflict, Key: "erasure.was_erased", Err: err}
	}
	if err != nil { // the disk of the shares is away or full
		return &care.Error{Code: care.Unavailable, Key: "error.unavailable", Err: fmt.Errorf("store: new data key: %w", err)}
	}
	if _, err := t.exec("INSERT INTO data_key (practice_id, key_id, wrapped, created_millis) VALUES ($1, $2, $3, $4)", practice, name, wrapped, atMillis); err != nil {
		return err
	}
	t.hold(practice, name, k)
	return nil
}

func (t *Tx) hold(practice care.ID, name string, k *vault.Key) {
	if t.keys == nil {
		t.keys = map[string]*vault.Key{}
	}
	t.keys[string(practice)+"/"+name] = k
}

// key returns a data key, unwrapped once in a transaction.
func (t *Tx) key(practice care.ID, name string) (*vault.Key, error) {
	if k := t.keys[string(practice)+"/"+name]; k != nil {
		return k, nil
	}
	wrapped, err := one(t, func(r scanner) (b []byte, err error) { return b, r.Scan(&b) },
		"SELECT wrapped FROM data_key WHERE practice_id = $1 AND key_id = $2", practice, name)
	if err != nil {
		return nil, err
	}
	return t.unwrap(practice, name, wrapped)
}

func (t *Tx) unwrap(practice care.ID, name string, wrapped []byte) (*vault.Key, error) {
	if k := t.keys[string(practice)+"/"+name]; k != nil {
		return k, nil
	}
	k, err := t.s.vault.Unwrap(keyPlace(practice, name), wrapped)
	if err != nil {
		return nil, t.s.fault("unwrap", err)
	}
	t.hold(practice, name, k)
	return k, nil
}

// cell seals and opens the values of one row under one key.
type cell struct {
	key     *vault.Key
	place   vault.Place
	failure error
}

func (t *Tx) cell(practice care.ID, keyName, table string, row care.ID, context string) (*cell, error) {
	k, err := t.key(practice, keyName)
	if err != nil {
		return nil, err
	}
	return newCell(k, practice, table, row, context), nil
}

func newCell(k *vault.Key, practice care.ID, table string, row care.ID, context string) *cell {
	return &cell{key: k, place: vault.Place{Practice: string(practice), Table: table, Row: string(row), Context: context}}
}

func (c *cell) at(column string) vault.Place {
	p := c.place
	p.Column = column
	return p
}

// seal and open keep the first failure, so that a row's columns read as a list.
func (c *cell) seal(column string, plain []byte) []byte {
	b, err := c.key.Seal(c.at(column), plain)
	c.failure = errors.Join(c.failure, err)
	return b
}

func (c *cell) open(column string, sealed []byte) []byte {
	b, err := c.key.Open(c.at(column), sealed)
	c.failure = errors.Join(c.failure, err)
	return b
}

// err is what went wrong in any column.
func (c *cell) err() error { return c.failure }
