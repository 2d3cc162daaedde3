// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"math"
	"strconv"
	"strings"
)

// frame is a course made ready to draw: its lines no longer than its ticks, its
// marks known, its scale wide enough, and where everything stands. The plot lies
// between left and right, top and bottom.
type frame struct {
	Course
	w, h, left, right, top, bottom float64
	step                           float64 // between two values on the scale
	ends                           []label
	bandRow, noteRow               []int
	bandAt, noteAt                 []float64
}

func (c Course) frame() frame {
	f := frame{Course: c, w: 880, h: 300}
	most := 210.0 // for labels at the right
	if c.Width == Narrow {
		f.w, f.h, most = 340, 260, 136
	}
	if c.Height > 0 {
		f.h = max(120, float64(c.Height))
	}
	f.clean()
	if f.empty() {
		f.h = 64
		return f
	}
	f.ends = f.endLabels(most - 16)
	side := 0.0
	for _, l := range f.ends {
		side = max(side, extent(l.text, l.size()))
	}
	f.right = f.w - max(48, side+16)
	f.left = 28 // known once the scale is
	f.rows()
	// A place of its own for every label needs this much plot.
	f.h += max(0, float64(len(f.ends)-1)*rowHeight-(f.bottom-f.top))
	f.rows()
	f.step = niceStep((f.Max - f.Min) / max(2, (f.bottom-f.top)/32))
	for _, t := range f.scale() {
		f.left = max(f.left, extent(f.number(t), small)+12)
	}
	f.rows()
	for i := range f.ends {
		f.ends[i].want = f.y(f.ends[i].value)
	}
	f.ends = spread(f.ends, f.top, f.bottom, rowHeight)
	return f
}

// clean copies what it mends: a course may be drawn by two requests at once.
func (f *frame) clean() {
	lines := make([]Line, len(f.Lines))
	low, high := f.Min, f.Max
	if !drawn(low) || !drawn(high) || high < low {
		low, high = math.Inf(1), math.Inf(-1)
	}
	for k, l := range f.Lines {
		l.Mark, l.Dashed = l.Mark.known(), l.Dashed || l.Mark == Therapist
		l.Values = l.Values[:min(len(l.Values), len(f.Ticks))]
		for _, v := range l.Values {
			if drawn(v) {
				low, high = min(low, v), max(high, v)
			}
		}
		lines[k] = l
	}
	f.Lines = lines
	var cuts []Threshold
	seen := map[Threshold]bool{}
	for _, t := range f.Thresholds {
		if drawn(t.Value) && !seen[t] {
			seen[t] = true
			cuts = append(cuts, t)
			low, high = min(low, t.Value), max(high, t.Value)
		}
	}
	f.Thresholds = cuts
	if high == low {
		low, high = low-1, high+1
	}
	f.Min, f.Max = low, high
	last := len(f.Ticks) - 1
	var bands []Band
	for _, band := range f.Bands {
		from, to := max(0, min(band.From, band.To)), min(last, max(band.From, band.To))
		if from <= to {
			bands = append(bands, Band{From: from, To: to, Label: band.Label})
		}
	}
	var notes []Note
	for _, n := range f.Notes {
		if n.Index >= 0 && n.Index <= last {
			notes = append(notes, n)
		}
	}
	f.Bands, f.Notes = bands, notes
}

// rows finds where bands and notes are named, above and below the plot, and from
// that where the plot begins and ends.
func (f *frame) rows() {
	var texts []string
	var middles []float64
	for _, b := range f.Bands {
		a, z := f.bandEdges(b)
		texts, middles = append(texts, b.Label), append(middles, (a+z)/2)
	}
	f.bandAt, f.bandRow = placeRows(texts, middles, f.left, f.right, 2)
	texts, middles = nil, nil
	for _, n := range f.Notes {
		texts, middles = append(texts, n.Text), append(middles, f.x(n.Index))
	}
	f.noteAt, f.noteRow = placeRows(texts, middles, 2, f.w-2, 2)
	f.top, f.bottom = 14+rowHeight*used(f.bandRow), f.h-28-rowHeight*used(f.noteRow)
}

func used(rows []int) float64 {
	most := -1
	for _, r := range rows {
		most = max(most, r)
	}
	return float64(most + 1)
}

func (f frame) empty() bool {
	for _, l := range f.Lines {
		for _, v := range l.Values {
			if drawn(v) {
				return false
			}
		}
	}
	return true
}

// pace is the way from one session to the next.
func (f frame) pace() float64 {
	return (f.right - f.left - 20) / float64(max(1, len(f.Ticks)-1))
}

func (f frame) x(i int) float64 {
	if len(f.Ticks) < 2 {
		return (f.left + f.right) / 2
	}
	return f.left + 10 + float64(i)*f.pace()
}

func (f frame) y(v float64) float64 {
	// Halves, because the way between two very large values may have no number.
	return f.bottom - (v/2-f.Min/2)/(f.Max/2-f.Min/2)*(f.bottom-f.top)
}

func (f frame) bandEdges(b Band) (from, to float64) {
	pad := min(f.pace()*.4, 24)
	return max(f.left-4, f.x(b.From)-pad), min(f.right+4, f.x(b.To)+pad)
}

// scale has the round values within the scale.
func (f frame) scale() []float64 {
	var out []float64
	first := math.Ceil(f.Min/f.step - 1e-9)
	for i := 0.0; i < 40; i++ {
		v := (first + i) * f.step
		if !(v <= f.Max+f.step*1e-9) {
			break
		}
		out = append(out, v)
	}
	return out
}

// number writes a value of the scale, with the comma of the first line if that
// writes one.
func (f frame) number(v float64) string {
	if math.Abs(v) >= 1e9 || f.step < 1e-6 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	places := max(0, int(-math.Floor(math.Log10(f.step)+1e-9)))
	s := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	if len(f.Lines) > 0 && strings.Contains(f.Lines[0].format(.5), ",") {
		s = strings.Replace(s, ".", ",", 1)
	}
	return strings.Replace(s, "-", "−", 1)
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
