// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode"
)

// Sizes of letters in CSS pixels; css.go gives the same.
const (
	small     = 12.0
	large     = 13.0 // and bold
	rowHeight = 16.0 // between two baselines
)

// escape makes a text fit for an element or a quoted attribute, of XML as well
// as of HTML: control characters, which XML forbids, are replaced.
func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}

// identifier keeps what an id may hold without a second meaning in
// aria-labelledby, where a space parts two ids.
func identifier(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
			return r
		}
		return '-'
	}, s)
}

func text(b *bytes.Buffer, class string, x, y float64, anchor, s string) {
	if s == "" {
		return
	}
	fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, class, x, y, anchor, escape(s))
}

// extent is about how wide a text stands, in the widest of the fonts that a
// system may use. A server cannot measure; too much room is better than too
// little.
func extent(s string, size float64) float64 {
	em := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljI|.,:;'! ", r):
			em += .34
		case strings.ContainsRune("mwMW%@…", r):
			em += 1
		case r >= 0x1100:
			em++
		case unicode.IsUpper(r):
			em += .74
		default:
			em += .63
		}
	}
	if size == large {
		em *= 1.1
	}
	return em * size
}

// fit shortens a text to the room there is.
func fit(s string, size, room float64) string {
	if extent(s, size) <= room {
		return s
	}
	rs := []rune(s)
	for n := len(rs) - 1; n > 0; n-- {
		if short := strings.TrimRight(string(rs[:n]), " ") + "…"; extent(short, size) <= room {
			return short
		}
	}
	return ""
}

// wrap breaks a text into rows.
func wrap(s string, size, room float64) []string {
	var rows []string
	row := ""
	for _, word := range strings.Fields(s) {
		longer := strings.TrimSpace(row + " " + word)
		if row != "" && extent(longer, size) > room {
			rows, row = append(rows, row), word
			continue
		}
		row = longer
	}
	if row != "" {
		rows = append(rows, row)
	}
	return rows
}

// placeRows seeks for each text a row in which it stands free of the others, and
// says -1 for one that finds none of the rows free. Each is centred on its
// middle, or moved to stay between from and to.
func placeRows(texts []string, middles []float64, from, to float64, rows int) (at []float64, row []int) {
	type stretch struct{ a, b float64 }
	taken := make([][]stretch, rows)
	for i, s := range texts {
		half := extent(s, small) / 2
		x := max(from+half, min(to-half, middles[i]))
		at, row = append(at, x), append(row, -1)
		if s == "" || 2*half > to-from {
			continue
		}
		for r := range taken {
			free := true
			for _, t := range taken[r] {
				free = free && (x+half+6 <= t.a || x-half-6 >= t.b)
			}
			if free {
				taken[r] = append(taken[r], stretch{x - half, x + half})
				row[i] = r
				break
			}
		}
	}
	return at, row
}
