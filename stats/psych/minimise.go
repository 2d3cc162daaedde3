// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// problem is a smooth function to be minimised. Curvature may be expected or
// observed; a point outside its domain is not ok.
type problem interface {
	objective(theta []float64) (f float64, ok bool)
	derivatives(theta []float64, kind information) (f float64, grad []float64, h *mat.SymDense, ok bool)
}

// search is how a minimisation went.
type search struct {
	Converged  bool
	Iterations int
	Gradient   float64 // largest absolute element, times the curvature's scale
	f          float64
	theta      []float64
}

// minimise scores with the expected information (Fisher) until the steps are
// small, then with the Hessian where that is positive definite (Newton). Each
// step is damped (Levenberg 1944, Marquardt 1963) until f does not rise.
//
// Where scoring makes no headway, as where a factor hardly exists, it starts
// again with a quasi-Newton method (BFGS), which ends in Newton steps too.
func minimise(p problem, start []float64, maxIter int) search {
	const patience = 60
	s := score(p, start, min(maxIter, patience))
	if s.Converged || maxIter <= patience {
		return s
	}
	theta, spent := bfgs(p, start, maxIter-patience)
	again := score(p, theta, min(patience, maxIter))
	again.Iterations += s.Iterations + spent
	if !again.Converged && again.f > s.f {
		s.Iterations = again.Iterations
		return s
	}
	return again
}

// bfgs lowers f from a start by the method of Broyden, Fletcher, Goldfarb and
// Shanno with backtracking, in variables scaled by the expected information.
func bfgs(p problem, start []float64, maxIter int) (theta []float64, iterations int) {
	theta = append([]float64(nil), start...)
	f, grad, h, ok := p.derivatives(theta, expected)
	n := len(theta)
	if !ok || n == 0 {
		return theta, 0
	}
	inv := mat.NewSymDense(n, nil)
	for i := range n {
		inv.SetSym(i, i, 1/max(h.At(i, i), 1e-8))
	}
	var best float64
	for ; iterations < maxIter; iterations++ {
		g := mat.NewVecDense(n, grad)
		var step mat.VecDense
		step.MulVec(inv, g)
		slope := mat.Dot(&step, g)
		if !(slope > 1e-16) {
			break
		}
		next := make([]float64, n)
		moved := false
		for scale := 1.0; scale > 1e-10; scale /= 2 {
			for i := range next {
				next[i] = theta[i] - scale*step.AtVec(i)
			}
			if v, ok := p.objective(next); ok && v <= f-1e-4*scale*slope {
				best, moved = v, true
				break
			}
		}
		if !moved {
			break
		}
		_, ng, _, ok := p.derivatives(next, noCurvature)
		if !ok {
			break
		}
		updateInverse(inv, theta, next, grad, ng)
		theta, grad, f = next, ng, best
	}
	return theta, iterations
}

// updateInverse changes the inverse Hessian by what one step showed of it.
func updateInverse(inv *mat.SymDense, from, to, gFrom, gTo []float64) {
	n := len(from)
	s, y := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		s.SetVec(i, to[i]-from[i])
		y.SetVec(i, gTo[i]-gFrom[i])
	}
	sy := mat.Dot(s, y)
	if !(sy > 1e-12*mat.Norm(s, 2)*mat.Norm(y, 2)) {
		return
	}
	var hy mat.VecDense
	hy.MulVec(inv, y)
	inv.SymRankOne(inv, (1+mat.Dot(y, &hy)/sy)/sy, s)
	inv.RankTwo(inv, -1/sy, s, &hy)
}

func score(p problem, start []float64, maxIter int) search {
	s := search{theta: append([]float64(nil), start...)}
	kind := expected
	damp := 0.0
	for s.Iterations = 0; s.Iterations < maxIter; s.Iterations++ {
		f, grad, h, ok := p.derivatives(s.theta, kind)
		if !ok {
			return s
		}
		s.f = f
		if len(grad) == 0 {
			s.Converged = true
			return s
		}
		step, decrement, ok := newtonStep(h, grad, damp)
		if !ok {
			if kind == observed && damp == 0 {
				kind = expected
				continue
			}
			damp = max(4*damp, 1e-3)
			if damp > 1e12 {
				return s
			}
			continue
		}
		s.Gradient = math.Sqrt(decrement)
		if decrement < 1e-22*max(1, math.Abs(f)) || s.Gradient < 1e-11 {
			s.Converged = damp == 0 || s.Gradient < 1e-9
			if s.Converged {
				s.apply(p, step)
				return s
			}
		}
		if !s.tryStep(p, step, decrement) {
			// No decrease in sight: at the limit of rounding, or a bad direction.
			if decrement < 1e-13*max(1, math.Abs(f)) {
				s.Converged = true
				return s
			}
			damp = max(4*damp, 1e-3)
			if damp > 1e12 {
				return s
			}
			continue
		}
		damp = damp / 16
		if damp < 1e-6 {
			damp = 0
		}
		if decrement < 1e-3 || s.Iterations > 30 {
			kind = observed
		}
	}
	return s
}

// apply takes a last step if f does not rise beyond rounding.
func (s *search) apply(p problem, step []float64) {
	next := make([]float64, len(step))
	for i := range next {
		next[i] = s.theta[i] - step[i]
	}
	if f, ok := p.objective(next); ok && f <= s.f+1e-14*max(1, math.Abs(s.f)) {
		s.theta, s.f = next, f
	}
}

// tryStep halves a step until f falls enough.
func (s *search) tryStep(p problem, step []float64, decrement float64) bool {
	next := make([]float64, len(step))
	for scale := 1.0; scale > 1e-4; scale /= 2 {
		for i := range next {
			next[i] = s.theta[i] - scale*step[i]
		}
		if f, ok := p.objective(next); ok && f <= s.f-1e-4*scale*decrement {
			s.theta, s.f = next, f
			return true
		}
	}
	return false
}

// newtonStep solves (H + damp diag H) step = grad and returns grad' step.
func newtonStep(h *mat.SymDense, grad []float64, damp float64) (step []float64, decrement float64, ok bool) {
	n := len(grad)
	a := mat.NewSymDense(n, nil)
	d := make([]float64, n)
	for i := range n {
		v := h.At(i, i)
		if !(v > 0) || math.IsInf(v, 0) {
			return nil, 0, false
		}
		d[i] = math.Sqrt(v)
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			a.SetSym(i, j, h.At(i, j)/(d[i]*d[j]))
		}
		a.SetSym(i, i, 1+damp)
	}
	var chol mat.Cholesky
	if !chol.Factorize(a) || !(chol.Cond() < 1e15) {
		return nil, 0, false
	}
	b := mat.NewVecDense(n, nil)
	for i, v := range grad {
		b.SetVec(i, v/d[i])
	}
	var x mat.VecDense
	if chol.SolveVecTo(&x, b) != nil {
		return nil, 0, false
	}
	step = make([]float64, n)
	for i := range n {
		step[i] = x.AtVec(i) / d[i]
		decrement += grad[i] * step[i]
	}
	return step, decrement, decrement >= 0
}
