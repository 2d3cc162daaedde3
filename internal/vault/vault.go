// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

const (
	cacheCapacity = 4096
	wrapVersion   = 1 // wrapped under a key-encryption key
	wrapShared    = 2 // wrapped under the owner's share, then as 1
)

// Vault is an open set of key-encryption keys. It wraps data keys under the
// primary one, unwraps under any, and keeps the unwrapped data keys of the last
// few thousand owners in memory. It is safe for concurrent use and never prints
// key material.
type Vault struct {
	ring   atomic.Pointer[ring]
	shares atomic.Pointer[Shares]
	copied atomic.Pointer[Shares] // the one copy of the shares, nil for none
	cache  *cache
}

// Generate makes a vault that exists only in memory, for tests and trials.
// Whatever it seals is unreadable once the process ends.
func Generate() *Vault {
	h, err := newHandle()
	if err != nil {
		panic("vault: making a key: " + err.Error()) // a fixed template fails only without randomness
	}
	v, err := newVault(h)
	if err != nil {
		panic(err.Error())
	}
	return v
}

// Create makes a new key-encryption key (AES-256-GCM), writes it to path with
// mode 0600 and without a lock, and returns when file and folder are on disk. It
// never overwrites: an existing path gives [ErrExists]. The folder must exist.
func Create(path string) (*Vault, error) {
	return CreateLocked(context.Background(), path, NoLock())
}

// CreateLocked is [Create] with a lock: without it the file opens nothing. A
// passphrase that is too short gives [ErrPassphrase], a key service that fails
// [ErrCommand]; nothing is written then.
func CreateLocked(ctx context.Context, path string, lock Lock) (*Vault, error) {
	h, err := newHandle()
	if err != nil {
		return nil, fmt.Errorf("vault: making a key: %w", err)
	}
	v, err := newVault(h)
	if err != nil {
		return nil, err
	}
	text, err := lockKeys(ctx, h, lock)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	if err := writeNew(path, text); err != nil {
		return nil, err
	}
	return v, nil
}

// Open reads the key file at path, of this version or the first (a Tink keyset
// in JSON). An absent file gives [ErrNoKey], a file that its group or others may
// read [ErrPermissions], one with a lock [ErrLocked], any other content
// [ErrBadKey].
func Open(path string) (*Vault, error) {
	return OpenLocked(context.Background(), path, NoLock())
}

// OpenLocked is [Open] for a file with a lock. Another lock than the file has
// gives [ErrLockKind], a wrong passphrase or key [ErrWrongLock], a key service
// that fails [ErrCommand].
func OpenLocked(ctx context.Context, path string, lock Lock) (*Vault, error) {
	h, err := readHandle(ctx, path, lock)
	if err != nil {
		return nil, err
	}
	return newVault(h)
}

// Reload reads the key file again, after keys were added, promoted or removed,
// and forgets the data keys in memory. After an error everything is as before;
// besides those of [OpenLocked], a file without any of the keys in use gives
// [ErrOtherKeys], for it belongs to another database.
func (v *Vault) Reload(ctx context.Context, path string, lock Lock) error {
	h, err := readHandle(ctx, path, lock)
	if err != nil {
		return err
	}
	next, err := newRing(h)
	if err != nil {
		return err
	}
	if now := v.ring.Load(); !next.meets(now) {
		return fmt.Errorf("%w: %s has %s, in use is %s", ErrOtherKeys, path, next.fingerprint(), now.fingerprint())
	}
	v.ring.Store(next)
	v.cache.clear()
	return nil
}

func readHandle(ctx context.Context, path string, lock Lock) (*keyset.Handle, error) {
	text, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	return unlockKeys(ctx, path, text, lock)
}

func newVault(h *keyset.Handle) (*Vault, error) {
	r, err := newRing(h)
	if err != nil {
		return nil, err
	}
	v := &Vault{cache: newCache(cacheCapacity)}
	v.ring.Store(r)
	return v, nil
}

// Fingerprint is a short name of the primary key-encryption key, as
// 3f2a-91bc-07de-55a1, for people to compare; it reveals nothing of the key.
func (v *Vault) Fingerprint() string { return v.ring.Load().fingerprint() }

// Keys names the key-encryption keys, the primary one first.
func (v *Vault) Keys() []KeyInfo { return append([]KeyInfo(nil), v.ring.Load().keys...) }

// WrappedUnder is the fingerprint of the key that a data key says it is wrapped
// under, or "" if this vault has no such key. It is certain once the data key
// was unwrapped.
func (v *Vault) WrappedUnder(wrapped []byte) string {
	id, _ := idOf(wrapped)
	return v.ring.Load().names[id]
}

// NewKey makes a fresh data key of generation 1 for owner and returns it with
// its wrapped form, which is safe to store and opens only for the same owner.
// Copies of the wrapped form open as long as the key file does; for a person use
// [Vault.NewErasableKey].
func (v *Vault) NewKey(owner Place) (*Key, []byte, error) { return v.newKey(owner, 1, false) }

// NewErasableKey is [Vault.NewKey] for an owner who may ask to be erased: the key
// is also wrapped under the owner's share, which is outside the database and
// exists once this returns. It needs [Vault.UseShares], or gives [ErrNoShares];
// an erased owner gives [ErrErased].
func (v *Vault) NewErasableKey(owner Place) (*Key, []byte, error) { return v.newKey(owner, 1, true) }

