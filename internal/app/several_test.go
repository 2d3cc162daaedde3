// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// atOnce asks every server n times at the same moment and counts the answers by
// their key, "" for success.
func (f *fleet) atOnce(n int, ask func(a *app.App, i int) error) map[string]int {
	f.t.Helper()
	var mu sync.Mutex
	out := map[string]int{}
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n * len(f.apps) {
		all.Go(func() {
			<-start
			err := ask(f.apps[i%len(f.apps)], i)
			key := ""
			var e *care.Error
			if errors.As(err, &e) {
				if key = e.Key; key == "" {
					key = string(e.Code)
				}
			} else if err != nil {
				key = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			out[key]++
		})
	}
	close(start)
	all.Wait()
	return out
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, not %v", what, got, want)
	}
}

// newServers is a fleet over a database of this test's own.
func newServers(t *testing.T) *fleet {
	t.Helper()
	return newFleet(t, storetest.Postgres(t), 3)
}

func (f *fleet) signIn(i int) (string, care.Actor) {
	f.t.Helper()
	in := get[app.SignedIn](f.t)(f.apps[i].SignIn(f.ctx, app.Credentials{Email: "n@example.org", Password: password, Address: "a"}))
	return in.Token, get[app.Me](f.t)(f.apps[i].Authenticate(f.ctx, in.Token)).Actor
}

// TestSeveralSetUp: of servers that are set up at the same moment one succeeds.
func TestSeveralSetUp(t *testing.T) {
	t.Parallel()
	f := &fleet{t: t, ctx: t.Context(), vault: vault.Generate()}
	f.start(storetest.Postgres(t), 3)
	got := f.atOnce(1, func(a *app.App, _ int) error {
		return errorOf(a.SetUpPractice(f.ctx, app.SetUp{Code: "code", Practice: "P", Language: "en", TimeZone: "UTC", Name: "N", Email: "n@example.org", Password: password}))
	})
	same(t, "set up", got[""], 1)
	ps := 0
	must(t, f.stores[0].Read(f.ctx, func(tx *store.Tx) error {
		all, err := tx.Practices()
		ps = len(all)
		return err
	}))
	same(t, "practices", ps, 1)
}

// TestSeveralSignIns: who signs in at one server is known to all, and to none once
// it ended at another.
func TestSeveralSignIns(t *testing.T) {
	t.Parallel()
	f := newServers(t)
	token, me := f.signIn(0)
	for i, a := range f.apps {
		same(t, fmt.Sprint("known to ", i), get[app.Me](t)(a.Authenticate(f.ctx, token)).Actor.Staff, me.Staff)
	}
	must(t, f.apps[1].SignOut(f.ctx, me))
	for i, a := range f.apps {
		_, err := a.Authenticate(f.ctx, token)
		same(t, fmt.Sprint("signed out at ", i), care.CodeOf(err), care.NotFound)
	}
	// Tries are counted together: ten of an account from an address, wherever.
	f.now.Add(throttled)
	got := f.atOnce(8, func(a *app.App, _ int) error {
		return errorOf(a.SignIn(f.ctx, app.Credentials{Email: "guessed@example.org", Password: "wrong", Address: "b"}))
	})
	same(t, "guesses that were looked at", got["signin.wrong"], 10)
	same(t, "guesses refused", got["error.throttled"], 14)
}

// TestSeveralOnce: what may be used once is used once, whichever servers are asked
// at the same moment.
func TestSeveralOnce(t *testing.T) {
	t.Parallel()
	f := newServers(t)
	link := get[app.Link](t)(f.apps[0].AddStaff(f.ctx, f.neri, app.NewColleague{Name: "C", Email: "c@example.org", Language: "en", Roles: []care.Role{care.Therapist}}))
	same(t, "joined", f.atOnce(2, func(a *app.App, _ int) error { return errorOf(a.Join(f.ctx, link.Token, password, "")) })[""], 1)

	codes := get[[]string](t)(f.apps[1].AddSecond(f.ctx, f.neri, testSecret, get[string](t)(totp.GenerateCode(testSecret, time.UnixMilli(f.now.Load()))), password))
	f.now.Add(60_000)
	next := get[string](t)(totp.GenerateCode(testSecret, time.UnixMilli(f.now.Load())))
	for what, code := range map[string]string{"a code of the app": next, "a code for a lost device": codes[0]} {
		waiting := make([]string, 6)
		for i := range waiting {
			in := get[app.SignedIn](t)(f.apps[i%3].SignIn(f.ctx, app.Credentials{Email: "n@example.org", Password: password, Address: what}))
			if !in.Waits {
				t.Fatal("no code is asked for")
			}
			waiting[i] = in.Token
		}
		got := f.atOnce(2, func(a *app.App, i int) error { return errorOf(a.ConfirmSignIn(f.ctx, waiting[i], code)) })
		same(t, what+" let in", got[""], 1)
		same(t, what+" refused", got["signin.code_wrong"], 5)
	}
}

