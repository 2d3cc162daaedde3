// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"errors"
	"fmt"
	"math"

	"github.com/entente-project/entente/stats"
)

// term is a random term: effects of one kind for each group.
type term struct {
	name   string
	names  []string
	levels []string
	codes  []int32
	q      int
}

// problem is a model in coordinates in which numbers are tame: the columns of X
// are orthogonal and of mean square one, y is what ordinary least squares leaves
// of it, and the columns of each Z are orthogonal as well. A random term has an
// unstructured covariance, so its columns may be mixed freely; the fit is the
// same, and a slope on calendar years converges as one on sessions.
type problem struct {
	n, p   int
	terms  []*term
	base   *rows
	tx     []float64   // p x p upper: X = Q tx
	txInv  []float64   // its inverse
	b0     []float64   // the coefficients taken out of y, in the user's coordinates
	s      [][]float64 // by term, q x q upper: Z = Z* s
	sInv   [][]float64
	logTx  float64 // log|tx|
	logW   float64 // sum of the logarithms of the weights
	shape  *shape  // residual structure, nil where rows are independent and alike
	reml   bool
	engine engine
	logR   float64   // log|R| of the residual structure
	at     []float64 // residual parameters the engine was built for
}

// newProblem changes coordinates. weights may be nil.
func newProblem(d *stats.Design, x *stats.Matrix, y, weights []float64, terms []*term, reml bool) (*problem, error) {
	pr := &problem{n: x.Rows, p: x.Cols(), terms: terms, reml: reml}
	root := make([]float64, pr.n)
	for i := range root {
		root[i] = 1
		if weights != nil {
			root[i] = math.Sqrt(weights[i])
			pr.logW += math.Log(weights[i])
		}
	}
	q, tx, ok := orthogonal(x.Data, pr.n, pr.p, root)
	if !ok {
		return nil, errors.New("the columns of the fixed effects are not independent")
	}
	pr.tx, pr.txInv = tx, upperInverse(tx, pr.p)
	for j := range pr.p {
		pr.logTx += math.Log(tx[j*pr.p+j])
	}
	b := &rows{n: pr.n, m: pr.p + 1, xy: make([]float64, pr.n*(pr.p+1))}
	if err := pr.takeOut(b, q, y, root); err != nil {
		return nil, err
	}
	for t, tm := range terms {
		z, s, err := randomColumns(d.Random[t].Z, root, tm)
		if err != nil {
			return nil, err
		}
		b.z, b.qs = append(b.z, z), append(b.qs, tm.q)
		b.codes, b.sizes = append(b.codes, tm.codes), append(b.sizes, len(tm.levels))
		pr.s, pr.sInv = append(pr.s, s), append(pr.sInv, upperInverse(s, tm.q))
	}
	pr.base = b
	return pr, nil
}

// takeOut fills [Q y*] with y* = y - Q Q'y/n, in two rounds.
func (pr *problem) takeOut(b *rows, q, y, root []float64) error {
	p, m := pr.p, pr.p+1
	rest := make([]float64, pr.n)
	var before, after float64
	for i := range rest {
		rest[i] = y[i] * root[i]
		before = math.Max(before, math.Abs(rest[i]))
	}
	bq := make([]float64, p)
	for range 2 {
		c := make([]float64, p)
		for i, v := range rest {
			for j, x := range q[i*p : (i+1)*p] {
				c[j] += x * v / float64(pr.n)
			}
		}
		for i := range rest {
			for j, x := range q[i*p : (i+1)*p] {
				rest[i] -= x * c[j]
			}
		}
		for j := range bq {
			bq[j] += c[j]
		}
	}
	pr.b0 = pr.user(bq)
	for i, v := range rest {
		after = math.Max(after, math.Abs(v))
		copy(b.xy[i*m:], q[i*p:(i+1)*p])
		b.xy[i*m+p] = v
	}
	if after <= 1e-12*before || after == 0 {
		return errors.New("the fixed effects reproduce the response without a rest: there is no variance to divide")
	}
	if after < 1e-140 || after > 1e140 {
		return fmt.Errorf("the response varies by about %.0e, which has no square among the numbers of a computer: choose another unit", after)
	}
	return nil
}

// user turns coefficients of Q into coefficients of X.
func (pr *problem) user(bq []float64) []float64 {
	return multiply(pr.txInv, bq, pr.p, pr.p, 1)
}

// randomColumns makes the columns of a random term orthogonal; where they are
// not independent it scales them only.
func randomColumns(z *stats.Matrix, root []float64, tm *term) (zs, s []float64, err error) {
	q := tm.q
	if zs, s, ok := orthogonal(z.Data, z.Rows, q, root); ok {
		return zs, s, nil
	}
	s = make([]float64, q*q)
	for j := range q {
		total := 0.0
		for i := range z.Rows {
			v := z.Data[i*q+j] * root[i]
			total += v * v
		}
		if !(total > 0) {
			return nil, nil, fmt.Errorf("random term for %s: the column %q is nought in every row", tm.name, tm.names[j])
		}
		s[j*q+j] = math.Sqrt(total / float64(z.Rows))
	}
	zs = make([]float64, len(z.Data))
	for i, v := range z.Data {
		j := i % q
		zs[i] = v * root[i/q] / s[j*q+j]
	}
	return zs, s, nil
}

// orthogonal decomposes diag(root) a (n x k) into q t with q'q = n I and t upper
// with a positive diagonal, by Gram and Schmidt's way, twice for each column. It
// is false where a column depends on those before it.
func orthogonal(a []float64, n, k int, root []float64) (q, t []float64, ok bool) {
	q, t = make([]float64, n*k), make([]float64, k*k)
	v := make([]float64, n)
	size := math.Sqrt(float64(n))
	for j := range k {
		biggest := 0.0
		for i := range v {
			v[i] = a[i*k+j] * root[i]
			biggest = math.Max(biggest, math.Abs(v[i]))
		}
		if biggest == 0 {
			return nil, nil, false
		}
		for i := range v {
			v[i] /= biggest
		}
		before := length(v)
		for range 2 {
			project(q, v, t, n, k, j)
		}
		after := length(v)
		if after < 1e-8*before {
			return nil, nil, false
		}
		t[j*k+j] = after / size
		for l := range j + 1 {
			t[l*k+j] *= biggest
		}
		for i := range v {
			q[i*k+j] = v[i] / after * size
		}
	}
	return q, t, true
}

// project takes the parts along the first j columns of q out of v.
func project(q, v, t []float64, n, k, j int) {
	if j == 0 {
		return
	}
	c := make([]float64, j)
	for i, x := range v {
		for l := range c {
			c[l] += q[i*k+l] * x
		}
	}
	for l := range c {
		c[l] /= float64(n)
		t[l*k+j] += c[l]
	}
	for i := range v {
		s := 0.0
		for l, x := range c {
			s += q[i*k+l] * x
		}
		v[i] -= s
	}
}

func length(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x
	}
	return math.Sqrt(s)
}
