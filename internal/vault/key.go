// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
)

const (
	sealVersion = 1
	headerSize  = 2 // version, key generation
	rootSize    = 32
	indexSize   = 16
	redacted    = "[key redacted]"
)

// Overhead is how many bytes longer a sealed value is than its plaintext.
const Overhead = headerSize + 12 + 16

var errZeroKey = errors.New("vault: a Key that did not come from a Vault was used")

// Key is a data key. It is opaque, safe for concurrent use, and prints as
// "[key redacted]" in fmt (every verb), slog and JSON. The zero Key seals and
// opens nothing: Keys come from [Vault.NewKey] and [Vault.Unwrap].
type Key struct {
	m *material
}

type material struct {
	// Behind two pointers, because fmt prints what it finds in unexported fields
	// of foreign structs without asking our Format, and follows one pointer there
	// when the verb does not fit.
	root       *[rootSize]byte
	generation byte
	erasable   bool // wrapped with its owner's share
	seal       cipher.AEAD
}

func newKey(root []byte, generation byte, erasable bool) (*Key, error) {
	m := &material{root: new([rootSize]byte), generation: generation, erasable: erasable}
	copy(m.root[:], root)
	// On the bytes themselves: whoever still computes with them keeps them whole.
	runtime.SetFinalizer(m.root, wipe)
	sub := m.subkey("seal", "")
	defer clear(sub[:])
	block, err := aes.NewCipher(sub[:])
	if err != nil {
		return nil, fmt.Errorf("vault: preparing a data key: %w", err)
	}
	if m.seal, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("vault: preparing a data key: %w", err)
	}
	return &Key{m: m}, nil
}

// wipe clears a root key that nothing can reach any more.
func wipe(root *[rootSize]byte) { clear(root[:]) }

// subkey derives an independent key for one use and purpose. The root is
// uniformly random, so HKDF-Expand alone is enough (RFC 5869, 3.3).
func (m *material) subkey(use, purpose string) (out [32]byte) {
	b, err := hkdf.Expand(sha256.New, m.root[:], "entente/vault/1/"+use+"\x00"+purpose, len(out))
	if err != nil {
		// Only an impossible length can fail, and the length is constant.
		panic("vault: " + err.Error())
	}
	copy(out[:], b)
	clear(b)
	return out
}

func associated(version, generation byte, p Place) []byte {
	ad := make([]byte, 0, 160)
	ad = append(ad, version, generation)
	return p.append(ad)
}

// Seal encrypts plain with AES-256-GCM and binds it to p. The result is
// [Overhead] bytes longer: one version byte, one key-generation byte, a random
// 12-byte nonce, ciphertext and tag. Sealing the same value twice gives
// different bytes.
func (k *Key) Seal(p Place, plain []byte) ([]byte, error) {
	if k == nil || k.m == nil {
		return nil, errZeroKey
	}
	out := make([]byte, headerSize, len(plain)+Overhead)
	out[0], out[1] = sealVersion, k.m.generation
	return k.m.seal.Seal(out, nil, plain, associated(sealVersion, k.m.generation, p)), nil //nolint:gosec // nil: this AEAD draws a random nonce itself
}

// Open returns the plaintext that [Key.Seal] bound to p. Any other place, key,
// changed byte or length gives a [*TamperError] that names p, and no plaintext.
func (k *Key) Open(p Place, sealed []byte) ([]byte, error) {
	if k == nil || k.m == nil {
		return nil, errZeroKey
	}
	if len(sealed) < Overhead || sealed[0] != sealVersion || sealed[1] != k.m.generation {
		return nil, &TamperError{Place: p}
	}
	// A destination of its own, never nil: an empty value opens as empty bytes.
	dst := make([]byte, 0, len(sealed)-Overhead)
	plain, err := k.m.seal.Open(dst, nil, sealed[headerSize:], associated(sealed[0], sealed[1], p))
	if err != nil {
		return nil, &TamperError{Place: p}
	}
	return plain, nil
}

// Generation is the number of the key, 1 for the first of an owner. It is the
// second byte of whatever the key seals; see [GenerationOf].
func (k *Key) Generation() byte {
	if k == nil || k.m == nil {
		return 0
	}
	return k.m.generation
}

// GenerationOf reads from a sealed value which generation of its owner's key
// opens it, or 0 if the value is too short to be sealed. The number is only
// trustworthy once [Key.Open] succeeded.
func GenerationOf(sealed []byte) byte {
	if len(sealed) < Overhead || sealed[0] != sealVersion {
		return 0
	}
	return sealed[1]
}

// Index is the blind index of a value: 16 bytes of HMAC-SHA-256 under a subkey
// of this key for this purpose. Equal values give equal bytes for one key and
// purpose, and nothing can be read back without the key. The caller normalises
// the value (case, spaces) before. It panics on a zero Key.
func (k *Key) Index(purpose, value string) []byte {
	sub := k.mustMaterial().subkey("index", purpose)
	defer clear(sub[:])
	mac := hmac.New(sha256.New, sub[:])
	_, _ = io.WriteString(mac, value) // hash.Hash never fails
	return mac.Sum(nil)[:indexSize:indexSize]
}

// Derive gives 32 secret bytes for another use (an audit chain, a pseudonym),
// independent for each purpose and of the sealing and index keys. The caller
// must treat them as a key. It panics on a zero Key.
func (k *Key) Derive(purpose string) [32]byte {
	return k.mustMaterial().subkey("derive", purpose)
}

func (k *Key) mustMaterial() *material {
	if k == nil || k.m == nil {
		panic(errZeroKey.Error())
	}
	return k.m
}

// Format writes "[key redacted]" for every verb and flag.
func (Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// String is "[key redacted]".
func (Key) String() string { return redacted }

// GoString is "[key redacted]".
func (Key) GoString() string { return redacted }

// LogValue is "[key redacted]".
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON is the string "[key redacted]": a key is never serialised.
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText is "[key redacted]": a key is never serialised.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// ownerAD is the associated data of a wrapped key: it keeps the two ways of
// wrapping apart from each other and from every other use of the keys.
func ownerAD(use string, owner Place) []byte {
	return owner.append([]byte("entente/vault/1/" + use + "\x00"))
}

func cacheKey(owner Place, wrapped []byte) [sha256.Size]byte {
	b := ownerAD("wrap", owner)
	b = binary.AppendUvarint(b, uint64(len(wrapped)))
	return sha256.Sum256(append(b, wrapped...))
}
