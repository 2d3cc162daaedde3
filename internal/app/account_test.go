// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

func (w *world) signIn() app.SignedIn {
	return get[app.SignedIn](w.t)(w.app.SignIn(w.ctx, app.Credentials{Email: "neri@example.org", Password: password, Address: "here", Device: "Mac"}))
}

// TestSecondFactor: with codes turned on a password alone opens nothing, a code
// counts once, one for a lost device counts once, and five wrong ones end it.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if _, err := w.app.AddSecond(w.ctx, w.neri, testSecret, "000000", password); care.CodeOf(err) != care.Invalid {
			t.Errorf("a wrong code turns it on: %v", err)
		}
		if _, err := w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), "not mine at all"); care.CodeOf(err) != care.Invalid {
			t.Errorf("a wrong password turns it on: %v", err)
		}
		if in := w.signIn(); in.Waits {
			t.Fatal("it is on already")
		}
		recovery := get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		in := w.signIn()
		if _, err := w.app.Authenticate(w.ctx, in.Token); !in.Waits || care.CodeOf(err) != care.NotFound {
			t.Errorf("the password alone opens: %v", err)
		}
		used := w.code()
		if _, err := w.app.ConfirmSignIn(w.ctx, in.Token, used); care.CodeOf(err) != care.Invalid {
			t.Errorf("the code that turned it on counts again: %v", err)
		}
		w.now.Add((30 * time.Second).Milliseconds())
		full := get[app.SignedIn](t)(w.app.ConfirmSignIn(w.ctx, in.Token, w.code()))
		if me := get[app.Me](t)(w.app.Authenticate(w.ctx, full.Token)); me.Actor.Staff != w.neri.Staff || full.Token == in.Token {
			t.Errorf("%+v", me)
		}
		if _, err := w.app.ConfirmSignIn(w.ctx, in.Token, w.code()); care.CodeOf(err) != care.NotFound {
			t.Errorf("the waiting sign-in is still there: %v", err)
		}
		lost := w.signIn()
		get[app.SignedIn](t)(w.app.ConfirmSignIn(w.ctx, lost.Token, recovery[2]))
		if a := get[app.Account](t)(w.app.Account(w.ctx, w.neri)); !a.Second || a.Recovery != 9 || a.SignIns[0].Device != "Mac" {
			t.Errorf("%+v", a)
		}
		guess := w.signIn()
		for i := range 5 {
			want := care.Invalid
			if i == 4 {
				want = care.NotFound
			}
			if _, err := w.app.ConfirmSignIn(w.ctx, guess.Token, recovery[2]); care.CodeOf(err) != want {
				t.Errorf("guess %d: %v", i, err)
			}
		}
		if _, err := w.app.ConfirmSignIn(w.ctx, guess.Token, recovery[3]); care.CodeOf(err) != care.NotFound {
			t.Errorf("after five wrong codes: %v", err)
		}
		must(t, w.app.RemoveSecond(w.ctx, w.neri, password))
		if in := w.signIn(); in.Waits {
			t.Error("it is still on")
		}
	})
}

// TestCodesAreThrottled: whoever knows the password cannot try codes without end
// by signing in again and again.
func TestCodesAreThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
	tries := 0
	for range 40 {
		in, err := w.app.SignIn(w.ctx, app.Credentials{Email: "neri@example.org", Password: password, Address: "there"})
		if err != nil {
			break // the password is throttled too
		}
		for range 5 {
			if _, err := w.app.ConfirmSignIn(w.ctx, in.Token, "000000"); care.CodeOf(err) == care.Unavailable {
				break
			}
			tries++
		}
	}
	if tries > 30 {
		t.Errorf("%d codes could be tried in a quarter of an hour", tries)
	}
}

// TestOwnSignIns: each sees and ends their own only, and a new password ends the
// others.
func TestOwnSignIns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		first, second := w.signIn(), w.signIn()
		me := get[app.Me](t)(w.app.Authenticate(w.ctx, first.Token)).Actor
		a := get[app.Account](t)(w.app.Account(w.ctx, me))
		if len(a.SignIns) != 3 {
			t.Fatalf("%+v", a)
		}
		for _, s := range a.SignIns {
			if s.This != (s.ID == me.SignIn) {
				t.Errorf("%+v", s)
			}
		}
		if err := w.app.EndSignIns(w.ctx, w.costa, me.SignIn); care.CodeOf(err) != care.NotFound {
			t.Errorf("a colleague ends it: %v", err)
		}
		must(t, w.app.EndSignIns(w.ctx, me, w.neri.SignIn))
		if a = get[app.Account](t)(w.app.Account(w.ctx, me)); len(a.SignIns) != 2 {
			t.Errorf("%+v", a)
		}
		const other = "four lamps beneath the pier"
		must(t, w.app.ChangePassword(w.ctx, me, password, other))
		if _, err := w.app.Authenticate(w.ctx, second.Token); care.CodeOf(err) != care.NotFound {
			t.Errorf("the other sign-in goes on: %v", err)
		}
		get[app.Me](t)(w.app.Authenticate(w.ctx, first.Token))
		if err := w.app.ChangePassword(w.ctx, me, password, other); care.CodeOf(err) != care.Invalid {
			t.Errorf("the old password still counts: %v", err)
		}
	})
}

// TestToldOfAccount: whoever's password or second factor is changed is told at
// their own address, and nobody of what was refused.
func TestToldOfAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		told := func(what string, want int) {
			t.Helper()
			if len(w.mail.accounts) != want || want > 0 && w.mail.accounts[want-1] != "neri@example.org" {
				t.Errorf("%s: told %v", what, w.mail.accounts)
			}
			w.now.Add(throttled)
		}
		if _, err := w.app.AddSecond(w.ctx, w.neri, testSecret, "000000", password); err == nil {
			t.Error("a wrong code is taken")
		}
		if err := w.app.ChangePassword(w.ctx, w.neri, "not the password", password); err == nil {
			t.Error("a wrong password is taken")
		}
		told("refused", 0)
		get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		told("a second factor", 1)
		must(t, w.app.RemoveSecond(w.ctx, w.neri, password))
		told("without it", 2)
		must(t, w.app.ChangePassword(w.ctx, w.neri, password, password+" again"))
		told("a password", 3)
	})
}

// TestSignInsAheadEnd: a sign-in that a clock two days ahead has made is in no
// list, and ends with the others all the same: by a manager, and by its owner.
func TestSignInsAheadEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const ahead = 48 * 3_600_000
		for name, end := range map[string]func() error{
			"manager": func() error { return w.help(w.boss, w.neri.Staff, care.EndedSignIns, why, password) },
			"owner":   func() error { return w.app.EndSignIns(w.ctx, w.neri, "") },
		} {
			w.now.Add(ahead)
			in := w.signIn()
			w.now.Add(-ahead)
			must(t, end())
			w.now.Add(ahead)
			if _, err := w.app.Authenticate(w.ctx, in.Token); care.CodeOf(err) != care.NotFound {
				t.Errorf("%s: the sign-in opens when its time has come: %v", name, err)
			}
			w.now.Add(-ahead)
		}
	})
}
