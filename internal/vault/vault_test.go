// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var client = Place{Practice: "p1", Table: "client", Row: "c1", Column: "data_key"}

func newTestKey(t testing.TB, v *Vault, owner Place) (*Key, []byte) {
	t.Helper()
	k, wrapped, err := v.NewKey(owner)
	if err != nil {
		t.Fatal(err)
	}
	return k, wrapped
}

func seal(t testing.TB, k *Key, p Place, plain string) []byte {
	t.Helper()
	b, err := k.Seal(p, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tampered checks that an opening failed, named the place, and gave nothing.
func tampered(t *testing.T, what string, p Place, plain []byte, err error) {
	t.Helper()
	var te *TamperError
	if !errors.Is(err, ErrTampered) || !errors.As(err, &te) || te.Place != p {
		t.Fatalf("%s: error %v, want a TamperError for %v", what, err, p)
	}
	if plain != nil {
		t.Fatalf("%s: gave plaintext", what)
	}
}

func TestSealRoundTrip(t *testing.T) {
	t.Parallel()
	v := Generate()
	k, _ := newTestKey(t, v, client)
	rapid.Check(t, func(r *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(r, "plain")
		p := Place{rapid.String().Draw(r, "practice"), "t", rapid.String().Draw(r, "row"), "c", rapid.String().Draw(r, "context")}
		a, err := k.Seal(p, plain)
		if err != nil {
			r.Fatal(err)
		}
		b, _ := k.Seal(p, plain)
		if bytes.Equal(a, b) {
			r.Fatal("the same value sealed twice looks the same")
		}
		if len(a) != len(plain)+Overhead || a[0] != sealVersion || GenerationOf(a) != 1 {
			r.Fatalf("layout: %d bytes for %d, version %d, generation %d", len(a), len(plain), a[0], a[1])
		}
		got, err := k.Open(p, a)
		if err != nil || got == nil || !bytes.Equal(got, plain) {
			r.Fatalf("opened %v, %v", got, err)
		}
	})
}

func TestEveryFlipAndCutIsDetected(t *testing.T) {
	t.Parallel()
	v := Generate()
	k, wrapped := newTestKey(t, v, client)
	p := Place{"p1", "response", "r1", "answers", "s1 f1"}
	sealed := seal(t, k, p, "a private note")
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			plain, err := k.Open(p, bad)
			tampered(t, fmt.Sprintf("byte %d bit %d", i, bit), p, plain, err)
		}
		plain, err := k.Open(p, sealed[:i])
		tampered(t, fmt.Sprintf("cut to %d", i), p, plain, err)
	}
	plain, err := k.Open(p, append(bytes.Clone(sealed), 0))
	tampered(t, "one byte more", p, plain, err)

	for i := range wrapped {
		for bit := range 8 {
			bad := bytes.Clone(wrapped)
			bad[i] ^= 1 << bit
			if k, err := v.Unwrap(client, bad); k != nil || !errors.Is(err, ErrTampered) {
				t.Fatalf("wrapped byte %d bit %d: %v", i, bit, err)
			}
		}
		if k, err := v.Unwrap(client, wrapped[:i]); k != nil || !errors.Is(err, ErrTampered) {
			t.Fatalf("wrapped cut to %d: %v", i, err)
		}
	}
}

func TestEveryFieldOfPlaceBinds(t *testing.T) {
	t.Parallel()
	v := Generate()
	p := Place{"a", "b", "c", "d", "e"}
	k, wrapped := newTestKey(t, v, p)
	sealed := seal(t, k, p, "x")
	others := []Place{
		{"A", "b", "c", "d", "e"}, {"a", "B", "c", "d", "e"}, {"a", "b", "C", "d", "e"},
		{"a", "b", "c", "D", "e"}, {"a", "b", "c", "d", "E"}, {"a", "b", "c", "d", ""},
		{"b", "a", "c", "d", "e"}, {"ab", "", "c", "d", "e"}, {"", "ab", "c", "d", "e"}, {},
	}
	for _, o := range others {
		plain, err := k.Open(o, sealed)
		tampered(t, o.String(), o, plain, err)
		if k, err := v.Unwrap(o, wrapped); k != nil || !errors.Is(err, ErrTampered) {
			t.Fatalf("unwrapped for %v: %v", o, err)
		}
	}
	other, _ := newTestKey(t, v, p)
	plain, err := other.Open(p, sealed)
	tampered(t, "another key", p, plain, err)
	if _, err := Generate().Unwrap(p, wrapped); !errors.Is(err, ErrTampered) {
		t.Fatalf("another vault: %v", err)
	}
}

