// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

var years = regexp.MustCompile(`(\d+)\s*-\s*(\d+)|(\d+)\+|<=\s*(\d+)`)

// Bands are the age bands that the published words name, such as "adult" or
// "11-18"; nil when they do not tell.
func (k *Key) Bands() (out []AgeBand) {
	text := k.Ages
	named := map[AgeBand]bool{
		Adult: strings.Contains(text, "adult"), Adolescent: strings.Contains(text, "adolescent"), Child: strings.Contains(text, "child"),
	}
	known := text == "any" || named[Adult] || named[Adolescent] || named[Child]
	for _, m := range years.FindAllStringSubmatch(text, -1) {
		known = true
		from, to := 0, math.MaxInt
		for i, v := range m[1:] {
			n, err := strconv.Atoi(v)
			switch {
			case err != nil:
			case i == 0 || i == 2:
				from = n
			default:
				to = n
			}
		}
		named[Child] = named[Child] || from <= 12 && to >= 6
		named[Adolescent] = named[Adolescent] || from <= 17 && to >= 13
		named[Adult] = named[Adult] || to >= 18
	}
	if !known {
		return nil
	}
	out = []AgeBand{}
	for _, b := range []AgeBand{Adult, Adolescent, Child} {
		if named[b] || text == "any" {
			out = append(out, b)
		}
	}
	return out
}
