// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"sync"
)

// An engine answers for one weighting of the rows what the criterion needs to
// know of the random effects with relative covariance factors lambda, a q x q
// matrix for each random term. With W = I + Z Lambda Lambda' Z' it knows log|W|
// and K = [X y]' W^-1 [X y].
type engine interface {
	// solve computes log|W| and the upper triangle of K, m x m row by row with
	// m = p+1. Where moments follow, keep is true.
	solve(lambda [][]float64, keep bool) (logdet float64, k []float64, ok bool)
	// moments returns, for the lambda solved for last, the derivatives by each
	// element of each lambda of log|W|, of log|X'W^-1X| and of the residual sum of
	// squares at beta; rinv is R^-1 with (X'W^-1X)^-1 = R^-1 R^-T, p x p.
	moments(rinv, beta []float64) (w, x, r [][]float64)
	// modes returns b = Lambda Lambda' Z' W^-1 (y - X beta) by term and group, and
	// Lambda A^-1 Lambda' of each group (q x q), for the lambda solved for last.
	modes(beta []float64) (b, v [][]float64)
	// weighed returns Z'W^-1[X y] of one group of a term, and conditional the squared
	// length of L^-1 k, with k the vectors Lambda'z of known groups by term.
	weighed(term int, code int32) []float64
	conditional(known [][]float64, code []int32) float64
}

// groupEngine serves random terms that share one grouping. Then W is block
// diagonal; each block enters by the products Z'Z and Z'[X y] of its group,
// which are summed once, so that the cost of an evaluation is in the number of
// groups and not of rows.
type groupEngine struct {
	q, m   int   // random effects of one group in all terms; columns of [X y]
	qs     []int // of each term
	groups int
	zz     []float64 // groups x q x q
	zm     []float64 // groups x q x m
	mm     []float64 // m x m, the whole [X y]'[X y]
	lambda []float64 // q x q, all terms
	h      []float64 // groups x q x m: Z' W^-1 [X y]
	cl     []float64 // q x q: sum of Z' W^-1 Z Lambda
}

// rows is a set of rows in which a residual structure has been removed.
type rows struct {
	n, m  int
	xy    []float64   // n x m: [X y]
	z     [][]float64 // by term: n x q
	qs    []int
	codes [][]int32 // by term
	sizes []int     // groups by term
}

func newGroupEngine(r *rows) *groupEngine {
	e := &groupEngine{m: r.m, qs: r.qs, groups: r.sizes[0]}
	for _, q := range r.qs {
		e.q += q
	}
	q, m := e.q, e.m
	e.zz, e.zm = make([]float64, e.groups*q*q), make([]float64, e.groups*q*m)
	e.h = make([]float64, e.groups*q*m)
	e.mm = crossproduct(r)
	zrow := make([]float64, q)
	for i, g := range r.codes[0] {
		at := 0
		for t, qt := range r.qs {
			at += copy(zrow[at:], r.z[t][i*qt:(i+1)*qt])
		}
		zz, zm := e.zz[int(g)*q*q:][:q*q], e.zm[int(g)*q*m:][:q*m]
		xy := r.xy[i*m : (i+1)*m]
		for a, za := range zrow {
			for b, zb := range zrow {
				zz[a*q+b] += za * zb
			}
			for b, x := range xy {
				zm[a*m+b] += za * x
			}
		}
	}
	return e
}

// crossproduct returns [X y]'[X y].
func crossproduct(r *rows) []float64 {
	m := r.m
	mm := make([]float64, m*m)
	for i := range r.n {
		xy := r.xy[i*m : (i+1)*m]
		for a, x := range xy {
			for b := a; b < m; b++ {
				mm[a*m+b] += x * xy[b]
			}
		}
	}
	return mm
}

// chunks cuts n groups into parts that are summed apart and then in turn, so
// that the sum does not depend on the number of processors.
func chunks(n int, do func(chunk, from, to int)) int {
	const parts = 8
	if n < 64*parts {
		do(0, 0, n)
		return 1
	}
	var wait sync.WaitGroup
	for c := range parts {
		wait.Go(func() { do(c, c*n/parts, (c+1)*n/parts) })
	}
	wait.Wait()
	return parts
}

// partial is what one chunk sums.
type partial struct {
	logdet float64
	k      []float64
	cl     []float64
	ok     bool
}

