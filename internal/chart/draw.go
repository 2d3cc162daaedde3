// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

// bands shades sessions and names them above the plot. What finds no room for
// its name still tells it to whoever points at it.
func (f frame) bands(b *bytes.Buffer) {
	for i, band := range f.Bands {
		from, to := f.bandEdges(band)
		y := f.top - 14
		fmt.Fprintf(b, `<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6" fill-opacity="0.12"><title>%s</title></rect>`, from, y, to-from, f.bottom-y, escape(band.Label))
		if row := f.bandRow[i]; row >= 0 {
			text(b, "bandlabel", f.bandAt[i], f.top-2-rowHeight*float64(row), "middle", band.Label)
		}
	}
}

// grid draws the scale at round numbers and the sessions, thinned so that no two
// labels touch; the newest session is always named.
func (f frame) grid(b *bytes.Buffer) {
	for _, v := range f.scale() {
		y := f.y(v)
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, f.left, f.right, y, y)
		text(b, "tick", f.left-8, y+4, "end", f.number(v))
	}
	const widest = 56.0
	room := 0.0
	for _, t := range f.Ticks {
		room = max(room, extent(fit(t, small, widest), small)+8)
	}
	every := max(1, int(math.Ceil(room/f.pace())))
	last := len(f.Ticks) - 1
	for i, t := range f.Ticks {
		if i == last || i%every == 0 && f.x(last)-f.x(i) >= room {
			text(b, "tick", f.x(i), f.bottom+18, "middle", fit(t, small, widest))
		}
	}
}

func (f frame) thresholds(b *bytes.Buffer) {
	for _, t := range f.Thresholds {
		y := f.y(t.Value)
		fmt.Fprintf(b, `<line class="cut" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke-dasharray="2 4"/>`, f.left, f.right, y, y)
	}
}

func (l Line) class() string {
	if l.Dashed {
		return string(l.Mark) + " dashed"
	}
	return string(l.Mark)
}

func (f frame) path(b *bytes.Buffer, l Line) {
	var d strings.Builder
	pen := false
	for i, v := range l.Values {
		if !drawn(v) {
			pen = false
			continue
		}
		op := "M"
		if pen {
			op = "L"
		}
		fmt.Fprintf(&d, "%s%.1f %.1f", op, f.x(i), f.y(v))
		pen = true
	}
	dash := ""
	if l.Dashed {
		dash = ` stroke-dasharray="4 4"`
	}
	if d.Len() > 0 {
		fmt.Fprintf(b, `<path class="line %s" fill="none"%s d="%s"/>`, l.class(), dash, d.String())
	}
}

// aside moves marks of one session that lie on each other a little to the side,
// so that none hides another: result[line][session], in units of the picture.
func (f frame) aside() [][]float64 {
	out := make([][]float64, len(f.Lines))
	for k := range out {
		out[k] = make([]float64, len(f.Ticks))
	}
	if f.pace() < 14 && len(f.Ticks) > 1 {
		return out
	}
	at := func(k, i int) (float64, bool) {
		vs := f.Lines[k].Values
		if i >= len(vs) || !drawn(vs[i]) {
			return 0, false
		}
		return f.y(vs[i]), true
	}
	for i := range f.Ticks {
		for k := range f.Lines {
			y, ok := at(k, i)
			if !ok {
				continue
			}
			rank, n := 0.0, 0.0
			for j := range f.Lines {
				if other, there := at(j, i); there && math.Abs(other-y) < 2.5 {
					if j < k {
						rank++
					}
					n++
				}
			}
			out[k][i] = (rank - (n-1)/2) * min(8, f.pace()*.7/n)
		}
	}
	return out
}

// marks draws the values of a line. In a crowd only some are drawn in full, a
// different few for each line, and the others as specks on it: all can still be
// pointed at.
func (f frame) marks(b *bytes.Buffer, k int, aside [][]float64) {
	l := f.Lines[k]
	every := 1
	if f.pace() < 16 && len(f.Ticks) > 1 {
		every = int(math.Ceil(36 / f.pace()))
	}
	has := func(i int) bool { return i >= 0 && i < len(l.Values) && drawn(l.Values[i]) }
	for i, v := range l.Values {
		if !drawn(v) {
			continue
		}
		said := l.Name + " " + l.format(v)
		if f.SessionLabel != nil {
			said = f.SessionLabel(i) + ": " + said
		}
		class, scale := l.class(), 1.0
		end := !has(i-1) || !has(i+1)
		if !end && (i+k*every/max(1, len(f.Lines)))%every != 0 {
			class, scale = class+" speck", .4
		}
		fmt.Fprintf(b, `<path class="mark %s" d="%s"><title>%s</title></path>`, class, shape(l.Mark, f.x(i)+aside[k][i], f.y(v), scale), escape(said))
	}
}

// shape is the outline of a mark around x, y.
func shape(m Mark, x, y, scale float64) string {
	switch m {
	case Tasks:
		s := 3.8 * scale
		return fmt.Sprintf("M%.1f %.1fh%.2fv%.2fh-%.2fz", x-s, y-s, 2*s, 2*s, 2*s)
	case Goals:
		return fmt.Sprintf("M%.1f %.1fl%.2f %.2fh-%.2fz", x, y-5.4*scale, 5*scale, 8.6*scale, 10*scale)
	case Whole:
		s := 5.4 * scale
		return fmt.Sprintf("M%.1f %.1fl%[3]g %[3]gl-%[3]g %[3]gl-%[3]g -%[3]gz", x, y-s, s)
	}
	r := 4.1 * scale
	if m == Therapist {
		r = 2.6 * max(.6, scale)
	}
	return fmt.Sprintf("M%.1f %.1fa%.2[3]f %.2[3]f 0 1 0 %.2[4]f 0a%.2[3]f %.2[3]f 0 1 0 -%.2[4]f 0z", x-r, y, r, 2*r)
}

// notes marks sessions on the axis and writes the notes below the sessions, in
// at most two rows.
func (f frame) notes(b *bytes.Buffer) {
	for i, n := range f.Notes {
		x := f.x(n.Index)
		fmt.Fprintf(b, `<path class="notemark" d="M%.1f %.1fl4.5 7h-9z"><title>%s</title></path>`, x, f.bottom-8, escape(n.Text))
		if row := f.noteRow[i]; row >= 0 {
			text(b, "notelabel", f.noteAt[i], f.bottom+18+rowHeight*float64(row+1), "middle", n.Text)
		}
	}
}

// labels writes each series' name and newest value, and the thresholds' names,
// at the right. A thin lead ties a label to its line where it was moved away, or
// where the line ended some sessions ago.
func (f frame) labels(b *bytes.Buffer) {
	x := f.right + 12
	for _, l := range f.ends {
		stale := !l.cut && l.index < len(f.Ticks)-1
		if stale || math.Abs(l.at-l.want) > 3 {
			from := f.right + 1
			if stale {
				from = f.x(l.index) + 8
			}
			fmt.Fprintf(b, `<path class="leader" fill="none" stroke-dasharray="1 3" d="M%.1f %.1fL%.1f %.1fL%.1f %.1f"/>`, from, l.want, f.right+1, l.want, x-3, l.at)
		}
		full := ""
		if l.full != l.text {
			full = "<title>" + escape(l.full) + "</title>"
		}
		fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%.1f">%s%s</text>`, l.class(), x, l.at+4, escape(l.text), full)
	}
}
