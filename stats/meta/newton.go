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
	lower     []float64
	value     float64
	gradient  []float64
	hessian   []float64
	converged bool
}

// climb is Newton's method with the parameters kept at or above 0: those at 0
// whose derivative points outside stay there, the others take a Newton step for
// which directions of wrong curvature are mirrored, shortened until the function
// rises.
func climb(f objective, start []float64) peak {
	return climbAbove(f, start, make([]float64, len(start)), nil)
}

// climbAbove is climb with a lower bound for each parameter. It gives up on the
// way to a peak that is known, if known is not nil.
func climbAbove(f objective, start, lower, known []float64) peak {
	p := peak{x: append([]float64(nil), start...), lower: lower}
	var ok bool
	p.value, p.gradient, p.hessian, ok = f(p.x, 2)
	if !ok || len(start) == 0 {
		p.converged = ok
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
		if known != nil && near(p.x, known) {
			return p
		}
	}
	return p
}

// near is within a thousandth of the larger of two points' sizes.
func near(x, y []float64) bool {
	size, apart := 0.0, 0.0
	for i := range x {
		size = max(size, math.Abs(x[i]), math.Abs(y[i]))
		apart = max(apart, math.Abs(x[i]-y[i]))
	}
	return apart <= 1e-3*size
}

// newtonStep is the step to the top of the quadratic model within the bounds,
// and the rise that the model promises.
func newtonStep(p peak) (step []float64, gain float64) {
	n := len(p.x)
	step = make([]float64, n)
	b, ok := bowl(p)
	if !ok {
		return step, 0
	}
	// Active sets: solve for the free coordinates, hold those that would pass
	// their bound there, and let go the one that the model pulls inside.
	held := make([]bool, n)
	for range 4 * (n + 1) {
		solveFree(b, p.gradient, held, step)
		again := false
		for i, s := range step {
			if !held[i] && p.x[i]+s < p.lower[i] {
				held[i], step[i], again = true, p.lower[i]-p.x[i], true
			}
		}
		if again {
			continue
		}
		pulled, most := -1, 0.0
		for i := range step {
			if slope := p.gradient[i] - dotRow(b, step, i); held[i] && slope > most {
				pulled, most = i, slope
			}
		}
		if pulled < 0 {
			break
		}
		held[pulled] = false
	}
	for i, s := range step {
		gain += s * (p.gradient[i] - dotRow(b, step, i)/2)
	}
	return step, gain
}

// bowl is the negative Hessian with the signs of negative curvatures turned,
// so that a step along them goes uphill.
func bowl(p peak) (*mat.SymDense, bool) {
	n := len(p.x)
	// In units of the diagonal the curvatures are comparable.
	scale := make([]float64, n)
	h := mat.NewSymDense(n, nil)
	for i := range n {
		scale[i] = 1
		if d := math.Abs(p.hessian[i*n+i]); d > 0 {
			scale[i] = 1 / math.Sqrt(d)
		}
		for j := range i + 1 {
			h.SetSym(i, j, p.hessian[i*n+j]*scale[i]*scale[j])
		}
	}
	var eigen mat.EigenSym
	if n == 0 || !eigen.Factorize(h, true) {
		return nil, false
	}
	var u mat.Dense
	eigen.VectorsTo(&u)
	b := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			sum := 0.0
			for e, lambda := range eigen.Values(nil) {
				sum += u.At(i, e) * max(math.Abs(lambda), 1e-12) * u.At(j, e)
			}
			b.SetSym(i, j, sum/(scale[i]*scale[j]))
		}
	}
	return b, true
}

func dotRow(b *mat.SymDense, x []float64, i int) float64 {
	sum := 0.0
	for j, xj := range x {
		sum += b.At(i, j) * xj
	}
	return sum
}

// solveFree sets the coordinates of step that are not held to the solution of
// b step = gradient for the held ones as they are.
func solveFree(b *mat.SymDense, gradient []float64, held []bool, step []float64) {
	var free []int
	for i, h := range held {
		if !h {
			free = append(free, i)
			step[i] = 0
		}
	}
	m := len(free)
	if m == 0 {
		return
	}
	a, inv, rhs, out := make([]float64, m*m), make([]float64, m*m), make([]float64, m), make([]float64, m)
	for s, i := range free {
		rhs[s] = gradient[i] - dotRow(b, step, i)
		for t, j := range free {
			a[s*m+t] = b.At(i, j)
		}
	}
	if math.IsNaN(invertSPD(a, inv, m)) {
		return
	}
	matVec(inv, rhs, out, m)
	for s, i := range free {
		step[i] = out[s]
	}
}

// advance tries the step, then halves of it.
func (p peak) advance(f objective, step []float64, gain float64) (peak, bool) {
	next := peak{x: make([]float64, len(p.x)), lower: p.lower}
	small := gain < 1e-10*(1+math.Abs(p.value))
	for fraction := 1.0; fraction > 1e-9; fraction /= 2 {
		same := true
		for i, x := range p.x {
			next.x[i] = max(p.lower[i], x+fraction*step[i])
			same = same && math.Abs(next.x[i]-x) <= 1e-15*math.Abs(x)
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
