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
	size := 0
	starts := make([]int, len(below)) // rows of the column before each block
	for i, u := range below {
		starts[i] = size
		size += e.q(u)
	}
	at := e.at[k] + q*q
	y := multiply(e.l[at:at+size*q], linv, size, q, q)
	z := s.z[at : at+size*q]
	first := len(below) // of the tail
	for i, u := range below {
		if e.o.place[u] < 0 {
			first = i
			break
		}
	}
	for j := range first {
		s.acrossSparse(below[j:], starts[j:], y, z, q)
	}
	s.acrossTail(below[first:], starts[first:], y, z, q)
	lessMultiplyT(own, y, z, size, q, q)
	copy(s.z[e.at[k]:], own)
}

// acrossSparse takes out of z what the first of the rows, a sparse one, and those
// after it have with each other.
func (s *selected) acrossSparse(below []int32, starts []int, y, z []float64, q int) {
	e := s.e
	w, p := below[0], e.o.place[below[0]]
	qw := e.q(w)
	at := e.at[p]
	zw, yw := z[starts[0]*q:][:qw*q], y[starts[0]*q:][:qw*q]
	lessMultiply(zw, s.z[at:at+qw*qw], yw, qw, qw, q)
	at += qw * qw
	// Both lists are in the order of elimination: one walk finds all.
	i := 1
	for _, u := range e.o.below[p] {
		qu := e.q(u)
		if i < len(below) && below[i] == u {
			block := s.z[at : at+qu*qw]
			if len(block) == 1 && q == 1 {
				z[starts[i]] -= block[0] * yw[0]
				zw[0] -= block[0] * y[starts[i]]
			} else {
				lessMultiply(z[starts[i]*q:][:qu*q], block, yw, qu, qw, q)
				lessMultiplyT(zw, block, y[starts[i]*q:][:qu*q], qu, qw, q)
			}
			i++
		}
		at += qu * qw
	}
}

// acrossTail takes out of z what rows in the dense tail have with each other.
func (s *selected) acrossTail(below []int32, starts []int, y, z []float64, q int) {
	if len(below) == 0 {
		return
	}
	e := s.e
	var rows []int
	for _, u := range below {
		for i := range e.q(u) {
			rows = append(rows, int(e.tailAt[u])+i)
		}
	}
	y, z = y[starts[0]*q:], z[starts[0]*q:]
	for i, r := range rows {
		line := s.tail[r*e.nt : (r+1)*e.nt]
		zi := z[i*q : (i+1)*q]
		if q == 1 {
			t := 0.0
			for j, c := range rows {
				t += line[c] * y[j]
			}
			zi[0] -= t
			continue
		}
		for j, c := range rows {
			for b := range zi {
				zi[b] -= line[c] * y[j*q+b]
			}
		}
	}
}

// edge returns the block of the inverse at an edge, rows of a and columns of b.
func (s *selected) edge(i int) []float64 {
	d := &s.e.edges[i]
	if at := s.e.edgeAt[i]; at >= 0 {
		return s.z[at : at+s.e.q(d.a)*s.e.q(d.b)]
	}
	return s.block(d.a, d.b)
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

// lessMultiplyT subtracts a' b from c; a is n x k, b is n x m.
func lessMultiplyT(c, a, b []float64, n, k, m int) {
	for i := range n {
		for l := range k {
			f := a[i*k+l]
			for j := range m {
				c[l*m+j] -= f * b[i*m+j]
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
