// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import "math"

// StudyEffect is the estimate of one study's true effect that borrows from the
// others: an empirical Bayes estimate, or best linear unbiased prediction.
type StudyEffect struct {
	Estimate, SE float64
	// Lower and Upper bound the true effect, by the distribution of the model's
	// test.
	Lower, Upper float64
	// Shrinkage is how far the estimate went from the study's own effect, 0, to
	// the fitted average, 1.
	Shrinkage float64
}

// StudyEffects of all studies: lambda times the fitted value plus 1-lambda
// times the observed effect, lambda = v/(v+tau²). The variance is
// lambda tau² + lambda² x'Cov(beta)x: Raudenbush and Bryk (1985), doi
// 10.3102/10769986010002075. metafor's blup.
func (r *Result) StudyEffects() []StudyEffect {
	out := make([]StudyEffect, r.K)
	crit := critical(1-r.Level, r.df())
	for i := range out {
		x := r.data.row(i)
		fitted, vFit := 0.0, 0.0
		for a, xa := range x {
			fitted += xa * r.Coefficients[a].Estimate
			for b, xb := range x {
				vFit += xa * xb * r.VCov.At(a, b)
			}
		}
		v := r.data.V[i]
		lambda := v / (v + r.Tau2)
		e := StudyEffect{Shrinkage: lambda, Estimate: lambda*fitted + (1-lambda)*r.data.Y[i]}
		e.SE = math.Sqrt(lambda*r.Tau2 + lambda*lambda*vFit)
		e.Lower, e.Upper = e.Estimate-crit*e.SE, e.Estimate+crit*e.SE
		out[i] = e
	}
	return out
}
