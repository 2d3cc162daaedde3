// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// row is what a database would hold of one person.
type row struct {
	owner           Place
	wrapped, sealed []byte
}

func fillRows(t testing.TB, v *Vault, n int) []row {
	t.Helper()
	rows := make([]row, n)
	for i := range rows {
		p := Place{Practice: "p1", Table: "data_key", Row: fmt.Sprint("client:", i)}
		k, wrapped := newTestKey(t, v, p)
		rows[i] = row{p, wrapped, seal(t, k, p, fmt.Sprint("note ", i))}
	}
	return rows
}

func readRow(v *Vault, r row, i int) error {
	k, err := v.Unwrap(r.owner, r.wrapped)
	if err != nil {
		return err
	}
	plain, err := k.Open(r.owner, r.sealed)
	if err == nil && string(plain) != fmt.Sprint("note ", i) {
		return fmt.Errorf("row %d reads %q", i, plain)
	}
	return err
}

func readAll(t testing.TB, when string, v *Vault, rows []row) {
	t.Helper()
	for i, r := range rows {
		if err := readRow(v, r, i); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
}

// rewrapAll reports how many had to be wrapped anew.
func rewrapAll(t testing.TB, v *Vault, rows []row) int {
	t.Helper()
	n := 0
	for i := range rows {
		before := rows[i].wrapped
		after, changed, err := v.Rewrap(rows[i].owner, before)
		if err != nil {
			t.Fatal(err)
		}
		if changed == bytes.Equal(before, after) {
			t.Fatalf("row %d: changed %v, but the bytes say otherwise", i, changed)
		}
		if changed {
			n++
		}
		rows[i].wrapped = after
	}
	return n
}

// The rotation of docs/adr/0014-keys.md with two servers over one database,
// which learn each step one after the other.
func TestRotationWithoutDowntime(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]Lock{"none": NoLock(), "passphrase": Passphrase([]byte(words)), "command": goodService()} {
		t.Run(name, func(t *testing.T) { t.Parallel(); rotate(t, lock) })
	}
}

func rotate(t *testing.T, lock Lock) {
	path, a := create(t, lock)
	b := reopen(t, path, lock)
	old := a.Fingerprint()
	rows := fillRows(t, a, 8)
	backup := slices.Clone(rows)
	copied, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Each server also writes in each state, and both must read everything.
	step := func(what string) {
		for _, w := range []*Vault{a, b} {
			p := Place{Practice: "p1", Table: "data_key", Row: fmt.Sprint("client:", len(rows))}
			k, wrapped := newTestKey(t, w, p)
			rows = append(rows, row{p, wrapped, seal(t, k, p, fmt.Sprint("note ", len(rows)))})
		}
		readAll(t, what, a, rows)
		readAll(t, what, b, rows)
	}
	reload := func(what string) {
		for _, v := range []*Vault{a, b} {
			if err := v.Reload(t.Context(), path, lock); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			step(what)
		}
	}
	step("before")
	next, err := AddKey(t.Context(), path, lock)
	if err != nil || next.Primary || next.Fingerprint == old {
		t.Fatalf("AddKey = %+v, %v", next, err)
	}
	reload("added")
	if a.Fingerprint() != old || len(a.Keys()) != 2 {
		t.Fatalf("an added key wraps at once: %+v", a.Keys())
	}
	if err := PromoteKey(t.Context(), path, lock, next.Fingerprint); err != nil {
		t.Fatal(err)
	}
	step("promoted, not yet known")
	reload("promoted")
	if want := []KeyInfo{{next.Fingerprint, true}, {old, false}}; !slices.Equal(a.Keys(), want) {
		t.Fatalf("keys %+v, want %+v", a.Keys(), want)
	}
	if n := rewrapAll(t, a, rows); n == 0 || n == len(rows) {
		t.Fatalf("%d of %d were wrapped anew", n, len(rows))
	}
	if n := rewrapAll(t, b, rows); n != 0 {
		t.Fatalf("%d were wrapped anew twice", n)
	}
	for i, r := range rows {
		if got := a.WrappedUnder(r.wrapped); got != next.Fingerprint {
			t.Fatalf("row %d is under %q", i, got)
		}
	}
	readAll(t, "a backup from before", a, backup)
	if err := RemoveKey(t.Context(), path, lock, old); err != nil {
		t.Fatal(err)
	}
	reload("removed")
	for _, v := range []*Vault{a, b, reopen(t, path, lock)} {
		readAll(t, "after", v, rows)
		for i, r := range backup {
			if err := readRow(v, r, i); !errors.Is(err, ErrTampered) || v.WrappedUnder(r.wrapped) != "" {
				t.Fatalf("the removed key still opens row %d of a backup: %v", i, err)
			}
		}
	}
	// The copy of the old key file, kept with the backup, opens the backup.
	write(t, path+".copy", copied)
	readAll(t, "backup with its key file", reopen(t, path+".copy", lock), backup)
}

