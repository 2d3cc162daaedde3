// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// selected holds the blocks of A^-1 in the places in which L has blocks.
type selected struct {
	e    *sparseEngine
	z    []float64 // laid out as l
	tail []float64 // nt x nt, whole
}

// inverse computes A^-1 where L is not nought, from the last column to the first
// (Takahashi, Fagan and Chin 1973; Erisman and Tinney 1975, Communications of
// the ACM 18, 177-179).
func (e *sparseEngine) inverse() *selected {
	if e.inv != nil {
		return e.inv
	}
	s := &selected{e: e, z: make([]float64, len(e.l)), tail: slices.Clone(e.tail)}
	if e.nt > 0 {
		lapack64.Potri(blas64tri(s.tail, e.nt))
		for i := range e.nt {
			for j := range i {
				s.tail[j*e.nt+i] = s.tail[i*e.nt+j]
			}
		}
	}
	for k := len(e.o.column) - 1; k >= 0; k-- {
		s.column(k)
	}
	e.inv = s
	return s
}

func blas64tri(data []float64, n int) blas64.Triangular {
	return blas64.Triangular{Uplo: blas.Lower, Diag: blas.NonUnit, N: n, Stride: n, Data: data}
}

// column computes one column of the inverse: with Y = L_below L_diag^-1 it is
// -Z_below Y below the diagonal and L^-T L^-1 - Y' Z on it.
func (s *selected) column(k int) {
	e := s.e
	q := e.q(e.o.column[k])
	d := e.l[e.at[k]:][:q*q]
	linv := make([]float64, q*q) // L^-1
	for i := range q {
		linv[i*q+i] = 1
	}
	forward(d, q, linv, q)
	own := multiply(transposed(linv, q, q), linv, q, q, q)
	below := e.o.below[k]
	ys := make([][]float64, len(below))
	i := 0
	e.below(k, func(u int32, l []float64) {
		ys[i] = multiply(l, linv, e.q(u), q, q)
		i++
	})
	out := e.at[k] + q*q
	starts := make([]int, len(below))
	for i, u := range below {
		starts[i] = out
		out += q * e.q(u)
	}
	for i, u := range below {
		qu := e.q(u)
		for j, w := range below[:i+1] {
			block, qw := s.block(u, w), e.q(w)
			lessMultiply(s.z[starts[i]:][:qu*q], block, ys[j], qu, qw, q)
			if i != j {
				lessMultiply(s.z[starts[j]:][:qw*q], transposed(block, qu, qw), ys[i], qw, qu, q)
			}
		}
	}
	for i, u := range below {
		lessMultiply(own, transposed(ys[i], e.q(u), q), s.z[starts[i]:][:e.q(u)*q], q, e.q(u), q)
	}
	copy(s.z[e.at[k]:], own)
}

// lessMultiply subtracts a b from c; a is n x k, b is k x m.
func lessMultiply(c, a, b []float64, n, k, m int) {
	for i := range n {
		for l := range k {
			f := a[i*k+l]
			for j := range m {
				c[i*m+j] -= f * b[l*m+j]
			}
		}
	}
}

// block returns the block of the inverse in row a and column b.
func (s *selected) block(a, b int32) []float64 {
	e := s.e
	qa, qb := e.q(a), e.q(b)
	pa, pb := e.o.place[a], e.o.place[b]
	if pa < 0 && pb < 0 {
		out := make([]float64, qa*qb)
		for i := range qa {
			copy(out[i*qb:(i+1)*qb], s.tail[(int(e.tailAt[a])+i)*e.nt+int(e.tailAt[b]):])
		}
		return out
	}
	if a == b {
		return s.z[e.at[pa]:][:qa*qa]
	}
	if e.before(a, b) {
		return transposed(s.block(b, a), qb, qa)
	}
	at := e.find(a, b)
	return s.z[at : at+qa*qb]
}
