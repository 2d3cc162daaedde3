// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// FewestForRaters is from how many sessions that both rated on two raters are set
// beside each other: with fewer the intervals say nothing.
const FewestForRaters = 6

// Raters is how two people's ratings of the same sessions lie to each other, in
// points of the client's form. Bias is the mean difference, therapist minus client,
// with its 95 % interval by Student's t; Congruence the correlation of the two over
// sessions with its 95 % interval by Fisher's z (Fisher, 1921; directional
// discrepancy and temporal congruence of one dyad, after West & Kenny, 2011, and
// Atzil-Slonim et al., 2015). Sessions are taken as independent of each other: where
// a mood lasts, the intervals are too narrow.
type Raters struct {
	N                             int
	Bias, BiasLow, BiasHigh       float64
	Congruence, CongLow, CongHigh float64
	Moves                         bool // both vary, so that there is a congruence
}

// TwoRaters sets them beside each other; ok is false with too few sessions.
func TwoRaters(gaps []GapPoint) (r Raters, ok bool) {
	var client, therapist, difference []float64
	for _, g := range gaps {
		if g.OK && number(g.Client) && number(g.Therapist) {
			client, therapist, difference = append(client, g.Client), append(therapist, g.Therapist), append(difference, g.Difference)
		}
	}
	r.N = len(difference)
	if r.N < FewestForRaters {
		return r, false
	}
	n := float64(r.N)
	m, sd := stat.MeanStdDev(difference, nil)
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(.975) * sd / math.Sqrt(n)
	r.Bias, r.BiasLow, r.BiasHigh = m, m-half, m+half
	if stat.StdDev(client, nil) > 0 && stat.StdDev(therapist, nil) > 0 {
		r.Moves = true
		r.Congruence = min(1, max(-1, stat.Correlation(client, therapist, nil)))
		z, d := math.Atanh(r.Congruence), distuv.UnitNormal.Quantile(.975)/math.Sqrt(n-3)
		r.CongLow, r.CongHigh = math.Tanh(z-d), math.Tanh(z+d)
	}
	return r, number(r.Bias)
}
