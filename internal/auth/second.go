// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// NewTOTP makes the secret of time-based codes (RFC 6238, SHA-1, six digits, half
// a minute: what every authenticator app understands) and the address an app
// reads it from.
func NewTOTP(issuer, account string) (secret, url string, err error) {
	k, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: account, SecretSize: 20})
	if err != nil {
		return "", "", fmt.Errorf("auth: secret of codes: %w", err)
	}
	return k.Secret(), k.URL(), nil
}

const stepSeconds = 30

// CheckTOTP reports whether code is the secret's of now, or of the half minute
// before or after, and which: one not after last has been used and is refused.
func CheckTOTP(secret, code string, now time.Time, last int64) (step int64, ok bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	for _, s := range []int64{-1, 0, 1} {
		step := now.Unix()/stepSeconds + s
		want, err := totp.GenerateCodeCustom(secret, time.Unix(step*stepSeconds, 0), totp.ValidateOpts{Period: stepSeconds, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && step > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, true
		}
	}
	return last, false
}

const recoveryCodes = 10

// NewRecovery makes the codes for a lost device, and their hashes to be kept, each
// with a salt of its own before it. A code has 50 bits, and trying is throttled.
func NewRecovery() (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		text := strings.ToLower(rand.Text()[:10])
		codes = append(codes, text[:5]+"-"+text[5:])
		salt := make([]byte, recoverySalt)
		rand.Read(salt) // never fails
		hashes = append(hashes, recoveryHash(salt, text))
	}
	return codes, hashes
}

const recoverySalt = 16

func recoveryHash(salt []byte, code string) []byte {
	sum := sha256.Sum256(slices.Concat([]byte("entente/recovery\x00"), salt, []byte(code)))
	return slices.Concat(salt, sum[:])
}

// UseRecovery takes a code out of those that are left.
func UseRecovery(code string, hashes [][]byte) (left [][]byte, ok bool) {
	code = strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))
	for _, x := range hashes {
		if len(x) > recoverySalt && !ok && subtle.ConstantTimeCompare(x, recoveryHash(x[:recoverySalt:recoverySalt], code)) == 1 {
			ok = true
			continue
		}
		left = append(left, x)
	}
	return left, ok
}
