// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// PolychoricResult holds the correlations of the normal responses behind ordered
// items.
type PolychoricResult struct {
	N, Omitted int
	Levels     [][]float64 // the values of each item, in order
	Thresholds [][]float64 // of each item, one fewer than its levels
	Rho        *mat.SymDense
	SE         *mat.SymDense // of Rho; 0 on the diagonal and where AtEnd
	// Gamma is N times the asymptotic covariance of the thresholds, item by item,
	// and then the correlations below the diagonal, by columns.
	Gamma *mat.SymDense
	// AtEnd names pairs of columns, from 0, whose likelihood rises to the end of
	// the range: a correlation of 1 or -1 fits best, and none is estimated.
	AtEnd [][2]int
}

// Polychoric returns the correlations of all pairs of columns of x (persons by
// items, of at most 50 values each), in two steps: thresholds from the margins,
// then each correlation by maximum likelihood. Rows with a missing value are left
// out.
//
// Sources: Olsson (1979), Psychometrika 44; standard errors: Muthen (1984),
// Psychometrika 49, in the form of Joreskog (1994).
func Polychoric(x *mat.Dense) (*PolychoricResult, error) {
	if err := checkFinite(x); err != nil {
		return nil, err
	}
	all, p := x.Dims()
	y := completeRows(x)
	if y == nil || p < 2 {
		return nil, fmt.Errorf("polychoric correlations need two items and complete rows: %w", ErrNoData)
	}
	names := make([]string, p)
	for j := range names {
		names[j] = fmt.Sprintf("column %d", j+1)
	}
	ys := []*mat.Dense{y}
	levels, err := levelsOf(ys, names)
	if err != nil {
		return nil, err
	}
	o, err := newOrdered(y, levels, names, "")
	if err != nil {
		return nil, err
	}
	m := o.moments()
	r := &PolychoricResult{N: o.n, Omitted: all - o.n, Levels: levels, Thresholds: o.tau, Rho: m.rho, SE: mat.NewSymDense(p, nil), AtEnd: m.atEnd}
	if m.gamma == nil {
		return nil, fmt.Errorf("the asymptotic covariances of %d items cannot be computed from %d rows", p, o.n)
	}
	r.Gamma = m.gamma
	at := o.thresholdCount()
	for j := range p {
		for i := j + 1; i < p; i++ {
			r.SE.SetSym(i, j, math.Sqrt(math.Max(0, m.gamma.At(at, at))/float64(o.n)))
			at++
		}
	}
	for _, e := range r.AtEnd {
		r.SE.SetSym(e[0], e[1], 0)
	}
	return r, nil
}

// orderedMoments are thresholds, correlations, and their asymptotic covariance.
type orderedMoments struct {
	rho   *mat.SymDense
	gamma *mat.SymDense // nil if it cannot be computed
	atEnd [][2]int
}

// moments estimates one group's correlations and Gamma = N B^-1 (sum s s') B^-T,
// with s the persons' gradients of the univariate and bivariate likelihoods and B
// their expected derivatives, taken as products of gradients (Muthen 1984).
func (o *ordered) moments() *orderedMoments {
	p, th := o.p, o.thresholdCount()
	pairs := p * (p - 1) / 2
	m := &orderedMoments{rho: mat.NewSymDense(p, nil)}
	scores := mat.NewDense(o.n, th+pairs, nil)
	first := make([]int, p)
	at := 0
	for j := range p {
		m.rho.SetSym(j, j, 1)
		first[j] = at
		o.thresholdScores(j, at, scores)
		at += len(o.tau[j])
	}
	a21 := mat.NewDense(pairs, th, nil)
	a22 := make([]float64, pairs)
	k := 0
	for j := range p {
		for i := j + 1; i < p; i++ {
			q := newRectangles(o.tau[i], o.tau[j])
			table := o.crosstab(i, j)
			rho, end := q.fitRho(smoothed2x2(table), pearsonOf(table))
			if end {
				m.atEnd = append(m.atEnd, [2]int{j, i})
			}
			m.rho.SetSym(i, j, rho)
			q.edges()
			a22[k] = o.pairScores(q, i, j, table, scores, th+k, a21.RawRowView(k), first)
			k++
		}
	}
	m.gamma = o.sandwich(scores, a21, a22, first)
	return m
}

