// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/entente-project/entente/stats"
)

// Fit fits the formula to the frame. o may be nil.
//
// Rows with a missing value are left out and listed. Fixed effects that follow
// from others are left out and named in Aliased, as lme4 does. Errors name a
// column or a grouping: a formula that cannot be read, a grouping with a single
// group or with as many effects as there are rows, weights that are not
// positive, a response that the fixed effects reproduce. A boundary, or an
// optimiser that did not arrive, is no error: see [State].
//
// Estimates follow Bates, Mächler, Bolker and Walker (2015), Journal of
// Statistical Software 67(1); with residual structures Pinheiro and Bates (2000),
// Mixed-Effects Models in S and S-PLUS, chapter 5.
func Fit(formula string, frame *stats.Frame, o *Options) (*Model, error) {
	if o == nil {
		o = &Options{}
	}
	f, err := stats.ParseFormula(formula)
	if err != nil {
		return nil, err
	}
	if f.Response() == "" {
		return nil, fmt.Errorf("formula %q: there is no response on the left", formula)
	}
	d, err := stats.NewDesign(f, frame, stats.DesignOptions{Contrasts: o.Contrasts, Also: o.columns()})
	if err != nil {
		return nil, err
	}
	return fitDesign(d, *o)
}

// columns lists the columns that options name.
func (o *Options) columns() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(o.Weights)
	if o.Within != nil {
		add(o.Within.Group)
		add(o.Within.Time)
	}
	if o.Variance != nil {
		add(o.Variance.Stratum)
	}
	return names
}

func fitDesign(d *stats.Design, o Options) (*Model, error) {
	m := &Model{Formula: d.Formula.String(), REML: !o.ML, N: len(d.Kept), Missing: d.Missing, design: d, opts: o}
	if err := m.response(); err != nil {
		return nil, err
	}
	if err := m.weights(o.Weights); err != nil {
		return nil, err
	}
	m.x = m.independent(d.X)
	if m.x.Cols() == 0 {
		return nil, errors.New("the formula leaves no fixed effect, not even an intercept")
	}
	if m.x.Cols() >= m.N {
		return nil, fmt.Errorf("%d rows are too few for %d fixed effects and a variance", m.N, m.x.Cols())
	}
	terms, err := m.terms()
	if err != nil {
		return nil, err
	}
	return m, m.estimate(terms)
}

// estimate runs the optimiser and writes the results.
func (m *Model) estimate(terms []*term) error {
	reordered := *m.design
	reordered.Random = make([]stats.Grouping, len(terms))
	for t, from := range m.order {
		reordered.Random[t] = m.design.Random[from]
	}
	pr, err := newProblem(&reordered, m.x, m.y, m.w, terms, m.REML)
	if err != nil {
		return err
	}
	if pr.shape, err = newShape(m.design, m.opts, terms); err != nil {
		return err
	}
	m.pr = pr
	if err := m.optimise(); err != nil {
		return err
	}
	return m.report()
}

// response takes the offset out of it.
func (m *Model) response() error {
	m.y = m.design.Y
	if m.design.Offset != nil {
		m.y = slices.Clone(m.y)
		for i, v := range m.design.Offset {
			m.y[i] -= v
		}
	}
	for _, v := range m.y {
		if v != m.y[0] {
			return nil
		}
	}
	return fmt.Errorf("the response %s is %v in every row", m.design.Formula.Response(), m.y[0])
}

func (m *Model) weights(name string) error {
	if name == "" {
		return nil
	}
	c, err := m.design.Column(name)
	if err != nil {
		return err
	}
	if c.Kind() != stats.Numeric {
		return fmt.Errorf("the weights %q are a factor", name)
	}
	m.w = c.Floats()
	for i, w := range m.w {
		if !(w > 0) || math.IsInf(w, 1) {
			return fmt.Errorf("row %d: the weight %v is not positive", m.design.Kept[i]+1, w)
		}
	}
	return nil
}

// independent leaves out columns of the fixed effects that follow from others.
func (m *Model) independent(x *stats.Matrix) *stats.Matrix {
	kept, dropped := x.Independent(m.w)
	if len(dropped) == 0 {
		return x
	}
	r := &stats.Matrix{Rows: x.Rows, Data: make([]float64, 0, x.Rows*len(kept))}
	for _, j := range kept {
		r.Names, r.Term = append(r.Names, x.Names[j]), append(r.Term, x.Term[j])
	}
	for _, j := range dropped {
		m.Aliased = append(m.Aliased, x.Names[j])
	}
	for i := range x.Rows {
		for _, j := range kept {
			r.Data = append(r.Data, x.Row(i)[j])
		}
	}
	return r
}