// Readers and writers go on while the keys are exchanged below them.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	old := v.Fingerprint()
	var mu sync.RWMutex // stands for the database
	rows := fillRows(t, v, 16)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := g; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				i := n % 16
				mu.RLock()
				r := rows[i]
				err := readRow(v, r, i)
				mu.RUnlock()
				v.Forget(r.owner, r.wrapped)
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5 {
		next, err := AddKey(t.Context(), path, NoLock())
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Reload(t.Context(), path, NoLock()); err != nil {
			t.Fatal(err)
		}
		if err := PromoteKey(t.Context(), path, NoLock(), next.Fingerprint); err != nil {
			t.Fatal(err)
		}
		if err := v.Reload(t.Context(), path, NoLock()); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			mu.Lock()
			again, changed, err := v.Rewrap(rows[i].owner, rows[i].wrapped)
			if err != nil || !changed {
				t.Errorf("row %d: changed %v, %v", i, changed, err)
			}
			rows[i].wrapped = again
			mu.Unlock()
		}
		if err := RemoveKey(t.Context(), path, NoLock(), old); err != nil {
			t.Fatal(err)
		}
		if err := v.Reload(t.Context(), path, NoLock()); err != nil {
			t.Fatal(err)
		}
		old = next.Fingerprint
	}
	close(stop)
	wg.Wait()
	if len(v.Keys()) != 1 {
		t.Errorf("keys %+v", v.Keys())
	}
	readAll(t, "after", v, rows)
}

