// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/passkey"
	"github.com/entente-project/entente/internal/passkey/passkeytest"
	"github.com/entente-project/entente/internal/store"
)

var here = passkey.Site{Host: "entente.example.org", Origin: "https://entente.example.org", Name: "Entente"}

// addPasskey has a new device make a passkey for a.
func (w *world) addPasskey(a care.Actor) (*passkeytest.Device, error) {
	w.now.Add(throttled)
	asked, err := w.app.BeginPasskey(w.ctx, a, here, password)
	if err != nil {
		return nil, err
	}
	d := passkeytest.New(here.Origin, here.Host)
	answer, err := d.Make(asked.Options)
	must(w.t, err)
	return d, w.app.AddPasskey(w.ctx, a, here, "CANARY-passkey", asked.Browser, answer)
}

// question is what a browser was asked, and the secret it keeps.
type question struct{ challenge, browser auth.Token }

// answerPasskey answers the question that passkeyEach has put to a.
func (w *world) answerPasskey(a care.Actor) error {
	q, ok := w.questions[a.Staff]
	if !ok {
		q = question{auth.NewToken(), auth.NewToken()}
	}
	options := get[[]byte](w.t)(here.Add(passkey.Person{ID: string(a.Staff) + ".", Name: "n", Display: "d"}, nil, q.challenge.Text()))
	d := passkeytest.New(here.Origin, here.Host)
	return w.app.AddPasskey(w.ctx, a, here, "CANARY-passkey", q.browser.Text(), get[[]byte](w.t)(d.Make(string(options))))
}

// passkeyEach gives each member of staff a passkey to be removed, and asks them
// for another.
func (w *world) passkeyEach() {
	w.questions = map[care.ID]question{}
	for _, a := range []care.Actor{w.neri, w.costa, w.longo, w.boss, w.stranger} {
		q := question{auth.NewToken(), auth.NewToken()}
		w.questions[a.Staff] = q
		challenge, browser := q.challenge.Hash("passkey_challenge"), q.browser.Hash("passkey_browser")
		must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error {
			return tx.AddFlow(care.Flow{StateHash: challenge[:], BrowserHash: browser[:], Provider: "passkey", Practice: a.Practice, Staff: a.Staff, SignIn: a.SignIn, ExpiresMillis: 1 << 50}, w.now.Load())
		}))
		must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error {
			_, err := tx.AddPasskey(care.Passkey{ID: "key-" + a.Staff, Practice: a.Practice, Staff: a.Staff, TokenHash: []byte(a.Staff), Name: "CANARY-key", Credential: []byte("{}"), CreatedMillis: 1})
			return err
		}))
	}
}

func (w *world) showPasskey(d *passkeytest.Device, change func(asked *app.PasskeyAsked)) (app.SignedIn, error) {
	asked := get[app.PasskeyAsked](w.t)(w.app.BeginPasskeySignIn(w.ctx, here, "here"))
	answer := get[[]byte](w.t)(d.Show(asked.Options))
	if change != nil {
		change(&asked)
	}
	return w.app.PasskeySignIn(w.ctx, here, asked.Browser, answer, "Mac")
}

// TestPasskeys: a passkey lets its owner in as by two factors, each question once
// and in the browser that was asked; a manager and its owner can take it away.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		d, err := w.addPasskey(w.costa)
		must(t, err)
		in := get[app.SignedIn](t)(w.showPasskey(d, nil))
		me := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token))
		if in.Waits || me.Actor.Staff != w.costa.Staff {
			t.Fatalf("let in: %+v, %+v", in, me)
		}
		account := get[app.Account](t)(w.app.Account(w.ctx, w.costa))
		if len(account.Passkeys) != 1 || account.Passkeys[0].Name != "CANARY-passkey" || account.Passkeys[0].UsedMillis == 0 {
			t.Errorf("%+v", account.Passkeys)
		}
		if rows := strings.Join(w.rows("staff_passkey"), "") + strings.Join(w.rows("provider_flow"), ""); strings.Contains(rows, "CANARY") || strings.Contains(rows, string(d.ID)) {
			t.Error("the database tells passkeys apart")
		}
		// Where two factors are demanded it is enough, and the password alone is not.
		must(t, w.app.SetSignInRules(w.ctx, w.neri, care.SignInRules{IdleMinutes: 60, LongestHours: 12, SecondFromMillis: w.now.Load()}, password))
		if me := get[app.Me](t)(w.app.Authenticate(w.ctx, get[app.SignedIn](t)(w.showPasskey(d, nil)).Token)); me.Must != "" {
			t.Errorf("a passkey has to do %q first", me.Must)
		}

		w.passwordIsNotEnough()

		w.refusePasskey(d)
		// The counter goes back.
		d.Counter = 9
		get[app.SignedIn](t)(w.showPasskey(d, nil))
		d.Counter = 3
		if _, err := w.showPasskey(d, nil); care.CodeOf(err) != care.Invalid {
			t.Errorf("a counter that went back: %v", err)
		}
		d.Counter = 20
		if err := w.app.RemovePasskey(w.ctx, w.neri, account.Passkeys[0].ID, password); care.CodeOf(err) != care.NotFound {
			t.Errorf("a colleague's passkey removed: %v", err)
		}
		w.now.Add(throttled)
		must(t, w.app.HelpColleague(w.ctx, w.neri, w.costa.Staff, app.NewHelp{Kind: care.ResetSecond, Reason: "the phone was lost"}, password))
		if _, err := w.showPasskey(d, nil); care.CodeOf(err) != care.Invalid {
			t.Errorf("shown after a manager took it away: %v", err)
		}
	})
}