func (e *groupEngine) solve(lambda [][]float64, keep bool) (float64, []float64, bool) {
	e.lambda = blockDiagonal(lambda, e.qs, e.q)
	var parts [8]partial
	n := chunks(e.groups, func(c, from, to int) { parts[c] = e.sum(from, to, keep) })
	k := append([]float64(nil), e.mm...)
	cl := make([]float64, e.q*e.q)
	logdet := 0.0
	for _, p := range parts[:n] {
		if !p.ok {
			return 0, nil, false
		}
		logdet += p.logdet
		for i, v := range p.k {
			k[i] -= v
		}
		for i, v := range p.cl {
			cl[i] += v
		}
	}
	e.cl = cl
	return logdet, k, true
}

// blockDiagonal joins the factors of the terms.
func blockDiagonal(lambda [][]float64, qs []int, q int) []float64 {
	all := make([]float64, q*q)
	at := 0
	for t, l := range lambda {
		for i := range qs[t] {
			copy(all[(at+i)*q+at:], l[i*qs[t]:(i+1)*qs[t]])
		}
		at += qs[t]
	}
	return all
}

// sum runs over some groups. For each, with S = Z'Z and A = Lambda' S Lambda + I
// = L L', the part of its random effects in K is U'U, U = L^-1 Lambda' Z'[X y].
func (e *groupEngine) sum(from, to int, keep bool) partial {
	q, m := e.q, e.m
	p := partial{k: make([]float64, m*m), cl: make([]float64, q*q), ok: true}
	a, sl, u, inv := make([]float64, q*q), make([]float64, q*q), make([]float64, q*m), make([]float64, q*q)
	product, spent := 1.0, 0
	for g := from; g < to; g++ {
		s, zm := e.zz[g*q*q:][:q*q], e.zm[g*q*m:][:q*m]
		e.factor(s, sl, a)
		if !cholesky(a, q) {
			return partial{}
		}
		for i := range q {
			product *= a[i*q+i]
		}
		// One logarithm serves several groups, as long as nothing overflows.
		if spent++; spent == 8 || product > 1e100 {
			p.logdet += 2 * math.Log(product)
			product, spent = 1, 0
		}
		lowerTransposeTimes(e.lambda, zm, u, q, m)
		forward(a, q, u, m)
		addUpperCross(p.k, u, q, m)
		if keep {
			e.keep(g, a, sl, u, inv, zm, p.cl)
		}
	}
	p.logdet += 2 * math.Log(product)
	return p
}

// factor computes sl = S Lambda and a = Lambda' S Lambda + I.
func (e *groupEngine) factor(s, sl, a []float64) {
	q, l := e.q, e.lambda
	for i := range q {
		for j := range q {
			x := 0.0
			for k := range q {
				x += s[i*q+k] * l[k*q+j]
			}
			sl[i*q+j] = x
		}
	}
	for i := range q {
		for j := range i + 1 {
			x := 0.0
			for k := range q {
				x += l[k*q+i] * sl[k*q+j]
			}
			if i == j {
				x++
			}
			a[i*q+j] = x
		}
	}
}

// lowerTransposeTimes computes u = Lambda' zm.
func lowerTransposeTimes(l, zm, u []float64, q, m int) {
	clear(u)
	for i := range q {
		for k := range q {
			x := l[k*q+i]
			if x == 0 {
				continue
			}
			uk, zk := u[i*m:(i+1)*m], zm[k*m:(k+1)*m]
			for c := range uk {
				uk[c] += x * zk[c]
			}
		}
	}
}

// addUpperCross adds the upper triangle of u'u, u being q x m.
func addUpperCross(k, u []float64, q, m int) {
	for i := range q {
		ui := u[i*m : (i+1)*m]
		for a, x := range ui {
			ka := k[a*m : (a+1)*m]
			for b := a; b < m; b++ {
				ka[b] += x * ui[b]
			}
		}
	}
}

// keep stores Z' W^-1 [X y] = Z'[X y] - S Lambda A^-1 Lambda' Z'[X y] of the group
// and adds Z' W^-1 Z Lambda = S Lambda A^-1 to cl.
func (e *groupEngine) keep(g int, l, sl, u, inv, zm, cl []float64) {
	q, m := e.q, e.m
	backward(l, q, u, m)
	h := e.h[g*q*m:][:q*m]
	for i := range q {
		hi := h[i*m : (i+1)*m]
		copy(hi, zm[i*m:(i+1)*m])
		for k := range q {
			x := sl[i*q+k]
			for c, v := range u[k*m : (k+1)*m] {
				hi[c] -= x * v
			}
		}
	}
	for i := range q { // inv = A^-1 (S Lambda)'
		for j := range q {
			inv[i*q+j] = sl[j*q+i]
		}
	}
	forward(l, q, inv, q)
	backward(l, q, inv, q)
	for i := range q {
		for j := range q {
			cl[i*q+j] += inv[j*q+i]
		}
	}
}

