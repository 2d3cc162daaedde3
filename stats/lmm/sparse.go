// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// sparseEngine serves several groupings, nested or crossed, by a sparse Cholesky
// factorisation of A = Lambda' Z'Z Lambda + I in blocks: a block for each pair
// of groups that share a row. What fills up is factorised densely at the end.
// The products Z'Z and Z'[X y] are summed once; an evaluation never sees a row.
type sparseEngine struct {
	m      int
	qs     []int
	first  []int     // by term: its first node
	term   []int32   // by node
	offset []int32   // by node: its first row in Z'[X y]
	size   int       // random effects in all
	diag   []int     // by node: place in own
	own    []float64 // diagonal blocks of Z'Z
	edges  []edge
	zm     []float64 // size x m
	mm     []float64
	o      *ordering
	rowOf  [][]entry // by position: sparse columns with a block in this row
	at     []int     // by position: place of its column in l
	l      []float64 // columns: the diagonal block, then those below
	tailAt []int32   // by node: its first row in the tail, or -1
	nt     int       // rows of the tail
	tail   []float64 // nt x nt, lower
	edgeAt []int     // by edge: place in l; -1 for the tail
	lambda [][]float64
	u      []float64 // L^-1 Lambda' Z'[X y], then A^-1 Lambda' Z'[X y], size x m
	h      []float64 // Z' W^-1 [X y]
	inv    *selected
}

// edge is a block of Z'Z between two groups: rows of a, columns of b, and b is
// eliminated first.
type edge struct {
	a, b  int32
	block []float64
}

// entry says that the column at position k has a block in a row, the i-th below
// its diagonal.
type entry struct{ k, i int32 }

func newSparseEngine(r *rows) *sparseEngine {
	e := &sparseEngine{m: r.m, qs: r.qs, mm: crossproduct(r)}
	for t, q := range r.qs {
		e.first = append(e.first, len(e.term))
		for range r.sizes[t] {
			e.term = append(e.term, int32(t))
			e.offset = append(e.offset, int32(e.size))
			e.size += q
			e.diag = append(e.diag, len(e.own))
			e.own = append(e.own, make([]float64, q*q)...)
		}
	}
	e.zm = make([]float64, e.size*e.m)
	pairs := e.products(r)
	adjacent := make([][]int32, len(e.term))
	weight := make([]int32, len(e.term))
	for v, t := range e.term {
		weight[v] = int32(e.qs[t])
	}
	for key := range pairs {
		adjacent[key[0]] = append(adjacent[key[0]], key[1])
		adjacent[key[1]] = append(adjacent[key[1]], key[0])
	}
	for _, a := range adjacent {
		slices.Sort(a)
	}
	e.o = minimumDegree(adjacent, weight)
	e.layOut(pairs)
	return e
}

// products sums Z'Z and Z'[X y] over the rows.
func (e *sparseEngine) products(r *rows) map[[2]int32][]float64 {
	pairs := map[[2]int32][]float64{}
	for i := range r.n {
		xy := r.xy[i*r.m : (i+1)*r.m]
		for t, q := range r.qs {
			a := int32(e.first[t]) + r.codes[t][i]
			za := r.z[t][i*q : (i+1)*q]
			addOuter(e.own[e.diag[a]:][:q*q], za, za)
			addOuter(e.zm[int(e.offset[a])*r.m:][:q*r.m], za, xy)
			for s := range t {
				k := r.qs[s]
				key := [2]int32{a, int32(e.first[s]) + r.codes[s][i]}
				block := pairs[key]
				if block == nil {
					block = make([]float64, q*k)
					pairs[key] = block
				}
				addOuter(block, za, r.z[s][i*k:(i+1)*k])
			}
		}
	}
	return pairs
}

func addOuter(into, a, b []float64) {
	for i, x := range a {
		row := into[i*len(b) : (i+1)*len(b)]
		for j, y := range b {
			row[j] += x * y
		}
	}
}

// q returns the number of effects of a node.
func (e *sparseEngine) q(v int32) int { return e.qs[e.term[v]] }

