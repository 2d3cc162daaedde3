// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// tables fills the result from the peak of the likelihood.
func (r *MultilevelResult) tables(best peak) error {
	f := r.f
	r.State = Converged
	for l, fixed := range r.fixed {
		if !fixed && best.x[l] == 0 {
			r.State = Boundary
		}
	}
	if !best.converged {
		r.State = NotConverged
	}
	all := make([]bool, len(r.fixed))
	for l := range all {
		all[l] = true
	}
	l, ok := f.solve(f.walk(place(nil, all, best.x, false), newJets(0)))
	if !ok {
		return &DataError{Reason: "the covariance of the effect sizes is singular"}
	}
	r.gamma, r.cov = l.gamma, l.cov
	r.LogLikML = f.logLik(l, false)
	r.LogLik = r.LogLikML
	if r.Method == REML {
		r.LogLik = f.logLik(l, true)
	}
	cov := f.covariance(l.cov)
	for i := range cov {
		cov[i] = math.Ldexp(cov[i], -2*f.shift)
	}
	r.VCov = symmetric(cov, r.P)
	beta := f.coefficients(l.gamma)
	for i := range beta {
		beta[i] = math.Ldexp(beta[i], -f.shift)
	}
	df := 0.0
	if r.Test == T {
		df = float64(r.K - r.P)
	}
	r.Coefficients = coefficientTable(f.names, beta, r.VCov, df, r.Level)
	from := 0
	if !r.data.NoIntercept && r.P > 1 {
		from = 1
	}
	r.QM = waldTest(r.gamma, r.cov, r.P, from, 1, df)
	if err := r.sampling(); err != nil {
		return err
	}
	r.components(best)
	return representable(r.Coefficients)
}

func (f *forest) logLik(l likelihoodJets, restricted bool) float64 {
	n := float64(f.k)
	value := l.logDetV[0] + l.rss[0]
	if restricted {
		n -= float64(f.p)
		value += l.logDetM[0]
	}
	return -0.5*(n*log2Pi+value) + n*float64(f.shift)*math.Ln2
}

// sampling fills QE and the typical sampling variance. A walk with all
// variances 0 gives QE; the derivative of log |V| + log |Q'V^-1 Q| in a
// variance that every row would gain is tr(P).
func (r *MultilevelResult) sampling() error {
	f := *r.f
	components := make([]component, len(r.fixed)+1)
	for l := range components {
		components[l].parameter = -1
	}
	f.row = len(r.fixed)
	components[f.row].parameter = 0
	l, ok := f.solve(f.walk(components, newJets(1)))
	if !ok {
		return &DataError{Reason: "the covariance of the sampling errors is singular"}
	}
	df := float64(r.K - r.P)
	r.QE = TestResult{Stat: l.rss[0], DF1: df, P: chi2Tail(l.rss[0], df)}
	r.TypicalV = math.Ldexp(df/(l.logDetV[1]+l.logDetM[1]), -2*f.shift)
	return nil
}

func (r *MultilevelResult) components(best peak) {
	total := 0.0
	for l, p := range r.parts {
		sigma2 := math.Ldexp(best.x[l], -2*r.f.shift)
		total += sigma2
		r.Components = append(r.Components, Component{Name: p.name, Groups: p.groups, Sigma2: sigma2, Fixed: r.fixed[l]})
	}
	for l := range r.Components {
		r.Components[l].I2 = 100 * r.Components[l].Sigma2 / (total + r.TypicalV)
	}
	r.I2 = 100 * total / (total + r.TypicalV)
	r.standardErrors(best)
}

// standardErrors inverts the negative curvature in the variances inside the
// boundary.
func (r *MultilevelResult) standardErrors(best peak) {
	var inside []int // index among parameters
	var level []int
	n := 0
	for l, fixed := range r.fixed {
		if fixed {
			continue
		}
		if best.x[l] > 0 {
			inside, level = append(inside, n), append(level, l)
		}
		n++
	}
	if len(inside) == 0 || best.hessian == nil {
		return
	}
	information := mat.NewSymDense(len(inside), nil)
	for a, i := range inside {
		for b, j := range inside[:a+1] {
			information.SetSym(a, b, -best.hessian[i*n+j])
		}
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(information) {
		return
	}
	var inverse mat.SymDense
	if cholesky.InverseTo(&inverse) != nil {
		return
	}
	for a, l := range level {
		se := math.Ldexp(math.Sqrt(inverse.At(a, a)), -2*r.f.shift)
		r.Components[l].SE = &se
	}
}
