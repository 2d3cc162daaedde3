// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// cellKind says in which matrix a parameter stands.
type cellKind byte

const (
	arrow     cellKind = 'A' // A[i][j]: i depends on j (loadings, regressions)
	spread    cellKind = 'S' // S[i][j] = S[j][i]: variances and covariances
	constant  cellKind = 'M' // M[i]: intercepts and means
	threshold cellKind = 'T' // of item i, number j
	scaling   cellKind = 'D' // of item i: one over the standard deviation of its response
)

// cell is a place in a group's matrices: a free parameter or a fixed value.
type cell struct {
	kind  cellKind
	i, j  int
	free  int // position among the free parameters, or -1
	value float64
}

// ram is one group's model in the reticular action form (McArdle & McDonald
// 1984): m variables of which the first p are observed, x = Ax + u, with
// E = (I-A)^-1, Var(u) = S, E(u) = M; Sigma = G S G', mu = G M, where G is the
// first p rows of E.
type ram struct {
	p, m    int
	cells   []cell
	a, s    []float64 // m by m, row-major
	mean    []float64 // M
	e       []float64 // (I-A)^-1
	cov     []float64 // E S E', of all variables
	eta     []float64 // E M, means of all variables
	z       []float64 // p by 2m: G beside the first p rows of cov
	sigma   []float64 // p by p
	mu      []float64
	tau     [][]float64 // thresholds by item
	delta   []float64   // scalings
	scratch []float64
}

func newRAM(p, m int, cells []cell) *ram {
	r := &ram{p: p, m: m, cells: cells,
		a: make([]float64, m*m), s: make([]float64, m*m), mean: make([]float64, m),
		e: make([]float64, m*m), cov: make([]float64, m*m), eta: make([]float64, m),
		z: make([]float64, p*2*m), sigma: make([]float64, p*p), mu: make([]float64, p),
		scratch: make([]float64, m*m)}
	most := make([]int, p)
	scaled := false
	for _, c := range cells {
		switch c.kind {
		case threshold:
			most[c.i] = max(most[c.i], c.j+1)
		case scaling:
			scaled = true
		}
	}
	if scaled {
		r.tau, r.delta = make([][]float64, p), make([]float64, p)
		for i, k := range most {
			r.tau[i] = make([]float64, k)
		}
	}
	return r
}

// set puts parameters into the matrices and computes the implied moments. It
// fails if I-A is singular.
func (r *ram) set(theta []float64) error {
	m := r.m
	direct := false
	for _, c := range r.cells {
		v := c.value
		if c.free >= 0 {
			v = theta[c.free]
		}
		switch c.kind {
		case arrow:
			r.a[c.i*m+c.j] = v
			direct = direct || c.j < r.p || c.i >= r.p
		case spread:
			r.s[c.i*m+c.j], r.s[c.j*m+c.i] = v, v
		case constant:
			r.mean[c.i] = v
		case threshold:
			r.tau[c.i][c.j] = v
		case scaling:
			r.delta[c.i] = v
		}
	}
	if err := r.invert(direct); err != nil {
		return err
	}
	r.moments()
	return nil
}

// invert computes E; without regressions A A = 0, and E = I + A.
func (r *ram) invert(direct bool) error {
	m := r.m
	if !direct {
		copy(r.e, r.a)
		for i := range m {
			r.e[i*m+i]++
		}
		return nil
	}
	b := make([]float64, m*m)
	for i, v := range r.a {
		b[i] = -v
	}
	for i := range m {
		b[i*m+i]++
	}
	e := mat.NewDense(m, m, r.e)
	if err := e.Inverse(mat.NewDense(m, m, b)); err != nil {
		return fmt.Errorf("the regressions of the model have no solution: %w", err)
	}
	return nil
}

func (r *ram) moments() {
	m, p := r.m, r.p
	es := r.scratch
	for i := range m {
		for j := range m {
			var v float64
			for k := range m {
				if w := r.e[i*m+k]; w != 0 {
					v += w * r.s[k*m+j]
				}
			}
			es[i*m+j] = v
		}
	}
	for i := range m {
		for j := i; j < m; j++ {
			var v float64
			for k := range m {
				if w := r.e[j*m+k]; w != 0 {
					v += es[i*m+k] * w
				}
			}
			r.cov[i*m+j], r.cov[j*m+i] = v, v
		}
		var v float64
		for k := range m {
			v += r.e[i*m+k] * r.mean[k]
		}
		r.eta[i] = v
	}
	for i := range p {
		copy(r.z[i*2*m:], r.e[i*m:(i+1)*m])
		copy(r.z[i*2*m+m:], r.cov[i*m:(i+1)*m])
		copy(r.sigma[i*p:(i+1)*p], r.cov[i*m:i*m+p])
		r.mu[i] = r.eta[i]
	}
}

// slope is the derivative of the implied moments by one cell:
// dSigma = c (z_a z_b' + z_b z_a'), dmu = e z_a, with z the columns of r.z.
type slope struct {
	a, b int
	c, e float64
}

func (r *ram) slope(c cell) slope {
	switch c.kind {
	case arrow:
		return slope{a: c.i, b: r.m + c.j, c: 1, e: r.eta[c.j]}
	case spread:
		if c.i == c.j {
			return slope{a: c.i, b: c.j, c: .5}
		}
		return slope{a: c.i, b: c.j, c: 1}
	case constant:
		return slope{a: c.i, e: 1}
	}
	return slope{}
}

// second returns tr(W d2Sigma) + v' d2mu for the cells k and l, from the table
// w = Z'WZ (2m by 2m) and v = Z'v: the part of a Hessian that comes from the
// curvature of the moments.
func (r *ram) second(k, l cell, w, v []float64) float64 {
	m := r.m
	s := r.slope(k)
	var sum float64
	if s.c != 0 {
		sum = 2 * s.c * (r.shift(s.a, l, w, s.b) + r.shift(s.b, l, w, s.a))
	}
	if l.kind == arrow && s.e != 0 { // z_a moves
		sum += s.e * r.e[l.j*m+s.a] * v[l.i]
	}
	if k.kind == arrow { // eta of its cause moves
		switch l.kind {
		case arrow:
			sum += r.e[k.j*m+l.i] * r.eta[l.j] * v[k.i]
		case constant:
			sum += r.e[k.j*m+l.i] * v[k.i]
		}
	}
	return sum
}

// shift returns (dz_a)' W z_b where cell l moves the column a of Z.
func (r *ram) shift(a int, l cell, w []float64, b int) float64 {
	m := r.m
	at := func(i int) float64 { return w[i*2*m+b] }
	if a < m {
		if l.kind == arrow {
			return r.e[l.j*m+a] * at(l.i)
		}
		return 0
	}
	j := a - m
	switch l.kind {
	case arrow:
		return r.cov[l.j*m+j]*at(l.i) + r.e[j*m+l.i]*at(m+l.j)
	case spread:
		if l.i == l.j {
			return r.e[j*m+l.i] * at(l.i)
		}
		return r.e[j*m+l.j]*at(l.i) + r.e[j*m+l.i]*at(l.j)
	}
	return 0
}