// before says whether b is eliminated before a.
func (e *sparseEngine) before(b, a int32) bool {
	pa, pb := e.o.place[a], e.o.place[b]
	switch {
	case pa < 0 && pb < 0:
		return b < a
	case pa < 0 || pb < 0:
		return pb >= 0
	}
	return pb < pa
}

// layOut gives every block its place.
func (e *sparseEngine) layOut(pairs map[[2]int32][]float64) {
	o := e.o
	e.tailAt = make([]int32, len(e.term))
	for v := range e.tailAt {
		e.tailAt[v] = -1
	}
	for _, v := range o.tail {
		e.tailAt[v] = int32(e.nt)
		e.nt += e.q(v)
	}
	e.tail = make([]float64, e.nt*e.nt)
	e.rowOf = make([][]entry, len(o.column))
	size := 0
	for k, v := range o.column {
		e.at = append(e.at, size)
		size += e.q(v) * e.q(v)
		for i, u := range o.below[k] {
			size += e.q(v) * e.q(u)
			if p := o.place[u]; p >= 0 {
				e.rowOf[p] = append(e.rowOf[p], entry{int32(k), int32(i)})
			}
		}
	}
	e.l = make([]float64, size)
	for key, block := range pairs {
		a, b := key[0], key[1]
		if !e.before(b, a) {
			block, a, b = transposed(block, e.q(a), e.q(b)), b, a
		}
		e.edges = append(e.edges, edge{a, b, block})
	}
	slices.SortFunc(e.edges, func(x, y edge) int {
		if x.b != y.b {
			return int(x.b) - int(y.b)
		}
		return int(x.a) - int(y.a)
	})
	for _, d := range e.edges {
		e.edgeAt = append(e.edgeAt, e.find(d.a, d.b))
	}
}

// find returns the place in l of the block in row a and column b, which is there;
// -1 where both are in the tail.
func (e *sparseEngine) find(a, b int32) int {
	k := e.o.place[b]
	if k < 0 {
		return -1
	}
	at := e.at[k] + e.q(b)*e.q(b)
	for _, u := range e.o.below[k] {
		if u == a {
			return at
		}
		at += e.q(u) * e.q(b)
	}
	panic("lmm: a block of Z'Z without a place in its factor")
}

func (e *sparseEngine) solve(lambda [][]float64, keep bool) (float64, []float64, bool) {
	e.lambda, e.inv = lambda, nil
	e.fill()
	logdet, ok := e.factor()
	if !ok {
		return 0, nil, false
	}
	e.forward()
	k := slices.Clone(e.mm)
	minus := make([]float64, len(k))
	addUpperCross(minus, e.u, e.size, e.m)
	for i, v := range minus {
		k[i] -= v
	}
	if keep {
		e.backward()
		e.weigh()
	}
	return logdet, k, true
}

// congruent returns la' block lb.
func congruent(la, block, lb []float64, qa, qb int) []float64 {
	if qa == 1 && qb == 1 {
		return []float64{la[0] * block[0] * lb[0]}
	}
	return multiply(transposed(la, qa, qa), multiply(block, lb, qa, qb, qb), qa, qa, qb)
}

// fill writes A into the places of its factor.
func (e *sparseEngine) fill() {
	clear(e.l)
	clear(e.tail)
	for v, t := range e.term {
		q := e.qs[t]
		a := congruent(e.lambda[t], e.own[e.diag[v]:][:q*q], e.lambda[t], q, q)
		for i := range q {
			a[i*q+i]++
		}
		if p := e.o.place[v]; p >= 0 {
			copy(e.l[e.at[p]:], a)
		} else {
			e.addTail(int32(v), int32(v), a, 1)
		}
	}
	for i := range e.edges {
		d := &e.edges[i]
		if at := e.edgeAt[i]; len(d.block) == 1 && at >= 0 {
			e.l[at] = e.lambda[e.term[d.a]][0] * d.block[0] * e.lambda[e.term[d.b]][0]
			continue
		}
		block := congruent(e.lambda[e.term[d.a]], d.block, e.lambda[e.term[d.b]], e.q(d.a), e.q(d.b))
		if at := e.edgeAt[i]; at >= 0 {
			copy(e.l[at:], block)
		} else {
			e.addTail(d.a, d.b, block, 1)
		}
	}
}

