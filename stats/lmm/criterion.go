// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"slices"
)

// value is the criterion with what it was computed from, in the coordinates of
// the problem.
type value struct {
	dev     float64
	logW    float64 // log|W|, with the residual structure and the weights
	logX    float64 // log|X'W^-1X|, X as the user gave it
	r2      float64 // residual sum of squares
	nu      float64 // n, or n-p under REML
	beta    []float64
	rinv    []float64 // p x p: (Q'W^-1Q)^-1 = rinv rinv'
	lambda  [][]float64
	gw      [][]float64 // derivatives by lambda, where asked for
	gx, gr2 [][]float64
}

// thetas returns the number of elements of the factors of all terms.
func (pr *problem) thetas() int {
	k := 0
	for _, t := range pr.terms {
		k += t.q * (t.q + 1) / 2
	}
	return k
}

// lambdas writes the parameters as lower triangles, filled column by column.
func (pr *problem) lambdas(theta []float64) [][]float64 {
	out := make([][]float64, len(pr.terms))
	at := 0
	for t, tm := range pr.terms {
		out[t] = make([]float64, tm.q*tm.q)
		for j := range tm.q {
			for i := j; i < tm.q; i++ {
				out[t][i*tm.q+j] = theta[at]
				at++
			}
		}
	}
	return out
}

// gather is the reverse of lambdas, for derivatives as well.
func (pr *problem) gather(l [][]float64) []float64 {
	var theta []float64
	for t, tm := range pr.terms {
		for j := range tm.q {
			for i := j; i < tm.q; i++ {
				theta = append(theta, l[t][i*tm.q+j])
			}
		}
	}
	return theta
}

// prepare makes the engine ready for the residual parameters.
func (pr *problem) prepare(rho []float64) bool {
	if pr.engine != nil && slices.Equal(pr.at, rho) {
		return true
	}
	r, logR := pr.base, 0.0
	if pr.shape != nil {
		var ok bool
		if r, logR, ok = pr.shape.whiten(pr.base, rho); !ok {
			return false
		}
	}
	pr.engine, pr.logR, pr.at = newEngine(r), logR, slices.Clone(rho)
	return true
}

// newEngine chooses the engine by the groupings.
func newEngine(r *rows) engine {
	if len(r.z) == 0 {
		return &plainEngine{m: r.m, mm: crossproduct(r)}
	}
	for _, c := range r.codes[1:] {
		if !slices.Equal(c, r.codes[0]) {
			return newSparseEngine(r)
		}
	}
	return newGroupEngine(r)
}

// plainEngine serves models without random effects.
type plainEngine struct {
	m  int
	mm []float64
}

func (e *plainEngine) solve([][]float64, bool) (float64, []float64, bool) {
	return 0, slices.Clone(e.mm), true
}
func (e *plainEngine) moments(_, _ []float64) (w, x, r [][]float64) { return nil, nil, nil }
func (e *plainEngine) modes([]float64) (b, v [][]float64)           { return nil, nil }

// evaluate computes the profiled criterion at general factors lambda: minus twice
// the log-likelihood, restricted or not, at the best beta and sigma (Bates,
// Mächler, Bolker and Walker 2015, Journal of Statistical Software 67(1), equations
// 34 and 41). It is nil where a matrix is not positive definite.
func (pr *problem) evaluate(lambda [][]float64, rho []float64, grad bool) *value {
	if !pr.prepare(rho) {
		return nil
	}
	logdet, k, ok := pr.engine.solve(lambda, grad)
	if !ok {
		return nil
	}
	p, m := pr.p, pr.p+1
	for i := range m {
		for j := range i {
			k[i*m+j] = k[j*m+i]
		}
	}
	if !cholesky(k, m) {
		return nil
	}
	v := &value{lambda: lambda, logW: logdet + pr.logR - pr.logW, logX: 2 * pr.logTx, nu: float64(pr.n)}
	rt := make([]float64, p*p) // R upper
	for i := range p {
		v.logX += 2 * math.Log(k[i*m+i])
		for j := range i + 1 {
			rt[j*p+i] = k[i*m+j]
		}
	}
	v.r2 = k[p*m+p] * k[p*m+p]
	v.rinv = upperInverse(rt, p)
	v.beta = multiply(v.rinv, k[p*m:p*m+p], p, p, 1)
	v.dev = v.logW
	if pr.reml {
		v.nu -= float64(p)
		v.dev += v.logX
	}
	v.dev += v.nu * (1 + math.Log(2*math.Pi*v.r2/v.nu))
	if grad {
		v.gw, v.gx, v.gr2 = pr.engine.moments(v.rinv, v.beta)
	}
	return v
}

// slope combines the derivatives of the parts of the criterion by lambda for a
// fixed sigma2; with sigma2 = r2/nu it is that of the profiled criterion.
func (v *value) slope(reml bool, sigma2 float64) [][]float64 {
	out := make([][]float64, len(v.gw))
	for t := range out {
		out[t] = make([]float64, len(v.gw[t]))
		for i := range out[t] {
			out[t][i] = v.gw[t][i] + v.gr2[t][i]/sigma2
			if reml {
				out[t][i] += v.gx[t][i]
			}
		}
	}
	return out
}

// objective returns the profiled criterion as a function of the parameters: the
// factors' elements, then those of the residual structure. Elements may have
// any sign: that of a whole column of a factor does not matter, so there is no
// boundary to run against.
func (pr *problem) objective() function {
	k := pr.thetas()
	return func(par []float64, grad bool) (float64, []float64) {
		v := pr.evaluate(pr.lambdas(par[:k]), par[k:], grad)
		if v == nil {
			return math.Inf(1), nil
		}
		if !grad {
			return v.dev, nil
		}
		g := pr.gather(v.slope(pr.reml, v.r2/v.nu))
		return v.dev, append(g, pr.shapeSlope(par, k)...)
	}
}

// shapeSlope differentiates by the parameters of the residual structure with
// differences of the fourth order.
func (pr *problem) shapeSlope(par []float64, k int) []float64 {
	const h = 2e-3
	g := make([]float64, len(par)-k)
	for i := range g {
		at := func(step float64) float64 {
			x := slices.Clone(par)
			x[k+i] += step
			v := pr.evaluate(pr.lambdas(x[:k]), x[k:], false)
			if v == nil {
				return math.Inf(1)
			}
			return v.dev
		}
		g[i] = (8*(at(h)-at(-h)) - (at(2*h) - at(-2*h))) / (12 * h)
	}
	return g
}
