// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
)

// Mark is what a series looks like: a class for its colour and a shape. A mark
// that is not one of the constants is drawn as Whole.
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

// known is the mark itself, or Whole. A mark is written into a class, and some
// come from imported instruments, so that nothing else may pass.
func (m Mark) known() Mark {
	switch m {
	case Bond, Tasks, Goals, Whole, Outcome, Therapist:
		return m
	}
	return Whole
}

// Line is one series. Values has an entry for each session, NaN where it was not
// rated: the line breaks there. Format writes a value for people; nil writes one
// decimal.
type Line struct {
	Name   string
	Mark   Mark
	Dashed bool
	Values []float64
	Format func(float64) string
}

// Note marks session Index, counted from 0, on the axis. One outside the course
// is left out.
type Note struct {
	Index int
	Text  string
}

// Band shades the sessions From to To, both included and counted from 0.
type Band struct {
	From, To int
	Label    string
}

// Threshold is a horizontal line, named at its right end.
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
// page. Ticks has the label of each session. Min and Max are the ends of the
// scale; the axis grows where a value lies beyond them. Height 0 takes a good
// one; a picture with many series may grow taller than asked. Empty is said when
// there is nothing to draw.
type Course struct {
	ID, Title, Description string
	SessionLabel           func(i int) string
	Ticks                  []string
	Min, Max               float64
	Lines                  []Line
	Thresholds             []Threshold
	Notes                  []Note
	Bands                  []Band
	Area                   *Area // nil: nothing is shaded between two lines
	Width                  Width
	Height                 int
	Empty                  string
}

// drawn reports whether a value can be drawn.
func drawn(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// SVG is the picture for a page. Its colours come from the page's stylesheet,
// which must hold CSS(). It has no style attribute and no script, and every text
// in it is escaped.
func (c Course) SVG() template.HTML {
	var b bytes.Buffer
	c.draw(&b, false)
	return template.HTML(b.String()) //nolint:gosec // every text in it went through escape
}

// Standalone is the picture as a file of its own, on light paper, with its
// colours inside and written out, since few drawing programs know variables.
func (c Course) Standalone() []byte {
	var b bytes.Buffer
	c.draw(&b, true)
	return b.Bytes()
}

func (c Course) draw(b *bytes.Buffer, alone bool) {
	f := c.frame()
	id := identifier(c.ID)
	size := ""
	if alone {
		size = fmt.Sprintf(` width="%g" height="%g"`, f.w, f.h)
	}
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" class="course" viewBox="0 0 %g %g"%s role="img" aria-labelledby="%[4]s-t %[4]s-d">`, f.w, f.h, size, id)
	fmt.Fprintf(b, `<title id="%[1]s-t">%[2]s</title><desc id="%[1]s-d">%[3]s</desc>`, id, escape(c.Title), escape(c.Description))
	if alone {
		fmt.Fprintf(b, `<style>%s</style><rect width="%g" height="%g" fill="%s"/>`, rules(light), f.w, f.h, light("paper"))
	}
	if f.empty() {
		for i, row := range wrap(c.Empty, small, f.w-24) {
			text(b, "tick", f.w/2, 34+float64(i)*rowHeight, "middle", row)
		}
		b.WriteString("</svg>")
		return
	}
	f.bands(b)
	f.area(b)
	f.grid(b)
	f.thresholds(b)
	// Dashed ones first, so that the client's own lie on top.
	for _, dashed := range []bool{true, false} {
		for _, l := range f.Lines {
			if l.Dashed == dashed {
				f.path(b, l)
			}
		}
	}
	aside := f.aside()
	for _, dashed := range []bool{true, false} {
		for k, l := range f.Lines {
			if l.Dashed == dashed {
				f.marks(b, k, aside)
			}
		}
	}
	f.notes(b)
	f.labels(b)
	b.WriteString("</svg>")
}

func (l Line) format(v float64) string {
	if l.Format != nil {
		return l.Format(v)
	}
	return fmt.Sprintf("%.1f", v)
}
