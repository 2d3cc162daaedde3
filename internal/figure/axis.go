// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"math"
	"slices"
	"strconv"
)

// Axis maps values to places. With Log, From and To are logarithms and values are
// ratios.
type Axis struct {
	From, To float64
	At, End  float64 // places of From and To, in pixels
	Log      bool
}

// Tick is a mark on an axis.
type Tick struct {
	Value float64
	Label string
}

// Place returns where a value lies.
func (a Axis) Place(v float64) float64 {
	if a.Log {
		v = math.Log(max(v, 1e-300))
	}
	return a.At + (v-a.From)/(a.To-a.From)*(a.End-a.At)
}

// clip keeps a place within the axis.
func (a Axis) clip(v float64) float64 {
	lo, hi := min(a.At, a.End), max(a.At, a.End)
	return min(max(a.Place(v), lo), hi)
}

// Ticks returns about n round values.
func (a Axis) Ticks(n int) []Tick {
	if a.Log {
		if t := a.ratios(); len(t) >= 2 {
			return t
		}
	}
	from, to := min(a.From, a.To), max(a.From, a.To)
	step := roundStep((to - from) / float64(max(1, n)))
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var out []Tick
	for k := math.Ceil(from/step - 1e-9); k*step <= to+1e-9*step; k++ {
		v := k * step
		label := minus(strconv.FormatFloat(v, 'f', digits, 64))
		if a.Log {
			v = math.Exp(v)
			label = strconv.FormatFloat(v, 'g', 3, 64)
		}
		out = append(out, Tick{v, label})
	}
	return out
}

// ratios are the usual marks of a logarithmic axis, thinned until they fit.
func (a Axis) ratios() []Tick {
	for _, digits := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		var out []Tick
		for p := -9; p <= 9; p++ {
			for _, d := range digits {
				v := d * math.Pow10(p)
				if l := math.Log(v); l >= a.From && l <= a.To {
					out = append(out, Tick{v, strconv.FormatFloat(v, 'g', 4, 64)})
				}
			}
		}
		if len(out) <= 9 {
			return out
		}
	}
	return nil
}

// roundStep is 1, 2 or 5 times a power of ten, not below the step.
func roundStep(step float64) float64 {
	if !(step > 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range []float64{1, 2, 5, 10} {
		if step <= m*p*(1+1e-9) {
			return m * p
		}
	}
	return 10 * p
}

func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	return s[int(math.Round(q*float64(len(s)-1)))]
}

// spanOf is the range of values with a little air.
func spanOf(v []float64, air float64) (from, to float64) {
	from, to = math.Inf(1), math.Inf(-1)
	for _, x := range v {
		from, to = min(from, x), max(to, x)
	}
	d := (to - from) * air
	if to == from {
		d = max(math.Abs(to), 1) * .1
	}
	return from - d, to + d
}

// frame draws the axes of a plot with their names.
func frame(c *Canvas, x, y Axis, xName, yName string) {
	for _, t := range x.Ticks(6) {
		p := x.Place(t.Value)
		c.Line(p, y.At, p, y.At+5, Stroke{Width: 1, Colour: Ink})
		c.Text(p, y.At+20, t.Label, Font{Size: 11, Anchor: "middle"})
	}
	widest := 0.0
	for _, t := range y.Ticks(6) {
		p := y.Place(t.Value)
		c.Line(x.At-5, p, x.At, p, Stroke{Width: 1, Colour: Ink})
		c.Text(x.At-9, p+4, t.Label, Font{Size: 11, Anchor: "end"})
		widest = max(widest, Width(t.Label, Font{Size: 11}))
	}
	c.Line(x.At, y.At, x.End, y.At, Stroke{Width: 1, Colour: Ink})
	c.Line(x.At, y.At, x.At, y.End, Stroke{Width: 1, Colour: Ink})
	c.Text((x.At+x.End)/2, y.At+42, xName, Font{Size: body, Anchor: "middle"})
	c.Text(x.At-9-widest, y.End-14, yName, Font{Size: body})
}
