// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"database/sql"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/store/storetest"
)

// heals is how long after a fault is over every server must acknowledge again.
const heals = 2 * time.Second

func behind(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", storetest.Behind(dsn))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// galeSize is how many submissions a storm has, and how many faults.
func galeSize(short, full, faults int) (submissions, times int) {
	if os.Getenv(drill) != "" {
		return full, faults
	}
	return short, 1
}

// TestDrillRestart restarts PostgreSQL in a storm of submissions through three
// servers, in order and as by a crash: nothing acknowledged is lost or doubled, and
// every server goes on.
func TestDrillRestart(t *testing.T) {
	t.Parallel()
	size, times := galeSize(600, 10_000, 5)
	pg := storetest.NewServer(t)
	f := newFleet(t, pg.DSN(), 3)
	g, wait := f.blow(f.sessions(size))
	slowest, down := time.Duration(0), time.Duration(0)
	for i := range 2 * times {
		f.until(g, (i+1)*size/(4*times+2))
		at := time.Now()
		pg.Stop([]syscall.Signal{syscall.SIGINT, syscall.SIGQUIT}[i%2])
		pg.Start()
		down = max(down, time.Since(at))
		slowest = max(slowest, f.healed(g, time.Now()))
	}
	wait()
	f.settled(g, behind(t, pg.DSN()))
	if slowest > heals {
		t.Errorf("a server took %v to go on", slowest)
	}
	t.Logf("drill | PostgreSQL restarted and crashed in a storm through 3 servers | nothing acknowledged is lost or doubled; heals | 0; 2 s after it is back | 0 of %d over %d restarts of at most %v; every server went on within %v; %d told to try again, the longest submission %v",
		len(g.kept), 2*times, down.Round(time.Millisecond), slowest.Round(time.Millisecond), g.refused, g.worst.Round(time.Millisecond))
}

// TestDrillConnections ends every connection, again and again, in a storm: nothing
// acknowledged is lost or doubled, and every server goes on.
func TestDrillConnections(t *testing.T) {
	t.Parallel()
	size, times := galeSize(600, 10_000, 20)
	pg := storetest.NewServer(t)
	f := newFleet(t, pg.DSN(), 3)
	g, wait := f.blow(f.sessions(size))
	slowest, killed := time.Duration(0), 0
	for i := range 3 * times {
		f.until(g, (i+1)*size/(4*times))
		at := time.Now()
		killed += pg.Terminate()
		slowest = max(slowest, f.healed(g, at))
	}
	wait()
	f.settled(g, behind(t, pg.DSN()))
	if slowest > heals || killed < 10 {
		t.Errorf("%d connections were ended; a server took %v to go on", killed, slowest)
	}
	t.Logf("drill | every connection to PostgreSQL ended in a storm through 3 servers | nothing acknowledged is lost or doubled; heals | 0; 2 s | 0 of %d, %d connections ended; every server went on within %v; %d told to try again",
		len(g.kept), killed, slowest.Round(time.Millisecond), g.refused)
}

// TestDrillPromotion crashes a PostgreSQL whose standby applies everything before it
// is acknowledged, and lets the standby take over, in a storm.
func TestDrillPromotion(t *testing.T) {
	t.Parallel()
	size, _ := galeSize(600, 3_000, 1)
	pg := storetest.NewServer(t)
	f := newFleet(t, pg.DSN(), 1) // the tables are there before anybody follows
	must(t, f.stores[0].Close())
	standby := pg.Standby()
	f.start(pg.DSN(standby), 3)
	g, wait := f.blow(f.sessions(size))
	f.until(g, size/3)
	pg.Stop(syscall.SIGQUIT)
	at := time.Now()
	standby.Promote()
	took := time.Since(at)
	slowest := f.healed(g, time.Now())
	wait()
	f.settled(g, behind(t, standby.DSN()))
	if slowest > heals {
		t.Errorf("a server took %v to go on", slowest)
	}
	t.Logf("drill | a standby with remote_apply takes over in a storm through 3 servers | nothing acknowledged is lost or doubled; heals | 0; 2 s after it is promoted | 0 of %d; promoted in %v, every server went on within %v; %d told to try again, the longest submission %v",
		len(g.kept), took.Round(time.Millisecond), slowest.Round(time.Millisecond), g.refused, g.worst.Round(time.Millisecond))
}
