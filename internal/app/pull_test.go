// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

const minute = 60_000

// watched is the world's app, telling managers of ten clients in an hour.
func (w *world) watched() *app.App {
	return app.New(w.store, app.Config{Now: func() time.Time { return time.UnixMilli(w.now.Load()) }, Mail: w.mail, PullClients: app.LeastPull})
}

// caseload adds n clients of an actor's.
func (w *world) caseload(by care.Actor, n int) (out []care.ID) {
	for i := range n {
		out = append(out, get[care.ID](w.t)(w.app.AddClient(w.ctx, by, app.NewClient{Label: fmt.Sprintf("CANARY-%d", i), AgeBand: care.Adult, Language: "en"})))
	}
	return out
}

func (w *world) told(a *app.App, who care.Actor) []app.PullNotice {
	return get[app.Today](w.t)(a.Today(w.ctx, who)).Pulls
}

// TestPull: the tenth client that somebody opens in an hour tells the managers,
// once; opening one of them often, or many in a day, tells nobody.
func TestPull(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, clients := w.watched(), w.caseload(w.costa, 12)
		open := func(id care.ID) { t.Helper(); must(t, errorOf(a.ClientPage(w.ctx, w.costa, id, ""))) }
		for range 3 { // a day at work: each client twelve minutes after the one before, opened thrice
			for _, id := range clients {
				open(id)
				must(t, errorOf(a.Client(w.ctx, w.costa, id)))
				must(t, errorOf(a.Access(w.ctx, w.costa, id)))
				w.now.Add(12 * minute)
			}
		}
		if len(w.mail.notices) != 0 || len(w.rows("pull")) != 0 {
			t.Fatalf("a day at work raised an alarm: %v", w.mail.notices)
		}
		w.now.Add(61 * minute)
		for i, id := range clients {
			open(id)
			if got := len(w.mail.notices) > 0; got != (i >= app.LeastPull-1) {
				t.Errorf("after %d clients: told is %v", i+1, got)
			}
		}
		slices.Sort(w.mail.notices)
		if !slices.Equal(w.mail.notices, []string{"boss@example.org", "neri@example.org"}) {
			t.Errorf("mailed to %v", w.mail.notices)
		}
		w.pullSeen(a)
		if lines := strings.Join(w.rows("audit"), "\n"); strings.Count(lines, "|many_opened|") != 1 || strings.Count(lines, "|see_many_opened|") != 1 {
			t.Error("the audit does not hold one notice that was seen once")
		}
		w.now.Add(61 * minute)
		for _, id := range clients {
			open(id)
		}
		if n := len(w.rows("pull")); n != 2 {
			t.Errorf("%d notices after another such hour", n)
		}
	})
}

// pullSeen looks at the notice as everybody.
func (w *world) pullSeen(a *app.App) {
	t := w.t
	t.Helper()
	for name, who := range map[string]care.Actor{"costa": w.costa, "longo": w.longo, "stranger": w.stranger} {
		if n := w.told(a, who); len(n) != 0 {
			t.Errorf("%s is told: %v", name, n)
		}
	}
	n := w.told(a, w.neri)
	if len(n) != 1 || n[0].By != "CANARY-costa" || n[0].Clients != app.LeastPull {
		t.Fatalf("told %+v", n)
	}
	must(t, a.SeePull(w.ctx, w.neri, n[0].ID))
	if code := care.CodeOf(a.SeePull(w.ctx, w.neri, n[0].ID)); code != care.NotFound {
		t.Errorf("seen twice: %v", code)
	}
	if len(w.told(a, w.neri)) != 0 || len(w.told(a, w.boss)) != 1 {
		t.Error("one manager's word speaks for the other, or not for themselves")
	}
}

// TestPullOfManager: a manager who opens many is told too, for it may be somebody
// else with their password; the other managers are told all the same.
func TestPullOfManager(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.watched()
		for _, id := range w.caseload(w.neri, 10) {
			must(t, errorOf(a.ClientPage(w.ctx, w.neri, id, "")))
		}
		same(t, "notices of neri", len(w.told(a, w.neri)), 1)
		same(t, "notices of boss", len(w.told(a, w.boss)), 1)
	})
}

// TestPullClockBack: a clock put back a day neither alarms by itself nor silences
// what comes after it.
func TestPullClockBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, clients := w.watched(), w.caseload(w.costa, 20)
		pull := func(ids []care.ID) {
			for _, id := range ids {
				must(t, errorOf(a.ClientPage(w.ctx, w.costa, id, "")))
			}
		}
		pull(clients[:9])
		w.now.Add(-24 * 60 * minute)
		pull(clients[9:18])
		same(t, "notices of nine and nine a day apart", len(w.rows("pull")), 0)
		pull(clients[18:])
		same(t, "notices", len(w.rows("pull")), 1)
		w.now.Add(-24 * 60 * minute)
		pull(clients[:10])
		same(t, "notices before the first one", len(w.rows("pull")), 2)
		w.now.Add(72 * 60 * minute)
		pull(clients[:10])
		same(t, "notices after a jump ahead", len(w.rows("pull")), 3)
	})
}

// TestPullRefused: looks that are refused count for nobody, and a bound that would
// never alarm is drawn in.
func TestPullRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := app.New(w.store, app.Config{Now: func() time.Time { return time.UnixMilli(w.now.Load()) }, Mail: w.mail, PullClients: -1})
		clients := w.caseload(w.costa, 11)
		for _, id := range clients {
			if _, err := a.ClientPage(w.ctx, w.neri, id, ""); care.CodeOf(err) != care.NotFound {
				t.Fatal(err)
			}
		}
		same(t, "notices", len(w.rows("pull")), 0)
		for _, id := range clients {
			must(t, errorOf(a.ClientPage(w.ctx, w.costa, id, "")))
		}
		same(t, "notices", len(w.rows("pull")), 1)
	})
}

// TestSeveralPulls: 500 charts opened at once through three servers raise one
// notice, with exactly the number from which it is raised.
func TestSeveralPulls(t *testing.T) {
	t.Parallel()
	f := newServers(t)
	var clients []care.ID
	for range 500 {
		clients = append(clients, get[care.ID](t)(f.apps[0].AddClient(f.ctx, f.neri, app.NewClient{Label: "C", AgeBand: care.Adult, Language: "en"})))
	}
	queue := make(chan care.ID, len(clients))
	for _, id := range clients {
		queue <- id
	}
	close(queue)
	answers := f.atOnce(4, func(a *app.App, _ int) error {
		for id := range queue {
			if _, err := a.ClientPage(f.ctx, f.neri, id, ""); err != nil {
				return err
			}
		}
		return nil
	})
	if answers[""] != 12 {
		t.Errorf("of 12 readers ended: %v", answers)
	}
	var told []care.Pull
	must(t, f.stores[1].Read(f.ctx, func(tx *store.Tx) (err error) {
		told, err = tx.PullsUnseen(f.neri.Practice, f.neri.Staff, 100)
		return err
	}))
	if len(told) != 1 || told[0].Clients != app.UsualPull {
		t.Errorf("told %+v", told)
	}
}
