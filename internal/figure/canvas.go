// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
)

// Point is a place on a canvas, in CSS pixels from its upper left corner.
type Point struct{ X, Y float64 }

// Colours of the pictures, dark enough on white for print.
const (
	Ink    = "#1a1a1a"
	Soft   = "#5c5c5c"
	Faint  = "#c9c9c9"
	Pale   = "#efefef"
	Paper  = "#ffffff"
	Accent = "#1f4e79"
	Warm   = "#a03c10"
)

// Stroke is how a line is drawn; without a Width there is none.
type Stroke struct {
	Width  float64
	Colour string
	Dash   []float64
}

// Font is how a text is set. Anchor is start, middle or end.
type Font struct {
	Size   float64
	Bold   bool
	Colour string
	Anchor string
}

// Canvas is a picture made of shapes, which can be written as SVG and as PNG.
type Canvas struct {
	W, H  float64
	Title string // what a screen reader says
	Desc  string
	items []item
}

type item struct {
	points []Point
	closed bool
	fill   string
	stroke Stroke
	circle float64 // radius; points[0] is the centre
	text   string
	font   Font
}

// New returns an empty canvas with its title and its description.
func New(w, h float64, title, desc string) *Canvas {
	return &Canvas{W: math.Ceil(w), H: math.Ceil(h), Title: title, Desc: desc}
}

// Line draws a straight line.
func (c *Canvas) Line(x1, y1, x2, y2 float64, s Stroke) {
	c.Path([]Point{{x1, y1}, {x2, y2}}, s)
}

// Path draws an open line through the points.
func (c *Canvas) Path(p []Point, s Stroke) {
	if len(p) > 1 {
		c.items = append(c.items, item{points: p, stroke: s})
	}
}

// Area fills a closed outline, and draws its edge where s has a width.
func (c *Canvas) Area(p []Point, fill string, s Stroke) {
	if len(p) > 2 {
		c.items = append(c.items, item{points: p, closed: true, fill: fill, stroke: s})
	}
}

// Rect fills a rectangle.
func (c *Canvas) Rect(x, y, w, h float64, fill string, s Stroke) {
	c.Area([]Point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}, fill, s)
}

// Circle fills a circle.
func (c *Canvas) Circle(x, y, r float64, fill string, s Stroke) {
	c.items = append(c.items, item{points: []Point{{x, y}}, circle: r, fill: fill, stroke: s})
}

// Ellipse fills an ellipse.
func (c *Canvas) Ellipse(x, y, rx, ry float64, fill string, s Stroke) {
	p := make([]Point, 72)
	for i := range p {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(p)))
		p[i] = Point{x + rx*cos, y + ry*sin}
	}
	c.Area(p, fill, s)
}

// Text sets a line of text with its baseline at y.
func (c *Canvas) Text(x, y float64, text string, f Font) {
	if text != "" {
		c.items = append(c.items, item{points: []Point{{x, y}}, text: text, font: f})
	}
}

// Arrow draws the head of an arrow that ends at to and comes from from.
func (c *Canvas) Arrow(from, to Point, size float64, colour string) {
	d := math.Hypot(to.X-from.X, to.Y-from.Y)
	if d == 0 {
		return
	}
	ux, uy := (to.X-from.X)/d, (to.Y-from.Y)/d
	b := Point{to.X - size*ux, to.Y - size*uy}
	w := size * .42
	c.Area([]Point{to, {b.X - w*uy, b.Y + w*ux}, {b.X + w*uy, b.Y - w*ux}}, colour, Stroke{})
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// SVG writes the picture as a file of its own, without style sheets or scripts.
func (c *Canvas) SVG() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]g" height="%[2]g" viewBox="0 0 %[1]g %[2]g" role="img" aria-labelledby="title desc" font-family="'Go', 'Helvetica Neue', Helvetica, Arial, sans-serif">`+"\n", c.W, c.H)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", escape(c.Title), escape(c.Desc))
	fmt.Fprintf(&b, "<rect width=\"%g\" height=\"%g\" fill=\"%s\"/>\n", c.W, c.H, Paper)
	for _, it := range c.items {
		it.svg(&b)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (it item) svg(b *bytes.Buffer) {
	p := it.points[0]
	switch {
	case it.text != "":
		weight := ""
		if it.font.Bold {
			weight = ` font-weight="bold"`
		}
		anchor := it.font.Anchor
		if anchor == "" {
			anchor = "start"
		}
		fmt.Fprintf(b, `<text x="%.2f" y="%.2f" font-size="%g" fill="%s" text-anchor="%s"%s>%s</text>`+"\n", p.X, p.Y, it.font.Size, it.font.colour(), anchor, weight, escape(it.text))
	case it.circle > 0:
		fmt.Fprintf(b, `<circle cx="%.2f" cy="%.2f" r="%.2f" fill="%s"%s/>`+"\n", p.X, p.Y, it.circle, paint(it.fill), it.stroke.svg())
	default:
		b.WriteString(`<path d="`)
		for i, q := range it.points {
			op := "L"
			if i == 0 {
				op = "M"
			}
			fmt.Fprintf(b, "%s%.2f %.2f", op, q.X, q.Y)
		}
		if it.closed {
			b.WriteString("Z")
		}
		fmt.Fprintf(b, `" fill="%s"%s/>`+"\n", paint(it.fill), it.stroke.svg())
	}
}

func (f Font) colour() string {
	if f.Colour == "" {
		return Ink
	}
	return f.Colour
}

func paint(fill string) string {
	if fill == "" {
		return "none"
	}
	return fill
}

func (s Stroke) svg() string {
	if s.Width == 0 {
		return ""
	}
	dash := ""
	for i, d := range s.Dash {
		if i > 0 {
			dash += " "
		}
		dash += fmt.Sprintf("%g", d)
	}
	if dash != "" {
		dash = fmt.Sprintf(` stroke-dasharray="%s"`, dash)
	}
	return fmt.Sprintf(` stroke="%s" stroke-width="%g" stroke-linejoin="round"%s`, s.Colour, s.Width, dash)
}
