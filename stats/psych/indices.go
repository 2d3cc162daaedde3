// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/entente-project/entente/stats"
)

// Indices say how well a model fits. What an estimator does not give is nil.
type Indices struct {
	NPar     int     // free parameters
	FMin     float64 // the minimum: ChiSq/(2N)
	Test             // against the unrestricted model
	Baseline Test    // of the model in which items do not covary
	CFI, TLI float64
	RMSEA    RMSEA
	// RMR is the root mean square of residuals; SRMR of standardised residuals
	// (Bentler 1995), of correlations alone with ordered items; SRMRBentler counts
	// means and thresholds too.
	RMR, SRMR, SRMRBentler float64
	Likelihood             *Likelihood // nil with ordered items
	// Scaled are indices from the scaled tests; Robust are consistent for the
	// population's indices (Brosseau-Liard & Savalei 2014; with ordered items
	// Savalei 2021; with FIML Zhang & Savalei 2023).
	Scaled *ScaledIndices
	Robust *RobustIndices
}

// Test is a chi-squared test; P is 1 on no degrees of freedom.
type Test struct {
	ChiSq float64
	DF    int
	P     float64
}

// RMSEA is the root mean square error of approximation (Steiger & Lind 1980) with
// its 90 % interval and the test that it is at most .05 (Browne & Cudeck 1993).
type RMSEA struct{ Value, Lower, Upper, P float64 }

// Likelihood holds what needs one.
type Likelihood struct {
	LogL, Unrestricted float64
	AIC, BIC           float64
	BIC2               float64 // adjusted for sample size (Sclove 1987)
}

// ScaledIndices follow from scaled tests.
type ScaledIndices struct {
	Test
	Factor, Shift  float64 // ChiSq = unscaled/Factor + Shift
	Baseline       Test
	BaselineFactor float64
	BaselineShift  float64
	CFI, TLI       float64
	RMSEA          RMSEA
}

// RobustIndices are corrected for nonnormality, coarseness or missing values.
type RobustIndices struct {
	CFI, TLI float64
	RMSEA    RMSEA
}

func newTest(chisq float64, df int) Test {
	t := Test{ChiSq: chisq, DF: df, P: 1}
	if df > 0 {
		t.P = distuv.ChiSquared{K: float64(df)}.Survival(math.Max(0, chisq))
	}
	return t
}

// cfi is Bentler (1990): with correction factors c, of noncentralities X - c df.
func cfi(x, xb Test, c, cb float64) float64 {
	if x.DF <= 0 {
		return 1
	}
	d := math.Max(0, x.ChiSq-c*float64(x.DF))
	b := math.Max(d, xb.ChiSq-cb*float64(xb.DF))
	if b <= 0 {
		return 1
	}
	return 1 - d/b
}

// tli is Tucker & Lewis (1973).
func tli(x, xb Test, c, cb float64) float64 {
	d, b := x.ChiSq-c*float64(x.DF), xb.ChiSq-cb*float64(xb.DF)
	if x.DF <= 0 || b == 0 {
		return 1
	}
	return 1 - d*float64(xb.DF)/(b*float64(x.DF))
}

// rmsea is for groups as Steiger (1998); c corrects a robust form, whose limits
// come from the scaled statistic.
func rmsea(x Test, scaled float64, c float64, n, groups int) RMSEA {
	if x.DF <= 0 {
		return RMSEA{P: 1}
	}
	df, fn := float64(x.DF), float64(n)
	root := func(l float64) float64 { return math.Sqrt(math.Max(0, l) / (fn * df) * float64(groups)) }
	r := RMSEA{Value: root(x.ChiSq - c*df), P: 1}
	if !(c > 0) || !(scaled >= 0) || math.IsInf(scaled, 0) {
		return r
	}
	r.Lower = root(c * stats.NoncentralityFor(scaled, df, .95))
	r.Upper = root(c * stats.NoncentralityFor(scaled, df, .05))
	close := fn * df / c / float64(groups) * .05 * .05
	r.P = stats.NoncentralChiSquared{K: df, Lambda: close}.Survival(scaled)
	return r
}

// standardIndices fills what follows from the unscaled tests.
func (x *Indices) standardIndices(n, groups int) {
	x.CFI, x.TLI = cfi(x.Test, x.Baseline, 1, 1), tli(x.Test, x.Baseline, 1, 1)
	x.RMSEA = rmsea(x.Test, x.ChiSq, 1, n, groups)
}

// scaledIndices fills what follows from scaled tests.
func (s *ScaledIndices) scaledIndices(n, groups int) {
	s.CFI, s.TLI = cfi(s.Test, s.Baseline, 1, 1), tli(s.Test, s.Baseline, 1, 1)
	s.RMSEA = rmsea(s.Test, s.ChiSq, 1, n, groups)
}

// robustIndices returns the robust forms from unscaled statistics and the
// corrections c of the model and cb of the baseline.
func robustIndices(x, xb Test, c, cb float64, n, groups int) *RobustIndices {
	if !(c > 0) || !(cb > 0) {
		return nil
	}
	return &RobustIndices{CFI: cfi(x, xb, c, cb), TLI: tli(x, xb, c, cb), RMSEA: rmsea(x, x.ChiSq/c, c, n, groups)}
}

// residuals accumulates mean squares of residuals over groups.
type residuals struct{ rmr, srmr float64 }

// add counts one group's moments, weighted by its share of the persons.
func (r *residuals) add(p int, s, sigma, mean, mu []float64, share float64) {
	var raw, std, count float64
	for i := range p {
		for j := range i + 1 {
			d := s[i*p+j] - sigma[i*p+j]
			raw += d * d
			std += d * d / (s[i*p+i] * s[j*p+j])
			count++
		}
	}
	for i := range mean {
		d := mean[i] - mu[i]
		raw += d * d
		std += d * d / s[i*p+i]
		count++
	}
	r.rmr += share * math.Sqrt(raw/count)
	r.srmr += share * math.Sqrt(std/count)
}
