// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// courses writes so many stable courses of twelve ratings, the first few of which
// end in a large fall.
func coursesFile(t *testing.T, n, fallen int) string {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 36))
	var b strings.Builder
	b.WriteString("who,when,score\n")
	for i := range n {
		level := 14 + 2*r.NormFloat64()
		for s := range 12 {
			v := level + r.NormFloat64()
			if i < fallen && s == 11 {
				v -= 8
			}
			fmt.Fprintf(&b, "P%d,%d,%.2f\n", i, 12-s, min(20, max(0, v))) // the newest row first: --session puts them in order
		}
	}
	b.WriteString("short,1,10\nshort,2,11\n,3,10\nP0,,10\n")
	path := filepath.Join(t.TempDir(), "courses.csv")
	text := strings.ReplaceAll(b.String(), "\r", "")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFalls: courses that end in a large fall are asked about, each rule with the
// same number of questions finds nearly the same, and what cannot be used is named.
func TestFalls(t *testing.T) {
	t.Parallel()
	out := object(t, "falls", coursesFile(t, 60, 6), "--person", "who", "--session", "when", "--rating", "score", "--max", "20")
	text := fmt.Sprint(out)
	for i := range 6 {
		// Sessions run backwards in the file, so the fall is each course's first rating in time.
		if strings.Contains(text, fmt.Sprintf("course:P%d rating:12", i)) {
			t.Errorf("P%d was read in the order of the rows", i)
		}
	}
	out = object(t, "falls", coursesFile(t, 60, 6), "--person", "who", "--rating", "score", "--max", "20")
	asked := fmt.Sprint(out["asked"], out["result"])
	for i := range 6 {
		if !strings.Contains(asked, fmt.Sprintf("course:P%d ", i)) {
			t.Errorf("P%d is not asked about: %s", i, asked)
		}
	}
}

// TestFallsRefused: bad calls and bad ratings are one sentence each.
func TestFallsRefused(t *testing.T) {
	t.Parallel()
	file := coursesFile(t, 10, 0)
	for want, line := range map[string][]string{
		"is outside 0 to 10":       {"--person", "who", "--rating", "score"},
		"--max 0 must be above":    {"--person", "who", "--rating", "score", "--max", "0"},
		"a fall needs two ratings": {"--person", "who", "--rating", "score", "--max", "20", "--fewest", "1"},
		"no course has 99 ratings": {"--person", "who", "--rating", "score", "--max", "20", "--fewest", "99"},
		"there is no such column":  {"--person", "nobody", "--rating", "score", "--max", "20"},
		"there is no R code":       {"--person", "who", "--rating", "score", "--max", "20", "--r"},
	} {
		if _, err := perform(t, nil, append([]string{"falls", file}, line...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", line, err)
		}
	}
}

// TestAgreement works a table of six courses out by hand.
func TestAgreement(t *testing.T) {
	t.Parallel()
	a, b := asker{first: []int{3, 0, 5, 0, 0, 2}}, asker{first: []int{4, 0, 0, 0, 1, 2}}
	// Both 2, neither 2, one alone 1 and 1: seen 4/6, by chance 1/2.
	if k, both := agreement(a, b); both != 2 || math.Abs(k-1./3) > 1e-12 {
		t.Errorf("kappa %v, both %d", k, both)
	}
	if k, _ := agreement(asker{first: []int{0, 0}}, asker{first: []int{0, 0}}); !math.IsNaN(k) {
		t.Errorf("kappa of nothing: %v", k)
	}
	if got := limitFor([][]float64{{1, 5}, {2, 2}, {math.Inf(-1), 9}, {4, 0}}, 2); got != 4 {
		t.Errorf("limit %v", got)
	}
}
