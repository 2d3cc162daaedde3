// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a confidence interval of one parameter. Names are those of lme4:
// "sd_Days|Subject", "cor_Days.(Intercept)|Subject", "sigma", then the fixed
// effects, and "phi" or "ratio_Male" for residual structures. Units are those of
// the response; standard deviations, not variances.
type Interval struct {
	Name         string
	Estimate     float64
	Lower, Upper float64
}

// target is a parameter to be held: a standard deviation or correlation of a
// term, sigma, a fixed effect, or a parameter of the residual structure.
type target struct {
	name     string
	kind     targetKind
	term     int
	j, k     int // effects of the term; a fixed effect; a place among the parameters
	estimate float64
	low      float64 // ends of its range
	high     float64
}

type targetKind int

const (
	holdSD targetKind = iota
	holdCor
	holdSigma
	holdBeta
	holdShape
)

// Profile returns profile likelihood intervals: the values at which the deviance,
// minimised over all other parameters, rises by the quantile of chi-squared with
// one degree of freedom. Always by maximum likelihood, as lme4's confint does for
// REML fits too; Estimate is that of ML. An end that is never reached is the end
// of the range: 0 for a standard deviation, -1 or 1 for a correlation (Bates et
// al. 2015, section 5.1). It stops with the error of ctx when that is done.
func (m *Model) Profile(ctx context.Context, level float64) ([]Interval, error) {
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("the level %v is not between 0 and 1", level)
	}
	ml, err := m.underML()
	if err != nil {
		return nil, err
	}
	z := distuv.UnitNormal.Quantile((1 + level) / 2)
	var out []Interval
	for _, t := range ml.targets() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := &profiler{m: ml, t: t, free: ml.freeStart(t), z: z}
		lower, err := p.end(-1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		upper, err := p.end(1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		out = append(out, Interval{t.name, t.estimate, lower, upper})
	}
	return out, nil
}

// underML fits the same model by maximum likelihood, on sums of its own.
func (m *Model) underML() (*Model, error) {
	pr := m.problem()
	pr.reml = false
	c := &Model{N: m.N, design: m.design, x: m.x, y: m.y, w: m.w, pr: pr, order: m.order, opts: m.opts}
	c.opts.ML, c.opts.Verify = true, false
	if err := c.optimise(); err != nil {
		return nil, err
	}
	return c, c.report()
}

// targets lists the parameters in the order of lme4.
func (m *Model) targets() []target {
	var out []target
	at := 0
	for t, tm := range m.pr.terms {
		q := tm.q
		comps := m.Components[at : at+q*(q+1)/2]
		at += len(comps)
		k := q // correlations come after the q variances, column by column
		for j := range q {
			out = append(out, target{name: "sd_" + tm.names[j] + "|" + tm.name, kind: holdSD, term: t, j: j, estimate: comps[j].SDCor, high: math.Inf(1)})
			for i := j + 1; i < q; i++ {
				out = append(out, target{name: "cor_" + tm.names[i] + "." + tm.names[j] + "|" + tm.name, kind: holdCor, term: t, j: j, k: i, estimate: comps[k].SDCor, low: -1, high: 1})
				k++
			}
		}
	}
	out = append(out, target{name: "sigma", kind: holdSigma, estimate: m.Sigma, high: math.Inf(1)})
	for j, c := range m.Fixed {
		out = append(out, target{name: c.Name, kind: holdBeta, j: j, estimate: c.Estimate, low: math.Inf(-1), high: math.Inf(1)})
	}
	if s := m.pr.shape; s != nil {
		out = append(out, s.targets(m.Residual, m.pr.thetas())...)
	}
	return out
}

// targets lists the parameters of the residual structure.
func (s *shape) targets(r *Residual, at int) []target {
	var out []target
	if s.within != nil {
		low := -1.0
		switch s.within.Kind {
		case ContinuousAR1:
			low = 0
		case Symmetric:
			low = -1 / float64(s.longest-1)
		}
		out = append(out, target{name: "phi", kind: holdShape, j: at, estimate: r.Correlation, low: low, high: 1})
		at++
	}
	for i, name := range s.strata {
		if i != s.ref {
			out = append(out, target{name: "ratio_" + name, kind: holdShape, j: at, estimate: r.Ratio[i], high: math.Inf(1)})
			at++
		}
	}
	return out
}

