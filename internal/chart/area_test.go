// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"encoding/xml"
	"math"
	"strings"
	"testing"
)

// TestArea: what is there is shaded and cut at the scale, a gap parts it, one session
// alone has a width, and what is not there is not drawn.
func TestArea(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	c := Course{ID: "c", Ticks: sessions(6), Min: 0, Max: 10, Lines: []Line{{Name: "W", Mark: Outcome, Values: []float64{1, 2, 3, 4, 5, 6}}}}
	for name, x := range map[string]struct {
		a     *Area
		paths int
	}{
		"none":           {nil, 0},
		"nowhere":        {&Area{Lower: []float64{nan, nan}, Upper: []float64{1, nan}}, 0},
		"all":            {&Area{Lower: []float64{1, 1, 1, 1, 1, 1}, Upper: []float64{9, 9, 9, 9, 9, 9}}, 1},
		"with a gap":     {&Area{Lower: []float64{1, 1, nan, 1, 1, 1}, Upper: []float64{9, 9, 9, 9, 9, math.Inf(1)}}, 2},
		"one session":    {&Area{Lower: []float64{nan, 1}, Upper: []float64{nan, 9}}, 1},
		"more than fits": {&Area{Lower: []float64{-99, -99, -99, -99, -99, -99, 1, 1}, Upper: []float64{99, 99, 99, 99, 99, 99, 2, 2}}, 1},
	} {
		if x.a != nil {
			x.a.Label = "<four of five>"
		}
		c.Area = x.a
		svg := string(c.SVG())
		var drawn struct {
			Paths []struct {
				Class string `xml:"class,attr"`
				D     string `xml:"d,attr"`
			} `xml:"path"`
		}
		if err := xml.Unmarshal([]byte(svg), &drawn); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n := 0
		for _, p := range drawn.Paths {
			if p.Class != "expected" {
				continue
			}
			n++
			if !strings.HasPrefix(p.D, "M") || strings.Contains(p.D, "-") || strings.Contains(p.D, "NaN") {
				t.Errorf("%s leaves the picture: %s", name, p.D)
			}
		}
		if n != x.paths || n > 0 && !strings.Contains(svg, "&lt;four of five&gt;") {
			t.Errorf("%s: %d stretches, want %d", name, n, x.paths)
		}
	}
}
