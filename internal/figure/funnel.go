// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"fmt"
	"math"
)

// Funnel is a contour-enhanced funnel plot: effects against their standard errors.
type Funnel struct {
	Title, Measure string
	Centre, Null   float64
	Y, SE          []float64
	FilledY        []float64 // of trim and fill, drawn open
	FilledSE       []float64
}

// Draw draws the plot.
func (f *Funnel) Draw() *Canvas {
	c := New(640, 520, f.Title, fmt.Sprintf("Funnel plot of %d studies around %s; shaded bands show where p is above .10, .05 and .01.", len(f.Y), Digits(f.Centre)))
	c.Text(margin, 34, Fit(f.Title, head, 600), head)
	most := 0.0
	for _, s := range append(append([]float64(nil), f.SE...), f.FilledSE...) {
		most = max(most, s)
	}
	most *= 1.08
	// The funnel is shown whole around its centre, and every study.
	all := append(append([]float64{f.Centre - 2.1*most, f.Centre + 2.1*most, f.Null}, f.Y...), f.FilledY...)
	from, to := spanOf(all, .03)
	x := Axis{From: from, To: to, At: 80, End: 616}
	y := Axis{From: most, To: 0, At: 440, End: 88}
	c.Rect(x.At, y.End, x.End-x.At, y.At-y.End, "#e4e4e4", Stroke{})
	for _, band := range []struct {
		z    float64
		fill string
	}{{2.5758293035489, "#d0d7df"}, {1.95996398454005, "#e6ebf0"}, {1.64485362695147, Paper}} {
		c.Area(clipped(x, y, f.Null, band.z, most), band.fill, Stroke{})
	}
	edge := Stroke{Width: 1, Colour: Soft, Dash: []float64{4, 3}}
	for _, side := range []float64{-1, 1} {
		c.Path([]Point{{x.Place(f.Centre), y.End}, {x.Place(f.Centre + side*1.95996398454005*most), y.At}}, edge)
	}
	c.Line(x.Place(f.Centre), y.End, x.Place(f.Centre), y.At, Stroke{Width: 1.2, Colour: Accent})
	c.Line(x.Place(f.Null), y.End, x.Place(f.Null), y.At, Stroke{Width: 1, Colour: Soft, Dash: []float64{1, 3}})
	for i := range f.Y {
		c.Circle(x.Place(f.Y[i]), y.Place(f.SE[i]), 3.6, Ink, Stroke{Width: .8, Colour: Paper})
	}
	for i := range f.FilledY {
		c.Circle(x.Place(f.FilledY[i]), y.Place(f.FilledSE[i]), 3.8, Paper, Stroke{Width: 1.3, Colour: Warm})
	}
	frame(c, x, y, f.Measure, "Standard error")
	legend := []struct{ fill, text string }{{Paper, "p > .10"}, {"#e6ebf0", ".10 to .05"}, {"#d0d7df", ".05 to .01"}, {"#e4e4e4", "p < .01"}}
	at := x.At
	for _, l := range legend {
		c.Rect(at, 499, 13, 13, l.fill, Stroke{Width: .7, Colour: Soft})
		c.Text(at+18, 510, l.text, soft)
		at += 18 + Width(l.text, soft) + 18
	}
	if len(f.FilledY) > 0 {
		c.Circle(at+6, 505.5, 3.8, Paper, Stroke{Width: 1.3, Colour: Warm})
		c.Text(at+16, 510, "filled in", soft)
	}
	return c
}

// clipped is the triangle around a centre, cut at the sides of the plot.
func clipped(x, y Axis, centre, z, most float64) []Point {
	left, right := []Point{}, []Point{}
	const steps = 200
	for i := 0; i <= steps; i++ {
		se := most * float64(i) / steps
		left = append(left, Point{x.clip(centre - z*se), y.Place(se)})
		right = append([]Point{{x.clip(centre + z*se), y.Place(se)}}, right...)
	}
	return append(left, right...)
}

// Dots is a plot of labelled points, of which some are named beside their mark.
type Dots struct {
	Title, X, Y string
	Labels      []string
	XS, YS      []float64
	Named       []bool
}

// Draw draws the plot.
func (d *Dots) Draw() *Canvas {
	c := New(640, 500, d.Title, fmt.Sprintf("%d points; across: %s; up: %s.", len(d.XS), d.X, d.Y))
	c.Text(margin, 34, Fit(d.Title, head, 600), head)
	fx, tx := spanOf(append([]float64{0}, d.XS...), 0)
	fy, ty := spanOf(append([]float64{0}, d.YS...), 0)
	x := Axis{From: fx, To: tx + .06*(tx-fx), At: 80, End: 616}
	y := Axis{From: fy, To: ty + .06*(ty-fy), At: 430, End: 88}
	for _, t := range y.Ticks(6) {
		c.Line(x.At, y.Place(t.Value), x.End, y.Place(t.Value), Stroke{Width: .7, Colour: Pale})
	}
	var taken []box4
	for i := range d.XS {
		px, py := x.Place(d.XS[i]), y.Place(d.YS[i])
		taken = append(taken, box4{px - 4, py - 4, px + 4, py + 4})
	}
	for i := range d.XS {
		px, py := x.Place(d.XS[i]), y.Place(d.YS[i])
		fill := Ink
		if d.Named[i] {
			fill = Warm
			name(c, d.Labels[i], px, py, x.End, y.End, &taken)
		}
		c.Circle(px, py, 3.6, fill, Stroke{Width: .8, Colour: Paper})
	}
	frame(c, x, y, d.X, d.Y)
	return c
}

