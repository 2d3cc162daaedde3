// SPDX-License-Identifier: AGPL-3.0-or-later

package simulate

import (
	"math"

	"github.com/entente-project/entente/alliance"
)

// oracle is the likelihood ratio of somebody who knows a person's true level,
// growth and spread, and not whether, when and how far they fall: no rule can see
// more. On a stepped form it knows what the form would show on average, and how
// far it varies.
func oracle(x person, p alliance.Population, f Form) []float64 {
	unit := p.Within * math.Exp(p.WithinLogSD*p.WithinLogSD/2)
	keep := math.Sqrt(1 - p.Auto*p.Auto)
	var at []int // sessions rated
	var white []float64
	out := make([]float64, len(x.ratings))
	lower := map[[2]int]float64{} // of a session, by size: how much lower the rating would be, in SDs
	for t, y := range x.ratings {
		out[t] = math.Inf(-1)
		if math.IsNaN(y) {
			continue
		}
		m, sd := f.moments(x.level[t], x.sd)
		for k, size := range sizes {
			low, _ := f.moments(x.level[t]-size*unit, x.sd)
			lower[[2]int{t, k}] = (m - low) / sd
		}
		z := (y - m) / sd
		if n := len(at); n > 0 && at[n-1] == t-1 {
			before, sdBefore := f.moments(x.level[t-1], x.sd)
			z = (z - p.Auto*(x.ratings[t-1]-before)/sdBefore) / keep
		}
		at, white = append(at, t), append(white, z)
		if len(at) >= 2 {
			out[t] = ratio(at, white, lower, p.Auto, keep)
		}
	}
	return out
}

var sizes = []float64{1, 1.5, 2, 2.5, 3, 3.5}

// ways are the falls an oracle thinks of, from now backwards, with their weights.
var ways = []struct {
	at     []float64
	weight float64
}{{[]float64{1}, .45}, {[]float64{1, 1}, .25}, {[]float64{0, 1}, .15}, {[]float64{1, 1, 1}, .05}, {[]float64{1, .67, .33}, .05}, {[]float64{1, .75, .5, .25}, .05}}

func ratio(at []int, white []float64, lower map[[2]int]float64, auto, keep float64) float64 {
	n, sum := len(at), 0.0
	for _, w := range ways {
		if len(w.at) > n {
			continue
		}
		for k := range sizes {
			l, before := 0.0, 0.0
			for i := n - len(w.at); i < n; i++ {
				effect := -w.at[n-1-i] * lower[[2]int{at[i], k}]
				v := effect
				if i > 0 && at[i-1] == at[i]-1 {
					v = (effect - auto*before) / keep
				}
				l += v*white[i] - v*v/2
				before = effect
			}
			sum += w.weight / float64(len(sizes)) * math.Exp(l)
		}
	}
	return math.Log(sum)
}

// moments are the mean and SD of what a form shows of a normal latent rating.
func (f Form) moments(level, sd float64) (mean, spread float64) {
	if f.Step == 0 {
		return level, sd
	}
	below, square := 0.0, 0.0
	for v := f.Min; v <= f.Max+f.Step/2; v += f.Step {
		upto := 1.0
		if v < f.Max-f.Step/2 {
			upto = .5 * math.Erfc(-(v+f.Step/2-level)/sd/math.Sqrt2)
		}
		mean, square = mean+v*(upto-below), square+v*v*(upto-below)
		below = upto
	}
	return mean, math.Sqrt(max(square-mean*mean, f.Step*f.Step/100))
}