// TestSeveralPIN: wrong PINs are counted together, and the right one opens nothing
// after the last.
func TestSeveralPIN(t *testing.T) {
	t.Parallel()
	f := newServers(t)
	token, me := f.signIn(0)
	session := get[care.ID](t)(f.apps[0].StartSession(f.ctx, me, f.episode.ID))
	must(t, errorOf(f.apps[1].StartKiosk(f.ctx, me, session, "4711")))
	got := f.atOnce(5, func(a *app.App, i int) error { return a.LeaveKiosk(f.ctx, token, fmt.Sprintf("%04d", i)) })
	same(t, "counted", got["kiosk.pin_wrong"], 4)
	same(t, "taken for a way in", got[""], 0)
	_, err := f.apps[2].Authenticate(f.ctx, token)
	same(t, "afterwards", care.CodeOf(err), care.NotFound)
}

// TestSeveralSubmissions: the same submission through all servers at once counts
// once, with one receipt; a link that ended at one is ended at all.
func TestSeveralSubmissions(t *testing.T) {
	t.Parallel()
	f := newServers(t)
	session := get[care.ID](t)(f.apps[0].StartSession(f.ctx, f.neri, f.episode.ID))
	form := get[app.FormView](t)(f.apps[1].OwnForm(f.ctx, f.neri, session, instrument.Alliance))
	in := filled(form, session, .5, 0)
	var mu sync.Mutex
	receipts := map[care.ID]int{}
	same(t, "acknowledged", f.atOnce(8, func(a *app.App, _ int) error {
		r, err := a.RecordRating(f.ctx, f.neri, in)
		mu.Lock()
		receipts[r.ID]++
		mu.Unlock()
		return err
	})[""], 24)
	same(t, "receipts", len(receipts), 1)
	old := get[app.Link](t)(f.apps[0].Invite(f.ctx, f.neri, session))
	get[app.Link](t)(f.apps[1].Invite(f.ctx, f.neri, session))
	_, err := f.apps[2].OpenInvitation(f.ctx, old.Token)
	same(t, "the older link", care.CodeOf(err), care.NotFound)
}

// TestSeveralPulse: what is written at one server changes the pulse at the others,
// also when the writer's clock is far behind, and when a transaction that began
// earlier is committed later.
func TestSeveralPulse(t *testing.T) {
	t.Parallel()
	f := newServers(t)
	pulse := func(i int) int64 { return get[int64](t)(f.apps[i].Pulse(f.ctx, f.neri)) }
	f.skew[0] = -3_600_000
	before := pulse(2)
	same(t, "nothing new", pulse(1), before)
	for i := range f.apps {
		get[care.ID](t)(f.apps[i].AddClient(f.ctx, f.neri, app.NewClient{Label: "D", AgeBand: care.Adult, Language: "en"}))
		now := pulse((i + 1) % 3)
		if now <= before {
			t.Errorf("what server %d wrote does not show: %d after %d", i, now, before)
		}
		before = now
	}
	line := func(id string) care.AuditEntry {
		return care.AuditEntry{ID: care.ID(id), Practice: f.neri.Practice, Changes: true}
	}
	noted, late := make(chan struct{}), make(chan error)
	other := make(chan struct{})
	go func() {
		late <- f.stores[0].Write(f.ctx, func(tx *store.Tx) error {
			if err := tx.Audit(line("00000000-0000-7000-8000-000000000001")); err != nil {
				return err
			}
			select {
			case noted <- struct{}{}:
				<-other
			case <-other: // it runs again
			}
			return nil
		})
	}()
	<-noted
	must(t, f.stores[1].Write(f.ctx, func(tx *store.Tx) error { return tx.Audit(line("ffffffff-0000-7000-8000-000000000002")) }))
	between := pulse(2)
	close(other)
	must(t, <-late)
	if now := pulse(2); between <= before || now <= between {
		t.Errorf("the pulse was %d, %d after the later transaction, %d after the earlier", before, between, now)
	}
}

// TestSeveralStorm: three servers write at once; every chain of the audit holds.
func TestSeveralStorm(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	f := newFleet(t, dsn, 3)
	g, wait := f.blow(f.sessions(400))
	wait()
	f.settled(g, behind(t, dsn))
	same(t, "refused", g.refused, 0)
	for i, n := range g.hits {
		if n == 0 {
			t.Errorf("server %d took nothing", i)
		}
	}
}
