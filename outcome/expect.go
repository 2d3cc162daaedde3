// SPDX-License-Identifier: AGPL-3.0-or-later

package outcome

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Level is how many of those who began alike a band holds.
const Level = .8

// Expectation is what is to be expected of one session: Lower and Upper hold the
// score of a new person with the level asked for. OK is false where nothing is
// expected: at sessions that are given, or further than enough episodes reach.
type Expectation struct {
	Session            int
	Mean, Lower, Upper float64
	SD                 float64 // of one score around the mean
	OK                 bool
}

// Expect tells, for the sessions 1 to sessions, what the model expects of somebody
// whose scores up to now are given, at a level between 0 and 1. With the first score
// alone it is the band of all who began so; with more it is conditional on the
// course so far, and begins after its last score.
//
// The score of a session and those given are jointly normal; the conditional mean and
// variance are the best linear predictor with the covariance of the estimated
// coefficients added (Henderson 1975, Biometrics 31, 423-447), the variances taken as
// known, as lmm.Predict takes them.
func (g *Growth) Expect(given []float64, sessions int, level float64) []Expectation {
	out := make([]Expectation, max(0, sessions))
	for i := range out {
		out[i].Session = i + 1
	}
	first := slices.IndexFunc(given, finite)
	if first < 0 || !(level > 0 && level < 1) {
		return out
	}
	p := g.condition(given, first)
	z := distuv.UnitNormal.Quantile((1 + level) / 2)
	for i := p.last + 1; i < len(out) && i-first+1 <= g.Until; i++ {
		mean, sd := p.at(i - first + 1)
		if !finite(mean) || !finite(sd) {
			continue
		}
		out[i] = Expectation{Session: i + 1, Mean: mean, SD: sd, Lower: mean - z*sd, Upper: mean + z*sd, OK: true}
	}
	return out
}

// Band is Expect with the first score of a course alone, as long as the course is or
// may become.
func (g *Growth) Band(scores []float64, sessions int, level float64) []Expectation {
	first := slices.IndexFunc(scores, finite)
	return g.Expect(scores[:first+1], sessions, level)
}

// predictor holds what a course so far says.
type predictor struct {
	g     *Growth
	f     float64 // first score, centred
	last  int     // place of the last given score
	t     []int   // sessions given after the first, counted from it
	solve *mat.Cholesky
	rest  *mat.VecDense // inverse of the covariance times what was given less what was expected
}

func (g *Growth) condition(given []float64, first int) predictor {
	p := predictor{g: g, f: given[first] - g.Centre, last: first}
	var off []float64
	for i := first + 1; i < len(given); i++ {
		if finite(given[i]) {
			p.last = i
			p.t = append(p.t, i-first+1)
			off = append(off, given[i]-p.mean(i-first+1))
		}
	}
	n := len(p.t)
	if n == 0 {
		return p
	}
	c := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			v := p.covariance(p.t[i], p.t[j])
			if i == j {
				v += g.Sigma * g.Sigma
			}
			c.SetSym(i, j, v)
		}
	}
	var chol mat.Cholesky
	rest := mat.NewVecDense(n, nil)
	if !chol.Factorize(c) || chol.SolveVecTo(rest, mat.NewVecDense(n, off)) != nil {
		p.t = nil // a model without any error of its own: the band of the first score remains
		return p
	}
	p.solve, p.rest = &chol, rest
	return p
}

func (p predictor) row(t int) (x [4]float64, z [2]float64) {
	l := math.Log(float64(t))
	return [4]float64{1, p.f, l, p.f * l}, [2]float64{1, l}
}

func (p predictor) mean(t int) (m float64) {
	x, _ := p.row(t)
	for i, b := range p.g.Beta {
		m += b * x[i]
	}
	return m
}

// covariance of two sessions' scores but for the residual.
func (p predictor) covariance(s, t int) (v float64) {
	xs, zs := p.row(s)
	xt, zt := p.row(t)
	for i := range xs {
		for j := range xt {
			v += xs[i] * p.g.VCov[i][j] * xt[j]
		}
	}
	for i := range zs {
		for j := range zt {
			v += zs[i] * p.g.Between[i][j] * zt[j]
		}
	}
	return v
}

func (p predictor) at(t int) (mean, sd float64) {
	mean = p.mean(t)
	v := p.covariance(t, t) + p.g.Sigma*p.g.Sigma
	if n := len(p.t); n > 0 {
		c, w := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
		for i, s := range p.t {
			c.SetVec(i, p.covariance(s, t))
		}
		mean += mat.Dot(c, p.rest)
		if p.solve.SolveVecTo(w, c) == nil {
			v -= mat.Dot(c, w)
		}
	}
	return mean, math.Sqrt(max(0, v))
}
