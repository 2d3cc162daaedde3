// SPDX-License-Identifier: AGPL-3.0-or-later

package disk_test

import (
	"bytes"
	"context"
	"database/sql"
	"math/rand/v2"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/entente-project/entente/internal/store/storetest/disk"
)

const pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(1000)"

func open(t *testing.T, d *disk.Disk, pragmas string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+d.Path("a.db")+pragmas)
	must(t, err)
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(context.Background(), query, args...)
	must(t, err)
}

func number(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	must(t, db.QueryRowContext(context.Background(), query).Scan(&n))
	return n
}

// TestOrdinary: without a fault the layer is a disk like any other, for several
// connections at once, in WAL mode.
func TestOrdinary(t *testing.T) {
	t.Parallel()
	const rows = 600 // more than SQLite lets the log grow before it writes the database
	d := disk.New(t, 1)
	db := open(t, d, pragmas)
	db.SetMaxOpenConns(4)
	var mode string
	must(t, db.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode))
	if mode != "wal" {
		t.Fatalf("journal mode %s", mode)
	}
	do(t, db, "CREATE TABLE a (n INTEGER PRIMARY KEY, b BLOB)")
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	must(t, tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM a").Scan(new(int)))
	for n := range rows {
		do(t, db, "INSERT INTO a VALUES ($1, randomblob(1500))", n)
	}
	var seen int
	must(t, tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM a").Scan(&seen))
	must(t, tx.Rollback())
	if n := number(t, db, "SELECT COUNT(*) FROM a"); n != rows || seen != 0 {
		t.Fatalf("%d rows, and %d in the older snapshot", n, seen)
	}
	must(t, db.Close())
	if names := d.Names(); len(names) != 1 || d.Used() < rows*1500 {
		t.Fatalf("%v with %d bytes", names, d.Used())
	}
	db = open(t, d, pragmas)
	defer func() { must(t, db.Close()) }()
	if n := number(t, db, "SELECT COUNT(*) FROM a"); n != rows {
		t.Fatalf("%d rows after opening again", n)
	}
}

// TestLoose: a power cut keeps what was synced, and of the rest sometimes
// nothing, sometimes all and sometimes a part; never what nobody wrote.
func TestLoose(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{} // how many of the loose rows were there afterwards
	rng := rand.New(rand.NewPCG(7, 7))
	for range 40 {
		d := disk.New(t, rng.Uint64())
		db := open(t, d, pragmas)
		db.SetMaxOpenConns(1)
		do(t, db, "CREATE TABLE a (n INTEGER PRIMARY KEY, b BLOB)")
		for n := range 10 {
			do(t, db, "INSERT INTO a VALUES ($1, randomblob(300))", n)
		}
		do(t, db, "PRAGMA synchronous=OFF")
		for n := range 10 {
			do(t, db, "INSERT INTO a VALUES ($1, randomblob(300))", 10+n)
		}
		d.PowerCut(rng)
		if _, err := db.ExecContext(t.Context(), "INSERT INTO a VALUES (99, NULL)"); err == nil {
			t.Fatal("a write without power")
		}
		must(t, db.Close())
		d.PowerOn()
		db = open(t, d, pragmas)
		kept, all := number(t, db, "SELECT COUNT(*) FROM a WHERE n < 10"), number(t, db, "SELECT COUNT(*) FROM a")
		must(t, db.Close())
		if kept != 10 || all > 20 {
			t.Fatalf("%d of 10 synced rows, %d in all", kept, all)
		}
		seen[all-kept] = true
	}
	if !seen[0] || !seen[10] || len(seen) < 4 {
		t.Errorf("of 10 loose rows there were left only %v", seen)
	}
}

// TestFolder: a file whose making was never synced may be gone, one whose
// folder was synced may not; what was deleted may come back.
func TestFolder(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 8))
	back, gone := 0, 0
	for range 40 {
		d := disk.New(t, rng.Uint64())
		db := open(t, d, pragmas)
		do(t, db, "CREATE TABLE a (n INTEGER PRIMARY KEY)") // the log's first sync takes the folder with it
		must(t, db.Close())                                 // deletes the log, and syncs no folder
		if names := d.Names(); len(names) != 1 {
			t.Fatalf("%v after the end", names)
		}
		d.PowerCut(rng)
		d.PowerOn()
		names := d.Names()
		if names[0] != "a.db" {
			t.Fatalf("%v after the cut", names)
		}
		if len(names) == 2 {
			back++
		}
		db = open(t, d, pragmas)
		number(t, db, "SELECT COUNT(*) FROM a")
		must(t, db.Close())
		// A second database, cut before anything of it was synced.
		d.PowerCutAfter(2)
		other, err := sql.Open("sqlite", "file:"+d.Path("b.db")+pragmas)
		must(t, err)
		if other.PingContext(t.Context()) == nil {
			t.Fatal("opened without power")
		}
		must(t, other.Close())
		d.PowerOn()
		if _, there := d.Image()["b.db"]; !there {
			gone++
		}
	}
	if back == 0 || back == 40 || gone == 0 || gone == 40 {
		t.Errorf("of 40 the deleted log came back %d times, the new file was gone %d times", back, gone)
	}
}

