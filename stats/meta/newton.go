// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// objective is a function to be made as large as possible over parameters that
// are at least 0. order 0 asks for the value alone; order 2 for gradient and
// Hessian (n x n, row by row) too. ok is false where it is not defined.
type objective func(x []float64, order int) (value float64, gradient, hessian []float64, ok bool)

// peak is where a search ended.
type peak struct {
	x         []float64
	value     float64
	gradient  []float64
	hessian   []float64
	converged bool
}

// climb is Newton's method with the parameters kept at or above 0: those at 0
// whose derivative points outside are held there (Bertsekas 1982, doi
// 10.1137/0320018), the others take a Newton step for which directions of
// wrong curvature are mirrored, shortened until the function rises.
func climb(f objective, start []float64) peak {
	p := peak{x: append([]float64(nil), start...)}
	var ok bool
	p.value, p.gradient, p.hessian, ok = f(p.x, 2)
	if !ok {
		return p
	}
	for range 200 {
		step, gain := newtonStep(p)
		if gain <= 1e-22*(1+math.Abs(p.value)) {
			p.converged = true
			return p
		}
		next, moved := p.advance(f, step, gain)
		if !moved {
			// What is left to gain is below the rounding of the function.
			p.converged = gain < 1e-9*(1+math.Abs(p.value))
			return p
		}
		p = next
	}
	return p
}

// newtonStep is the step and the rise that the quadratic model promises.
func newtonStep(p peak) (step []float64, gain float64) {
	n := len(p.x)
	step = make([]float64, n)
	free := make([]int, 0, n)
	for i, x := range p.x {
		if x > 0 || p.gradient[i] > 0 {
			free = append(free, i)
		}
	}
	if len(free) == 0 {
		return step, 0
	}
	// In units of the diagonal the curvatures are comparable.
	scale := make([]float64, len(free))
	for a, i := range free {
		scale[a] = 1
		if h := math.Abs(p.hessian[i*n+i]); h > 0 {
			scale[a] = 1 / math.Sqrt(h)
		}
	}
	h := mat.NewSymDense(len(free), nil)
	for a, i := range free {
		for b, j := range free[:a+1] {
			h.SetSym(a, b, p.hessian[i*n+j]*scale[a]*scale[b])
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(h, true) {
		return step, 0
	}
	var u mat.Dense
	eigen.VectorsTo(&u)
	for e, lambda := range eigen.Values(nil) {
		along := 0.0
		for a, i := range free {
			along += u.At(a, e) * p.gradient[i] * scale[a]
		}
		along /= max(math.Abs(lambda), 1e-12)
		for a, i := range free {
			step[i] += along * u.At(a, e) * scale[a]
		}
	}
	for i, s := range step {
		// A coordinate that the step would drive below 0 gains only up to there.
		if s < -p.x[i] {
			s = -p.x[i]
		}
		gain += p.gradient[i] * s / 2
	}
	return step, gain
}

// advance tries the step, then halves of it.
func (p peak) advance(f objective, step []float64, gain float64) (peak, bool) {
	next := peak{x: make([]float64, len(p.x))}
	small := gain < 1e-10*(1+math.Abs(p.value))
	for fraction := 1.0; fraction > 1e-9; fraction /= 2 {
		same := true
		for i, x := range p.x {
			next.x[i] = max(0, x+fraction*step[i])
			same = same && math.Abs(next.x[i]-x) <= 1e-15*x
		}
		if same {
			return p, false
		}
		value, _, _, ok := f(next.x, 0)
		// Near the top the rise drowns in rounding; Newton's step is then better
		// than what the values say.
		if ok && (value > p.value || small && value > p.value-1e-11*(1+math.Abs(p.value))) {
			next.value, next.gradient, next.hessian, ok = f(next.x, 2)
			return next, ok
		}
		if small {
			return p, false
		}
	}
	return p, false
}
