// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What the first version of this package wrote, with testdata/version1.json.
const (
	firstFingerprint = "7f4d-43ac-f010-8087"
	firstWrapped     = "AQEh4xvv2JmxcwWBQmdyRFfsrPc2TZxeCMTjeYVpDMF8dKJRPZkIWjbSkSC4116gDGESz/KzabLZJyW/kbTHBFayOw=="
	firstSealed      = "AQEmK+putAzwybGkl0o4ADFnZDYGZNFACNmR80Nybx8EqJqV551xONm5xMY="
)

func firstKeyFile(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "version1.json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func decode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readFirst opens what was sealed under the first version.
func readFirst(t testing.TB, v *Vault) error {
	t.Helper()
	k, err := v.Unwrap(client, decode(t, firstWrapped))
	if err != nil {
		return err
	}
	plain, err := k.Open(client, decode(t, firstSealed))
	if err == nil && string(plain) != "a private note" {
		t.Fatalf("another value: %q", plain)
	}
	return err
}

func TestFirstVersionOpensAndIsLocked(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	write(t, path, firstKeyFile(t))
	v, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := readFirst(t, v); err != nil || v.Fingerprint() != firstFingerprint {
		t.Fatalf("%v, %v", err, v)
	}
	if info, err := Inspect(path); err != nil || info != (FileInfo{1, "none", firstFingerprint}) {
		t.Errorf("Inspect = %+v, %v", info, err)
	}
	lock := Passphrase([]byte(words))
	if _, err := OpenLocked(t.Context(), path, lock); !errors.Is(err, ErrLockKind) {
		t.Errorf("a passphrase for a file without: %v", err)
	}
	if err := ChangeLock(t.Context(), path, NoLock(), lock); err != nil {
		t.Fatal(err)
	}
	if info, err := Inspect(path); err != nil || info != (FileInfo{2, "passphrase", firstFingerprint}) {
		t.Errorf("Inspect = %+v, %v", info, err)
	}
	if _, err := Open(path); !errors.Is(err, ErrLocked) {
		t.Errorf("still open: %v", err)
	}
	if err := readFirst(t, reopen(t, path, lock)); err != nil {
		t.Error(err)
	}
}

// Key files of the first version that this package never wrote.
func TestForeignKeysAreRefused(t *testing.T) {
	t.Parallel()
	good := string(firstKeyFile(t))
	_, after, _ := strings.Cut(good, `"key":[`)
	key := strings.TrimSuffix(strings.TrimSpace(after), "]}")
	second := strings.Replace(key, `"keyId":568531951`, `"keyId":7`, 1)
	with := func(more ...string) string {
		return strings.Replace(good, key, strings.Join(append([]string{key}, more...), ","), 1)
	}
	if _, err := unlockKeys(t.Context(), "path", []byte(with(second)), NoLock()); err != nil {
		t.Fatalf("two keys: %v", err)
	}
	for what, text := range map[string]string{
		"disabled":   with(strings.Replace(second, "ENABLED", "DISABLED", 1)),
		"raw":        strings.Replace(good, `"TINK"`, `"RAW"`, 1),
		"no primary": strings.Replace(good, `"primaryKeyId":568531951`, `"primaryKeyId":568531952`, 1),
		"twice":      with(second, second),
		"other kind": strings.Replace(good, "AesGcmKey", "AesGcmSivKey", 1),
		"too many":   with(slices.Repeat([]string{second}, maxKeys)...),
	} {
		if text == good {
			t.Fatalf("%s: the test changes nothing", what)
		}
		if _, err := unlockKeys(t.Context(), "path", []byte(text), NoLock()); !errors.Is(err, ErrBadKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestInspectErrors(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	if _, err := Inspect(path); !errors.Is(err, ErrNoKey) {
		t.Errorf("absent: %v", err)
	}
	for _, text := range []string{"", "{}", `{"format":"entente-keys"}`, `{"format":"CANARY"}`, `{"format":"entente-keys","version":3}`} {
		write(t, path, []byte(text))
		if _, err := Inspect(path); !errors.Is(err, ErrBadKey) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", text, err)
		}
	}
	future := keyFile{Format: fileFormat, Version: 3}
	future.Sum = future.sum()
	write(t, path, future.text())
	if _, err := Open(path); !errors.Is(err, ErrBadKey) || !strings.Contains(err.Error(), "version 3") {
		t.Errorf("a later version: %v", err)
	}
}

// Every bit of a key file of today is guarded, whatever its lock.
func TestEveryFlipInAKeyFileIsDetected(t *testing.T) {
	t.Parallel()
	mask := Command(service("mask", "unmask"))
	for name, lock := range map[string]Lock{"none": NoLock(), "passphrase": Passphrase([]byte(words)), "command": mask} {
		path, v := create(t, lock)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			for bit := range 8 {
				bad := bytes.Clone(good)
				bad[i] ^= 1 << bit
				if _, err := unlockKeys(t.Context(), path, bad, lock); !errors.Is(err, ErrBadKey) {
					t.Fatalf("%s: byte %d bit %d: %v", name, i, bit, err)
				}
			}
			if _, err := unlockKeys(t.Context(), path, good[:i], lock); !errors.Is(err, ErrBadKey) {
				t.Fatalf("%s: cut to %d: %v", name, i, err)
			}
		}
		for _, bad := range [][]byte{append(bytes.Clone(good), '\n'), append([]byte(" "), good...), bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), bytes.Replace(good, []byte(`"lock"`), []byte(`"Lock"`), 1)} {
			if _, err := unlockKeys(t.Context(), path, bad, lock); !errors.Is(err, ErrBadKey) {
				t.Fatalf("%s: another spelling: %v", name, err)
			}
		}
		if again := reopen(t, path, lock); again.Fingerprint() != v.Fingerprint() {
			t.Fatalf("%s: %v and %v", name, again, v)
		}
	}
}

// Whoever changes a file knows how to write its sum: what is behind the sum must
// hold too, even where the service notices no change.
func TestChangesWithARightSumAreDetected(t *testing.T) {
	t.Parallel()
	mask := Command(service("mask", "unmask"))
	for name, lock := range map[string]Lock{"none": NoLock(), "passphrase": Passphrase([]byte(words)), "command": mask} {
		path, _ := create(t, lock)
		text, _ := os.ReadFile(path)
		good, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		flips := func(b []byte, try func([]byte)) {
			for i := range 8 * len(b) {
				// Hashing a passphrase and starting a service take their time.
				if name == "none" || i == 0 || i == 8*len(b)-1 {
					bad := bytes.Clone(b)
					bad[i/8] ^= 1 << (i % 8)
					try(bad)
				}
			}
		}
		refused := func(part string, bad keyFile) {
			bad.Sum = bad.sum()
			h, err := unlockKeys(t.Context(), path, bad.text(), lock)
			if h != nil || !(errors.Is(err, ErrBadKey) || errors.Is(err, ErrWrongLock)) {
				t.Fatalf("%s, %s: %v", name, part, err)
			}
		}
		flips(good.Keys, func(b []byte) { bad := good; bad.Keys = b; refused("keys", bad) })
		flips([]byte(good.Fingerprint), func(b []byte) { bad := good; bad.Fingerprint = string(b); refused("fingerprint", bad) })
		flips(good.Lock.Key, func(b []byte) { bad := good; bad.Lock.Key = b; refused("key", bad) })
		flips(good.Lock.Salt, func(b []byte) { bad := good; bad.Lock.Salt = b; refused("salt", bad) })
		flips(good.Lock.Wrapped, func(b []byte) { bad := good; bad.Lock.Wrapped = b; refused("wrapped", bad) })
		if name == "passphrase" {
			bad := good
			bad.Lock.Passes++
			refused("cost", bad)
		}
	}
}

// A file of the first version has no sum: a flip may go unseen when it is
// opened, but never gives another value.
func TestFlipsInTheFirstVersionNeverGiveAnotherValue(t *testing.T) {
	t.Parallel()
	good := firstKeyFile(t)
	opened, read := 0, 0
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			h, err := unlockKeys(t.Context(), "path", bad, NoLock())
			if errors.Is(err, ErrBadKey) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			opened++
			v, err := newVault(h)
			if err != nil {
				t.Fatal(err)
			}
			switch err := readFirst(t, v); {
			case err == nil && v.Fingerprint() == firstFingerprint:
				read++ // a space that became another
			case errors.Is(err, ErrTampered):
			default:
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
		}
	}
	if opened == 0 {
		t.Error("no flip went unseen; this test looks at nothing")
	}
	t.Logf("of %d flips %d opened, and %d of these changed nothing", 8*len(good), opened, read)
}

