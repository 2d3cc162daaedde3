// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Level is one level of grouping with a random intercept for each group.
type Level struct {
	Name string
	// Group labels each row. The same label in two groups of an outer level
	// means two groups. nil means a group for each row.
	Group []string
	// Fixed, when not nil, is the variance of the level, which is then not
	// estimated; 0 leaves the level out of the model.
	Fixed *float64
}

// Correlated says how sampling errors of effects from the same people are
// correlated.
type Correlated struct {
	// Within names the level inside which they are.
	Within string
	// Rho is the correlation of any two of them, as metafor's vcalc has it.
	Rho float64
	// Covariance, when not nil, takes the place of Rho: the sampling covariance
	// of two different rows, counted from 0, of the same group. It is called
	// for pairs of rows of one group only. The variances stay those in V.
	Covariance func(i, j int) float64
}

func (c *Correlated) covariance(v []float64, i, j int) float64 {
	if c.Covariance != nil {
		return c.Covariance(i, j)
	}
	return c.Rho * math.Sqrt(v[i]) * math.Sqrt(v[j])
}

// MultilevelData is one row per effect size, in any order, with its groups.
type MultilevelData struct {
	Data
	// Levels from the outermost to the innermost, for example district and
	// school. A last level with a label of its own for each row is the variance
	// between effects of the same group: the three-level model of Cheung
	// (2014), doi 10.1037/a0032968.
	Levels []Level
	// Correlated, when not nil, makes the sampling errors dependent: with a
	// level for the study and one for the effect this is the correlated and
	// hierarchical effects model of Pustejovsky and Tipton (2022), doi
	// 10.1007/s11121-021-01246-3.
	Correlated *Correlated
}

// Component is one variance of a multilevel model.
type Component struct {
	Name   string
	Groups int
	// Sigma2 is the variance; SE its standard error from the curvature of the
	// likelihood, nil on the boundary, for a given variance, and where the
	// curvature allows none.
	Sigma2 float64
	SE     *float64
	// Fixed: given, not estimated.
	Fixed bool
	// I2 is the percentage of total variance that lies at this level.
	I2 float64
}

// MultilevelResult of a meta-analysis with nested random effects.
type MultilevelResult struct {
	Method Method
	Test   Test
	Level  float64
	// K effect sizes, P coefficients.
	K, P         int
	Coefficients []Coefficient
	VCov         *mat.SymDense
	Components   []Component
	State        State
	// QE and QM as in [Result]; QE with the covariance of sampling errors.
	QE, QM TestResult
	// I2 is the percentage of total variance that is not sampling error,
	// TypicalV the typical sampling variance (k-p)/tr(P).
	I2, TypicalV float64
	// LogLik is the restricted log-likelihood for REML, else the full one, which
	// LogLikML always is.
	LogLik, LogLikML float64

	f      *forest
	parts  []partition
	gamma  []float64
	cov    []float64
	data   MultilevelData
	fixed  []bool
	sigma2 []float64 // in the units of the forest
}

// FitMultilevel estimates the variance of each level by REML (the default) or
// ML, and pools. Its time is linear in rows; with a Covariance function, in
// the sum of the cubes of group sizes, once. The test is Z or T, with k-p
// degrees of freedom.
//
// The error is a [DataError]: besides what [Fit] refuses, a level with one
// group or with the same groups as another.
func FitMultilevel(d MultilevelData, o Options) (*MultilevelResult, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if o.Method != REML && o.Method != ML {
		return nil, fmt.Errorf("a multilevel model is fitted by REML or ML, not %s", o.Method)
	}
	if o.Test != Z && o.Test != T {
		return nil, fmt.Errorf("a multilevel model is tested by z or t, not %s; for small samples see Robust", o.Test)
	}
	if o.Tau2 != nil {
		return nil, fmt.Errorf("the variances of a multilevel model are given by Level.Fixed, not Tau2")
	}
	f, parts, err := newForest(d)
	if err != nil {
		return nil, err
	}
	r := &MultilevelResult{Method: o.Method, Test: o.Test, Level: o.Level, K: f.k, P: f.p, f: f, parts: parts, data: d}
	if err := r.given(); err != nil {
		return nil, err
	}
	best := r.search()
	r.sigma2 = best.x
	if err := r.tables(best); err != nil {
		return nil, err
	}
	return r, nil
}

// given takes over the variances that are not to be estimated.
func (r *MultilevelResult) given() error {
	r.fixed, r.sigma2 = make([]bool, len(r.data.Levels)), make([]float64, len(r.data.Levels))
	for l, level := range r.data.Levels {
		if level.Fixed == nil {
			continue
		}
		if !(*level.Fixed >= 0 && *level.Fixed < 1e140) {
			return &DataError{Column: level.Name, Reason: fmt.Sprintf("a variance of %v cannot be given", *level.Fixed)}
		}
		r.fixed[l], r.sigma2[l] = true, math.Ldexp(*level.Fixed, 2*r.f.shift)
	}
	return nil
}