// thresholdScores fills the gradients of an item's univariate likelihood.
func (o *ordered) thresholdScores(j, at int, scores *mat.Dense) {
	tau := o.tau[j]
	n := float64(o.n)
	up, down := make([]float64, len(tau)+1), make([]float64, len(tau)+1)
	for k := range o.counts[j] {
		p := o.counts[j][k] / n
		if k < len(tau) {
			up[k] = normalDensity(tau[k]) / p
		}
		if k > 0 {
			down[k] = -normalDensity(tau[k-1]) / p
		}
	}
	for i, k := range o.code[j] {
		row := scores.RawRowView(i)
		if k < len(tau) {
			row[at+k] = up[k]
		}
		if k > 0 {
			row[at+k-1] = down[k]
		}
	}
}

// pairScores fills the gradients of a pair's likelihood by its correlation, the
// sums of their products with those by its thresholds, and returns the sum of
// their squares.
func (o *ordered) pairScores(q *rectangles, i, j int, n *mat.Dense, scores *mat.Dense, at int, a21 []float64, first []int) float64 {
	g := make([]float64, q.r*q.c)
	var sum float64
	for a := range q.r {
		for b := range q.c {
			c, p := n.At(a, b), q.prob[a*q.c+b]
			v := q.dRho[a*q.c+b] / p
			g[a*q.c+b] = v
			sum += c * v * v
			if c == 0 {
				continue
			}
			if a < q.r-1 {
				a21[first[i]+a] += c * v * q.dA[(a+1)*q.c+b] / p
			}
			if a > 0 {
				a21[first[i]+a-1] -= c * v * q.dA[a*q.c+b] / p
			}
			if b < q.c-1 {
				a21[first[j]+b] += c * v * q.dB[a*(q.c+1)+b+1] / p
			}
			if b > 0 {
				a21[first[j]+b-1] -= c * v * q.dB[a*(q.c+1)+b] / p
			}
		}
	}
	ci, cj := o.code[i], o.code[j]
	raw := scores.RawMatrix()
	for k := range ci {
		raw.Data[k*raw.Stride+at] = g[ci[k]*q.c+cj[k]]
	}
	return sum
}

// sandwich puts the pieces together; nil where a piece has no inverse.
func (o *ordered) sandwich(scores, a21 *mat.Dense, a22 []float64, first []int) *mat.SymDense {
	_, k := scores.Dims()
	th := k - len(a22)
	inner := mat.NewSymDense(k, nil)
	inner.SymOuterK(1, scores.T())
	b := mat.NewDense(k, k, nil) // B^-1
	for j, t := range o.tau {
		block := mat.NewSymDense(len(t), nil)
		for x := range t {
			for y := x; y < len(t); y++ {
				block.SetSym(x, y, inner.At(first[j]+x, first[j]+y))
			}
		}
		inv, ok := inverseSym(block)
		if !ok {
			return nil
		}
		for x := range t {
			for y := range t {
				b.Set(first[j]+x, first[j]+y, inv.At(x, y))
			}
		}
	}
	upper := b.Slice(0, th, 0, th).(*mat.Dense)
	var t mat.Dense
	t.Mul(a21, upper)
	for r, v := range a22 {
		if !(v > 0) {
			return nil
		}
		for c := range th {
			b.Set(th+r, c, -t.At(r, c)/v)
		}
		b.Set(th+r, th+r, 1/v)
	}
	var left, both mat.Dense
	left.Mul(b, dense(inner))
	both.Mul(&left, b.T())
	both.Scale(float64(o.n), &both)
	return symmetrised(&both)
}

// pearsonOf is the correlation of the positions of the levels of a table.
func pearsonOf(n *mat.Dense) float64 {
	var s, x, y, xx, yy, xy float64
	r, c := n.Dims()
	for i := range r {
		for j := range c {
			v, a, b := n.At(i, j), float64(i), float64(j)
			s += v
			x += v * a
			y += v * b
			xx += v * a * a
			yy += v * b * b
			xy += v * a * b
		}
	}
	d := (xx/s - x/s*x/s) * (yy/s - y/s*y/s)
	if !(d > 0) {
		return 0
	}
	return (xy/s - x/s*y/s) / math.Sqrt(d)
}

func describePairs(pairs [][2]int, names []string) string {
	var parts []string
	for _, p := range pairs {
		parts = append(parts, names[p[0]]+" and "+names[p[1]])
	}
	return strings.Join(parts, ", ")
}