func FuzzKeyFile(f *testing.F) {
	for _, lock := range []Lock{NoLock(), Passphrase([]byte(words)), goodService()} {
		path, _ := create(f, lock)
		text, _ := os.ReadFile(path)
		f.Add(text)
	}
	f.Add(firstKeyFile(f))
	f.Add([]byte(`{"format":"entente-keys","version":2,"lock":{"kind":"passphrase","memory_kib":4294967295}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, err := parse(text); err == nil && !bytes.Equal(got.text(), text) {
			t.Errorf("accepted %q, which is not how it is written", text)
		}
		h, err := unlockKeys(t.Context(), "path", text, NoLock())
		if err == nil {
			if _, err := newRing(h); err != nil {
				t.Errorf("opened a key file without usable keys: %v", err)
			}
		} else if !errors.Is(err, ErrBadKey) && !errors.Is(err, ErrLocked) {
			t.Errorf("an error without a name: %v", err)
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	v := Generate()
	s, err := CreateShares(filepath.Join(f.TempDir(), "shares"))
	if err != nil {
		f.Fatal(err)
	}
	v.UseShares(s)
	_, plain, err := v.NewKey(client)
	if err != nil {
		f.Fatal(err)
	}
	_, shared, err := v.NewErasableKey(client)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add(shared)
	f.Add(bytes.Replace(shared, []byte{wrapShared}, []byte{wrapVersion}, 1))
	f.Fuzz(func(t *testing.T, wrapped []byte) {
		good := bytes.Equal(wrapped, plain) || bytes.Equal(wrapped, shared)
		if k, err := v.Unwrap(client, wrapped); good != (err == nil) || (k == nil) != (err != nil) || err != nil && !errors.Is(err, ErrTampered) {
			t.Errorf("Unwrap of %x: %v", wrapped, err)
		}
		if got, changed, err := v.Rewrap(client, wrapped); good != (err == nil) || changed || good && !bytes.Equal(got, wrapped) {
			t.Errorf("Rewrap of %x: %v", wrapped, err)
		}
	})
}

// Any bit of any field of a place.
func TestEveryFlipInAPlaceIsDetected(t *testing.T) {
	t.Parallel()
	v := Generate()
	s, err := CreateShares(filepath.Join(t.TempDir(), "shares"))
	if err != nil {
		t.Fatal(err)
	}
	v.UseShares(s)
	rapid.Check(t, func(r *rapid.T) {
		fields := make([]string, 5)
		for i := range fields {
			fields[i] = rapid.StringN(1, 12, 40).Draw(r, "field")
		}
		place := func() Place { return Place{fields[0], fields[1], fields[2], fields[3], fields[4]} }
		good := place()
		k, wrapped, err := v.NewKey(good)
		if err != nil {
			r.Fatal(err)
		}
		_, shared, err := v.NewErasableKey(good)
		if err != nil {
			r.Fatal(err)
		}
		sealed, err := k.Seal(good, []byte("note"))
		if err != nil {
			r.Fatal(err)
		}
		n := rapid.IntRange(0, 4).Draw(r, "which")
		b := []byte(fields[n])
		i := rapid.IntRange(0, 8*len(b)-1).Draw(r, "bit")
		b[i/8] ^= 1 << (i % 8)
		fields[n] = string(b)
		bad := place()
		_, e1 := k.Open(bad, sealed)
		_, e2 := v.Unwrap(bad, wrapped)
		_, e3 := v.Unwrap(bad, shared)
		_, _, e4 := v.Rewrap(bad, wrapped)
		_, _, e5 := v.MakeErasable(bad, wrapped)
		for i, err := range []error{e1, e2, e3, e4, e5} {
			var te *TamperError
			if !errors.As(err, &te) || te.Place != bad {
				r.Fatalf("%d: %v", i, err)
			}
		}
	})
}
