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

// hessian differentiates the gradient by central differences.
func hessian(f function, x []float64) ([]float64, bool) {
	const h = 2e-4
	n := len(x)
	out := make([]float64, n*n)
	for j := range n {
		up, down := slices.Clone(x), slices.Clone(x)
		up[j] += h
		down[j] -= h
		_, gu := f(up, true)
		_, gd := f(down, true)
		if gu == nil || gd == nil {
			return nil, false
		}
		for i := range n {
			out[i*n+j] = (gu[i] - gd[i]) / (2 * h)
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

// newton is a Hessian in its own directions.
type newton struct {
	vec  mat.Dense
	vals []float64
}

func newNewton(h []float64, n int) *newton {
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(n, slices.Clone(h)), true) {
		return nil
	}
	w := &newton{vals: eig.Values(nil)}
	eig.VectorsTo(&w.vec)
	return w
}

// step returns Newton's step in the directions in which the criterion curves up,
// and what it would gain.
func (w *newton) step(g []float64) (step []float64, gain float64) {
	n := len(g)
	step = make([]float64, n)
	for k, v := range w.vals {
		if v <= 1e-7*math.Max(w.vals[n-1], 1e-300) {
			continue
		}
		s := 0.0
		for i := range n {
			s += w.vec.At(i, k) * g[i]
		}
		gain += s * s / v / 2
		for i := range n {
			step[i] -= s / v * w.vec.At(i, k)
		}
	}
	return step, gain
}

// polish takes a few steps of Newton's kind with one Hessian from where a
// minimiser stopped, as long as they do not raise the criterion and the gradient
// gets shorter. It returns the Hessian.
func polish(f function, r found) (found, []float64) {
	n := len(r.x)
	if n == 0 || len(r.g) != n || math.IsInf(r.f, 1) {
		return r, nil
	}
	h, ok := hessian(f, r.x)
	if !ok {
		return r, nil
	}
	w := newNewton(h, n)
	if w == nil {
		return r, nil
	}
	for range 4 {
		step, gain := w.step(r.g)
		if r.decrease = gain; gain < 1e-15*math.Max(1, math.Abs(r.f)*1e-3) {
			return r, h
		}
		x := slices.Clone(r.x)
		for i := range x {
			x[i] += step[i]
		}
		fx, g := f(x, true)
		if !(fx <= r.f+1e-11*math.Abs(r.f)) || !finite(g) || length(g) > length(r.g) {
			return r, h
		}
		r.x, r.f, r.g = x, fx, g
	}
	_, r.decrease = w.step(r.g)
	return r, h
}
