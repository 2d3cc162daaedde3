// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
)

func forestOf(n int) *Forest {
	f := &Forest{Title: `A <title> & "its" signs`, Measure: "Correlation", Level: .95, Weights: true}
	for i := range n {
		v := math.Sin(float64(i)) / 2
		f.Rows = append(f.Rows, ForestRow{Label: strings.Repeat("A study with a long name ", 1+i%5), Estimate: v, Lower: v - .2, Upper: v + .2, Weight: 100 / float64(n)})
	}
	f.Summaries = []ForestSummary{{Label: "Average of all", Estimate: .1, Lower: 0, Upper: .2, PILower: -.3, PIUpper: .5, Note: "I² = 50 %"}}
	return f
}

// check that a picture is sound XML, whose places are numbers within it.
func check(t *testing.T, c *Canvas) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(c.SVG()))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if e.Name.Local == "script" || e.Name.Local == "style" {
			t.Errorf("the picture has a %s", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("%s of %s is %s", a.Name.Local, e.Name.Local, a.Value)
			}
		}
	}
	for _, it := range c.items {
		for _, p := range it.points {
			if p.X < -1 || p.X > c.W+1 || p.Y < -1 || p.Y > c.H+1 {
				t.Errorf("%+v lies outside of %g by %g (%q)", p, c.W, c.H, it.text)
			}
		}
		if it.text != "" {
			left := it.points[0].X
			switch w := Width(it.text, it.font); it.font.Anchor {
			case "middle":
				left -= w / 2
			case "end":
				left -= w
			}
			if right := left + Width(it.text, it.font); left < 0 || right > c.W {
				t.Errorf("%q goes from %.0f to %.0f of %g", it.text, left, right, c.W)
			}
		}
	}
}

func TestForests(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 13, 200} {
		check(t, forestOf(n).Draw())
	}
	wide := forestOf(20)
	wide.Rows[3].Lower, wide.Rows[3].Upper = -400, 400
	c := wide.Draw()
	check(t, c)
	ax := wide.axis(0, 100)
	if ax.To-ax.From > 10 {
		t.Errorf("one wide study stretches the axis to %g", ax.To-ax.From)
	}
	ratio := forestOf(5)
	ratio.Log, ratio.Null = true, 1
	for i := range ratio.Rows {
		r := &ratio.Rows[i]
		r.Estimate, r.Lower, r.Upper = math.Exp(r.Estimate), math.Exp(r.Lower), math.Exp(r.Upper)
	}
	s := &ratio.Summaries[0]
	s.Estimate, s.Lower, s.Upper, s.PILower, s.PIUpper = 1.1, 1, 1.2, .7, 1.6
	check(t, ratio.Draw())
}

func TestOtherPictures(t *testing.T) {
	t.Parallel()
	var labels []string
	var x, y, se, low, high []float64
	for i := range 120 {
		labels = append(labels, fmt.Sprintf("therapist with a name %d", i))
		v := math.Cos(float64(i))
		x, y, se, low, high = append(x, float64(i)), append(y, v), append(se, .1+.01*float64(i)), append(low, v-1), append(high, v+1)
	}
	marked := make([]bool, 120)
	marked[3], marked[119] = true, true
	for _, n := range []int{1, 12, 120} {
		check(t, (&Funnel{Title: "Funnel", Measure: "Effect", Centre: .2, Y: y[:n], SE: se[:n], FilledY: y[:1], FilledSE: se[:1]}).Draw())
		check(t, (&Dots{Title: "Dots", X: "x", Y: "y", Labels: labels[:n], XS: x[:n], YS: se[:n], Named: marked[:n]}).Draw())
		check(t, (&Panels{Title: "Panels", Labels: labels[:n], Marked: marked[:n], Panels: []Panel{{Title: "a", Values: y[:n], Limit: 2}, {Title: "b", Values: x[:n], Null: 1}}}).Draw())
		check(t, (&Caterpillar{Title: "Caterpillar", X: "Deviation", Effects: []CaterpillarEffect{{Name: "Intercept", Labels: labels[:n], Estimate: y[:n], Lower: low[:n], Upper: high[:n]}}}).Draw())
		var people []SpaghettiPerson
		for _, l := range labels[:n] {
			people = append(people, SpaghettiPerson{Label: l, X: x[:5], Y: y[:5], Fitted: low[:5]})
		}
		var courses []Course
		for i, l := range labels[:n] {
			gap := []float64{3, math.NaN(), 9, 1}
			courses = append(courses, Course{Label: l, Scores: gap, Lower: []float64{math.NaN(), 1, 1, 1}, Upper: []float64{math.NaN(), 9, 8, 7}, Sudden: []int{4, 99, 0}, Beyond: i == 0})
		}
		check(t, (&Courses{Title: "Courses", X: "session", Y: "score", People: courses}).Draw())
		check(t, (&Spaghetti{Title: "Spaghetti", X: "session", Y: "score", People: people}).Draw())
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, factors := range []int{1, 2, 6} {
		p := &PathModel{Title: "Model"}
		for i := range factors {
			p.Factors = append(p.Factors, fmt.Sprintf("factor %d with a long name", i))
			for j := range 3 {
				p.Loadings = append(p.Loadings, PathEdge{From: i, To: len(p.Items), Label: "0.70"})
				p.Items = append(p.Items, fmt.Sprintf("item%d%d", i, j))
				p.Residuals = append(p.Residuals, "0.51")
			}
			for j := range i {
				p.Between = append(p.Between, PathEdge{From: j, To: i, Label: "0.30"})
			}
		}
		check(t, p.Draw())
	}
}

func TestPNG(t *testing.T) {
	t.Parallel()
	c := New(100, 40, "t", "d")
	c.Rect(10, 10, 20, 20, Ink, Stroke{})
	c.Line(50, 20, 90, 20, Stroke{Width: 2, Colour: Warm, Dash: []float64{10, 10}})
	raw, err := c.PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	dark := func(x, y float64) bool {
		r, g, b, _ := img.At(int(x*density), int(y*density)).RGBA()
		return r+g+b < 3*0xc000
	}
	for _, p := range []struct {
		x, y float64
		dark bool
	}{{20, 20, true}, {5, 5, false}, {55, 20, true}, {65, 20, false}, {75, 20, true}} {
		if dark(p.x, p.y) != p.dark {
			t.Errorf("at %g, %g the picture is dark: %v", p.x, p.y, !p.dark)
		}
	}
	if _, err := New(1e5, 1e5, "", "").PNG(); err == nil {
		t.Error("a picture of any size is made")
	}
}

func TestTicksAreRound(t *testing.T) {
	t.Parallel()
	for _, a := range []Axis{{From: 0, To: 1, End: 10}, {From: 5, To: -3, End: 10}, {From: 1e-9, To: 2e-9, End: 1}, {From: math.Log(.05), To: math.Log(20), Log: true, End: 1}} {
		ticks := a.Ticks(6)
		if len(ticks) < 2 || len(ticks) > 10 {
			t.Errorf("%+v has %d ticks", a, len(ticks))
		}
	}
}
