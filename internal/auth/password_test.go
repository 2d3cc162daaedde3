// SPDX-License-Identifier: AGPL-3.0-or-later

package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
)

const phrase = "quattro gatti sul tetto rosso"

func TestPasswordHash(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	stored, err := HashPassword(ctx, phrase)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(stored, "gatti") {
		t.Fatalf("stored as %s", stored)
	}
	again, err := HashPassword(ctx, phrase)
	if err != nil || again == stored {
		t.Fatalf("two hashes of one password are equal, or %v", err)
	}
	for _, c := range []struct {
		password string
		want     bool
	}{{phrase, true}, {phrase + " ", false}, {"", false}, {strings.ToUpper(phrase), false}, {strings.Repeat("x", MaxPasswordBytes+1), false}} {
		if got, err := VerifyPassword(ctx, c.password, stored); err != nil || got != c.want {
			t.Errorf("%.20q: %v, %v", c.password, got, err)
		}
	}
	if NeedsRehash(stored) || !NeedsRehash(strings.Replace(stored, "t=2", "t=1", 1)) || !NeedsRehash("x") {
		t.Error("NeedsRehash does not follow the cost")
	}
}

func TestPasswordIsNormalised(t *testing.T) {
	t.Parallel()
	composed, decomposed, another := "perch\u00e9 mai \ufb01no", "perche\u0301 mai \ufb01no", "perch\u00e9 mai fino"
	stored, err := HashPassword(t.Context(), composed)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]bool{decomposed: true, another: false} {
		if ok, err := VerifyPassword(t.Context(), p, stored); ok != want || err != nil {
			t.Errorf("%+q: %v, %v", p, ok, err)
		}
	}
}

func TestPasswordInputAndStoredHash(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, p := range []string{"", strings.Repeat("x", MaxPasswordBytes+1)} {
		if _, err := HashPassword(ctx, p); !errors.Is(err, ErrPasswordInput) {
			t.Errorf("%d bytes: %v", len(p), err)
		}
	}
	const tail = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, stored := range []string{
		"", "plain", "$2a$10$abc",
		"$argon2id$v=19$m=4194304,t=2,p=1" + tail, // 4 GiB
		"$argon2id$v=19$m=19456,t=4000000,p=1" + tail,
		"$argon2id$v=19$m=19456,t=0,p=1" + tail, "$argon2id$v=19$m=19456,t=2,p=0" + tail,
		"$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA",
	} {
		if ok, err := VerifyPassword(ctx, phrase, stored); ok || !errors.Is(err, ErrHash) {
			t.Errorf("%q: %v, %v", stored, ok, err)
		}
	}
}

func TestDummyIsAsCostlyAndNeverMatches(t *testing.T) {
	t.Parallel()
	if NeedsRehash(dummyHash) {
		t.Error("the dummy has another cost than a real hash")
	}
	for _, p := range []string{"", phrase, strings.Repeat("x", 5000)} {
		if err := VerifyDummy(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	if ok, err := VerifyPassword(t.Context(), "", dummyHash); ok || err != nil {
		t.Errorf("the dummy matched: %v, %v", ok, err)
	}
}

func TestPIN(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, bad := range []string{"", "123", "123456789", "12a4", "12 4", "١٢٣٤", "-123"} {
		if _, err := NewPINHash(ctx, bad); !errors.Is(err, ErrPIN) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	stored, err := NewPINHash(ctx, "0407")
	if err != nil {
		t.Fatal(err)
	}
	for pin, want := range map[string]bool{"0407": true, "0408": false, "407": false, "04070": false, "": false} {
		if got, err := VerifyPIN(ctx, pin, stored); err != nil || got != want {
			t.Errorf("%q: %v, %v", pin, got, err)
		}
	}
	if ok, _ := VerifyPassword(ctx, "0407", stored); ok {
		t.Error("a PIN's hash verifies as a password's")
	}
}

// Not parallel: it fills the slots.
func TestWaitingForASlotEndsWithTheContext(t *testing.T) {
	for range cap(slots) {
		slots <- struct{}{}
	}
	defer func() {
		for range cap(slots) {
			<-slots
		}
	}()
	if cap(slots) != 2 {
		t.Errorf("%d hashes can run at once", cap(slots))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 4)
	go func() { _, err := HashPassword(ctx, phrase); done <- err }()
	go func() { _, err := VerifyPassword(ctx, phrase, dummyHash); done <- err }()
	go func() { done <- VerifyDummy(ctx, phrase) }()
	go func() { _, err := VerifyPIN(ctx, "12345", dummyHash); done <- err }()
	cancel()
	for range cap(done) {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	}
}

func TestAnEndedContextHashesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a free slot must never win by chance
		if _, err := HashPassword(ctx, phrase); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

func BenchmarkVerifyPassword(b *testing.B) {
	for b.Loop() {
		if err := VerifyDummy(b.Context(), phrase); err != nil {
			b.Fatal(err)
		}
	}
}
