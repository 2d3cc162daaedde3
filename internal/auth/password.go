// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// MaxPasswordBytes is the longest password that is hashed, in UTF-8 bytes.
const MaxPasswordBytes = 1024

// The cost of one hash: 19 MiB, two passes, one lane (OWASP's first choice for
// argon2id), about 50 ms on one core.
var cost = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Hashes from elsewhere (an older version, an edited row) may ask for at most
// this much, so that a row cannot exhaust the machine.
const (
	maxMemoryKiB  = 64 << 10
	maxIterations = 10
	maxLanes      = 8
)

// slots bounds the memory and cores that sign-ins can take at once.
var slots = make(chan struct{}, 2)

var (
	// ErrHash tells that a stored hash is not one of this package, or is damaged.
	ErrHash = errors.New("auth: the stored hash cannot be read")
	// ErrPasswordInput tells that a password is empty or over MaxPasswordBytes.
	ErrPasswordInput = errors.New("auth: the password is empty or too long to be hashed")
)

// HashPassword returns the argon2id hash of a password in the usual text form
// with its parameters and salt. The password is normalised (NFC) first, so
// that the same characters typed on another device match, and none is replaced
// by another. It does not judge
// the password: see [CheckPassword]. At most two hashes run at once; a wait
// that outlasts ctx gives its error.
func HashPassword(ctx context.Context, password string) (string, error) {
	if password == "" || len(password) > MaxPasswordBytes {
		return "", ErrPasswordInput
	}
	return hash(ctx, norm.NFC.String(password))
}

// VerifyPassword reports whether the password is the one that was hashed. A
// wrong password is (false, nil). Errors are ErrHash for a stored hash that
// cannot be used, and that of ctx. Every answer, ErrHash included, costs at
// least one hash.
func VerifyPassword(ctx context.Context, password, stored string) (bool, error) {
	if len(password) > MaxPasswordBytes {
		return false, VerifyDummy(ctx, "")
	}
	return verify(ctx, norm.NFC.String(password), stored)
}

// VerifyDummy takes as long as [VerifyPassword] with a wrong password. Call it
// when the account is unknown, and answer as for a wrong password. The error
// is nil or that of ctx.
func VerifyDummy(ctx context.Context, password string) error {
	if len(password) > MaxPasswordBytes {
		password = ""
	}
	_, err := verify(ctx, norm.NFC.String(password), dummyHash)
	return err
}

// NeedsRehash reports whether a stored hash was made at another cost than
// today's, so that it should be replaced after the next right password.
func NeedsRehash(stored string) bool {
	p, _, _, err := argon2id.DecodeHash(stored)
	return err != nil || *p != cost
}

// dummyHash has today's cost and a key that no password is known for.
var dummyHash = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
	argon2.Version, cost.Memory, cost.Iterations, cost.Parallelism,
	base64.RawStdEncoding.EncodeToString(make([]byte, cost.SaltLength)),
	base64.RawStdEncoding.EncodeToString(make([]byte, cost.KeyLength)))

func hash(ctx context.Context, secret string) (string, error) {
	if err := acquire(ctx); err != nil {
		return "", err
	}
	defer release()
	h, err := argon2id.CreateHash(secret, &cost)
	if err != nil {
		return "", fmt.Errorf("auth: hashing: %w", err)
	}
	return h, nil
}

func verify(ctx context.Context, secret, stored string) (bool, error) {
	p, salt, key, err := argon2id.DecodeHash(stored)
	bad := err != nil || len(salt) < 8 || len(key) < 16 || p.Memory > maxMemoryKiB ||
		p.Iterations < 1 || p.Iterations > maxIterations || p.Parallelism < 1 || p.Parallelism > maxLanes
	if bad {
		stored = dummyHash
	}
	if err := acquire(ctx); err != nil {
		return false, err
	}
	defer release()
	match, err := argon2id.ComparePasswordAndHash(secret, stored)
	if bad || err != nil {
		return false, ErrHash
	}
	return match, nil
}

func acquire(ctx context.Context) error {
	// A context that is already over must not win a free slot by chance.
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("auth: waiting to hash: %w", err)
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("auth: waiting to hash: %w", ctx.Err())
	}
}

func release() { <-slots }