func (e *sparseEngine) addTail(a, b int32, block []float64, sign float64) {
	qb := e.q(b)
	for i, v := range block {
		e.tail[(int(e.tailAt[a])+i/qb)*e.nt+int(e.tailAt[b])+i%qb] += sign * v
	}
}

// factor computes L in place, column by column from the left.
func (e *sparseEngine) factor() (float64, bool) {
	where := make([]int, len(e.term)) // place of each row's block in the column at work
	logdet := 0.0
	for k, v := range e.o.column {
		q := e.q(v)
		where[v] = e.at[k]
		at := e.at[k] + q*q
		for _, u := range e.o.below[k] {
			where[u] = at
			at += q * e.q(u)
		}
		for _, r := range e.rowOf[k] {
			e.subtract(r, where, q)
		}
		d := e.l[e.at[k]:][:q*q]
		if !cholesky(d, q) {
			return 0, false
		}
		for i := range q {
			logdet += 2 * math.Log(d[i*q+i])
		}
		at = e.at[k] + q*q
		for _, u := range e.o.below[k] {
			divide(e.l[at:][:q*e.q(u)], d, e.q(u), q)
			at += q * e.q(u)
		}
		e.updateTail(k, q)
	}
	if e.nt == 0 {
		return logdet, true
	}
	s := blas64.Symmetric{Uplo: blas.Lower, N: e.nt, Stride: e.nt, Data: e.tail}
	if _, ok := lapack64.Potrf(s); !ok {
		return 0, false
	}
	for i := range e.nt {
		logdet += 2 * math.Log(e.tail[i*e.nt+i])
	}
	return logdet, true
}

// subtract takes the product of an earlier column with itself out of the column
// at work.
func (e *sparseEngine) subtract(r entry, where []int, q int) {
	k := e.o.column[r.k]
	qk := e.q(k)
	below := e.o.below[r.k]
	at := e.at[r.k] + qk*qk
	for _, u := range below[:r.i] {
		at += qk * e.q(u)
	}
	row := e.l[at:][:q*qk]
	for _, u := range below[r.i:] {
		qu := e.q(u)
		lessProduct(e.l[where[u]:][:qu*q], e.l[at:][:qu*qk], row, qu, q, qk)
		at += qu * qk
	}
}

// lessProduct subtracts a b' from c; a is n x k, b is m x k.
func lessProduct(c, a, b []float64, n, m, k int) {
	if k == 1 {
		for i := range n {
			for j := range m {
				c[i*m+j] -= a[i] * b[j]
			}
		}
		return
	}
	for i := range n {
		for j := range m {
			s := 0.0
			for l := range k {
				s += a[i*k+l] * b[j*k+l]
			}
			c[i*m+j] -= s
		}
	}
}

// divide solves x L' = b in place; b is n x q.
func divide(b, l []float64, n, q int) {
	for r := range n {
		row := b[r*q : (r+1)*q]
		for i := range q {
			for k := range i {
				row[i] -= l[i*q+k] * row[k]
			}
			row[i] /= l[i*q+i]
		}
	}
}

// updateTail takes the product of a column out of the tail.
func (e *sparseEngine) updateTail(k, q int) {
	below := e.o.below[k]
	at := e.at[k] + q*q
	var starts, rows []int
	for _, u := range below {
		if t := e.tailAt[u]; t >= 0 {
			for i := range e.q(u) {
				starts, rows = append(starts, at+i*q), append(rows, int(t)+i)
			}
		}
		at += q * e.q(u)
	}
	for i, a := range starts {
		la := e.l[a : a+q]
		row := e.tail[rows[i]*e.nt:][:e.nt]
		for j := range i + 1 {
			s := 0.0
			for c, x := range e.l[starts[j] : starts[j]+q] {
				s += la[c] * x
			}
			row[rows[j]] -= s
		}
	}
}
