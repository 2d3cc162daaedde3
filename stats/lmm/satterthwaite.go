// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Test is a t test of one coefficient or contrast.
type Test struct {
	Name         string
	Estimate, SE float64
	DF, T, P     float64
}

// Interval returns the confidence interval of the estimate by its t distribution;
// level is between 0 and 1. With next to no degrees of freedom it has no ends, and
// they are -math.MaxFloat64 and math.MaxFloat64.
func (t Test) Interval(level float64) (lower, upper float64) {
	d := t.SE * distuv.StudentsT{Sigma: 1, Nu: t.DF}.Quantile((1+level)/2)
	if math.IsInf(t.Estimate-d, 0) || math.IsInf(t.Estimate+d, 0) || math.IsNaN(d) {
		return -math.MaxFloat64, math.MaxFloat64
	}
	return t.Estimate - d, t.Estimate + d
}

// FTest is a test of several contrasts at once. F is scaled where the method
// scales it.
type FTest struct {
	F, DF1, DF2, P float64
	Scale          float64 // what F was multiplied with: 1 for Satterthwaite
}

// tTest fills in t and p.
func tTest(name string, estimate, se, df float64) Test {
	t := estimate / se
	return Test{Name: name, Estimate: estimate, SE: se, DF: df, T: t, P: studentP(t, df)}
}

// studentP is the chance of a t beyond |t| on either side; by the incomplete beta
// function, so that small ones keep their digits.
func studentP(t, df float64) float64 {
	return mathext.RegIncBeta(df/2, 0.5, df/(df+t*t))
}

// fisherP is the chance of an F beyond f.
func fisherP(f, df1, df2 float64) float64 {
	if !(f > 0) {
		return 1
	}
	return mathext.RegIncBeta(df2/2, df1/2, df2/(df2+df1*f))
}

// spread is how the covariance of the fixed effects moves with the variance
// parameters, in the coordinates of the problem: the covariance phi itself (p x
// p), its derivatives, and the asymptotic covariance of the parameters.
type spread struct {
	phi   []float64
	slope [][]float64
	cov   []float64 // k x k
	k     int
}

var errHessian = errors.New("the criterion cannot be differentiated at the estimates: a variance is at the end of its range")

// spreadOf differentiates, with the logarithm of sigma as the last parameter. The
// covariance of the parameters is twice the inverse Hessian of the criterion;
// directions in which it does not curve up are left out, as lmerTest does.
func (m *Model) spreadOf() (*spread, error) {
	m.busy.Lock()
	defer m.busy.Unlock()
	if m.spread != nil {
		return m.spread, nil
	}
	pr, sigma2 := m.pr, m.Sigma*m.Sigma
	n := len(m.par)
	s := &spread{k: n + 1, phi: pr.covQ(m.last, sigma2)}
	h := make([]float64, s.k*s.k)
	const step = 1e-3
	for j := range n {
		var g, phi [4][]float64
		for i, d := range []float64{-2 * step, -step, step, 2 * step} {
			x := slices.Clone(m.par)
			x[j] += d
			v := pr.evaluate(pr.lambdas(x[:pr.thetas()]), x[pr.thetas():], true)
			if v == nil {
				return nil, errHessian
			}
			phi[i] = pr.covQ(v, sigma2)
			g[i] = append(pr.fixedSlope(v, x, sigma2), -2*v.r2/sigma2)
		}
		s.slope = append(s.slope, fourth(phi, step))
		for i, d := range fourth(g, step) {
			h[i*s.k+j] = d
			if i == n {
				h[j*s.k+i] = d
			}
		}
	}
	h[n*s.k+n] = 4 * m.last.r2 / sigma2
	last := slices.Clone(s.phi)
	for i := range last {
		last[i] *= 2
	}
	s.slope = append(s.slope, last)
	for i := range n {
		for j := range i {
			a := (h[i*s.k+j] + h[j*s.k+i]) / 2
			h[i*s.k+j], h[j*s.k+i] = a, a
		}
	}
	var ok bool
	if s.cov, ok = positiveInverse(h, s.k, 2); !ok {
		return nil, errHessian
	}
	m.spread = s
	return s, nil
}

// covQ is the covariance of the coefficients of Q.
func (pr *problem) covQ(v *value, sigma2 float64) []float64 {
	c := multiply(v.rinv, transposed(v.rinv, pr.p, pr.p), pr.p, pr.p, pr.p)
	for i := range c {
		c[i] *= sigma2
	}
	return c
}

// fourth is the difference of the fourth order of values at -2h, -h, h and 2h.
func fourth(v [4][]float64, h float64) []float64 {
	d := make([]float64, len(v[0]))
	for i := range d {
		d[i] = (8*(v[2][i]-v[1][i]) - (v[3][i] - v[0][i])) / (12 * h)
	}
	return d
}

// fixedSlope is the gradient of the criterion at a fixed sigma.
func (pr *problem) fixedSlope(v *value, x []float64, sigma2 float64) []float64 {
	k := pr.thetas()
	g := pr.gather(v.slope(pr.reml, sigma2))
	for i := k; i < len(x); i++ {
		const h = 2e-3
		at := func(step float64) float64 {
			y := slices.Clone(x)
			y[i] += step
			w := pr.evaluate(pr.lambdas(y[:k]), y[k:], false)
			if w == nil {
				return math.NaN()
			}
			d := w.logW + w.r2/sigma2
			if pr.reml {
				d += w.logX
			}
			return d
		}
		g = append(g, (8*(at(h)-at(-h))-(at(2*h)-at(-2*h)))/(12*h))
	}
	return g
}

