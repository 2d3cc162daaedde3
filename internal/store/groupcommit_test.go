// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/entente-project/entente/internal/care"
)

var errOwn = errors.New("this job's own failure")

// mark writes one row that can be found by n.
func mark(tx *Tx, n int) error {
	_, err := tx.exec("INSERT INTO throttle (bucket, window_millis, hits) VALUES ('mark', $1, 1)", n)
	return err
}

func (b *bench) marked(n int) bool {
	b.t.Helper()
	return b.count("SELECT COUNT(*) FROM throttle WHERE bucket = 'mark' AND window_millis = $1", n) == 1
}

// waiting fills the writer's queue behind a job that holds it, so that all of
// them go into as few commits as can be. PostgreSQL has no queue to fill.
func (b *bench) waiting(jobs int, start func(i int)) {
	b.t.Helper()
	var all sync.WaitGroup
	defer all.Wait()
	w, ok := b.s.writer.(*groupWriter)
	if !ok {
		for i := range jobs {
			all.Go(func() { start(i) })
		}
		return
	}
	release := make(chan struct{})
	held := make(chan struct{})
	all.Go(func() {
		if err := w.write(b.ctx, func(*sql.Tx) error { close(held); <-release; return nil }); err != nil {
			b.t.Error(err)
		}
	})
	<-held
	for i := range jobs {
		all.Go(func() { start(i) })
	}
	for len(w.queue) < min(jobs, maxBatch) {
		runtime.Gosched()
	}
	close(release)
}

// TestFailuresApart: 200 writes at once, of which each seventh fails, by itself
// or in the database, after it has written something.
func TestFailuresApart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		const jobs = 200
		b.write(func(tx *Tx) error { return mark(tx, -1) })
		results := make([]error, jobs)
		b.waiting(jobs, func(i int) {
			results[i] = b.s.Write(b.ctx, func(tx *Tx) error {
				err := mark(tx, i)
				switch {
				case err != nil || i%7 != 6:
					return err
				case i%2 == 0:
					return errOwn
				}
				return mark(tx, -1) // there already
			})
		})
		for i, err := range results {
			failing := i%7 == 6
			switch {
			case !failing && err != nil:
				t.Errorf("write %d: %v", i, err)
			case failing && i%2 == 0 && !errors.Is(err, errOwn):
				t.Errorf("write %d: %v, want its own failure", i, err)
			case failing && i%2 == 1 && care.CodeOf(err) != care.Conflict:
				t.Errorf("write %d: %v, want conflict", i, err)
			}
			if b.marked(i) == failing {
				t.Errorf("write %d: there %v, result %v", i, !failing, err)
			}
		}
	})
}

// TestPanicInWrite: a panic is raised in its own caller, after which the others
// are kept and no connection is lost.
func TestPanicInWrite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		const jobs = 12
		b.waiting(jobs, func(i int) {
			defer func() {
				want := any(nil)
				if i%4 == 1 {
					want = fmt.Sprint("panic of ", i)
				}
				if p := recover(); p != want {
					t.Errorf("write %d panics with %v", i, p)
				}
			}()
			err := b.s.Write(b.ctx, func(tx *Tx) error {
				err := mark(tx, i)
				if i%4 == 1 {
					panic(fmt.Sprint("panic of ", i))
				}
				return err
			})
			if err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		})
		db := b.s.readers
		if w, ok := b.s.writer.(*groupWriter); ok {
			db = w.db
		}
		if n := db.Stats().InUse; n != 0 {
			t.Fatalf("%d connections are still taken by writes that panicked", n)
		}
		for i := range jobs {
			if b.marked(i) == (i%4 == 1) {
				t.Errorf("write %d: there %v", i, b.marked(i))
			}
		}
		b.write(func(tx *Tx) error { return mark(tx, jobs) })
	})
}

