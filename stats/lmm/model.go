// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"
	"sync"

	"github.com/entente-project/entente/stats"
	"gonum.org/v1/gonum/mat"
)

// Options says how to fit; the zero value is REML with independent residuals of
// one variance.
type Options struct {
	ML        bool                      // maximum likelihood instead of REML
	Weights   string                    // column of prior weights: the residual variance is sigma^2 / weight
	Contrasts map[string]stats.Contrast // by factor; treatment where none is given
	Within    *Correlation              // correlated residuals
	Variance  *Variances                // unequal residual variances
	Verify    bool                      // let a second optimiser look as well, even if nothing is in doubt
}

// Model is a fitted model. Its fields are in the units of the data; nothing in it
// changes after the fit, and several goroutines may use it.
type Model struct {
	Formula    string
	REML       bool
	N          int           // rows used
	Missing    []int         // rows left out for a missing value, counted from 0
	Aliased    []string      // fixed effects left out, as they follow from the others
	Fixed      []Coefficient // in the order of the model matrix
	VCov       *mat.SymDense // covariance of the fixed effects
	Sigma      float64       // residual standard deviation; of the reference stratum where they differ
	Theta      []Theta       // relative factors, as lme4 has them
	Components []Component   // variances and covariances, the residual last
	Effects    []Effects     // the random effects, largest number of groups first
	Residual   *Residual     // correlation and variances of the residuals where asked for, or nil
	Criterion  float64       // minus twice the (restricted) log-likelihood
	LogLik     float64
	AIC, BIC   float64 // BIC with the logarithm of N, as in lme4
	Parameters int     // fixed effects, variances, covariances and residual parameters
	State      State

	design *stats.Design
	x      *stats.Matrix
	y      []float64
	w      []float64 // weights or nil
	pr     *problem
	par    []float64 // in the coordinates of pr
	last   *value
	order  []int // for each term its place among the design's random terms
	opts   Options

	busy     sync.Mutex // for what is computed when first asked for
	spread   *spread
	adjusted *adjusted
}

// Coefficient is a fixed effect with its standard error from [Model.VCov].
type Coefficient struct {
	Name         string
	Estimate, SE float64
}

// Theta is an element of the lower triangle of a relative covariance factor: the
// covariance of the effects of a group is sigma^2 times the factor times its
// transpose.
type Theta struct {
	Name  string // for example "Subject.Days.(Intercept)"
	Value float64
}

// Component is a variance, or a covariance where Var2 is named. SDCor is the
// standard deviation or the correlation; a correlation with an effect that does
// not vary is 0, and State names it.
type Component struct {
	Group, Var1, Var2 string
	VCov, SDCor       float64
}

// Effects are the random effects of one term: for each group its conditional
// modes, in units of the response for each unit of the column.
type Effects struct {
	Group    string // the grouping, as lme4 names it
	Names    []string
	Levels   []string
	Modes    [][]float64     // by level, by name
	Variance []*mat.SymDense // by level: covariance of the effects given the data and the estimates
}

// State says how far the fit can be trusted.
type State struct {
	Converged bool     // the criterion cannot fall by more than about 1e-7 and curves up
	Singular  []string // each boundary reached, in one sentence
	Gradient  float64  // largest derivative of the criterion by an element of a factor
	Gain      float64  // what a further step of Newton's kind would gain
	Steps     int      // of the first optimiser
	Second    *Second  // what the second optimiser found, nil where it did not run
	Note      string   // one sentence if something is amiss
}

// Second is the result of the second optimiser (the simplex of Nelder and Mead),
// started elsewhere.
type Second struct {
	Criterion float64
	Agrees    bool // within 1e-5 of the first, or above it
}

// Fitted returns X beta + Z b for the rows used, with the offset.
func (m *Model) Fitted() []float64 {
	out := make([]float64, m.N)
	for i := range out {
		s := 0.0
		for j, x := range m.x.Row(i) {
			s += x * m.Fixed[j].Estimate
		}
		if m.design.Offset != nil {
			s += m.design.Offset[i]
		}
		out[i] = s
	}
	for t, e := range m.Effects {
		g := m.design.Random[m.order[t]]
		for i, code := range g.Codes {
			for j, z := range g.Z.Row(i) {
				out[i] += z * e.Modes[code][j]
			}
		}
	}
	return out
}

// Residuals returns the response less [Model.Fitted].
func (m *Model) Residuals() []float64 {
	r := m.Fitted()
	for i, f := range r {
		r[i] = m.design.Y[i] - f
	}
	return r
}

// Rows returns the rows of the frame that were used, counted from 0.
func (m *Model) Rows() []int { return append([]int(nil), m.design.Kept...) }

// UnbiasedSE returns the standard errors of the fixed effects with sigma^2 divided
// by N - p under ML too, as gls and the summary of lme in nlme do; those of
// Fixed under REML.
func (m *Model) UnbiasedSE() []float64 {
	se := make([]float64, len(m.Fixed))
	for j, c := range m.Fixed {
		se[j] = c.SE
		if !m.REML {
			se[j] *= math.Sqrt(float64(m.N) / float64(m.N-len(se)))
		}
	}
	return se
}

// problem returns the problem with an engine of its own to come.
func (m *Model) problem() *problem {
	m.busy.Lock()
	defer m.busy.Unlock()
	pr := *m.pr
	pr.engine, pr.at = nil, nil
	return &pr
}
