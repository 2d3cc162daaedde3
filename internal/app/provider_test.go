// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

// farAway is a provider that believes whoever comes with the code it expects.
type farAway struct {
	id    string
	who   app.ProviderIdentity
	err   error
	begun app.ProviderBegun // the last attempt
}

func (f *farAway) ID() string   { return f.id }
func (f *farAway) Name() string { return "Far" }

func (f *farAway) Address(_ context.Context, b app.ProviderBegun) (string, error) {
	f.begun = b
	return "https://far.example.org/?state=" + b.State, f.err
}

func (f *farAway) Identify(_ context.Context, b app.ProviderBegun, code, _ string) (app.ProviderIdentity, error) {
	if f.err != nil {
		return app.ProviderIdentity{}, f.err
	}
	if b != f.begun || code != "code" {
		return app.ProviderIdentity{}, care.Bad("", "with.refused")
	}
	return f.who, nil
}

const redirect = "https://entente.example.org/signin/with/far/back"

var neriAtFar = app.ProviderIdentity{Issuer: "https://far.example.org", Subject: "CANARY-248289761001", Email: "Neri@example.org"}

// back is what a browser brings back from an attempt.
func (w *world) back(sent app.ProviderSent) app.ProviderBack {
	return app.ProviderBack{Provider: "far", Redirect: redirect, State: w.far.begun.State, Code: "code", Browser: sent.Browser}
}

func (w *world) begin() app.ProviderSent {
	return get[app.ProviderSent](w.t)(w.app.BeginProvider(w.ctx, "far", redirect, "here"))
}

// link links neri's account to what the provider says.
func (w *world) link(who app.ProviderIdentity) error {
	w.now.Add(throttled)
	w.far.who = who
	sent := get[app.ProviderSent](w.t)(w.app.BeginLink(w.ctx, w.neri, "far", redirect, password))
	_, err := w.app.FinishProvider(w.ctx, w.neri, w.back(sent))
	return err
}

func (w *world) by(sent app.ProviderSent) (app.ProviderDone, error) {
	return w.app.FinishProvider(w.ctx, care.Actor{}, w.back(sent))
}

// linkEach gives each member of staff a link to be removed.
func (w *world) linkEach() {
	for _, a := range []care.Actor{w.neri, w.costa, w.longo, w.boss, w.stranger} {
		must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error {
			_, err := tx.AddIdentity(care.Identity{ID: "link-" + a.Staff, Practice: a.Practice, Staff: a.Staff, TokenHash: []byte(a.Staff), Provider: "far", Email: "CANARY@example.org", LinkedMillis: 1})
			return err
		}))
	}
}

