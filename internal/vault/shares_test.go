// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func newShares(t testing.TB) (string, *Shares) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "shares")
	s, err := CreateShares(folder)
	if err != nil {
		t.Fatal(err)
	}
	return folder, s
}

func openShares(t testing.TB, folder string) *Shares {
	t.Helper()
	s, err := OpenShares(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newErasable(t testing.TB, v *Vault, owner Place) (*Key, []byte) {
	t.Helper()
	k, wrapped, err := v.NewErasableKey(owner)
	if err != nil {
		t.Fatal(err)
	}
	return k, wrapped
}

func ownerOf(name string) Place { return Place{Practice: "p1", Table: "data_key", Row: name} }

// A backup made before the erasure, restored with the key file of that time and
// today's shares, by a program that never saw the person.
func TestErasureReachesAnEarlierBackup(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	folder, s := newShares(t)
	v.UseShares(s)
	ada, bea := ownerOf("ada"), ownerOf("bea")
	adas, adaWrapped := newErasable(t, v, ada)
	beas, beaWrapped := newErasable(t, v, bea)
	adaSealed, beaSealed := seal(t, adas, ada, "a private note"), seal(t, beas, bea, "another")
	share, err := s.read(ada)
	if err != nil {
		t.Fatal(err)
	}

	if err := v.Erase(ada); err != nil {
		t.Fatal(err)
	}

	restored := reopen(t, path, NoLock())
	restored.UseShares(openShares(t, folder))
	for name, w := range map[string]*Vault{"running": v, "restored": restored} {
		if k, err := w.Unwrap(ada, adaWrapped); k != nil || !errors.Is(err, ErrErased) {
			t.Errorf("%s: ada's key: %v", name, err)
		}
		if gone, err := w.Erased(ada); !gone || err != nil {
			t.Errorf("%s: Erased(ada) = %v, %v", name, gone, err)
		}
		if gone, err := w.Erased(bea); gone || err != nil {
			t.Errorf("%s: Erased(bea) = %v, %v", name, gone, err)
		}
		if _, _, err := w.NewErasableKey(ada); !errors.Is(err, ErrErased) {
			t.Errorf("%s: a new key for ada: %v", name, err)
		}
		if _, _, err := w.NewKey(ada); !errors.Is(err, ErrErased) {
			t.Errorf("%s: a plain key for ada: %v", name, err)
		}
		k, err := w.Unwrap(bea, beaWrapped)
		if err != nil {
			t.Fatalf("%s: bea's key: %v", name, err)
		}
		if plain, err := k.Open(bea, beaSealed); err != nil || string(plain) != "another" {
			t.Errorf("%s: bea reads %q, %v", name, plain, err)
		}
	}

	// Whoever holds the key file and the backup gets to the inner wrapping, and
	// no further: what is left on the disk does not open it.
	inner, err := restored.unwrapOuter(ada, adaWrapped)
	if err != nil {
		t.Fatal(err)
	}
	opens := func(key []byte) bool {
		box, err := lockBox(key)
		if err != nil {
			return false
		}
		_, err = box.Open(nil, nil, inner, ownerAD("share-wrap", ada))
		return err == nil
	}
	if !opens(share) {
		t.Fatal("the share does not open the inner wrapping; this test looks at nothing")
	}
	disk := append(readFolder(t, folder), mustRead(t, path)...)
	disk = append(append(disk, adaWrapped...), adaSealed...)
	if bytes.Contains(disk, share) || bytes.Contains(disk, hex.AppendEncode(nil, share)) {
		t.Error("the share is still on the disk")
	}
	for i := range len(disk) - 2*shareSize {
		if opens(disk[i : i+shareSize]) {
			t.Fatalf("32 bytes at %d open the key", i)
		}
		if b, err := hex.DecodeString(string(disk[i : i+2*shareSize])); err == nil && opens(b) {
			t.Fatalf("hexadecimal at %d opens the key", i)
		}
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readFolder(t testing.TB, folder string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, mustRead(t, path)...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The limit that the decision names: an old copy of the shares brings back whom
// it holds.
func TestAnOldCopyOfTheSharesUndoesAnErasure(t *testing.T) {
	t.Parallel()
	folder, s := newShares(t)
	v := Generate()
	v.UseShares(s)
	_, wrapped := newErasable(t, v, client)
	file := filepath.Join(folder, nameOf(client))
	old := mustRead(t, file)
	if err := v.Erase(client); err != nil {
		t.Fatal(err)
	}
	write(t, file, old)
	if _, err := v.Unwrap(client, wrapped); err != nil {
		t.Errorf("the decision says that this opens: %v", err)
	}
}

// A hard link or a second name is the same file: overwriting reaches it.
func TestErasureOverwritesInPlace(t *testing.T) {
	t.Parallel()
	folder, s := newShares(t)
	v := Generate()
	v.UseShares(s)
	newErasable(t, v, client)
	link := filepath.Join(t.TempDir(), "copy")
	if err := os.Link(filepath.Join(folder, nameOf(client)), link); err != nil {
		t.Fatal(err)
	}
	if err := v.Erase(client); err != nil {
		t.Fatal(err)
	}
	if _, erased, err := parseShare(nameOf(client), mustRead(t, link)); !erased || err != nil {
		t.Errorf("the other name still has a share: %v", err)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 2 {
		t.Errorf("%d files, %v; want the marker and one", len(left), err)
	}
}

func TestEraseCanBeRepeated(t *testing.T) {
	t.Parallel()
	folder, s := newShares(t)
	v := Generate()
	v.UseShares(s)
	_, wrapped := newErasable(t, v, client)
	file := filepath.Join(folder, nameOf(client))
	whole := mustRead(t, file)
	for what, text := range map[string][]byte{
		"whole": whole, "half overwritten": append(shareText(nameOf(client), []byte(shareErased))[:40:40], whole[40:]...),
		"empty": nil, "longer": append(bytes.Clone(whole), whole...), "erased": shareText(nameOf(client), []byte(shareErased)),
	} {
		write(t, file, text)
		if err := v.Erase(client); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := v.Unwrap(client, wrapped); !errors.Is(err, ErrErased) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Somebody who never had a share is remembered too.
	if err := v.Erase(ownerOf("stranger")); err != nil {
		t.Fatal(err)
	}
	if gone, err := v.Erased(ownerOf("stranger")); !gone || err != nil {
		t.Errorf("Erased = %v, %v", gone, err)
	}
}

func TestErasureEmptiesTheMemory(t *testing.T) {
	t.Parallel()
	_, s := newShares(t)
	v := Generate()
	v.UseShares(s)
	k, first := newErasable(t, v, client)
	_, second, err := v.Renew(client, k)
	if err != nil {
		t.Fatal(err)
	}
	newErasable(t, v, ownerOf("bea"))
	if err := v.Erase(client); err != nil {
		t.Fatal(err)
	}
	for _, wrapped := range [][]byte{first, second} {
		if _, err := v.Unwrap(client, wrapped); !errors.Is(err, ErrErased) {
			t.Errorf("%v", err)
		}
	}
	if n := v.cache.len(); n != 1 {
		t.Errorf("%d keys are left in memory, want bea's", n)
	}
	// An unwrapping that began before the erasure must not bring the key back.
	since := v.cache.since()
	v.cache.dropOwner(client)
	v.cache.put(since, cacheKey(client, first), client, k)
	if n := v.cache.len(); n != 1 {
		t.Error("an erased key came back into memory")
	}
}

func TestEveryFlipInAShareIsDetected(t *testing.T) {
	t.Parallel()
	folder, s := newShares(t)
	v := Generate()
	v.UseShares(s)
	_, wrapped := newErasable(t, v, client)
	newErasable(t, v, ownerOf("bea"))
	file := filepath.Join(folder, nameOf(client))
	good := mustRead(t, file)
	check := func(what string, text []byte) {
		t.Helper()
		write(t, file, text)
		v.Forget(client, wrapped)
		if k, err := v.Unwrap(client, wrapped); k != nil || !errors.Is(err, ErrBadShare) {
			t.Fatalf("%s: %v", what, err)
		}
		if _, _, err := v.NewErasableKey(client); !errors.Is(err, ErrBadShare) {
			t.Fatalf("%s, new key: %v", what, err)
		}
	}
	for _, text := range [][]byte{good, shareText(nameOf(client), []byte(shareErased))} {
		for i := range 8 * len(text) {
			bad := bytes.Clone(text)
			bad[i/8] ^= 1 << (i % 8)
			if share, erased, err := parseShare(nameOf(client), bad); share != nil || erased || !errors.Is(err, ErrBadShare) {
				t.Fatalf("bit %d: %v", i, err)
			}
		}
		check("a flip", append([]byte{text[0] ^ 1}, text[1:]...))
		check("cut", text[:len(text)-1])
	}
	check("of somebody else", mustRead(t, filepath.Join(folder, nameOf(ownerOf("bea")))))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Unwrap(client, wrapped); !errors.Is(err, ErrNoShare) {
		t.Errorf("missing: %v", err)
	}
	// A well-formed share that is another one.
	write(t, file, shareText(nameOf(client), bytes.Repeat([]byte("ab"), shareSize)))
	if _, err := v.Unwrap(client, wrapped); !errors.Is(err, ErrTampered) {
		t.Errorf("exchanged: %v", err)
	}
	// And a wrapped key that is changed inside.
	write(t, file, good)
	for i := range 8 * len(wrapped) {
		bad := bytes.Clone(wrapped)
		bad[i/8] ^= 1 << (i % 8)
		if k, err := v.Unwrap(client, bad); k != nil || !errors.Is(err, ErrTampered) {
			t.Fatalf("bit %d: %v", i, err)
		}
	}
	bad := bytes.Clone(wrapped)
	bad[0] = wrapVersion
	if _, err := v.Unwrap(client, bad); !errors.Is(err, ErrTampered) {
		t.Errorf("as a key without share: %v", err)
	}
}

func TestErasableKeysWithoutShares(t *testing.T) {
	t.Parallel()
	_, s := newShares(t)
	v := Generate()
	v.UseShares(s)
	k, wrapped := newErasable(t, v, client)
	v.Forget(client, wrapped)
	v.UseShares(nil)
	_, _, e1 := v.NewErasableKey(client)
	_, e2 := v.Unwrap(client, wrapped)
	_, _, e3 := v.Renew(client, k)
	_, e4 := v.Erased(client)
	for i, err := range []error{e1, e2, e3, e4, v.Erase(client)} {
		if !errors.Is(err, ErrNoShares) {
			t.Errorf("%d: %v", i, err)
		}
	}
	_, other := newShares(t)
	v.UseShares(other)
	if _, err := v.Unwrap(client, wrapped); !errors.Is(err, ErrNoShare) {
		t.Errorf("another folder: %v", err)
	}
}

// An installation that began without shares, and the backups of that time.
func TestMakeErasable(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	k, wrapped := newTestKey(t, v, client)
	sealed := seal(t, k, client, "note")
	if _, _, err := v.MakeErasable(client, wrapped); !errors.Is(err, ErrNoShares) {
		t.Fatalf("without shares: %v", err)
	}
	folder, s := newShares(t)
	v.UseShares(s)
	shared, changed, err := v.MakeErasable(client, wrapped)
	if err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if again, changed, err := v.MakeErasable(client, shared); err != nil || changed || !bytes.Equal(again, shared) {
		t.Fatalf("twice: changed %v, %v", changed, err)
	}
	k, err = v.Unwrap(client, shared)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.Open(client, sealed); err != nil || string(plain) != "note" {
		t.Fatalf("%q, %v", plain, err)
	}
	if _, next, err := v.Renew(client, k); err != nil || next[0] != wrapShared {
		t.Fatalf("renewed as %d, %v", next[0], err)
	}
	if err := v.Erase(client); err != nil {
		t.Fatal(err)
	}
	// A copy from before is refused by whoever has the shares, and opened by
	// whoever leaves them out, until its key is gone.
	if _, err := v.Unwrap(client, wrapped); !errors.Is(err, ErrErased) {
		t.Errorf("the copy from before: %v", err)
	}
	if _, err := reopen(t, path, NoLock()).Unwrap(client, wrapped); err != nil {
		t.Errorf("the decision says that this opens: %v", err)
	}
	old := v.Fingerprint()
	next, err := AddKey(t.Context(), path, NoLock())
	if err != nil {
		t.Fatal(err)
	}
	if err := PromoteKey(t.Context(), path, NoLock(), next.Fingerprint); err != nil {
		t.Fatal(err)
	}
	// An erased person's key can still be wrapped anew: rotation needs no share.
	w := reopen(t, path, NoLock())
	w.UseShares(openShares(t, folder))
	if _, changed, err := w.Rewrap(client, shared); err != nil || !changed {
		t.Errorf("Rewrap: changed %v, %v", changed, err)
	}
	if err := RemoveKey(t.Context(), path, NoLock(), old); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, path, NoLock()).Unwrap(client, wrapped); !errors.Is(err, ErrTampered) {
		t.Errorf("after its key was removed: %v", err)
	}
}

func TestRewrapKeepsTheShare(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	_, s := newShares(t)
	v.UseShares(s)
	k, wrapped := newErasable(t, v, client)
	sealed := seal(t, k, client, "note")
	next, err := AddKey(t.Context(), path, NoLock())
	if err != nil {
		t.Fatal(err)
	}
	if err := PromoteKey(t.Context(), path, NoLock(), next.Fingerprint); err != nil {
		t.Fatal(err)
	}
	bare := reopen(t, path, NoLock()) // a rotation that has no shares at hand
	again, changed, err := bare.Rewrap(client, wrapped)
	if err != nil || !changed || again[0] != wrapShared {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if _, err := bare.Unwrap(client, again); !errors.Is(err, ErrNoShares) {
		t.Errorf("opened without its share: %v", err)
	}
	bare.UseShares(s)
	k, err = bare.Unwrap(client, again)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.Open(client, sealed); err != nil || string(plain) != "note" {
		t.Errorf("%q, %v", plain, err)
	}
}

// Two processes with one folder make the first key of one person.
func TestSharesOfTwoProcesses(t *testing.T) {
	t.Parallel()
	path, v := create(t, NoLock())
	folder, s := newShares(t)
	v.UseShares(s)
	w := reopen(t, path, NoLock())
	w.UseShares(openShares(t, folder))
	var wrapped [16][]byte
	var wg sync.WaitGroup
	for i := range wrapped {
		wg.Go(func() {
			var err error
			if _, wrapped[i], err = []*Vault{v, w}[i%2].NewErasableKey(client); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	third := reopen(t, path, NoLock())
	third.UseShares(s)
	for i := range wrapped {
		if _, err := third.Unwrap(client, wrapped[i]); err != nil {
			t.Errorf("key %d: %v", i, err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 2 {
		t.Errorf("%d files, %v; want the marker and one share", len(left), err)
	}
}

func TestSharesFolder(t *testing.T) {
	t.Parallel()
	folder, _ := newShares(t)
	if _, err := CreateShares(folder); !errors.Is(err, ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	empty := t.TempDir()
	for _, bad := range []string{empty, filepath.Join(empty, "absent")} {
		if _, err := OpenShares(bad); !errors.Is(err, ErrNoShares) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := CreateShares(filepath.Join(folder, shareMarker)); err == nil {
		t.Error("a file was made a folder of shares")
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenShares(folder); !errors.Is(err, ErrPermissions) {
		t.Errorf("readable by the group: %v", err)
	}
}

func FuzzShare(f *testing.F) {
	name := nameOf(client)
	for _, content := range []string{shareErased, strings.Repeat("0", 2*shareSize), strings.Repeat("z", 2*shareSize), strings.Repeat("A", 2*shareSize)} {
		f.Add(shareText(name, []byte(content)), false)
		f.Add([]byte(content), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, content bool) {
		if content {
			text = shareText(name, text) // with the sum that belongs to it
		}
		share, erased, err := parseShare(name, text)
		switch {
		case errors.Is(err, ErrBadShare) && share == nil && !erased:
		case err == nil && erased && share == nil && bytes.Equal(text, shareText(name, []byte(shareErased))):
		case err == nil && !erased && len(share) == shareSize && bytes.Equal(text, shareText(name, hex.AppendEncode(nil, share))):
		default:
			t.Errorf("%q gives %x, %v, %v", text, share, erased, err)
		}
	})
}

func BenchmarkErasable(b *testing.B) {
	_, s := newShares(b)
	v := Generate()
	v.UseShares(s)
	_, wrapped := newErasable(b, v, client)
	b.Run("unwrap cold", func(b *testing.B) {
		for b.Loop() {
			v.Forget(client, wrapped)
			if _, err := v.Unwrap(client, wrapped); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			newErasable(b, v, ownerOf(strconv.Itoa(n)))
		}
	})
}
