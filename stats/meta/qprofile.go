// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import "math"

// Interval is an estimate with its confidence bounds.
type Interval struct {
	Estimate, Lower, Upper float64
}

// HeterogeneityIntervals are confidence intervals for the variance of true
// effects and for what is computed from it.
type HeterogeneityIntervals struct {
	Level             float64
	Tau2, Tau, I2, H2 Interval
	// State is Converged; Boundary when the lower bound is 0; "empty" when even
	// tau² = 0 makes the effects more alike than the level allows, so that no
	// value of tau² is acceptable and all bounds are 0; NotConverged.
	State State
}

// Empty says that no value of the parameter is in the confidence set.
const Empty State = "empty"

// QProfile inverts the generalised Q statistic: all tau² for which Q(tau²) is
// between the two quantiles of chi-square with k-p degrees of freedom.
// Viechtbauer (2007), doi 10.1002/sim.2514. It is exact when the sampling
// variances are, for every estimator. It needs k > p.
func (r *Result) QProfile() (HeterogeneityIntervals, error) {
	df := float64(r.K - r.P)
	if df == 0 {
		return HeterogeneityIntervals{}, &DataError{Reason: "as many coefficients as studies: no heterogeneity can be estimated"}
	}
	alpha := 1 - r.Level
	lower, okLower := r.s.qRoot(chi2Quantile(alpha/2, df))
	upper, okUpper := r.s.qRoot(chi2Quantile(1-alpha/2, df))
	state := Converged
	switch {
	case !okLower || !okUpper:
		state = NotConverged
	case upper == 0:
		state = Empty
	case lower == 0:
		state = Boundary
	}
	return r.intervals(lower, upper, state), nil
}

// ProfileLikelihood is the set of tau² whose (restricted) log-likelihood is
// within half a chi-square quantile of the highest: Hardy and Thompson (1996),
// doi 10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A. It
// needs a fit by ML or REML.
func (r *Result) ProfileLikelihood() (HeterogeneityIntervals, error) {
	if r.Method != ML && r.Method != REML {
		return HeterogeneityIntervals{}, &DataError{Reason: "a likelihood interval needs a fit by ML or REML"}
	}
	if r.K == r.P {
		return HeterogeneityIntervals{}, &DataError{Reason: "as many coefficients as studies: no heterogeneity can be estimated"}
	}
	s, restricted := r.s, r.Method == REML
	best := math.Ldexp(r.Tau2, 2*s.shift)
	floor := s.logLik(s.at(best), restricted) - chi2Quantile(1-r.Level, 1)/2
	height := func(tau2 float64) float64 { return s.logLik(s.at(tau2), restricted) - floor }
	lower := 0.0
	if best > 0 && height(0) < 0 {
		lower = bisect(height, 0, best)
	}
	top := 2*best + s.grid()[gridPoints-1]
	for height(top) > 0 {
		top *= 2
	}
	upper := bisect(func(t float64) float64 { return -height(t) }, best, top)
	state := Converged
	if lower == 0 {
		state = Boundary
	}
	return r.intervals(lower, upper, state), nil
}

// bisect finds where f, negative at lo and positive at hi, changes its sign.
func bisect(f func(float64) float64, lo, hi float64) float64 {
	for range 200 {
		mid := (lo + hi) / 2
		if mid <= lo || mid >= hi || hi-lo <= 1e-14*hi {
			break
		}
		if f(mid) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// intervals takes bounds of tau² in the units of the sample.
func (r *Result) intervals(lower, upper float64, state State) HeterogeneityIntervals {
	h := HeterogeneityIntervals{Level: r.Level, State: state}
	h.Tau2 = Interval{r.Tau2, r.s.unscale(lower, 2), r.s.unscale(upper, 2)}
	each := func(f func(tau2 float64) float64) Interval {
		return Interval{f(h.Tau2.Estimate), f(h.Tau2.Lower), f(h.Tau2.Upper)}
	}
	h.Tau = each(math.Sqrt)
	h.I2 = each(func(t float64) float64 { return 100 * t / (r.TypicalV + t) })
	h.H2 = each(func(t float64) float64 { return t/r.TypicalV + 1 })
	return h
}
