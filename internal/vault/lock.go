// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// What can go wrong with the lock of a key file; each is matched with errors.Is.
var (
	ErrLocked     = errors.New("vault: the key file is locked, and nothing was given to unlock it")
	ErrLockKind   = errors.New("vault: the key file has another lock than was given")
	ErrWrongLock  = errors.New("vault: the key file does not open")
	ErrPassphrase = errors.New("vault: the passphrase cannot be used")
)

const (
	lockNone       = "none"
	lockPassphrase = "passphrase"
	lockCommand    = "command"

	// MinPassphrase is how many characters a new passphrase must have: whoever
	// has the file can try as many as they can pay for.
	MinPassphrase = 15
	maxPassphrase = 1024 // bytes
	saltSize      = 16
	maxWrapped    = 16 << 10
)

// The second choice of RFC 9106 for argon2id, 64 MiB: a start takes some tenths
// of a second longer, and a guess as much.
var today = argonCost{MemoryKiB: 64 << 10, Passes: 3, Lanes: 4}

// A file may ask for at least what OWASP names for passwords, and for at most
// what cannot exhaust a machine.
var (
	least = argonCost{MemoryKiB: 19 << 10, Passes: 2, Lanes: 1}
	most  = argonCost{MemoryKiB: 1 << 20, Passes: 16, Lanes: 16}
)

type argonCost struct {
	MemoryKiB uint32 `json:"memory_kib,omitempty"`
	Passes    uint32 `json:"passes,omitempty"`
	Lanes     uint8  `json:"lanes,omitempty"`
}

// lockRecord is how a key file remembers its lock.
type lockRecord struct {
	Kind string `json:"kind"`
	// Key is the lock key itself of a file without a lock: it hides nothing, but
	// a changed byte is noticed.
	Key []byte `json:"key,omitempty"`
	argonCost
	Salt    []byte `json:"salt,omitempty"`
	Wrapped []byte `json:"wrapped,omitempty"` // by the command
}

func (r lockRecord) check() error {
	bare, cost := len(r.Key) == 0, r.argonCost
	switch {
	case r.Kind == lockNone && len(r.Key) == lockSize && len(r.Salt)+len(r.Wrapped) == 0 && cost == argonCost{}:
		return nil
	case r.Kind == lockCommand && bare && len(r.Salt) == 0 && cost == argonCost{} && len(r.Wrapped) > 0 && len(r.Wrapped) <= maxWrapped:
		return nil
	case r.Kind == lockPassphrase && bare && len(r.Salt) == saltSize && len(r.Wrapped) == 0:
		if cost.MemoryKiB < least.MemoryKiB || cost.Passes < least.Passes || cost.Lanes < least.Lanes ||
			cost.MemoryKiB > most.MemoryKiB || cost.Passes > most.Passes || cost.Lanes > most.Lanes {
			return errors.New("its passphrase is hashed with a cost outside the bounds of this program")
		}
		return nil
	}
	return errors.New("its lock is of a kind that this program does not know")
}

// refused is why the keys do not open although the lock key was found.
func (r lockRecord) refused() error {
	switch r.Kind {
	case lockPassphrase:
		return fmt.Errorf("%w: the passphrase is wrong", ErrWrongLock)
	case lockCommand:
		return fmt.Errorf("%w: the command gave another key than the file was locked with", ErrWrongLock)
	default:
		return fmt.Errorf("%w: its content was changed; restore it from your copy", ErrBadKey)
	}
}

// Lock is what a key file is locked with: nothing, a passphrase or a command. It
// prints as "[lock redacted]" and its kind in fmt, slog and JSON. The zero Lock
// is [NoLock].
type Lock struct {
	m *lockMaterial
}

type lockMaterial struct {
	secret  *[]byte // behind two pointers, for the reason given at material
	command *CommandLine
}

// NoLock is the lock of a key file that whoever reads the file can open.
func NoLock() Lock { return Lock{} }