// refusePasskey tries what must not let anybody in, and that all are told alike.
func (w *world) refusePasskey(d *passkeytest.Device) {
	w.t.Helper()
	other := passkeytest.New(here.Origin, here.Host)
	asked := get[app.PasskeyAsked](w.t)(w.app.BeginPasskeySignIn(w.ctx, here, "here"))
	get[[]byte](w.t)(other.Make(strings.Replace(asked.Options, `"publicKey":{`, `"publicKey":{"user":{"id":"YQ"},`, 1)))
	for name, try := range map[string]func() error{
		"a passkey of nobody's": func() error { return errorOf(w.showPasskey(other, nil)) },
		"another browser": func() error {
			elsewhere := get[app.PasskeyAsked](w.t)(w.app.BeginPasskeySignIn(w.ctx, here, "there"))
			return errorOf(w.showPasskey(d, func(asked *app.PasskeyAsked) { asked.Browser = elsewhere.Browser }))
		},
		"no browser": func() error { return errorOf(w.showPasskey(d, func(asked *app.PasskeyAsked) { asked.Browser = "" })) },
		"too late": func() error {
			return errorOf(w.showPasskey(d, func(*app.PasskeyAsked) { w.now.Add(int64(5 * time.Minute / time.Millisecond)) }))
		},
		"a second time": func() error {
			asked := get[app.PasskeyAsked](w.t)(w.app.BeginPasskeySignIn(w.ctx, here, "here"))
			answer := get[[]byte](w.t)(d.Show(asked.Options))
			get[app.SignedIn](w.t)(w.app.PasskeySignIn(w.ctx, here, asked.Browser, answer, "Mac"))
			return errorOf(w.app.PasskeySignIn(w.ctx, here, asked.Browser, answer, "Mac"))
		},
		"a question that was for adding": func() error {
			w.now.Add(throttled)
			asked := get[app.PasskeyAsked](w.t)(w.app.BeginPasskey(w.ctx, w.costa, here, password))
			return errorOf(w.app.PasskeySignIn(w.ctx, here, asked.Browser, get[[]byte](w.t)(d.Show(asked.Options)), "Mac"))
		},
		"another site": func() error {
			asked := get[app.PasskeyAsked](w.t)(w.app.BeginPasskeySignIn(w.ctx, here, "here"))
			far := here
			far.Host, far.Origin = "example.com", "https://example.com"
			return errorOf(w.app.PasskeySignIn(w.ctx, far, asked.Browser, get[[]byte](w.t)(d.Show(asked.Options)), "Mac"))
		},
		"nothing": func() error { return errorOf(w.app.PasskeySignIn(w.ctx, here, "", nil, "Mac")) },
		"added by somebody else": func() error {
			w.now.Add(throttled)
			asked := get[app.PasskeyAsked](w.t)(w.app.BeginPasskey(w.ctx, w.costa, here, password))
			return w.app.AddPasskey(w.ctx, w.longo, here, "", asked.Browser, get[[]byte](w.t)(passkeytest.New(here.Origin, here.Host).Make(asked.Options)))
		},
		"added by a question for showing": func() error {
			asked := get[app.PasskeyAsked](w.t)(w.app.BeginPasskeySignIn(w.ctx, here, "here"))
			return w.app.AddPasskey(w.ctx, w.costa, here, "", asked.Browser, get[[]byte](w.t)(passkeytest.New(here.Origin, here.Host).Make(asked.Options)))
		},
	} {
		if err := try(); care.CodeOf(err) != care.Invalid {
			w.t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(get[app.Account](w.t)(w.app.Account(w.ctx, w.longo)).Passkeys); n != 0 {
		w.t.Errorf("longo has %d passkeys", n)
	}
}

// passwordIsNotEnough: where two factors are demanded, whoever knows only the
// password of an account with a passkey opens nothing, and adds nothing that would.
func (w *world) passwordIsNotEnough() {
	w.t.Helper()
	thief := func() app.Me {
		w.now.Add(throttled)
		in := get[app.SignedIn](w.t)(w.app.SignIn(w.ctx, app.Credentials{Email: "costa@example.org", Password: password, Address: "thief"}))
		w.now.Add(throttled)
		me := get[app.Me](w.t)(w.app.Authenticate(w.ctx, in.Token))
		if me.Must != app.MustShowPasskey || len(me.Actor.Roles) > 0 {
			w.t.Fatalf("by the password alone: %+v", me)
		}
		return me
	}
	keys := get[app.Account](w.t)(w.app.Account(w.ctx, thief().Actor)).Passkeys
	for name, try := range map[string]func(care.Actor) error{
		"add a passkey": func(a care.Actor) error {
			return errorOf(w.app.BeginPasskey(w.ctx, a, here, password))
		},
		"remove it":        func(a care.Actor) error { return w.app.RemovePasskey(w.ctx, a, keys[0].ID, password) },
		"add codes":        func(a care.Actor) error { return errorOf(w.app.AddSecond(w.ctx, a, testSecret, w.code(), password)) },
		"remove codes":     func(a care.Actor) error { return w.app.RemoveSecond(w.ctx, a, password) },
		"link a provider":  func(a care.Actor) error { return errorOf(w.app.BeginLink(w.ctx, a, "far", redirect, password)) },
		"another password": func(a care.Actor) error { return w.app.ChangePassword(w.ctx, a, password, password) },
	} {
		if err := try(thief().Actor); care.CodeOf(err) != care.Invalid {
			w.t.Errorf("%s: %v", name, err)
		}
	}
	thief()
	if v := get[app.ColleagueView](w.t)(w.app.Colleague(w.ctx, w.neri, w.costa.Staff)); !v.Second {
		w.t.Error("a manager is told that there is no second factor")
	}
}
