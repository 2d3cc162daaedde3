// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"testing"
)

// pooled opens a database of one connection and tells how many statements it keeps.
func pooled(t *testing.T) (*sql.DB, func() int) {
	t.Helper()
	db, err := openSQLite("file:" + filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	db.SetMaxOpenConns(1)
	return db, func() (n int) {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // goes back to the pool
		if err := c.Raw(func(d any) error { n = len(d.(*keepingConn).kept); return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func do(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func number(t *testing.T, db *sql.DB, text string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), text, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// TestPreparedKept: a text is prepared once, takes new arguments each time, and
// forgets them after a failure.
func TestPreparedKept(t *testing.T) {
	db, kept := pooled(t)
	do(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)")
	before := kept()
	for i := range 50 {
		do(t, db, "INSERT INTO t (a, b) VALUES ($1, $2)", i, fmt.Sprint(i))
		if got := number(t, db, "SELECT CAST(b AS INTEGER) FROM t WHERE a = $1", i); got != i {
			t.Fatalf("row %d reads as %d", i, got)
		}
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO t (a, b) VALUES ($1, $2)", 1, "again"); err == nil {
		t.Fatal("a second row 1 was taken")
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO t (a, b) VALUES ($1, $2)", 99); err == nil {
		t.Fatal("a missing argument was taken from the call before")
	}
	if got := kept() - before; got != 2 {
		t.Errorf("%d statements are kept, not 2", got)
	}
}

// TestPreparedNested: a text used again while its rows are being read gets rows
// of its own.
func TestPreparedNested(t *testing.T) {
	db, kept := pooled(t)
	do(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
	do(t, db, "INSERT INTO t (a) VALUES (1), (2), (3)")
	before := kept()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // only read
	const text = "SELECT a FROM t WHERE a > $1 ORDER BY a"
	var above func(from, deep int) []string
	above = func(from, deep int) (paths []string) {
		rows, err := tx.QueryContext(t.Context(), text, from)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // read to its end
		for rows.Next() {
			var a int
			if err := rows.Scan(&a); err != nil {
				t.Fatal(err)
			}
			if deep == 0 {
				paths = append(paths, fmt.Sprint(a))
				continue
			}
			for _, p := range above(a, deep-1) {
				paths = append(paths, fmt.Sprint(a)+p)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return paths
	}
	if got, want := fmt.Sprint(above(0, 1)), "[12 13 23]"; got != want {
		t.Errorf("pairs are %s, not %s", got, want)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := kept() - before; got != 1 {
		t.Errorf("%d statements are kept, not 1", got)
	}
}

// TestPreparedSchema: a kept statement sees a column that came later, a script
// runs whole, and the number that is kept is bounded.
func TestPreparedSchema(t *testing.T) {
	db, kept := pooled(t)
	do(t, db, "CREATE TABLE t (a INTEGER); INSERT INTO t (a) VALUES (7)")
	read := func() int {
		rows, err := db.QueryContext(t.Context(), "SELECT * FROM t")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // read to its end
		columns, err := rows.Columns()
		if err != nil || !rows.Next() {
			t.Fatal(err, rows.Err(), "no row")
		}
		return len(columns)
	}
	if read() != 1 {
		t.Fatal("not one column")
	}
	do(t, db, "ALTER TABLE t ADD COLUMN b INTEGER")
	if n := read(); n != 2 {
		t.Errorf("after a column was added there are %d, not 2", n)
	}
	for i := range 2 * maxKept {
		if got := number(t, db, fmt.Sprintf("SELECT a + %d FROM t", i)); got != 7+i {
			t.Fatalf("7 + %d is %d", i, got)
		}
	}
	if n := kept(); n != maxKept {
		t.Errorf("%d statements are kept, not %d", n, maxKept)
	}
}

// BenchmarkStatement sets a kept statement beside one that is parsed each time.
func BenchmarkStatement(b *testing.B) {
	for _, kind := range []string{"kept", "parsed"} {
		b.Run(kind, func(b *testing.B) {
			db, err := openSQLite("file::memory:")
			if kind == "parsed" {
				db, err = sql.Open("sqlite", "file::memory:")
			}
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // a benchmark's
			db.SetMaxOpenConns(1)
			if _, err := db.ExecContext(b.Context(), "CREATE TABLE t (practice_id TEXT, id TEXT, a TEXT, b TEXT, c BIGINT, PRIMARY KEY (practice_id, id))"); err != nil {
				b.Fatal(err)
			}
			tx, err := db.BeginTx(b.Context(), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer tx.Rollback() //nolint:errcheck // a benchmark's
			for i := 0; b.Loop(); i++ {
				if _, err := tx.ExecContext(b.Context(), "INSERT INTO t (practice_id, id, a, b, c) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (practice_id, id) DO NOTHING", "p", fmt.Sprint(i), "x", "y", i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var _ driver.ExecerContext = (*keepingConn)(nil)
