// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"bytes"
	"fmt"
	"strings"
)

// Area shades what lies between two rows of values, with an entry for each session
// and NaN where there is nothing to shade. It is cut at the ends of the scale.
type Area struct {
	Lower, Upper []float64
	Label        string
}

// area draws the stretches of sessions in which both ends are there.
func (f frame) area(b *bytes.Buffer) {
	if f.Area == nil {
		return
	}
	n := min(len(f.Area.Lower), len(f.Area.Upper), len(f.Ticks))
	there := func(i int) bool { return i < n && drawn(f.Area.Lower[i]) && drawn(f.Area.Upper[i]) }
	cut := func(v float64) float64 { return f.y(max(f.Min, min(f.Max, v))) }
	for from := 0; from < n; from++ {
		if !there(from) {
			continue
		}
		to := from
		for there(to + 1) {
			to++
		}
		var d, back strings.Builder
		for i := from; i <= to; i++ {
			fmt.Fprintf(&d, "L%.1f %.1f", f.x(i), cut(f.Area.Upper[i]))
			fmt.Fprintf(&back, "L%.1f %.1f", f.x(from+to-i), cut(f.Area.Lower[from+to-i]))
		}
		if from == to { // one session has no width
			const half = 7
			x, top, bottom := f.x(from), cut(f.Area.Upper[from]), cut(f.Area.Lower[from])
			d.Reset()
			back.Reset()
			fmt.Fprintf(&d, "L%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1f", x-half, top, x+half, top, x+half, bottom, x-half, bottom)
		}
		fmt.Fprintf(b, `<path class="expected" fill-opacity="0.14" d="M%sz"><title>%s</title></path>`, d.String()[1:]+back.String(), escape(f.Area.Label))
		from = to
	}
}
