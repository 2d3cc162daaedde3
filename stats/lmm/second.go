// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// second lets the simplex of Nelder and Mead look from another start. Where it
// finds a lower criterion the first optimiser goes on from there.
func (m *Model) second(f function, start []float64) {
	if len(start) == 0 {
		return
	}
	other := slices.Clone(start)
	for i := range other {
		other[i] = other[i]*1.7 + 0.05
	}
	value := func(x []float64) float64 { v, _ := f(x, false); return v }
	settings := &optimize.Settings{
		FuncEvaluations: 400 * len(start),
		Converger:       &optimize.FunctionConverge{Absolute: 1e-10, Relative: 1e-14, Iterations: 50},
	}
	res, err := optimize.Minimize(optimize.Problem{Func: value}, other, settings, &optimize.NelderMead{})
	if res == nil || err != nil && res.F >= value(m.par) {
		m.State.Note = "the second optimiser did not find a value"
		return
	}
	first := value(m.par)
	m.State.Second = &Second{Criterion: res.F, Agrees: res.F >= first-1e-5}
	if m.State.Second.Agrees {
		if !m.State.Converged && math.Abs(res.F-first) < 1e-5 {
			m.State.Note = "the gradient check failed, but the second optimiser stopped at the same criterion"
		}
		return
	}
	r := minimise(f, res.X, 1e-9, 500)
	r, hess := polish(f, r)
	m.settle(m.boundary(f, r), hess)
	m.State.Note = "the second optimiser found a lower criterion than the first, and the fit went on from there"
}
