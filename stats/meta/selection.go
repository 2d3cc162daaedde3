// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// SelectOptions of a selection model; the zero value is the three-parameter
// model: one step at p = 0.025 for effects above zero.
type SelectOptions struct {
	// Steps are one-sided p-values at which the chance to be published changes,
	// increasing, between 0 and 1; nil means 0.025.
	Steps []float64
	// Less: the literature prefers effects below zero.
	Less bool
	// Level of confidence intervals; 0 means 0.95.
	Level float64
}

// StepWeight is the chance of a result in an interval of p-values to be seen,
// relative to the first interval.
type StepWeight struct {
	// From and To bound the one-sided p-values, (From, To].
	From, To float64
	Studies  int
	Delta    float64
	// SE is nil for the first interval, whose weight is 1 by definition, and
	// where the curvature of the likelihood allows none.
	SE *float64
}

// Selection is a fitted selection model.
type Selection struct {
	K, P         int
	Coefficients []Coefficient
	Tau2         float64
	// Tau2SE is nil on the boundary.
	Tau2SE  *float64
	Weights []StepWeight
	LogLik  float64
	// Test is the likelihood-ratio test that all weights are 1.
	Test TestResult
	// Unadjusted is the fit by maximum likelihood without selection.
	Unadjusted *Result
	State      State
}

// Select fits the step function of Vevea and Hedges (1995), doi
// 10.1007/BF02294384, by maximum likelihood: the density of each effect is
// weighted by the chance of its p-value to be published. With one step it is
// the three-parameter model of McShane, Böckenholt and Hansen (2016), doi
// 10.1177/1745691616662243. metafor's selmodel with type = "stepfun".
//
// Each interval of p-values must hold a study, or its weight is not
// determined: a [DataError]. Where the likelihood is flat or has no maximum, the
// error wraps [ErrNotConverged].
func Select(d Data, o SelectOptions) (*Selection, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	null, err := Fit(d, Options{Method: ML, Level: o.Level})
	if err != nil {
		return nil, err
	}
	if null.K < null.P+1+len(o.Steps) {
		return nil, &DataError{Reason: fmt.Sprintf("%d studies are too few for a selection model with %d parameters", null.K, null.P+1+len(o.Steps))}
	}
	m, weights, err := newStepModel(null.s, o)
	if err != nil {
		return nil, err
	}
	best := m.highest(null)
	out := &Selection{K: null.K, P: null.P, Unadjusted: null, Weights: weights, State: Converged}
	switch {
	case !best.converged || m.runaway(best.x):
		out.State = NotConverged
	case best.x[null.P] == 0:
		out.State = Boundary
	}
	if err := m.tables(out, best, o.Level); err != nil {
		return nil, err
	}
	return out, nil
}

func (o SelectOptions) filled() (SelectOptions, error) {
	if o.Steps == nil {
		o.Steps = []float64{0.025}
	}
	last := 0.0
	for _, s := range o.Steps {
		if !(s > last && s < 1) {
			return o, fmt.Errorf("steps %v do not increase between 0 and 1", o.Steps)
		}
		last = s
	}
	if len(o.Steps) == 0 || len(o.Steps) > 10 {
		return o, fmt.Errorf("%d steps; a selection model has 1 to 10", len(o.Steps))
	}
	return o, nil
}

// stepModel is the likelihood in the units of the sample. Parameters: the
// coefficients of Q, tau², and the weights of all intervals but the first, as
// logarithms while searching and as they are for standard errors.
type stepModel struct {
	s       *sample
	sign    float64   // -1 when effects below zero are preferred
	crit    []float64 // z at each step, decreasing
	step    []int     // the interval of each study
	natural bool
}

func newStepModel(s *sample, o SelectOptions) (*stepModel, []StepWeight, error) {
	m := &stepModel{s: s, sign: 1, step: make([]int, s.k)}
	if o.Less {
		m.sign = -1
	}
	bounds := append([]float64{0}, append(slices.Clone(o.Steps), 1)...)
	weights := make([]StepWeight, len(bounds)-1)
	for i := range weights {
		weights[i] = StepWeight{From: bounds[i], To: bounds[i+1], Delta: 1}
	}
	for _, p := range o.Steps {
		m.crit = append(m.crit, oneSided(p))
	}
	for i := range s.y {
		z := m.sign * s.y[i] / math.Sqrt(s.v[i])
		for m.step[i] < len(m.crit) && z < m.crit[m.step[i]] {
			m.step[i]++
		}
		weights[m.step[i]].Studies++
	}
	for _, w := range weights {
		if w.Studies == 0 {
			return nil, nil, &DataError{Column: "p-value", Reason: fmt.Sprintf("no study lies between %v and %v, so the weight of that interval is not determined", w.From, w.To)}
		}
	}
	return m, weights, nil
}

