// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ForestRow is a study of a forest plot.
type ForestRow struct {
	Label                  string
	Estimate, Lower, Upper float64
	Weight                 float64 // percent; 0 for none
	Group                  string  // of subgroups, in the order of their first study
}

// ForestSummary is a diamond: an average with its interval.
type ForestSummary struct {
	Label                  string
	Estimate, Lower, Upper float64
	PILower, PIUpper       float64 // prediction interval, none where both are equal
	Group                  string  // below the studies of this subgroup; empty: at the end
	Note                   string  // heterogeneity, in one line
}

// Forest is a forest plot. Estimates are on the scale that is shown.
type Forest struct {
	Title, Measure string
	Level          float64
	Null           float64 // where there is no effect
	Log            bool    // ratios: the axis is logarithmic
	Rows           []ForestRow
	Summaries      []ForestSummary
	Weights        bool
}

const (
	forestRow  = 21.0
	body       = 12.5
	margin     = 24.0
	plotWidth  = 330.0
	labelWidth = 300.0
)

var (
	plain = Font{Size: body}
	bold  = Font{Size: body, Bold: true}
	soft  = Font{Size: 11, Colour: Soft}
	head  = Font{Size: 15, Bold: true}
)

// Digits writes with two decimals and a true minus sign.
func Digits(v float64) string { return minus(strconv.FormatFloat(v, 'f', 2, 64)) }

func minus(s string) string {
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}

func interval(e, l, u float64) string {
	return fmt.Sprintf("%s [%s, %s]", Digits(e), Digits(l), Digits(u))
}

// line is one line of a forest plot from top to bottom.
type forestLine struct {
	head    string
	row     *ForestRow
	summary *ForestSummary
}

// Draw draws the plot.
func (f *Forest) Draw() *Canvas {
	lines := f.lines()
	label := Width("Study", bold)
	for _, l := range lines {
		switch {
		case l.row != nil:
			label = max(label, Width(l.row.Label, plain))
		case l.summary != nil:
			label = max(label, Width(l.summary.Label, bold), Width(l.summary.Note, soft))
		default:
			label = max(label, Width(l.head, bold))
		}
	}
	label = min(label, labelWidth)
	result := 0.0
	for _, l := range lines {
		if l.row != nil {
			result = max(result, Width(interval(l.row.Estimate, l.row.Lower, l.row.Upper), plain))
		} else if l.summary != nil {
			result = max(result, Width(interval(l.summary.Estimate, l.summary.Lower, l.summary.Upper), bold))
		}
	}
	weight := 0.0
	if f.Weights {
		weight = Width("100.0 %", plain) + 18
	}
	x0 := margin + label + 22
	x1 := x0 + plotWidth
	right := x1 + 22 + weight + result
	top := 86.0
	height := top + f.height(lines) + 64
	c := New(right+margin, height, f.Title, f.describe())
	c.Text(margin, 34, Fit(f.Title, head, right-margin), head)
	ax := f.axis(x0, x1)
	bottom := top + f.height(lines)
	c.Text(margin, top-14, "Study", bold)
	if f.Weights {
		c.Text(x1+22+weight-18, top-14, "Weight", Font{Size: body, Bold: true, Anchor: "end"})
	}
	c.Text(right, top-14, fmt.Sprintf("%s [%g %%]", f.Measure, 100*f.Level), Font{Size: body, Bold: true, Anchor: "end"})
	c.Line(margin, top-6, right, top-6, Stroke{Width: 1, Colour: Ink})
	f.grid(c, ax, top-6, bottom)
	y := top + 10
	for _, l := range lines {
		f.line(c, l, ax, y, label, x1+22+weight-18, right)
		y += l.height()
	}
	return c
}

func (l forestLine) height() float64 {
	if l.summary != nil && l.summary.Note != "" {
		return forestRow + 15
	}
	return forestRow
}

func (f *Forest) height(lines []forestLine) float64 {
	h := 0.0
	for _, l := range lines {
		h += l.height()
	}
	return h
}

func (f *Forest) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Forest plot of %d studies.", len(f.Rows))
	for _, s := range f.Summaries {
		fmt.Fprintf(&b, " %s: %s.", s.Label, interval(s.Estimate, s.Lower, s.Upper))
	}
	return b.String()
}

// lines puts the studies under the heads of their groups.
func (f *Forest) lines() []forestLine {
	var groups []string
	seen := map[string]bool{}
	for _, r := range f.Rows {
		if !seen[r.Group] {
			seen[r.Group] = true
			groups = append(groups, r.Group)
		}
	}
	var out []forestLine
	for _, g := range groups {
		if g != "" {
			out = append(out, forestLine{head: g})
		}
		for i := range f.Rows {
			if f.Rows[i].Group == g {
				out = append(out, forestLine{row: &f.Rows[i]})
			}
		}
		for i := range f.Summaries {
			if g != "" && f.Summaries[i].Group == g {
				out = append(out, forestLine{summary: &f.Summaries[i]})
			}
		}
	}
	for i := range f.Summaries {
		if f.Summaries[i].Group == "" {
			out = append(out, forestLine{summary: &f.Summaries[i]})
		}
	}
	return out
}

