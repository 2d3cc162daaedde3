// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"html/template"
	"math"
	"strconv"
	"strings"

	"github.com/entente-project/entente/instrument"
)

// drawings are the pictures of a row, in squares of 48, in lines of one colour:
// what differs is the shape, so that no eye has to tell colours apart. Filled
// parts have the class "f".
var drawings = map[instrument.Drawing][]string{
	// Bare soil with a seed in it, a sprout, a plant, a plant in flower.
	instrument.Plant: {
		`<path d="M6 34h36"/><ellipse class="f" cx="24" cy="40" rx="4" ry="2.6"/>`,
		`<path d="M6 38h36M24 38v-9"/><path class="f" d="M24 29c-7 0-9-4-9-7 6 0 9 3 9 7zM24 29c7 0 9-4 9-7-6 0-9 3-9 7z"/>`,
		`<path d="M6 42h36M24 42V16"/><path class="f" d="M24 36c-8 0-11-4-11-8 7 0 11 4 11 8zM24 36c8 0 11-4 11-8-7 0-11 4-11 8zM24 23c-6 0-8-4-8-7 5 0 8 3 8 7zM24 23c6 0 8-4 8-7-5 0-8 3-8 7z"/>`,
		`<path d="M6 45h36M24 45V22"/><path class="f" d="M24 41c-8 0-11-4-11-8 7 0 11 4 11 8zM24 41c8 0 11-4 11-8-7 0-11 4-11 8z"/><circle class="f" cx="24" cy="5" r="4.5"/><circle class="f" cx="31" cy="10" r="4.5"/><circle class="f" cx="28.500" cy="18" r="4.5"/><circle class="f" cx="19.500" cy="18" r="4.5"/><circle class="f" cx="17" cy="10" r="4.5"/><circle class="o" cx="24" cy="12" r="4"/>`,
	},
	// The sun, the sun behind a cloud, a cloud with rain.
	instrument.Weather: {
		`<circle class="f" cx="24" cy="24" r="9"/><path d="M24 4v6M24 38v6M4 24h6M38 24h6M10 10l4 4M34 34l4 4M38 10l-4 4M14 34l-4 4"/>`,
		`<circle class="f" cx="31" cy="16" r="7"/><path d="M31 2v3M45 16h-3M41 6l-2 2M21 6l2 2"/><path class="o" d="M13 40a8 8 0 0 1 0-16 11 11 0 0 1 21-1 8.500 8.500 0 0 1 1 17z"/>`,
		`<path class="o" d="M13 30a8 8 0 0 1 0-16 11 11 0 0 1 21-1 8.500 8.500 0 0 1 1 17z"/><path d="M14 35l-3 9M24 35l-3 9M34 35l-3 9"/>`,
	},
}

// stage is which picture of a row belongs to the n-th of so many answers.
func stage(d instrument.Drawing, n, of int) string {
	last := len(drawings[d]) - 1
	return string(d) + strconv.Itoa(int(math.Round(float64(n*last)/float64(max(1, of-1)))))
}

// sheet has every picture of a row once, to be used by its name.
func sheet(d instrument.Drawing) template.HTML {
	var b strings.Builder
	b.WriteString(`<svg hidden>`)
	for n, shape := range drawings[d] {
		b.WriteString(`<symbol id="` + string(d) + strconv.Itoa(n) + `" viewBox="0 0 48 48">` + shape + `</symbol>`)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // of the shapes above
}
