// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// robustParts is what robust tests take from a fit.
type robustParts struct {
	meats  []meat
	factor float64 // scaling factor of the test
	shift  float64
}

// robustMeats returns what the estimator's correction needs, or nil.
func robustMeats(l *normalLik, theta []float64, e Estimator) ([]meat, bool) {
	if e != MLR && e != MLM {
		return nil, true
	}
	return l.meats(theta, e == MLR)
}

// traceOf returns tr(A B).
func traceOf(a, b mat.Symmetric) float64 {
	var t float64
	n := a.SymmetricDim()
	for i := range n {
		for j := range n {
			t += a.At(i, j) * b.At(i, j)
		}
	}
	return t
}

// degrees returns the number of moments less the number of parameters.
func (f *Fit) degrees() int {
	p := len(f.Items)
	each := p * (p + 1) / 2
	if f.layout.means {
		each += p
	}
	return each*len(f.Groups) - f.layout.free
}

// saturatedF is f at the moments without a model.
func (f *Fit) saturatedF() (float64, bool) {
	var sum float64
	p := len(f.Items)
	for _, s := range f.normal.groups {
		v, ok := saturatedLik(s, p).objective(saturatedTheta(s))
		if !ok {
			return 0, false
		}
		sum += float64(s.n) / float64(f.N) * v
	}
	return sum, true
}

// baselineCells are variances and means alone.
func baselineCells(p int, means bool, from int) (cells []cell, next int) {
	for i := range p {
		cells = append(cells, cell{kind: spread, i: i, j: i, free: from})
		from++
		if means {
			cells = append(cells, cell{kind: constant, i: i, free: from})
			from++
		}
	}
	return cells, from
}

// baseline returns the likelihood of the model in which items do not covary, and
// its estimates, which are moments of each item's own values.
func (f *Fit) baseline() (*normalLik, []float64) {
	p := len(f.Items)
	var rams []*ram
	var theta []float64
	next := 0
	for _, s := range f.normal.groups {
		var cells []cell
		cells, next = baselineCells(p, f.layout.means, next)
		rams = append(rams, newRAM(p, p, cells))
		for j := range p {
			m, sd, count := columnMoments(s.y, j)
			theta = append(theta, sd*sd*float64(count-1)/float64(count))
			if f.layout.means {
				theta = append(theta, m)
			}
		}
	}
	return newNormalLik(f.normal.groups, rams, next, f.layout.means), theta
}

// normalIndices fills the fit indices of a normal-theory fit.
func (f *Fit) normalIndices() {
	x := &f.Indices
	n := float64(f.N)
	x.NPar = f.layout.free
	sat, ok := f.saturatedF()
	val, ok2 := f.normal.objective(f.theta)
	base, baseTheta := f.baseline()
	baseF, ok3 := base.objective(baseTheta)
	if !ok || !ok2 || !ok3 {
		f.Converged = false
		f.Problems = append(f.Problems, "the likelihood could not be computed")
		return
	}
	x.FMin = math.Max(0, val-sat)
	x.Test = newTest(2*n*x.FMin, f.degrees())
	p := len(f.Items)
	x.Baseline = newTest(math.Max(0, 2*n*(baseF-sat)), p*(p-1)/2*len(f.Groups))
	x.standardIndices(f.N, len(f.Groups))
	f.likelihood(val, sat)
	f.residuals()
	if f.Estimator == MLR || f.Estimator == MLM {
		f.scaleTests(base, baseTheta)
	}
	if f.Missing == FIML {
		f.correctMissing(base, baseTheta)
	}
}

func (f *Fit) likelihood(val, sat float64) {
	n, k := float64(f.N), float64(f.layout.free)
	l := &Likelihood{LogL: f.normal.logLik(val), Unrestricted: f.normal.logLik(sat)}
	if !f.layout.means {
		// Saturated means are estimated, but lavaan does not count them; nor do we.
		k = float64(f.layout.free)
	}
	l.AIC = -2*l.LogL + 2*k
	l.BIC = -2*l.LogL + k*math.Log(n)
	l.BIC2 = -2*l.LogL + k*math.Log((n+2)/24)
	f.Indices.Likelihood = l
}

func (f *Fit) residuals() {
	var r residuals
	for g, s := range f.normal.groups {
		ram := f.rams[g]
		var mean []float64
		if f.layout.means {
			mean = s.mean
		}
		r.add(ram.p, s.cov, ram.sigma, mean, ram.mu, float64(s.n)/float64(f.N))
	}
	f.Indices.RMR, f.Indices.SRMR, f.Indices.SRMRBentler = r.rmr, r.srmr, r.srmr
}

// scaleTests corrects the tests of the model and of the baseline.
func (f *Fit) scaleTests(base *normalLik, baseTheta []float64) {
	x := &f.Indices
	if !f.Identified || x.DF <= 0 {
		return
	}
	kind := expected
	if f.Estimator == MLR {
		kind = observed
	}
	_, _, h, ok := base.derivatives(baseTheta, kind)
	if !ok {
		return
	}
	inv, ok := inverseSym(h)
	if !ok {
		return
	}
	meats, ok := base.meats(baseTheta, f.Estimator == MLR)
	if !ok {
		return
	}
	c := f.scalingFactor(f.info, f.robust.meats, x.DF)
	cb := f.scalingFactor(inv, meats, x.Baseline.DF)
	if !(c > 0) || !(cb > 0) {
		return
	}
	f.robust.factor = c
	x.Scaled = &ScaledIndices{
		Test: newTest(x.ChiSq/c, x.DF), Factor: c,
		Baseline: newTest(x.Baseline.ChiSq/cb, x.Baseline.DF), BaselineFactor: cb,
	}
	x.Scaled.scaledIndices(f.N, len(f.Groups))
	x.Robust = robustIndices(x.Test, x.Baseline, c, cb, f.N, len(f.Groups))
}

// scalingFactor is tr(U Gamma)/df: for MLM that of Satorra & Bentler (1994), for
// MLR the difference of the traces of the saturated and the fitted model
// (Asparouhov & Muthen 2005, eq. 9).
func (f *Fit) scalingFactor(inv *mat.SymDense, meats []meat, df int) float64 {
	if df <= 0 {
		return 0
	}
	var t float64
	for g, m := range meats {
		if f.Estimator == MLR {
			t += f.unrestrictedTrace(g)
		} else {
			t += m.trace
		}
		if inv != nil {
			t -= float64(f.GroupN[g]) / float64(f.N) * traceOf(m.b, inv)
		}
	}
	return t / float64(df)
}

// unrestrictedTrace is tr(B1 A1^-1) of one group's unrestricted model.
func (f *Fit) unrestrictedTrace(g int) float64 {
	s := f.normal.groups[g]
	if len(s.patterns) == 1 {
		return saturatedTrace(s, f.layout.means)
	}
	l := saturatedLik(s, len(f.Items))
	theta := saturatedTheta(s)
	_, _, h, ok := l.derivatives(theta, observed)
	if !ok {
		return 0
	}
	inv, ok := inverseSym(h)
	if !ok {
		return 0
	}
	m, ok := l.meats(theta, true)
	if !ok {
		return 0
	}
	return traceOf(m[0].b, inv)
}
