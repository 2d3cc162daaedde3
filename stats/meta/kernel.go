// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"
	"slices"
)

// sample is the data of a model with one variance component, in units in which
// a middling sampling variance is about 1: outcomes are multiplied by 2^shift
// and variances by 4^shift, which no rounding touches, so that variances of
// 1e-300 take the same path as those of 0.01.
type sample struct {
	*design
	y, v  []float64
	shift int
	w     []float64 // scratch: weights
	res   []float64 // scratch: residuals

	centred []float64 // of a single column: y without its unweighted fit
}

func newSample(d Data) (*sample, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	m, err := newDesign(d)
	if err != nil {
		return nil, err
	}
	s := &sample{design: m, shift: shiftOf(d.V)}
	s.y, s.v = scaled(d.Y, s.shift), scaled(d.V, 2*s.shift)
	if i := slices.IndexFunc(s.y, func(y float64) bool { return math.Abs(y) > 1e60 }); i >= 0 {
		return nil, &DataError{Row: i + 1, Column: "effect size", Reason: "is more than 1e60 standard errors from zero"}
	}
	s.w, s.res = make([]float64, m.k), make([]float64, m.k)
	return s, nil
}

// shiftOf is the power of two that brings the geometric middle of the smallest
// and the largest variance near 1.
func shiftOf(v []float64) int {
	_, lo := math.Frexp(slices.Min(v))
	_, hi := math.Frexp(slices.Max(v))
	return -(lo + hi) / 4
}

func scaled(x []float64, shift int) []float64 {
	out := make([]float64, len(x))
	for i, value := range x {
		out[i] = math.Ldexp(value, shift)
	}
	return out
}

// unscale brings a quantity in units of the outcome to the power back to the
// data's scale.
func (s *sample) unscale(x float64, power int) float64 { return math.Ldexp(x, -power*s.shift) }

// moments are the sums over studies at one value of tau² that all estimators
// are made of. With W = diag(1/(v+tau²)) and
// P = W - WX(X'WX)^-1 X'W:
type moments struct {
	tau2    float64
	sumW    float64
	sumW2   float64
	rss     float64 // y'Py
	ypp     float64 // y'PPy
	yppp    float64 // y'PPPy
	trP     float64
	trPP    float64
	logDetM float64   // log |Q'WQ|
	gamma   []float64 // (Q'WQ)^-1 Q'Wy
	cov     []float64 // (Q'WQ)^-1
	m2      []float64 // Q'W²Q
}

// at walks the studies twice: once for the sums of weights, once for those of
// residuals. It costs O(k p²).
func (s *sample) at(tau2 float64) moments {
	for i, v := range s.v {
		s.w[i] = 1 / (v + tau2)
	}
	m := s.weighted()
	m.tau2 = tau2
	return m
}

// scoreAt is the score at tau² alone, in a single pass where there is a single
// column: what the scan for maxima needs.
func (s *sample) scoreAt(tau2 float64, restricted bool) float64 {
	if s.p > 1 {
		return first(s.at(tau2).score(restricted))
	}
	if s.centred == nil {
		s.centre()
	}
	var sumW, a, m2, b, c, e float64
	q, y := s.q[:len(s.v)], s.centred[:len(s.v)]
	for i, v := range s.v {
		w := 1 / (v + tau2)
		wq, wy := w*q[i], w*y[i]
		sumW += w
		a += wq * q[i]
		m2 += wq * wq
		b += wq * y[i]
		c += wq * wy
		e += wy * wy
	}
	gamma := b / a
	score := e - gamma*(2*c-gamma*m2) - sumW
	if restricted {
		score += m2 / a
	}
	return score
}

// centre takes the unweighted fit of a single column off the outcomes, so that
// sums of squares around another fit do not cancel.
func (s *sample) centre() {
	gamma := 0.0
	for i, q := range s.q {
		gamma += q * s.y[i]
	}
	s.centred = make([]float64, s.k)
	for i, q := range s.q {
		s.centred[i] = s.y[i] - q*gamma
	}
}

