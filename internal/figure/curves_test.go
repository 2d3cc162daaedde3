// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"strings"
	"testing"
)

// TestCurves: each line has its name beside its end, and no two names lie on each
// other, however close the lines end.
func TestCurves(t *testing.T) {
	t.Parallel()
	p := Curves{Title: "T", X: "x", Y: "y"}
	for _, name := range []string{"first <", "second", "third", "fourth"} {
		p.Lines = append(p.Lines, Curve{Name: name, Points: []Point{{.05, .2}, {.2, .5}}, Strong: name == "third", Dashed: name == "fourth"})
	}
	p.Lines = append(p.Lines, Curve{Name: "empty"})
	at := p.labels(Axis{From: 0, To: 1, At: 446, End: 88})
	for i := range at {
		for k := range at[:i] {
			if d := at[i] - at[k]; d < 14 && d > -14 {
				t.Errorf("names %d and %d lie %.1f apart", k, i, d)
			}
		}
	}
	svg := string(p.Draw().SVG())
	for _, want := range []string{"first &lt;", "empty", "5 lines"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q", want)
		}
	}
	if _, err := p.Draw().PNG(); err != nil {
		t.Error(err)
	}
}