// TestProvider: only what its owner has linked, with the account's own and
// vouched address, opens an account; it makes none, and counts as one factor.
func TestProvider(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.far.who = neriAtFar
		staff := len(w.rows("staff"))
		if _, err := w.by(w.begin()); keyOf(err) != "with.unknown" {
			t.Errorf("the right address alone: %v", err)
		}
		for email, want := range map[string]string{"": "with.email", "costa@example.org": "with.email"} {
			who := neriAtFar
			who.Email = email
			if err := w.link(who); keyOf(err) != want {
				t.Errorf("linking as %q: %v", email, err)
			}
		}
		must(t, w.link(neriAtFar))
		if err := w.link(neriAtFar); keyOf(err) != "with.taken" {
			t.Errorf("linked twice: %v", err)
		}
		done := get[app.ProviderDone](t)(w.by(w.begin()))
		if me := get[app.Me](t)(w.app.Authenticate(w.ctx, done.SignedIn.Token)); me.Actor.Staff != w.neri.Staff || done.Linked {
			t.Errorf("%+v", me)
		}
		for what, change := range map[string]func(*app.ProviderIdentity){
			"another subject": func(i *app.ProviderIdentity) { i.Subject += "1" }, "another issuer": func(i *app.ProviderIdentity) { i.Issuer += "/" },
			"the border moved": func(i *app.ProviderIdentity) { i.Issuer, i.Subject = i.Issuer+i.Subject[:1], i.Subject[1:] },
			"another address":  func(i *app.ProviderIdentity) { i.Email = "costa@example.org" }, "no address": func(i *app.ProviderIdentity) { i.Email = "" },
		} {
			w.far.who = neriAtFar
			change(&w.far.who)
			if done, err := w.by(w.begin()); care.CodeOf(err) != care.Invalid || done.SignedIn.Token != "" {
				t.Errorf("%s: %+v, %v", what, done, err)
			}
		}
		w.far.who = neriAtFar
		get[[]string](t)(w.app.AddSecond(w.ctx, w.neri, testSecret, w.code(), password))
		if done := get[app.ProviderDone](t)(w.by(w.begin())); !done.SignedIn.Waits {
			t.Error("the second factor is not asked for")
		}
		w.far.who.Second = true
		if done := get[app.ProviderDone](t)(w.by(w.begin())); done.SignedIn.Waits {
			t.Error("two factors at the provider do not count")
		}
		if len(w.rows("staff")) != staff {
			t.Error("an account was made")
		}
		if rows := strings.Join(slices.Concat(w.rows("staff_identity"), w.rows("provider_flow")), ""); strings.Contains(rows, "CANARY") || strings.Contains(rows, "@example.org") {
			t.Errorf("who they are there rests in plain: %s", rows)
		}
	})
}

// TestProviderAttempts: an attempt counts once, for ten minutes, in the browser
// and at the provider it was begun with, and for the sign-in that began it.
func TestProviderAttempts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.link(neriAtFar))
		sent := w.begin()
		in := w.back(sent)
		get[app.ProviderDone](t)(w.by(sent))
		for what, do := range map[string]func() app.ProviderBack{
			"replayed":            func() app.ProviderBack { return in },
			"in another browser":  func() app.ProviderBack { w.begin(); x := w.back(w.begin()); x.Browser = sent.Browser; return x },
			"without a browser":   func() app.ProviderBack { x := w.back(w.begin()); x.Browser = ""; return x },
			"at another provider": func() app.ProviderBack { x := w.back(w.begin()); x.Provider = "other"; return x },
			"too late":            func() app.ProviderBack { x := w.back(w.begin()); w.later(10 * time.Minute); return x },
			"with another state":  func() app.ProviderBack { x := w.back(w.begin()); x.State = sent.Browser; return x },
		} {
			if done, err := w.app.FinishProvider(w.ctx, care.Actor{}, do()); keyOf(err) != "with.again" || done.SignedIn.Token != "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		denied := w.back(w.begin())
		denied.Failure, denied.Code = "access_denied", ""
		if _, err := w.app.FinishProvider(w.ctx, care.Actor{}, denied); keyOf(err) != "with.refused" {
			t.Errorf("denied there: %v", err)
		}
		wrong := w.back(w.begin())
		wrong.Code = "another code"
		if _, err := w.app.FinishProvider(w.ctx, care.Actor{}, wrong); keyOf(err) != "with.refused" {
			t.Errorf("a code put in: %v", err)
		}
		w.now.Add(throttled)
		link := get[app.ProviderSent](t)(w.app.BeginLink(w.ctx, w.neri, "far", redirect, password))
		for _, other := range []care.Actor{{}, w.costa, {Practice: w.neri.Practice, Staff: w.neri.Staff, SignIn: "another"}} {
			if _, err := w.app.FinishProvider(w.ctx, other, w.back(link)); keyOf(err) != "with.again" {
				t.Errorf("%+v finishes it: %v", other, err)
			}
		}
		if _, err := w.app.BeginProvider(w.ctx, "nowhere", redirect, "here"); care.CodeOf(err) != care.NotFound {
			t.Errorf("a provider nobody set up: %v", err)
		}
		w.far.err = &care.Error{Code: care.Unavailable, Key: "with.away"}
		if _, err := w.app.BeginProvider(w.ctx, "far", redirect, "here"); keyOf(err) != "with.away" {
			t.Errorf("away: %v", err)
		}
		if in := w.signIn(); !w.open(in) {
			t.Error("the password is no way in then")
		}
		w.far.err = nil
		over := 0
		for range 80 {
			if _, err := w.app.BeginProvider(w.ctx, "far", redirect, "flood"); keyOf(err) == "error.throttled" {
				over++
			}
		}
		if over != 20 {
			t.Errorf("%d of 80 tries from one address were refused", over)
		}
		w.later(time.Hour)
		w.begin()
		if n := len(w.rows("provider_flow")); n != 1 {
			t.Errorf("%d attempts are kept that are over", n-1)
		}
	})
}