func TestKeyChangesThatAreRefused(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	before, _ := os.ReadFile(path)
	for what, err := range map[string]error{
		"removing the primary": RemoveKey(t.Context(), path, NoLock(), v.Fingerprint()),
		"removing an unknown":  RemoveKey(t.Context(), path, NoLock(), "0000-0000-0000-0000"),
		"promoting an unknown": PromoteKey(t.Context(), path, NoLock(), ""),
		"a weak passphrase":    ChangeLock(t.Context(), path, NoLock(), Passphrase([]byte("short"))),
		"a failing service":    ChangeLock(t.Context(), path, NoLock(), Command(service("fail", "fail"))),
		"another lock":         ChangeLock(t.Context(), path, goodService(), NoLock()),
	} {
		want := map[string]error{
			"removing the primary": ErrPrimaryKey, "removing an unknown": ErrNoSuchKey, "promoting an unknown": ErrNoSuchKey,
			"a weak passphrase": ErrPassphrase, "a failing service": ErrCommand, "another lock": ErrLockKind,
		}[what]
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := AddKey(t.Context(), path+"x", NoLock()); !errors.Is(err, ErrNoKey) {
		t.Errorf("absent: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a refused change changed the file")
	}
	write(t, path+".new", nil)
	if _, err := AddKey(t.Context(), path, NoLock()); !errors.Is(err, ErrChanging) {
		t.Errorf("beside another change: %v", err)
	}
	if err := os.Remove(path + ".new"); err != nil {
		t.Fatal(err)
	}
	for range maxKeys - 1 {
		if _, err := AddKey(t.Context(), path, NoLock()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := AddKey(t.Context(), path, NoLock()); !errors.Is(err, ErrManyKeys) {
		t.Errorf("one too many: %v", err)
	}
	if again := reopen(t, path, NoLock()); len(again.Keys()) != maxKeys || again.Fingerprint() != v.Fingerprint() {
		t.Errorf("%d keys", len(again.Keys()))
	}
	if left, _ := filepath.Glob(path + "?*"); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Two changes at once: one waits outside or both are in the file, never half.
func TestConcurrentKeyChanges(t *testing.T) {
	t.Parallel()
	path, _ := create(t, NoLock())
	var wg sync.WaitGroup
	var mu sync.Mutex
	want := 1
	for range 8 {
		wg.Go(func() {
			_, err := AddKey(t.Context(), path, NoLock())
			if err != nil && !errors.Is(err, ErrChanging) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				want++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if got := len(reopen(t, path, NoLock()).Keys()); got != want || want < 2 {
		t.Errorf("%d keys, want %d", got, want)
	}
}

func TestChangeFollowsALink(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	link := newPath(t)
	if err := os.Symlink(path, link); err != nil {
		t.Skip("no links here: ", err)
	}
	if err := ChangeLock(t.Context(), link, NoLock(), Passphrase([]byte(words))); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}
	if info, err := Inspect(path); err != nil || info.Lock != "passphrase" || info.Fingerprint != v.Fingerprint() {
		t.Errorf("Inspect = %+v, %v", info, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestReloadOfAnotherFile(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	rows := fillRows(t, v, 2)
	other, _ := create(t, NoLock())
	if err := v.Reload(t.Context(), other, NoLock()); !errors.Is(err, ErrOtherKeys) {
		t.Errorf("another file: %v", err)
	}
	if err := v.Reload(t.Context(), path+"x", NoLock()); !errors.Is(err, ErrNoKey) {
		t.Errorf("absent: %v", err)
	}
	write(t, path, []byte("damaged"))
	if err := v.Reload(t.Context(), path, NoLock()); !errors.Is(err, ErrBadKey) {
		t.Errorf("damaged: %v", err)
	}
	readAll(t, "after failed reloads", v, rows)
}

func TestRewrapRefusesWhatDoesNotVerify(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	_, wrapped := newTestKey(t, v, client)
	next, err := AddKey(t.Context(), path, NoLock())
	if err != nil {
		t.Fatal(err)
	}
	if err := PromoteKey(t.Context(), path, NoLock(), next.Fingerprint); err != nil {
		t.Fatal(err)
	}
	if err := v.Reload(t.Context(), path, NoLock()); err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(wrapped) {
		bad := bytes.Clone(wrapped)
		bad[i/8] ^= 1 << (i % 8)
		if got, changed, err := v.Rewrap(client, bad); got != nil || changed || !errors.Is(err, ErrTampered) {
			t.Fatalf("bit %d: %v", i, err)
		}
	}
	if _, _, err := v.Rewrap(Place{}, wrapped); !errors.Is(err, ErrTampered) {
		t.Errorf("another owner: %v", err)
	}
	if v.WrappedUnder(nil) != "" || v.WrappedUnder(make([]byte, 80)) != "" {
		t.Error("bytes that are no data key are under a key")
	}
}

func BenchmarkRewrap(b *testing.B) {
	path, v := create(b, NoLock())
	_, wrapped := newTestKey(b, v, client)
	next, err := AddKey(b.Context(), path, NoLock())
	if err != nil {
		b.Fatal(err)
	}
	if err := PromoteKey(b.Context(), path, NoLock(), next.Fingerprint); err != nil {
		b.Fatal(err)
	}
	if err := v.Reload(b.Context(), path, NoLock()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, changed, err := v.Rewrap(client, wrapped); err != nil || !changed {
			b.Fatal(changed, err)
		}
	}
}