// permutation puts the effects of a target first.
func (t target) permutation(q int) []int {
	order := []int{t.j}
	if t.kind == holdCor {
		order = append(order, t.k)
	}
	for i := range q {
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	return order
}

// profiler minimises with one parameter held.
type profiler struct {
	m    *Model
	t    target
	free []float64 // where the last minimisation ended
	z    float64
}

// freeStart gives the free parameters at the estimates. They are the elements of
// the factors in the user's coordinates, the held term's in permuted order; the
// logarithm of sigma where that is not profiled out; and the residual structure.
func (m *Model) freeStart(t target) []float64 {
	var x []float64
	for i, tm := range m.pr.terms {
		q := tm.q
		l := multiply(m.pr.sInv[i], m.last.lambda[i], q, q, q)
		if i == t.term && (t.kind == holdSD || t.kind == holdCor) {
			p := make([]float64, 0, q*q)
			for _, from := range t.permutation(q) {
				p = append(p, l[from*q:(from+1)*q]...)
			}
			l = p
		}
		l = lowerOf(l, q)
		for c := range q {
			for r := c; r < q; r++ {
				x = append(x, l[r*q+c])
			}
		}
	}
	x = append(x, m.par[m.pr.thetas():]...)
	if t.kind == holdSD {
		x = append(x, math.Log(m.Sigma))
	}
	return x
}

// held turns free parameters into factors, with what the chain rule needs.
type held struct {
	lower  [][]float64 // by term, the lower triangle in permuted order
	lambda [][]float64 // by term, for the engine
	rho    []float64
	sigma2 float64 // 0: profiled
}

func (p *profiler) unfold(x []float64, value float64) held {
	pr := p.m.pr
	h := held{rho: slices.Clone(x[pr.thetas():])}
	if p.t.kind == holdSD {
		sigma := math.Exp(x[len(x)-1])
		h.sigma2, h.rho = sigma*sigma, h.rho[:len(h.rho)-1]
	}
	if p.t.kind == holdSigma {
		h.sigma2 = value * value
	}
	if p.t.kind == holdShape {
		h.rho[p.t.j-pr.thetas()] = pr.shape.inverse(p.t.j-pr.thetas(), value)
	}
	h.lower = pr.lambdas(x[:pr.thetas()])
	for t, tm := range pr.terms {
		q, l := tm.q, h.lower[t]
		if t == p.t.term && p.t.kind == holdSD {
			l[0] = value / math.Sqrt(h.sigma2)
		}
		if t == p.t.term && p.t.kind == holdCor {
			// The second row keeps its length, as its diagonal element, and gets the
			// angle; a sign in either row would turn the correlation round.
			length := math.Abs(l[q+1])
			l[q], l[q+1] = math.Copysign(value, value*l[0])*length, math.Sqrt(1-value*value)*length
		}
		h.lambda = append(h.lambda, multiply(pr.s[t], p.rows(t, l), q, q, q))
	}
	return h
}

// rows puts the rows of a factor back from the permuted order.
func (p *profiler) rows(t int, l []float64) []float64 {
	if t != p.t.term || p.t.kind != holdSD && p.t.kind != holdCor {
		return l
	}
	q := p.m.pr.terms[t].q
	out := make([]float64, q*q)
	for from, to := range p.t.permutation(q) {
		copy(out[to*q:(to+1)*q], l[from*q:(from+1)*q])
	}
	return out
}

// criterion is the deviance with the parameter held at value.
func (p *profiler) criterion(value float64) function {
	pr := p.m.pr
	return func(x []float64, grad bool) (float64, []float64) {
		h := p.unfold(x, value)
		v := pr.evaluate(h.lambda, h.rho, grad && p.t.kind != holdBeta)
		if v == nil || !finite(h.rho) {
			return math.Inf(1), nil
		}
		if p.t.kind == holdBeta {
			p.holdBeta(v, value, grad)
		}
		sigma2 := h.sigma2
		n := float64(pr.n)
		if sigma2 == 0 {
			sigma2 = v.r2 / n
		}
		dev := v.logW + n*math.Log(2*math.Pi*sigma2) + v.r2/sigma2
		if !grad {
			return dev, nil
		}
		return dev, p.gradient(x, value, h, v, sigma2)
	}
}

// holdBeta moves beta to the best point with the held coefficient: the residual
// sum of squares rises by (c'beta - value)^2 / c'(X'W^-1X)^-1 c.
func (p *profiler) holdBeta(v *value, at float64, grad bool) {
	pr := p.m.pr
	l := make([]float64, pr.p)
	l[p.t.j] = 1
	c := pr.inQ(l)
	rc := multiply(c, v.rinv, 1, pr.p, pr.p)
	miss, size := at-pr.b0[p.t.j], 0.0
	for i := range c {
		miss -= c[i] * v.beta[i]
		size += rc[i] * rc[i]
	}
	shift := multiply(v.rinv, rc, pr.p, pr.p, 1)
	for i := range v.beta {
		v.beta[i] += shift[i] * miss / size
	}
	v.r2 += miss * miss / size
	if grad {
		// The engine still holds the sums of this lambda.
		if _, _, ok := pr.engine.solve(v.lambda, true); ok {
			v.gw, v.gx, v.gr2 = pr.engine.moments(v.rinv, v.beta)
		}
	}
}

// gradient applies the chain rule from the factors of the engine to the free
// parameters.
func (p *profiler) gradient(x []float64, value float64, h held, v *value, sigma2 float64) []float64 {
	pr := p.m.pr
	slope := v.slope(false, sigma2)
	direct := 2*float64(pr.n) - 2*v.r2/sigma2 // by log sigma
	for t, tm := range pr.terms {
		q := tm.q
		user := multiply(transposed(pr.s[t], q, q), slope[t], q, q, q)
		if t == p.t.term && (p.t.kind == holdSD || p.t.kind == holdCor) {
			g := make([]float64, 0, q*q)
			for _, from := range p.t.permutation(q) {
				g = append(g, user[from*q:(from+1)*q]...)
			}
			user = g
		}
		if t == p.t.term && p.t.kind == holdSD {
			direct -= user[0] * h.lower[t][0]
			user[0] = 0
		}
		if t == p.t.term && p.t.kind == holdCor {
			length := x[p.lengthAt()]
			user[q+1] = math.Copysign(value, value*h.lower[t][0])*user[q] + math.Sqrt(1-value*value)*user[q+1]
			user[q+1] *= sign(length)
			user[q] = 0
		}
		slope[t] = user
	}
	g := pr.gather(slope)
	f := p.criterion(value)
	for i := pr.thetas(); i < pr.thetas()+len(h.rho); i++ {
		if p.t.kind == holdShape && i == p.t.j {
			g = append(g, 0)
			continue
		}
		g = append(g, differentiate(f, x, i))
	}
	if p.t.kind == holdSD {
		g = append(g, direct)
	}
	return g
}

// lengthAt is where the free parameters hold the length of the second row of a
// held correlation.
func (p *profiler) lengthAt() int {
	at := 0
	for _, tm := range p.m.pr.terms[:p.t.term] {
		at += tm.q * (tm.q + 1) / 2
	}
	return at + p.m.pr.terms[p.t.term].q
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// differentiate is a derivative by differences of the fourth order.
func differentiate(f function, x []float64, i int) float64 {
	const h = 2e-3
	at := func(step float64) float64 {
		y := slices.Clone(x)
		y[i] += step
		v, _ := f(y, false)
		return v
	}
	return (8*(at(h)-at(-h)) - (at(2*h) - at(-2*h))) / (12 * h)
}

var errProfile = errors.New("the deviance could not be minimised with the parameter held")

// zeta is the signed root of the rise of the deviance at a value.
func (p *profiler) zeta(value float64) (float64, error) {
	f := p.criterion(value)
	best := minimise(f, p.free, 1e-9, 300)
	if p.t.kind == holdCor {
		// Without variance there is no correlation to hold: that is lower than a
		// minimum with one where the data contradict the held value.
		x := slices.Clone(p.free)
		x[p.lengthAt()] = 0
		if none := minimise(f, x, 1e-9, 300); none.f < best.f || math.IsInf(best.f, 1) || !finite(best.g) {
			best.f, best.g = none.f, none.g
		}
	}
	if math.IsInf(best.f, 1) || !finite(best.g) {
		return 0, errProfile
	}
	p.free = best.x
	rise := math.Max(0, best.f-p.m.Criterion)
	if value < p.t.estimate {
		return -math.Sqrt(rise), nil
	}
	return math.Sqrt(rise), nil
}

// end finds where zeta reaches z on one side of the estimate.
func (p *profiler) end(side float64) (float64, error) {
	p.free = p.m.freeStart(p.t)
	inside, zIn := p.t.estimate, 0.0
	limit := p.t.high
	if side < 0 {
		limit = p.t.low
	}
	if p.t.estimate == limit {
		return limit, nil
	}
	step := side * p.m.guess(p.t) * p.z
	outside, zOut := 0.0, 0.0
	for range 60 {
		outside = inside + step
		atEnd := !math.IsInf(limit, 0) && (limit-outside)*side <= 1e-9*math.Abs(limit-p.t.estimate)
		if atEnd { // correlations of 1 are approached, standard deviations of 0 reached
			outside = limit
			if p.t.kind == holdCor || p.t.kind == holdShape || p.t.kind == holdSigma {
				outside = limit - 1e-6*(limit-p.t.estimate)
			}
		}
		var err error
		if zOut, err = p.zeta(outside); err != nil {
			return 0, err
		}
		if side*zOut >= p.z {
			return p.between(inside, zIn, outside, zOut, side)
		}
		if atEnd {
			return limit, nil
		}
		if grow := side*zOut - side*zIn; grow > 0 {
			step = side * math.Min(4, math.Max(0.2, 1.1*(p.z-side*zOut)/grow)) * math.Abs(outside-inside)
		} else {
			step *= 2
		}
		inside, zIn = outside, zOut
	}
	return 0, errors.New("the deviance does not rise far enough")
}

// between finds zeta = side * z between two values, by the Illinois variant of
// false position.
func (p *profiler) between(a, za, b, zb, side float64) (float64, error) {
	fa, fb := side*za-p.z, side*zb-p.z
	start := p.free
	for range 60 {
		c := (a*fb - b*fa) / (fb - fa)
		if math.Abs(b-a) < 1e-9*math.Max(math.Abs(c), math.Abs(p.t.estimate-c)) {
			return c, nil
		}
		zc, err := p.zeta(c)
		if err != nil {
			return 0, err
		}
		fc := side*zc - p.z
		if math.Abs(fc) < 1e-8 {
			return c, nil
		}
		if fc*fb < 0 {
			a, fa = b, fb
		} else {
			fa /= 2
		}
		b, fb = c, fc
	}
	p.free = start
	return b, nil
}

// guess is a first standard error of a parameter.
func (m *Model) guess(t target) float64 {
	switch t.kind {
	case holdBeta:
		return m.Fixed[t.j].SE
	case holdSigma:
		return m.Sigma / math.Sqrt(2*float64(m.N))
	case holdSD:
		scale := m.Sigma / m.pr.s[t.term][t.j*m.pr.terms[t.term].q+t.j]
		return math.Max(t.estimate, 0.3*scale) / math.Sqrt(2*float64(len(m.pr.terms[t.term].levels)))
	}
	if t.kind == holdShape && math.IsInf(t.high, 1) {
		return t.estimate / math.Sqrt(float64(m.N))
	}
	return 1 / math.Sqrt(float64(m.N))
}
