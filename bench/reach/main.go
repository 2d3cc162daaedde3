// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/entente-project/entente/stats"
	"github.com/entente-project/entente/stats/lmm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reach:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	into := flag.String("into", "", "Markdown file whose part between the marks of bench-stats is replaced by the table")
	pairs := flag.Int("pairs", 5, "how many times each is run in turn")
	budget := flag.Duration("budget", 10*time.Minute, "no further pair of a line begins after so long")
	only := flag.String("only", "", "regular expression of the lines to measure")
	million := flag.String("million", "", "read this file, fit it, say the memory: what the program asks of itself")
	flag.Parse()
	if *million != "" {
		return fitFile(*million)
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("read -only: %w", err)
	}
	dir, err := os.MkdirTemp("", "entente-reach-")
	if err != nil {
		return fmt.Errorf("make a folder for the data: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r, err := startR(ctx, dir)
	if errors.Is(err, errNoR) {
		fmt.Fprintln(os.Stderr, err, "- our side alone")
	} else if err != nil {
		return err
	}
	b := &board{dir: dir, r: r, pairs: *pairs, budget: *budget, loads: []string{load()}}
	for _, j := range jobs() {
		if !wanted.MatchString(j.what) {
			continue
		}
		if err := b.measure(ctx, j); err != nil {
			return err
		}
	}
	if err := b.memory(ctx); err != nil {
		return err
	}
	if r != nil {
		if err := r.stop(); err != nil {
			return err
		}
	}
	return b.publish(*into)
}

// load is that of the last minute, "unknown" where the system does not say.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}

// timed runs f often enough for a clock to see it, after a collection.
func timed(f func() ([]float64, error)) (seconds float64, values []float64, err error) {
	runtime.GC()
	began, n := time.Now(), 0
	for n == 0 || time.Since(began) < 30*time.Millisecond {
		if values, err = f(); err != nil {
			return 0, nil, err
		}
		n++
	}
	return time.Since(began).Seconds() / float64(n), values, nil
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// fitFile is the million rows as the program would read them from a file.
func fitFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("open the data: %w", err)
	}
	defer func() { _ = file.Close() }()
	began := time.Now()
	f, err := stats.ReadCSV(file, stats.CSVOptions{})
	if err != nil {
		return err
	}
	m, err := lmm.Fit("y ~ x + (x | g)", f, nil)
	if err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Errorf("learn the memory: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if w := strings.Fields(line); len(w) > 1 && w[0] == "VmHWM:" {
			fmt.Println(m.N, w[1], seconds)
		}
	}
	return nil
}

// memory asks a fresh process of this program for the peak of a million rows.
func (b *board) memory(ctx context.Context) error {
	file := filepath.Join(b.dir, "million.csv")
	if err := sessions(1e6).csv(file); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	out, err := exec.CommandContext(ctx, self, "-million", file).Output() //nolint:gosec // this program
	if err != nil {
		return fmt.Errorf("fit a million rows from a file: %w", err)
	}
	if runtime.GOOS != "linux" {
		return nil
	}
	var rows, kb, seconds float64
	if _, err := fmt.Sscan(string(out), &rows, &kb, &seconds); err != nil {
		return fmt.Errorf("read %q: %w", out, err)
	}
	b.lines = append(b.lines, fmt.Sprintf("| %.0f rows from a CSV file, read and fitted | %.1f s, %.0f MB at most | | | under 1 GB | %s | |", rows, seconds, kb/1024, verdict(kb < 1<<20)))
	return nil
}

func verdict(met bool) string {
	if met {
		return "reached"
	}
	return "MISSED"
}

// publish prints the table and, where asked, puts it between the marks.
func (b *board) publish(into string) error {
	text := b.String()
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if into == "" {
		return nil
	}
	old, err := os.ReadFile(into)
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	const open, shut = "<!-- bench-stats:", "<!-- /bench-stats -->"
	head, rest, found := strings.Cut(string(old), open)
	mark, rest, opened := strings.Cut(rest, "-->\n")
	_, tail, closed := strings.Cut(rest, shut)
	if !found || !opened || !closed {
		return fmt.Errorf("%s has no marks %s ... --> and %s", into, open, shut)
	}
	page := head + open + mark + "-->\n" + text + shut + tail
	if err := os.WriteFile(into, []byte(page), 0o644); err != nil { //nolint:gosec // a page of the documentation
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}
