// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// equalGraded is the likelihood in which all items have one discrimination: the
// first parameter, before the intercepts of the items in turn.
type equalGraded struct {
	*gradedLik
	at []int // for each parameter of the free model the one here
}

func newEqualGraded(l *gradedLik) *equalGraded {
	e := &equalGraded{gradedLik: l, at: make([]int, l.free)}
	next := 1
	for j, first := range l.first {
		for c := 1; c < len(l.levels[j]); c++ {
			e.at[first+c] = next
			next++
		}
	}
	return e
}

func (e *equalGraded) parameters() int { return e.free - len(e.first) + 1 }

func (e *equalGraded) start() []float64 {
	out := make([]float64, e.parameters())
	for i, v := range e.gradedLik.start() {
		if e.at[i] > 0 {
			out[e.at[i]] = v
		}
	}
	out[0] = 1.2
	return out
}

// spread gives the parameters of the free model.
func (e *equalGraded) spread(theta []float64) []float64 {
	out := make([]float64, e.free)
	for i, k := range e.at {
		out[i] = theta[k]
	}
	return out
}

func (e *equalGraded) objective(theta []float64) (float64, bool) {
	return e.gradedLik.objective(e.spread(theta))
}

func (e *equalGraded) derivatives(theta []float64, kind information) (float64, []float64, *mat.SymDense, bool) {
	f, grad, h, ok := e.gradedLik.derivatives(e.spread(theta), kind)
	if !ok {
		return 0, nil, nil, false
	}
	g, sum := make([]float64, e.parameters()), mat.NewSymDense(e.parameters(), nil)
	for i, a := range e.at {
		g[a] += grad[i]
		for j, b := range e.at {
			if a <= b {
				sum.SetSym(a, b, sum.At(a, b)+h.At(i, j))
			}
		}
	}
	return f, g, sum, true
}

// widened is the covariance of the parameters of the free model.
func (e *equalGraded) widened(v *mat.SymDense) *mat.SymDense {
	out := mat.NewSymDense(e.free, nil)
	for i, a := range e.at {
		for j := i; j < e.free; j++ {
			out.SetSym(i, j, v.At(a, e.at[j]))
		}
	}
	return out
}

// Reliability is the marginal reliability of scores, the mean of I/(I+1) over the
// trait with I the information of all items at a value of it.
//
// Source: Green et al. (1984), Journal of Educational Measurement 21, with the
// error of a score that knows the distribution of the trait.
func (r *GradedResult) Reliability() float64 {
	var sum float64
	for i, t := range r.grid.theta {
		v := r.Information(t)
		sum += r.grid.weight[i] * v / (v + 1)
	}
	return math.Min(1, sum)
}
