// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// BootstrapOptions says how to resample; the zero value is 1000 draws at the
// level 0.95 with seed 0.
type BootstrapOptions struct {
	Draws    int
	Level    float64
	Seed     uint64
	Progress func(done, draws int) // called now and then, from one goroutine at a time
}

// Bootstrap is the result of a parametric bootstrap.
type Bootstrap struct {
	Intervals []Interval  // percentile intervals, named as those of Profile
	Draws     [][]float64 // by draw that converged, the parameters in the order of Intervals
	Failed    int         // draws whose fit did not converge; they are left out
	Singular  int         // draws that ended on a boundary
}

// Bootstrap simulates responses from the fitted model, random effects anew each
// time, refits each by the method of the model, and takes percentiles of the
// parameters (Davison and Hinkley 1997, chapter 5; as bootMer of lme4 with
// type = "parametric" and use.u = FALSE). The result depends on the seed only,
// not on the number of processors. It stops with the error of ctx when that is
// done. More than a tenth of failed refits is an error.
func (m *Model) Bootstrap(ctx context.Context, o BootstrapOptions) (*Bootstrap, error) {
	if o.Draws == 0 {
		o.Draws = 1000
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Draws < 20 || !(o.Level > 0 && o.Level < 1) {
		return nil, fmt.Errorf("%d draws at the level %v: at least 20 and a level between 0 and 1 are needed", o.Draws, o.Level)
	}
	b := &resampler{m: m, o: o, draws: make([][]float64, o.Draws), singular: make([]bool, o.Draws)}
	if err := b.run(ctx); err != nil {
		return nil, err
	}
	out := &Bootstrap{}
	for i, d := range b.draws {
		if d == nil {
			out.Failed++
			continue
		}
		out.Draws = append(out.Draws, d)
		if b.singular[i] {
			out.Singular++
		}
	}
	if out.Failed*10 > o.Draws {
		return nil, fmt.Errorf("%d of %d refits did not converge", out.Failed, o.Draws)
	}
	for j, t := range m.targets() {
		column := make([]float64, len(out.Draws))
		for i, d := range out.Draws {
			column[i] = d[j]
		}
		slices.Sort(column)
		out.Intervals = append(out.Intervals, Interval{t.name, t.estimate, quantile(column, (1-o.Level)/2), quantile(column, (1+o.Level)/2)})
	}
	return out, nil
}

// quantile interpolates as R's type 6: the p-th of n lies at p (n+1).
func quantile(sorted []float64, p float64) float64 {
	n := len(sorted)
	at := p*float64(n+1) - 1
	low := int(math.Floor(at))
	switch {
	case low < 0:
		return sorted[0]
	case low >= n-1:
		return sorted[n-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

type resampler struct {
	m        *Model
	o        BootstrapOptions
	draws    [][]float64
	singular []bool
	busy     sync.Mutex
	next     int
	done     int
}

func (b *resampler) run(ctx context.Context) error {
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), b.o.Draws) {
		wait.Go(func() {
			for ctx.Err() == nil {
				b.busy.Lock()
				i := b.next
				b.next++
				b.busy.Unlock()
				if i >= b.o.Draws {
					return
				}
				b.draws[i], b.singular[i] = b.draw(uint64(i))
				b.busy.Lock()
				b.done++
				if b.o.Progress != nil {
					b.o.Progress(b.done, b.o.Draws)
				}
				b.busy.Unlock()
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}

// draw simulates and refits once; nil where the fit fails.
func (b *resampler) draw(i uint64) ([]float64, bool) {
	m := b.m
	pr := m.problem()
	base := *m.pr.base
	base.xy = m.simulated(rand.New(rand.NewPCG(b.o.Seed, i))) //nolint:gosec // a simulation to be repeated, no secret
	pr.base = &base
	c := &Model{N: m.N, REML: m.REML, design: m.design, x: m.x, y: m.y, w: m.w, pr: pr, order: m.order, opts: m.opts}
	c.opts.Verify = false
	if err := c.optimiseFrom(m.par); err != nil || !c.State.Converged {
		return nil, false
	}
	if err := c.report(); err != nil {
		return nil, false
	}
	var out []float64
	for _, t := range c.targets() {
		out = append(out, t.estimate)
	}
	return out, len(c.State.Singular) > 0
}

// Simulate returns a response drawn from the model with new random effects and
// residuals, for the rows used, offset included.
func (m *Model) Simulate(seed uint64) []float64 {
	xy := m.simulated(rand.New(rand.NewPCG(seed, 0))) //nolint:gosec // a simulation to be repeated, no secret
	k := m.pr.p + 1
	out := make([]float64, m.N)
	for i := range out {
		out[i] = xy[i*k+k-1]
		if m.w != nil {
			out[i] /= math.Sqrt(m.w[i])
		}
		for j, x := range m.x.Row(i) {
			out[i] += x * m.pr.b0[j]
		}
		if m.design.Offset != nil {
			out[i] += m.design.Offset[i]
		}
	}
	return out
}

// simulated returns [X y] of the problem with a new y.
func (m *Model) simulated(r *rand.Rand) []float64 {
	pr, v := m.pr, m.last
	k := pr.p + 1
	xy := slices.Clone(pr.base.xy)
	e := make([]float64, pr.n)
	for i := range e {
		e[i] = r.NormFloat64()
	}
	if pr.shape != nil {
		pr.shape.color(e, m.par[pr.thetas():])
	}
	for t, tm := range pr.terms {
		q := tm.q
		effects := make([]float64, len(tm.levels)*q)
		u := make([]float64, q)
		for g := range tm.levels {
			for j := range u {
				u[j] = r.NormFloat64()
			}
			copy(effects[g*q:], multiply(v.lambda[t], u, q, q, 1))
		}
		for i, g := range tm.codes {
			for j, z := range pr.base.z[t][i*q : (i+1)*q] {
				e[i] += z * effects[int(g)*q+j]
			}
		}
	}
	for i := range e {
		y := m.Sigma * e[i]
		for j, x := range xy[i*k : i*k+pr.p] {
			y += x * v.beta[j]
		}
		xy[i*k+pr.p] = y
	}
	return xy
}

// color gives independent residuals the structure R, in place: R^1/2 e.
func (s *shape) color(e []float64, rho []float64) {
	if s.within != nil {
		c := s.correlation(rho[0])
		for b, block := range s.blocks {
			if s.within.Kind == Symmetric {
				compound(e, block, c)
				continue
			}
			for k := 1; k < len(block); k++ {
				f := math.Pow(c, s.gaps[b][k])
				e[block[k]] = f*e[block[k-1]] + math.Sqrt(1-f*f)*e[block[k]]
			}
		}
	}
	if len(s.strata) > 0 {
		sd := s.deviations(rho)
		for i, k := range s.stratum {
			e[i] *= sd[k]
		}
	}
}

// compound is the reverse of uncompound for one column.
func compound(e []float64, block []int32, c float64) {
	mean, k := 0.0, float64(len(block))
	for _, i := range block {
		mean += e[i] / k
	}
	a, b := math.Sqrt(1-c), math.Sqrt(1+(k-1)*c)
	for _, i := range block {
		e[i] = (e[i]-mean)*a + mean*b
	}
}

// optimiseFrom finds the parameters from a good start.
func (m *Model) optimiseFrom(par []float64) error {
	start := slices.Clone(par)
	for i := range m.pr.thetas() {
		// A start at nought is a saddle: the gradient vanishes there.
		if start[i] == 0 {
			start[i] = 0.1
		}
	}
	return m.climb(m.pr.objective(), start)
}
