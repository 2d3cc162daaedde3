// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
)

// What tells a child process of TestDrillMigrationKilled which database it is to
// migrate, at which statement it dies, and how long after that statement began.
const (
	killedURL   = "ENTENTE_TEST_MIGRATE"
	killedAt    = "ENTENTE_TEST_KILL_AT"
	killedAfter = "ENTENTE_TEST_KILL_AFTER"
)

// nextMigration stands for one of a later release: it changes the largest table,
// fills another from it, and builds an index over every row.
const nextMigration = `-- +goose Up
ALTER TABLE response ADD COLUMN weight BIGINT NOT NULL DEFAULT 0;
UPDATE response SET weight = LENGTH(content) + LENGTH(instrument);
CREATE INDEX response_weight ON response (practice_id, weight);
CREATE TABLE response_place (practice_id TEXT NOT NULL, response_id TEXT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY (practice_id, response_id));
INSERT INTO response_place SELECT practice_id, response_id, weight + 1 FROM response;
DROP INDEX response_weight;
`

func nextFiles(t *testing.T) fs.FS {
	t.Helper()
	files := fstest.MapFS{"0900_next.sql": {Data: []byte(nextMigration)}}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	must(t, err)
	for _, name := range names {
		data, err := fs.ReadFile(migrations, name)
		must(t, err)
		files[strings.TrimPrefix(name, "migrations/")] = &fstest.MapFile{Data: data}
	}
	return files
}

// TestDrillMigrationKilled kills the process at and in each statement of a
// migration over a large table: afterwards the schema is the old one or the new
// one, with every row, and the next start brings it up to date.
func TestDrillMigrationKilled(t *testing.T) {
	if url := os.Getenv(killedURL); url != "" {
		dieMigrating(t, url)
		return
	}
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.settle()
		rows := long(2_000, 1_000_000)
		b.bulk(rows)
		must(t, b.s.Close())
		kills, began := 0, time.Now()
		for at := 1; ; at++ {
			died := b.child(at, 0)
			b.oldOrNew(rows, at)
			if !died {
				break
			}
			kills++
			for range long(1, 3) {
				if b.child(at, rand.N(time.Duration(long(4, 3_000))*time.Millisecond)) {
					kills++
				}
				b.oldOrNew(rows, at)
			}
		}
		if kills < len(strings.Split(nextMigration, ";"))-1 {
			t.Errorf("killed %d times only", kills)
		}
		if b.oldOrNew(rows, 0) == "old" {
			t.Error("not migrated in the end")
		}
		drill(t, "migration killed at and in each statement ("+b.engine+")", "old or new, never half", "every point, a million rows", "%d kills with %d rows, every row right each time; %s in all", kills, rows, time.Since(began).Round(time.Second))
		b.s = b.openNext(t)
	})
}

// bulk copies a response many times over, behind the store's back.
func (b *bench) bulk(rows int) {
	b.t.Helper()
	added, err := b.answer(answer("0190-m-1", first))
	if err != nil || !added {
		b.t.Fatal(added, err)
	}
	b.sql(`INSERT INTO response (practice_id, response_id, episode_id, session_id, client_id, by_id, informant, instrument, version, language, answered_millis, import_id, content)
		WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		SELECT practice_id, 'bulk-' || i, episode_id, session_id, client_id, by_id, informant, 'form-' || i, version, language, answered_millis, import_id, content
		FROM n CROSS JOIN response WHERE response_id = $2`, rows, "0190-m-1")
}

// child migrates in a process of its own and reports whether it was killed.
func (b *bench) child(at int, after time.Duration) bool {
	b.t.Helper()
	cmd := exec.CommandContext(b.ctx, os.Args[0], "-test.run=^TestDrillMigrationKilled$")
	cmd.Env = append(os.Environ(), killedURL+"="+b.url, killedAt+"="+strconv.Itoa(at), killedAfter+"="+after.String())
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.Exited() {
		b.t.Fatalf("statement %d, %s: %v\n%s", at, after, err, out)
	}
	for end := time.Now().Add(time.Duration(long(20, 300)) * time.Second); b.engine == "postgres" && b.count("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'") > 0; {
		if time.Now().After(end) {
			b.t.Fatal("the server goes on with what a dead process asked")
		}
		time.Sleep(10 * time.Millisecond) // to ask is work for the server too
	}
	return err != nil
}

