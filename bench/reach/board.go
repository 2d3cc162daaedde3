// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// board gathers the lines of the table.
type board struct {
	dir    string
	r      *session // nil without R
	pairs  int
	budget time.Duration // no further pair of a job begins after so long
	lines  []string
	loads  []string
	differ []string // what was not equal
}

// tolerance of an estimate against R's at its default settings, and how much
// lower than R's what the fit maximises may end.
const (
	tolerance = 1e-3
	lower     = 1e-9
)

// measure runs one job in turn with R.
func (b *board) measure(ctx context.Context, j job) error {
	t := j.make(j.rows)
	fit, err := j.fit(t)
	if err != nil {
		return fmt.Errorf("%s: %w", j.what, err)
	}
	r := b.r
	if j.withoutR {
		r = nil
	}
	if r != nil {
		file := filepath.Join(b.dir, "data.csv")
		if err := t.csv(file); err != nil {
			return err
		}
		if _, err := r.ask("load " + j.family + " " + file); err != nil {
			return err
		}
	}
	var ours, theirs []float64
	difference, above := 0.0, math.Inf(1)
	began := time.Now()
	for n := range b.pairs {
		if n > 0 && time.Since(began) > b.budget {
			break
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("ended in %s: %w", j.what, err)
		}
		b.loads = append(b.loads, load())
		fmt.Fprintf(os.Stderr, "%s: pair %d of %d, load %s\n", j.what, n+1, b.pairs, load())
		seconds, values, err := timed(fit)
		if err != nil {
			return fmt.Errorf("%s: %w", j.what, err)
		}
		ours = append(ours, seconds)
		if r == nil {
			continue
		}
		answer, err := r.ask("run " + j.family)
		if err != nil {
			return err
		}
		theirs = append(theirs, answer[0])
		d, a, err := compare(values, answer[1:])
		if err != nil {
			return fmt.Errorf("%s: %w", j.what, err)
		}
		difference, above = max(difference, d), min(above, a)
	}
	b.line(j, ours, theirs, difference, above)
	return nil
}

// compare is the largest relative difference of the estimates, and how far ours
// of what the fit maximises is above R's.
func compare(ours, theirs []float64) (difference, above float64, err error) {
	if len(ours) != len(theirs) {
		return 0, 0, fmt.Errorf("%d values, R has %d", len(ours), len(theirs))
	}
	for i := 1; i < len(ours); i++ {
		difference = max(difference, math.Abs(ours[i]-theirs[i])/max(math.Abs(theirs[i]), 1e-3))
	}
	return difference, ours[0] - theirs[0], nil
}

func (b *board) line(j job, ours, theirs []float64, difference, above float64) {
	a := median(ours)
	if len(theirs) == 0 {
		why := "not measured"
		if j.withoutR && b.r != nil {
			why = "not run: it takes more than 300 s"
		}
		state := verdict(j.met(a, 0))
		if j.met(math.Inf(1), 0) { // a ratio, for which R is needed
			state = "-"
		}
		b.lines = append(b.lines, fmt.Sprintf("| %s | %s | %s | | %s | %s | |", j.what, duration(a), why, j.reach, state))
		return
	}
	r := median(theirs)
	same := difference <= tolerance && above >= -lower*math.Abs(above+1)-1e-7
	ratio := fmt.Sprintf("%.0f x", r/a)
	if len(theirs) < b.pairs {
		ratio += fmt.Sprintf(" (%d of %d pairs)", len(theirs), b.pairs)
	}
	if !same {
		ratio = "values differ"
		b.differ = append(b.differ, j.what)
	}
	b.lines = append(b.lines, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %.1e; %+.1e |",
		j.what, duration(a), duration(r), ratio, j.reach, verdict(same && j.met(a, r)), difference, above))
}

func duration(seconds float64) string {
	switch {
	case seconds < 1e-3:
		return fmt.Sprintf("%.0f us", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.3g ms", seconds*1e3)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// String is the table as Markdown.
func (b *board) String() string {
	var s strings.Builder
	with := "without R"
	if b.r != nil {
		with = b.r.version
	}
	fmt.Fprintf(&s, "Last run: %s, %d cores, %s, %s. Load when the pairs began: %s.\n\n", time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version(), with, span(b.loads))
	s.WriteString("| job | ours | R | ratio | reach | | estimates; criterion above R's |\n|---|---|---|---|---|---|---|\n")
	for _, l := range b.lines {
		s.WriteString(l + "\n")
	}
	if len(b.differ) > 0 {
		fmt.Fprintf(&s, "\nNot equal within %.0e: %s.\n", tolerance, strings.Join(b.differ, ", "))
	}
	return s.String()
}

// span is the lowest and the highest load.
func span(loads []string) string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, l := range loads {
		var x float64
		if _, err := fmt.Sscan(l, &x); err == nil {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	if lo > hi {
		return "unknown"
	}
	return fmt.Sprintf("%.1f to %.1f", lo, hi)
}
