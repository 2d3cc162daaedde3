// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
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
	fileFormat  = "entente-keys"
	fileVersion = 2 // version 1 is a Tink keyset in JSON, without a word about itself
	lockSize    = 32
	// Sixteen keys and a wrapped lock key of a service need 8 KiB; the bound
	// keeps a wrong path from being read whole.
	maxKeyFile = 64 << 10
)

// keyFile is the content of a key file: how its lock key is found, and the keys
// sealed under the lock key, with everything else as associated data.
type keyFile struct {
	Format      string     `json:"format"`
	Version     int        `json:"version"`
	Fingerprint string     `json:"fingerprint"` // of the primary key
	Lock        lockRecord `json:"lock"`
	Keys        []byte     `json:"keys,omitempty"`
	// Sum tells damage from a wrong passphrase, before any memory is spent.
	Sum string `json:"sum,omitempty"`
}

// text is the only way to write f: parse refuses every other.
func (f keyFile) text() []byte {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic("vault: " + err.Error()) // strings, numbers and bytes can always be written
	}
	return append(b, '\n')
}

func (f keyFile) sum() string {
	f.Sum = ""
	d := sha256.Sum256(f.text())
	return hex.EncodeToString(d[:])
}

func (f keyFile) associated() []byte {
	f.Keys, f.Sum = nil, ""
	return f.text()
}

// isKeyFile tells a file of today from a Tink keyset.
func isKeyFile(text []byte) bool {
	var f struct {
		Format *string `json:"format"`
	}
	return json.Unmarshal(text, &f) == nil && f.Format != nil
}

// parse reads a key file and checks all that can be checked without its lock.
// The errors say why and quote nothing of the text.
func parse(text []byte) (keyFile, error) {
	if len(text) > maxKeyFile {
		return keyFile{}, errors.New("it is too long")
	}
	var f keyFile
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(&f) != nil || f.Format != fileFormat {
		return keyFile{}, errors.New("it is not a key file")
	}
	if f.Version != fileVersion {
		return keyFile{}, fmt.Errorf("it has version %d, and this program reads up to %d", f.Version, fileVersion)
	}
	if !bytes.Equal(f.text(), text) || f.Sum != f.sum() {
		return keyFile{}, errors.New("its content was changed or cut")
	}
	if err := f.Lock.check(); err != nil {
		return keyFile{}, err
	}
	return f, nil
}

// lockKeys seals the keys into a new key file under a fresh lock key.
func lockKeys(ctx context.Context, h *keyset.Handle, lock Lock) ([]byte, error) {
	r, err := newRing(h)
	if err != nil {
		return nil, err
	}
	plain, err := marshalKeys(h)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	record, key, err := lock.fresh(ctx)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	box, err := lockBox(key)
	if err != nil {
		return nil, err
	}
	f := keyFile{Format: fileFormat, Version: fileVersion, Fingerprint: r.fingerprint(), Lock: record}
	f.Keys = box.Seal(nil, nil, plain, f.associated()) //nolint:gosec // nil: this AEAD draws a random nonce itself
	f.Sum = f.sum()
	text := f.text()
	if len(text) > maxKeyFile {
		return nil, errors.New("vault: the key file would become too long; the command that wraps gave too much")
	}
	return text, nil
}

// unlockKeys opens a key file of today or a Tink keyset.
func unlockKeys(ctx context.Context, path string, text []byte, lock Lock) (*keyset.Handle, error) {
	if !isKeyFile(text) {
		return openTink(path, text, lock)
	}
	f, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; restore it from your copy", ErrBadKey, path, err)
	}
	key, err := lock.find(ctx, f.Lock)
	if err != nil {
		return nil, fmt.Errorf("%w (key file %s)", err, path)
	}
	defer clear(key)
	box, err := lockBox(key)
	if err != nil {
		return nil, err
	}
	plain, err := box.Open(make([]byte, 0, len(f.Keys)), nil, f.Keys, f.associated())
	if err != nil {
		return nil, fmt.Errorf("%w (key file %s, key %s)", f.Lock.refused(), path, f.Fingerprint)
	}
	defer clear(plain)
	h, err := unmarshalKeys(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %s holds another kind of key", ErrBadKey, path)
	}
	if r, err := newRing(h); err != nil || r.fingerprint() != f.Fingerprint {
		return nil, fmt.Errorf("%w: %s holds another key than it says", ErrBadKey, path)
	}
	return h, nil
}

// openTink reads a key file of version 1.
func openTink(path string, text []byte, lock Lock) (*keyset.Handle, error) {
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		// The cause is left out: a parser may quote the text it stumbled on.
		return nil, fmt.Errorf("%w: %s; restore it from your copy", ErrBadKey, path)
	}
	if _, err := newRing(h); err != nil {
		return nil, fmt.Errorf("%w: %s holds another kind of key", ErrBadKey, path)
	}
	if lock.kind() != lockNone {
		return nil, fmt.Errorf("%w: %s is not locked at all; lock it first", ErrLockKind, path)
	}
	return h, nil
}

func lockBox(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("vault: preparing the lock key: %w", err)
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("vault: preparing the lock key: %w", err)
	}
	return box, nil
}

// FileInfo is what a key file says of itself to whoever cannot unlock it.
type FileInfo struct {
	Version     int    // 1 for a Tink keyset, 2 for what is written today
	Lock        string // "none", "passphrase" or "command"
	Fingerprint string // of the primary key; proven only when the file is opened
}

// Inspect reads a key file without unlocking it, to learn which lock it needs.
// The errors are those of [Open].
func Inspect(path string) (FileInfo, error) {
	text, err := readKeyFile(path)
	if err != nil {
		return FileInfo{}, err
	}
	defer clear(text)
	if isKeyFile(text) {
		f, err := parse(text)
		if err != nil {
			return FileInfo{}, fmt.Errorf("%w: %s: %w; restore it from your copy", ErrBadKey, path, err)
		}
		return FileInfo{Version: f.Version, Lock: f.Lock.Kind, Fingerprint: f.Fingerprint}, nil
	}
	h, err := openTink(path, text, NoLock())
	if err != nil {
		return FileInfo{}, err
	}
	r, err := newRing(h)
	if err != nil {
		return FileInfo{}, err
	}
	return FileInfo{Version: 1, Lock: lockNone, Fingerprint: r.fingerprint()}, nil
}

func readAtMost(r io.Reader, limit int) ([]byte, error) {
	b := make([]byte, limit+1)
	n, err := io.ReadFull(r, b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		clear(b)
		return nil, err
	}
	return b[:n], nil
}
