// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store/storetest"
)

// many fills a database with responses of many clients, as an import does.
func (b *bench) many(responses int) {
	b.t.Helper()
	const inEpisode = 50
	for done := 0; done < responses; {
		b.write(func(tx *Tx) error {
			for range min(20, (responses-done+inEpisode-1)/inEpisode) {
				e := therapy
				e.ID = care.ID(fmt.Sprintf("0190-e-%08d", done))
				if err := tx.AddEpisode(e); err != nil {
					return err
				}
				for range inEpisode {
					s := care.Session{ID: care.ID(fmt.Sprintf("0190-s-%08d", done)), Practice: here.ID, Episode: e.ID, AtMillis: int64(done), Status: care.Held}
					r := answer(care.ID(fmt.Sprintf("0190-m-%08d", done)), s)
					r.Episode = e.ID
					if err := tx.AddSession(s); err != nil {
						return err
					}
					if _, err := tx.AddResponse(r); err != nil {
						return err
					}
					done++
				}
			}
			line := care.AuditEntry{ID: care.ID(fmt.Sprintf("0190-a-%08d", done)), Practice: here.ID, Action: "x", About: therapy.ID, Changes: done%3 == 0}
			foreign := line
			foreign.Practice = elsewhere.ID
			return errors.Join(tx.AcrossPractices(), tx.Audit(line), tx.Audit(foreign))
		})
	}
}

// emptyStore is a new database of either engine that opens with the same key.
func (b *bench) emptyStore(engine string) *Store {
	b.t.Helper()
	url := "sqlite:" + filepath.Join(b.t.TempDir(), "copy.db")
	if engine == "postgres" {
		url = storetest.Postgres(b.t)
	}
	s, err := Open(b.ctx, url, b.vault)
	must(b.t, err)
	b.t.Cleanup(func() { must(b.t, s.Close()) })
	return s
}

// TestDrillCopy: a database is copied into either engine, and what arrives is
// equal, value by value; a second copy, or a stopped one, changes nothing.
func TestDrillCopy(t *testing.T) {
	t.Parallel()
	responses := 2_000
	if os.Getenv("ENTENTE_DRILL") != "" {
		responses = 1_000_000
	}
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		b.many(responses)
		want, err := b.s.Contents(b.ctx)
		must(t, err)
		if got := slices.Sorted(maps.Keys(want)); len(got)+len(ofServer) != len(b.schema()) || want["response"].Rows < int64(responses) {
			t.Fatalf("%d tables are copied of %d (throttle is not), %d responses", len(got), len(b.schema()), want["response"].Rows)
		}
		for _, engine := range []string{"sqlite", "postgres"} {
			to := b.emptyStore(engine)
			ctx, cancel := context.WithCancel(b.ctx)
			_, err := Copy(ctx, b.s, to, func(table string, rows int64) error {
				if table == "response" && rows > 1_000 {
					cancel()
				}
				return ctx.Err()
			})
			empty, emptyErr := to.Contents(b.ctx)
			if must(t, emptyErr); err == nil || empty["practice"].Rows+empty["response"].Rows != 0 {
				t.Errorf("a stopped copy leaves %d practices, %v", empty["practice"].Rows, err)
			}
			at := time.Now()
			said, err := Copy(b.ctx, b.s, to, nil)
			must(t, err)
			took := time.Since(at)
			got, err := to.Contents(b.ctx)
			must(t, err)
			for table := range want {
				if got[table] != want[table] || said[table] != want[table] {
					t.Errorf("%s in %s: %+v, said %+v, not %+v", table, engine, got[table], said[table], want[table])
				}
			}
			must(t, to.Sound(b.ctx))
			if _, err := Copy(b.ctx, b.s, to, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
				t.Errorf("copied into a full database: %v", err)
			}
			t.Logf("drill | database copied from %s to %s | every value equal, all or nothing | 1,000,000 responses | %d responses equal in %v", b.engine, engine, want["response"].Rows, took.Round(time.Millisecond))
		}
	})
}

// TestContents: the sum tells any change of any value.
func TestContents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		before, err := b.s.Contents(b.ctx)
		must(t, err)
		for table, change := range map[string]string{
			"client": "UPDATE client SET age_band = 'child' WHERE client_id = '" + string(anna.ID) + "'", "invitation": "UPDATE episode SET closed_on = 'x'",
			"response": "UPDATE response SET answered_millis = answered_millis + 1 WHERE response_id = '0190-r-1'",
		} {
			b.sql(change)
			after, err := b.s.Contents(b.ctx)
			must(t, err)
			if maps.Equal(before, after) {
				t.Errorf("%s: a change does not show", table)
			}
			before = after
		}
	})
}

// TestSnapshot: the file holds one moment, nothing that was deleted and nothing of
// the server's own; a stopped one leaves no file; and readers cannot write after it.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		gone := "this-was-deleted-before"
		b.sql("INSERT INTO throttle (bucket, window_millis, hits) VALUES ('a counter', 1, 1)")
		b.sql("UPDATE session SET status = $1", gone)
		b.sql("UPDATE session SET status = $1", "held")
		want, err := b.s.Contents(b.ctx)
		must(t, err)
		path := filepath.Join(t.TempDir(), "snapshot.db")
		must(t, b.s.Snapshot(b.ctx, path, b.vault, nil))
		if err := b.s.Snapshot(b.ctx, path, b.vault, nil); err == nil {
			t.Error("a file that was there is written over")
		}
		raw, err := os.ReadFile(path)
		must(t, err)
		for _, word := range []string{gone, "a counter"} {
			if bytes.Contains(raw, []byte(word)) {
				t.Errorf("%q is in the snapshot", word)
			}
		}
		s, err := Open(b.ctx, "sqlite:"+path, b.vault, ReadOnly())
		must(t, err)
		got, err := s.Contents(b.ctx)
		must(t, err)
		if must(t, s.Close()); !maps.Equal(got, want) {
			t.Errorf("%v, not %v", got, want)
		}
		ctx, stop := context.WithCancel(b.ctx)
		stop()
		other := filepath.Join(t.TempDir(), "stopped.db")
		if err := b.s.Snapshot(ctx, other, b.vault, nil); err == nil {
			t.Error("a stopped snapshot says nothing")
		}
		if b.engine != "sqlite" {
			return
		}
		if _, err := os.Stat(other); err == nil {
			t.Error("a stopped snapshot leaves a file")
		}
		for range 20 {
			if _, err := b.s.readers.ExecContext(b.ctx, "DELETE FROM page_read"); err == nil {
				t.Fatal("a reader can write")
			}
		}
	})
}
