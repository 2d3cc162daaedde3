// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/mat"
)

// leastUnique is the smallest uniqueness that factoring allows, as in R.
const leastUnique = .005

// extraction is an unrotated solution of minimum residuals.
type extraction struct {
	load      *mat.Dense
	converged bool
	heywood   bool // a uniqueness is at its limit
}

// minres factors a correlation matrix by minimum residuals, which are those of
// unweighted least squares: the squared eigenvalues of R - Psi that the factors
// leave, by Newton's method over the uniquenesses.
//
// Sources: Harman & Jones (1966), Psychometrika 31; Joreskog (1977), eqs 28-31.
func minres(r *mat.SymDense, q int) (*extraction, error) {
	k := r.SymmetricDim()
	psi := make([]float64, k)
	smc, _ := squaredMultipleCorrelations(r)
	for i := range psi {
		psi[i] = math.Min(1, math.Max(.1, 1-smc[i]))
	}
	e := &extraction{}
	for range 500 {
		v, err := newResidualFit(r, psi, q)
		if err != nil {
			return nil, err
		}
		grad, h := v.derivatives()
		fixed := make([]bool, k)
		var size float64
		for i, g := range grad {
			fixed[i] = psi[i] <= leastUnique && g > 0 || psi[i] >= 1 && g < 0
			if !fixed[i] {
				size = math.Max(size, math.Abs(g))
			}
		}
		if size < 1e-12 {
			e.converged = true
			break
		}
		if !descend(r, psi, q, v.f, grad, h, fixed) {
			e.converged = size < 1e-8
			break
		}
	}
	v, err := newResidualFit(r, psi, q)
	if err != nil {
		return nil, err
	}
	for _, p := range psi {
		e.heywood = e.heywood || p <= leastUnique
	}
	e.load = v.loadings()
	return e, nil
}

// residualFit is the eigenvalue decomposition of R - Psi, largest first.
type residualFit struct {
	q      int
	values []float64
	u      *mat.Dense
	f      float64
}

func newResidualFit(r *mat.SymDense, psi []float64, q int) (*residualFit, error) {
	k := len(psi)
	s := mat.NewSymDense(k, nil)
	s.CopySym(r)
	for i, p := range psi {
		s.SetSym(i, i, r.At(i, i)-p)
	}
	var eig mat.EigenSym
	if !eig.Factorize(s, true) {
		return nil, fmt.Errorf("the correlations have no eigenvalues")
	}
	var u mat.Dense
	eig.VectorsTo(&u)
	v := &residualFit{q: q, values: eig.Values(nil), u: mat.NewDense(k, k, nil)}
	order := make([]int, k)
	for i := range order {
		order[i] = k - 1 - i
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(v.values)))
	for j, from := range order {
		v.u.SetCol(j, mat.Col(nil, from, &u))
	}
	for _, l := range v.values[q:] {
		v.f += l * l / 2
	}
	return v, nil
}

func (v *residualFit) derivatives() (grad []float64, h *mat.SymDense) {
	k := len(v.values)
	grad = make([]float64, k)
	h = mat.NewSymDense(k, nil)
	for i := range k {
		for m := v.q; m < k; m++ {
			grad[i] -= v.values[m] * v.u.At(i, m) * v.u.At(i, m)
		}
		for j := range i + 1 {
			var rest, cross float64
			for m := v.q; m < k; m++ {
				w := v.u.At(i, m) * v.u.At(j, m)
				rest += w
				for n := range v.q {
					cross += v.values[m] / (v.values[m] - v.values[n]) * w * v.u.At(i, n) * v.u.At(j, n)
				}
			}
			h.SetSym(i, j, rest*rest+2*cross)
		}
	}
	return grad, h
}

func (v *residualFit) loadings() *mat.Dense {
	k := len(v.values)
	l := mat.NewDense(k, v.q, nil)
	for j := range v.q {
		root := math.Sqrt(math.Max(0, v.values[j]))
		var sum float64
		for i := range k {
			sum += v.u.At(i, j)
		}
		if sum < 0 {
			root = -root
		}
		for i := range k {
			l.Set(i, j, root*v.u.At(i, j))
		}
	}
	return l
}

// descend moves the free uniquenesses by a damped Newton step within their limits
// and says whether f fell.
func descend(r *mat.SymDense, psi []float64, q int, f float64, grad []float64, h *mat.SymDense, fixed []bool) bool {
	var free []int
	for i, x := range fixed {
		if !x {
			free = append(free, i)
		}
	}
	g := make([]float64, len(free))
	a := mat.NewSymDense(len(free), nil)
	for x, i := range free {
		g[x] = grad[i]
		for y, j := range free[:x+1] {
			a.SetSym(x, y, h.At(i, j))
		}
	}
	for damp := 0.0; damp < 1e6; damp = math.Max(1e-4, 8*damp) {
		step, _, ok := newtonStep(positiveDiagonal(a), g, damp)
		if !ok {
			continue
		}
		next := append([]float64(nil), psi...)
		for x, i := range free {
			next[i] = math.Max(leastUnique, math.Min(1, psi[i]-step[x]))
		}
		if v, err := newResidualFit(r, next, q); err == nil && v.f < f {
			copy(psi, next)
			return true
		}
	}
	return false
}

func positiveDiagonal(a *mat.SymDense) *mat.SymDense {
	for i := range a.SymmetricDim() {
		if !(a.At(i, i) > 1e-8) {
			a.SetSym(i, i, 1e-8)
		}
	}
	return a
}