// Renew makes the next generation of an owner's data key, erasable if the old
// one is. Values sealed before still need the old key, which the caller keeps
// until all are sealed anew. Generation 255 cannot be renewed.
func (v *Vault) Renew(owner Place, old *Key) (*Key, []byte, error) {
	switch g := old.Generation(); g {
	case 0:
		return nil, nil, errZeroKey
	case 255:
		return nil, nil, fmt.Errorf("vault: the key of %s has reached its last generation", owner)
	default:
		return v.newKey(owner, g+1, old.m.erasable)
	}
}

func (v *Vault) newKey(owner Place, generation byte, erasable bool) (*Key, []byte, error) {
	inside := make([]byte, 1+rootSize)
	inside[0] = generation
	_, _ = rand.Read(inside[1:]) // never fails: the runtime ends the process instead
	defer clear(inside)
	k, err := newKey(inside[1:], generation, erasable)
	if err != nil {
		return nil, nil, err
	}
	since := v.cache.since()
	wrapped, err := v.wrap(owner, inside, erasable)
	if err != nil {
		return nil, nil, err
	}
	v.cache.put(since, cacheKey(owner, wrapped), owner, k)
	return k, wrapped, nil
}

// wrap wraps what is inside, under the share first if the key is erasable.
func (v *Vault) wrap(owner Place, inside []byte, erasable bool) ([]byte, error) {
	if !erasable {
		if err := v.checkErased(owner); err != nil {
			return nil, err
		}
		return v.wrapOuter(wrapVersion, owner, inside)
	}
	box, err := v.shareBox(owner, true)
	if err != nil {
		return nil, err
	}
	return v.wrapOuter(wrapShared, owner, box.Seal(nil, nil, inside, ownerAD("share-wrap", owner))) //nolint:gosec // nil: this AEAD draws a random nonce itself
}

func (v *Vault) wrapOuter(version byte, owner Place, inside []byte) ([]byte, error) {
	ct, err := v.ring.Load().kek.Encrypt(inside, outerAD(version, owner))
	if err != nil {
		return nil, fmt.Errorf("vault: wrapping the key of %s: %w", owner, err)
	}
	return append([]byte{version}, ct...), nil
}

// unwrapOuter gives what the key-encryption key covers; the caller clears it.
func (v *Vault) unwrapOuter(owner Place, wrapped []byte) ([]byte, error) {
	if _, ok := idOf(wrapped); !ok {
		return nil, &TamperError{Place: owner}
	}
	inside, err := v.ring.Load().kek.Decrypt(wrapped[1:], outerAD(wrapped[0], owner))
	if err != nil {
		return nil, &TamperError{Place: owner}
	}
	return inside, nil
}

func outerAD(version byte, owner Place) []byte {
	if version == wrapShared {
		return ownerAD("wrap-shared", owner)
	}
	return ownerAD("wrap", owner)
}

// Unwrap returns the data key that was wrapped for owner, from memory if it was
// used lately. Another owner, another key file or any change of wrapped gives a
// [*TamperError] that names the owner; an erased owner gives [ErrErased], and a
// missing share [ErrNoShare].
func (v *Vault) Unwrap(owner Place, wrapped []byte) (*Key, error) {
	id := cacheKey(owner, wrapped)
	if k, ok := v.cache.get(id); ok {
		return k, nil
	}
	since := v.cache.since()
	inside, err := v.unwrapOuter(owner, wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(inside)
	erasable := wrapped[0] == wrapShared
	if erasable {
		if inside, err = v.openShared(owner, inside); err != nil {
			return nil, err
		}
		defer clear(inside)
	} else if err := v.checkErased(owner); err != nil {
		return nil, err
	}
	if len(inside) != 1+rootSize || inside[0] == 0 {
		return nil, &TamperError{Place: owner}
	}
	k, err := newKey(inside[1:], inside[0], erasable)
	if err != nil {
		return nil, err
	}
	v.cache.put(since, id, owner, k)
	return k, nil
}

// Rewrap wraps a data key under the primary key-encryption key, and reports
// whether it had to: false gives wrapped itself. The data key stays the same, so
// that nothing is sealed anew, and the share of an erasable one is not needed.
// The errors are those of [Vault.Unwrap].
func (v *Vault) Rewrap(owner Place, wrapped []byte) ([]byte, bool, error) {
	inside, err := v.unwrapOuter(owner, wrapped)
	if err != nil {
		return nil, false, err
	}
	defer clear(inside)
	if id, _ := idOf(wrapped); id == v.ring.Load().primary {
		return wrapped, false, nil
	}
	again, err := v.wrapOuter(wrapped[0], owner, inside)
	if err != nil {
		return nil, false, err
	}
	return again, true, nil
}

// Forget drops an unwrapped key from memory, for the erasure of its owner.
func (v *Vault) Forget(owner Place, wrapped []byte) { v.cache.drop(cacheKey(owner, wrapped)) }

// Format writes the fingerprint for every verb and flag.
func (v *Vault) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, v.String()) }

// String is "vault" with the fingerprint.
func (v *Vault) String() string {
	if v == nil || v.ring.Load() == nil {
		return "vault <nil>"
	}
	return "vault " + v.Fingerprint()
}

// LogValue is "vault" with the fingerprint.
func (v *Vault) LogValue() slog.Value { return slog.StringValue(v.String()) }
