// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
)

// design is the model matrix as X = QR with orthonormal Q. The models work
// with Q: residuals, weights and likelihoods are the same as with X, and the
// conditioning does not depend on whether a year is counted from 0 or from
// 2000. The restricted likelihood with the constant |X'X| of Harville (1974),
// doi 10.1093/biomet/61.2.383, is then the one without it, because |Q'Q| = 1.
type design struct {
	k, p  int
	names []string
	q     []float64 // k x p, row by row
	r     []float64 // p x p upper triangle, row by row
	rinv  []float64 // its inverse
	// constant is true when an intercept is in the span of the columns.
	constant bool
}

// interceptName is how the constant appears in tables.
const interceptName = "intercept"

// newDesign orthogonalises the columns of d in their order and names the first
// that the earlier ones determine.
func newDesign(d Data) (*design, error) {
	k, p := len(d.Y), len(d.Moderators)
	if !d.NoIntercept {
		p++
	}
	if p == 0 {
		return nil, &DataError{Reason: "a model needs an intercept or a moderator"}
	}
	if k < p {
		return nil, &DataError{Reason: fmt.Sprintf("%d studies cannot determine %d coefficients", k, p)}
	}
	m := &design{k: k, p: p, q: make([]float64, k*p), r: make([]float64, p*p)}
	j := 0
	if !d.NoIntercept {
		m.names = append(m.names, interceptName)
		for i := range k {
			m.q[i*p] = 1
		}
		m.orthogonalise(j)
		j++
	}
	for _, column := range d.Moderators {
		m.names = append(m.names, column.Name)
		for i, value := range column.Values {
			m.q[i*p+j] = value
		}
		if !m.orthogonalise(j) {
			reason := "is a linear combination of the columns before it"
			if j == 1 && !d.NoIntercept {
				reason = "does not vary"
			}
			return nil, &DataError{Column: column.Name, Reason: reason}
		}
		j++
	}
	m.invert()
	m.constant = !d.NoIntercept || m.spansConstant()
	return m, nil
}

// dependent is the part of a column's length below which what the earlier
// columns leave of it is rounding.
const dependent = 1e-10

// orthogonalise makes column j of q orthogonal to those before it, by
// Gram-Schmidt done twice (Giraud and others 2005, doi
// 10.1007/s00211-005-0615-4), and reports whether anything was left.
func (m *design) orthogonalise(j int) bool {
	k, p := m.k, m.p
	before := columnNorm(m.q, k, p, j)
	if before == 0 {
		return false
	}
	for range 2 {
		for l := range j {
			dot := 0.0
			for i := range k {
				dot += m.q[i*p+l] * m.q[i*p+j]
			}
			m.r[l*p+j] += dot
			for i := range k {
				m.q[i*p+j] -= dot * m.q[i*p+l]
			}
		}
	}
	after := columnNorm(m.q, k, p, j)
	if after <= dependent*before {
		return false
	}
	m.r[j*p+j] = after
	for i := range k {
		m.q[i*p+j] /= after
	}
	return true
}

// columnNorm is the length of column j, free of over- and underflow.
func columnNorm(q []float64, k, p, j int) float64 {
	largest := 0.0
	for i := range k {
		largest = max(largest, math.Abs(q[i*p+j]))
	}
	if largest == 0 {
		return 0
	}
	s := 0.0
	for i := range k {
		x := q[i*p+j] / largest
		s += x * x
	}
	return largest * math.Sqrt(s)
}

func (m *design) invert() {
	p := m.p
	m.rinv = make([]float64, p*p)
	for j := range p {
		m.rinv[j*p+j] = 1 / m.r[j*p+j]
		for i := j - 1; i >= 0; i-- {
			s := 0.0
			for l := i + 1; l <= j; l++ {
				s += m.r[i*p+l] * m.rinv[l*p+j]
			}
			m.rinv[i*p+j] = -s / m.r[i*p+i]
		}
	}
}

// spansConstant is true when a column of ones is a combination of the columns,
// as with one indicator for each level and no intercept.
func (m *design) spansConstant() bool {
	rest := float64(m.k)
	for j := range m.p {
		s := 0.0
		for i := range m.k {
			s += m.q[i*m.p+j]
		}
		rest -= s * s
	}
	return rest < 1e-10*float64(m.k)
}

// coefficients turns gamma, the coefficients of Q, into those of X.
func (m *design) coefficients(gamma []float64) []float64 {
	beta := make([]float64, m.p)
	for i := range m.p {
		for l := i; l < m.p; l++ {
			beta[i] += m.rinv[i*m.p+l] * gamma[l]
		}
	}
	return beta
}

// covariance turns the p x p covariance of gamma into that of beta.
func (m *design) covariance(c []float64) []float64 {
	p := m.p
	half, out := make([]float64, p*p), make([]float64, p*p)
	for i := range p {
		for j := range p {
			for l := i; l < p; l++ {
				half[i*p+j] += m.rinv[i*p+l] * c[l*p+j]
			}
		}
	}
	for i := range p {
		for j := range p {
			for l := j; l < p; l++ {
				out[i*p+j] += half[i*p+l] * m.rinv[j*p+l]
			}
		}
	}
	return out
}
