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
		FuncEvaluations: m.pr.patience(len(start)),
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

// patience is how often the second optimiser may evaluate the criterion: less
// often where that is dear.
func (pr *problem) patience(parameters int) int {
	work := float64(1 + pr.p*pr.p)
	if pr.shape != nil {
		work *= float64(pr.n)
	}
	switch e := pr.engine.(type) {
	case *groupEngine:
		work += float64(e.groups * e.q * e.q * (e.q + pr.p))
	case *sparseEngine:
		nt := float64(e.nt)
		work += float64(len(e.l)) + nt*nt*nt/3
	}
	return int(math.Min(400*float64(parameters), math.Max(60*float64(parameters), 2e9/work)))
}
