// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// Spark is the first series as a small line for a list, 120 by 28, not read
// aloud: the row says in words what it shows.
func (c Course) Spark() template.HTML {
	f := frame{Course: c, w: 120, h: 28, left: -4, right: -4, top: 4, bottom: 4}
	if len(c.Lines) == 0 {
		return ""
	}
	vs := c.Lines[0].Values
	f.Ticks = make([]string, len(vs))
	var path strings.Builder
	end, pen := "", false
	for i, v := range vs {
		if !drawn(v) {
			pen = false
			continue
		}
		op := "M"
		if pen {
			op = "L"
		}
		x, y := f.x(i), f.y(v)
		fmt.Fprintf(&path, "%s%.1f %.1f", op, x, y)
		end, pen = fmt.Sprintf(`<circle class="mark whole" cx="%.1f" cy="%.1f" r="2.6"/>`, x, y), true
	}
	return template.HTML(`<svg class="course sparkline" viewBox="0 0 120 28" width="120" height="28" aria-hidden="true"><path class="line whole" fill="none" d="` + path.String() + `"/>` + end + "</svg>") //nolint:gosec // numbers only
}
