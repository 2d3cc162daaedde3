// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
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
	c.Ticks[59] = "last"
	svg := string(c.SVG())
	if n := strings.Count(svg, `text-anchor="middle">12<`); n == 0 || n > 9 {
		t.Errorf("%d labels on the narrow axis", n)
	}
	if !strings.Contains(svg, ">last<") {
		t.Error("the newest session is not named")
	}
	if n := strings.Count(svg, `class="mark bond`); n != 60 {
		t.Errorf("%d marks can be pointed at, want 60", n)
	}
}

// A mark from an imported instrument goes into a class: nothing may leave it.
func TestUnknownMark(t *testing.T) {
	t.Parallel()
	c := Course{ID: "two ids", Ticks: sessions(2), Max: 10, Lines: []Line{{Name: "n", Mark: `x" onload="y`, Values: []float64{1, 2}}}}
	for _, svg := range []string{string(c.SVG()), string(c.Spark())} {
		if strings.Contains(svg, "onload") || !strings.Contains(svg, `class="line whole"`) {
			t.Error(svg)
		}
	}
	if svg := string(c.SVG()); !strings.Contains(svg, `aria-labelledby="two-ids-t two-ids-d"`) {
		t.Error("an id with a space parts into two")
	}
}

// What lies beyond the scale is drawn where it is, not at the edge.
func TestAxisGrows(t *testing.T) {
	t.Parallel()
	f := Course{Ticks: sessions(2), Min: 1, Max: 5, Lines: []Line{{Mark: Bond, Values: []float64{5, 7}}}, Thresholds: []Threshold{{Value: -1}}}.frame()
	if !(f.y(7) < f.y(5)-10) || math.Abs(f.y(7)-f.top) > 1e-9 || math.Abs(f.y(-1)-f.bottom) > 1e-9 {
		t.Errorf("7 at %v, 5 at %v, -1 at %v, plot %v to %v", f.y(7), f.y(5), f.y(-1), f.top, f.bottom)
	}
}

// On the first session all dimensions often have one value; each stays visible.
func TestMarksThatCoincideStandApart(t *testing.T) {
	t.Parallel()
	v := []float64{4, 4}
	f := Course{Ticks: sessions(2), Min: 1, Max: 5, Lines: []Line{{Mark: Bond, Values: v}, {Mark: Tasks, Values: v}, {Mark: Goals, Values: []float64{4, 2}}}}.frame()
	a := f.aside()
	if a[0][0] != -8 || a[1][0] != 0 || a[2][0] != 8 || a[2][1] != 0 || a[1][1]-a[0][1] != 8 {
		t.Errorf("offsets %v", a)
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	comma := func(v float64) string { return strings.Replace(Line{}.format(v), ".", ",", 1) }
	for _, test := range []struct {
		low, high float64
		format    func(float64) string
		want      string
	}{
		{1, 5, nil, "1 2 3 4 5"}, {0, 40, nil, "0 10 20 30 40"}, {0, 1, comma, "0,0 0,2 0,4 0,6 0,8 1,0"}, {-2, 2, nil, "−2 −1 0 1 2"},
	} {
		f := Course{Ticks: sessions(1), Min: test.low, Max: test.high, Height: 220, Lines: []Line{{Values: []float64{test.low}, Format: test.format}}}.frame()
		var got []string
		for _, v := range f.scale() {
			got = append(got, f.number(v))
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%v to %v: %q, want %q", test.low, test.high, s, test.want)
		}
	}
}

// A drawing program knows no variables, and a page allows no style attribute.
func TestColours(t *testing.T) {
	t.Parallel()
	c := Course{ID: "c", Ticks: sessions(2), Max: 10, Lines: []Line{{Name: "Bond", Mark: Bond, Values: []float64{1, 2}}}}
	if s := string(c.Standalone()); strings.Contains(s, "var(") || !strings.Contains(s, `width="880"`) || !strings.Contains(s, "#a8461f") {
		t.Error(s)
	}
	if s := string(c.SVG()); strings.Contains(s, "<style") || strings.Contains(s, "#a8461f") {
		t.Error(s)
	}
	for _, want := range []string{"svg.course{display:block;width:100%;height:auto", "var(--bond)", "var(--whole,var(--ink))", "@media print"} {
		if !strings.Contains(CSS(), want) {
			t.Errorf("no %s in the rules", want)
		}
	}
}

func TestNiceStep(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]float64{.3: .5, 1: 1, 1.1: 2, 2.5: 5, 7: 10, 0: 1, math.NaN(): 1} {
		if got := niceStep(x); got != want {
			t.Errorf("step for %v: %v, want %v", x, got, want)
		}
	}
}
