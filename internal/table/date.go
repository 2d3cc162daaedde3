// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"fmt"
	"strings"
	"time"
)

// The formats of [ParseTime].
const (
	FormatISO  = "iso"  // 2025-12-31, with T or a space 15:04[:05[.000]] and Z or +01:00
	FormatDMY  = "dmy"  // 31/12/2025, 31.12.2025, 31-12-25, with an optional 15:04[:05]
	FormatMDY  = "mdy"  // 12/31/2025 and the like
	FormatAuto = "auto" // whichever of these it can only be
)

// Years outside are refused: they are slips of the pen.
const (
	firstYear = 1900
	lastYear  = 2100
)

type moment struct {
	year, month, day, hour, minute, second, nano int
	timed, zoned                                 bool
	offset                                       int // seconds east of UTC, when zoned
}

// ParseTime reads one cell as a date, with or without a time of day, in one of
// the formats; without an offset of its own it is taken in loc (nil: UTC). A
// date alone is the first instant of that day. Years of two digits are 2000 to
// 2068 and 1969 to 1999. A date or time that does not exist, the hour skipped by
// a clock change included, is a [*Problem]; with FormatAuto so is a date that
// can be read both ways (see [DateSniffer], which judges a whole column).
func ParseTime(s string, format string, loc *time.Location) (time.Time, error) {
	if loc == nil {
		loc = time.UTC
	}
	text := strings.TrimSpace(s)
	switch format {
	case FormatISO, FormatDMY, FormatMDY:
		if m, ok := parseMoment(text, format); ok {
			if t, ok := m.in(loc); ok {
				return t, nil
			}
		}
	case FormatAuto, "":
		format = FormatAuto
		switch r := readings(text); {
		case r.ambiguous():
			return time.Time{}, ambiguousDate(s, "")
		case r.format() != "":
			return ParseTime(s, r.format(), loc)
		}
	default:
		return time.Time{}, &Problem{Code: CodeDateFormat, Args: map[string]string{"format": shown(format)}}
	}
	return time.Time{}, &Problem{Code: CodeDate, Value: shown(s), Args: map[string]string{"format": format}}
}

// reading is what one text can be as a date.
type reading struct {
	iso, dmy, mdy bool
	same          bool // dmy and mdy are the same day
}

func readings(text string) reading {
	if _, ok := parseMoment(text, FormatISO); ok {
		return reading{iso: true}
	}
	d, dok := parseMoment(text, FormatDMY)
	m, mok := parseMoment(text, FormatMDY)
	return reading{dmy: dok, mdy: mok, same: dok && mok && d == m}
}

func (r reading) ambiguous() bool { return r.dmy && r.mdy && !r.same }

func (r reading) format() string {
	switch {
	case r.iso:
		return FormatISO
	case r.dmy:
		return FormatDMY
	case r.mdy:
		return FormatMDY
	}
	return ""
}

func ambiguousDate(value, column string) *Problem {
	d, _ := parseMoment(strings.TrimSpace(value), FormatDMY)
	m, _ := parseMoment(strings.TrimSpace(value), FormatMDY)
	return &Problem{Column: column, Code: CodeDateAmbiguous, Value: shown(value), Args: map[string]string{"dmy": d.date(), "mdy": m.date()}}
}

func (m moment) date() string { return fmt.Sprintf("%04d-%02d-%02d", m.year, m.month, m.day) }

// in places a moment in time; false if no clock in loc ever showed it.
func (m moment) in(loc *time.Location) (time.Time, bool) {
	if m.zoned {
		loc = time.FixedZone("", m.offset)
		if m.offset == 0 {
			loc = time.UTC
		}
	}
	t := time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, m.nano, loc)
	if !m.timed {
		// Some clock changes skip midnight; the day then begins an hour later.
		for i := 0; i < 3 && t.Day() != m.day; i++ {
			t = t.Add(time.Hour)
		}
		return t, t.Day() == m.day
	}
	return t, t.Day() == m.day && t.Hour() == m.hour && t.Minute() == m.minute
}

// parseMoment reads all of s in one of the three concrete formats.
func parseMoment(s, format string) (m moment, ok bool) {
	c := &cursor{s: s}
	var a, b, y, na, ny int
	if format == FormatISO {
		y, ny = c.number(4)
		ok = ny == 4 && c.take('-')
		m.month, na = c.number(2)
		ok = ok && na == 2 && c.take('-')
		m.day, na = c.number(2)
		ok = ok && na == 2
	} else {
		a, na = c.number(2)
		sep := c.peek()
		ok = na > 0 && (sep == '/' || sep == '.' || sep == '-') && c.take(sep)
		b, na = c.number(2)
		ok = ok && na > 0 && c.take(sep)
		y, ny = c.number(4)
		ok = ok && (ny == 2 || ny == 4)
		m.day, m.month = a, b
		if format == FormatMDY {
			m.day, m.month = b, a
		}
	}
	if ny == 2 {
		y += 1900
		if y < 1969 {
			y += 100
		}
	}
	m.year = y
	if !ok || y < firstYear || y > lastYear || m.month < 1 || m.month > 12 || m.day < 1 || m.day > daysIn(m.month, y) {
		return moment{}, false
	}
	return c.clock(m, format == FormatISO)
}

// clock reads the optional time of day, and for ISO the offset, to the end.
func (c *cursor) clock(m moment, iso bool) (moment, bool) {
	if c.end() {
		return m, true
	}
	var nh, nm, ns int
	if !c.take(' ') && !(iso && (c.take('T') || c.take('t'))) {
		return moment{}, false
	}
	m.timed = true
	m.hour, nh = c.number(2)
	ok := nh > 0 && (c.take(':') || !iso && c.take('.'))
	m.minute, nm = c.number(2)
	ok = ok && nm == 2
	if ok && c.take(':') {
		m.second, ns = c.number(2)
		ok = ns == 2
		if ok && c.take('.') {
			ok = c.fraction(&m)
		}
	}
	if !ok || nh != 2 && iso || m.hour > 23 || m.minute > 59 || m.second > 59 {
		return moment{}, false
	}
	if iso && !c.end() && !c.zone(&m) {
		return moment{}, false
	}
	return m, c.end()
}

func (c *cursor) fraction(m *moment) bool {
	v, n := c.number(9)
	for i := n; i < 9; i++ {
		v *= 10
	}
	m.nano = v
	return n > 0
}

func (c *cursor) zone(m *moment) bool {
	m.zoned = true
	if c.take('Z') || c.take('z') {
		return true
	}
	sign := 1
	if c.take('-') {
		sign = -1
	} else if !c.take('+') {
		return false
	}
	h, nh := c.number(2)
	c.take(':')
	min, nm := c.number(2)
	m.offset = sign * (h*3600 + min*60)
	return nh == 2 && nm == 2 && h <= 14 && min <= 59
}

func daysIn(month, year int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

type cursor struct {
	s  string
	at int
}

func (c *cursor) end() bool { return c.at == len(c.s) }

func (c *cursor) peek() byte {
	if c.end() {
		return 0
	}
	return c.s[c.at]
}

func (c *cursor) take(b byte) bool {
	if c.peek() != b || c.end() {
		return false
	}
	c.at++
	return true
}

// number reads up to most digits and tells how many there were.
func (c *cursor) number(most int) (v, n int) {
	for n < most && c.peek() >= '0' && c.peek() <= '9' {
		v = v*10 + int(c.s[c.at]-'0')
		c.at++
		n++
	}
	return v, n
}
