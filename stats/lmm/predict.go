// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"errors"
	"fmt"
	"math"

	"github.com/entente-project/entente/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// PredictOptions says what to predict; the zero value takes known groups into
// account, at the level 0.95.
type PredictOptions struct {
	Level      float64 // of the intervals; 0 is 0.95
	Population bool    // for a new person: leave the conditional modes of every group out
}

// Prediction is what the model expects in a row of new data, in units of the
// response.
//
// SE is the standard error of the mean of such sessions: of x'beta + z'b - z'b^ for
// groups the fit knows, and with the variance between groups for others. Lower
// and Upper hold the mean; NewLower and NewUpper hold a single new session, its
// residual included. Quantiles are those of t with N - p degrees of freedom; the
// variances are taken as known, as is usual (Henderson 1975, Biometrics 31,
// 423-447; for correlated residuals Goldberger 1962, JASA 57, 369-375).
type Prediction struct {
	Row                int  // of the new data, from 0
	Known              bool // all its groups were in the fitted data
	Mean, SE           float64
	Lower, Upper       float64
	NewSE              float64
	NewLower, NewUpper float64
}

// Predict predicts each complete row of the new data. Where groups are not known,
// or where their columns are not there, the prediction is for a new one. Weights
// and strata are taken from the columns of the fit; without the column of
// weights a new session has weight 1. With correlated residuals the rows of the
// fit in the same group help to foretell a new one, if the model has one grouping
// at most; without a column of times the new session is one step after the last.
func (m *Model) Predict(frame *stats.Frame, o PredictOptions) ([]Prediction, error) {
	if o.Level == 0 {
		o.Level = 0.95
	}
	if !(o.Level > 0 && o.Level < 1) {
		return nil, fmt.Errorf("the level %v is not between 0 and 1", o.Level)
	}
	d, err := m.design.Apply(frame)
	if err != nil {
		return nil, err
	}
	w, err := m.residualVariances(d)
	if err != nil {
		return nil, err
	}
	m.busy.Lock()
	defer m.busy.Unlock()
	// The engine may have been used at other parameters since the fit.
	k := m.pr.thetas()
	if m.pr.evaluate(m.pr.lambdas(m.par[:k]), m.par[k:], true) == nil {
		return nil, errDiverged
	}
	kriging, err := m.newKriging(d)
	if err != nil {
		return nil, err
	}
	q := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(m.N - m.pr.p)}.Quantile((1 + o.Level) / 2)
	out := make([]Prediction, len(d.Kept))
	for i := range out {
		point := m.point(d, i, o.Population)
		p := Prediction{Row: d.Kept[i], Known: point.known}
		if kriging == nil || o.Population {
			m.expect(point, &p, w[i])
		} else {
			kriging.expect(point, &p, i, w[i])
		}
		p.Lower, p.Upper = p.Mean-q*p.SE, p.Mean+q*p.SE
		p.NewLower, p.NewUpper = p.Mean-q*p.NewSE, p.Mean+q*p.NewSE
		out[i] = p
	}
	return out, nil
}

// residualVariances returns the variance of a new residual, relative to sigma^2.
func (m *Model) residualVariances(d *stats.Design) ([]float64, error) {
	w := make([]float64, len(d.Kept))
	for i := range w {
		w[i] = 1
	}
	if m.w != nil {
		if c, err := d.Column(m.opts.Weights); err == nil {
			for i := range w {
				v, ok := c.Float(i)
				if !ok || !(v > 0) {
					return nil, fmt.Errorf("row %d: the weight is not a positive number", d.Kept[i]+1)
				}
				w[i] = 1 / v
			}
		}
	}
	if m.opts.Variance == nil {
		return w, nil
	}
	c, err := d.Column(m.opts.Variance.Stratum)
	if err != nil {
		return nil, err
	}
	ratio := map[string]float64{}
	for i, s := range m.Residual.Strata {
		ratio[s] = m.Residual.Ratio[i]
	}
	for i := range w {
		level, _ := c.Level(i)
		r, ok := ratio[level]
		if !ok {
			return nil, fmt.Errorf("row %d: %q of %q did not occur in the data of the fit", d.Kept[i]+1, level, m.opts.Variance.Stratum)
		}
		w[i] *= r * r
	}
	return w, nil
}

// point is a row of new data in the coordinates of the problem.
type point struct {
	x     []float64
	fixed float64     // x'beta and the offset
	z     [][]float64 // by term
	code  []int32     // by term, -1 for a new group
	known bool
}

