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
	var b bytes.Buffer
	f := course(t, 1e6)
	x, _ := f.Column("x")
	y, _ := f.Column("y")
	g, _ := f.Column("g")
	b.WriteString("y,x,g\n")
	for i := range f.Rows() {
		for k, c := range []*stats.Column{y, x, g} {
			if k > 0 {
				b.WriteByte(',')
			}
			s, _ := c.Level(i)
			b.WriteString(s)
		}
		b.WriteByte('\n')
	}
	runtime.GC()
	f, err := stats.ReadCSV(&b, stats.CSVOptions{})
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
