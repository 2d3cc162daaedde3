// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store/storetest/disk"
)

// faults are the operations that were made to fail, by file.
type faults map[string]int

func (f faults) String() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		out = append(out, fmt.Sprintf("%d of %s", f[name], name))
	}
	return strings.Join(out, ", ")
}

// failing breaks one in n of the operations of a kind, as fault says.
func (f faults) failing(rng *rand.Rand, n int, fault disk.Fault, kinds ...disk.Kind) func(disk.Op) disk.Fault {
	return func(op disk.Op) disk.Fault {
		if !slices.Contains(kinds, op.Kind) || rng.IntN(n) > 0 {
			return disk.None
		}
		f[op.File]++
		return fault
	}
}

// toll is what many rounds on a failing disk brought.
type toll struct{ refused, acked, returned int }

// brokenRounds lets a storm blow over a disk that fails now and then, ends each
// round by a power cut, every second one after the store was closed while the
// disk still failed, and looks at what is left.
func brokenRounds(t *testing.T, rounds int, seed uint64, rule func(*rand.Rand) func(disk.Op) disk.Fault) (c toll) {
	t.Helper()
	var s *storm
	for n := range rounds {
		if n%lineage == 0 {
			s = newStorm(t, seed+uint64(n))
		}
		must(t, s.start())
		before := len(s.acked)
		broken := rule(rand.New(rand.NewPCG(seed, uint64(n))))
		s.d.Break(broken)
		for range 4 { // people who were refused come back
			s.blow(8, 24)
		}
		c.refused += len(s.uncertain)
		s.d.Break(nil)
		// Without a restart: nothing that was refused may be half there, all that was promised is.
		s.check("while it runs")
		c.acked += len(s.acked) - before
		if n%2 == 1 {
			s.d.Break(broken)
			s.stop() //nolint:errcheck // the disk fails here too
		}
		s.d.PowerCut(s.rng)
		s.stop() //nolint:errcheck // it has lost its disk
		s.d.Break(nil)
		s.d.PowerOn()
		must(t, s.start())
		c.returned += s.check("after the power cut").returned
		must(t, s.again())
		s.check("sent again")
		// The log stays in half of them, and grows until SQLite writes the database in mid-storm.
		if n%4 < 2 {
			must(t, s.stop())
		} else {
			s.d.PowerCut(s.rng)
			s.stop() //nolint:errcheck // it has lost its disk
			s.d.PowerOn()
		}
		s.unsurprised()
	}
	if c.refused == 0 || c.acked == 0 {
		t.Errorf("this storm tries too little: %+v", c)
	}
	return c
}

// TestDrillSyncFails: nobody is told that a form is kept if the disk would not say so.
func TestDrillSyncFails(t *testing.T) {
	t.Parallel()
	f := faults{}
	c := brokenRounds(t, long(2, 200), 3, func(rng *rand.Rand) func(disk.Op) disk.Fault {
		return f.failing(rng, 6, disk.Broken, disk.Sync)
	})
	drill(t, "fsync fails (EIO) and what it was for may never arrive", "never a false success", "0", "failed syncs: %s; %d submissions acknowledged, 0 of them lost after a power cut; %d refused as unavailable, %d of those were kept all the same", f, c.acked, c.refused, c.returned)
}

// TestDrillWriteFails: the same of writes that fail after a part of them.
func TestDrillWriteFails(t *testing.T) {
	t.Parallel()
	f := faults{}
	c := brokenRounds(t, long(2, 200), 4, func(rng *rand.Rand) func(disk.Op) disk.Fault {
		return f.failing(rng, 60, []disk.Fault{disk.Broken, disk.NoSpace}[rng.IntN(2)], disk.Write, disk.Truncate)
	})
	drill(t, "write fails (EIO or ENOSPC), short", "never a false success", "0", "failed writes: %s; %d submissions acknowledged, 0 of them lost after a power cut; %d refused as unavailable, %d of those were kept all the same", f, c.acked, c.refused, c.returned)
}

