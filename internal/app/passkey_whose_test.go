// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/passkey/passkeytest"
)

// TestPasskeyOfAnotherPractice: it opens its own practice only, whoever it says it
// is, and nobody of another practice can remove it or make it theirs.
func TestPasskeyOfAnotherPractice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.now.Add(throttled)
		in := get[app.SignedIn](t)(w.app.SignIn(w.ctx, app.Credentials{Email: "stranger@example.org", Password: password, Address: "there"}))
		stranger := get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)).Actor
		far := get2(t)(w.addPasskey(stranger))
		near := get2(t)(w.addPasskey(w.neri))
		me := get[app.Me](t)(w.app.Authenticate(w.ctx, get[app.SignedIn](t)(w.showPasskey(far, nil)).Token))
		if me.Actor.Practice != w.stranger.Practice || me.Actor.Staff != w.stranger.Staff {
			t.Errorf("it opens %+v", me.Actor)
		}
		whose := far.Handle
		far.Handle = near.Handle
		if _, err := w.showPasskey(far, nil); care.CodeOf(err) != care.Invalid {
			t.Errorf("saying that it is somebody else's: %v", err)
		}
		far.Handle = whose
		keys := get[app.Account](t)(w.app.Account(w.ctx, stranger)).Passkeys
		w.now.Add(throttled)
		if err := w.app.RemovePasskey(w.ctx, w.neri, keys[0].ID, password); care.CodeOf(err) != care.NotFound {
			t.Errorf("removed by another practice: %v", err)
		}
		w.now.Add(throttled)
		asked := get[app.PasskeyAsked](t)(w.app.BeginPasskey(w.ctx, w.neri, here, password))
		twin := passkeytest.New(here.Origin, here.Host)
		twin.ID = far.ID
		answer := get[[]byte](t)(twin.Make(asked.Options))
		if err := w.app.AddPasskey(w.ctx, w.neri, here, "", asked.Browser, answer); keyOf(err) != "passkey.taken" {
			t.Errorf("the same one, in two practices: %v", err)
		}
		get[app.SignedIn](t)(w.showPasskey(far, nil))
	})
}

func get2(t *testing.T) func(*passkeytest.Device, error) *passkeytest.Device {
	return get[*passkeytest.Device](t)
}

// TestPasskeyRemovedByItsOwner: it opens nothing any more, another one still does,
// a wrong password removes nothing, and the owner is told.
func TestPasskeyRemovedByItsOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		first, second := get2(t)(w.addPasskey(w.costa)), get2(t)(w.addPasskey(w.costa))
		keys := get[app.Account](t)(w.app.Account(w.ctx, w.costa)).Passkeys
		w.now.Add(throttled)
		if err := w.app.RemovePasskey(w.ctx, w.costa, keys[0].ID, "not the password"); keyOf(err) != "account.password_wrong" {
			t.Errorf("by a wrong password: %v", err)
		}
		get[app.SignedIn](t)(w.showPasskey(first, nil))
		told := len(w.mail.accounts)
		must(t, w.app.RemovePasskey(w.ctx, w.costa, keys[0].ID, password))
		if len(w.mail.accounts) != told+1 || w.mail.accounts[told] != "costa@example.org" {
			t.Errorf("told: %v", w.mail.accounts)
		}
		if _, err := w.showPasskey(first, nil); care.CodeOf(err) != care.Invalid {
			t.Errorf("it opens: %v", err)
		}
		get[app.SignedIn](t)(w.showPasskey(second, nil))
		w.now.Add(throttled)
		if err := w.app.RemovePasskey(w.ctx, w.costa, keys[0].ID, password); care.CodeOf(err) != care.NotFound {
			t.Errorf("removed twice: %v", err)
		}
	})
}

// TestSeveralPasskeys: a question that one server has put is answered at another,
// counts once among all, and a passkey that was added there is known here.
func TestSeveralPasskeys(t *testing.T) {
	t.Parallel()
	f := newServers(t)
	_, me := f.signIn(0)
	f.now.Add(throttled)
	asked := get[app.PasskeyAsked](t)(f.apps[0].BeginPasskey(f.ctx, me, here, password))
	d := passkeytest.New(here.Origin, here.Host)
	must(t, f.apps[1].AddPasskey(f.ctx, me, here, "K", asked.Browser, get[[]byte](t)(d.Make(asked.Options))))
	show := get[app.PasskeyAsked](t)(f.apps[1].BeginPasskeySignIn(f.ctx, here, "a"))
	answer := get[[]byte](t)(d.Show(show.Options))
	got := f.atOnce(2, func(a *app.App, _ int) error {
		return errorOf(a.PasskeySignIn(f.ctx, here, show.Browser, answer, "Mac"))
	})
	same(t, "answered, of six at once", got[""], 1)
	same(t, "refused", got["passkey.again"]+got["passkey.refused"], 5)
	f.now.Add(throttled)
	keys := get[app.Account](t)(f.apps[2].Account(f.ctx, me)).Passkeys
	must(t, f.apps[2].RemovePasskey(f.ctx, me, keys[0].ID, password))
	show = get[app.PasskeyAsked](t)(f.apps[0].BeginPasskeySignIn(f.ctx, here, "a"))
	_, err := f.apps[0].PasskeySignIn(f.ctx, here, show.Browser, get[[]byte](t)(d.Show(show.Options)), "Mac")
	same(t, "removed elsewhere", care.CodeOf(err), care.Invalid)
}
