// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// Spark is the first series as a small line for a list, 120 by 28, not read
// aloud: the row says in words what it shows. It breaks where a session was not
// rated. Without a series it is nothing.
func (c Course) Spark() template.HTML {
	if len(c.Lines) == 0 {
		return ""
	}
	f := frame{Course: c, w: 120, h: 28, left: -4, right: 124, top: 4, bottom: 24}
	l := c.Lines[0]
	f.Lines, f.Ticks, f.Thresholds = []Line{l}, make([]string, len(l.Values)), nil
	f.clean()
	l = f.Lines[0]
	var d strings.Builder
	end, pen := "", false
	for i, v := range l.Values {
		if !drawn(v) {
			pen = false
			continue
		}
		x, y := f.x(i), f.y(v)
		if pen {
			fmt.Fprintf(&d, "L%.1f %.1f", x, y)
		} else {
			// No length, but round ends: a dot where nothing follows.
			fmt.Fprintf(&d, "M%.1f %.1fh0", x, y)
		}
		end, pen = fmt.Sprintf(`<circle class="mark %s" cx="%.1f" cy="%.1f" r="2.6"/>`, l.Mark, x, y), true
	}
	return template.HTML(fmt.Sprintf(`<svg class="course sparkline" viewBox="0 0 120 28" width="120" height="28" aria-hidden="true"><path class="line %s" fill="none" d="%s"/>%s</svg>`, l.Mark, d.String(), end)) //nolint:gosec // numbers and known marks only
}
