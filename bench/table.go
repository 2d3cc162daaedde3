// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// figures are the values of each name, one for each pair.
type figures map[string][]float64

func (f figures) add(name string, v float64) { f[name] = append(f[name], v) }

// line is one promise of the design with its two bounds.
type line struct {
	name        string // in figures
	what, unit  string
	reach, aim  float64
	most        bool // the bounds are upper ones
	decimals    int
	beside      []string // absolute figures that explain it
	whyNotAsked string   // said where nothing was measured
}

// verdict says how a value stands to the bounds.
func (l line) verdict(v float64) string {
	within := func(bound float64) bool {
		if l.most {
			return v <= bound
		}
		return v >= bound
	}
	switch {
	case within(l.aim):
		return "aim met"
	case within(l.reach):
		return "reached"
	}
	return "MISSED"
}

// text is a value with its unit.
func (l line) text(v float64) string { return fmt.Sprintf("%.*f%s", l.decimals, v, l.unit) }

// write prints the table of all lines as Markdown.
func (f figures) write(w io.Writer, lines []line) error {
	var b strings.Builder
	b.WriteString("| figure | measured | spread | reach | aim | |\n|---|---|---|---|---|---|\n")
	for _, l := range lines {
		measured, spread, verdict := "not measured", l.whyNotAsked, ""
		if v := f[l.name]; len(v) > 0 {
			m := median(v)
			measured, spread, verdict = "**"+l.text(m)+"**", "", l.verdict(m)
			if len(v) > 1 {
				spread = l.text(slices.Min(v)) + " to " + l.text(slices.Max(v))
			}
			for _, name := range l.beside {
				if x := f[name]; len(x) > 0 {
					measured += fmt.Sprintf("; %s %s", name, short(median(x)))
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", l.what, measured, spread, l.text(l.reach), l.text(l.aim), verdict)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// short writes a figure with three digits, large ones whole.
func short(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(math.Max(v, .01))))), v)
}

// promised are the lines of "Speed and size it must reach"; responses is how many
// the large database holds, 0 if there is none.
func promised(responses float64) []line {
	rate := func(conns int, reach, aim float64) line {
		return line{name: fmt.Sprintf("times PocketBase at %d", conns), what: fmt.Sprintf("durable submissions at %d, against PocketBase", conns), unit: "x", reach: reach, aim: aim, decimals: 2,
			beside: []string{fmt.Sprintf("Entente/s at %d", conns), fmt.Sprintf("PocketBase/s at %d", conns), fmt.Sprintf("Entente CPU ms at %d", conns), fmt.Sprintf("PocketBase CPU ms at %d", conns)}}
	}
	memory := func(name, what string, reach, aim float64) line {
		return line{name: name, what: "resident memory, " + what, unit: " MB", reach: reach, aim: aim, most: true}
	}
	filled := "a million responses"
	if responses > 0 {
		filled = fmt.Sprintf("%.0f responses", responses)
	}
	asked := func(l line) line { l.whyNotAsked = "asked for by -responses"; return l }
	return []line{
		rate(1, .8, 1), rate(16, 2, 3), rate(64, 2.5, 4),
		{name: "p99 ms", what: "p99 of a submission at 64", unit: " ms", reach: 120, aim: 50, most: true, beside: []string{"p50 ms", "PocketBase p99 ms"}},
		{name: "history", what: "one client's last 50 responses, against PocketBase, 1 connection", unit: "x", reach: 3, aim: 5, decimals: 2, beside: []string{"Entente pages/s", "PocketBase lists/s", "Entente CPU ms a page", "PocketBase CPU ms a list"}},
		{name: "history at 16", what: "the same, 16 connections", unit: "x", reach: 3, aim: 5, decimals: 2, beside: []string{"Entente pages/s at 16", "PocketBase lists/s at 16", "Entente CPU ms a page at 16", "PocketBase CPU ms a list at 16"}},
		{name: "share of SQLite at 1", what: "share of SQLite's own FULL commits, 1 connection", unit: " %", reach: 30, aim: 50, beside: []string{"SQLite/s at 1"}},
		{name: "share of SQLite at 64", what: "the same, 64 connections", unit: " %", reach: 100, aim: 180, beside: []string{"SQLite/s at 64"}},
		{name: "share of pgbench", what: "PostgreSQL mode, share of pgbench's one-row inserts at 16", unit: " %", reach: 35, aim: 55, beside: []string{"Entente on PostgreSQL/s", "pgbench/s"}},
		memory("memory idle", "idle", 60, 35), memory("memory after", "after the runs at 64", 160, 96),
		asked(memory("memory many", "with "+filled, 200, 128)),
		{name: "start empty", what: "start to first answer, empty", unit: " ms", reach: 150, aim: 60, most: true},
		asked(line{name: "start many", what: "start to first answer, " + filled, unit: " ms", reach: 500, aim: 150, most: true, beside: []string{"database MB"}}),
		{name: "binary MB", what: "binary", unit: " MB", reach: 40, aim: 28, most: true, decimals: 1, beside: []string{"PocketBase binary MB"}},
		{name: "form kB", what: "client's form, all bytes on the wire", unit: " kB", reach: 45, aim: 20, most: true, decimals: 1, beside: []string{"from the link kB"}},
		{name: "form requests", what: "client's form, requests", reach: 4, aim: 2, most: true, beside: []string{"from the link requests"}},
	}
}
