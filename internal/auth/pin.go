// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"context"
	"errors"
)

// A PIN has this many digits. It only guards a device that is already signed
// in (leaving a shared tablet), never an account: the caller must count tries.
const (
	MinPINDigits = 4
	MaxPINDigits = 8
)

// ErrPIN tells that a new PIN is not of four to eight digits (0 to 9).
var ErrPIN = errors.New("auth: a PIN has four to eight digits, 0 to 9 only")

// The prefix keeps a PIN's hash from ever verifying as a password's.
const pinPrefix = "entente/pin\x00"

// NewPINHash returns the salted argon2id hash of a PIN, or ErrPIN. The wait is
// that of [HashPassword].
func NewPINHash(ctx context.Context, pin string) (string, error) {
	if !isPIN(pin) {
		return "", ErrPIN
	}
	return hash(ctx, pinPrefix+pin)
}

// VerifyPIN reports whether pin is the one that was hashed. A wrong or
// malformed PIN is (false, nil); errors are as for [VerifyPassword].
func VerifyPIN(ctx context.Context, pin, stored string) (bool, error) {
	if !isPIN(pin) {
		return false, VerifyDummy(ctx, "")
	}
	return verify(ctx, pinPrefix+pin, stored)
}

func isPIN(s string) bool {
	if len(s) < MinPINDigits || len(s) > MaxPINDigits {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