// objective is the log-likelihood without its constants, as a function of the
// variances that are not in held.
func (f *forest) objective(restricted bool, held []bool, values []float64) objective {
	n := 0
	for _, h := range held {
		if !h {
			n++
		}
	}
	plain, full := newJets(0), newJets(n)
	return func(x []float64, order int) (float64, []float64, []float64, bool) {
		j := plain
		if order > 0 {
			j = full
		}
		l, ok := f.solve(f.walk(place(x, held, values, order > 0), j))
		if !ok {
			return 0, nil, nil, false
		}
		sum := make([]float64, j.size())
		for i := range sum {
			sum[i] = -0.5 * (l.logDetV[i] + l.rss[i])
			if restricted {
				sum[i] -= 0.5 * l.logDetM[i]
			}
		}
		if math.IsNaN(sum[0]) || math.IsInf(sum[0], 0) {
			return 0, nil, nil, false
		}
		if order == 0 {
			return sum[0], nil, nil, true
		}
		hessian := make([]float64, n*n)
		for a := range n {
			for b := range n {
				hessian[a*n+b] = sum[j.second(a, b)]
			}
		}
		return sum[0], sum[1 : 1+n], hessian, true
	}
}

// place puts the parameters x among the values that are held.
func place(x []float64, held []bool, values []float64, differentiate bool) []component {
	components := make([]component, len(held))
	at := 0
	for l, h := range held {
		components[l] = component{value: values[l], parameter: -1}
		if h {
			continue
		}
		components[l].value = x[at]
		if differentiate {
			components[l].parameter = at
		}
		at++
	}
	return components
}

// search climbs from the two best of a few starting points, so that a local
// maximum near one of them does not decide, and returns the higher peak, x
// with the given variances among the estimated.
func (r *MultilevelResult) search() peak {
	return r.f.highest(r.Method == REML, r.fixed, r.sigma2)
}

func (f *forest) highest(restricted bool, held []bool, values []float64) peak {
	objective := f.objective(restricted, held, values)
	best := peak{value: math.Inf(-1)}
	for _, start := range f.starts(objective, held) {
		p := climbAbove(objective, start, make([]float64, len(start)), best.x)
		if best.x == nil || p.converged && p.value > best.value {
			best = p
		}
	}
	x := append([]float64(nil), values...)
	at := 0
	for l, h := range held {
		if !h {
			x[l] = best.x[at]
			at++
		}
	}
	best.x = x
	return best
}

// starts are the two best of a grid: sizes of the total variance from a tenth
// of the smallest sampling variance to the spread of the outcomes, shared
// equally or given mostly to one level.
func (f *forest) starts(objective objective, held []bool) [][]float64 {
	n := 0
	for _, h := range held {
		if !h {
			n++
		}
	}
	if n == 0 {
		return [][]float64{{}}
	}
	sizes := 5
	if n == 1 {
		sizes = gridPoints
	}
	hi := f.spread()
	lo := min(slices.Min(f.d), hi) / 10
	best, second := make([]float64, n), []float64(nil)
	bestValue, secondValue := math.Inf(-1), math.Inf(-1)
	try := func(x []float64) {
		value, _, _, ok := objective(x, 0)
		switch {
		case !ok:
		case value > bestValue:
			second, secondValue = best, bestValue
			best, bestValue = x, value
		case value > secondValue:
			second, secondValue = x, value
		}
	}
	try(make([]float64, n))
	for s := range sizes {
		total := hi * math.Pow(lo/hi, float64(s)/float64(sizes-1))
		try(shares(n, total, -1))
		for favourite := range n {
			if n > 1 {
				try(shares(n, total, favourite))
			}
		}
	}
	if second == nil {
		return [][]float64{best}
	}
	return [][]float64{best, second}
}

// shares of a total for n levels: equal, or nearly all for the favourite.
func shares(n int, total float64, favourite int) []float64 {
	x := make([]float64, n)
	for i := range x {
		switch {
		case favourite < 0:
			x[i] = total / float64(n)
		case i == favourite:
			x[i] = total
		default:
			x[i] = 0.05 * total
		}
	}
	return x
}

// spread is the residual mean square of the unweighted fit, a size for
// variances to start from.
func (f *forest) spread() float64 {
	c := f.columns
	dot := make([]float64, f.p)
	total := 0.0
	for i := range f.d {
		z := f.z[i*c : i*c+c]
		y := z[c-1]
		total += y * y
		for l := range f.p {
			dot[l] += z[c-1-f.p+l] * y
		}
	}
	for _, x := range dot {
		total -= x * x
	}
	return max(total/float64(f.k-f.p), 1e-6)
}
