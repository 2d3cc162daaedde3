// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// lineage is how many power cuts one database lives through.
const lineage = 25

// tally is what many power cuts brought.
type tally struct {
	cuts, lossy, acked, lost, returned int
	during                             map[string]int
	noticed                            int // cuts after which the witness refused the database
}

func (c tally) String() string {
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(c.during)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", k, c.during[k]))
	}
	return fmt.Sprintf("%d cuts (%s), %d submissions acknowledged, %d lost, at %d cuts; %d kept whose sender had no answer", c.cuts, strings.Join(kinds, ", "), c.acked, c.lost, c.lossy, c.returned)
}

// powerCuts cuts the power at random points: while the store opens and migrates,
// in a storm of submissions, while it closes. It goes on until enough says so;
// after is called on each fresh store.
func powerCuts(t *testing.T, seed uint64, forgive bool, enough func(tally) bool, after func(*storm)) (c tally) {
	t.Helper()
	c.during = map[string]int{}
	var s *storm
	for n := 0; !enough(c); n++ {
		if n%lineage == 0 {
			s = newStorm(t, seed+uint64(n))
		}
		before := len(s.acked)
		// From the first change to the thousandth, each order of magnitude as often.
		s.d.PowerCutAfter(int(math.Exp(s.rng.Float64() * math.Log(1500))))
		if err := s.start(); err == nil {
			after(s)
			s.blow(16, 16+s.rng.IntN(long(24, 64)))
		} else if !s.d.Off() {
			t.Fatalf("cut %d: with power the store does not open: %v", n, err)
		}
		s.stop() //nolint:errcheck // it has lost its disk
		s.d.PowerCut(s.rng)
		s.d.PowerOn()
		c.cuts++
		during := s.d.LastCut()
		if during == "" {
			during = "at rest"
		}
		c.during[during]++
		c.acked += len(s.acked) - before

		err := s.start()
		noticed := errors.Is(err, errLost)
		if noticed && forgive {
			c.noticed++
			must(t, Forget(s.d.Path("entente.db")))
			err = s.start()
		}
		if err != nil {
			t.Fatalf("cut %d, during %s: the store does not open again: %v", n, during, err)
		}
		f, err := s.look()
		if err != nil {
			t.Fatalf("cut %d, during %s: %v", n, during, err)
		}
		if f.lost > 0 {
			if !noticed {
				t.Errorf("cut %d, during %s: %d acknowledged submissions lost, and the witness saw nothing", n, during, f.lost)
			}
			c.lossy++
			c.lost += f.lost
		}
		if f.lost > 0 && !forgive || len(f.wrong) > 0 || f.integrity != "ok" {
			t.Fatalf("cut %d, during %s: %d acknowledged submissions lost, %q, integrity %s", n, during, f.lost, f.wrong, f.integrity)
		}
		c.returned += f.returned
		for n := range s.acked {
			if !f.there[n] {
				delete(s.acked, n)
				s.uncertain[n] = true
			}
		}
		must(t, s.again())
		if n%4 == 3 {
			s.check("sent again")
		}
		if s.rng.IntN(2) == 0 {
			must(t, s.stop())
		} else { // the log stays, and grows over several lives
			s.d.PowerCut(s.rng)
			s.stop() //nolint:errcheck // it has lost its disk
			s.d.PowerOn()
		}
		s.unsurprised()
	}
	return c
}

// TestDrillPowerCut: whatever was acknowledged outlives a power cut, once.
func TestDrillPowerCut(t *testing.T) {
	t.Parallel()
	c := powerCuts(t, 1, false, func(c tally) bool { return c.cuts == long(8, 1000) }, func(*storm) {})
	if c.acked < c.cuts || c.during["write entente.db-wal"] == 0 {
		t.Errorf("this storm tries too little: %s", c)
	}
	drill(t, "power cut (unsynced writes dropped, out of order; sectors torn)", "nothing acknowledged is lost or doubled", "0 lost, integrity ok", "%s; integrity ok each time", c)
}

// TestDrillPowerCutNormal is the control: with less than the store asks of the
// disk the same storm loses what it acknowledged.
func TestDrillPowerCutNormal(t *testing.T) {
	t.Parallel()
	enough := func(c tally) bool { return c.cuts >= long(1, 1000) && c.lost > 0 || c.cuts >= 1000 }
	c := powerCuts(t, 2, true, enough, func(s *storm) {
		if _, err := s.s.writer.(*groupWriter).db.ExecContext(s.ctx, "PRAGMA synchronous=NORMAL"); err != nil && !s.d.Off() {
			t.Error(err)
		}
	})
	if c.lost == 0 {
		t.Errorf("the test cannot see a loss: %s", c)
	}
	drill(t, "the same with synchronous=NORMAL (control)", "the drill sees what is lost, and the witness refuses the database", "more than 0", "%s; %.1f %% of the acknowledged; refused at the start %d times", c, 100*float64(c.lost)/float64(c.acked), c.noticed)
}