func (m *Model) point(d *stats.Design, i int, population bool) point {
	pr := m.pr
	row := m.kept(d.X, i)
	pt := point{x: pr.inQ(row), known: true}
	for j, x := range row {
		pt.fixed += x * m.Fixed[j].Estimate
	}
	if d.Offset != nil {
		pt.fixed += d.Offset[i]
	}
	for t, from := range m.order {
		g := d.Random[from]
		q := pr.terms[t].q
		pt.z = append(pt.z, multiply(g.Z.Row(i), pr.sInv[t], 1, q, q))
		code := g.Codes[i]
		if population {
			code = -1
		}
		pt.known = pt.known && code >= 0
		pt.code = append(pt.code, code)
	}
	return pt
}

// kept takes the columns of the fit from a row of the new matrix.
func (m *Model) kept(x *stats.Matrix, i int) []float64 {
	row := x.Row(i)
	if len(m.Aliased) == 0 {
		return row
	}
	at := map[string]float64{}
	for j, name := range x.Names {
		at[name] = row[j]
	}
	out := make([]float64, len(m.x.Names))
	for j, name := range m.x.Names {
		out[j] = at[name]
	}
	return out
}

// expect predicts where residuals are independent. With g = Lambda Lambda' z the
// error of x'beta^ + z'b^ has variance sigma^2 (z'Lambda A^-1 Lambda'z + d'(X'W^-1X)^-1 d),
// d = x - X'W^-1 Z g.
func (m *Model) expect(pt point, p *Prediction, residual float64) {
	pr, v := m.pr, m.last
	p.Mean = pt.fixed
	variance := 0.0
	d := append([]float64(nil), pt.x...)
	known := make([][]float64, len(pt.z)) // Lambda' z of the groups that are known
	for t, tm := range pr.terms {
		q := tm.q
		lz := multiply(transposed(v.lambda[t], q, q), pt.z[t], q, q, 1)
		if pt.code[t] < 0 {
			for _, x := range lz {
				variance += x * x
			}
			continue
		}
		known[t] = lz
		g := multiply(v.lambda[t], lz, q, q, 1)
		h := pr.engine.weighed(t, pt.code[t])
		for i, x := range g {
			row := h[i*(pr.p+1) : (i+1)*(pr.p+1)]
			e := row[pr.p]
			for j := range d {
				d[j] -= x * row[j]
				e -= row[j] * v.beta[j]
			}
			p.Mean += x * e
		}
	}
	variance += pr.engine.conditional(known, pt.code) + quadraticRoot(d, v.rinv)
	p.SE = m.Sigma * math.Sqrt(math.Max(0, variance))
	p.NewSE = m.Sigma * math.Sqrt(math.Max(0, variance)+residual)
}

// quadraticRoot is d' r r' d.
func quadraticRoot(d, r []float64) float64 {
	n, s := len(d), 0.0
	for _, x := range multiply(d, r, 1, n, n) {
		s += x * x
	}
	return s
}

// weighed returns Z'W^-1[X y] of a group of a term, for the lambda solved for last.
func (e *groupEngine) weighed(t int, code int32) []float64 {
	at := 0
	for _, q := range e.qs[:t] {
		at += q
	}
	h := e.h[int(code)*e.q*e.m:][:e.q*e.m]
	return h[at*e.m : (at+e.qs[t])*e.m]
}

// conditional returns the squared length of L^-1 k, k being Lambda'z of the known
// groups, by term; nil for others.
func (e *groupEngine) conditional(known [][]float64, code []int32) float64 {
	k := make([]float64, e.q)
	group, at := int32(-1), 0
	for t, q := range e.qs {
		if known[t] != nil {
			copy(k[at:], known[t])
			group = code[t]
		}
		at += q
	}
	if group < 0 {
		return 0
	}
	a, sl := make([]float64, e.q*e.q), make([]float64, e.q*e.q)
	e.factor(e.zz[int(group)*e.q*e.q:][:e.q*e.q], sl, a)
	cholesky(a, e.q)
	forward(a, e.q, k, 1)
	s := length(k)
	return s * s
}

func (e *sparseEngine) weighed(t int, code int32) []float64 {
	v := int32(e.first[t]) + code
	return e.h[int(e.offset[v])*e.m:][:e.q(v)*e.m]
}

func (e *sparseEngine) conditional(known [][]float64, code []int32) float64 {
	c := *e
	c.m, c.u = 1, make([]float64, e.size)
	for t, k := range known {
		if k != nil {
			copy(c.u[e.offset[int32(e.first[t])+code[t]]:], k)
		}
	}
	c.forwardFrom()
	s := length(c.u)
	return s * s
}

func (e *plainEngine) weighed(int, int32) []float64                 { return nil }
func (e *plainEngine) conditional(_ [][]float64, _ []int32) float64 { return 0 }

var errKriging = errors.New("with correlated residuals and several groupings only predictions for a population are there")
