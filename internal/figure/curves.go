// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import "fmt"

// Curves shows lines over one axis, each with its name at its end: for operating
// curves of rules and the like. Strong ones stand out.
type Curves struct {
	Title, X, Y string
	Lines       []Curve
}

// Curve is one line; its points lie in the order they are drawn in.
type Curve struct {
	Name   string
	Points []Point
	Strong bool
	Dashed bool
}

// Draw draws the plot. Names that would lie on each other are moved apart.
func (p *Curves) Draw() *Canvas {
	c := New(820, 520, p.Title, fmt.Sprintf("%d lines; across: %s; up: %s.", len(p.Lines), p.X, p.Y))
	c.Text(margin, 34, Fit(p.Title, head, c.W-2*margin), head)
	var xs, ys []float64
	for _, l := range p.Lines {
		for _, q := range l.Points {
			xs, ys = append(xs, q.X), append(ys, q.Y)
		}
	}
	_, tx := spanOf(append([]float64{0}, xs...), 0)
	_, ty := spanOf(append([]float64{0}, ys...), 0)
	x, y := Axis{From: 0, To: tx, At: 80, End: 600}, Axis{From: 0, To: ty * 1.04, At: 446, End: 88}
	for _, t := range y.Ticks(6) {
		c.Line(x.At, y.Place(t.Value), x.End, y.Place(t.Value), Stroke{Width: .7, Colour: Pale})
	}
	for i, at := range p.labels(y) {
		l := p.Lines[i]
		s := Stroke{Width: 1.2, Colour: Ink}
		if l.Strong {
			s = Stroke{Width: 2.6, Colour: Warm}
		}
		if l.Dashed {
			s.Dash = []float64{5, 4}
		}
		path := make([]Point, len(l.Points))
		for k, q := range l.Points {
			path[k] = Point{x.Place(q.X), y.Place(q.Y)}
		}
		c.Path(path, s)
		for _, q := range path {
			c.Circle(q.X, q.Y, 2.4, s.Colour, Stroke{})
		}
		c.Text(x.End+12, at+4, l.Name, Font{Size: 11.5, Bold: l.Strong, Colour: s.Colour})
	}
	frame(c, x, y, p.X, p.Y)
	return c
}

// labels are the heights of the lines' names: where they end, but 15 apart.
func (p *Curves) labels(y Axis) []float64 {
	at := make([]float64, len(p.Lines))
	for i, l := range p.Lines {
		at[i] = y.At
		if n := len(l.Points); n > 0 {
			at[i] = y.Place(l.Points[n-1].Y)
		}
	}
	const apart = 15
	for range 60 {
		for i := range at {
			for k := range at[:i] {
				if d := at[i] - at[k]; d >= 0 && d < apart {
					at[i], at[k] = at[i]+(apart-d)/2, at[k]-(apart-d)/2
				} else if d < 0 && -d < apart {
					at[i], at[k] = at[i]-(apart+d)/2, at[k]+(apart+d)/2
				}
			}
		}
	}
	return at
}