// varimax rotates loadings by Kaiser's (1958) criterion with rows scaled to
// length 1, plane by plane.
func varimax(load *mat.Dense) *mat.Dense {
	k, q := load.Dims()
	l := mat.DenseCopyOf(load)
	h := make([]float64, k)
	for i := range k {
		h[i] = mat.Norm(l.RowView(i), 2)
		if h[i] == 0 {
			h[i] = 1
		}
		for j := range q {
			l.Set(i, j, l.At(i, j)/h[i])
		}
	}
	for range 1000 {
		var turned float64
		for a := range q {
			for b := a + 1; b < q; b++ {
				turned = math.Max(turned, math.Abs(turnPlane(l, a, b)))
			}
		}
		if turned < 1e-12 {
			break
		}
	}
	for i := range k {
		for j := range q {
			l.Set(i, j, l.At(i, j)*h[i])
		}
	}
	return largestFirst(l)
}

// largestFirst orders columns by their sums of squares.
func largestFirst(l *mat.Dense) *mat.Dense {
	k, q := l.Dims()
	order := make([]int, q)
	size := make([]float64, q)
	for j := range q {
		order[j], size[j] = j, mat.Norm(l.ColView(j), 2)
	}
	sort.SliceStable(order, func(a, b int) bool { return size[order[a]] > size[order[b]] })
	out := mat.NewDense(k, q, nil)
	for j, from := range order {
		out.SetCol(j, mat.Col(nil, from, l))
	}
	return out
}

// turnPlane rotates two columns to the maximum of the criterion and returns the
// angle.
func turnPlane(l *mat.Dense, a, b int) float64 {
	k, _ := l.Dims()
	var su, sv, suv, sd float64
	for i := range k {
		x, y := l.At(i, a), l.At(i, b)
		u, v := x*x-y*y, 2*x*y
		su += u
		sv += v
		suv += u * v
		sd += u*u - v*v
	}
	n := float64(k)
	angle := math.Atan2(2*(suv-su*sv/n), sd-(su*su-sv*sv)/n) / 4
	c, s := math.Cos(angle), math.Sin(angle)
	for i := range k {
		x, y := l.At(i, a), l.At(i, b)
		l.Set(i, a, c*x+s*y)
		l.Set(i, b, -s*x+c*y)
	}
	return angle
}

// quartimin rotates loadings obliquely (direct oblimin with gamma 0) by projected
// gradients from where they stand.
//
// Sources: Jennrich & Sampson (1966); Jennrich (2002), Psychometrika 67.
func quartimin(load *mat.Dense) (rotated *mat.Dense, phi *mat.SymDense, converged bool) {
	_, q := load.Dims()
	t := mat.NewDense(q, q, nil)
	for i := range q {
		t.Set(i, i, 1)
	}
	l, inv, ok := turnedBy(load, t)
	f, slope := quartiminSlope(l)
	step := 1.0
	for range 20000 {
		if !ok {
			break
		}
		var g, gt mat.Dense
		gt.Mul(l.T(), slope)
		g.Mul(&gt, inv)
		g.Scale(-1, mat.DenseCopyOf(g.T()))
		size := projectOblique(t, &g)
		if size < 1e-10 {
			converged = true
			break
		}
		step *= 2
		moved := false
		for range 60 {
			next := mat.DenseCopyOf(t)
			next.Apply(func(i, j int, v float64) float64 { return v - step*g.At(i, j) }, next)
			unitColumns(next)
			nl, ninv, nok := turnedBy(load, next)
			if nok {
				if nf, ns := quartiminSlope(nl); f-nf > .5*size*size*step {
					t, l, inv, f, slope, moved = next, nl, ninv, nf, ns, true
					break
				}
			}
			step /= 2
		}
		if !moved {
			converged = size < 1e-6 // the limit of rounding in f
			break
		}
	}
	var p mat.Dense
	p.Mul(t.T(), t)
	return l, symmetrised(&p), converged
}

// turnedBy returns A T'^-1 and T^-1.
func turnedBy(a, t *mat.Dense) (l, inv *mat.Dense, ok bool) {
	var n, o mat.Dense
	if n.Inverse(t) != nil {
		return a, t, false
	}
	o.Mul(a, n.T())
	return &o, &n, true
}

// quartiminSlope is the criterion sum over pairs of columns of products of squares,
// and its derivative by the loadings.
func quartiminSlope(l *mat.Dense) (f float64, slope *mat.Dense) {
	k, q := l.Dims()
	slope = mat.NewDense(k, q, nil)
	for i := range k {
		var all float64
		for j := range q {
			all += l.At(i, j) * l.At(i, j)
		}
		for j := range q {
			v := l.At(i, j)
			slope.Set(i, j, v*(all-v*v))
			f += v * v * (all - v*v) / 4
		}
	}
	return f, slope
}

// projectOblique removes from g what would change the lengths of t's columns and
// returns what is left of its norm.
func projectOblique(t, g *mat.Dense) float64 {
	q, _ := t.Dims()
	for j := range q {
		d := mat.Dot(t.ColView(j), g.ColView(j))
		for i := range q {
			g.Set(i, j, g.At(i, j)-d*t.At(i, j))
		}
	}
	return mat.Norm(g, 2)
}

func unitColumns(t *mat.Dense) {
	q, _ := t.Dims()
	for j := range q {
		n := mat.Norm(t.ColView(j), 2)
		for i := range q {
			t.Set(i, j, t.At(i, j)/n)
		}
	}
}
