// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Test is the reference distribution of coefficients, and the standard errors
// that go with it.
type Test string

// The tests.
const (
	// Z refers Wald statistics to the normal distribution; the default.
	Z Test = "z"
	// T refers the same statistics to Student's t with k-p degrees of freedom.
	T Test = "t"
	// KnappHartung multiplies the covariance by Q(tau²)/(k-p) and refers to t
	// with k-p degrees of freedom: Knapp and Hartung (2003), doi
	// 10.1002/sim.1482.
	KnappHartung Test = "knha"
	// KnappHartungTruncated never multiplies by less than 1: Röver, Knapp and
	// Friede (2015), doi 10.1186/s12874-015-0091-1; metafor's "adhoc".
	KnappHartungTruncated Test = "adhoc"
)

// Options of a fit; the zero value is REML, z and 95 %.
type Options struct {
	Method Method
	Test   Test
	// Level of confidence intervals, between 0 and 1; 0 means 0.95.
	Level float64
	// Tau2, when not nil, is used in place of an estimate.
	Tau2 *float64
}

func (o Options) filled() (Options, error) {
	if o.Method == "" {
		o.Method = REML
	}
	if _, err := ParseMethod(string(o.Method)); err != nil {
		return o, err
	}
	switch o.Test {
	case "":
		o.Test = Z
	case Z, T, KnappHartung, KnappHartungTruncated:
	default:
		return o, fmt.Errorf("there is no test %q; known are z, t, knha and adhoc", o.Test)
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	if !(o.Level > 0 && o.Level < 1) {
		return o, fmt.Errorf("a confidence level of %v is not between 0 and 1", o.Level)
	}
	if o.Tau2 != nil && !(*o.Tau2 >= 0 && *o.Tau2 < 1e140) {
		return o, fmt.Errorf("a tau² of %v is not a variance", *o.Tau2)
	}
	return o, nil
}

// Coefficient is one row of the table of a model.
type Coefficient struct {
	Name     string
	Estimate float64
	SE       float64
	// Stat is Estimate/SE; DF its degrees of freedom, 0 for normal.
	Stat, DF float64
	P        float64
	// Lower and Upper bound the confidence interval.
	Lower, Upper float64
}

// TestResult is a statistic with its p-value. Chi-square tests have DF2 0.
type TestResult struct {
	Stat     float64
	DF1, DF2 float64
	P        float64
}

// Result of a meta-analysis or meta-regression with one variance of true
// effects between studies.
type Result struct {
	Method Method
	Test   Test
	Level  float64
	// K studies, P coefficients.
	K, P         int
	Coefficients []Coefficient
	// VCov is the P x P covariance matrix of the coefficients.
	VCov *mat.SymDense
	// Tau2 is the variance of true effects, in squared units of the outcome;
	// Tau2SE its standard error, nil for FE, for a given tau², when saturated,
	// and where one study is so precise that rounding leaves no digit of it.
	Tau2   float64
	Tau2SE *float64
	State  State
	// QE tests whether (residual) heterogeneity is more than sampling error.
	QE TestResult
	// QM tests all coefficients but the intercept, or the intercept when it is
	// alone: chi-square, or F when Test is not Z.
	QM TestResult
	// I2 is the percentage of total variance that is heterogeneity, H2 the
	// ratio of total to sampling variance: from tau² and the typical sampling
	// variance of Higgins and Thompson (2002), doi 10.1002/sim.1186, except
	// for FE, where they come from QE.
	I2, H2 float64
	// TypicalV is that typical sampling variance, 0 when saturated.
	TypicalV float64
	// R2 is the percentage of heterogeneity that moderators explain (Raudenbush
	// 2009), for FE the adjusted R² of the weighted regression; 0, as in metafor,
	// when there is none to explain; nil without moderators and without an
	// intercept.
	R2 *float64
	// LogLik is the restricted log-likelihood for REML, else the full one.
	LogLik float64
	// LogLikML is the full log-likelihood at the estimates.
	LogLikML float64

	s    *sample
	at   moments
	data Data
	opts Options
}

// Fit pools the effect sizes of d, or regresses them on its moderators. Its
// time is linear in the number of studies.
//
// The error is a [DataError] for data that no model can use. Estimates on the
// boundary and searches that did not end are in State.
func Fit(d Data, o Options) (*Result, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	r, err := fit(d, o)
	if err != nil {
		return nil, err
	}
	if err := r.explained(); err != nil {
		return nil, err
	}
	return r, nil
}

// fit is Fit with options that are filled in, and without R2.
func fit(d Data, o Options) (*Result, error) {
	s, err := newSample(d)
	if err != nil {
		return nil, err
	}
	r := s.result(o)
	r.data = d
	if err := r.tables(); err != nil {
		return nil, err
	}
	return r, nil
}

// result estimates tau² and what follows from it directly.
func (s *sample) result(o Options) *Result {
	r := &Result{Method: o.Method, Test: o.Test, Level: o.Level, K: s.k, P: s.p, s: s, opts: o}
	e := tau2Estimate{state: Converged}
	if o.Tau2 != nil {
		e.tau2 = math.Ldexp(*o.Tau2, 2*s.shift)
	} else {
		e = s.estimate(o.Method)
		if se := s.unscale(e.se, 2); se > 0 {
			r.Tau2SE = &se
		}
	}
	r.State = e.state
	r.Tau2 = s.unscale(e.tau2, 2)
	zero := s.at(0)
	r.heterogeneity(zero, e.tau2)
	r.at = s.at(e.tau2)
	r.LogLikML = s.logLik(r.at, false)
	r.LogLik = r.LogLikML
	if o.Method == REML {
		r.LogLik = s.logLik(r.at, true)
	}
	return r
}

// heterogeneity fills QE, I2 and H2 from the moments at tau² = 0.
func (r *Result) heterogeneity(zero moments, tau2 float64) {
	df := float64(r.K - r.P)
	r.QE = TestResult{Stat: zero.rss, DF1: df, P: 1}
	r.H2 = 1
	if df == 0 {
		r.QE.Stat = 0
		return
	}
	r.QE.P = chi2Tail(zero.rss, df)
	typical := df / zero.trP
	r.TypicalV = r.s.unscale(typical, 2)
	if r.Method == FE && r.opts.Tau2 == nil {
		r.H2 = zero.rss / df
		r.I2 = 0
		if r.H2 > 1 {
			r.I2 = 100 * (r.H2 - 1) / r.H2
		}
		return
	}
	r.I2 = 100 * tau2 / (typical + tau2)
	r.H2 = tau2/typical + 1
}

// df is that of the coefficients: 0 for normal.
func (r *Result) df() float64 {
	if r.Test == Z || r.K == r.P {
		return 0
	}
	return float64(r.K - r.P)
}

// inflation is the factor of Knapp and Hartung, 1 for other tests.
func (r *Result) inflation() float64 {
	if r.K == r.P {
		return 1
	}
	s2 := r.at.rss / float64(r.K-r.P)
	switch r.Test {
	case KnappHartung:
		return s2
	case KnappHartungTruncated:
		return max(1, s2)
	}
	return 1
}

// tables fills the coefficients, their covariance and the omnibus test.
func (r *Result) tables() error {
	s, p := r.s, r.P
	factor := r.inflation()
	cov := s.covariance(r.at.cov)
	for i := range cov {
		cov[i] = s.unscale(cov[i]*factor, 2)
	}
	if r.Test == KnappHartung && factor <= 1e-28*s.size(r.at.tau2) {
		return &DataError{Reason: "all residuals are zero, so the standard errors of Knapp and Hartung are zero; take the truncated variant"}
	}
	r.VCov = symmetric(cov, p)
	beta := s.coefficients(r.at.gamma)
	for i := range beta {
		beta[i] = s.unscale(beta[i], 1)
	}
	r.Coefficients = coefficientTable(s.names, beta, r.VCov, r.df(), r.Level)
	r.omnibus(factor)
	return representable(r.Coefficients)
}

// size is the mean square of the outcomes in standard deviations.
func (s *sample) size(tau2 float64) float64 {
	sum := 0.0
	for i, y := range s.y {
		sum += y / (s.v[i] + tau2) * y
	}
	return sum / float64(s.k)
}

func symmetric(a []float64, p int) *mat.SymDense {
	out := mat.NewSymDense(p, nil)
	for i := range p {
		for j := i; j < p; j++ {
			out.SetSym(i, j, a[i*p+j])
		}
	}
	return out
}

func coefficientTable(names []string, beta []float64, cov mat.Symmetric, df, level float64) []Coefficient {
	crit := critical(1-level, df)
	rows := make([]Coefficient, len(beta))
	for i, b := range beta {
		rows[i] = newCoefficient(names[i], b, math.Sqrt(cov.At(i, i)), df, crit)
	}
	return rows
}

// representable refuses coefficients that a float64 cannot hold.
func representable(rows []Coefficient) error {
	for _, c := range rows {
		if x := c.Stat + c.P + c.Lower + c.Upper; math.IsNaN(x) || math.IsInf(x, 0) {
			return &DataError{Column: c.Name, Reason: "has a coefficient beyond the range of numbers; take other units"}
		}
	}
	return nil
}

func newCoefficient(name string, estimate, se, df, crit float64) Coefficient {
	stat := estimate / se
	return Coefficient{
		Name: name, Estimate: estimate, SE: se, Stat: stat, DF: df, P: twoSided(stat, df),
		Lower: estimate - crit*se, Upper: estimate + crit*se,
	}
}

// omnibus is QM. The first column of Q is the intercept, so the coefficients
// of the others in Q test the same hypothesis as those in X.
func (r *Result) omnibus(factor float64) {
	from := 0
	if !r.data.NoIntercept && r.P > 1 {
		from = 1
	}
	r.QM = waldTest(r.at.gamma, r.at.cov, r.P, from, factor, r.df())
}

// waldTest tests that the coefficients from index from on are zero.
func waldTest(gamma, cov []float64, p, from int, factor, df float64) TestResult {
	m := p - from
	sub, inv := make([]float64, m*m), make([]float64, m*m)
	for i := range m {
		for j := range m {
			sub[i*m+j] = cov[(from+i)*p+from+j]
		}
	}
	invertSPD(sub, inv, m)
	stat := quadratic(inv, gamma[from:], m) / factor
	t := TestResult{Stat: stat, DF1: float64(m), DF2: df}
	if df == 0 {
		t.P = chi2Tail(stat, t.DF1)
		return t
	}
	t.Stat /= t.DF1
	t.P = fTail(t.Stat, t.DF1, df)
	return t
}

// explained is R2, from a second fit without the moderators.
func (r *Result) explained() error {
	if r.data.NoIntercept || r.P == 1 || r.opts.Tau2 != nil || r.K == r.P {
		return nil
	}
	null, err := newSample(Data{Y: r.data.Y, V: r.data.V})
	if err != nil {
		return err
	}
	var r2 float64
	if r.Method == FE {
		total, rest := null.at(0).rss/float64(r.K-1), r.s.at(0).rss/float64(r.K-r.P)
		if total > 0 {
			r2 = 1 - rest/total
		}
	} else {
		total := null.unscale(null.estimate(r.Method).tau2, 2)
		if total > 0 {
			r2 = (total - r.Tau2) / total
		}
	}
	r2 = 100 * max(0, r2)
	r.R2 = &r2
	return nil
}
