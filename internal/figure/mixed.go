// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"fmt"
	"slices"
)

// Caterpillar shows the effects of groups in order, each with an interval.
type Caterpillar struct {
	Title, X string
	Effects  []CaterpillarEffect
}

// CaterpillarEffect is one effect of the groups.
type CaterpillarEffect struct {
	Name                   string
	Labels                 []string
	Estimate, Lower, Upper []float64
}

// Draw draws the effects side by side, each ordered by itself.
func (p *Caterpillar) Draw() *Canvas {
	n := 0
	label := 0.0
	for _, e := range p.Effects {
		n = max(n, len(e.Labels))
		for _, l := range e.Labels {
			label = max(label, Width(l, Font{Size: 11}))
		}
	}
	label = min(label, 130)
	row := 17.0
	names := true
	if n > 80 {
		// More than a page of names would be read by nobody.
		row, names, label = max(3, 1300/float64(n)), false, 0
	}
	const wide, gap, top = 290.0, 34.0, 88.0
	height := top + row*float64(n) + 70
	c := New(2*margin+float64(len(p.Effects))*(wide+gap+label+10), height, p.Title, fmt.Sprintf("Effects of %d groups in order, with intervals.", n))
	c.Text(margin, 34, Fit(p.Title, head, c.W-2*margin), head)
	for k, e := range p.Effects {
		x0 := margin + float64(k)*(wide+gap+label+10) + label + 10
		e.draw(c, x0, x0+wide, top, height-64, row, label, names)
		c.Text(x0+wide/2, height-18, p.X, Font{Size: body, Anchor: "middle"})
	}
	return c
}

func (e CaterpillarEffect) draw(c *Canvas, x0, x1, top, bottom, row, label float64, names bool) {
	order := make([]int, len(e.Labels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if e.Estimate[a] > e.Estimate[b] {
			return -1
		}
		return 1
	})
	from, to := spanOf(append(append([]float64{0}, e.Lower...), e.Upper...), .03)
	x := Axis{From: from, To: to, At: x0, End: x1}
	c.Text((x0+x1)/2, top-16, e.Name, Font{Size: body, Bold: true, Anchor: "middle"})
	for _, t := range x.Ticks(5) {
		p := x.Place(t.Value)
		c.Line(p, top-6, p, bottom, Stroke{Width: .7, Colour: Pale})
		c.Line(p, bottom, p, bottom+4, Stroke{Width: 1, Colour: Ink})
		c.Text(p, bottom+18, t.Label, Font{Size: 11, Anchor: "middle"})
	}
	c.Line(x0, bottom, x1, bottom, Stroke{Width: 1, Colour: Ink})
	c.Line(x.Place(0), top-6, x.Place(0), bottom, Stroke{Width: 1, Colour: Soft, Dash: []float64{3, 3}})
	r := min(3.4, row*.42)
	for i, k := range order {
		y := top + row*(float64(i)+.5)
		c.Line(x.Place(e.Lower[k]), y, x.Place(e.Upper[k]), y, Stroke{Width: min(1.2, row*.3), Colour: Soft})
		c.Circle(x.Place(e.Estimate[k]), y, r, Ink, Stroke{})
		if names {
			c.Text(x0-8, y+4, Fit(e.Labels[k], Font{Size: 11}, label), Font{Size: 11, Anchor: "end"})
		}
	}
}

// Spaghetti shows each person's values and fitted line.
type Spaghetti struct {
	Title, X, Y string
	People      []SpaghettiPerson
}

// SpaghettiPerson is one person's values in the order of X.
type SpaghettiPerson struct {
	Label        string
	X, Y, Fitted []float64
}

// Draw draws a panel for each person, and one for all where they are many.
func (p *Spaghetti) Draw() *Canvas {
	var xs, ys []float64
	for _, q := range p.People {
		xs, ys = append(xs, q.X...), append(append(ys, q.Y...), q.Fitted...)
	}
	fx, tx := spanOf(xs, .04)
	fy, ty := spanOf(ys, .04)
	describe := fmt.Sprintf("Values of %d people and their fitted lines.", len(p.People))
	if len(p.People) > 30 {
		return p.together(fx, tx, fy, ty, describe)
	}
	columns := min(len(p.People), 6)
	rows := (len(p.People) + columns - 1) / columns
	const wide, high, gap, left, top = 118.0, 104.0, 10.0, 76.0, 86.0
	w := left + float64(columns)*(wide+gap) + margin
	c := New(max(w, 420), top+float64(rows)*(high+24)+34, p.Title, describe)
	c.Text(margin, 34, Fit(p.Title, head, c.W-2*margin), head)
	for i, q := range p.People {
		x0, y0 := left+float64(i%columns)*(wide+gap), top+float64(i/columns)*(high+24)
		x := Axis{From: fx, To: tx, At: x0, End: x0 + wide}
		y := Axis{From: fy, To: ty, At: y0 + high, End: y0}
		c.Rect(x0, y0, wide, high, "", Stroke{Width: .8, Colour: Faint})
		c.Text(x0+wide/2, y0-6, Fit(q.Label, Font{Size: 11, Bold: true}, wide), Font{Size: 11, Bold: true, Anchor: "middle"})
		if i%columns == 0 {
			for _, t := range y.Ticks(3) {
				c.Line(x0-4, y.Place(t.Value), x0, y.Place(t.Value), Stroke{Width: 1, Colour: Ink})
				c.Text(x0-7, y.Place(t.Value)+4, t.Label, Font{Size: 10.5, Anchor: "end"})
			}
		}
		if i+columns >= len(p.People) {
			for _, t := range x.Ticks(3) {
				c.Line(x.Place(t.Value), y.At, x.Place(t.Value), y.At+4, Stroke{Width: 1, Colour: Ink})
				c.Text(x.Place(t.Value), y.At+17, t.Label, Font{Size: 10.5, Anchor: "middle"})
			}
		}
		c.Path(points(x, y, q.X, q.Fitted), Stroke{Width: 1.8, Colour: Accent})
		for k := range q.X {
			c.Circle(x.Place(q.X[k]), y.Place(q.Y[k]), 2.3, Ink, Stroke{})
		}
	}
	c.Text((left+c.W)/2, c.H-14, p.X, Font{Size: body, Anchor: "middle"})
	c.Text(margin, 60, p.Y, Font{Size: body})
	return c
}

func (p *Spaghetti) together(fx, tx, fy, ty float64, describe string) *Canvas {
	c := New(680, 520, p.Title, describe)
	c.Text(margin, 34, Fit(p.Title, head, 640), head)
	x := Axis{From: fx, To: tx, At: 80, End: 656}
	y := Axis{From: fy, To: ty, At: 450, End: 88}
	for _, q := range p.People {
		c.Path(points(x, y, q.X, q.Y), Stroke{Width: .6, Colour: Faint})
	}
	for _, q := range p.People {
		c.Path(points(x, y, q.X, q.Fitted), Stroke{Width: .9, Colour: Accent})
	}
	frame(c, x, y, p.X, p.Y)
	c.Line(80, 507, 104, 507, Stroke{Width: .9, Colour: Faint})
	c.Text(110, 511, "values", soft)
	c.Line(170, 507, 194, 507, Stroke{Width: 1.2, Colour: Accent})
	c.Text(200, 511, "fitted line of each", soft)
	return c
}

func points(x, y Axis, xs, ys []float64) []Point {
	out := make([]Point, len(xs))
	for i := range xs {
		out[i] = Point{x.Place(xs[i]), y.Place(ys[i])}
	}
	return out
}
