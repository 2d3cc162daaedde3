// SPDX-License-Identifier: AGPL-3.0-or-later

package storetest

import (
	"bufio"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func count(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

const tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"

func TestPostgresIsEmptyAndOnesOwn(t *testing.T) {
	t.Parallel()
	a, b := open(t, Postgres(t)), open(t, Postgres(t))
	if _, err := a.ExecContext(t.Context(), "CREATE TABLE only_in_a (id TEXT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, a, tables); n != 1 {
		t.Errorf("first database has %d tables, want 1", n)
	}
	if n := count(t, b, tables); n != 0 {
		t.Errorf("second database has %d tables, want 0", n)
	}
}

func TestPostgresDropsTheDatabaseWithItsTest(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("one test", func(t *testing.T) {
		db := open(t, Postgres(t))
		if err := db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	if n := count(t, server(t).admin, "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"); n != 0 {
		t.Errorf("database %q is still there after its test", name)
	}
}

func TestPostgresFromPreparesOnce(t *testing.T) {
	t.Parallel()
	var prepared atomic.Int32
	prepare := func(dsn string) error {
		prepared.Add(1)
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			return err
		}
		_, err = db.Exec("CREATE TABLE word (id TEXT PRIMARY KEY); INSERT INTO word VALUES ('from the template')")
		return errors.Join(err, db.Close())
	}
	dsns := make([]string, 4)
	var all sync.WaitGroup
	for i := range dsns {
		all.Go(func() { dsns[i] = PostgresFrom(t, "words", prepare) })
	}
	all.Wait()
	if n := prepared.Load(); n != 1 {
		t.Errorf("prepared %d times, want once", n)
	}
	first, second := open(t, dsns[0]), open(t, dsns[1])
	if _, err := first.ExecContext(t.Context(), "DELETE FROM word"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, second, "SELECT count(*) FROM word"); n != 1 {
		t.Errorf("a copy has %d rows after another was emptied, want 1", n)
	}
}

// TestPostgresEndsWithItsProcess runs this test again in a process of its own,
// kills that, and expects its server to end a statement that would go on for an
// hour.
func TestPostgresEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv("ENTENTE_TEST_HOLD") != "" {
		if _, err := os.Stdout.WriteString("dsn " + Postgres(t) + "\n"); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPostgresEndsWithItsProcess$")
	child.Env = append(os.Environ(), "ENTENTE_TEST_HOLD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dsn, ok := strings.CutPrefix(strings.TrimSpace(line), "dsn ")
	if !ok {
		t.Fatalf("the child wrote %q", line)
	}
	conn, err := open(t, dsn).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := conn.ExecContext(t.Context(), "SELECT pg_sleep(3600)")
		ended <- err
	}()
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("the server of a killed process still answers")
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself, so nothing was tried")
	}
}
