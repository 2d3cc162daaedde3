// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// forward sets u = L^-1 Lambda' Z'[X y], node by node.
func (e *sparseEngine) forward() {
	m := e.m
	e.u = make([]float64, e.size*m)
	for v, t := range e.term {
		q := e.qs[t]
		at := int(e.offset[v]) * m
		lowerTransposeTimes(e.lambda[t], e.zm[at:at+q*m], e.u[at:at+q*m], q, m)
	}
	e.forwardFrom()
}

// forwardFrom turns u into L^-1 u.
func (e *sparseEngine) forwardFrom() {
	m := e.m
	for k, v := range e.o.column {
		q := e.q(v)
		x := e.block(v)
		forward(e.l[e.at[k]:], q, x, m)
		e.below(k, func(u int32, l []float64) {
			y := e.block(u)
			for i := range e.q(u) {
				for c := range q {
					f := l[i*q+c]
					for j, w := range x[c*m : (c+1)*m] {
						y[i*m+j] -= f * w
					}
				}
			}
		})
	}
	e.solveTail(blas.NoTrans)
}

// backward turns u into L'^-1 u.
func (e *sparseEngine) backward() {
	m := e.m
	e.solveTail(blas.Trans)
	for k := len(e.o.column) - 1; k >= 0; k-- {
		v := e.o.column[k]
		q := e.q(v)
		x := e.block(v)
		e.below(k, func(u int32, l []float64) {
			y := e.block(u)
			for i := range e.q(u) {
				for c := range q {
					f := l[i*q+c]
					for j := range m {
						x[c*m+j] -= f * y[i*m+j]
					}
				}
			}
		})
		backward(e.l[e.at[k]:], q, x, m)
	}
}

// block returns the rows of a node in u.
func (e *sparseEngine) block(v int32) []float64 {
	at := int(e.offset[v]) * e.m
	return e.u[at : at+e.q(v)*e.m]
}

// below visits the blocks below the diagonal of a column.
func (e *sparseEngine) below(k int, visit func(u int32, l []float64)) {
	q := e.q(e.o.column[k])
	at := e.at[k] + q*q
	for _, u := range e.o.below[k] {
		n := q * e.q(u)
		visit(u, e.l[at:at+n])
		at += n
	}
}

func (e *sparseEngine) solveTail(trans blas.Transpose) {
	if e.nt == 0 {
		return
	}
	m := e.m
	b := make([]float64, e.nt*m)
	for _, v := range e.o.tail {
		copy(b[int(e.tailAt[v])*m:], e.block(v))
	}
	blas64.Trsm(blas.Left, trans, 1, blas64.Triangular{Uplo: blas.Lower, Diag: blas.NonUnit, N: e.nt, Stride: e.nt, Data: e.tail},
		blas64.General{Rows: e.nt, Cols: m, Stride: m, Data: b})
	for _, v := range e.o.tail {
		copy(e.block(v), b[int(e.tailAt[v])*m:])
	}
}

// weigh sets h = Z'[X y] - Z'Z Lambda A^-1 Lambda' Z'[X y] = Z' W^-1 [X y].
func (e *sparseEngine) weigh() {
	m := e.m
	e.h = append(e.h[:0], e.zm...)
	lu := make([]float64, e.size*m) // Lambda A^-1 ...
	for v, t := range e.term {
		q := e.qs[t]
		copy(lu[int(e.offset[v])*m:], multiply(e.lambda[t], e.block(int32(v)), q, q, m))
	}
	less := func(a, b int32, block []float64) {
		qa, qb := e.q(a), e.q(b)
		ha, ub := e.h[int(e.offset[a])*m:], lu[int(e.offset[b])*m:]
		for i := range qa {
			for k := range qb {
				f := block[i*qb+k]
				for j := range m {
					ha[i*m+j] -= f * ub[k*m+j]
				}
			}
		}
	}
	for v, t := range e.term {
		less(int32(v), int32(v), e.own[e.diag[v]:][:e.qs[t]*e.qs[t]])
	}
	for _, d := range e.edges {
		less(d.a, d.b, d.block)
		if len(d.block) == 1 {
			less(d.b, d.a, d.block)
			continue
		}
		less(d.b, d.a, transposed(d.block, e.q(d.a), e.q(d.b)))
	}
}

func (e *sparseEngine) moments(rinv, beta []float64) (w, x, r [][]float64) {
	inv := e.inverse()
	for t, q := range e.qs {
		from := e.first[t]
		to := len(e.term)
		if t+1 < len(e.first) {
			to = e.first[t+1]
		}
		sub := groupEngine{q: q, m: e.m, h: e.h[int(e.offset[from])*e.m:]}
		f, s := sub.squares(0, to-from, rinv, beta)
		fl, sl := multiply(f, e.lambda[t], q, q, q), multiply(s, e.lambda[t], q, q, q)
		for i := range fl {
			fl[i], sl[i] = -2*fl[i], -2*sl[i]
		}
		w, x, r = append(w, make([]float64, q*q)), append(x, fl), append(r, sl)
	}
	e.logSlope(inv, w)
	return w, x, r
}

// logSlope adds the derivatives of log|A|: twice the diagonal blocks of
// Z'Z Lambda A^-1.
func (e *sparseEngine) logSlope(inv *selected, w [][]float64) {
	add := func(a, b int32, block, inverse []float64) {
		ta, tb := e.term[a], e.term[b]
		qa, qb := e.qs[ta], e.qs[tb]
		if qa == 1 && qb == 1 {
			w[ta][0] += 2 * block[0] * e.lambda[tb][0] * inverse[0]
			return
		}
		c := multiply(multiply(block, e.lambda[tb], qa, qb, qb), inverse, qa, qb, qa)
		for i, v := range c {
			w[ta][i] += 2 * v
		}
	}
	for v := range e.term {
		q := e.q(int32(v))
		add(int32(v), int32(v), e.own[e.diag[v]:][:q*q], inv.block(int32(v), int32(v)))
	}
	for i := range e.edges {
		d := &e.edges[i]
		ab := inv.edge(i)
		qa, qb := e.q(d.a), e.q(d.b)
		if qa == 1 && qb == 1 {
			add(d.b, d.a, d.block, ab)
			add(d.a, d.b, d.block, ab)
			continue
		}
		add(d.b, d.a, transposed(d.block, qa, qb), ab)
		add(d.a, d.b, d.block, transposed(ab, qa, qb))
	}
}

func (e *sparseEngine) modes(beta []float64) (b, v [][]float64) {
	inv := e.inverse()
	m := e.m
	for t, q := range e.qs {
		to := len(e.term)
		if t+1 < len(e.first) {
			to = e.first[t+1]
		}
		var bt, vt []float64
		lt := transposed(e.lambda[t], q, q)
		for node := e.first[t]; node < to; node++ {
			u := e.block(int32(node))
			res := make([]float64, q)
			for i := range res {
				res[i] = u[i*m+m-1]
				for c, x := range beta {
					res[i] -= u[i*m+c] * x
				}
			}
			bt = append(bt, multiply(e.lambda[t], res, q, q, 1)...)
			vt = append(vt, multiply(multiply(e.lambda[t], inv.block(int32(node), int32(node)), q, q, q), lt, q, q, q)...)
		}
		b, v = append(b, bt), append(v, vt)
	}
	return b, v
}