// terms orders the random terms, most groups first, and looks whether they can be
// estimated.
func (m *Model) terms() ([]*term, error) {
	random := m.design.Random
	for i := range random {
		m.order = append(m.order, i)
	}
	// lme4 keeps the order where the numbers of groups do not rise, and otherwise
	// takes rev(order(.)), which turns ties round.
	size := func(a, b int) int { return len(random[a].Levels) - len(random[b].Levels) }
	if !slices.IsSortedFunc(m.order, func(a, b int) int { return size(b, a) }) {
		slices.SortStableFunc(m.order, size)
		slices.Reverse(m.order)
	}
	var terms []*term
	for _, i := range m.order {
		g := random[i]
		t := &term{name: g.Name, names: g.Z.Names, levels: g.Levels, codes: g.Codes, q: g.Z.Cols()}
		free := m.opts.Within != nil || m.opts.Variance != nil
		switch {
		case len(t.levels) < 2:
			return nil, fmt.Errorf("the grouping %q has a single group, %q: nothing varies between groups", t.name, t.levels[0])
		case len(t.levels)*t.q >= m.N && !free:
			return nil, fmt.Errorf("the grouping %q has %d groups with %d effects each for %d rows: they cannot be told from the residuals", t.name, len(t.levels), t.q, m.N)
		}
		terms = append(terms, t)
	}
	for i, t := range terms {
		for _, u := range terms[:i] {
			if t.name == u.name && slices.ContainsFunc(t.names, func(n string) bool { return slices.Contains(u.names, n) }) {
				return nil, fmt.Errorf("the formula has the same random effects for %q twice", t.name)
			}
		}
	}
	return terms, nil
}

var errDiverged = errors.New("the criterion is not a finite number anywhere near the start; look at the scale of the data")

// optimise finds the parameters.
func (m *Model) optimise() error {
	f := m.pr.objective()
	start := m.start(f)
	if start == nil {
		return errDiverged
	}
	return m.climb(f, start)
}

// climb runs the optimiser from a start, checks where it ended, and asks a second
// one in doubt.
func (m *Model) climb(f function, start []float64) error {
	r := minimise(f, start, 1e-9, 500)
	if !finite(r.g) {
		return errDiverged
	}
	r, hess := polish(f, r)
	m.settle(m.boundary(f, r), hess)
	if m.opts.Verify || !m.State.Converged {
		m.second(f, start)
	}
	k := m.pr.thetas()
	if m.last = m.pr.evaluate(m.pr.lambdas(m.par[:k]), m.par[k:], true); m.last == nil {
		return errDiverged
	}
	return nil
}

// settle takes over where an optimiser ended.
func (m *Model) settle(r found, hess []float64) {
	m.par = r.x
	m.State.Steps += r.steps
	m.State.Gain, m.State.Gradient = r.decrease, 0
	for _, g := range r.g {
		m.State.Gradient = math.Max(m.State.Gradient, math.Abs(g))
	}
	m.State.Converged = r.ok && r.decrease < 1e-7 && curvesUp(hess, len(r.x))
}

// start tries a few sizes of the random effects.
func (m *Model) start(f function) []float64 {
	pr := m.pr
	k := pr.thetas()
	var best []float64
	lowest := math.Inf(1)
	for _, size := range []float64{0.3, 1, 0.1, 3} {
		par := make([]float64, k)
		at := 0
		for _, t := range pr.terms {
			for j := range t.q {
				par[at] = size
				at += t.q - j
			}
		}
		if pr.shape != nil {
			par = append(par, pr.shape.start()...)
		}
		if v, _ := f(par, false); v < lowest {
			best, lowest = par, v
		}
		if k == 0 {
			break
		}
	}
	return best
}

// boundary tries to set elements on the diagonals that are nearly nought to
// nought, with all below them in their column, and keeps what does not raise the
// criterion.
func (m *Model) boundary(f function, r found) found {
	at := 0
	for _, t := range m.pr.terms {
		for j := range t.q {
			if d := math.Abs(r.x[at]); d > 0 && d < 1e-2 {
				held := make([]bool, len(r.x))
				for i, x := range r.x {
					held[i] = x == 0
				}
				for i := at; i < at+t.q-j; i++ {
					held[i] = true
				}
				if z := minimiseHeld(f, r, held); z.f <= r.f+1e-9*math.Max(1, math.Abs(r.f)*1e-3) {
					r = z
				}
			}
			at += t.q - j
		}
	}
	return r
}

// minimiseHeld minimises with some parameters held at nought.
func minimiseHeld(f function, r found, held []bool) found {
	full := func(x []float64) []float64 {
		out := make([]float64, len(held))
		for i, h := range held {
			if !h {
				out[i], x = x[0], x[1:]
			}
		}
		return out
	}
	pick := func(v []float64) []float64 {
		var out []float64
		for i, h := range held {
			if !h {
				out = append(out, v[i])
			}
		}
		return out
	}
	part := func(x []float64, grad bool) (float64, []float64) {
		v, g := f(full(x), grad)
		if g == nil {
			return v, nil
		}
		return v, append([]float64{}, pick(g)...)
	}
	z := minimise(part, pick(r.x), 1e-9, 200)
	if len(z.x) > 0 && finite(z.g) {
		z, _ = polish(part, z)
	}
	steps := r.steps + z.steps
	out := found{x: full(z.x), ok: z.ok, decrease: z.decrease, steps: steps}
	out.f, out.g = f(out.x, true)
	return out
}

// curvesUp says whether no eigenvalue of the Hessian is clearly negative.
func curvesUp(h []float64, n int) bool {
	if n == 0 {
		return true
	}
	if h == nil {
		return false
	}
	most := 0.0
	for i := range n {
		most = math.Max(most, math.Abs(h[i*n+i]))
	}
	a := slices.Clone(h)
	for i := range n {
		a[i*n+i] += 1e-6 * math.Max(most, 1e-300)
	}
	return cholesky(a, n)
}
