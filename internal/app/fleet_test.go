// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// fleet is several servers of ours over one PostgreSQL.
type fleet struct {
	far     farAway // a provider all servers know
	t       *testing.T
	ctx     context.Context
	vault   *vault.Vault
	stores  []*store.Store
	apps    []*app.App
	neri    care.Actor
	episode care.Episode
	now     atomic.Int64 // the clock of all of them
	skew    []int64      // by which each one's is wrong
}

// newFleet starts n servers over dsn at the same moment and sets a practice up.
func newFleet(t *testing.T, dsn string, n int) *fleet {
	t.Helper()
	f := &fleet{t: t, ctx: t.Context(), vault: vault.Generate()}
	f.now.Store(time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC).UnixMilli())
	f.start(dsn, n)
	in := get[app.SignedIn](t)(f.apps[0].SetUpPractice(f.ctx, app.SetUp{Code: "code", Practice: "P", Language: "en", TimeZone: "UTC", Name: "N", Email: "n@example.org", Password: password}))
	f.neri = get[app.Me](t)(f.apps[0].Authenticate(f.ctx, in.Token)).Actor
	client := get[care.ID](t)(f.apps[0].AddClient(f.ctx, f.neri, app.NewClient{Label: "C", AgeBand: care.Adult, Language: "en"}))
	f.episode = get[app.ClientView](t)(f.apps[0].ClientPage(f.ctx, f.neri, client, "")).Episode
	return f
}

// start starts n servers at the same moment, in place of those there were.
func (f *fleet) start(dsn string, n int) {
	t := f.t
	t.Helper()
	f.stores, f.apps, f.skew = make([]*store.Store, n), make([]*app.App, n), make([]int64, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			s, err := store.Open(f.ctx, dsn, f.vault)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { must(t, s.Close()) })
			f.stores[i] = s
			f.apps[i] = app.New(s, app.Config{SetUpCode: "code", Providers: []app.Provider{&f.far}, Now: func() time.Time { return time.UnixMilli(f.now.Load() + f.skew[i]) }})
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// sessions makes so many held sessions, few in an episode.
func (f *fleet) sessions(n int) []care.ID {
	f.t.Helper()
	var out []care.ID
	must(f.t, f.stores[0].Write(f.ctx, func(tx *store.Tx) error {
		out = nil
		e, err := tx.Episode(f.neri.Practice, f.episode.ID)
		for i := range n {
			if i%5 == 0 {
				e.ID = newID()
				err = errors.Join(err, tx.AddEpisode(e))
			}
			x := care.Session{ID: newID(), Practice: e.Practice, Episode: e.ID, AtMillis: int64(i), Status: care.Held}
			if err = errors.Join(err, tx.AddSession(x)); err != nil {
				return err
			}
			out = append(out, x.ID)
		}
		return err
	}))
	return out
}

// gale is a storm of submissions through every server of a fleet.
type gale struct {
	mu      sync.Mutex
	kept    map[care.ID]int // how often each was acknowledged
	refused int             // told to try again
	worst   time.Duration   // the longest that one submission took, told to try again or not
	last    []time.Time     // when each server last acknowledged one
	hits    []int           // how many each acknowledged
}

// blow submits ratings of all sessions through all servers at once. A submission
// that is told to try again is sent again, to the next server, until it counts.
func (f *fleet) blow(sessions []care.ID) (g *gale, wait func()) {
	f.t.Helper()
	form := get[app.FormView](f.t)(f.apps[0].OwnForm(f.ctx, f.neri, sessions[0], instrument.Alliance))
	g = &gale{kept: map[care.ID]int{}, last: make([]time.Time, len(f.apps)), hits: make([]int, len(f.apps))}
	queue := make(chan care.ID, len(sessions))
	for _, s := range sessions {
		queue <- s
	}
	close(queue)
	var all sync.WaitGroup
	for w := range 4 * len(f.apps) {
		all.Go(func() {
			for s := range queue {
				if f.ctx.Err() != nil { // the test has ended early
					return
				}
				f.submit(g, w, filled(form, s, rand.Float64(), 0))
			}
		})
	}
	return g, all.Wait
}

func (f *fleet) submit(g *gale, server int, in app.Submission) {
	in.ID = newID()
	at := time.Now()
	for try := 0; ; try++ {
		i := (server + try) % len(f.apps)
		r, err := f.apps[i].RecordRating(f.ctx, f.neri, in)
		g.mu.Lock()
		switch {
		case err == nil:
			g.kept[r.ID]++
			g.worst = max(g.worst, time.Since(at))
			g.last[i] = time.Now()
			g.hits[i]++
		case care.CodeOf(err) == care.Unavailable:
			g.refused++
		default:
			f.t.Errorf("refused for good: %v", err)
		}
		g.mu.Unlock()
		if err == nil || care.CodeOf(err) != care.Unavailable || time.Since(at) > time.Minute {
			return
		}
	}
}

func (g *gale) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.kept)
}

// until returns when so many are acknowledged.
func (f *fleet) until(g *gale, n int) {
	f.t.Helper()
	last, end := 0, time.Now().Add(time.Minute)
	for ; ; time.Sleep(time.Millisecond) {
		now := g.count()
		if now >= n {
			return
		}
		if now > last {
			last, end = now, time.Now().Add(time.Minute)
		}
		if time.Now().After(end) {
			f.t.Fatalf("%d of %d are acknowledged, and for a minute no other", now, n)
		}
	}
}

// healed returns how long after an instant each server had acknowledged again, at
// most.
func (f *fleet) healed(g *gale, since time.Time) time.Duration {
	f.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		g.mu.Lock()
		done, slowest := 0, time.Duration(0)
		for _, at := range g.last {
			if at.After(since) {
				done++
				slowest = max(slowest, at.Sub(since))
			}
		}
		g.mu.Unlock()
		if done == len(g.last) {
			return slowest
		}
	}
	f.t.Fatal("a server does not acknowledge again")
	return 0
}

// settled compares what was acknowledged with what is kept, as the database's own
// superuser sees it: each once, each with its line in an audit that holds.
func (f *fleet) settled(g *gale, db *sql.DB) {
	f.t.Helper()
	var rows, ids, doubled, lines int
	must(f.t, db.QueryRowContext(f.ctx, `SELECT COUNT(*), COUNT(DISTINCT response_id), COUNT(*) - COUNT(DISTINCT session_id || ' ' || instrument || ' ' || by_id),
		(SELECT COUNT(*) FROM audit WHERE act = 'record_rating') FROM response`).Scan(&rows, &ids, &doubled, &lines))
	if rows != len(g.kept) || ids != rows || doubled != 0 || lines != rows {
		f.t.Errorf("%d acknowledged, %d rows, %d ids, %d doubled, %d lines in the audit", len(g.kept), rows, ids, doubled, lines)
	}
	there := map[care.ID]bool{}
	found, err := db.QueryContext(f.ctx, "SELECT response_id FROM response")
	must(f.t, err)
	defer func() { must(f.t, errors.Join(found.Err(), found.Close())) }()
	for found.Next() {
		var id care.ID
		must(f.t, found.Scan(&id))
		there[id] = true
	}
	lost := 0
	for id, n := range g.kept {
		if !there[id] || n != 1 {
			lost++
		}
	}
	if lost > 0 {
		f.t.Errorf("%d acknowledged submissions are lost or were acknowledged twice", lost)
	}
	for _, s := range get[[]app.AuditState](f.t)(f.apps[len(f.apps)-1].VerifyAudit(f.ctx, nil)) {
		if s.Fault != nil {
			f.t.Errorf("the audit: %v", s.Fault)
		}
	}
}