type box4 struct{ x0, y0, x1, y1 float64 }

func (a box4) meets(b box4) bool { return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 }

// name sets a label beside a point where it covers nothing, or leaves it out.
func name(c *Canvas, label string, px, py, right, top float64, taken *[]box4) {
	f := Font{Size: 11}
	label = Fit(label, f, 190)
	w := Width(label, f)
	for _, p := range []Point{{px + 7, py + 4}, {px - 7 - w, py + 4}, {px - w/2, py - 9}, {px - w/2, py + 17}} {
		b := box4{p.X, p.Y - 9, p.X + w, p.Y + 3}
		if b.x1 > right || b.x0 < 84 || b.y0 < top-12 {
			continue
		}
		free := true
		for _, t := range *taken {
			free = free && !b.meets(t)
		}
		if free {
			*taken = append(*taken, b)
			c.Text(p.X, p.Y, label, f)
			return
		}
	}
}

// Panel is one measure of each study, from top to bottom.
type Panel struct {
	Title  string
	Values []float64
	Null   float64
	Limit  float64 // beyond it, on either side, a study stands out; 0 for none
}

// Panels show several measures of the same studies side by side.
type Panels struct {
	Title  string
	Labels []string
	Marked []bool
	Panels []Panel
}

// Draw draws the plot.
func (p *Panels) Draw() *Canvas {
	label := 0.0
	for _, l := range p.Labels {
		label = max(label, Width(l, plain))
	}
	label = min(label, 220)
	const wide, gap, row, top = 150.0, 30.0, 17.0, 92.0
	height := top + row*float64(len(p.Labels)) + 56
	c := New(margin*2+label+18+float64(len(p.Panels))*(wide+gap), height, p.Title, fmt.Sprintf("%d measures of %d studies.", len(p.Panels), len(p.Labels)))
	c.Text(margin, 34, Fit(p.Title, head, c.W-2*margin), head)
	bottom := height - 50
	for i, l := range p.Labels {
		f := plain
		if p.Marked[i] {
			f = Font{Size: body, Bold: true, Colour: Warm}
		}
		c.Text(margin, top+row*(float64(i)+.5)+4, Fit(l, f, label), f)
	}
	for k, panel := range p.Panels {
		x0 := margin + label + 18 + float64(k)*(wide+gap)
		panel.draw(c, x0, x0+wide, top, bottom, row, p.Marked)
	}
	return c
}

func (p Panel) draw(c *Canvas, x0, x1, top, bottom, row float64, marked []bool) {
	all := append([]float64{p.Null}, p.Values...)
	if p.Limit > 0 && p.Null == 0 {
		all = append(all, p.Limit)
		for _, v := range p.Values {
			if v < 0 {
				all = append(all, -p.Limit)
				break
			}
		}
	}
	from, to := spanOf(all, .04)
	x := Axis{From: from, To: to, At: x0, End: x1}
	c.Text((x0+x1)/2, top-16, p.Title, Font{Size: 11.5, Bold: true, Anchor: "middle"})
	c.Rect(x0, top-6, x1-x0, bottom-top+6, "", Stroke{Width: .8, Colour: Faint})
	for _, t := range x.Ticks(3) {
		c.Line(x.Place(t.Value), bottom, x.Place(t.Value), bottom+4, Stroke{Width: 1, Colour: Ink})
		c.Text(x.Place(t.Value), bottom+17, t.Label, Font{Size: 10.5, Anchor: "middle"})
	}
	c.Line(x.Place(p.Null), top-6, x.Place(p.Null), bottom, Stroke{Width: .9, Colour: Soft})
	for _, s := range []float64{-1, 1} {
		if v := s * p.Limit; p.Limit > 0 && v >= from && v <= to {
			c.Line(x.Place(v), top-6, x.Place(v), bottom, Stroke{Width: 1, Colour: Warm, Dash: []float64{4, 3}})
		}
	}
	for i, v := range p.Values {
		y := top + row*(float64(i)+.5)
		fill := Ink
		if marked[i] {
			fill = Warm
		}
		if !math.IsNaN(v) {
			c.Line(x.Place(p.Null), y, x.Place(v), y, Stroke{Width: .8, Colour: Faint})
			c.Circle(x.Place(v), y, 3.2, fill, Stroke{})
		}
	}
}
