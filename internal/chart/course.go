// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// Mark is what a series looks like: a class for its colour and a shape.
type Mark string

// The marks.
const (
	Bond      Mark = "bond"      // circle
	Tasks     Mark = "tasks"     // square
	Goals     Mark = "goals"     // triangle
	Whole     Mark = "whole"     // diamond
	Outcome   Mark = "outcome"   // circle
	Therapist Mark = "therapist" // small dot on a thin dashed line
)

// Line is one series. Values has an entry for each session, NaN where it was not
// rated: the line breaks there. Format writes a value for people.
type Line struct {
	Name   string
	Mark   Mark
	Dashed bool
	Values []float64
	Format func(float64) string
}

// Note marks a session on the axis.
type Note struct {
	Index int
	Text  string
}

// Band shades the sessions From to To.
type Band struct {
	From, To int
	Label    string
}

// Threshold is a horizontal line.
type Threshold struct {
	Value float64
	Label string
}

// Width is for how wide a place a picture is drawn.
type Width int

// The widths, in units that are CSS pixels at full size.
const (
	Wide   Width = iota // 880
	Narrow              // 340, for a phone
)

// Course is a picture of several series over sessions. ID must be unique on the
// page; Ticks has the label of each session; Empty is said when there is nothing
// to draw. Height 0 takes a good one.
type Course struct {
	ID, Title, Description string
	SessionLabel           func(i int) string
	Ticks                  []string
	Min, Max               float64
	Lines                  []Line
	Thresholds             []Threshold
	Notes                  []Note
	Bands                  []Band
	Width                  Width
	Height                 int
	Empty                  string
}

// frame is where things stand.
type frame struct {
	Course
	w, h, left, right, top, bottom float64
}

func (c Course) frame() frame {
	f := frame{Course: c, w: 880, h: 300, left: 36, right: 126, top: 14, bottom: 34}
	if c.Width == Narrow {
		f.w, f.h, f.left, f.right = 340, 260, 22, 106
	}
	if c.Height > 0 {
		f.h = float64(c.Height)
	}
	return f
}

func (f frame) x(i int) float64 {
	n := len(f.Ticks)
	if n < 2 {
		return (f.left + f.w - f.right) / 2
	}
	return f.left + 8 + float64(i)*(f.w-f.right-f.left-16)/float64(n-1)
}

func (f frame) y(v float64) float64 {
	low, high := f.Min, f.Max
	if high <= low {
		high = low + 1
	}
	v = min(high, max(low, v))
	return f.h - f.bottom - (v-low)/(high-low)*(f.h-f.bottom-f.top)
}

