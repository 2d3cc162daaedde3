// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"fmt"
	"math"
)

// Courses shows each person's scores over the sessions in a panel of its own, with
// what was to be expected of them.
type Courses struct {
	Title, X, Y string
	People      []Course
}

// Course is one person's scores by session, the first at 1, NaN where there is none.
// Lower and Upper bound what was to be expected, NaN where nothing was. Sudden are
// the sessions after a sudden gain, Beyond says that the last score is on the worse
// side of the band.
type Course struct {
	Label        string
	Scores       []float64
	Lower, Upper []float64
	Sudden       []int
	Beyond       bool
}

// Draw draws the panels, seven in a row. A gain is a triangle, a name with an
// exclamation mark stands over a course that ends beyond its band.
func (p *Courses) Draw() *Canvas {
	longest := 2
	ys := []float64{}
	beyond := 0
	for _, q := range p.People {
		longest = max(longest, len(q.Scores))
		for _, row := range [][]float64{q.Scores, q.Lower, q.Upper} {
			for _, v := range row {
				if !math.IsNaN(v) {
					ys = append(ys, v)
				}
			}
		}
		if q.Beyond {
			beyond++
		}
	}
	fy, ty := spanOf(ys, .04)
	columns := min(len(p.People), 7)
	rows := (len(p.People) + columns - 1) / columns
	const wide, high, gap, left, top = 104.0, 78.0, 10.0, 64.0, 86.0
	c := New(max(left+float64(columns)*(wide+gap)+margin, 420), top+float64(rows)*(high+24)+34, p.Title,
		fmt.Sprintf("Scores of %d people by session, each in the band of what was to be expected; %d end beyond it on the worse side.", len(p.People), beyond))
	c.Text(margin, 34, Fit(p.Title, head, c.W-2*margin), head)
	for i, q := range p.People {
		x0, y0 := left+float64(i%columns)*(wide+gap), top+float64(i/columns)*(high+24)
		x := Axis{From: .5, To: float64(longest) + .5, At: x0, End: x0 + wide}
		y := Axis{From: fy, To: ty, At: y0 + high, End: y0}
		c.Rect(x0, y0, wide, high, "", Stroke{Width: .8, Colour: Faint})
		label, font := q.Label, Font{Size: 10.5, Anchor: "middle"}
		if q.Beyond {
			label, font.Bold = label+" !", true
		}
		c.Text(x0+wide/2, y0-5, Fit(label, font, wide), font)
		if i%columns == 0 {
			for _, t := range y.Ticks(3) {
				c.Line(x0-4, y.Place(t.Value), x0, y.Place(t.Value), Stroke{Width: 1, Colour: Ink})
				c.Text(x0-7, y.Place(t.Value)+4, t.Label, Font{Size: 10, Anchor: "end"})
			}
		}
		if i+columns >= len(p.People) {
			for _, t := range x.Ticks(3) {
				c.Text(x.Place(t.Value), y.At+15, t.Label, Font{Size: 10, Anchor: "middle"})
			}
		}
		q.draw(c, x, y)
	}
	c.Text((left+c.W)/2, c.H-12, p.X, Font{Size: body, Anchor: "middle"})
	c.Text(margin, 60, p.Y, Font{Size: body})
	return c
}

func (q Course) draw(c *Canvas, x, y Axis) {
	var above, below []Point
	for i := range q.Lower {
		if !math.IsNaN(q.Lower[i]) && !math.IsNaN(q.Upper[i]) {
			above = append(above, Point{x.Place(float64(i + 1)), y.Place(q.Upper[i])})
			below = append([]Point{{x.Place(float64(i + 1)), y.Place(q.Lower[i])}}, below...)
		}
	}
	c.Area(append(above, below...), Pale, Stroke{Width: .6, Colour: Faint})
	var line []Point
	for i, v := range q.Scores {
		if !math.IsNaN(v) {
			line = append(line, Point{x.Place(float64(i + 1)), y.Place(v)})
		}
	}
	c.Path(line, Stroke{Width: 1.1, Colour: Accent})
	for _, p := range line {
		c.Circle(p.X, p.Y, 1.7, Ink, Stroke{})
	}
	for _, s := range q.Sudden {
		if s < 1 || s > len(q.Scores) {
			continue
		}
		px, py := x.Place(float64(s)), y.Place(q.Scores[s-1])
		c.Area([]Point{{px, py - 4.6}, {px + 4, py + 2.6}, {px - 4, py + 2.6}}, Warm, Stroke{Width: .6, Colour: Paper})
	}
}