// logDet is the sum of log(v+tau²), with one logarithm for many factors.
func (s *sample) logDet(tau2 float64) float64 {
	sum, product := 0.0, 1.0
	for _, v := range s.v {
		product *= v + tau2
		if product > 1e150 || product < 1e-150 {
			sum += math.Log(product)
			product = 1
		}
	}
	return sum + math.Log(product)
}

// weighted computes the moments at the weights that stand in s.w.
func (s *sample) weighted() moments {
	if s.p == 1 {
		return s.weightedOne()
	}
	p := s.p
	buffer := make([]float64, 4*p*p+3*p)
	a, m2, m3, cov := buffer[:p*p], buffer[p*p:2*p*p], buffer[2*p*p:3*p*p], buffer[3*p*p:4*p*p]
	b, gamma, u := buffer[4*p*p:4*p*p+p], buffer[4*p*p+p:4*p*p+2*p], buffer[4*p*p+2*p:]
	m := moments{gamma: gamma, cov: cov, m2: m2}
	for i, w := range s.w {
		m.sumW += w
		m.sumW2 += w * w
		row := s.q[i*p : i*p+p]
		for c, q := range row {
			wq := w * q
			b[c] += wq * s.y[i]
			for d, z := range row[:c+1] {
				t := wq * z
				a[c*p+d] += t
				t *= w
				m2[c*p+d] += t
				m3[c*p+d] += t * w
			}
		}
	}
	mirror(a, p)
	mirror(m2, p)
	mirror(m3, p)
	m.logDetM = invertSPD(a, cov, p)
	matVec(cov, b, gamma, p)
	s.residualSums(&m, u)
	t := product(cov, m2, p)
	m.trP = m.sumW - trace(t, p)
	m.trPP = m.sumW2 - 2*traceProduct(cov, m3, p) + traceProduct(t, t, p)
	return m
}

func (s *sample) residualSums(m *moments, u []float64) {
	p := s.p
	cubes := 0.0
	for i, w := range s.w {
		row := s.q[i*p : i*p+p]
		r := s.y[i]
		for c, q := range row {
			r -= q * m.gamma[c]
		}
		s.res[i] = r
		wr := w * r
		m.rss += wr * r
		m.ypp += wr * wr
		cubes += w * wr * wr
		for c, q := range row {
			u[c] += w * wr * q
		}
	}
	m.yppp = cubes - quadratic(m.cov, u, p)
}

// weightedOne is weighted for a single column, the loop that most fits are.
func (s *sample) weightedOne() moments {
	var m moments
	var a, m2, m3, b float64
	for i, w := range s.w {
		q := s.q[i]
		m.sumW += w
		m.sumW2 += w * w
		t := w * q * q
		a += t
		m2 += t * w
		m3 += t * w * w
		b += w * q * s.y[i]
	}
	gamma := b / a
	var cubes, u float64
	for i, w := range s.w {
		q := s.q[i]
		r := s.y[i] - q*gamma
		s.res[i] = r
		wr := w * r
		m.rss += wr * r
		m.ypp += wr * wr
		cubes += w * wr * wr
		u += w * wr * q
	}
	m.yppp = cubes - u*u/a
	m.trP = m.sumW - m2/a
	m.trPP = m.sumW2 - 2*m3/a + m2*m2/(a*a)
	m.logDetM = math.Log(a)
	m.gamma, m.cov, m.m2 = []float64{gamma}, []float64{1 / a}, []float64{m2}
	return m
}

// logLik is the log-likelihood of Y at these moments on the scale of the
// data: restricted with the determinant of X'X (Harville 1974) or full.
func (s *sample) logLik(m moments, restricted bool) float64 {
	n := float64(s.k)
	value := s.logDet(m.tau2) + m.rss
	if restricted {
		n -= float64(s.p)
		value += m.logDetM
	}
	return -0.5*(n*log2Pi+value) + n*float64(s.shift)*math.Ln2
}