func TestPlaceEncodingIsUnambiguous(t *testing.T) {
	t.Parallel()
	field := rapid.StringMatching("[ab\x00\x01\x02]{0,3}")
	rapid.Check(t, func(r *rapid.T) {
		draw := func(n string) Place {
			return Place{field.Draw(r, n+"1"), field.Draw(r, n+"2"), field.Draw(r, n+"3"), field.Draw(r, n+"4"), field.Draw(r, n+"5")}
		}
		a, b := draw("a"), draw("b")
		if (a == b) != bytes.Equal(a.append(nil), b.append(nil)) {
			r.Fatalf("%v and %v", a, b)
		}
	})
	long := strings.Repeat("x", 300)
	if bytes.Equal(Place{Practice: long, Table: "y"}.append(nil), Place{Practice: long + "y"}.append(nil)) {
		t.Fatal("long fields run together")
	}
	want := `practice="p 1" row="r\n2"`
	if got := (Place{Practice: "p 1", Row: "r\n2"}).String(); got != want {
		t.Fatalf("String %s, want %s", got, want)
	}
	if (Place{}).String() == "" {
		t.Fatal("an empty place has no name")
	}
}

func TestUnwrapAndGenerations(t *testing.T) {
	t.Parallel()
	v := Generate()
	k, wrapped := newTestKey(t, v, client)
	sealed := seal(t, k, client, "note")
	v.Forget(client, wrapped)
	if v.cache.len() != 0 {
		t.Fatal("Forget left the key in memory")
	}
	for range 2 { // from the wrapped bytes, then from memory
		again, err := v.Unwrap(client, wrapped)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Open(client, sealed); err != nil || string(got) != "note" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	next, nextWrapped, err := v.Renew(client, k)
	if err != nil || next.Generation() != 2 {
		t.Fatalf("renewed to %d, %v", next.Generation(), err)
	}
	v.Forget(client, nextWrapped)
	next, err = v.Unwrap(client, nextWrapped)
	if err != nil || next.Generation() != 2 || GenerationOf(seal(t, next, client, "")) != 2 {
		t.Fatalf("generation %d, %v", next.Generation(), err)
	}
	plain, err := next.Open(client, sealed)
	tampered(t, "older generation", client, plain, err)
	last, err := newKey(make([]byte, rootSize), 255, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Renew(client, last); err == nil {
		t.Fatal("renewed past 255")
	}
}

func TestIndexAndDerive(t *testing.T) {
	t.Parallel()
	v := Generate()
	k, wrapped := newTestKey(t, v, client)
	v.Forget(client, wrapped)
	same, err := v.Unwrap(client, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := newTestKey(t, v, client)
	a := k.Index("mail", "ada@example.org")
	if len(a) != indexSize || !bytes.Equal(a, same.Index("mail", "ada@example.org")) {
		t.Fatalf("index %x is not stable", a)
	}
	for what, b := range map[string][]byte{
		"value":   k.Index("mail", "ada@example.com"),
		"purpose": k.Index("phone", "ada@example.org"),
		"key":     other.Index("mail", "ada@example.org"),
		"split":   k.Index("maila", "da@example.org"),
	} {
		if bytes.Equal(a, b) {
			t.Errorf("another %s gives the same index", what)
		}
	}
	if k.Derive("audit") != same.Derive("audit") || k.Derive("audit") == k.Derive("mail") || k.Derive("audit") == other.Derive("audit") {
		t.Error("derived keys are not one per key and purpose")
	}
	d := k.Derive("mail")
	if d == k.m.subkey("index", "mail") || d == *k.m.root || k.m.subkey("seal", "") == *k.m.root {
		t.Error("subkeys of different uses coincide")
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.json")
	if _, err := Open(path); !errors.Is(err, ErrNoKey) {
		t.Fatalf("absent: %v", err)
	}
	v, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	if _, err := Create(path); !errors.Is(err, ErrExists) {
		t.Fatalf("second: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Fatal("the key file was changed")
	}
	_, wrapped := newTestKey(t, v, client)
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Unwrap(client, wrapped); err != nil {
		t.Fatalf("the stored key does not unwrap: %v", err)
	}
	if again.Fingerprint() != v.Fingerprint() || v.Fingerprint() == Generate().Fingerprint() || len(v.Fingerprint()) != 19 {
		t.Fatalf("fingerprints %s, %s", v.Fingerprint(), again.Fingerprint())
	}
	if runtime.GOOS == "windows" {
		return
	}
	info, _ := os.Stat(path)
	if info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %o", info.Mode().Perm())
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrPermissions) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("mode %o: %v", mode, err)
		}
	}
}

func TestBadKeyFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	good := filepath.Join(folder, "good")
	if _, err := Create(good); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(good)
	for name, content := range map[string][]byte{
		"empty": nil, "cut": text[:len(text)/2], "other": []byte(`{"a":"CANARY"}`), "text": []byte("CANARY"),
		"long": bytes.Repeat([]byte(" "), maxKeyFile+1), "nokeys": []byte(`{"primaryKeyId":1,"key":[]}`),
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrBadKey) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(folder); err == nil {
		t.Error("a folder was opened as a key file")
	}
	if _, err := Create(filepath.Join(folder, "absent", "key")); err == nil {
		t.Error("created in an absent folder")
	}
}

func TestKeysNeverPrint(t *testing.T) {
	t.Parallel()
	v := Generate()
	k, _ := newTestKey(t, v, client)
	type holder struct {
		K     *Key
		inner Key
		v     *Vault
	}
	h := holder{K: k, inner: *k, v: v}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%c", "%b", "%t"} {
		for _, x := range []any{k, *k, v, h, &h, []*Key{k}, map[string]Key{"k": *k}} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
	}
	fmt.Fprintln(&out, k, *k, k.String(), k.GoString())
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", k, "v", *k, "h", h, "vault", v)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "k", k, "v", *k, "h", h, "vault", v)
	for _, x := range []any{k, *k, h, map[string]any{"k": k}, v} {
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	if !strings.Contains(out.String(), redacted) {
		t.Fatal("nothing was printed")
	}
	sub := k.m.subkey("seal", "")
	for _, secret := range [][]byte{k.m.root[:], sub[:]} {
		head := secret[:6]
		decimal := strings.Trim(fmt.Sprint(head), "[]")
		goForm := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", head), "[]byte{"), "}")
		for _, form := range []string{
			hex.EncodeToString(head), strings.ToUpper(hex.EncodeToString(head)), decimal, goForm,
			base64.StdEncoding.EncodeToString(head), string(head), fmt.Sprintf("% x", head), strings.Trim(fmt.Sprintf("%b", head), "[]"),
		} {
			if strings.Contains(out.String(), form) {
				t.Fatalf("a key was printed as %q", form)
			}
		}
	}
}

func TestZeroKey(t *testing.T) {
	t.Parallel()
	for _, k := range []*Key{nil, {}} {
		if _, err := k.Seal(client, nil); err == nil {
			t.Error("a zero key sealed")
		}
		if _, err := k.Open(client, make([]byte, 64)); err == nil {
			t.Error("a zero key opened")
		}
		if _, _, err := Generate().Renew(client, k); err == nil {
			t.Error("a zero key was renewed")
		}
	}
}

func TestCacheIsBoundedAndKeepsTheLatest(t *testing.T) {
	t.Parallel()
	c := newCache(3)
	id := func(n byte) (out [32]byte) { out[0] = n; return out }
	keys := map[byte]*Key{}
	for n := range byte(3) {
		keys[n] = &Key{}
		c.put(c.since(), id(n), client, keys[n])
	}
	c.get(id(0)) // now 1 is the one not used for longest
	c.put(c.since(), id(3), client, &Key{})
	if _, ok := c.get(id(1)); ok || c.len() != 3 {
		t.Fatalf("kept %d, the oldest among them: %v", c.len(), ok)
	}
	for _, n := range []byte{0, 2, 3} {
		if k, ok := c.get(id(n)); !ok || (n < 3 && k != keys[n]) {
			t.Errorf("%d was dropped or exchanged", n)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	v := Generate()
	v.cache = newCache(4) // small, so that keys are dropped while others use them
	var wrapped, sealed [12][]byte
	place := func(i int) Place { return Place{Practice: "p", Row: fmt.Sprint(i)} }
	for i := range wrapped {
		var k *Key
		k, wrapped[i] = newTestKey(t, v, place(i))
		sealed[i] = seal(t, k, place(i), fmt.Sprint("note ", i))
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for n := range 200 {
				i := (n*7 + g) % len(wrapped)
				k, err := v.Unwrap(place(i), wrapped[i])
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := k.Open(place(i), sealed[i]); err != nil || string(got) != fmt.Sprint("note ", i) {
					t.Errorf("%q, %v", got, err)
					return
				}
				if n%50 == 0 {
					v.Forget(place(i), wrapped[i])
				}
			}
		})
	}
	wg.Wait()
	if v.cache.len() > 4 {
		t.Errorf("the cache grew to %d", v.cache.len())
	}
}

func BenchmarkSeal200(b *testing.B) {
	k, _ := newTestKey(b, Generate(), client)
	plain := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Seal(client, plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen200(b *testing.B) {
	k, _ := newTestKey(b, Generate(), client)
	sealed := seal(b, k, client, strings.Repeat("x", 200))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(client, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnwrap(b *testing.B) {
	v := Generate()
	_, wrapped := newTestKey(b, v, client)
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			if _, err := v.Unwrap(client, wrapped); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			v.Forget(client, wrapped)
			if _, err := v.Unwrap(client, wrapped); err != nil {
				b.Fatal(err)
			}
		}
	})
}
