// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"reflect"

	"modernc.org/sqlite"
)

// maxKept bounds the statements a connection keeps. The store's own are about a
// hundred; only a text made anew each time could reach it.
const maxKept = 256

// openSQLite opens a pool whose connections keep their prepared statements. The
// driver parses each text anew, which was 30 % of a submission's work, and a
// statement of database/sql does not help: in a pool it prepares again on any
// connection but its first.
func openSQLite(dsn string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeping{c}), nil
}

type keeping struct{ driver.Connector }

func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("store: the SQLite driver's connection lacks a method that the store uses"), c.Close())
	}
	return &keepingConn{sqliteConn: full, kept: map[string]*keptStmt{}}, nil
}

// sqliteConn is what database/sql uses of the driver's connection.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keptStmt is one prepared statement; busy while its rows are read.
type keptStmt struct {
	driver.Stmt
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	busy  bool
}

// keepingConn is used by one goroutine at a time, as database/sql promises.
type keepingConn struct {
	sqliteConn
	kept map[string]*keptStmt
}

// statement finds or prepares the statement of a text. own means that the caller
// closes it: the kept one is being read from.
func (c *keepingConn) statement(ctx context.Context, text string) (s *keptStmt, own bool, err error) {
	if s = c.kept[text]; s != nil && !s.busy {
		return s, false, nil
	}
	p, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, false, err
	}
	exec, e := p.(driver.StmtExecContext)
	query, q := p.(driver.StmtQueryContext)
	if !e || !q {
		return nil, false, errors.Join(driver.ErrSkip, p.Close())
	}
	fresh := &keptStmt{Stmt: p, exec: exec, query: query}
	if s != nil || len(c.kept) >= maxKept {
		return fresh, true, nil
	}
	c.kept[text] = fresh
	return fresh, false, nil
}

// ExecContext runs a statement that returns no rows.
func (c *keepingConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	s, own, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	r, err := s.exec.ExecContext(ctx, args)
	if own {
		err = errors.Join(err, s.Close())
	}
	return r, err
}

// QueryContext runs a statement whose rows are read before it is used again.
func (c *keepingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, own, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := s.query.QueryContext(ctx, args)
	if err != nil {
		if own {
			err = errors.Join(err, s.Close())
		}
		return nil, err
	}
	s.busy = true
	kept := &keptRows{Rows: rows, of: s, own: own}
	typed, ok := rows.(columnTypes)
	if !ok {
		return nil, errors.Join(errors.New("store: the SQLite driver's rows do not tell their columns' types"), kept.Close())
	}
	kept.columnTypes = typed
	return kept, nil
}

// Close closes the kept statements before their connection.
func (c *keepingConn) Close() error {
	var failed error
	for _, s := range c.kept {
		failed = errors.Join(failed, s.Close())
	}
	return errors.Join(failed, c.sqliteConn.Close())
}

// columnTypes is what a copy of the database asks about its columns.
type columnTypes interface {
	ColumnTypeDatabaseTypeName(index int) string
	ColumnTypeScanType(index int) reflect.Type
}

type keptRows struct {
	driver.Rows
	columnTypes
	of  *keptStmt
	own bool
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	r.of.busy = false
	if r.own {
		err = errors.Join(err, r.of.Close())
	}
	return err
}
