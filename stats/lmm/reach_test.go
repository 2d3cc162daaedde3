// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/entente-project/entente/stats"
)

// peak reads the largest resident size of this process in MB, where Linux says it.
func peak() int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			kb, _ := strconv.Atoi(f[1])
			return kb >> 10
		}
	}
	return 0
}

// TestDrillMillion reads a million rows as CSV and fits a random slope, in less
// than 1 GB, where ENTENTE_DRILL is set.
func TestDrillMillion(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("a long test: set ENTENTE_DRILL")
	}
	b := courseCSV(t, 1e6)
	runtime.GC()
	f, err := stats.ReadCSV(b, stats.CSVOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m := mustFit(t, "y ~ x + (x | g)", f, nil)
	if !m.State.Converged || m.N != 1e6 {
		t.Errorf("%d rows: %+v", m.N, m.State)
	}
	mb := peak()
	t.Logf("%d rows: at most %d MB", m.N, mb)
	if mb > 1000 {
		t.Errorf("%d MB", mb)
	}
}

// courseCSV writes a course as a file would have it.
func courseCSV(t *testing.T, n int) *bytes.Buffer {
	t.Helper()
	f := course(t, n)
	b := &bytes.Buffer{}
	b.WriteString("y,x,g\n")
	for i := range f.Rows() {
		for k, name := range []string{"y", "x", "g"} {
			if k > 0 {
				b.WriteByte(',')
			}
			c, err := f.Column(name)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := c.Level(i)
			b.WriteString(s)
		}
		b.WriteByte('\n')
	}
	return b
}

// TestDrillPrediction leaves out the last session of each person, predicts it, and
// counts how often the interval holds it, where ENTENTE_DRILL is set.
func TestDrillPrediction(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("a long simulation: set ENTENTE_DRILL")
	}
	f := readFrame(t, "lmm_01_sleepstudy_reml.csv")
	truth := mustFit(t, "Reaction ~ Days + (Days | Subject)", f, nil)
	days, _ := f.Column("Days")
	var early, last []int
	for i, d := range days.Floats() {
		if d < 9 {
			early = append(early, i)
		} else {
			last = append(last, i)
		}
	}
	const draws = 1000
	hits, all := map[float64]int{}, 0
	for seed := range uint64(draws) {
		y, err := stats.NewNumeric("Reaction", truth.Simulate(seed), nil)
		if err != nil {
			t.Fatal(err)
		}
		f2, err := f.With(y)
		if err != nil {
			t.Fatal(err)
		}
		m := mustFit(t, "Reaction ~ Days + (Days | Subject)", f2.Take(early), nil)
		for _, level := range []float64{0.8, 0.95} {
			ps, err := m.Predict(f2.Take(last), PredictOptions{Level: level})
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range ps {
				v, _ := y.Float(last[i])
				if p.NewLower < v && v < p.NewUpper {
					hits[level]++
				}
			}
		}
		all += len(last)
	}
	for level, n := range hits {
		share := float64(n) / float64(all)
		t.Logf("%v intervals hold %.4f of %d sessions", level, share, all)
		// Variances are taken as known, so a little less is expected; by how much is
		// what this drill measures.
		if share < level-0.02 || share > level+0.01 {
			t.Errorf("%v intervals hold %.4f", level, share)
		}
	}
}
