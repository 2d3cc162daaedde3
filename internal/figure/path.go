// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"fmt"
	"math"
)

// PathModel is a factor model: factors above, items below.
type PathModel struct {
	Title     string
	Factors   []string
	Items     []string
	Residuals []string // of the items, as they are shown
	Loadings  []PathEdge
	Between   []PathEdge // covariances of factors
}

// PathEdge joins two places in the lists: a factor and an item, or two factors.
type PathEdge struct {
	From, To int
	Label    string
}

// Draw draws the diagram.
func (p *PathModel) Draw() *Canvas {
	f := Font{Size: 12, Anchor: "middle"}
	wide := 46.0
	for _, n := range p.Items {
		wide = max(wide, min(Width(n, f)+14, 130))
	}
	const gap = 14.0
	across := float64(len(p.Items))*(wide+gap) - gap
	across = max(across, float64(len(p.Factors))*150)
	arc := 44 + 48*float64(min(len(p.Factors)-1, 6))
	top := 60 + arc
	c := New(across+2*margin+20, top+330, p.Title, p.describe())
	c.Text(margin, 34, Fit(p.Title, head, c.W-2*margin), head)
	item := make([]Point, len(p.Items))
	start := (c.W - float64(len(p.Items))*(wide+gap) + gap) / 2
	for i := range item {
		item[i] = Point{start + float64(i)*(wide+gap) + wide/2, top + 220}
	}
	factor := p.places(item, c.W, top+30)
	const rx, ry = 54.0, 27.0
	for _, e := range p.Between {
		p.arch(c, factor[e.From], factor[e.To], ry, max(e.From, e.To)-min(e.From, e.To), e.Label)
	}
	for _, e := range p.Loadings {
		a, b := factor[e.From], item[e.To]
		d := math.Hypot((b.X-a.X)/rx, (b.Y-a.Y)/ry)
		from := Point{a.X + (b.X-a.X)/d, a.Y + (b.Y-a.Y)/d}
		to := Point{b.X, b.Y - 16}
		c.Line(from.X, from.Y, to.X, to.Y-5, Stroke{Width: 1.1, Colour: Ink})
		c.Arrow(from, to, 8, Ink)
	}
	// Labels come after all lines, so that none is crossed out.
	for k, e := range p.Loadings {
		a, b := factor[e.From], Point{item[e.To].X, item[e.To].Y - 16}
		t := .62 + .14*float64(k%2)
		p.label(c, a.X+t*(b.X-a.X), a.Y+t*(b.Y-a.Y), e.Label)
	}
	for i, n := range p.Factors {
		c.Ellipse(factor[i].X, factor[i].Y, rx, ry, Paper, Stroke{Width: 1.4, Colour: Ink})
		c.Text(factor[i].X, factor[i].Y+4.5, Fit(n, f, 2*rx-14), Font{Size: 12.5, Bold: true, Anchor: "middle"})
	}
	for i, n := range p.Items {
		q := item[i]
		c.Rect(q.X-wide/2, q.Y-15, wide, 30, Paper, Stroke{Width: 1.2, Colour: Ink})
		c.Text(q.X, q.Y+4.5, Fit(n, f, wide-8), f)
		if p.Residuals[i] != "" {
			c.Line(q.X, q.Y+52, q.X, q.Y+24, Stroke{Width: 1, Colour: Soft})
			c.Arrow(Point{q.X, q.Y + 52}, Point{q.X, q.Y + 16}, 8, Soft)
			c.Text(q.X, q.Y+66, p.Residuals[i], Font{Size: 11, Anchor: "middle", Colour: Soft})
		}
	}
	return c
}

func (p *PathModel) describe() string {
	return fmt.Sprintf("Path diagram of %d factors and %d items with standardised values.", len(p.Factors), len(p.Items))
}

// places sets each factor above the middle of its items, and keeps them apart.
func (p *PathModel) places(item []Point, width, y float64) []Point {
	out := make([]Point, len(p.Factors))
	for i := range out {
		sum, n := 0.0, 0.0
		for _, e := range p.Loadings {
			if e.From == i {
				sum += item[e.To].X
				n++
			}
		}
		out[i] = Point{sum / max(n, 1), y}
	}
	const apart = 132.0
	for range 50 {
		for i := 1; i < len(out); i++ {
			if d := apart - (out[i].X - out[i-1].X); d > 0 {
				out[i-1].X -= d / 2
				out[i].X += d / 2
			}
		}
		for i := range out {
			out[i].X = min(max(out[i].X, margin+56), width-margin-56)
		}
	}
	return out
}

// arch joins two factors above them; the farther apart, the higher, and the nearer
// to the middle of the factors it begins, so that arches do not run together.
func (p *PathModel) arch(c *Canvas, a, b Point, ry float64, steps int, label string) {
	if a.X > b.X {
		a, b = b, a
	}
	aside := 24 / float64(steps)
	lift := ry * math.Sqrt(1-aside*aside/(54*54))
	from, to := Point{a.X + aside, a.Y - lift}, Point{b.X - aside, b.Y - lift}
	rise := min(34+48*float64(steps-1), from.Y-70)
	var line []Point
	for i := 0; i <= 40; i++ {
		t := float64(i) / 40
		line = append(line, Point{from.X + t*(to.X-from.X), from.Y - 4*rise*t*(1-t)})
	}
	c.Path(line, Stroke{Width: 1, Colour: Soft})
	c.Arrow(line[3], line[0], 7, Soft)
	c.Arrow(line[37], line[40], 7, Soft)
	p.label(c, (from.X+to.X)/2, from.Y-rise, label)
}

func (p *PathModel) label(c *Canvas, x, y float64, text string) {
	f := Font{Size: 11, Anchor: "middle"}
	w := Width(text, f)
	c.Rect(x-w/2-2, y-7, w+4, 14, Paper, Stroke{})
	c.Text(x, y+4, text, f)
}
