// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"cmp"
	"strings"
)

// DateSniffer finds the date format of a column: feed it every value with
// [DateSniffer.Add], then ask [DateSniffer.Format]. The zero value is ready; it
// keeps a few examples, never the column. It is for one goroutine.
type DateSniffer struct {
	// Column is named in problems.
	Column string

	iso, dmy, mdy, both, same, unread   int
	isoEx, dmyEx, mdyEx, bothEx, sameEx string
}

// Add looks at one value; empty cells and the texts of [DefaultMissing] are
// passed over.
func (d *DateSniffer) Add(value string) {
	text := strings.TrimSpace(value)
	for _, m := range DefaultMissing {
		if strings.EqualFold(text, m) {
			return
		}
	}
	note := func(n *int, example *string) {
		if *n == 0 {
			*example = strings.Clone(text)
		}
		*n++
	}
	switch r := readings(text); {
	case r.iso:
		note(&d.iso, &d.isoEx)
	case r.same:
		note(&d.same, &d.sameEx)
	case r.ambiguous():
		note(&d.both, &d.bothEx)
	case r.dmy:
		note(&d.dmy, &d.dmyEx)
	case r.mdy:
		note(&d.mdy, &d.mdyEx)
	default:
		d.unread++
	}
}

// Unreadable is how many values were no date in any format; they do not weigh
// in [DateSniffer.Format], and [ParseTime] refuses each.
func (d *DateSniffer) Unreadable() int { return d.unread }

// Format is iso, dmy or mdy: the one format in which every readable value can
// be read. It is a [*Problem] when the column mixes formats (CodeDateMixed),
// when all values can be read both ways (CodeDateAmbiguous), or when there is no
// date (CodeDateNone).
func (d *DateSniffer) Format() (string, error) {
	switch slashed := d.dmy + d.mdy + d.both + d.same; {
	case d.iso > 0 && slashed > 0:
		return "", d.mixed(d.isoEx, cmp.Or(d.dmyEx, d.mdyEx, d.bothEx, d.sameEx))
	case d.dmy > 0 && d.mdy > 0:
		return "", d.mixed(d.dmyEx, d.mdyEx)
	case d.iso > 0:
		return FormatISO, nil
	case d.dmy > 0:
		return FormatDMY, nil
	case d.mdy > 0:
		return FormatMDY, nil
	case d.both > 0:
		return "", ambiguousDate(d.bothEx, d.Column)
	case d.same > 0:
		return FormatDMY, nil // 03/03/2025 is the same day either way
	}
	return "", &Problem{Column: d.Column, Code: CodeDateNone}
}

func (d *DateSniffer) mixed(first, second string) *Problem {
	return &Problem{Column: d.Column, Code: CodeDateMixed, Value: shown(second),
		Args: map[string]string{"first": shown(first), "second": shown(second)}}
}
