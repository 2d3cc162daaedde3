// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// open reports whether a sign-in still opens something.
func (w *world) open(in app.SignedIn) bool {
	w.t.Helper()
	me, err := w.app.Authenticate(w.ctx, in.Token)
	if err != nil && care.CodeOf(err) != care.NotFound {
		w.t.Fatal(err)
	}
	if err == nil && me.UseDue {
		must(w.t, w.app.UseSignIn(w.ctx, me.Actor))
	}
	return err == nil
}

func (w *world) later(d time.Duration) { w.now.Add(d.Milliseconds()) }

// TestSignInsEnd: without use after an hour, with use after twelve, and looking
// without using does not keep one alive.
func TestSignInsEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		in := w.signIn()
		w.later(time.Hour)
		if w.open(in) {
			t.Error("an hour without use does not end it")
		}
		in = w.signIn()
		for range 3 { // a page that asks for itself
			w.later(25 * time.Minute)
			_, err := w.app.Authenticate(w.ctx, in.Token)
			if gone := care.CodeOf(err) == care.NotFound; gone != (w.now.Load() >= in.Expires.Add(-11*time.Hour).UnixMilli()) {
				t.Errorf("after %v: %v", time.UnixMilli(w.now.Load()).Sub(in.Expires.Add(-12*time.Hour)), err)
			}
		}
		in = w.signIn()
		for i := range 13 {
			w.later(59 * time.Minute)
			if want := i < 12; w.open(in) != want {
				t.Errorf("after %d times 59 minutes of use: open is %v", i+1, !want)
			}
		}
		in = w.signIn()
		me := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token))
		w.later(time.Minute - time.Millisecond)
		if again := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)); me.UseDue || again.UseDue {
			t.Error("each page would write")
		}
	})
}

// TestSignInRules: a practice may be stricter within bounds, at once and for the
// sign-ins that are there, and another practice is not touched.
func TestSignInRules(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		set := func(idle, longest int, password string) string {
			w.now.Add(throttled)
			return keyOf(w.app.SetSignInRules(w.ctx, w.boss, care.SignInRules{IdleMinutes: idle, LongestHours: longest}, password))
		}
		if r := get[care.SignInRules](t)(w.app.SignInRules(w.ctx, w.boss)); r.IdleMinutes != 60 || r.LongestHours != 12 {
			t.Errorf("the default: %+v", r)
		}
		for _, bad := range [][2]int{{4, 12}, {61, 12}, {0, 12}, {60, 0}, {60, 25}} {
			if got := set(bad[0], bad[1], password); got != "field.choice" {
				t.Errorf("%v: %q", bad, got)
			}
		}
		if got := set(30, 8, "not the password at all"); got != "account.password_wrong" {
			t.Errorf("with a wrong password: %q", got)
		}
		elsewhere := get[app.SignedIn](t)(w.app.SignIn(w.ctx, app.Credentials{Email: "stranger@example.org", Password: password, Address: "there"}))
		in := w.signIn()
		w.now.Add(-throttled) // so that nothing of theirs is over when it is set
		if got := set(15, 1, password); got != "" {
			t.Fatal(got)
		}
		w.later(15 * time.Minute)
		if w.open(in) {
			t.Error("a sign-in that was there lasts longer than the new rule says")
		}
		if !w.open(elsewhere) {
			t.Error("another practice's sign-in has ended")
		}
		in = w.signIn()
		for range 5 {
			w.later(14 * time.Minute)
			w.open(in)
		}
		if w.open(in) {
			t.Error("an hour of use does not end it")
		}
	})
}
