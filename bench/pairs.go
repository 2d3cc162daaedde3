// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// courseLength is how many sessions each client of a run answers: a submission's
// cost depends on how long the course behind it is, so a run goes through all
// lengths from the first session to the last.
const courseLength = 12

// rounds are the runs of one pair: connections, and clients who send.
var rounds = []struct{ conns, clients int }{{1, 25}, {16, 75}, {64, 125}}

// bench is everything that is measured against each other.
type bench struct {
	dir        string
	pairs      int
	ours       practiceData
	theirs     string // PocketBase's program
	out        figures
	say        func(string, ...any)
	sent, kept int64 // submissions acknowledged by each server
}

// mostConns is the largest number of connections of any run.
const mostConns = 64

// sqlite measures the engine without a server of its own: Entente and PocketBase
// in turn, and SQLite itself.
func (b *bench) sqlite(ctx context.Context) (err error) {
	e, setUp, err := b.ours.serve(ctx, mostConns)
	if err != nil {
		return err
	}
	defer func() { err = join(err, e.proc.stop) }()
	if err := e.found(ctx, setUp); err != nil {
		return err
	}
	p, err := servePocket(ctx, b.theirs, filepath.Join(b.dir, "pocketbase"), mostConns)
	if err != nil {
		return err
	}
	defer func() { err = join(err, p.proc.stop) }()
	limit, err := openSQLiteLimit(ctx, filepath.Join(b.dir, "limit.db"))
	if err != nil {
		return err
	}
	defer func() { err = join(err, limit.close) }()
	for n := range b.pairs {
		b.say("pair %d of %d, load %s", n+1, b.pairs, load())
		if err := b.pair(ctx, e, p, limit); err != nil {
			return err
		}
	}
	if err := b.remember(e.proc, "memory after"); err != nil {
		return err
	}
	if err := b.remember(p.proc, "PocketBase memory after"); err != nil {
		return err
	}
	if err := b.histories(ctx, e, p); err != nil {
		return err
	}
	if err := join(e.proc.stop(), p.proc.stop); err != nil {
		return err
	}
	return b.recount(ctx)
}

func join(err error, stop func() error) error {
	if e := stop(); err == nil {
		return e
	}
	return err
}

// pair runs each number of connections on both servers and on SQLite, one right
// after the other. What a run needs is made before anything is measured.
func (b *bench) pair(ctx context.Context, e *entente, p *pocketbase, limit *sqliteLimit) error {
	for _, r := range rounds {
		ours, theirs, err := b.prepare(ctx, e, p, r.clients)
		if err != nil {
			return err
		}
		their, err := b.timed(ctx, p.proc, fmt.Sprintf("PocketBase CPU ms at %d", r.conns), r.conns, theirs)
		if err != nil {
			return fmt.Errorf("PocketBase at %d: %w", r.conns, err)
		}
		our, err := b.profiled(ctx, e, fmt.Sprintf("Entente CPU ms at %d", r.conns), r.conns, ours)
		if err != nil {
			return fmt.Errorf("entente at %d: %w", r.conns, err)
		}
		b.sent, b.kept = b.sent+int64(len(ours)), b.kept+int64(len(theirs))
		b.out.add(fmt.Sprintf("PocketBase/s at %d", r.conns), their.PerSecond)
		b.out.add(fmt.Sprintf("Entente/s at %d", r.conns), our.PerSecond)
		b.out.add(fmt.Sprintf("times PocketBase at %d", r.conns), our.PerSecond/their.PerSecond)
		b.say("  %2d connections: Entente %s/s (p99 %v), PocketBase %s/s (p99 %v)", r.conns, short(our.PerSecond), our.P99, short(their.PerSecond), their.P99)
		if r.conns == mostConns {
			b.out.add("p50 ms", ms(our.P50))
			b.out.add("p99 ms", ms(our.P99))
			b.out.add("PocketBase p99 ms", ms(their.P99))
		}
		if r.conns == 16 {
			if err := b.wholeWay(ctx, e, r.conns); err != nil {
				return err
			}
			continue
		}
		commits, err := run(ctx, r.conns, limit.jobs(len(ours)))
		if err != nil {
			return fmt.Errorf("SQLite at %d: %w", r.conns, err)
		}
		b.out.add(fmt.Sprintf("SQLite/s at %d", r.conns), commits.PerSecond)
		b.out.add(fmt.Sprintf("share of SQLite at %d", r.conns), 100*our.PerSecond/commits.PerSecond)
		b.say("  %2d connections: SQLite %s commits/s", r.conns, short(commits.PerSecond))
	}
	return nil
}

func (b *bench) prepare(ctx context.Context, e *entente, p *pocketbase, clients int) (ours, theirs []job, err error) {
	_, visits, err := e.invitations(ctx, clients, courseLength)
	if err != nil {
		return nil, nil, fmt.Errorf("prepare Entente: %w", err)
	}
	if ours, err = e.submissions(ctx, visits); err != nil {
		return nil, nil, fmt.Errorf("prepare Entente: %w", err)
	}
	ids, err := p.clients(ctx, clients)
	if err != nil {
		return nil, nil, fmt.Errorf("prepare PocketBase: %w", err)
	}
	theirs, err = p.submissions(ids, courseLength)
	return ours, theirs, err
}

