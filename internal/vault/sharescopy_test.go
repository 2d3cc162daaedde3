// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
)

func copyShares(t *testing.T, from, to *Shares, wantAdded, wantErased int) {
	t.Helper()
	added, erased, err := from.CopyTo(to)
	if err != nil || added != wantAdded || erased != wantErased {
		t.Fatalf("added %d, erased %d, %v; want %d and %d", added, erased, err, wantAdded, wantErased)
	}
}

// The only copy of the shares follows them, and restoring it brings nobody back.
func TestCopyOfTheShares(t *testing.T) {
	t.Parallel()
	_, live := newShares(t)
	_, away := newShares(t)
	v := Generate()
	v.UseShares(live)
	wrapped := map[string][]byte{}
	for _, name := range []string{"ada", "bea", "cai"} {
		_, wrapped[name] = newErasable(t, v, ownerOf(name))
	}
	copyShares(t, live, away, 3, 0)
	copyShares(t, live, away, 0, 0)
	if err := v.Erase(ownerOf("ada")); err != nil {
		t.Fatal(err)
	}
	_, wrapped["dan"] = newErasable(t, v, ownerOf("dan"))
	copyShares(t, live, away, 1, 1)
	copyShares(t, live, away, 0, 0)

	// The machine is lost, and set up again from the copy.
	_, fresh := newShares(t)
	copyShares(t, away, fresh, 3, 1)
	w := &Vault{cache: newCache(4)}
	w.ring.Store(v.ring.Load())
	w.UseShares(fresh)
	for name, b := range wrapped {
		_, err := w.Unwrap(ownerOf(name), b)
		if name == "ada" && !errors.Is(err, ErrErased) || name != "ada" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A copy that slept through an erasure, laid over the newest.
	_, old := newShares(t)
	if err := w.Erase(ownerOf("bea")); err != nil {
		t.Fatal(err)
	}
	copyShares(t, away, old, 3, 1)
	copyShares(t, old, fresh, 0, 0)
	if gone, err := w.Erased(ownerOf("bea")); !gone || err != nil {
		t.Errorf("bea came back: %v", err)
	}
}

func TestCopyMendsAndReports(t *testing.T) {
	t.Parallel()
	here, live := newShares(t)
	there, away := newShares(t)
	v := Generate()
	v.UseShares(live)
	for _, name := range []string{"ada", "bea", "cai"} {
		newErasable(t, v, ownerOf(name))
	}
	copyShares(t, live, away, 3, 0)
	ada, bea, cai := nameOf(ownerOf("ada")), nameOf(ownerOf("bea")), nameOf(ownerOf("cai"))
	good := mustRead(t, filepath.Join(here, ada))
	write(t, filepath.Join(there, ada), append(bytes.Clone(good[:20]), "and a long tail of other bytes, longer than the file itself was, so that it must be cut to its length, 0123456789"...))
	copyShares(t, live, away, 1, 0)
	if !bytes.Equal(mustRead(t, filepath.Join(there, ada)), good) {
		t.Error("the damaged copy was not mended")
	}
	write(t, filepath.Join(here, ada), good[:20])
	write(t, filepath.Join(there, bea), shareText(bea, bytes.Repeat([]byte("ab"), shareSize)))
	if err := v.Erase(ownerOf("cai")); err != nil {
		t.Fatal(err)
	}
	added, erased, err := live.CopyTo(away)
	if added != 0 || erased != 1 || !errors.Is(err, ErrBadShare) {
		t.Errorf("added %d, erased %d, %v", added, erased, err)
	}
	if !bytes.Equal(mustRead(t, filepath.Join(there, ada)), good) {
		t.Error("a damaged share overwrote its good copy")
	}
	if _, gone, err := parseShare(cai, mustRead(t, filepath.Join(there, cai))); !gone || err != nil {
		t.Errorf("an erasure was not copied beside damage: %v", err)
	}
}