// TestTorn: a sector that was being written holds the old bytes, the new, or a
// run of either, and the bytes beside the write stay as they were.
func TestTorn(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	rng := rand.New(rand.NewPCG(9, 9))
	for range 60 {
		d := disk.New(t, rng.Uint64())
		before := bytes.Repeat([]byte{1}, 4096)
		d.Load(map[string][]byte{"a.db": before})
		must(t, d.Overwrite("a.db", 700, bytes.Repeat([]byte{2}, 2000)))
		d.PowerCut(rng)
		d.PowerOn()
		after := d.Image()["a.db"]
		if len(after) != 4096 || bytes.Contains(after[:700], []byte{2}) || bytes.Contains(after[2700:], []byte{2}) {
			t.Fatal("bytes beside the write were changed")
		}
		turns := 0
		for i := 701; i < 2700; i++ {
			if after[i] != after[i-1] {
				turns++
				if i%512 != 0 {
					kinds["torn within a sector"]++
				}
			}
		}
		switch {
		case turns == 0 && after[700] == 1:
			kinds["nothing"]++
		case turns == 0:
			kinds["all"]++
		case turns > 1:
			kinds["scattered"]++
		}
	}
	if len(kinds) != 4 {
		t.Errorf("60 cuts left only %v", kinds)
	}
}

// TestBroken: a sync that failed is not made good by a later one that did not,
// and a full disk takes a write only as far as it has room.
func TestBroken(t *testing.T) {
	t.Parallel()
	lost := 0
	rng := rand.New(rand.NewPCG(10, 10))
	for range 40 {
		d := disk.New(t, rng.Uint64())
		d.Load(map[string][]byte{"a.db": make([]byte, 100)})
		must(t, d.Overwrite("a.db", 0, []byte("word")))
		d.Break(func(op disk.Op) disk.Fault {
			if op.Kind == disk.Sync {
				return disk.Broken
			}
			return disk.None
		})
		if d.Sync("a.db") == nil {
			t.Fatal("a sync that fails says nothing")
		}
		d.Break(nil)
		must(t, d.Sync("a.db"))
		if string(d.Image()["a.db"][:4]) != "word" {
			t.Fatal("what was written cannot be read")
		}
		d.PowerCut(rng)
		d.PowerOn()
		if string(d.Image()["a.db"][:4]) != "word" {
			lost++
		}
		d.SetCapacity(106)
		if d.Overwrite("a.db", 98, []byte("0123456789")) == nil {
			t.Fatal("a full disk says nothing")
		}
		if got := string(d.Image()["a.db"][98:]); got != "01234567" {
			t.Fatalf("a full disk took %q", got)
		}
		must(t, d.Overwrite("a.db", 0, []byte("0123456789")))
	}
	if lost == 0 || lost == 40 {
		t.Errorf("of 40 writes whose sync failed %d were lost", lost)
	}
}