// wholeWay measures what stands in no promise: the four requests of a client.
func (b *bench) wholeWay(ctx context.Context, e *entente, conns int) error {
	_, visits, err := e.invitations(ctx, 20, courseLength)
	if err != nil {
		return err
	}
	m, err := run(ctx, conns, e.whole(visits))
	if err != nil {
		return fmt.Errorf("entente, the whole way: %w", err)
	}
	b.sent += int64(len(visits))
	b.out.add("whole ways/s at 16", m.PerSecond)
	b.say("  %2d connections: Entente %s whole ways/s (link, form, answers, receipt)", conns, short(m.PerSecond))
	return nil
}

// histories reads one client's 50 responses: here the therapist's page with its
// charts, there the list as JSON.
func (b *bench) histories(ctx context.Context, e *entente, p *pocketbase) error {
	clients, visits, err := e.invitations(ctx, 1, 50)
	if err != nil {
		return err
	}
	ours, err := e.submissions(ctx, visits)
	if err != nil {
		return err
	}
	ids, err := p.clients(ctx, 1)
	if err != nil {
		return err
	}
	theirs, err := p.submissions(ids, 50)
	if err != nil {
		return err
	}
	if _, err := run(ctx, 1, append(ours, theirs...)); err != nil {
		return err
	}
	b.sent, b.kept = b.sent+50, b.kept+50
	for range b.pairs {
		for _, at := range []struct {
			conns, times int
			suffix       string
		}{{1, 200, ""}, {16, 600, " at 16"}} {
			their, err := b.timed(ctx, p.proc, "PocketBase CPU ms a list"+at.suffix, at.conns, p.history(ids[0], at.times))
			if err != nil {
				return fmt.Errorf("PocketBase, 50 responses: %w", err)
			}
			our, err := b.profiled(ctx, e, "Entente CPU ms a page"+at.suffix, at.conns, repeat(at.times, func(ctx context.Context) error {
				_, err := e.page(ctx, clients[0], e.staff)
				return err
			}))
			if err != nil {
				return fmt.Errorf("entente, 50 responses: %w", err)
			}
			b.out.add("Entente pages/s"+at.suffix, our.PerSecond)
			b.out.add("PocketBase lists/s"+at.suffix, their.PerSecond)
			b.out.add("history"+at.suffix, our.PerSecond/their.PerSecond)
		}
	}
	return nil
}

func (b *bench) remember(p *process, name string) error {
	n, err := p.resident()
	if err == nil {
		b.out.add(name, float64(n)/1e6)
	}
	return err
}

// recount compares what was acknowledged with what is in the files.
func (b *bench) recount(ctx context.Context) error {
	ours, err := countRows(ctx, b.ours.file(), "response")
	if err != nil {
		return err
	}
	theirs, err := countRows(ctx, filepath.Join(b.dir, "pocketbase", "data.db"), "responses")
	if err != nil {
		return err
	}
	if ours != b.sent || theirs != b.kept {
		return fmt.Errorf("acknowledged and kept differ: Entente %d and %d, PocketBase %d and %d", b.sent, ours, b.kept, theirs)
	}
	b.say("acknowledged and found in the files: Entente %d, PocketBase %d", ours, theirs)
	return nil
}

// postgresMode measures Entente on PostgreSQL beside pgbench on the same server.
func (b *bench) postgresMode(ctx context.Context) (err error) {
	pg, err := startPostgres(ctx, b.dir)
	if err != nil {
		return err
	}
	defer func() { err = join(err, pg.stop) }()
	d := b.ours
	d.folder, d.database = filepath.Join(b.dir, "on-postgres"), pg.dsn()
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return err
	}
	e, setUp, err := d.serve(ctx, mostConns)
	if err != nil {
		return err
	}
	defer func() { err = join(err, e.proc.stop) }()
	if err := e.found(ctx, setUp); err != nil {
		return err
	}
	for n := range b.pairs {
		_, visits, err := e.invitations(ctx, 100, courseLength)
		if err != nil {
			return err
		}
		jobs, err := e.submissions(ctx, visits)
		if err != nil {
			return err
		}
		limit, err := pg.inserts(ctx, 16, 3)
		if err != nil {
			return err
		}
		our, err := b.timed(ctx, e.proc, "Entente on PostgreSQL CPU ms", 16, jobs)
		if err != nil {
			return fmt.Errorf("entente on PostgreSQL: %w", err)
		}
		b.out.add("pgbench/s", limit)
		b.out.add("Entente on PostgreSQL/s", our.PerSecond)
		b.out.add("share of pgbench", 100*our.PerSecond/limit)
		b.say("PostgreSQL pair %d of %d: Entente %s/s, pgbench %s/s", n+1, b.pairs, short(our.PerSecond), short(limit))
	}
	return nil
}
