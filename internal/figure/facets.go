// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import "fmt"

// Facets shows a small plot of lines for each of several things, such as the
// items of a scale, all over the same axes.
type Facets struct {
	Title, X, Y string
	Panels      []Facet
	Note        string // what the lines are, said once
	Own         bool   // each plot has its own axis upwards
}

// Facet is one of the plots. Its lines are named, where there are names, at their
// highest point.
type Facet struct {
	Name  string
	Lines [][]Point
	Names []string
}

// Draw draws the plots in rows of three.
func (p *Facets) Draw() *Canvas {
	const wide, high, gap, left, top = 220.0, 130.0, 42.0, 76.0, 92.0
	columns := max(min(len(p.Panels), 3), 1)
	rows := (len(p.Panels) + columns - 1) / columns
	c := New(max(left+float64(columns)*(wide+gap), 420), top+float64(rows)*(high+66)+10, p.Title,
		fmt.Sprintf("%d plots; across: %s; up: %s. %s", len(p.Panels), p.X, p.Y, p.Note))
	c.Text(margin, 34, Fit(p.Title, head, c.W-2*margin), head)
	note := Font{Size: 11.5, Colour: Soft}
	c.Text(margin, 56, Fit(p.Note, note, c.W-2*margin), note)
	var xs, ys []float64
	for _, q := range p.Panels {
		for _, l := range q.Lines {
			for _, v := range l {
				xs, ys = append(xs, v.X), append(ys, v.Y)
			}
		}
	}
	fx, tx := spanOf(xs, 0)
	_, ty := spanOf(append([]float64{0}, ys...), 0)
	for i, q := range p.Panels {
		if p.Own {
			ys = ys[:0]
			for _, l := range q.Lines {
				for _, v := range l {
					ys = append(ys, v.Y)
				}
			}
			_, ty = spanOf(append([]float64{0}, ys...), 0)
		}
		x0, y0 := left+float64(i%columns)*(wide+gap), top+float64(i/columns)*(high+66)
		x := Axis{From: fx, To: tx, At: x0, End: x0 + wide}
		y := Axis{From: 0, To: ty * 1.08, At: y0 + high, End: y0}
		q.draw(c, x, y)
		frame(c, x, y, p.X, "")
	}
	return c
}

// lineColours alternate, so that neighbours differ; a name tells them apart too.
var lineColours = []string{Accent, Warm}

func (q Facet) draw(c *Canvas, x, y Axis) {
	name := Font{Size: 12, Bold: true}
	c.Text(x.At, y.End-6, Fit(q.Name, name, x.End-x.At), name)
	for k, l := range q.Lines {
		colour := lineColours[k%len(lineColours)]
		path, top := make([]Point, len(l)), 0
		for i, v := range l {
			path[i] = Point{x.Place(v.X), y.Place(v.Y)}
			if v.Y > l[top].Y {
				top = i
			}
		}
		c.Path(path, Stroke{Width: 1.5, Colour: colour})
		if k < len(q.Names) && len(l) > 0 {
			at := path[top]
			at.X = min(max(at.X, x.At+6), x.End-6)
			c.Text(at.X, at.Y-3, q.Names[k], Font{Size: 10, Bold: true, Anchor: "middle", Colour: colour})
		}
	}
}
