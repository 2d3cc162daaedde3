// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import "slices"

// spread moves labels apart by at least room, as little as it can, between top
// and bottom. Labels that wish for the same place keep their order.
func spread(ls []label, top, bottom, room float64) []label {
	slices.SortStableFunc(ls, func(a, b label) int {
		switch {
		case a.want < b.want:
			return -1
		case a.want > b.want:
			return 1
		}
		return 0
	})
	// Groups of touching labels are centred on what their members wish for.
	type group struct {
		from, to int // indexes, to excluded
		first    float64
	}
	var gs []group
	place := func(g group) group {
		sum := 0.0
		for i := g.from; i < g.to; i++ {
			sum += ls[i].want - float64(i-g.from)*room
		}
		n := float64(g.to - g.from)
		g.first = max(top, min(sum/n, bottom-(n-1)*room))
		return g
	}
	for i := range ls {
		g := place(group{from: i, to: i + 1})
		for len(gs) > 0 {
			before := gs[len(gs)-1]
			if before.first+float64(before.to-before.from)*room <= g.first {
				break
			}
			g = place(group{from: before.from, to: g.to})
			gs = gs[:len(gs)-1]
		}
		gs = append(gs, g)
	}
	for _, g := range gs {
		for i := g.from; i < g.to; i++ {
			ls[i].at = g.first + float64(i-g.from)*room
		}
	}
	return ls
}
