// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// function is a criterion and, where asked for, its gradient; +Inf where it is
// not defined.
type function func(x []float64, grad bool) (float64, []float64)

// found is where a minimiser stopped.
type found struct {
	x        []float64
	f        float64
	g        []float64
	decrease float64 // what a step of Newton's kind would still gain
	steps    int
	ok       bool
}

// minimise follows Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright
// 2006, Numerical Optimization, algorithm 6.1) with a line search that
// interpolates, until a step would gain less than gain.
func minimise(f function, x []float64, gain float64, most int) found {
	n := len(x)
	r := found{x: slices.Clone(x)}
	r.f, r.g = f(r.x, true)
	if n == 0 {
		r.ok = true
		return r
	}
	if math.IsInf(r.f, 1) || !finite(r.g) {
		return r
	}
	h := make([]float64, n*n)
	restart(h, n, 1/math.Max(1, length(r.g)))
	fresh := true
	for r.steps = 0; r.steps < most; r.steps++ {
		d := multiply(h, r.g, n, n, 1)
		slope := 0.0
		for i := range d {
			d[i] = -d[i]
			slope += d[i] * r.g[i]
		}
		r.decrease = -slope / 2
		if r.decrease < gain && !fresh {
			r.ok = true
			return r
		}
		xn, fn, gn := search(f, r.x, r.f, d, slope)
		if xn == nil {
			if fresh {
				r.ok = r.decrease < 1e3*gain
				return r
			}
			restart(h, n, 1/math.Max(1, length(r.g)))
			fresh = true
			continue
		}
		update(h, n, r.x, xn, r.g, gn, fresh)
		stalled := r.f-fn <= 1e-15*math.Abs(r.f) && !fresh
		r.x, r.f, r.g, fresh = xn, fn, gn, false
		if stalled {
			r.ok = true
			return r
		}
	}
	return r
}

func restart(h []float64, n int, scale float64) {
	clear(h)
	for i := range n {
		h[i*n+i] = scale
	}
}

func finite(v []float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// search goes along d until the criterion has fallen enough and its slope has
// flattened.
func search(f function, x []float64, fx float64, d []float64, slope float64) ([]float64, float64, []float64) {
	step, low, high := 1.0, 0.0, math.Inf(1)
	var best []float64
	var fBest float64
	var gBest []float64
	for range 30 {
		xn := slices.Clone(x)
		for i := range xn {
			xn[i] += step * d[i]
		}
		fn, gn := f(xn, true)
		good := fn <= fx+1e-4*step*slope && finite(gn) && gn != nil
		if !good {
			high = step
			next := step / 10
			if q := -slope * step * step / (2 * (fn - fx - slope*step)); q > next && q < step {
				next = q
			}
			if step = math.Max(next, low+0.1*(high-low)); high-low < 1e-12 {
				break
			}
			continue
		}
		best, fBest, gBest = xn, fn, gn
		end := 0.0
		for i := range d {
			end += d[i] * gn[i]
		}
		if end >= 0.9*slope {
			break
		}
		low = step // still falling steeply: further
		if math.IsInf(high, 1) {
			step *= 3
		} else {
			step = (low + high) / 2
		}
	}
	return best, fBest, gBest
}

// update improves the inverse Hessian h by the last step.
func update(h []float64, n int, x, xn, g, gn []float64, fresh bool) {
	s, y := make([]float64, n), make([]float64, n)
	sy, yy := 0.0, 0.0
	for i := range s {
		s[i], y[i] = xn[i]-x[i], gn[i]-g[i]
		sy += s[i] * y[i]
		yy += y[i] * y[i]
	}
	if sy <= 1e-12*length(s)*length(y) {
		return
	}
	if fresh {
		restart(h, n, sy/yy)
	}
	hy := multiply(h, y, n, n, 1)
	yhy := 0.0
	for i := range y {
		yhy += y[i] * hy[i]
	}
	for i := range n {
		for j := range n {
			h[i*n+j] += (1+yhy/sy)*s[i]*s[j]/sy - (hy[i]*s[j]+s[i]*hy[j])/sy
		}
	}
}

// hessian differentiates the gradient by differences of the fourth order.
func hessian(f function, x []float64, h float64) ([]float64, bool) {
	n := len(x)
	out := make([]float64, n*n)
	for j := range n {
		var g [4][]float64
		for i, step := range []float64{-2 * h, -h, h, 2 * h} {
			y := slices.Clone(x)
			y[j] += step
			if _, g[i] = f(y, true); g[i] == nil {
				return nil, false
			}
		}
		for i := range n {
			out[i*n+j] = (8*(g[2][i]-g[1][i]) - (g[3][i] - g[0][i])) / (12 * h)
		}
	}
	for i := range n {
		for j := range i {
			m := (out[i*n+j] + out[j*n+i]) / 2
			out[i*n+j], out[j*n+i] = m, m
		}
	}
	return out, finite(out)
}

// polish takes steps of Newton's kind from where a minimiser stopped, in the
// directions in which the criterion curves up, as long as they do not raise it
// and the gradient gets shorter. It returns the Hessian at the last but one.
func polish(f function, r found, rounds int) (found, []float64) {
	n := len(r.x)
	var hess []float64
	if n == 0 {
		return r, nil
	}
	for range rounds {
		h, ok := hessian(f, r.x, 1e-3)
		if !ok {
			return r, hess
		}
		hess = h
		var eig mat.EigenSym
		if !eig.Factorize(mat.NewSymDense(n, slices.Clone(h)), true) {
			return r, hess
		}
		var vec mat.Dense
		eig.VectorsTo(&vec)
		vals := eig.Values(nil)
		step := make([]float64, n)
		r.decrease = 0
		for k, v := range vals {
			if v <= 1e-7*math.Max(vals[n-1], 1e-300) {
				continue
			}
			s := 0.0
			for i := range n {
				s += vec.At(i, k) * r.g[i]
			}
			r.decrease += s * s / v / 2
			for i := range n {
				step[i] -= s / v * vec.At(i, k)
			}
		}
		x := slices.Clone(r.x)
		for i := range x {
			x[i] += step[i]
		}
		fx, g := f(x, true)
		if !(fx <= r.f+1e-11*math.Abs(r.f)) || !finite(g) || length(g) > length(r.g) {
			return r, hess
		}
		r.x, r.f, r.g = x, fx, g
	}
	return r, hess
}
