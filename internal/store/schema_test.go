// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// column is what both engines say of a column in the same words.
type column struct {
	Name, Type string
	Null       bool
}

// schema asks the database for its tables and their columns, in order.
func (b *bench) schema() map[string][]column {
	b.t.Helper()
	query := `SELECT m.name, c.name, lower(c.type), CASE WHEN c."notnull" = 1 THEN 'NO' ELSE 'YES' END
		FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`
	if b.engine == "postgres" {
		query = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
	}
	rows, err := b.raw.QueryContext(b.ctx, query)
	must(b.t, err)
	defer func() { must(b.t, errors.Join(rows.Err(), rows.Close())) }()
	out := map[string][]column{}
	for rows.Next() {
		var table, null string
		var c column
		must(b.t, rows.Scan(&table, &c.Name, &c.Type, &null))
		c.Null = null == "YES"
		if table != "goose_db_version" {
			out[table] = append(out[table], c)
		}
	}
	return out
}

// TestSchema: every record belongs to a practice, and both engines have the
// same tables.
func TestSchema(t *testing.T) {
	t.Parallel()
	lite, post := newBench(t, "sqlite").schema(), newBench(t, "postgres").schema()
	same(t, "tables of SQLite and of PostgreSQL", lite, post)
	if len(lite) < 19 {
		t.Errorf("%d tables: this test looks at nothing", len(lite))
	}
	for table, columns := range lite {
		if first := columns[0]; !slices.Contains(ofServer, table) && (first.Name != "practice_id" || first.Null) {
			t.Errorf("table %s begins with %+v", table, first)
		}
		for _, c := range columns {
			if !slices.Contains([]string{"text", "bytea", "bigint", "boolean"}, c.Type) {
				t.Errorf("%s.%s is a %s", table, c.Name, c.Type)
			}
		}
	}
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		must(t, b.s.Close())
		b.s = b.open()
		must(t, b.s.Close()) // newer is refused whether or not somebody has it open
		defer func() { b.sql("DELETE FROM goose_db_version WHERE version_id = 7001"); b.s = b.open() }()
		b.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (7001, true)")
		before := strings.Join(append(b.rows("goose_db_version"), b.rows("practice")...), "\n")
		s, err := Open(b.ctx, b.url, b.vault)
		if err == nil {
			must(t, s.Close())
			t.Fatal("a newer schema was opened")
		}
		if !strings.Contains(err.Error(), "7001") || !strings.Contains(err.Error(), "newer program") {
			t.Errorf("the refusal does not say what to do: %v", err)
		}
		same(t, "what rests", strings.Join(append(b.rows("goose_db_version"), b.rows("practice")...), "\n"), before)
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "entente.db", "mysql://x/y", "sqlite"} {
		if s, err := Open(t.Context(), url, nil); err == nil {
			must(t, s.Close())
			t.Errorf("%q was opened", url)
		}
	}
}

// TestParameters: numbers, not places, say which value a parameter is. Some
// drivers bind by place and say nothing.
func TestParameters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		text := func(r scanner) (s string, err error) { return s, r.Scan(&s) }
		got := read(b, func(tx *Tx) (string, error) {
			return one(tx, text, "SELECT CAST($2 AS TEXT) || '-' || CAST($1 AS TEXT) || '-' || CAST($2 AS TEXT)", "one", "two")
		})
		same(t, "$2, $1, $2", got, "two-one-two")
		many, err := tryRead(b, func(tx *Tx) ([]string, error) {
			return list(tx, text, "SELECT CAST($11 AS TEXT) || CAST($1 AS TEXT) || CAST($10 AS TEXT) || CAST($2 AS TEXT) || CAST($3 AS TEXT) || CAST($4 AS TEXT) || CAST($5 AS TEXT) || CAST($6 AS TEXT) || CAST($7 AS TEXT) || CAST($8 AS TEXT) || CAST($9 AS TEXT)",
				"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")
		})
		must(t, err)
		same(t, "$11 is not $1", many, []string{"kajbcdefghi"})
		b.write(func(tx *Tx) error {
			_, err := tx.exec("INSERT INTO throttle (hits, bucket, window_millis) VALUES ($2, $1, $2)", "bucket", 5)
			return err
		})
		b.write(func(tx *Tx) error {
			return tx.changed("UPDATE throttle SET hits = $3 WHERE window_millis = $2 AND bucket = $1 AND hits = $2", "bucket", 5, 9)
		})
		same(t, "hits", b.count("SELECT hits FROM throttle WHERE bucket = 'bucket' AND window_millis = 5"), 9)
	})
}

// TestReadersCannotWrite holds on both engines.
func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		err := b.s.Read(b.ctx, func(tx *Tx) error {
			_, err := tx.exec("INSERT INTO throttle (bucket, window_millis, hits) VALUES ('x', 1, 1)")
			return err
		})
		if err == nil {
			t.Error("a reader wrote")
		}
		same(t, "rows", b.count("SELECT COUNT(*) FROM throttle"), 0)
	})
}

func pragma(t *testing.T, ctx context.Context, c *sql.Conn, name string) (v string) {
	t.Helper()
	must(t, c.QueryRowContext(ctx, "PRAGMA "+name).Scan(&v))
	return v
}

// TestPragmas asks every connection of the pool, and the writer's, because SQLite
// keeps these by connection.
func TestPragmas(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite")
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	check := func(who string, db *sql.DB, want map[string]string) *sql.Conn {
		c, err := db.Conn(ctx)
		must(t, err)
		for name, v := range want {
			if got := pragma(t, ctx, c, name); got != v {
				t.Errorf("%s: %s is %s, not %s", who, name, got, v)
			}
		}
		return c
	}
	all := map[string]string{"foreign_keys": "1", "busy_timeout": "10000", "journal_mode": "wal", "temp_store": "2"}
	reader, writer := map[string]string{"query_only": "1"}, map[string]string{"query_only": "0", "synchronous": "2"}
	for k, v := range all {
		reader[k], writer[k] = v, v
	}
	most := b.s.readers.Stats().MaxOpenConnections
	if most < 2 {
		t.Errorf("a pool of %d readers", most)
	}
	var held []*sql.Conn // held all at once, so that each is another one
	for range most {
		held = append(held, check("a reader", b.s.readers, reader))
	}
	for _, c := range held {
		must(t, c.Close())
	}
	main := b.s.writer.(*groupWriter).db
	same(t, "writing connections", main.Stats().MaxOpenConnections, 1)
	must(t, check("the writer", main, writer).Close())
}
