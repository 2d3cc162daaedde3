// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"bytes"
	"encoding/base32"
	"strings"
	"testing"
	"time"
)

// TestTOTP holds against the vectors of RFC 6238, appendix B (SHA-1, the last six
// of their eight digits).
func TestTOTP(t *testing.T) {
	t.Parallel()
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"} {
		now := time.Unix(at, 0)
		step, ok := CheckTOTP(secret, code[:3]+" "+code[3:], now, 0)
		if !ok || step != at/30 {
			t.Errorf("at %d: %v, step %d", at, ok, step)
		}
		if _, ok := CheckTOTP(secret, code, now, step); ok {
			t.Errorf("at %d: the same code counts twice", at)
		}
		for _, away := range []time.Duration{-61 * time.Second, 61 * time.Second} {
			if _, ok := CheckTOTP(secret, code, now.Add(away), 0); ok && at > 100 { // before 1970 there are no steps
				t.Errorf("at %d: the code still counts %v away", at, away)
			}
		}
		if _, ok := CheckTOTP(secret, code, now.Add(29*time.Second), 0); !ok {
			t.Errorf("at %d: a clock 29 s off is refused", at)
		}
		for _, wrong := range []string{"", "000000", code[:5], code + "0", "abcdef"} {
			if _, ok := CheckTOTP(secret, wrong, now, 0); ok {
				t.Errorf("at %d: %q is taken", at, wrong)
			}
		}
	}
	if _, ok := CheckTOTP("", "", time.Now(), 0); ok {
		t.Error("no secret, no code, and in")
	}
	own, url, err := NewTOTP("Entente", "a@example.org")
	if err != nil || len(own) != 32 || !strings.HasPrefix(url, "otpauth://totp/Entente:a@example.org?") || !strings.Contains(url, own) {
		t.Errorf("%s %s %v", own, url, err)
	}
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	codes, hashes := NewRecovery()
	if len(codes) != 10 || len(hashes) != 10 {
		t.Fatalf("%d codes, %d hashes", len(codes), len(hashes))
	}
	salts := map[string]bool{}
	for i, h := range hashes {
		salts[string(h[:recoverySalt])] = true
		if bytes.Equal(h, recoveryHash(make([]byte, recoverySalt), strings.ReplaceAll(codes[i], "-", ""))) {
			t.Error("a hash without salt")
		}
	}
	if len(salts) != 10 {
		t.Errorf("%d salts for ten codes", len(salts))
	}
	left, ok := UseRecovery(" "+strings.ToUpper(codes[3]), hashes)
	if !ok || len(left) != 9 {
		t.Fatalf("%v, %d left", ok, len(left))
	}
	for _, code := range []string{codes[3], "", "-", "aaaaa-aaaaa"} {
		if again, ok := UseRecovery(code, left); ok || len(again) != 9 {
			t.Errorf("%q is taken, %d left", code, len(again))
		}
	}
}
