// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"
	"testing"
)

// gridReport keeps the largest relative difference of each quantity.
type gridReport struct {
	t     *testing.T
	worst map[string]float64
	count int
}

// is compares one number, against its own size or floor.
func (g *gridReport) is(where, quantity string, got, want, floor, tolerance float64) {
	g.t.Helper()
	g.count++
	d := math.Abs(got-want) / max(math.Abs(want), floor)
	g.worst[quantity] = max(g.worst[quantity], d)
	if !(d <= tolerance) {
		g.t.Errorf("%s: %s = %.10g, R says %.10g (%.1e)", where, quantity, got, want, d)
	}
}
