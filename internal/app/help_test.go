// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// rules sets a practice's rules as its manager would.
func (w *world) rules(r care.SignInRules) {
	w.t.Helper()
	w.now.Add(throttled)
	r.IdleMinutes, r.LongestHours = 60, 24
	must(w.t, w.app.SetSignInRules(w.ctx, w.boss, r, password))
}

func (w *world) help(by care.Actor, of care.ID, kind care.HelpKind, reason, password string) error {
	w.now.Add(throttled)
	return w.app.HelpColleague(w.ctx, by, of, app.NewHelp{Kind: kind, Reason: reason}, password)
}

const why = "the phone was lost on a train"

// TestSecondDemanded: from its day on whoever has no second factor can do nothing
// but set one up; whoever has one, and every other practice, notices nothing.
func TestSecondDemanded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		in := w.signIn()
		from := w.now.Load() + 2*throttled
		w.rules(care.SignInRules{SecondFromMillis: from})
		me := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token))
		if me.Must != "" || me.SecondFromMillis != from || !me.Actor.Has(care.Therapist) {
			t.Errorf("before the day: %+v", me)
		}
		w.now.Store(from)
		me = get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token))
		if me.Must != app.MustAddSecond || len(me.Actor.Roles) != 0 {
			t.Errorf("on the day: %+v", me)
		}
		mine := []string{"Account", "EndSignIns", "ChangePassword", "NewSecond", "AddSecond", "RemoveSecond", "SetLanguage", "SignOut", "UseSignIn", "BeginLink", "Unlink", "BeginPasskey", "AddPasskey", "RemovePasskey", "NoteRefusal", "SeeEmergency", "EndEmergency"}
		for _, u := range useCases {
			if slices.Contains(mine, u.method) || !slices.Contains(u.may, neri) {
				continue
			}
			before := w.digest()
			if err := u.run(w, me.Actor); err == nil || w.digest() != before {
				t.Errorf("%s is open: %v", u.method, err)
			}
		}
		must(t, w.store.Health(w.ctx))
		stranger := get[app.SignedIn](t)(w.app.SignIn(w.ctx, app.Credentials{Email: "stranger@example.org", Password: password, Address: "there"}))
		if x := get[app.Me](t)(w.app.Authenticate(w.ctx, stranger.Token)); x.Must != "" {
			t.Errorf("another practice: %+v", x)
		}
		in = w.signIn()
		me = get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token))
		get[[]string](t)(w.app.AddSecond(w.ctx, me.Actor, testSecret, w.code(), password))
		if me = get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)); me.Must != "" || !me.Actor.Has(care.Manager) {
			t.Errorf("with a second factor: %+v", me)
		}
		must(t, w.app.RemoveSecond(w.ctx, me.Actor, password))
		if me = get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)); me.Must != app.MustAddSecond {
			t.Errorf("after it was removed: %+v", me)
		}
	})
}

// TestHelp: a manager ends a colleague's sign-ins or takes their second factor
// away, with a reason that only the two of them and other managers read, and
// never gets a password.
func TestHelp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		w.now.Add(throttled)
		w.mail.accounts = nil // of the second factor
		wait := w.signIn()
		open := get[app.SignedIn](t)(w.app.ConfirmSignIn(w.ctx, wait.Token, w.code()))
		for _, x := range []struct {
			by               care.Actor
			of               care.ID
			reason, password string
			want             string
		}{
			{w.boss, w.neri.Staff, "because", password, "help.reason_short"}, {w.boss, w.neri.Staff, why, "not the password", "account.password_wrong"},
			{w.boss, w.boss.Staff, why, password, "help.own"}, {w.costa, w.neri.Staff, why, password, "error.forbidden"},
			{w.stranger, w.neri.Staff, why, password, "error.not_found"},
		} {
			if err := w.help(x.by, x.of, care.ResetSecond, x.reason, x.password); keyOf(err) != x.want {
				t.Errorf("%s: %v", x.want, err)
			}
			if !w.open(open) { // which also keeps it alive
				t.Fatalf("%s, and a sign-in has ended", x.want)
			}
		}
		if len(w.mail.accounts) != 0 {
			t.Error("somebody is told of what was refused")
		}
		must(t, w.help(w.boss, w.neri.Staff, care.EndedSignIns, why, password))
		if w.open(open) {
			t.Error("the sign-in goes on")
		}
		if in := w.signIn(); !in.Waits {
			t.Error("ending sign-ins took the second factor away")
		}
		must(t, w.help(w.boss, w.neri.Staff, care.ResetSecond, "CANARY "+why, password))
		in := w.signIn()
		if in.Waits || !w.open(in) {
			t.Error("the second factor is still asked for")
		}
		if !slices.Equal(w.mail.accounts, []string{"neri@example.org", "neri@example.org"}) {
			t.Errorf("told: %v", w.mail.accounts)
		}
		a := get[app.Account](t)(w.app.Account(w.ctx, w.neri))
		if len(a.Help) != 2 || a.Help[0].Who != "CANARY-boss" || a.Help[0].Reason != "CANARY "+why || a.Help[0].Kind != care.ResetSecond {
			t.Errorf("the owner reads %+v", a.Help)
		}
		if v := get[app.ColleagueView](t)(w.app.Colleague(w.ctx, w.boss, w.neri.Staff)); v.Second || v.SignIns != 1 || len(v.Help) != 2 {
			t.Errorf("the manager reads %+v", v)
		}
		if rows := strings.Join(w.rows("staff_help"), ""); strings.Contains(rows, "CANARY") {
			t.Error("the reason rests in plain")
		}
		if rows := strings.Join(w.rows("audit"), ""); strings.Count(rows, "help_reset_second") != 1 || strings.Count(rows, "help_ended_sign_ins") != 1 {
			t.Error("the audit lacks it")
		}
	})
}

