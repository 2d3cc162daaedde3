// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// profileVariable names, for the program in ./profiled, the file its profiles go
// to; each ends in what was going on.
const profileVariable = "BENCH_PROFILE"

// profiling tells whether the server is the one that profiles itself.
func profiling() bool { return os.Getenv(profileVariable) != "" }

// timed runs all jobs and keeps how much of the processors' time the server
// used for each.
func (b *bench) timed(ctx context.Context, p *process, name string, conns int, jobs []job) (measure, error) {
	before, err := p.processor()
	if err != nil {
		return measure{}, err
	}
	m, err := run(ctx, conns, jobs)
	if err != nil {
		return m, err
	}
	after, err := p.processor()
	b.out.add(name, ms(after-before)/float64(len(jobs)))
	return m, err
}

// profiled is timed for Entente; with -profile the server's profile is of nothing
// else.
func (b *bench) profiled(ctx context.Context, e *entente, name string, conns int, jobs []job) (m measure, err error) {
	if !profiling() {
		return b.timed(ctx, e.proc, name, conns, jobs)
	}
	mark := func(s syscall.Signal, word string) error {
		if err := e.proc.cmd.Process.Signal(s); err != nil {
			return err
		}
		file, err := e.proc.await(ctx, "profile "+word+" ")
		if err == nil {
			b.say("  profile %s %s", word, file)
		}
		return err
	}
	if err := mark(syscall.SIGUSR1, "begins"); err != nil {
		return m, err
	}
	if m, err = b.timed(ctx, e.proc, name, conns, jobs); err != nil {
		return m, err
	}
	return m, mark(syscall.SIGUSR2, "ends")
}

// useProfiled has the server be the one that profiles itself.
func (b *bench) useProfiled(ctx context.Context, file string) error {
	abs, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if err := os.Setenv(profileVariable, abs); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return build(ctx, ".", "./profiled", b.ours.program)
}
