// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// keyOf is the message that a refusal gives, "" for none.
func keyOf(err error) string {
	if e, ok := errors.AsType[*care.Error](err); ok {
		return e.Key
	}
	return ""
}

// TestShorterBesideASecondFactor: eight characters do where a code is asked for
// too, and never without one.
func TestShorterBesideASecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const short = "vexing jug"
		change := func(old, password string) string {
			w.now.Add(throttled)
			return keyOf(w.app.ChangePassword(w.ctx, w.neri, old, password))
		}
		if got := change(password, short); got != "password.too_short" {
			t.Errorf("alone: %q", got)
		}
		get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		if a := get[app.Account](t)(w.app.Account(w.ctx, w.neri)); a.Least != 8 {
			t.Errorf("the page asks for %d characters", a.Least)
		}
		for p, want := range map[string]string{"vex jug": "password.too_short", "football": "password.common", "12345678": "password.sequential"} {
			if got := change(password, p); got != want {
				t.Errorf("%q: %q, not %q", p, got, want)
			}
		}
		if got := change(password, short); got != "" {
			t.Errorf("beside a code: %q", got)
		}
		w.now.Add(throttled)
		if got := keyOf(w.app.RemoveSecond(w.ctx, w.neri, short)); got != "account.password_alone" {
			t.Errorf("the code goes and the short password stays: %q", got)
		}
		if got := change(short, password); got != "" {
			t.Errorf("a longer one: %q", got)
		}
		w.now.Add(throttled)
		must(t, w.app.RemoveSecond(w.ctx, w.neri, password))
	})
}

// TestNamesAreNoPassword: wherever a password is chosen, it is not made of the
// names of the person, their address or their practice.
func TestNamesAreNoPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		l := get[app.Link](t)(w.app.AddStaff(w.ctx, w.neri, app.NewColleague{Name: "Ortensia Quagliarella", Email: "wolframite@example.org", Language: "en", Roles: []care.Role{care.Therapist}}))
		for _, p := range []string{"ortensiaquagliarella", "wolframite-wolframite-1", "canary practice quagliarella"} {
			if _, err := w.app.Join(w.ctx, l.Token, p, ""); keyOf(err) != "password.names" {
				t.Errorf("%q to join: %v", p, err)
			}
		}
		for _, p := range []string{"canary-practice-neri", "neri canary practice"} {
			w.now.Add(throttled)
			if err := w.app.ChangePassword(w.ctx, w.neri, password, p); keyOf(err) != "password.names" {
				t.Errorf("%q as a new one: %v", p, err)
			}
		}
	})
}
