// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// TestWitness: an older file in the place of the database, and a log that lost
// its end, are refused by everybody who opens them, until the witness is removed.
func TestWitness(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "entente.db")
	v := vault.Generate()
	ctx := context.Background()
	open := func(o ...Option) (*Store, error) { return Open(ctx, "sqlite:"+path, v, o...) }
	line := func(s *Store, id care.ID) {
		t.Helper()
		must(t, s.Write(ctx, func(tx *Tx) error {
			return tx.Audit(care.AuditEntry{ID: id, Practice: here.ID, AtMillis: 1, Actor: neri.ID, Action: "tried"})
		}))
	}
	s, err := open()
	must(t, err)
	must(t, s.Write(ctx, func(tx *Tx) error { return tx.AddPractice(here) }))
	line(s, "0190-a-1")
	must(t, s.Close())
	older, err := os.ReadFile(path)
	must(t, err)

	s, err = open()
	must(t, err)
	line(s, "0190-a-2")
	log, err := os.ReadFile(path + "-wal") // as a process that was killed leaves it
	must(t, err)
	before, err := os.ReadFile(path)
	must(t, err)
	line(s, "0190-a-3")
	must(t, s.Close())
	newest, err := os.ReadFile(path)
	must(t, err)

	put := func(file, wal []byte) {
		t.Helper()
		must(t, os.WriteFile(path, file, 0o600))
		if err := os.Remove(path + "-wal"); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if wal != nil {
			must(t, os.WriteFile(path+"-wal", wal, 0o600))
		}
	}
	refused := func(what string, missing string) {
		t.Helper()
		for _, o := range [][]Option{nil, {ReadOnly()}} {
			s, err := open(o...)
			if err == nil {
				must(t, s.Close())
			}
			if !errors.Is(err, errLost) || !strings.Contains(err.Error(), missing) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	put(older, nil)
	refused("an older file", "2 of 3 changes")
	put(before, log)
	refused("a log without its end", "1 of 3 changes")
	put(newest, nil)
	if s, err = open(); err != nil {
		t.Fatalf("the newest file: %v", err)
	}
	must(t, s.Close())

	spoil(t, path, 0)
	put(older, nil)
	refused("one record of the witness damaged", "of ")
	must(t, Forget(path))
	must(t, Forget(path))
	s, err = open()
	must(t, err)
	line(s, "0190-a-9")
	must(t, s.Close())
}

// spoil changes a byte of a record of the witness that is not its newest.
func spoil(t *testing.T, path string, at int64) {
	t.Helper()
	w, lines, err := openWitness(path, true)
	must(t, err)
	defer func() { must(t, w.close()) }()
	f, err := os.OpenFile(path+witnessSuffix, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt([]byte{'#'}, (1-w.turn)*witnessRecord+at)
	must(t, errors.Join(err, f.Close()))
	again, lines2, err := openWitness(path, true)
	must(t, err)
	must(t, again.close())
	if lines2 != lines {
		t.Fatalf("with its older record damaged the witness says %d in place of %d", lines2, lines)
	}
}

// TestWitnessRecords: of two records the whole one with more lines counts,
// whichever byte of the other is damaged.
func TestWitnessRecords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	w, lines, err := openWitness(path, false)
	must(t, err)
	if lines != 0 {
		t.Errorf("a new witness says %d", lines)
	}
	w.note(41)
	w.note(42)
	must(t, errors.Join(w.close(), w.close()))
	whole, err := os.ReadFile(path + witnessSuffix)
	must(t, err)
	if len(whole) != 2*witnessRecord {
		t.Fatalf("the witness has %d bytes", len(whole))
	}
	counts := map[int64]int{}
	for i := range whole {
		damaged := append([]byte(nil), whole...)
		damaged[i] ^= 1
		must(t, os.WriteFile(path+witnessSuffix, damaged, 0o600))
		w, lines, err := openWitness(path, true)
		must(t, errors.Join(err, w.close()))
		counts[lines]++
	}
	if counts[42] != witnessRecord || counts[41] != witnessRecord {
		t.Errorf("what is said with one byte damaged: %v", counts)
	}
}