// positiveInverse returns factor times the inverse of h on the space in which it
// is positive.
func positiveInverse(h []float64, n int, factor float64) ([]float64, bool) {
	if !finite(h) {
		return nil, false
	}
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(n, h), true) {
		return nil, false
	}
	var vec mat.Dense
	eig.VectorsTo(&vec)
	vals := eig.Values(nil)
	out := make([]float64, n*n)
	for k, v := range vals {
		if v <= 1e-9*vals[n-1] {
			continue
		}
		for i := range n {
			for j := range n {
				out[i*n+j] += factor * vec.At(i, k) * vec.At(j, k) / v
			}
		}
	}
	return out, vals[n-1] > 0
}

// satterthwaiteDF is 2 v^2 / (g' A g) for a contrast l of the coefficients of Q,
// with v its variance, g the derivatives of v and A the covariance of the
// parameters (Satterthwaite 1946; Kuznetsova, Brockhoff and Christensen 2017,
// Journal of Statistical Software 82(13), equation 3).
func (s *spread) satterthwaiteDF(l []float64) (variance, df float64) {
	variance = quadratic(l, s.phi)
	g := make([]float64, s.k)
	for i, d := range s.slope {
		g[i] = quadratic(l, d)
	}
	return variance, 2 * variance * variance / quadratic(g, s.cov)
}

// quadratic is l' a l.
func quadratic(l, a []float64) float64 {
	n, total := len(l), 0.0
	for i, x := range l {
		for j, y := range l {
			total += x * y * a[i*n+j]
		}
	}
	return total
}

// inQ turns a contrast of the fixed effects into one of the coefficients of Q.
func (pr *problem) inQ(l []float64) []float64 {
	return multiply(l, pr.txInv, 1, pr.p, pr.p)
}

// Satterthwaite returns t tests of the fixed effects with Satterthwaite's degrees
// of freedom, as lmerTest. An error says that the criterion does not curve.
func (m *Model) Satterthwaite() ([]Test, error) {
	s, err := m.spreadOf()
	if err != nil {
		return nil, err
	}
	tests := make([]Test, len(m.Fixed))
	for j, c := range m.Fixed {
		l := make([]float64, len(m.Fixed))
		l[j] = 1
		_, df := s.satterthwaiteDF(m.pr.inQ(l))
		tests[j] = tTest(c.Name, c.Estimate, c.SE, df)
	}
	return tests, nil
}

// SatterthwaiteF tests that all the contrasts, each of the length of Fixed, are
// nought: the mean of squared independent t values, with the degrees of freedom
// that match its expectation (Fai and Cornelius 1996; Kuznetsova et al. 2017,
// equation 8). Contrasts that depend on each other are an error.
func (m *Model) SatterthwaiteF(contrasts [][]float64) (FTest, error) {
	s, err := m.spreadOf()
	if err != nil {
		return FTest{}, err
	}
	l, estimate, err := m.contrasts(contrasts)
	if err != nil {
		return FTest{}, err
	}
	q, p := len(contrasts), m.pr.p
	c := multiply(multiply(l, s.phi, q, p, p), transposed(l, q, p), q, p, q)
	var eig mat.EigenSym
	eig.Factorize(symmetric(c, q), true)
	var vec mat.Dense
	eig.VectorsTo(&vec)
	vals := eig.Values(nil)
	if !(vals[0] > 1e-10*vals[q-1]) {
		return FTest{}, errors.New("the contrasts depend on each other")
	}
	f, sum := 0.0, 0.0
	limited := false
	for k, v := range vals {
		e := 0.0
		row := make([]float64, p)
		for i := range q {
			e += vec.At(i, k) * estimate[i]
			for j := range row {
				row[j] += vec.At(i, k) * l[i*p+j]
			}
		}
		f += e * e / v / float64(q)
		_, df := s.satterthwaiteDF(row)
		if df > 2 {
			sum += df / (df - 2)
		} else {
			limited = true
		}
	}
	df2 := 2 * sum / (sum - float64(q))
	switch {
	case q == 1:
		_, df2 = s.satterthwaiteDF(l)
	case limited || sum <= float64(q):
		df2 = 2
	}
	return FTest{F: f, DF1: float64(q), DF2: df2, P: fisherP(f, float64(q), df2), Scale: 1}, nil
}

// contrasts checks contrasts and returns them for Q with their estimates.
func (m *Model) contrasts(c [][]float64) (l, estimate []float64, err error) {
	if len(c) == 0 || len(c) > len(m.Fixed) {
		return nil, nil, fmt.Errorf("%d contrasts for %d fixed effects", len(c), len(m.Fixed))
	}
	for _, row := range c {
		if len(row) != len(m.Fixed) {
			panic("lmm: a contrast needs a number for each fixed effect")
		}
		e := 0.0
		for j, x := range row {
			e += x * m.Fixed[j].Estimate
		}
		l, estimate = append(l, m.pr.inQ(row)...), append(estimate, e)
	}
	return l, estimate, nil
}

// symmetric makes a matrix of the library of c, averaging what rounding made
// different.
func symmetric(c []float64, n int) *mat.SymDense {
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			s.SetSym(i, j, (c[i*n+j]+c[j*n+i])/2)
		}
	}
	return s
}