// oldOrNew looks at what a kill left, and fails the test unless it is wholly one
// of the two.
func (b *bench) oldOrNew(rows, at int) string {
	b.t.Helper()
	has := func(query string) bool {
		r, err := b.raw.QueryContext(b.ctx, query)
		if err != nil {
			return false
		}
		defer r.Close() //nolint:errcheck // read only
		return r.Err() == nil
	}
	state := fmt.Sprint(b.count("SELECT MAX(version_id) FROM goose_db_version WHERE is_applied"),
		has("SELECT weight FROM response LIMIT 1"), has("SELECT place FROM response_place LIMIT 1"))
	if n := b.count("SELECT COUNT(*) FROM response"); n != rows {
		b.t.Errorf("statement %d: %d rows, not %d", at, n, rows)
	}
	switch state {
	case "1 false false":
		return "old"
	case "900 true true":
		if n := b.count("SELECT COUNT(*) FROM response r JOIN response_place p ON p.practice_id = r.practice_id AND p.response_id = r.response_id WHERE p.place = LENGTH(r.content) + LENGTH(r.instrument) + 1"); n != rows {
			b.t.Errorf("statement %d: %d rows are right, not %d", at, n, rows)
		}
		return "new"
	}
	b.t.Errorf("statement %d left half a schema: version and what is there %s", at, state)
	return ""
}

// openNext opens the migrated database as the later release would: this one
// refuses it.
func (b *bench) openNext(t *testing.T) *Store {
	t.Helper()
	if _, err := Open(b.ctx, b.url, b.vault); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("a newer schema: %v", err)
	}
	b.sql("DELETE FROM goose_db_version WHERE version_id = 900")
	return b.open()
}

// dieMigrating is the child: it migrates, and kills itself where it was told.
func dieMigrating(t *testing.T, url string) {
	e, err := engineOf(url)
	must(t, err)
	at, err := strconv.Atoi(os.Getenv(killedAt))
	must(t, err)
	after, err := time.ParseDuration(os.Getenv(killedAfter))
	must(t, err)
	d := &deadly{at: int64(at), after: after}
	db := d.open(t, url)
	must(t, migrateBy(t.Context(), e, db, nextFiles(t), false))
	if after > 0 && d.begun.Load() >= d.at {
		select {} // the migration was faster than death
	}
	must(t, db.Close())
}

// deadly ends this process, as kill -9 does, when its statement begins or a
// while after.
type deadly struct {
	at    int64
	after time.Duration
	begun atomic.Int64
}

func (d *deadly) statement() {
	if d.begun.Add(1) != d.at {
		return
	}
	die := func() {
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			_ = p.Kill()
		}
		select {}
	}
	if d.after == 0 {
		die()
	}
	time.AfterFunc(d.after, die)
}

func (d *deadly) open(t *testing.T, url string) *sql.DB {
	t.Helper()
	path, isFile := strings.CutPrefix(url, "sqlite:")
	if isFile {
		c, err := sqlite.NewConnector("file:" + path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
		must(t, err)
		return sql.OpenDB(deadlyConnector{keeping{c}, d})
	}
	cfg, err := pgx.ParseConfig(url)
	must(t, err)
	cfg.Tracer = d
	return stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(takeWhole))
}

// TraceQueryStart is called by pgx before each statement.
func (d *deadly) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	d.statement()
	return ctx
}

// TraceQueryEnd is called by pgx after each statement.
func (d *deadly) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

type deadlyConnector struct {
	keeping
	d *deadly
}

func (c deadlyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.keeping.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &deadlyConn{conn.(*keepingConn), c.d}, nil
}

type deadlyConn struct {
	*keepingConn
	d *deadly
}

func (c *deadlyConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.d.statement()
	return c.keepingConn.ExecContext(ctx, text, args)
}