// TestShortPasswordAlone: whose second factor was taken away and whose password
// is too short without it does nothing before one of the two is mended.
func TestShortPasswordAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const short = "vexing jug"
		get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		w.now.Add(throttled)
		must(t, w.app.ChangePassword(w.ctx, w.neri, password, short))
		must(t, w.help(w.boss, w.neri.Staff, care.ResetSecond, why, password))
		in := get[app.SignedIn](t)(w.app.SignIn(w.ctx, app.Credentials{Email: "neri@example.org", Password: short, Address: "here"}))
		me := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token))
		if me.Must != app.MustLengthen || len(me.Actor.Roles) != 0 {
			t.Fatalf("%+v", me)
		}
		must(t, w.app.ChangePassword(w.ctx, me.Actor, short, password))
		if me = get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)); me.Must != "" || !me.Actor.Has(care.Therapist) {
			t.Errorf("with a longer one: %+v", me)
		}
	})
}

// TestRecover: the operator lets somebody in again who has lost everything.
func TestRecover(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		if _, err := w.app.RecoverAccount(w.ctx, "nobody@example.org", why); care.CodeOf(err) != care.NotFound {
			t.Errorf("nobody: %v", err)
		}
		if _, err := w.app.RecoverAccount(w.ctx, "neri@example.org", "so"); keyOf(err) != "help.reason_short" {
			t.Errorf("without a reason: %v", err)
		}
		l := get[app.Link](t)(w.app.RecoverAccount(w.ctx, " NERI@example.org ", why))
		const next = "seven kettles upon a ridge"
		in := get[app.SignedIn](t)(w.app.Join(w.ctx, l.Token, next, ""))
		me := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token))
		if in.Waits || me.Actor.Staff != w.neri.Staff {
			t.Errorf("%+v", me)
		}
		if _, err := w.app.Authenticate(w.ctx, l.Token); care.CodeOf(err) != care.NotFound {
			t.Errorf("the link is a sign-in: %v", err)
		}
		a := get[app.Account](t)(w.app.Account(w.ctx, me.Actor))
		if len(a.SignIns) != 1 || a.Second || len(a.Help) != 1 || a.Help[0].Kind != care.Recovered || a.Help[0].Who != "" || len(w.mail.accounts) != 2 { // of the second factor, and of this
			t.Errorf("%+v", a)
		}
		late := get[app.Link](t)(w.app.RecoverAccount(w.ctx, "neri@example.org", why))
		w.later(24 * time.Hour)
		if _, err := w.app.Join(w.ctx, late.Token, next, ""); care.CodeOf(err) != care.NotFound {
			t.Errorf("a day later: %v", err)
		}
		all := get[[]app.OperatorLine](t)(w.app.Accounts(w.ctx))
		if len(all) != 5 || all[0].Practice == "" {
			t.Errorf("%+v", all)
		}
	})
}

// TestForgottenPassword: a link goes to the person's own address and to nobody
// else; it sets the password, ends what was open, and asks for the second factor.
func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		w.now.Add(throttled)
		wait := w.signIn()
		open := get[app.SignedIn](t)(w.app.ConfirmSignIn(w.ctx, wait.Token, w.code()))
		must(t, w.help(w.boss, w.neri.Staff, care.SentLink, why, password))
		if !w.open(open) || len(w.mail.passwords) != 1 {
			t.Fatalf("mailed %d links", len(w.mail.passwords))
		}
		const next = "seven kettles upon a ridge"
		in := get[app.SignedIn](t)(w.app.Join(w.ctx, w.mail.passwords[0], next, ""))
		if w.open(in) || !in.Waits || w.open(open) {
			t.Error("the link alone opens the account, or leaves it open elsewhere")
		}
		get[app.SignedIn](t)(w.app.SignIn(w.ctx, app.Credentials{Email: "neri@example.org", Password: next, Address: "there"}))
		w.mail.down = &care.Error{Code: care.Unavailable, Key: "planted"}
		if err := w.help(w.boss, w.neri.Staff, care.SentLink, why, password); keyOf(err) != "help.mail_failed" {
			t.Errorf("without a mail server: %v", err)
		}
	})
}