// TestUnlink: each removes their own links only; recovering removes all.
func TestUnlink(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.link(neriAtFar))
		if w.mail.accounts[0] != "neri@example.org" {
			t.Errorf("told: %v", w.mail.accounts)
		}
		id := get[app.Account](t)(w.app.Account(w.ctx, w.neri)).Linked[0].ID
		w.now.Add(throttled)
		if err := w.app.Unlink(w.ctx, w.costa, id, password); care.CodeOf(err) != care.NotFound {
			t.Errorf("a colleague removes it: %v", err)
		}
		if err := w.app.Unlink(w.ctx, w.neri, id, "not the password at all"); care.CodeOf(err) != care.Invalid {
			t.Errorf("without the password: %v", err)
		}
		must(t, w.app.Unlink(w.ctx, w.neri, id, password))
		if _, err := w.by(w.begin()); keyOf(err) != "with.unknown" {
			t.Errorf("it still opens: %v", err)
		}
		must(t, w.link(neriAtFar))
		get[app.Link](t)(w.app.RecoverAccount(w.ctx, "neri@example.org", why))
		if _, err := w.by(w.begin()); keyOf(err) != "with.unknown" {
			t.Errorf("after recovering it still opens: %v", err)
		}
	})
}

// TestProviderFaults breaks each statement of coming back: nothing but the attempt
// itself is gone then, and the error asks to try again later.
func TestProviderFaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.link(neriAtFar))
		for n := int64(1); ; n++ {
			w.now.Add(throttled)
			sent := w.begin()
			before := w.digest("provider_flow")
			w.left.Store(n)
			w.fail.Store(1)
			done, err := w.by(sent)
			w.fail.Store(0)
			if err == nil {
				if n < 8 || !w.open(done.SignedIn) {
					t.Errorf("done after %d statements", n-1)
				}
				return
			}
			if care.CodeOf(err) != care.Unavailable || w.digest("provider_flow") != before {
				t.Fatalf("statement %d broken: %v", n, err)
			}
		}
	})
}

// TestSeveralProvider: an attempt that began at one server ends at any other, and
// once, however many are asked at the same moment.
func TestSeveralProvider(t *testing.T) {
	t.Parallel()
	f := newServers(t)
	f.far.id, f.far.who = "far", app.ProviderIdentity{Issuer: "https://far.example.org", Subject: "1", Email: "n@example.org"}
	back := func(sent app.ProviderSent) app.ProviderBack {
		return app.ProviderBack{Provider: "far", Redirect: redirect, State: f.far.begun.State, Code: "code", Browser: sent.Browser}
	}
	_, me := f.signIn(0)
	link := back(get[app.ProviderSent](t)(f.apps[0].BeginLink(f.ctx, me, "far", redirect, password)))
	got := f.atOnce(3, func(a *app.App, _ int) error { return errorOf(a.FinishProvider(f.ctx, me, link)) })
	same(t, "linked", got[""], 1)
	same(t, "linked again", got["with.again"], 8)
	in := back(get[app.ProviderSent](t)(f.apps[1].BeginProvider(f.ctx, "far", redirect, "here")))
	got = f.atOnce(17, func(a *app.App, _ int) error { return errorOf(a.FinishProvider(f.ctx, care.Actor{}, in)) })
	same(t, "let in", got[""], 1)
	same(t, "refused", got["with.again"], 50)
}
