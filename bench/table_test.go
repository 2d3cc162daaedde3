// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	least := line{reach: 2, aim: 3}
	most := line{reach: 120, aim: 50, most: true}
	for _, c := range []struct {
		l    line
		v    float64
		want string
	}{
		{least, 1.99, "MISSED"}, {least, 2, "reached"}, {least, 3, "aim met"},
		{most, 121, "MISSED"}, {most, 120, "reached"}, {most, 50, "aim met"},
	} {
		if got := c.l.verdict(c.v); got != c.want {
			t.Errorf("%v with bounds %v, %v: %s, want %s", c.v, c.l.reach, c.l.aim, got, c.want)
		}
	}
}

// TestTable: what was not measured is said to be so, and has no verdict.
func TestTable(t *testing.T) {
	t.Parallel()
	f := figures{}
	for _, v := range []float64{1, 9, 5} {
		f.add("a", v)
	}
	f.add("b", 1234)
	var b strings.Builder
	if err := f.write(&b, []line{
		{name: "a", what: "first", unit: "x", reach: 4, aim: 6, beside: []string{"b"}},
		{name: "none", what: "second", reach: 1, aim: 2, whyNotAsked: "asked for by -x"},
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| first | **5x**; b 1234 | 1x to 9x | 4x | 6x | reached |", "| second | not measured | asked for by -x | 1 | 2 |  |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{1234.4: "1234", 12.34: "12.3", 1.234: "1.23", .1234: "0.123"} {
		if got := short(v); got != want {
			t.Errorf("short(%v) = %s, want %s", v, got, want)
		}
	}
}
