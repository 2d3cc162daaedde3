// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// GradedItem is an item of the graded response model: the probability of an
// answer at level k or above (k = 1, ...) is 1/(1 + exp(-(A theta + D[k-1]))).
type GradedItem struct {
	Levels   []float64 // the values that occur, in order
	A        float64   // discrimination, in the logistic metric (no 1.7)
	D        []float64 // intercepts, falling
	B        []float64 // difficulties -D/A: where each step is even; nil if A is 0
	ASE      float64   // standard errors from the observed information; 0 if it has
	DSE, BSE []float64 // no inverse
}

// GradedResult is a fitted graded response model.
type GradedResult struct {
	N          int // persons with an answer
	Omitted    int // rows without any
	Items      []GradedItem
	LogL       float64
	AIC, BIC   float64
	K          int // parameters
	Converged  bool
	Iterations int
	// Identified says that the observed information has an inverse.
	Identified bool
	Vcov       *mat.SymDense // of each item's A and D in turn; nil if not Identified
	grid       grid
}

// GradedOptions say how the integral over the trait is taken. The zero value is
// a grid of 121 points from -6 to 6.
type GradedOptions struct {
	Points        int
	Limit         float64
	MaxIterations int
	EqualA        bool // one discrimination for all items
}

// grid is the standard normal distribution on equally spaced points.
type grid struct{ theta, weight []float64 }

func newGrid(points int, limit float64) grid {
	g := grid{make([]float64, points), make([]float64, points)}
	var sum float64
	for i := range points {
		g.theta[i] = -limit + 2*limit*float64(i)/float64(points-1)
		g.weight[i] = normalDensity(g.theta[i])
		sum += g.weight[i]
	}
	for i := range points {
		g.weight[i] /= sum
	}
	return g
}

// GradedResponse fits Samejima's model to the columns of x (persons by items; NaN
// missing, at random) by marginal maximum likelihood, the trait standard normal.
// Items need two levels that occur. Items keyed against the first factor get a
// negative A; the sum of all A is positive.
//
// Sources: Samejima (1969); Bock & Aitkin (1981), Psychometrika 46; the Hessian:
// Louis (1982), JRSS B 44.
func GradedResponse(x *mat.Dense, o GradedOptions) (*GradedResult, error) {
	if o.Points == 0 {
		o.Points = 121
	}
	if o.Limit == 0 {
		o.Limit = 6
	}
	if o.MaxIterations == 0 {
		o.MaxIterations = 500
	}
	if o.Points < 5 || !(o.Limit > 0) || math.IsInf(o.Limit, 0) {
		return nil, fmt.Errorf("a grid of %d points to %v cannot carry a normal distribution", o.Points, o.Limit)
	}
	if err := checkFinite(x); err != nil {
		return nil, err
	}
	_, p := x.Dims()
	names := make([]string, p)
	for j := range names {
		names[j] = fmt.Sprintf("column %d", j+1)
	}
	levels, err := levelsOf([]*mat.Dense{x}, names)
	if err != nil {
		return nil, err
	}
	if p < 2 {
		return nil, fmt.Errorf("one item does not measure a trait: %w", ErrNoData)
	}
	l := newGradedLik(x, levels, newGrid(o.Points, o.Limit))
	if l.total < 2 {
		return nil, fmt.Errorf("%d persons answered: %w", int(l.total), ErrNoData)
	}
	var p0 problem = l
	start := l.start()
	equal := newEqualGraded(l)
	if o.EqualA {
		p0, start = equal, equal.start()
	}
	s := minimise(p0, start, o.MaxIterations)
	n, _ := x.Dims()
	r := &GradedResult{N: int(l.total), Omitted: n - int(l.total), LogL: -s.f * l.total, Converged: s.Converged, Iterations: s.Iterations, grid: l.grid}
	r.K = len(start)
	r.AIC, r.BIC = -2*r.LogL+2*float64(r.K), -2*r.LogL+float64(r.K)*math.Log(l.total)
	if o.EqualA {
		s.theta[0] = math.Abs(s.theta[0])
	} else {
		l.orient(s.theta)
	}
	if _, _, h, ok := p0.derivatives(s.theta, observed); ok {
		if inv, ok := inverseSym(h); ok {
			r.Identified = true
			inv.ScaleSym(1/l.total, inv)
			r.Vcov = inv
			if o.EqualA {
				r.Vcov = equal.widened(inv)
			}
		}
	}
	if o.EqualA {
		s.theta = equal.spread(s.theta)
	}
	r.describe(l, s.theta)
	return r, nil
}

