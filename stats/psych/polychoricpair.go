// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// PolychoricPair is the correlation behind one table of two ordered items.
type PolychoricPair struct {
	N         float64
	Rho, SE   float64
	Row, Col  []float64 // thresholds
	Converged bool
	// AtEnd says that the likelihood rises to a correlation of 1 or -1: Rho is the
	// end of the range and SE is 0.
	AtEnd bool
}

// PolychoricTable returns the polychoric correlation of a table of counts whose
// rows and columns all occur. In two steps the thresholds come from the margins
// and the standard error takes them as known, which is a little too small; else
// all are estimated together by maximum likelihood, with the standard error from
// the observed information.
//
// Source: Olsson (1979), Psychometrika 44, eqs 6-15.
func PolychoricTable(counts mat.Matrix, twoStep bool) (*PolychoricPair, error) {
	r, c := counts.Dims()
	n := mat.DenseCopyOf(counts)
	total, err := sumCounts(n)
	if err != nil {
		return nil, err
	}
	row, col := make([]float64, r), make([]float64, c)
	for i := range r {
		for j := range c {
			row[i] += n.At(i, j)
			col[j] += n.At(i, j)
		}
	}
	if r < 2 || c < 2 {
		return nil, fmt.Errorf("a table of %d by %d levels has no correlation: %w", r, c, ErrNoData)
	}
	p := &PolychoricPair{N: total}
	if p.Row, err = marginThresholds(row, total, "row"); err != nil {
		return nil, err
	}
	if p.Col, err = marginThresholds(col, total, "column"); err != nil {
		return nil, err
	}
	q := newRectangles(p.Row, p.Col)
	p.Rho, p.AtEnd = q.fitRho(n, pearsonOf(n))
	p.Converged = true
	if p.AtEnd {
		return p, nil
	}
	if twoStep {
		_, _, dd := q.logLik(n)
		if dd < 0 {
			p.SE = math.Sqrt(-1 / dd)
		}
		return p, nil
	}
	l := &pairLik{n: n, total: total, r: r, c: c}
	start := append([]float64{p.Rho}, p.Row...)
	s := minimise(l, append(start, p.Col...), 200)
	p.Converged = s.Converged
	p.Rho, p.Row, p.Col = s.theta[0], s.theta[1:r], s.theta[r:]
	if _, _, h, ok := l.derivatives(s.theta, observed); ok {
		if inv, ok := inverseSym(h); ok {
			p.SE = math.Sqrt(inv.At(0, 0) / total)
		}
	}
	return p, nil
}

func marginThresholds(counts []float64, total float64, what string) ([]float64, error) {
	var tau []float64
	var cum float64
	for i, v := range counts {
		if v == 0 {
			return nil, fmt.Errorf("%s %d of the counts is empty: join it with a neighbour", what, i+1)
		}
		cum += v
		if i < len(counts)-1 {
			tau = append(tau, distuv.UnitNormal.Quantile(cum/total))
		}
	}
	return tau, nil
}

// pairLik is minus the mean log likelihood of a table by its correlation, the
// thresholds of its rows, and those of its columns.
type pairLik struct {
	n     *mat.Dense
	total float64
	r, c  int
}

func (l *pairLik) rectangles(theta []float64) (*rectangles, bool) {
	if !(math.Abs(theta[0]) < farthest) {
		return nil, false
	}
	a, b := theta[1:l.r], theta[l.r:]
	for _, t := range [][]float64{a, b} {
		for i := 1; i < len(t); i++ {
			if !(t[i] > t[i-1]) {
				return nil, false
			}
		}
	}
	q := newRectangles(a, b)
	q.set(theta[0])
	return q, true
}

func (l *pairLik) objective(theta []float64) (float64, bool) {
	q, ok := l.rectangles(theta)
	if !ok {
		return 0, false
	}
	v, _, _ := q.logLik(l.n)
	return -v / l.total, true
}

// gradients returns each cell's gradient of its log probability.
func (l *pairLik) gradients(q *rectangles, i, j int) []float64 {
	g := make([]float64, l.r+l.c-1)
	p := q.prob[i*q.c+j]
	g[0] = q.dRho[i*q.c+j] / p
	if i < l.r-1 {
		g[1+i] += q.dA[(i+1)*q.c+j] / p
	}
	if i > 0 {
		g[i] -= q.dA[i*q.c+j] / p
	}
	if j < l.c-1 {
		g[l.r+j] += q.dB[i*(q.c+1)+j+1] / p
	}
	if j > 0 {
		g[l.r+j-1] -= q.dB[i*(q.c+1)+j] / p
	}
	return g
}

func (l *pairLik) derivatives(theta []float64, kind information) (f float64, grad []float64, h *mat.SymDense, ok bool) {
	q, ok := l.rectangles(theta)
	if !ok {
		return 0, nil, nil, false
	}
	q.edges()
	v, _, _ := q.logLik(l.n)
	grad = make([]float64, len(theta))
	h = mat.NewSymDense(len(theta), nil)
	for i := range l.r {
		for j := range l.c {
			g := l.gradients(q, i, j)
			h.SymRankOne(h, q.prob[i*q.c+j], mat.NewVecDense(len(g), g))
			for k, u := range g {
				grad[k] -= l.n.At(i, j) / l.total * u
			}
		}
	}
	if kind == observed {
		if n := differencedHessian(l, theta); n != nil {
			h = n
		}
	}
	return -v / l.total, grad, h, true
}

// differencedHessian is that of a problem by differences of its gradient, of
// fourth order.
func differencedHessian(p problem, theta []float64) *mat.SymDense {
	k := len(theta)
	n := mat.NewDense(k, k, nil)
	x := append([]float64(nil), theta...)
	for j := range theta {
		step := 1e-4 * math.Max(.1, math.Abs(theta[j]))
		for _, w := range [][2]float64{{-2, 1}, {-1, -8}, {1, 8}, {2, -1}} {
			x[j] = theta[j] + w[0]*step
			_, g, _, ok := p.derivatives(x, expected)
			if !ok {
				return nil
			}
			for i := range g {
				n.Set(i, j, n.At(i, j)+w[1]*g[i]/(12*step))
			}
		}
		x[j] = theta[j]
	}
	return symmetrised(n)
}
