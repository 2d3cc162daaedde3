// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// What can be wrong with a key file; each is matched with errors.Is, and the
// error that wraps it is a sentence for the operator.
var (
	ErrExists      = errors.New("vault: the key file already exists")
	ErrNoKey       = errors.New("vault: there is no key file")
	ErrPermissions = errors.New("vault: the key file can be read by others")
	ErrBadKey      = errors.New("vault: the key file is damaged or is not a key file")
)

const (
	keyFileMode = 0o600
	// A keyset of one key has about 300 bytes; the bound only keeps a wrong
	// path from being read whole.
	maxKeyFile    = 64 << 10
	cacheCapacity = 4096
	wrapVersion   = 1
)

// Vault is an open key-encryption key. It wraps and unwraps data keys and keeps
// the unwrapped ones of the last few thousand owners in memory. It is safe for
// concurrent use and never prints key material.
type Vault struct {
	kek         tink.AEAD
	fingerprint string
	cache       *cache
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

// Create makes a new key-encryption key (AES-256-GCM), writes it to path as a
// Tink keyset in JSON with mode 0600, and returns when file and folder are on
// disk. It never overwrites: an existing path gives [ErrExists]. The folder
// must exist.
func Create(path string) (*Vault, error) {
	h, err := newHandle()
	if err != nil {
		return nil, fmt.Errorf("vault: making a key: %w", err)
	}
	v, err := newVault(h)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&text)); err != nil {
		return nil, fmt.Errorf("vault: encoding the key: %w", err)
	}
	if err := writeNew(path, text.Bytes()); err != nil {
		return nil, err
	}
	return v, nil
}

// Open reads the key-encryption key at path. An absent file gives [ErrNoKey],
// a file that its group or others may read [ErrPermissions], any other content
// [ErrBadKey].
func Open(path string) (*Vault, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s: create one, or name the file that was used with this database", ErrNoKey, path)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: opening the key file: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read from
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("vault: examining the key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrBadKey, path)
	}
	// Windows keeps access lists, and reports made-up mode bits.
	if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%w: %s has mode %04o; run chmod 600 on it", ErrPermissions, path, perm)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("vault: reading the key file: %w", err)
	}
	if len(text) > maxKeyFile {
		return nil, fmt.Errorf("%w: %s is too long", ErrBadKey, path)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		// The cause is left out: a parser may quote the text it stumbled on.
		return nil, fmt.Errorf("%w: %s; restore it from your copy", ErrBadKey, path)
	}
	v, err := newVault(h)
	if err != nil {
		return nil, fmt.Errorf("%w: %s holds another kind of key", ErrBadKey, path)
	}
	return v, nil
}

func newHandle() (*keyset.Handle, error) { return keyset.NewHandle(aead.AES256GCMKeyTemplate()) }

func newVault(h *keyset.Handle) (*Vault, error) {
	kek, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("vault: preparing the key: %w", err)
	}
	// The fingerprint is of the primary key, so that it stays when old keys are
	// dropped; 64 bits of a hash of a 256-bit random key give nothing away.
	ks := insecurecleartextkeyset.KeysetMaterial(h)
	sum := sha256.New()
	_, _ = io.WriteString(sum, "entente/vault/1/fingerprint\x00")
	for _, k := range ks.GetKey() {
		if k.GetKeyId() == ks.GetPrimaryKeyId() {
			_, _ = sum.Write(k.GetKeyData().GetValue())
		}
	}
	d := hex.EncodeToString(sum.Sum(nil)[:8])
	return &Vault{
		kek:         kek,
		fingerprint: d[0:4] + "-" + d[4:8] + "-" + d[8:12] + "-" + d[12:16],
		cache:       newCache(cacheCapacity),
	}, nil
}

// writeNew creates path with the text and returns once both are durable. After
// a failure nothing is left behind.
func writeNew(path string, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, keyFileMode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s was left as it is", ErrExists, path)
	}
	if err != nil {
		return fmt.Errorf("vault: creating the key file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(path)
			err = fmt.Errorf("vault: writing the key file: %w", err)
		}
	}()
	if _, err = f.Write(text); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be opened for syncing there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Fingerprint is a short name of the key-encryption key, as 3f2a-91bc-07de-55a1,
// for people to compare; it reveals nothing of the key.
func (v *Vault) Fingerprint() string { return v.fingerprint }

// NewKey makes a fresh data key of generation 1 for owner and returns it with
// its wrapped form, which is safe to store and opens only for the same owner.
func (v *Vault) NewKey(owner Place) (*Key, []byte, error) { return v.newKey(owner, 1) }

// Renew makes the next generation of an owner's data key. Values sealed before
// still need the old key, which the caller keeps until all are sealed anew.
// Generation 255 cannot be renewed.
func (v *Vault) Renew(owner Place, old *Key) (*Key, []byte, error) {
	switch g := old.Generation(); g {
	case 0:
		return nil, nil, errZeroKey
	case 255:
		return nil, nil, fmt.Errorf("vault: the key of %s has reached its last generation", owner)
	default:
		return v.newKey(owner, g+1)
	}
}

func (v *Vault) newKey(owner Place, generation byte) (*Key, []byte, error) {
	inside := make([]byte, 1+rootSize)
	inside[0] = generation
	_, _ = rand.Read(inside[1:]) // never fails: the runtime ends the process instead
	defer clear(inside)
	k, err := newKey(inside[1:], generation)
	if err != nil {
		return nil, nil, err
	}
	ct, err := v.kek.Encrypt(inside, ownerAD(owner))
	if err != nil {
		return nil, nil, fmt.Errorf("vault: wrapping the key of %s: %w", owner, err)
	}
	wrapped := append([]byte{wrapVersion}, ct...)
	v.cache.put(cacheKey(owner, wrapped), k)
	return k, wrapped, nil
}

// Unwrap returns the data key that was wrapped for owner, from memory if it was
// used lately. Another owner, another key file or any change of wrapped gives a
// [*TamperError] that names the owner.
func (v *Vault) Unwrap(owner Place, wrapped []byte) (*Key, error) {
	id := cacheKey(owner, wrapped)
	if k, ok := v.cache.get(id); ok {
		return k, nil
	}
	if len(wrapped) < 2 || wrapped[0] != wrapVersion {
		return nil, &TamperError{Place: owner}
	}
	inside, err := v.kek.Decrypt(wrapped[1:], ownerAD(owner))
	if err != nil {
		return nil, &TamperError{Place: owner}
	}
	defer clear(inside)
	if len(inside) != 1+rootSize || inside[0] == 0 {
		return nil, &TamperError{Place: owner}
	}
	k, err := newKey(inside[1:], inside[0])
	if err != nil {
		return nil, err
	}
	v.cache.put(id, k)
	return k, nil
}

// Forget drops an unwrapped key from memory, for the erasure of its owner.
func (v *Vault) Forget(owner Place, wrapped []byte) { v.cache.drop(cacheKey(owner, wrapped)) }

// Format writes the fingerprint for every verb and flag.
func (v *Vault) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, v.String()) }

// String is "vault" with the fingerprint.
func (v *Vault) String() string {
	if v == nil {
		return "vault <nil>"
	}
	return "vault " + v.fingerprint
}

// LogValue is "vault" with the fingerprint.
func (v *Vault) LogValue() slog.Value { return slog.StringValue(v.String()) }
