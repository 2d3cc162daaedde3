// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/entente-project/entente/internal/vault"
)

// copied are all tables in an order in which each stands behind those it points
// to. What only counts attempts is not worth keeping.
var copied = []string{
	"practice", "data_key", "staff", "local_help", "expected_response", "sign_in", "staff_help", "staff_identity", "staff_passkey", "staff_join", "client", "episode", "episode_client", "episode_staff", "session",
	"invitation", "response", "consent_rule", "consent_text", "consent_holder", "consent_record", "consent_link", "birth", "carer", "session_note", "conversation", "closing", "agreed", "work_report", "risk_signal", "risk_duty", "alarm_mail", "page_read", "reveal", "emergency", "emergency_notice", "erasure", "opened", "pull", "pull_notice", "audit", "audit_head", "practice_instrument", "instrument_draft", "instrument_grant", "import",
}

// Contents says what a table holds: how many rows, and a sum over all of them
// that does not depend on their order.
type Contents struct {
	Rows int64
	Sum  [sha256.Size]byte
}

func (c *Contents) add(values []any) error {
	h := sha256.New()
	for _, v := range values {
		var kind byte
		var data []byte
		switch x := v.(type) {
		case nil:
		case string:
			kind, data = 's', []byte(x)
		case []byte:
			kind, data = 'b', x
		case int64:
			kind, data = 'i', binary.BigEndian.AppendUint64(nil, uint64(x))
		case bool:
			kind = 'f'
			if x {
				kind = 't'
			}
		default:
			return fmt.Errorf("store: a value is a %T", v)
		}
		var n [9]byte
		n[0] = kind
		binary.BigEndian.PutUint64(n[1:], uint64(len(data)))
		_, _ = h.Write(n[:]) // hash.Hash never fails
		_, _ = h.Write(data)
	}
	sum := h.Sum(nil)
	for i := 0; i < sha256.Size; i += 8 {
		binary.BigEndian.PutUint64(c.Sum[i:], binary.BigEndian.Uint64(c.Sum[i:])+binary.BigEndian.Uint64(sum[i:]))
	}
	c.Rows++
	return nil
}

// CopyProgress is told how many rows of a table are copied; an error stops the
// copy, and nothing of it stays.
type CopyProgress func(table string, rows int64) error