// logLik is the sum over studies of log weight + log density - log of the
// chance to be published, with its derivatives.
func (m *stepModel) logLik(x []float64, order int) (float64, []float64, []float64, bool) {
	n := len(x)
	j := newJets(0)
	if order > 0 {
		j = newJets(n)
	}
	size := j.size()
	total := make([]float64, size)
	delta := m.weights(x, j)
	b := newStepBuffers(size)
	for i := range m.s.y {
		m.study(i, x, delta, j, b, total)
	}
	if math.IsNaN(total[0]) || math.IsInf(total[0], 0) {
		return 0, nil, nil, false
	}
	if order == 0 {
		return total[0], nil, nil, true
	}
	hessian := make([]float64, n*n)
	for a := range n {
		for c := range n {
			hessian[a*n+c] = total[j.second(a, c)]
		}
	}
	return total[0], total[1 : 1+n], hessian, true
}

// weights are the jets of delta for each interval.
func (m *stepModel) weights(x []float64, j jets) [][]float64 {
	out := make([][]float64, len(m.crit)+1)
	for s := range out {
		out[s] = make([]float64, j.size())
		out[s][0] = 1
		if s == 0 {
			continue
		}
		at := m.s.p + s
		value, first, second := x[at], 1.0, 0.0
		if !m.natural {
			value = math.Exp(x[at])
			first, second = value, value
		}
		out[s][0] = value
		if j.n > 0 {
			out[s][1+at] = first
			out[s][j.second(at, at)] = second
		}
	}
	return out
}

// stepBuffers are the jets of one study.
type stepBuffers struct {
	mu, variance, root, u, t, chance, tail, last []float64
}

func newStepBuffers(size int) *stepBuffers {
	all := make([]float64, 8*size)
	at := func(i int) []float64 { return all[i*size : (i+1)*size] }
	return &stepBuffers{at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)}
}

func (m *stepModel) study(i int, x []float64, delta [][]float64, j jets, b *stepBuffers, total []float64) {
	s, p := m.s, m.s.p
	clear(b.mu)
	clear(b.variance)
	for l, q := range s.q[i*p : i*p+p] {
		b.mu[0] += q * x[l]
		if j.n > 0 {
			b.mu[1+l] = q
		}
	}
	b.variance[0] = s.v[i] + x[p]
	if j.n > 0 {
		b.variance[1+p] = 1
	}
	w := 1 / b.variance[0]
	r := math.Sqrt(w)
	j.chain(b.variance, r, -0.5*w*r, 0.75*w*w*r, b.root)
	// (y-mu)/sigma, whose square and the determinant are the normal density.
	m.standardise(s.y[i], b, j)
	j.mul(b.u, b.u, b.t)
	for l := range total {
		total[l] -= 0.5 * b.t[l]
	}
	j.chain(b.variance, math.Log(b.variance[0]), w, -w*w, b.t)
	for l := range total {
		total[l] -= 0.5 * b.t[l]
	}
	j.addLog(delta[m.step[i]], total)
	m.published(i, delta, j, b)
	j.chain(b.chance, math.Log(b.chance[0]), 1/b.chance[0], -1/(b.chance[0]*b.chance[0]), b.t)
	for l := range total {
		total[l] -= b.t[l]
	}
}

// standardise sets u to (y-mu)/sigma.
func (m *stepModel) standardise(y float64, b *stepBuffers, j jets) {
	for l, mu := range b.mu {
		b.t[l] = -mu
	}
	b.t[0] += y
	j.mul(b.t, b.root, b.u)
}

// published sets chance to the sum over intervals of weight times the
// probability of the interval, which is the difference of two upper tails.
func (m *stepModel) published(i int, delta [][]float64, j jets, b *stepBuffers) {
	clear(b.chance)
	clear(b.last)
	for s := range delta {
		clear(b.tail)
		b.tail[0] = 1
		if s < len(m.crit) {
			m.standardise(m.sign*m.crit[s]*math.Sqrt(m.s.v[i]), b, j)
			u := b.u[0]
			f := math.Exp(-u*u/2) / math.Sqrt(2*math.Pi)
			j.chain(b.u, 0.5*math.Erfc(m.sign*u/math.Sqrt2), -m.sign*f, m.sign*u*f, b.tail)
		}
		for l := range b.last {
			b.last[l], b.t[l] = b.tail[l], b.tail[l]-b.last[l]
		}
		j.mul(delta[s], b.t, b.u)
		for l := range b.chance {
			b.chance[l] += b.u[l]
		}
	}
}

