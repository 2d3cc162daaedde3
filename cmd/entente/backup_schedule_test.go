// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// TestKeeping: 400 daily backups, and then what stays: the newest of seven days,
// four weeks and twelve months; nothing else in the folder is touched.
func TestKeeping(t *testing.T) {
	t.Parallel()
	f := backupFlags{BackupTo: t.TempDir()}
	if err := f.BackupKeep.UnmarshalText([]byte("7,4,12")); err != nil {
		t.Fatal(err)
	}
	others := []string{"notes.txt", "entente-old.db.age", ".backup-running"}
	for _, n := range others {
		if err := os.WriteFile(filepath.Join(f.BackupTo, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Date(2026, 1, 1, 3, 0, 0, 0, time.UTC)
	for i := range 400 {
		name := begin.AddDate(0, 0, i).Format(backupName)
		if err := os.WriteFile(filepath.Join(f.BackupTo, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.retire(name); err != nil {
			t.Fatal(err)
		}
	}
	all, err := f.backups()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range all {
		got = append(got, n[len("entente-"):len("entente-20260101")])
	}
	want := "20260331 20260430 20260531 20260630 20260731 20260831 20260930 20261031 20261130 20261231 " + // ends of months
		"20270117 20270124 " + // Sundays
		"20270129 20270130 20270131 20270201 20270202 20270203 20270204"
	if strings.Join(got, " ") != want {
		t.Errorf("there are %s,\nnot        %s", strings.Join(got, " "), want)
	}
	for _, n := range others {
		if _, err := os.Stat(filepath.Join(f.BackupTo, n)); err != nil {
			t.Error(err)
		}
	}
}

// TestTheNewOneStays: whatever is asked for, and whatever the clock was before,
// the backup that was just made and checked is not removed.
func TestTheNewOneStays(t *testing.T) {
	t.Parallel()
	for _, keep := range []string{"0,0,0", "1,0,0", "1,1,1"} {
		f := backupFlags{BackupTo: t.TempDir()}
		if err := f.BackupKeep.UnmarshalText([]byte(keep)); err != nil {
			t.Fatal(err)
		}
		made := time.Date(2026, 1, 1, 3, 0, 0, 0, time.UTC).Format(backupName)
		for _, n := range []string{made, time.Date(2031, 1, 1, 3, 0, 0, 0, time.UTC).Format(backupName)} {
			if err := os.WriteFile(filepath.Join(f.BackupTo, n), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.retire(made); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(f.BackupTo, made)); err != nil {
			t.Errorf("%s: %v", keep, err)
		}
	}
	for _, bad := range []string{"", "7", "7,4", "7,4,x", "7,4,-1", "1,2,3,4"} {
		if err := new(keeping).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestSweep: what a backup left that was killed goes after a day; one that may
// still be running stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	f := backupFlags{BackupTo: t.TempDir()}
	now := time.Now()
	for name, age := range map[string]time.Duration{".backup-old": 25 * time.Hour, ".backup-running": 23 * time.Hour, "other": 1000 * time.Hour} {
		dir := filepath.Join(f.BackupTo, name)
		if err := os.MkdirAll(filepath.Join(dir, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	f.sweep(now)
	left, err := os.ReadDir(f.BackupTo)
	if err != nil || len(left) != 2 || left[0].Name() != ".backup-running" {
		t.Errorf("%v, %v", left, err)
	}
}

// hand is a clock that a test moves.
type hand struct{ at atomic.Int64 }

func (h *hand) now() time.Time        { return time.UnixMilli(h.at.Load()) }
func (h *hand) pass(by time.Duration) { h.at.Add(by.Milliseconds()) }

// TestSchedule: a backup when it is due and not before, by one of two servers;
// a failure is shown to the manager and to whoever watches, and mended.
func TestSchedule(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			url := ""
			if engine == "postgres" {
				url = storetest.Postgres(t)
			}
			l := live(t, url)
			v, err := vault.Open(l.key)
			if err != nil {
				t.Fatal(err)
			}
			clock := &hand{}
			clock.at.Store(time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC).UnixMilli())
			l.app = app.New(l.store, app.Config{Now: clock.now})
			folder := filepath.Join(l.dir, "backups")
			f := backupFlags{BackupTo: folder, BackupRecipient: newKey(t, filepath.Join(l.dir, "backup.key")), BackupEvery: 24 * time.Hour}
			if err := f.BackupKeep.UnmarshalText([]byte("7,4,12")); err != nil {
				t.Fatal(err)
			}
			keepers := []*keeper{{backupFlags: f, id: "a"}, {backupFlags: f, id: "b"}}
			for _, k := range keepers {
				k.vault, k.store, k.log, k.now = v, l.store, slog.New(slog.DiscardHandler), clock.now
			}
			l.word(t, "none")
			turns := func(want int, failing bool) {
				t.Helper()
				var all sync.WaitGroup
				var failed atomic.Int64
				for _, k := range keepers {
					all.Go(func() {
						if _, err := k.turn(t.Context()); err != nil {
							failed.Add(1)
						}
					})
				}
				all.Wait()
				files, err := f.backups()
				if (err != nil || len(files) != want || failed.Load() > 0) != failing {
					t.Errorf("%d backups, not %d; %d failed (%v)", len(files), want, failed.Load(), err)
				}
			}
			turns(1, false)
			l.word(t, "ok")
			turns(1, false) // not due
			clock.pass(24*time.Hour - time.Second)
			turns(1, false)
			clock.pass(time.Second)
			turns(2, false)
			clock.pass(49 * time.Hour)
			l.word(t, "late")
			l.breakFolder(t, folder, func() {
				turns(0, true)
				l.word(t, "failing")
			})
			b, err := l.app.Backups(t.Context(), l.neri)
			if err != nil || b.MadeMillis != clock.now().Add(-49*time.Hour).UnixMilli() || b.FailedMillis != clock.now().UnixMilli() || b.SizeBytes == 0 {
				t.Errorf("what the manager reads: %+v, %v", b, err)
			}
			clock.pass(lookEvery)
			turns(3, false)
			l.word(t, "ok")
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
			turns(1, false) // the folder was emptied: at once
			left, err := os.ReadDir(folder)
			if err != nil || len(left) != 1 {
				t.Errorf("in the folder: %v, %v", left, err)
			}
		})
	}
}

func (l lived) word(t *testing.T, want string) {
	t.Helper()
	if got, err := l.app.BackupWord(t.Context()); err != nil || got != want {
		t.Errorf("the word for backups is %q, not %q (%v)", got, want, err)
	}
}

// breakFolder puts a file where the folder of backups is, for as long as do runs.
func (l lived) breakFolder(t *testing.T, folder string, do func()) {
	t.Helper()
	aside := folder + ".aside"
	if err := os.Rename(folder, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	do()
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, folder); err != nil {
		t.Fatal(err)
	}
}

// TestServeMakesBackups: the program itself, by its flags: a backup soon after
// the start, said in its log, at /health, and restorable; a bad key is refused
// at the start and not in the night.
func TestServeMakesBackups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret, key, folder := filepath.Join(dir, "backup.key"), filepath.Join(dir, "entente.key"), filepath.Join(dir, "backups")
	recipient := newKey(t, secret)
	serve := []string{"serve", "--data=" + dir, "--key=" + key, "--listen=127.0.0.1:0", "--backup-to=" + folder}
	if out, ok := command(t, append(serve, "--backup-recipient=age1x")...); ok || !strings.Contains(out, "no public key") {
		t.Errorf("a bad recipient: %s", out)
	}
	p := entente(t, append(serve, "--backup-recipient="+recipient, "--backup-keep=1,0,0")...)
	base := p.after(" serves ")
	p.wait(`"msg":"backup"`)
	for {
		_, body := fetch(t, secure(nil), base+"/health")
		if text := string(body); strings.Contains(text, `"backup":"ok"`) {
			break
		} else if !strings.Contains(text, `"status":"ok"`) {
			t.Fatal(text)
		}
	}
	files, err := backupFlags{BackupTo: folder}.backups()
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	if out, ok := command(t, "restore", filepath.Join(folder, files[0]), "--data="+filepath.Join(dir, "restored"), "--key="+key, "--backup-key="+secret); !ok {
		t.Error(out)
	}
}