func TestWriteAfterClose(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.write(func(tx *Tx) error { return mark(tx, 1) })
		must(t, b.s.Close())
		for range 20 { // the way in is chosen at random
			ran := false
			err := b.s.Write(b.ctx, func(tx *Tx) error {
				ran = true
				return mark(tx, 2)
			})
			if err == nil || ran {
				t.Fatalf("a write after the end: %v, ran %v", err, ran)
			}
		}
		if err := b.s.Read(b.ctx, func(*Tx) error { return nil }); err == nil {
			t.Error("a read after the end")
		}
		must(t, b.s.Close())
		if !b.marked(1) || b.marked(2) {
			t.Error("the end changed what was kept")
		}
	})
}

// TestCloseTellsTheTruth: whoever is told that nothing was written while the
// store closes is told the truth.
func TestCloseTellsTheTruth(t *testing.T) {
	t.Parallel()
	for range 600 {
		db, err := sql.Open("sqlite", ":memory:")
		must(t, err)
		db.SetMaxOpenConns(1)
		w := newGroupWriter(db, nil)
		var all sync.WaitGroup
		var begun atomic.Int64
		for range 16 {
			all.Go(func() {
				ran := false
				begun.Add(1)
				err := w.write(t.Context(), func(*sql.Tx) error {
					ran = true
					return nil
				})
				if ran && err != nil {
					t.Errorf("a write that was kept is reported as %v", err)
				}
				if !ran && err == nil {
					t.Error("a write that never ran is reported as kept")
				}
			})
		}
		for begun.Load() < 8 {
			runtime.Gosched()
		}
		must(t, w.close())
		all.Wait()
	}
}

// TestCanceledBefore: nothing is written for whoever has gone already.
func TestCanceledBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		for i := range 20 {
			err := b.s.Write(ctx, func(tx *Tx) error { return mark(tx, i) })
			if care.CodeOf(err) != care.Unavailable || !errors.Is(err, context.Canceled) {
				t.Errorf("a write that nobody waits for: %v", err)
			}
			if b.marked(i) {
				t.Fatal("and it was written")
			}
		}
		if err := b.s.Read(ctx, func(*Tx) error { return nil }); care.CodeOf(err) != care.Unavailable {
			t.Errorf("a read that nobody waits for: %v", err)
		}
	})
}

// TestCanceledWithin: a write that has begun is carried to its end.
func TestCanceledWithin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		err := b.s.Write(ctx, func(tx *Tx) error {
			cancel()
			return errors.Join(mark(tx, 1), mark(tx, 2))
		})
		must(t, err)
		if !b.marked(1) || !b.marked(2) {
			t.Error("acknowledged and not there")
		}
	})
}

// TestHook: a planted failure of any statement leaves the database as it was.
func TestHook(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		var left atomic.Int64
		must(t, b.s.Close())
		defer func() { b.s = b.open() }()
		s, err := Open(b.ctx, b.url, b.vault, WithHook(func(statement string) error {
			if strings.TrimSpace(statement) == "" {
				t.Error("a hook without a statement")
			}
			if left.Add(-1) == 0 {
				return errOwn
			}
			return nil
		}))
		must(t, err)
		defer func() { must(t, s.Close()) }()
		for n := int64(1); ; n++ {
			left.Store(n)
			err := s.Write(b.ctx, func(tx *Tx) error {
				if err := tx.AddPractice(here); err != nil {
					return err
				}
				return tx.AddStaff(neri)
			})
			if err == nil {
				// PostgreSQL is told as well whose rows they are.
				if want := map[string]int64{"sqlite": 3, "postgres": 4}[b.engine]; n-1 != want {
					t.Errorf("%d statements could fail, not %d", n-1, want)
				}
				break
			}
			if !errors.Is(err, errOwn) || b.count("SELECT COUNT(*) FROM practice") != 0 {
				t.Fatalf("statement %d: %v", n, err)
			}
		}
		same(t, "staff", b.count("SELECT COUNT(*) FROM staff"), 1)
	})
}
