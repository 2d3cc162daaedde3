// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"slices"
	"testing"

	"github.com/entente-project/entente/stats"
)

// FuzzFit fits whatever formula there is to two tables, one of them with a
// response that hangs on little: an error, or numbers throughout.
func FuzzFit(f *testing.F) {
	for _, s := range append(slices.Clone(models), "y ~ 0 + arm + (0 + arm | p)", "t ~ x + (x + z | h)", "y ~ p*h + (w | arm)", "x ~ I(x + 1) + (1 | p)", "t ~ 1 + (1 | p)", "z ~ x + (x || p) + (0 + z | h) + (1 | arm)") {
		f.Add(s)
	}
	tables := []*stats.Frame{invented(f, 40, 8, 4, 1), invented(f, 12, 5, 3, 2)}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := stats.ParseFormula(s)
		if err != nil || len(p.Terms) > 6 || len(p.Random) > 3 {
			return
		}
		for _, r := range p.Random {
			if len(r.Terms) > 2 {
				return // slow, not wrong
			}
		}
		for _, table := range tables {
			m, err := Fit(s, table, &Options{ML: len(s)%2 == 0})
			if err != nil {
				continue
			}
			if !allFinite(m) {
				t.Fatalf("%q: %+v %+v", s, m.Fixed, m.Components)
			}
			tests, err := m.Satterthwaite()
			for _, c := range tests {
				if err == nil && !finite([]float64{c.DF, c.T, c.P}) {
					t.Fatalf("%q: %+v", s, c)
				}
			}
			tests, err = m.KenwardRoger()
			for _, c := range tests {
				if err == nil && !finite([]float64{c.DF, c.SE, c.P}) {
					t.Fatalf("%q: %+v", s, c)
				}
			}
		}
	})
}
