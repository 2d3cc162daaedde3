// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

const (
	// A rotation needs two; more only pile up when nobody removes the old ones.
	maxKeys    = 16
	gcmKeyType = "type.googleapis.com/google.crypto.tink.AesGcmKey"
	tinkPrefix = 1 // first byte of what a key wraps, before its four-byte number
)

// What can go wrong when keys are exchanged; each is matched with errors.Is.
var (
	ErrNoSuchKey  = errors.New("vault: the key file has no key with this fingerprint")
	ErrPrimaryKey = errors.New("vault: the primary key cannot be removed")
	ErrManyKeys   = errors.New("vault: the key file has too many keys")
	ErrOtherKeys  = errors.New("vault: the key file has none of the keys in use")
)

// KeyInfo names one key-encryption key without revealing anything of it. The
// primary one wraps; all of them unwrap.
type KeyInfo struct {
	Fingerprint string
	Primary     bool
}

// ring is an opened set of key-encryption keys. It never changes.
type ring struct {
	kek     tink.AEAD
	keys    []KeyInfo // the primary first, then as they were added
	names   map[uint32]string
	primary uint32
}

func newHandle() (*keyset.Handle, error) { return keyset.NewHandle(aead.AES256GCMKeyTemplate()) }

// newRing prepares the keys for use, and refuses any that newHandle would not
// have made.
func newRing(h *keyset.Handle) (*ring, error) {
	ks := insecurecleartextkeyset.KeysetMaterial(h)
	defer clearKeyset(ks)
	if n := len(ks.GetKey()); n == 0 || n > maxKeys {
		return nil, fmt.Errorf("%w: %d", ErrManyKeys, n)
	}
	r := &ring{primary: ks.GetPrimaryKeyId(), names: make(map[uint32]string, len(ks.GetKey()))}
	for _, k := range ks.GetKey() {
		if k.GetKeyData().GetTypeUrl() != gcmKeyType || k.GetStatus() != tinkpb.KeyStatusType_ENABLED ||
			k.GetOutputPrefixType() != tinkpb.OutputPrefixType_TINK {
			return nil, errors.New("vault: a key is of another kind")
		}
		name := fingerprintOf(k.GetKeyData().GetValue())
		r.names[k.GetKeyId()] = name
		if k.GetKeyId() == r.primary {
			r.keys = append([]KeyInfo{{name, true}}, r.keys...)
		} else {
			r.keys = append(r.keys, KeyInfo{name, false})
		}
	}
	if !r.keys[0].Primary {
		return nil, errors.New("vault: no key is the primary one")
	}
	var err error
	if r.kek, err = aead.New(h); err != nil {
		return nil, fmt.Errorf("vault: preparing the keys: %w", err)
	}
	return r, nil
}

// fingerprintOf names a key by 64 bits of a hash; of a 256-bit random key they
// give nothing away.
func fingerprintOf(value []byte) string {
	sum := sha256.New()
	_, _ = io.WriteString(sum, "entente/vault/1/fingerprint\x00")
	_, _ = sum.Write(value)
	d := hex.EncodeToString(sum.Sum(nil)[:8])
	return d[0:4] + "-" + d[4:8] + "-" + d[8:12] + "-" + d[12:16]
}

func (r *ring) fingerprint() string { return r.keys[0].Fingerprint }

// idOf reads which key a wrapped data key says it is wrapped under.
func idOf(wrapped []byte) (uint32, bool) {
	if len(wrapped) < 6 || (wrapped[0] != wrapVersion && wrapped[0] != wrapShared) || wrapped[1] != tinkPrefix {
		return 0, false
	}
	return binary.BigEndian.Uint32(wrapped[2:6]), true
}

// meets reports whether any key of r is also in other.
func (r *ring) meets(other *ring) bool {
	for _, a := range r.keys {
		for _, b := range other.keys {
			if a.Fingerprint == b.Fingerprint {
				return true
			}
		}
	}
	return false
}

// added returns the keys with one more, which opens and does not wrap yet.
func added(h *keyset.Handle) (*keyset.Handle, error) {
	m := keyset.NewManagerFromHandle(h)
	if _, err := m.Add(aead.AES256GCMKeyTemplate()); err != nil {
		return nil, fmt.Errorf("vault: making a key: %w", err)
	}
	return m.Handle()
}

// promoted returns the keys with another primary one.
func promoted(h *keyset.Handle, fingerprint string) (*keyset.Handle, error) {
	id, _, err := find(h, fingerprint)
	if err != nil {
		return nil, err
	}
	m := keyset.NewManagerFromHandle(h)
	if err := m.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("vault: choosing the primary key: %w", err)
	}
	return m.Handle()
}

// removed returns the keys without one that is not the primary.
func removed(h *keyset.Handle, fingerprint string) (*keyset.Handle, error) {
	id, primary, err := find(h, fingerprint)
	if err != nil {
		return nil, err
	}
	if primary {
		return nil, fmt.Errorf("%w: %s; promote another first", ErrPrimaryKey, fingerprint)
	}
	m := keyset.NewManagerFromHandle(h)
	if err := m.Delete(id); err != nil {
		return nil, fmt.Errorf("vault: removing a key: %w", err)
	}
	return m.Handle()
}

func find(h *keyset.Handle, fingerprint string) (id uint32, primary bool, err error) {
	r, err := newRing(h)
	if err != nil {
		return 0, false, err
	}
	for id, name := range r.names {
		if name == fingerprint {
			return id, id == r.primary, nil
		}
	}
	return 0, false, fmt.Errorf("%w: %q", ErrNoSuchKey, fingerprint)
}

// marshalKeys gives the keys in plain; the caller clears them.
func marshalKeys(h *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(256 * maxKeys) // so that no shorter copy is left behind
	if err := insecurecleartextkeyset.Write(h, keyset.NewBinaryWriter(&b)); err != nil {
		return nil, fmt.Errorf("vault: encoding the keys: %w", err)
	}
	return b.Bytes(), nil
}

func unmarshalKeys(plain []byte) (*keyset.Handle, error) {
	return insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(plain)))
}

// clearKeyset clears a copy of the keys that Tink handed out.
func clearKeyset(ks *tinkpb.Keyset) {
	for _, k := range ks.GetKey() {
		clear(k.GetKeyData().GetValue())
	}
}
