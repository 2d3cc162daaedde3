// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
	"slices"
)

// Method is an estimator of tau², the variance of true effects between studies.
type Method string

// The estimators. Veroniki and others (2016), doi 10.1002/jrsm.1164, compare
// them; formulas for models with moderators are those of Viechtbauer and
// others (2015), doi 10.1037/met0000014.
const (
	// FE sets tau² to 0: one true effect, or inference about these studies only.
	FE Method = "FE"
	// DL is DerSimonian and Laird (1986), the method of moments for Q.
	DL Method = "DL"
	// HE is Hedges and Olkin (1985), the method of moments without weights.
	HE Method = "HE"
	// HS is Hunter and Schmidt (1990).
	HS Method = "HS"
	// SJ is Sidik and Jonkman (2005); never 0.
	SJ Method = "SJ"
	// PM is Paule and Mandel (1982): Q at tau² equals its expectation.
	PM Method = "PM"
	// ML is maximum likelihood.
	ML Method = "ML"
	// REML is restricted maximum likelihood, the default.
	REML Method = "REML"
	// EB is empirical Bayes (Morris 1983), the same equation as PM.
	EB Method = "EB"
)

// Methods lists the estimators in the order of the literature's tables.
func Methods() []Method { return []Method{FE, DL, HE, HS, SJ, PM, ML, REML, EB} }

// ParseMethod knows the names above and the synonyms EE and CE of FE.
func ParseMethod(name string) (Method, error) {
	if name == "EE" || name == "CE" {
		return FE, nil
	}
	if slices.Contains(Methods(), Method(name)) {
		return Method(name), nil
	}
	return "", fmt.Errorf("there is no estimator %q; known are %v", name, Methods())
}

// State says how a fit ended.
type State string

// The states.
const (
	// Converged: the estimate is inside the parameter space.
	Converged State = "converged"
	// Boundary: at least one variance is estimated as 0, its lower limit.
	Boundary State = "boundary"
	// Saturated: as many coefficients as studies, so nothing is left to
	// estimate variation from, and tau² is taken as 0.
	Saturated State = "saturated"
	// NotConverged: the search ended without meeting its criterion.
	NotConverged State = "not converged"
)

// tau2Estimate is what an estimator says, in the units of the sample.
type tau2Estimate struct {
	tau2  float64
	se    float64
	state State
}

// estimate finds tau² by method.
func (s *sample) estimate(method Method) tau2Estimate {
	if method == FE {
		return tau2Estimate{state: Converged}
	}
	if s.k == s.p {
		return tau2Estimate{state: Saturated}
	}
	var e tau2Estimate
	switch method {
	case DL, HS, HE:
		e = s.moment(method)
	case SJ:
		e = s.sidikJonkman()
	case PM, EB:
		e = s.pauleMandel()
	default:
		e = s.likelihood(method == REML)
	}
	if e.state == "" {
		e.state = Converged
		if e.tau2 == 0 {
			e.state = Boundary
		}
	}
	return e
}

// moment covers the estimators with a closed form from one quadratic form:
// DL and HS weigh by 1/v, HE weighs equally.
func (s *sample) moment(method Method) tau2Estimate {
	df := float64(s.k - s.p)
	if method == HE {
		return s.hedges(df)
	}
	m := s.at(0)
	scale, centre := m.trP, df
	if method == HS {
		scale, centre = m.sumW, float64(s.k)
	}
	tau2 := max(0, (m.rss-centre)/scale)
	variance := 2*df + 4*tau2*m.trP + 2*tau2*tau2*max(0, m.trPP)
	return tau2Estimate{tau2: tau2, se: math.Sqrt(variance) / scale}
}

// hedges is HE; its standard error needs tr(PVPV) and tr(PVP) for the
// projection P off the columns of X.
func (s *sample) hedges(df float64) tau2Estimate {
	for i := range s.w {
		s.w[i] = 1
	}
	rss := s.weighted().rss
	trPV, trPVPV := s.projected()
	tau2 := max(0, (rss-trPV)/df)
	variance := 2*trPVPV + 4*tau2*trPV + 2*tau2*tau2*df
	return tau2Estimate{tau2: tau2, se: math.Sqrt(variance) / df}
}

// projected is tr(PV) and tr(PVPV) for P = I - QQ'.
func (s *sample) projected() (trPV, trPVPV float64) {
	p := s.p
	b := make([]float64, p*p)
	for i, v := range s.v {
		trPV += v
		trPVPV += v * v
		row := s.q[i*p : i*p+p]
		for c, q := range row {
			trPVPV -= 2 * v * v * q * q
			for d, z := range row {
				b[c*p+d] += v * q * z
			}
		}
	}
	return trPV - trace(b, p), trPVPV + traceProduct(b, b, p)
}

// sidikJonkman takes the variance of the outcomes as a first guess and
// multiplies it by the weighted residual mean square that it leads to; the
// standard error is the delta method's for that quadratic form.
func (s *sample) sidikJonkman() tau2Estimate {
	mean := 0.0
	for _, y := range s.y {
		mean += y / float64(s.k)
	}
	start := 0.0
	for _, y := range s.y {
		start += (y - mean) * (y - mean) / float64(s.k)
	}
	if start == 0 {
		return tau2Estimate{}
	}
	df := float64(s.k - s.p)
	m := s.at(start)
	tau2 := start * m.rss / df
	// With V+tau² = W^-1 + (tau²-start) every trace needed is one of P's.
	shift := tau2 - start
	variance := 2*df + 4*shift*m.trP + 2*shift*shift*m.trPP
	return tau2Estimate{tau2: tau2, se: start / df * math.Sqrt(variance)}
}

// pauleMandel solves Q(tau²) = k - p. Its standard error is that of metafor
// for EB, sqrt(2k²/(k-p)) / sum w.
func (s *sample) pauleMandel() tau2Estimate {
	df := float64(s.k - s.p)
	tau2, ok := s.qRoot(df)
	e := tau2Estimate{tau2: tau2}
	if !ok {
		e.state = NotConverged
	}
	k := float64(s.k)
	e.se = math.Sqrt(2*k*k/df) / s.at(tau2).sumW
	return e
}

// qRoot solves Q(tau²) = target for tau² >= 0, and says 0 when Q(0) is below
// the target. Q is convex and falls, so Newton's steps from the left never
// pass the root.
func (s *sample) qRoot(target float64) (root float64, ok bool) {
	tau2 := 0.0
	for range 200 {
		m := s.at(tau2)
		excess := m.rss - target
		if excess <= 0 {
			return tau2, true
		}
		step := excess / m.ypp
		if step <= 1e-14*tau2 {
			return tau2, true
		}
		tau2 += step
	}
	return tau2, false
}
