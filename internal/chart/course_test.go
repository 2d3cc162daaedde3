// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func sessions(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "12"
	}
	return out
}

func wellFormed(t *testing.T, name, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

func TestSVG(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	hostile := `</svg><script>alert("x")</script>&'`
	for name, values := range map[string][]float64{
		"gaps": {3, nan, 4, 5, nan, nan, 6}, "equal": {5, 5, 5, 5, 5, 5, 5}, "one": {nan, nan, nan, 4, nan, nan, nan}, "outside": {-3, 14, math.Inf(1), 2, 3, 4, 5},
	} {
		c := Course{ID: hostile, Title: hostile, Description: hostile, Ticks: sessions(len(values)), Max: 10, Empty: "nothing",
			Lines:      []Line{{Name: hostile, Mark: Goals, Values: values}, {Name: "Therapist", Mark: Therapist, Dashed: true, Values: values}},
			Thresholds: []Threshold{{3, hostile}}, Notes: []Note{{1, hostile}, {99, "out"}}, Bands: []Band{{2, 3, hostile}},
			SessionLabel: func(int) string { return hostile }}
		for _, w := range []Width{Wide, Narrow} {
			c.Width = w
			svg := string(c.SVG())
			wellFormed(t, name, svg)
			if strings.Contains(svg, "<script") || strings.Contains(svg, "style=") || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
				t.Errorf("%s: %s", name, svg)
			}
			marks := 0
			for _, v := range values {
				if drawn(v) {
					marks++
				}
			}
			if got := strings.Count(svg, `class="mark goals"`); got != marks {
				t.Errorf("%s: %d marks for %d values", name, got, marks)
			}
		}
		wellFormed(t, name, string(c.Standalone()))
		wellFormed(t, name, string(c.Spark()))
	}
}

// A session that was not rated breaks the line: nothing is drawn across it.
func TestGapBreaksTheLine(t *testing.T) {
	t.Parallel()
	c := Course{ID: "c", Ticks: sessions(4), Max: 10, Lines: []Line{{Name: "Bond", Mark: Bond, Values: []float64{3, 4, math.NaN(), 6}}}}
	svg := string(c.SVG())
	_, path, _ := strings.Cut(svg, `class="line bond" fill="none" d="`)
	path, _, _ = strings.Cut(path, `"`)
	if strings.Count(path, "M") != 2 || strings.Count(path, "L") != 1 {
		t.Errorf("path %q", path)
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	for _, c := range []Course{
		{ID: "a", Empty: "Nothing yet"}, {ID: "b", Ticks: sessions(2), Max: 10, Empty: "Nothing yet", Lines: []Line{{Values: []float64{math.NaN(), math.NaN()}}}},
	} {
		if svg := string(c.SVG()); !strings.Contains(svg, "Nothing yet") {
			t.Error(svg)
		}
	}
}

func TestManySessions(t *testing.T) {
	t.Parallel()
	values := make([]float64, 60)
	c := Course{ID: "c", Ticks: sessions(60), Max: 10, Width: Narrow, Lines: []Line{{Name: "Bond", Mark: Bond, Values: values}}}
	if n := strings.Count(string(c.SVG()), `text-anchor="middle">12<`); n == 0 || n > 9 {
		t.Errorf("%d labels on the narrow axis", n)
	}
}

// Labels keep their order, their distance and the frame, whatever the values.
func TestLabelsNeverOverlap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wants := rapid.SliceOfN(rapid.Float64Range(14, 280), 1, 9).Draw(t, "wants")
		var ls []label
		for _, w := range wants {
			ls = append(ls, label{want: w})
		}
		got := spread(ls, 14, 290, labelRoom)
		for i, l := range got {
			if l.at < 14-1e-9 || l.at > 290+1e-9 {
				t.Fatalf("label %d at %v leaves the frame", i, l.at)
			}
			if i > 0 && l.at-got[i-1].at < labelRoom-1e-9 {
				t.Fatalf("labels %d and %d overlap: %v %v", i-1, i, got[i-1].at, l.at)
			}
		}
	})
}

func TestNiceStep(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]float64{.3: .5, 1: 1, 1.1: 2, 2.5: 5, 7: 10, 0: 1, math.NaN(): 1} {
		if got := niceStep(x); got != want {
			t.Errorf("step for %v: %v, want %v", x, got, want)
		}
	}
}