// axis covers the summaries and what lies near them: one study with a huge
// interval must not squeeze all the others, so ends beyond are drawn as arrows.
func (f *Forest) axis(x0, x1 float64) Axis {
	var ends []float64
	low, high := f.Null, f.Null
	for _, r := range f.Rows {
		ends = append(ends, f.scaled(r.Upper)-f.scaled(r.Lower))
		low, high = min(low, r.Estimate), max(high, r.Estimate)
	}
	for _, s := range f.Summaries {
		low, high = min(low, s.Lower), max(high, s.Upper)
		if s.PILower != s.PIUpper {
			low, high = min(low, s.PILower), max(high, s.PIUpper)
		}
	}
	usual := quantile(ends, .9)
	from, to := f.scaled(low), f.scaled(high)
	for _, r := range f.Rows {
		if f.scaled(r.Upper)-f.scaled(r.Lower) <= 1.5*usual {
			from, to = min(from, f.scaled(r.Lower)), max(to, f.scaled(r.Upper))
		}
	}
	pad := .03 * (to - from)
	if pad == 0 {
		pad = 1
	}
	return Axis{From: from - pad, To: to + pad, At: x0, End: x1, Log: f.Log}
}

func (f *Forest) scaled(v float64) float64 {
	if f.Log {
		return math.Log(max(v, 1e-12))
	}
	return v
}

func (f *Forest) grid(c *Canvas, ax Axis, top, bottom float64) {
	for _, t := range ax.Ticks(6) {
		x := ax.Place(t.Value)
		c.Line(x, top, x, bottom, Stroke{Width: .7, Colour: Pale})
		c.Line(x, bottom, x, bottom+5, Stroke{Width: 1, Colour: Ink})
		c.Text(x, bottom+20, t.Label, Font{Size: 11, Anchor: "middle"})
	}
	c.Line(ax.At, bottom, ax.End, bottom, Stroke{Width: 1, Colour: Ink})
	if x := ax.Place(f.Null); x >= ax.At && x <= ax.End {
		c.Line(x, top, x, bottom, Stroke{Width: 1, Colour: Soft, Dash: []float64{3, 3}})
	}
	for _, s := range f.Summaries {
		if s.Group == "" {
			x := ax.Place(s.Estimate)
			c.Line(x, top, x, bottom, Stroke{Width: .9, Colour: Accent, Dash: []float64{1, 3}})
			break
		}
	}
	c.Text((ax.At+ax.End)/2, bottom+40, f.Measure, Font{Size: body, Anchor: "middle"})
}

func (f *Forest) line(c *Canvas, l forestLine, ax Axis, y, label, weight, right float64) {
	base := y + 4.5
	switch {
	case l.row != nil:
		r := l.row
		c.Text(margin, base, Fit(r.Label, plain, label), plain)
		f.study(c, r, ax, y)
		if f.Weights {
			c.Text(weight, base, strconv.FormatFloat(r.Weight, 'f', 1, 64)+" %", Font{Size: body, Anchor: "end", Colour: Soft})
		}
		c.Text(right, base, interval(r.Estimate, r.Lower, r.Upper), Font{Size: body, Anchor: "end"})
	case l.summary != nil:
		s := l.summary
		c.Text(margin, base, Fit(s.Label, bold, label), bold)
		if s.PILower != s.PIUpper {
			bar(c, ax, s.PILower, s.PIUpper, y, Stroke{Width: 2.2, Colour: Warm})
		}
		c.Area([]Point{{ax.clip(s.Lower), y}, {ax.Place(s.Estimate), y - 6.5}, {ax.clip(s.Upper), y}, {ax.Place(s.Estimate), y + 6.5}}, Accent, Stroke{Width: .8, Colour: Accent})
		c.Text(right, base, interval(s.Estimate, s.Lower, s.Upper), Font{Size: body, Bold: true, Anchor: "end"})
		c.Text(margin, base+15, Fit(s.Note, soft, label), soft)
		if s.PILower != s.PIUpper {
			c.Text(right, base+15, fmt.Sprintf("new study [%s, %s]", Digits(s.PILower), Digits(s.PIUpper)), Font{Size: 11, Anchor: "end", Colour: Warm})
		}
	default:
		c.Text(margin, base, Fit(l.head, bold, label), bold)
	}
}

// bar draws an interval, with an arrow where it goes on beyond the axis.
func bar(c *Canvas, ax Axis, lower, upper, y float64, s Stroke) {
	a, b := ax.clip(lower), ax.clip(upper)
	c.Line(a, y, b, y, s)
	if ax.Place(lower) < ax.At {
		c.Arrow(Point{b, y}, Point{ax.At - 3, y}, 8, s.Colour)
	}
	if ax.Place(upper) > ax.End {
		c.Arrow(Point{a, y}, Point{ax.End + 3, y}, 8, s.Colour)
	}
}

// study is a square whose area is the weight, on the interval.
func (f *Forest) study(c *Canvas, r *ForestRow, ax Axis, y float64) {
	bar(c, ax, r.Lower, r.Upper, y, Stroke{Width: 1.2, Colour: Ink})
	size := 3.2
	if f.Weights {
		most := 0.0
		for _, o := range f.Rows {
			most = max(most, o.Weight)
		}
		size = 1.8 + 4.4*math.Sqrt(r.Weight/most)
	}
	x := ax.Place(r.Estimate)
	c.Rect(x-size, y-size, 2*size, 2*size, Ink, Stroke{})
}
