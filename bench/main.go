// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := measureAll(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measureAll(ctx context.Context) (err error) {
	dir := flag.String("dir", "", "folder on the disk to measure; default: a temporary one")
	pairs := flag.Int("pairs", 5, "how many times each is run in turn")
	only := flag.String("only", "", "one step alone: start, idle, sqlite, postgres; or none, for -responses alone")
	responses := flag.Int("responses", 0, "also fill a database with so many responses; a million take long")
	profile := flag.String("profile", "", "measure a server that writes profiles of each run into this file and a number")
	flag.Parse()
	if flag.NArg() > 0 || *pairs < 1 || *profile != "" && *responses > 0 || !slices.Contains([]string{"", "start", "idle", "sqlite", "postgres", "none"}, *only) {
		return errors.New("usage: go run . [-dir FOLDER] [-pairs N] [-only STEP] [-responses N | -profile FILE]")
	}
	work, err := os.MkdirTemp(*dir, "entente-bench-")
	if err != nil {
		return err
	}
	defer func() { err = join(err, func() error { return os.RemoveAll(work) }) }()
	if err := os.Chmod(work, 0o711); err != nil { //nolint:gosec // PostgreSQL's user must pass through
		return err
	}
	b := &bench{dir: work, pairs: *pairs, out: figures{}, say: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	if err := b.build(ctx, *profile); err != nil {
		return err
	}
	before, began := load(), time.Now()
	steps := []step{{"start", b.starts}, {"idle", b.idle}, {"sqlite", b.sqlite}, {"postgres", b.postgresMode}}
	if *responses > 0 {
		steps = append(steps, step{"", func(ctx context.Context) error { return b.many(ctx, *responses) }})
	}
	for _, s := range steps {
		if *only != "" && s.name != "" && s.name != *only {
			continue
		}
		if err = s.do(ctx); err != nil {
			break // what was measured until now is printed all the same
		}
	}
	return errors.Join(b.report(before, began), err)
}

type step struct {
	name string // "" for one that was asked for by a flag of its own
	do   func(context.Context) error
}

func (b *bench) build(ctx context.Context, profile string) error {
	b.ours = practiceData{program: filepath.Join(b.dir, "entente-server"), folder: filepath.Join(b.dir, "entente")}
	b.theirs = filepath.Join(b.dir, "pocketbase-server")
	if err := os.MkdirAll(b.ours.folder, 0o700); err != nil {
		return err
	}
	b.say("building both servers")
	if err := build(ctx, "..", "./cmd/entente", b.ours.program); err != nil {
		return err
	}
	if err := build(ctx, ".", "./pocket", b.theirs); err != nil {
		return err
	}
	if err := b.sizes(); err != nil || profile == "" {
		return err
	}
	return b.useProfiled(ctx, profile)
}

// report prints the table, and what stands in no promise below it.
func (b *bench) report(before string, began time.Time) error {
	fmt.Printf("\n%s, %s, %d processors, %s; %d pairs; load before %s, after %s; %s\n\n", began.UTC().Format(time.DateOnly), runtime.GOOS+"/"+runtime.GOARCH,
		runtime.NumCPU(), runtime.Version(), b.pairs, before, load(), time.Since(began).Round(time.Second))
	lines := promised(median(b.out["responses"]))
	if err := b.out.write(os.Stdout, lines); err != nil {
		return err
	}
	said := map[string]bool{}
	for _, l := range lines {
		said[l.name] = true
		for _, name := range l.beside {
			said[name] = true
		}
	}
	var rest []string
	for name := range b.out {
		if !said[name] {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	fmt.Print("\nBeside: ")
	for i, name := range rest {
		if i > 0 {
			fmt.Print("; ")
		}
		fmt.Printf("%s %s", name, short(median(b.out[name])))
	}
	fmt.Println(".")
	return nil
}
