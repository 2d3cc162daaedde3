// SPDX-License-Identifier: AGPL-3.0-or-later

package chart

import "slices"

// label stands at the right of the plot: what is written, what it means in full,
// which value it belongs to, the height it wishes for and the one it has.
type label struct {
	text, full string
	mark       Mark
	cut        bool // names a threshold
	index      int  // the session of the value
	value      float64
	want, at   float64
}

func (l label) class() string {
	if l.cut {
		return "end cutlabel"
	}
	return "end " + string(l.mark)
}

func (l label) size() float64 {
	if l.cut || l.mark == Therapist {
		return small
	}
	return large
}

// endLabels names every line that has a value, and every threshold, in the room
// there is. A name is shortened before its value is.
func (f frame) endLabels(room float64) []label {
	var ls []label
	for _, line := range f.Lines {
		for i := len(line.Values) - 1; i >= 0; i-- {
			v := line.Values[i]
			if !drawn(v) {
				continue
			}
			l := label{mark: line.Mark, index: i, value: v}
			said := line.format(v)
			l.full = line.Name + " " + said
			left := room - extent(" "+said, l.size())
			l.text = fit(line.Name, l.size(), left) + " " + said
			if left < room/3 {
				l.text = fit(l.full, l.size(), room)
			}
			ls = append(ls, l)
			break
		}
	}
	for _, t := range f.Thresholds {
		if t.Label != "" {
			ls = append(ls, label{text: fit(t.Label, small, room), full: t.Label, cut: true, value: t.Value})
		}
	}
	return ls
}

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