func (e *groupEngine) moments(rinv, beta []float64) (w, x, r [][]float64) {
	q := e.q
	type sums struct{ f, t []float64 }
	var parts [8]sums
	n := chunks(e.groups, func(c, from, to int) {
		parts[c].f, parts[c].t = e.squares(from, to, rinv, beta)
	})
	f, t := parts[0].f, parts[0].t
	for _, s := range parts[1:n] {
		for i := range f {
			f[i] += s.f[i]
			t[i] += s.t[i]
		}
	}
	fl, tl := multiply(f, e.lambda, q, q, q), multiply(t, e.lambda, q, q, q)
	return e.blocks(e.cl, 2), e.blocks(fl, -2), e.blocks(tl, -2)
}

// squares sums B (X'W^-1X)^-1 B' with B = Z'W^-1X, and t t' with t = Z'W^-1(y-Xb).
func (e *groupEngine) squares(from, to int, rinv, beta []float64) (f, t []float64) {
	q, m := e.q, e.m
	p := m - 1
	f, t = make([]float64, q*q), make([]float64, q*q)
	br, ty := make([]float64, q*p), make([]float64, q)
	for g := from; g < to; g++ {
		h := e.h[g*q*m:][:q*m]
		clear(br)
		for i := range q {
			hi, bi := h[i*m:(i+1)*m], br[i*p:(i+1)*p]
			ty[i] = hi[p]
			for c, b := range beta {
				ty[i] -= hi[c] * b
				for d := c; d < p; d++ {
					bi[d] += hi[c] * rinv[c*p+d]
				}
			}
		}
		for i := range q {
			for j := range i + 1 {
				s := 0.0
				for c, v := range br[i*p : (i+1)*p] {
					s += v * br[j*p+c]
				}
				f[i*q+j] += s
				t[i*q+j] += ty[i] * ty[j]
			}
		}
	}
	for i := range q {
		for j := range i {
			f[j*q+i], t[j*q+i] = f[i*q+j], t[i*q+j]
		}
	}
	return f, t
}

// blocks takes the part of each term out of a q x q matrix.
func (e *groupEngine) blocks(all []float64, factor float64) [][]float64 {
	out := make([][]float64, len(e.qs))
	at := 0
	for t, qt := range e.qs {
		out[t] = make([]float64, qt*qt)
		for i := range qt {
			for j := range qt {
				out[t][i*qt+j] = factor * all[(at+i)*e.q+at+j]
			}
		}
		at += qt
	}
	return out
}

func (e *groupEngine) modes(beta []float64) (b, v [][]float64) {
	q, m := e.q, e.m
	for _, qt := range e.qs {
		b, v = append(b, make([]float64, e.groups*qt)), append(v, make([]float64, e.groups*qt*qt))
	}
	a, sl := make([]float64, q*q), make([]float64, q*q)
	res, lam := make([]float64, q), make([]float64, q*q)
	for g := range e.groups {
		e.factor(e.zz[g*q*q:][:q*q], sl, a)
		cholesky(a, q)
		zm := e.zm[g*q*m:][:q*m]
		for i := range q {
			res[i] = zm[i*m+m-1]
			for c, x := range beta {
				res[i] -= zm[i*m+c] * x
			}
		}
		// L^-1 Lambda' gives both: its square is the variance.
		for i := range q {
			for j := range q {
				lam[i*q+j] = e.lambda[j*q+i]
			}
		}
		forward(a, q, lam, q)
		e.store(g, lam, res, b, v)
	}
	return b, v
}

// store writes b = M'M res and M'M of a group by term.
func (e *groupEngine) store(g int, lam, res []float64, b, v [][]float64) {
	q := e.q
	at := 0
	for t, qt := range e.qs {
		for i := range qt {
			for j := range q {
				s := 0.0
				for k := range q {
					s += lam[k*q+at+i] * lam[k*q+j]
				}
				b[t][g*qt+i] += s * res[j]
				if j >= at && j < at+qt {
					v[t][(g*qt+i)*qt+j-at] = s
				}
			}
		}
		at += qt
	}
}
