// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import "math"

// score is twice the derivative of the log-likelihood in tau², slope twice the
// second derivative.
func (m moments) score(restricted bool) (score, slope float64) {
	if restricted {
		return m.ypp - m.trP, m.trPP - 2*m.yppp
	}
	return m.ypp - m.sumW, m.sumW2 - 2*m.yppp
}

// gridPoints between the smallest sampling variance and the spread of the
// outcomes: the likelihood can have several maxima, and each that is wider
// than the step between points is found.
const gridPoints = 14

// likelihood finds the highest of the maxima of the (restricted) likelihood
// over tau² >= 0: a scan for changes of sign of the score, then Newton's
// method kept inside each bracket.
func (s *sample) likelihood(restricted bool) tau2Estimate {
	at := s.at(0)
	best, bestLogLik := at, s.logLik(at, restricted)
	state := State("")
	lo, loScore := 0.0, first(at.score(restricted))
	s.centred = nil
	for _, hi := range s.grid() {
		hiScore := s.scoreAt(hi, restricted)
		if loScore > 0 && hiScore <= 0 {
			m, ok := s.scoreRoot(lo, hi, restricted)
			if l := s.logLik(m, restricted); l > bestLogLik {
				best, bestLogLik, state = m, l, ""
				if !ok {
					state = NotConverged
				}
			}
		}
		lo, loScore = hi, hiScore
	}
	if loScore > 0 {
		state = NotConverged
	}
	trace := best.sumW2
	if restricted {
		trace = best.trPP
		if trace < 1e-8*best.sumW2 {
			trace = 0 // what is left of the difference is rounding
		}
	}
	e := tau2Estimate{tau2: best.tau2, state: state}
	if trace > 0 {
		e.se = math.Sqrt(2 / trace)
	}
	return e
}

func first(a, _ float64) float64 { return a }

// grid is increasing and ends where the score must be negative: beyond the
// residual sum of squares of the unweighted fit.
func (s *sample) grid() []float64 {
	for i := range s.w {
		s.w[i] = 1
	}
	rss := s.weighted().rss
	least, most := math.Inf(1), 0.0
	for _, v := range s.v {
		least, most = min(least, v), max(most, v)
	}
	top := 2*rss + most
	lo, hi := math.Log(least/100), math.Log(top)
	points := make([]float64, gridPoints)
	for i := range points {
		points[i] = math.Exp(lo + (hi-lo)*float64(i)/(gridPoints-1))
	}
	return points
}

// scoreRoot refines a bracket with score(lo) > 0 >= score(hi).
func (s *sample) scoreRoot(lo, hi float64, restricted bool) (moments, bool) {
	t := (lo + hi) / 2
	if lo > 0 {
		t = math.Sqrt(lo * hi)
	}
	for range 200 {
		m := s.at(t)
		score, slope := m.score(restricted)
		if score > 0 {
			lo = t
		} else {
			hi = t
		}
		next := t - score/slope
		if !(slope < 0) || next <= lo || next >= hi {
			next = (lo + hi) / 2
		}
		if math.Abs(next-t) <= 1e-13*t || hi-lo <= 1e-15*hi {
			return m, true
		}
		t = next
	}
	return s.at(t), false
}
