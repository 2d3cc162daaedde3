// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver "sqlite", the one both servers use
)

// sqliteLimit is SQLite's own limit on this machine: one row a transaction, each
// on disk before the next, with the driver and the settings of the server.
type sqliteLimit struct {
	db     *sql.DB
	insert *sql.Stmt
}

// rowBytes is about what a sealed response takes.
const rowBytes = 700

func openSQLiteLimit(ctx context.Context, file string) (*sqliteLimit, error) {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "foreign_keys(1)", "synchronous(FULL)", "temp_store(MEMORY)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+file+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // more writers only wait for each other
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS row (id TEXT NOT NULL PRIMARY KEY, content BLOB NOT NULL)"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO row (id, content) VALUES ($1, $2)")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &sqliteLimit{db, insert}, nil
}

func (l *sqliteLimit) jobs(n int) []job {
	content := make([]byte, rowBytes)
	return repeat(n, func(ctx context.Context) error {
		_, err := l.insert.ExecContext(ctx, uuid.Must(uuid.NewV7()).String(), content)
		return err
	})
}

func (l *sqliteLimit) close() error { return errors.Join(l.insert.Close(), l.db.Close()) }

// countRows counts a table of a database that no server has open.
func countRows(ctx context.Context, file, table string) (n int64, err error) {
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		return 0, fmt.Errorf("count %s in %s: %w", table, file, err)
	}
	return n, nil
}