// Copy copies one moment of the whole database into an empty one of either
// engine, all or nothing, and returns what each table holds. Values stay sealed:
// no key is needed, and the copy opens with the same one.
func Copy(ctx context.Context, from, to *Store, p CopyProgress) (map[string]Contents, error) {
	source, err := from.readers.BeginTx(ctx, from.engine.readOptions())
	if err != nil {
		return nil, from.fault("begin", err)
	}
	defer source.Rollback() //nolint:errcheck // nothing was written
	if err := from.openWhole(ctx, source); err != nil {
		return nil, err
	}
	var out map[string]Contents
	err = to.writer.write(ctx, func(tx *sql.Tx) error {
		out = map[string]Contents{}
		if err := to.openWhole(ctx, tx); err != nil {
			return err
		}
		var practices int64
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM practice").Scan(&practices); err != nil {
			return err
		}
		if practices > 0 {
			return errors.New("the database to copy into is not empty; give one that does not exist yet, or an empty one")
		}
		for _, table := range copied {
			c, err := copyTable(ctx, source, tx, table, p)
			if err != nil {
				return fmt.Errorf("copying %s: %w", table, err)
			}
			out[table] = c
			if count := to.engine.counted(table); count != "" {
				if _, err := tx.ExecContext(ctx, count); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return out, err
}

// openWhole says that this transaction is about the whole database.
func (s *Store) openWhole(ctx context.Context, tx *sql.Tx) error {
	return (&Tx{ctx: ctx, s: s, q: tx}).open(wholeDatabase)
}

// copyRows is how many rows go into one statement. SQLite looks each parameter up
// among all those before it: more rows are slower, not faster.
const copyRows = 16

func copyTable(ctx context.Context, from, to *sql.Tx, table string, p CopyProgress) (c Contents, err error) {
	var batch []any
	var columns []string
	var full *sql.Stmt // of a whole batch: to compile it costs as much as to run it
	defer func() {
		if full != nil {
			err = errors.Join(err, full.Close())
		}
	}()
	put := func() (err error) {
		switch {
		case len(batch) == 0:
			return nil
		case len(batch) < copyRows*len(columns):
			_, err = to.ExecContext(ctx, insertMany(table, columns, len(batch)/len(columns)), batch...)
		case full == nil:
			if full, err = to.PrepareContext(ctx, insertMany(table, columns, copyRows)); err != nil { //nolint:sqlclosecheck // closed above, once the table is done
				return err
			}
			fallthrough
		default:
			_, err = full.ExecContext(ctx, batch...)
		}
		batch = batch[:0]
		if err == nil && p != nil {
			err = p(table, c.Rows)
		}
		return err
	}
	c, err = eachRow(ctx, from, table, func(names []string, values []any) error {
		columns = names
		batch = append(batch, values...)
		if len(batch) < copyRows*len(names) {
			return nil
		}
		return put()
	})
	if err != nil {
		return c, err
	}
	return c, put()
}

// insertMany is an INSERT of several rows.
func insertMany(table string, columns []string, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		for j := range columns {
			sep := byte(',')
			if j == 0 {
				sep = '('
			}
			fmt.Fprintf(&b, "%c$%d", sep, i*len(columns)+j+1)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// eachRow calls f (nil: only counts) with every row of a table.
func eachRow(ctx context.Context, tx *sql.Tx, table string, f func(columns []string, values []any) error) (c Contents, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table) //nolint:gosec // one of our own names
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return c, err
	}
	columns := make([]string, len(types))
	for i, t := range types {
		columns[i] = t.Name()
	}
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return c, err
		}
		for i, t := range types { // SQLite has no truth values of its own
			if n, ok := values[i].(int64); ok && t.DatabaseTypeName() == "BOOLEAN" {
				values[i] = n != 0
			}
		}
		if err := c.add(values); err != nil {
			return c, err
		}
		if f == nil {
			continue
		}
		if err := f(columns, values); err != nil {
			return c, err
		}
	}
	return c, rows.Err()
}

// Contents says what each table holds, to compare two databases with.
func (s *Store) Contents(ctx context.Context) (map[string]Contents, error) {
	tx, err := s.readers.BeginTx(ctx, s.engine.readOptions())
	if err != nil {
		return nil, s.fault("begin", err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	if err := s.openWhole(ctx, tx); err != nil {
		return nil, err
	}
	out := map[string]Contents{}
	for _, table := range copied {
		if out[table], err = eachRow(ctx, tx, table, nil); err != nil {
			return nil, s.fault("read", err)
		}
	}
	return out, nil
}

// ofServer are the tables that belong to no practice, and to no copy: they hold
// what one server, or several, need from one moment to the next.
var ofServer = []string{"throttle", "lease", "server_secret", "backup_state", "provider_flow"}

// Snapshot writes one moment of the database to a SQLite file that must not
// exist yet, while others go on reading and writing. What was deleted before is
// not in it. p is not asked where the file is copied as a whole.
func (s *Store) Snapshot(ctx context.Context, path string, v *vault.Vault, p CopyProgress) (err error) {
	if into := s.engine.into(); into != "" {
		return s.snapshotFile(ctx, into, path)
	}
	to, err := Open(ctx, "sqlite:"+path, v)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	_, err = Copy(ctx, s, to, p)
	return err
}

// snapshotFile lets the engine write the file, ten times as fast as row by row,
// and takes out what is the server's own.
func (s *Store) snapshotFile(ctx context.Context, into, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already", path)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path) // the first error is the one to tell
		}
	}()
	if err := s.elsewhere(ctx, into, path); err != nil {
		return s.fault("snapshot", err)
	}
	db, err := openSQLite("file:" + path + "?_pragma=secure_delete(1)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, table := range ofServer {
		if _, err := db.ExecContext(ctx, "DELETE FROM "+table); err != nil { //nolint:gosec // one of our own names
			return s.fault("snapshot", err)
		}
	}
	return nil
}

// elsewhere runs a statement that writes another file on a reader, which for that
// moment may write. The file is for a moment too: it is not forced to the disk,
// where it would stand in the way of every commit.
func (s *Store) elsewhere(ctx context.Context, statement string, args ...any) (err error) {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	defer func() {
		if _, failed := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous(FULL); PRAGMA query_only(1)"); failed != nil {
			err = errors.Join(err, failed, conn.Raw(func(any) error { return driver.ErrBadConn })) // never back into the pool
		}
	}()
	if _, err := conn.ExecContext(ctx, "PRAGMA query_only(0); PRAGMA synchronous(OFF)"); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, statement, args...)
	return err
}

// EndAccess ends every sign-in, invitation and link to join: after a restore
// nobody may come in by what had been ended since.
func (t *Tx) EndAccess(nowMillis int64) error {
	if err := t.open(wholeDatabase); err != nil {
		return err
	}
	for _, q := range []string{"DELETE FROM sign_in", "DELETE FROM staff_join"} {
		if _, err := t.exec(q); err != nil {
			return err
		}
	}
	_, err := t.exec("UPDATE invitation SET revoked_millis = $1, visit_hash = NULL WHERE revoked_millis = 0", nowMillis)
	return err
}