// describe copies parameters and their standard errors.
func (r *GradedResult) describe(l *gradedLik, theta []float64) {
	for j, at := range l.first {
		k := len(l.levels[j]) - 1
		item := GradedItem{Levels: l.levels[j], A: theta[at], D: append([]float64(nil), theta[at+1:at+1+k]...),
			DSE: make([]float64, k), BSE: make([]float64, k)}
		if item.A != 0 {
			item.B = make([]float64, k)
			for i, d := range item.D {
				item.B[i] = -d / item.A
			}
		}
		if r.Vcov != nil {
			va := r.Vcov.At(at, at)
			item.ASE = math.Sqrt(math.Max(0, va))
			for i, d := range item.D {
				vd, c := r.Vcov.At(at+1+i, at+1+i), r.Vcov.At(at, at+1+i)
				item.DSE[i] = math.Sqrt(math.Max(0, vd))
				if item.A != 0 {
					a2 := item.A * item.A
					item.BSE[i] = math.Sqrt(math.Max(0, vd/a2+d*d*va/(a2*a2)-2*d*c/(a2*item.A)))
				}
			}
		}
		r.Items = append(r.Items, item)
	}
}

// Probabilities returns those of each level, in order, at a trait value.
func (it *GradedItem) Probabilities(theta float64) []float64 {
	p := make([]float64, len(it.D)+1)
	for c := range p {
		p[c], _, _ = step(it.A, it.D, c, theta)
	}
	return p
}

// Information returns the Fisher information of an item on the trait at theta.
//
// Source: Samejima (1969), eq. 6-6.
func (it *GradedItem) Information(theta float64) float64 {
	// With s and t the chances of reaching the level and the next, the slope of
	// the logarithm of s - t is A (1 - s - t).
	var sum float64
	reach := 1.0
	for c := range len(it.D) + 1 {
		next := 0.0
		if c < len(it.D) {
			next = logistic(it.A*theta + it.D[c])
		}
		p, _, _ := step(it.A, it.D, c, theta)
		d := it.A * (1 - reach - next)
		sum += p * d * d
		reach = next
	}
	return sum
}

// Information returns that of all items at theta; the standard error of a score
// by maximum likelihood is one over its square root.
func (r *GradedResult) Information(theta float64) float64 {
	var sum float64
	for i := range r.Items {
		sum += r.Items[i].Information(theta)
	}
	return sum
}

// EAP returns the posterior mean and standard deviation of the trait of one
// person from the answers to the items in order; NaN is missing. A value that no
// one gave when the model was fitted is an error.
func (r *GradedResult) EAP(answers []float64) (mean, sd float64, err error) {
	if len(answers) != len(r.Items) {
		panic("psych: answers do not match the items")
	}
	q := len(r.grid.theta)
	post := append([]float64(nil), r.grid.weight...)
	for j := range r.Items {
		v := answers[j]
		if math.IsNaN(v) {
			continue
		}
		c := -1
		for k, l := range r.Items[j].Levels {
			if l == v {
				c = k
			}
		}
		if c < 0 {
			return 0, 0, fmt.Errorf("item %d has no level %v", j+1, v)
		}
		var most float64
		for i := range q {
			p, _, _ := step(r.Items[j].A, r.Items[j].D, c, r.grid.theta[i])
			post[i] *= p
			most = math.Max(most, post[i])
		}
		for i := range q { // against underflow with many items
			post[i] /= most
		}
	}
	var sum float64
	for i, p := range post {
		sum += p
		mean += p * r.grid.theta[i]
	}
	mean /= sum
	for i, p := range post {
		d := r.grid.theta[i] - mean
		sd += p * d * d
	}
	return mean, math.Sqrt(sd / sum), nil
}

// step returns the probability of level c at a trait value and the derivatives of
// its logarithm by the linear predictors of its lower and upper bound. With
// s the logistic function, s(x) - s(y) = s(x) s(-y) (1 - exp(y-x)) keeps digits
// in the tails.
func step(a float64, d []float64, c int, theta float64) (p, lower, upper float64) {
	k := len(d)
	switch {
	case c == 0:
		u := 1 / (1 + math.Exp(-(a*theta + d[0])))
		v := 1 / (1 + math.Exp(a*theta+d[0]))
		return math.Max(v, leastProb), 0, -u
	case c == k:
		u := 1 / (1 + math.Exp(-(a*theta + d[k-1])))
		v := 1 / (1 + math.Exp(a*theta+d[k-1]))
		return math.Max(u, leastProb), v, 0
	}
	x, y := a*theta+d[c-1], a*theta+d[c]
	gap := -math.Expm1(y - x)
	p = math.Max(logistic(x)*logistic(-y)*gap, leastProb)
	return p, share(x, y) / gap, -share(-y, -x) / gap
}

// share is s(-x)/s(-y) for x above y, where both may be too small to be told from
// nought.
func share(x, y float64) float64 {
	if y > 0 {
		return math.Exp(y-x) * (1 + math.Exp(-y)) / (1 + math.Exp(-x))
	}
	return (1 + math.Exp(y)) / (1 + math.Exp(x))
}