// highest climbs from the model without selection and from one with strong
// selection, and keeps the higher peak.
func (m *stepModel) highest(null *Result) peak {
	p := null.P
	lower := make([]float64, p+1+len(m.crit))
	for l := range lower {
		if l != p {
			lower[l] = math.Inf(-1)
		}
	}
	var best peak
	for _, logDelta := range []float64{0, -1.5} {
		for _, share := range []float64{1, 0.3} {
			start := make([]float64, len(lower))
			copy(start, null.at.gamma)
			start[p] = share * max(null.at.tau2, 0.1)
			for s := range m.crit {
				start[p+1+s] = logDelta
			}
			at := climbAbove(m.logLik, start, lower, best.x)
			if best.x == nil || at.converged && at.value > best.value {
				best = at
			}
		}
	}
	return best
}

// runaway: a weight grows or falls without end, because the likelihood has no
// maximum.
func (m *stepModel) runaway(x []float64) bool {
	return slices.ContainsFunc(x[m.s.p+1:], func(l float64) bool { return math.Abs(l) > 12 })
}

// tables fills the result; standard errors are from the curvature in the
// parameters as they are reported.
func (m *stepModel) tables(out *Selection, best peak, level float64) error {
	s, p := m.s, m.s.p
	x := slices.Clone(best.x)
	for l := range m.crit {
		x[p+1+l] = math.Exp(x[p+1+l])
		out.Weights[l+1].Delta = x[p+1+l]
	}
	n := float64(s.k)
	out.LogLik = best.value - 0.5*n*log2Pi + n*float64(s.shift)*math.Ln2
	out.Tau2 = s.unscale(x[p], 2)
	out.Test = TestResult{Stat: max(0, 2*(out.LogLik-out.Unadjusted.LogLikML)), DF1: float64(len(m.crit))}
	out.Test.P = chi2Tail(out.Test.Stat, out.Test.DF1)
	natural := *m
	natural.natural = true
	cov, ok := natural.inverseCurvature(x)
	beta := s.coefficients(x[:p])
	for i := range beta {
		beta[i] = s.unscale(beta[i], 1)
	}
	if !ok {
		return fmt.Errorf("the likelihood of the selection model has no curvature that standard errors could come from: %w", ErrNotConverged)
	}
	size := len(x)
	gamma := make([]float64, p*p)
	for a := range p {
		copy(gamma[a*p:a*p+p], cov[a*size:a*size+p])
	}
	v := s.covariance(gamma)
	for i := range v {
		v[i] = s.unscale(v[i], 2)
	}
	if level == 0 {
		level = 0.95
	}
	out.Coefficients = coefficientTable(s.names, beta, symmetric(v, p), 0, level)
	if out.Tau2 > 0 {
		se := s.unscale(math.Sqrt(cov[p*size+p]), 2)
		out.Tau2SE = &se
	}
	for l := range m.crit {
		se := math.Sqrt(cov[(p+1+l)*size+p+1+l])
		out.Weights[l+1].SE = &se
	}
	return representable(out.Coefficients)
}

// inverseCurvature is the covariance of the parameters; those on the boundary
// get none.
func (m *stepModel) inverseCurvature(x []float64) ([]float64, bool) {
	_, _, hessian, ok := m.logLik(x, 2)
	if !ok {
		return nil, false
	}
	n := len(x)
	var free []int
	for i := range x {
		if i != m.s.p || x[i] > 0 {
			free = append(free, i)
		}
	}
	information := mat.NewSymDense(len(free), nil)
	for a, i := range free {
		for b, l := range free[:a+1] {
			information.SetSym(a, b, -hessian[i*n+l])
		}
	}
	var cholesky mat.Cholesky
	var inverse mat.SymDense
	if !cholesky.Factorize(information) || cholesky.InverseTo(&inverse) != nil {
		return nil, false
	}
	cov := make([]float64, n*n)
	for a, i := range free {
		for b, l := range free {
			cov[i*n+l] = inverse.At(a, b)
		}
	}
	return cov, true
}
