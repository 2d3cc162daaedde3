// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"math"
	"strings"
	"testing"
)

func TestFacets(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7} {
		p := &Facets{Title: "Chance of each answer, with a title that is much too long to stand in one line", X: "trait", Y: "probability", Note: "Each line is an answer.", Own: n == 2}
		for range n {
			q := Facet{Name: `An item <with> a long "name" that does not fit`, Lines: make([][]Point, 3), Names: []string{"first", "2", "3"}}
			for k := range q.Lines {
				for i := range 21 {
					q.Lines[k] = append(q.Lines[k], Point{float64(i) - 10, math.Exp(-math.Abs(float64(i - 10*k)))})
				}
			}
			p.Panels = append(p.Panels, q)
		}
		if n == 7 {
			p.Panels[3].Lines = [][]Point{{}, {{0, 0}}}
		}
		c := p.Draw()
		check(t, c)
		if n > 0 && strings.Count(string(c.SVG()), ">first</text>") < n-1 {
			t.Errorf("%d plots, %d lines called first", n, strings.Count(string(c.SVG()), ">first</text>"))
		}
		if _, err := c.PNG(); err != nil {
			t.Error(err)
		}
	}
}