// drawn reports whether a value can be drawn.
func drawn(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// SVG is the picture for a page. Its colours come from the page's stylesheet.
func (c Course) SVG() template.HTML {
	var b bytes.Buffer
	c.draw(&b, "")
	return template.HTML(b.String()) //nolint:gosec // every text in it is escaped below
}

// Standalone is the picture as a file of its own, with its colours inside.
func (c Course) Standalone() []byte {
	var b bytes.Buffer
	c.draw(&b, "<style>svg.course{--bond:#a8461f;--tasks:#17705a;--goals:#2a559a;--whole:#44566c;--out:#67488a;--soft:#566368;--line:#e4e1d9;--ink:#1c2427;--amber:#7a4f00;--paper:#fbfaf7;background:#fbfaf7}"+CSS()+"</style>")
	return b.Bytes()
}

func (c Course) draw(b *bytes.Buffer, style string) {
	f := c.frame()
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" class="course" viewBox="0 0 %g %g" role="img" aria-labelledby="%[3]s-t %[3]s-d">`, f.w, f.h, html.EscapeString(c.ID))
	fmt.Fprintf(b, `<title id="%[1]s-t">%[2]s</title><desc id="%[1]s-d">%[3]s</desc>`, html.EscapeString(c.ID), html.EscapeString(c.Title), html.EscapeString(c.Description))
	b.WriteString(style)
	if !c.any() {
		text(b, "tick", f.w/2, f.h/2, "middle", c.Empty)
		b.WriteString("</svg>")
		return
	}
	f.grid(b)
	for _, band := range c.Bands {
		x1, x2 := f.x(band.From)-10, f.x(band.To)+10
		fmt.Fprintf(b, `<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6"/>`, x1, f.top, x2-x1, f.h-f.bottom-f.top)
		text(b, "bandlabel", (x1+x2)/2, f.top+13, "middle", band.Label)
	}
	for _, t := range c.Thresholds {
		if drawn(t.Value) {
			y := f.y(t.Value)
			fmt.Fprintf(b, `<line class="cut" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, f.left, f.w-f.right, y, y)
			text(b, "tick", f.left+4, y-4, "start", t.Label)
		}
	}
	// Dashed ones first, so that the client's own lie on top.
	for _, dashed := range []bool{true, false} {
		for _, l := range c.Lines {
			if l.Dashed == dashed {
				f.line(b, l)
			}
		}
	}
	f.notes(b)
	f.labels(b)
	b.WriteString("</svg>")
}

func (c Course) any() bool {
	for _, l := range c.Lines {
		for _, v := range l.Values {
			if drawn(v) {
				return true
			}
		}
	}
	return false
}

func text(b *bytes.Buffer, class string, x, y float64, anchor, s string) {
	if s == "" {
		return
	}
	fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, class, x, y, anchor, html.EscapeString(s))
}

// grid draws the values at round numbers and the sessions, thinned so that no
// two labels touch.
func (f frame) grid(b *bytes.Buffer) {
	step := niceStep((f.Max - f.Min) / max(2, (f.h-f.top-f.bottom)/40))
	for v := math.Ceil(f.Min/step) * step; v <= f.Max+step*1e-9; v += step {
		y := f.y(v)
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, f.left, f.w-f.right, y, y)
		text(b, "tick", f.left-8, y+4, "end", fmt.Sprintf("%g", math.Round(v*1000)/1000))
	}
	every := 1
	if n := len(f.Ticks); n > 1 {
		room := 26.0
		for _, t := range f.Ticks {
			room = max(room, 8+7.5*float64(len([]rune(t))))
		}
		every = max(1, int(math.Ceil(room*float64(n-1)/(f.w-f.left-f.right-16))))
	}
	for i, t := range f.Ticks {
		if i%every == 0 {
			text(b, "tick", f.x(i), f.h-f.bottom+18, "middle", t)
		}
	}
}

// niceStep is 1, 2 or 5 times a power of ten, and not smaller than x.
func niceStep(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}

func (f frame) line(b *bytes.Buffer, l Line) {
	var path strings.Builder
	pen := false
	for i, v := range l.Values {
		if i >= len(f.Ticks) || !drawn(v) {
			pen = false
			continue
		}
		op := "M"
		if pen {
			op = "L"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", op, f.x(i), f.y(v))
		pen = true
	}
	class := string(l.Mark)
	if l.Dashed {
		class += " dashed"
	}
	fmt.Fprintf(b, `<path class="line %s" fill="none" d="%s"/>`, class, path.String())
	for i, v := range l.Values {
		if i < len(f.Ticks) && drawn(v) {
			title := l.Name + " " + l.format(v)
			if f.SessionLabel != nil {
				title = f.SessionLabel(i) + ": " + title
			}
			fmt.Fprintf(b, `<path class="mark %s" d="%s"><title>%s</title></path>`, class, shape(l.Mark, f.x(i), f.y(v)), html.EscapeString(title))
		}
	}
}

func (l Line) format(v float64) string {
	if l.Format != nil {
		return l.Format(v)
	}
	return fmt.Sprintf("%.1f", v)
}

// shape is the outline of a mark around x, y.
func shape(m Mark, x, y float64) string {
	switch m {
	case Tasks:
		return fmt.Sprintf("M%.1f %.1fh7.6v7.6h-7.6z", x-3.8, y-3.8)
	case Goals:
		return fmt.Sprintf("M%.1f %.1fl5 8.6h-10z", x, y-5.4)
	case Whole:
		return fmt.Sprintf("M%.1f %.1fl5.4 5.4l-5.4 5.4l-5.4 -5.4z", x, y-5.4)
	}
	r := 4.1
	if m == Therapist {
		r = 2.4
	}
	return fmt.Sprintf("M%.1f %.1fa%[3]g %[3]g 0 1 0 %[4]g 0a%[3]g %[3]g 0 1 0 -%[4]g 0z", x-r, y, r, 2*r)
}

func (f frame) notes(b *bytes.Buffer) {
	last := math.Inf(-1)
	for _, n := range f.Notes {
		if n.Index < 0 || n.Index >= len(f.Ticks) {
			continue
		}
		x, y := f.x(n.Index), f.h-f.bottom-2
		fmt.Fprintf(b, `<path class="notemark" d="M%.1f %.1fl4 -7h-8z"/>`, x, y)
		if x-last > 60 {
			text(b, "notelabel", x+8, y-1, "start", n.Text)
			last = x
		}
	}
}

const labelRoom = 16.0 // between two baselines

// labels writes each series' name and newest value at its right end, moved apart
// where they would overlap.
func (f frame) labels(b *bytes.Buffer) {
	ls := f.placed()
	x := f.w - f.right + 10
	for _, l := range ls {
		class := "end " + string(l.mark)
		if math.Abs(l.at-l.want) > 3 {
			fmt.Fprintf(b, `<path class="leader" d="M%.1f %.1fL%.1f %.1f"/>`, x-8, l.want, x-2, l.at)
		}
		text(b, class, x, l.at+4, "start", l.text)
	}
}

type label struct {
	text     string
	mark     Mark
	want, at float64
}

// placed gives every label a place of its own inside the picture.
func (f frame) placed() []label {
	var ls []label
	for _, l := range f.Lines {
		for i := min(len(l.Values), len(f.Ticks)) - 1; i >= 0; i-- {
			if drawn(l.Values[i]) {
				ls = append(ls, label{text: l.Name + " " + l.format(l.Values[i]), mark: l.Mark, want: f.y(l.Values[i])})
				break
			}
		}
	}
	return spread(ls, f.top, f.h-6, labelRoom)
}
