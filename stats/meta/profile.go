// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
)

// ProfileInterval is a likelihood-based confidence interval for a variance.
type ProfileInterval struct {
	Interval
	Level float64
	// State is Converged, Boundary when the lower bound is 0, or NotConverged.
	State State
}

// Profile is the confidence interval of the variance of a level, counted from
// 0: all values at which the highest (restricted) likelihood over the other
// variances is within half a chi-square quantile of the highest of all. A level
// that was not estimated is an error; no such level panics.
func (r *MultilevelResult) Profile(level int) (ProfileInterval, error) {
	if r.fixed[level] {
		return ProfileInterval{}, fmt.Errorf("the variance of %s was given, not estimated", r.Components[level].Name)
	}
	p := r.profiler(level)
	best := r.sigma2[level]
	out := ProfileInterval{Level: r.Level, State: Converged}
	lower, okLower := 0.0, true
	if height, _ := p.height(0); best > 0 && height < 0 {
		lower, okLower = p.root(0, best, 1)
	} else {
		out.State = Boundary
	}
	top := best + r.f.spread()
	for range 200 {
		if height, _ := p.height(top); height < 0 {
			break
		}
		top = 2 * top
	}
	upper, okUpper := p.root(best, top, -1)
	if !okLower || !okUpper {
		out.State = NotConverged
	}
	unscale := func(x float64) float64 { return math.Ldexp(x, -2*r.f.shift) }
	out.Interval = Interval{unscale(best), unscale(lower), unscale(upper)}
	return out, nil
}

// profiler evaluates the profile of one variance above the floor of the
// interval.
type profiler struct {
	f          *forest
	restricted bool
	level      int
	held       []bool
	floor      float64
	given      []float64 // variances that are not estimated, by level
	inner      []float64 // the others at the last value, where the next search starts
}

func (r *MultilevelResult) profiler(level int) *profiler {
	p := &profiler{f: r.f, restricted: r.Method == REML, level: level, held: append([]bool(nil), r.fixed...), given: r.sigma2}
	p.held[level] = true
	for l, held := range p.held {
		if !held {
			p.inner = append(p.inner, r.sigma2[l])
		}
	}
	all := make([]bool, len(p.held))
	for l := range all {
		all[l] = true
	}
	value, _, _, _ := r.f.objective(p.restricted, all, r.sigma2)(nil, 0)
	p.floor = value - chi2Quantile(1-r.Level, 1)/2
	return p
}

// height of the profile above the floor at value, and its slope, which by the
// envelope theorem is the partial derivative.
func (p *profiler) height(value float64) (height, slope float64) {
	values := append([]float64(nil), p.given...)
	values[p.level] = value
	inner := climb(p.f.objective(p.restricted, p.held, values), p.inner)
	p.inner = inner.x
	at := 0
	for l, held := range p.held {
		if !held {
			values[l] = inner.x[at]
			at++
		}
	}
	only := make([]bool, len(p.held))
	for l := range only {
		only[l] = l != p.level
	}
	height, gradient, _, ok := p.f.objective(p.restricted, only, values)([]float64{value}, 2)
	if !ok {
		return math.Inf(-1), 0
	}
	return height - p.floor, gradient[0]
}

// root finds where the height crosses 0 between lo and hi; sign 1 when it rises
// there. Newton's method kept inside the bracket.
func (p *profiler) root(lo, hi, sign float64) (float64, bool) {
	x := (lo + hi) / 2
	for range 100 {
		height, slope := p.height(x)
		if sign*height < 0 {
			lo = x
		} else {
			hi = x
		}
		next := x - height/slope
		if !(sign*slope > 0) || next <= lo || next >= hi {
			next = (lo + hi) / 2
		}
		if math.Abs(next-x) <= 1e-10*x {
			return next, true
		}
		x = next
	}
	return x, false
}