// Passphrase is a lock of words that people keep. It copies the secret, which
// must have no line break; it is normalised (NFKC), so that the same characters
// typed on another device match. Call [Lock.Clear] when the file is open.
func Passphrase(secret []byte) Lock {
	// With room to grow: a normal form may be longer, and appending would leave
	// a copy behind that cannot be cleared.
	s := norm.NFKC.Append(make([]byte, 0, 4*len(secret)+64), secret...)
	return Lock{m: &lockMaterial{secret: &s}}
}

// Clear forgets the passphrase. The lock opens nothing afterwards.
func (l Lock) Clear() {
	if l.m != nil && l.m.secret != nil {
		s := *l.m.secret
		clear(s[:cap(s)])
		*l.m.secret = s[:0]
	}
}

func (l Lock) kind() string {
	switch {
	case l.m == nil:
		return lockNone
	case l.m.secret != nil:
		return lockPassphrase
	default:
		return lockCommand
	}
}

// fresh draws a new lock key and what the file must remember to find it again.
// The caller clears the key.
func (l Lock) fresh(ctx context.Context) (lockRecord, []byte, error) {
	r := lockRecord{Kind: l.kind()}
	if r.Kind == lockPassphrase {
		if utf8.RuneCount(*l.m.secret) < MinPassphrase {
			return r, nil, fmt.Errorf("%w: it needs at least %d characters", ErrPassphrase, MinPassphrase)
		}
		r.argonCost, r.Salt = today, make([]byte, saltSize)
		_, _ = rand.Read(r.Salt) // never fails: the runtime ends the process instead
		key, err := l.derive(r)
		return r, key, err
	}
	key := make([]byte, lockSize)
	_, _ = rand.Read(key)
	if r.Kind == lockNone {
		r.Key = bytes.Clone(key)
		return r, key, nil
	}
	var err error
	if r.Wrapped, err = l.m.command.wrap(ctx, key); err != nil {
		clear(key)
		return r, nil, err
	}
	return r, key, nil
}

// find gives the lock key of a file. The caller clears it.
func (l Lock) find(ctx context.Context, r lockRecord) ([]byte, error) {
	switch kind := l.kind(); {
	case kind == lockNone && r.Kind != lockNone:
		return nil, fmt.Errorf("%w: it needs a %s", ErrLocked, r.Kind)
	case kind != r.Kind:
		return nil, fmt.Errorf("%w: it has %q, and %q was given", ErrLockKind, r.Kind, kind)
	case kind == lockPassphrase:
		return l.derive(r)
	case kind == lockCommand:
		return l.m.command.unwrap(ctx, r.Wrapped)
	default:
		return bytes.Clone(r.Key), nil
	}
}

func (l Lock) derive(r lockRecord) ([]byte, error) {
	s := *l.m.secret
	switch {
	case len(s) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrPassphrase)
	case len(s) > maxPassphrase:
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrPassphrase, maxPassphrase)
	case bytes.ContainsAny(s, "\r\n\x00"):
		return nil, fmt.Errorf("%w: it holds a line break; hand over one line without its end", ErrPassphrase)
	case !utf8.Valid(s):
		return nil, fmt.Errorf("%w: it is not text in UTF-8", ErrPassphrase)
	}
	return argon2.IDKey(s, r.Salt, r.Passes, r.MemoryKiB, r.Lanes, lockSize), nil
}

// Format writes "[lock redacted]" and the kind for every verb and flag.
func (l Lock) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, l.String()) }

// String is "[lock redacted]" and the kind.
func (l Lock) String() string { return "[lock redacted] " + l.kind() }

// GoString is that of [Lock.String].
func (l Lock) GoString() string { return l.String() }

// LogValue is that of [Lock.String].
func (l Lock) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalText is that of [Lock.String]: a lock is never serialised.
func (l Lock) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
