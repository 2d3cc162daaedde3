// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"sync"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store/storetest/disk"
	"github.com/entente-project/entente/internal/vault"
)

// long chooses between what every run of the tests does and the whole drill,
// which ENTENTE_DRILL asks for.
func long(short, long int) int {
	if os.Getenv("ENTENTE_DRILL") != "" {
		return long
	}
	return short
}

// drill logs a line of the table that `make drill` prints.
func drill(t *testing.T, fault, promise, figure, measured string, args ...any) {
	t.Helper()
	t.Logf("drill | %s | %s | %s | %s", fault, promise, figure, fmt.Sprintf(measured, args...))
}

// storm is people who send forms to a store on an invented disk, and what they
// were told.
type storm struct {
	*bench
	d       *disk.Disk
	rng     *rand.Rand
	settled bool

	mu        sync.Mutex
	next      int
	acked     map[int]bool   // told that it is kept
	uncertain map[int]bool   // told that it is not, or nothing
	surprises map[string]int // errors that are not "unavailable"
}

func newStorm(t *testing.T, seed uint64) *storm {
	t.Helper()
	s := &storm{rng: rand.New(rand.NewPCG(seed, 1)), d: disk.New(t, seed), acked: map[int]bool{}, uncertain: map[int]bool{}, surprises: map[string]int{}}
	s.bench = &bench{t: t, ctx: context.Background(), engine: "sqlite", url: "sqlite:" + s.d.Path("entente.db"), vault: vault.Generate()}
	return s
}

// form is what the n-th person sends.
func form(n int) care.Response {
	r := answer(care.ID(fmt.Sprintf("0190-r-%06d", n)), first)
	r.Instrument, r.AnsweredMillis = fmt.Sprintf("form-%06d", n), int64(1000+n)
	r.Content.Comment, r.Content.Answers = fmt.Sprintf("CANARY-word-%d", n), map[string]float64{"bond1": float64(n)}
	return r
}

// send is one submission: the response and its line in the audit, or neither.
func (s *storm) send(n int) error {
	return s.s.Write(s.ctx, func(tx *Tx) error {
		r := form(n)
		added, err := tx.AddResponse(r)
		if err != nil || !added {
			return err
		}
		return tx.Audit(care.AuditEntry{ID: r.ID, Practice: r.Practice, AtMillis: r.AnsweredMillis, Actor: anna.ID, Action: "rate", Record: r.ID, Changes: true})
	})
}

// told notes the outcome of a submission.
func (s *storm) told(n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.acked[n] = true
		delete(s.uncertain, n)
		return
	}
	if !s.acked[n] {
		s.uncertain[n] = true
	}
	if care.CodeOf(err) != care.Unavailable {
		s.surprises[err.Error()]++
	}
}

// blow lets people send forms at once, each until a form fails or all are sent.
func (s *storm) blow(people, forms int) {
	var all sync.WaitGroup
	s.mu.Lock()
	end := s.next + forms
	s.mu.Unlock()
	for range people {
		all.Go(func() {
			for {
				s.mu.Lock()
				n := s.next
				if n < end {
					s.next++
				}
				s.mu.Unlock()
				if n >= end {
					return
				}
				err := s.send(n)
				s.told(n, err)
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
}

// start opens the store, and stores the people if they are not there.
func (s *storm) start() error {
	opened, err := Open(s.ctx, s.url, s.vault)
	if err != nil {
		return err
	}
	s.s = opened
	if s.settled {
		return nil
	}
	err = s.s.Write(s.ctx, func(tx *Tx) error {
		if _, err := tx.Client(here.ID, anna.ID); err == nil || care.CodeOf(err) != care.NotFound {
			return err
		}
		return errors.Join(tx.AddPractice(here), tx.AddStaff(neri), tx.AddStaff(longo), tx.AddClient(anna), tx.AddClient(bruno), tx.AddEpisode(therapy), tx.AddSession(first))
	})
	s.settled = err == nil
	return err
}

// stop ends a store that may have lost its disk.
func (s *storm) stop() error {
	if s.s == nil {
		return nil
	}
	err := s.s.Close()
	s.s = nil
	return err
}

// found is what a look at the whole database brings.
type found struct {
	there     map[int]bool
	lost      int // acknowledged and not there
	returned  int // there, and its sender was told no or nothing
	wrong     []string
	integrity string
}

// look reads everything back through the open store, and lets SQLite check its files.
func (s *storm) look() (f found, err error) {
	f.there = map[int]bool{}
	rows, err := s.responses()
	if err != nil {
		return f, err
	}
	for _, got := range rows {
		var n int
		if _, err := fmt.Sscanf(string(got.ID), "0190-r-%d", &n); err != nil || n >= s.next {
			f.wrong = append(f.wrong, fmt.Sprintf("a response %q that nobody sent", got.ID))
			continue
		}
		if f.there[n] {
			f.wrong = append(f.wrong, fmt.Sprintf("response %d is there twice", n))
		}
		f.there[n] = true
		if !reflect.DeepEqual(got, form(n)) {
			f.wrong = append(f.wrong, fmt.Sprintf("response %d is another than was sent", n))
		}
		if !s.acked[n] {
			f.returned++
		}
	}
	for n := range s.acked {
		if !f.there[n] {
			f.lost++
		}
	}
	return f, s.outside(&f)
}

// outside looks at the files behind the store's back.
func (s *storm) outside(f *found) (err error) {
	raw, err := sql.Open("sqlite", "file:"+s.d.Path("entente.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	var halves, foreign int
	err = errors.Join(
		raw.QueryRowContext(s.ctx, "PRAGMA integrity_check").Scan(&f.integrity),
		raw.QueryRowContext(s.ctx, "SELECT COUNT(*) FROM pragma_foreign_key_check").Scan(&foreign),
		raw.QueryRowContext(s.ctx, `SELECT (SELECT COUNT(*) FROM response WHERE response_id NOT IN (SELECT audit_id FROM audit))
			+ (SELECT COUNT(*) FROM audit WHERE audit_id NOT IN (SELECT response_id FROM response))`).Scan(&halves))
	if halves+foreign > 0 {
		f.wrong = append(f.wrong, fmt.Sprintf("%d halves of submissions, %d rows without the row they name", halves, foreign))
	}
	return err
}

// again sends everything that is not known to be kept once more, as people do
// who were shown an error.
func (s *storm) again() error {
	for n := range s.uncertain {
		if err := s.send(n); err != nil {
			return err
		}
		s.acked[n] = true
		delete(s.uncertain, n)
	}
	return nil
}

// check fails the test unless everything is there once, as it was sent.
func (s *storm) check(what string) found {
	s.t.Helper()
	f, err := s.look()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
	if f.lost > 0 || len(f.wrong) > 0 || f.integrity != "ok" {
		s.t.Fatalf("%s: %d acknowledged submissions lost, %q, integrity %s", what, f.lost, f.wrong, f.integrity)
	}
	return f
}

// unsurprised fails the test if anybody was told anything but "unavailable".
func (s *storm) unsurprised() {
	s.t.Helper()
	for text, n := range s.surprises {
		s.t.Errorf("%d times not unavailable: %s", n, text)
	}
}