// TestDrillReadFails: what cannot be read is an error, never an absence.
func TestDrillReadFails(t *testing.T) {
	t.Parallel()
	s := newStorm(t, 5)
	must(t, s.start())
	s.blow(8, 60)
	must(t, s.stop()) // so that nothing is left in memory
	failed, f := 0, faults{}
	for n := range long(8, 1000) {
		s.d.Break(f.failing(rand.New(rand.NewPCG(5, uint64(n))), 40, disk.Broken, disk.Read))
		err := s.start()
		if err == nil {
			var rows []care.Response
			if rows, err = s.responses(); err == nil && len(rows) != 60 {
				t.Errorf("%d of 60 responses, and no error", len(rows))
			}
			if err != nil && care.CodeOf(err) != care.Unavailable {
				t.Errorf("not unavailable: %v", err)
			}
		}
		if err != nil {
			failed++
		}
		s.stop() //nolint:errcheck // the disk may fail here too
		s.d.Break(nil)
	}
	must(t, s.start())
	s.check("on a disk that is whole again")
	must(t, s.stop())
	if failed == 0 {
		t.Error("no read failed")
	}
	drill(t, "read fails (EIO)", "an error, never an absence", "0 missing without an error", "failed reads: %s; %d openings or readings refused, 0 rows missing", f, failed)
}

// TestDrillFullDisk: on a full disk reading goes on, writing is refused and
// harms nothing, and both are as before once there is space.
func TestDrillFullDisk(t *testing.T) {
	t.Parallel()
	s := newStorm(t, 6)
	must(t, s.start())
	s.blow(8, 40)
	var red, green time.Duration
	refused := 0
	for round := range long(2, 30) {
		must(t, s.s.Health(s.ctx))
		s.d.SetCapacity(s.d.Used() + s.rng.Int64N(40_000))
		full := time.Now()
		for err := error(nil); err == nil; { // until the last byte is taken
			s.blow(4, 8)
			err = s.s.Health(s.ctx)
			if err != nil && care.CodeOf(err) != care.Unavailable {
				t.Fatalf("round %d: health says %v", round, err)
			}
			if len(s.acked) > 100_000 {
				t.Fatal("the disk is never full")
			}
		}
		red = max(red, time.Since(full))
		before := len(s.uncertain)
		s.blow(8, 8)
		refused += len(s.uncertain) - before
		s.check("full")
		s.d.SetCapacity(0)
		space := time.Now()
		must(t, s.s.Health(s.ctx))
		green = max(green, time.Since(space))
		must(t, s.again())
		s.check("with space again")
	}
	s.unsurprised()
	if refused == 0 {
		t.Error("a full disk refused nobody")
	}
	s.d.SetCapacity(s.d.Used())
	s.d.PowerCut(s.rng)
	s.stop() //nolint:errcheck // it has lost its disk
	s.d.PowerOn()
	if err := s.start(); err == nil {
		s.check("after a power cut, still full")
	} else if care.CodeOf(err) == care.NotFound {
		t.Errorf("a store on a full disk: %v", err)
	}
	must(t, s.stop())
	s.d.SetCapacity(0)
	must(t, s.start())
	s.check("after a power cut, with space")
	must(t, s.stop())
	drill(t, "disk full (ENOSPC)", "reading goes on; writing says unavailable; heals", "red within 2 s, green within 5 s", "every reading right; %d submissions refused, 0 acknowledged lost; health red at the first write without room (at most %s after the last free byte began to be filled), green at the first try after (%s)", refused, red.Round(time.Millisecond), green.Round(time.Millisecond))
}

// TestDrillReadOnly: a disk that only reads is read, or refused with one clear error.
func TestDrillReadOnly(t *testing.T) {
	t.Parallel()
	s := newStorm(t, 7)
	must(t, s.start())
	s.blow(8, 60)
	s.d.SetReadOnly(true)
	s.blow(8, 8)
	if len(s.uncertain) != 8 {
		t.Errorf("%d of 8 submissions refused", len(s.uncertain))
	}
	if err := s.s.Health(s.ctx); care.CodeOf(err) != care.Unavailable {
		t.Errorf("health: %v", err)
	}
	s.check("read only")
	must(t, s.stop())
	opened := "opened"
	if err := s.start(); err != nil {
		opened = "refused: " + err.Error()
		if care.CodeOf(err) == care.NotFound {
			t.Error(err)
		}
	} else {
		s.check("opened on a disk that only reads")
	}
	must(t, s.stop())
	s.d.SetReadOnly(false)
	must(t, s.start())
	s.check("writable again")
	must(t, s.again())
	s.check("sent again")
	must(t, s.stop())
	s.unsurprised()
	drill(t, "read-only disk", "reading, or one clear refusal", "0 panics", "while open: reading right, 8 of 8 submissions refused as unavailable; at start: %s", opened)
}
