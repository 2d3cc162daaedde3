// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Fit is a fitted factor model.
type Fit struct {
	Estimator  Estimator
	Missing    Missing
	N          int      // persons used
	Omitted    int      // rows left out
	Groups     []string // names in order of appearance; one empty name without groups
	GroupN     []int
	Items      []string
	Factors    []string
	Parameters []Parameter
	Vcov       *mat.SymDense // of the free parameters; nil if not Identified
	// Converged says that a minimum was found to about ten digits; if not, the
	// numbers are those of the last step and must not be reported.
	Converged  bool
	Iterations int
	// Identified says that the information matrix has an inverse; without it no
	// parameter has a standard error.
	Identified bool
	// Problems are what makes a solution improper: a negative variance, a
	// covariance matrix of factors that is none. Empty if proper.
	Problems []string
	Indices  Indices
	Implied  []Moments // by group
	Sample   []Moments // by group: observed, or estimated without a model

	layout *layout
	rams   []*ram
	theta  []float64
	normal *normalLik // nil with ordered items
	weight *dwls      // nil with continuous items
	robust robustParts
	info   *mat.SymDense // inverse information, per person
}

// Moments are covariances (with divisor n) and, if the model has them, means.
// With ordered items they are polychoric correlations.
type Moments struct {
	Cov        *mat.SymDense
	Mean       []float64
	Thresholds [][]float64 // by item, of ordered items
}

// CFA fits a factor model to a table. Items are columns of the table; with
// Table.Group each group has its own parameters, equal where Options say so.
//
// An error means that the model or the data cannot be used; a fit that was tried
// and failed says so in its fields.
//
// Sources: Joreskog (1969), Psychometrika 34; Bollen (1989), Structural Equations
// with Latent Variables. Conventions (divisor n, defaults of what is free) are
// those of lavaan 0.6.
func CFA(m *Model, t *Table, o Options) (*Fit, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if len(m.factors) == 0 && len(m.Items()) == 0 {
		return nil, fmt.Errorf("the model has no variables")
	}
	f := &Fit{Estimator: o.Estimator, Missing: o.Missing, Items: m.Items(), Factors: m.Factors()}
	ys, err := f.selectData(m, t, o)
	if err != nil {
		return nil, err
	}
	if o.categorical() {
		return f, f.fitOrdered(m, ys, o)
	}
	return f, f.fitNormal(m, ys, o)
}

// selectData picks the model's columns of each group.
func (f *Fit) selectData(m *Model, t *Table, o Options) ([]*mat.Dense, error) {
	var columns []int
	for _, name := range f.Items {
		j := t.Column(name)
		if j < 0 {
			return nil, fmt.Errorf("the table has no column %s", name)
		}
		columns = append(columns, j)
	}
	names, rows, err := splitGroups(t)
	if err != nil {
		return nil, err
	}
	f.Groups = names
	var ys []*mat.Dense
	for g, r := range rows {
		y, omitted, err := selectRows(t, columns, r, o.Missing == Listwise)
		if err != nil {
			if names[g] != "" {
				err = fmt.Errorf("group %s: %w", names[g], err)
			}
			return nil, err
		}
		n, _ := y.Dims()
		f.N += n
		f.Omitted += omitted
		f.GroupN = append(f.GroupN, n)
		ys = append(ys, y)
	}
	return ys, nil
}

func (f *Fit) fitNormal(m *Model, ys []*mat.Dense, o Options) error {
	l, err := newLayout(m, f.Items, len(ys), nil, o)
	if err != nil {
		return err
	}
	p := len(f.Items)
	samples := make([]*sample, len(ys))
	var covs, means [][]float64
	for g, y := range ys {
		s, err := newSample(y, f.Items, f.Groups[g])
		if err != nil {
			return err
		}
		if len(s.patterns) > 1 || len(s.patterns[0].obs) < p {
			if err := s.estimateSaturated(p); err != nil {
				return err
			}
		}
		samples[g] = s
		covs, means = append(covs, s.cov), append(means, s.mean)
		f.Sample = append(f.Sample, Moments{Cov: symOf(s.cov, p), Mean: meansIf(l.means, s.mean)})
	}
	f.layout, f.rams = l, l.rams()
	f.normal = newNormalLik(samples, f.rams, l.free, l.means)
	if err := f.solve(f.normal, l.startValues(covs, means, nil), o.MaxIterations); err != nil {
		return err
	}
	f.normalErrors(o)
	f.describe(o)
	f.normalIndices()
	return nil
}

func meansIf(keep bool, mean []float64) []float64 {
	if !keep {
		return nil
	}
	return append([]float64(nil), mean...)
}

// solve minimises from the proposed start and, where that is outside the domain,
// from loadings nearer to nothing.
func (f *Fit) solve(p problem, start []float64, iterations int) error {
	for range 8 {
		if _, ok := p.objective(start); ok {
			break
		}
		for _, q := range f.layout.params {
			if q.cell.free < 0 {
				continue
			}
			if q.cell.kind == arrow || q.cell.kind == spread && q.cell.i != q.cell.j {
				start[q.cell.free] *= .7
			}
		}
	}
	if _, ok := p.objective(start); !ok {
		return fmt.Errorf("the model implies no covariance matrix at its starting values: is a fixed value impossible?")
	}
	s := minimise(p, start, iterations)
	if !s.Converged && iterations > 1 {
		// A poor guess of loadings can lead into a valley without an end.
		if other := minimise(p, f.layout.plainStart(start), iterations); other.Converged {
			other.Iterations += s.Iterations
			s = other
		}
	}
	f.theta, f.Converged, f.Iterations = s.theta, s.Converged, s.Iterations
	for _, r := range f.rams {
		if err := r.set(f.theta); err != nil {
			return err
		}
	}
	return nil
}

// normalErrors computes the covariance matrix of the estimates.
func (f *Fit) normalErrors(o Options) {
	l := f.normal
	kind := expected
	if o.Estimator == MLR || o.Missing == FIML {
		kind = observed
	}
	_, _, h, ok := l.derivatives(f.theta, kind)
	if !ok {
		return
	}
	if l.free == 0 {
		f.Identified = true
	} else if f.info, f.Identified = inverseSym(h); !f.Identified {
		return
	}
	f.robust.meats, ok = robustMeats(l, f.theta, o.Estimator)
	if !ok {
		f.Identified = false
		return
	}
	f.Vcov = f.sandwich(f.info, f.robust.meats)
}

// sandwich returns A^-1 B A^-1 / N, or A^-1 / N without meats.
func (f *Fit) sandwich(inv *mat.SymDense, meats []meat) *mat.SymDense {
	if inv == nil {
		return nil
	}
	n := inv.SymmetricDim()
	out := mat.NewSymDense(n, nil)
	if meats == nil {
		out.ScaleSym(1/float64(f.N), inv)
		return out
	}
	b := pooledMeat(meats, f.GroupN)
	var left, both mat.Dense
	left.Mul(dense(inv), dense(b))
	both.Mul(&left, dense(inv))
	for i := range n {
		for j := i; j < n; j++ {
			out.SetSym(i, j, (both.At(i, j)+both.At(j, i))/2/float64(f.N))
		}
	}
	return out
}

// dense copies a symmetric matrix: products of two SymDense are slow in gonum.
func dense(s mat.Symmetric) *mat.Dense { return mat.DenseCopyOf(s) }

// pooledMeat weights the groups by their size.
func pooledMeat(meats []meat, n []int) *mat.SymDense {
	k := meats[0].b.SymmetricDim()
	total := 0
	for _, v := range n {
		total += v
	}
	sum := mat.NewSymDense(k, nil)
	for g, m := range meats {
		for i := range k {
			for j := i; j < k; j++ {
				sum.SetSym(i, j, sum.At(i, j)+float64(n[g])/float64(total)*m.b.At(i, j))
			}
		}
	}
	return sum
}

// describe fills parameters, implied moments and problems from theta.
func (f *Fit) describe(o Options) {
	z := distuv.UnitNormal.Quantile((1 + o.Level) / 2)
	f.Parameters = append([]Parameter(nil), f.layout.params...)
	for i := range f.Parameters {
		p := &f.Parameters[i]
		r := f.rams[p.Group-1]
		c := p.cell
		switch {
		case p.derived:
			p.Estimate = r.s[c.i*r.m+c.i]
		case c.free >= 0:
			p.Estimate = f.theta[c.free]
		default:
			p.Estimate = c.value
		}
		p.P, p.CI = 1, [2]float64{p.Estimate, p.Estimate}
		if p.Free > 0 && f.Vcov != nil {
			if v := f.Vcov.At(c.free, c.free); v > 0 {
				p.SE = math.Sqrt(v)
				p.Z = p.Estimate / p.SE
				p.P = 2 * distuv.UnitNormal.Survival(math.Abs(p.Z))
				p.CI = [2]float64{p.Estimate - z*p.SE, p.Estimate + z*p.SE}
			}
		}
		p.StdLV, p.StdAll = standardise(r, p)
	}
	f.findProblems()
	for g, r := range f.rams {
		f.Implied = append(f.Implied, Moments{Cov: symOf(r.sigma, r.p), Mean: meansIf(f.Sample[g].Mean != nil, r.mu), Thresholds: f.impliedThresholds(g)})
	}
}

// standardise scales a parameter to variance 1 of the factors, and of all.
func standardise(r *ram, p *Parameter) (lv, all float64) {
	sd := func(i int) float64 {
		if v := r.cov[i*r.m+i]; v > 0 {
			return math.Sqrt(v)
		}
		return 1
	}
	latent := func(i int) float64 {
		if i < r.p {
			return 1
		}
		return sd(i)
	}
	c, v := p.cell, p.Estimate
	switch c.kind {
	case arrow:
		return v * latent(c.j) / latent(c.i), v * sd(c.j) / sd(c.i)
	case spread:
		si, sj := sd(c.i), sd(c.j)
		if c.i != c.j && c.i < r.p && c.j < r.p {
			// Covariances of residuals are shown as their correlations.
			si, sj = rootOr1(r.s[c.i*r.m+c.i]), rootOr1(r.s[c.j*r.m+c.j])
		} else if c.i != c.j {
			si, sj = rootOr1(r.s[c.i*r.m+c.i]), rootOr1(r.s[c.j*r.m+c.j])
		}
		li, lj := latent(c.i), latent(c.j)
		if c.i != c.j && c.i >= r.p && c.j >= r.p {
			li, lj = si, sj
		}
		return v / (li * lj), v / (si * sj)
	case constant:
		return v / latent(c.i), v / sd(c.i)
	case threshold:
		return v, v / sd(c.i)
	case scaling:
		return v, v * sd(c.i) * v / v
	}
	return v, v
}

func rootOr1(v float64) float64 {
	if v > 0 {
		return math.Sqrt(v)
	}
	return 1
}

// findProblems names improper estimates.
func (f *Fit) findProblems() {
	for g, r := range f.rams {
		in := ""
		if f.Groups[g] != "" {
			in = " in group " + f.Groups[g]
		}
		for i := range r.m {
			if v := r.s[i*r.m+i]; v < 0 {
				name := ""
				if i < r.p {
					name = "residual variance of " + f.Items[i]
				} else {
					name = "variance of " + f.Factors[i-r.p]
				}
				f.Problems = append(f.Problems, fmt.Sprintf("the %s%s is negative: %.3g", name, in, v))
			}
		}
		k := r.m - r.p
		phi := make([]float64, k*k)
		whole := true
		for i := range k {
			for j := range k {
				phi[i*k+j] = r.cov[(r.p+i)*r.m+r.p+j]
			}
			whole = whole && phi[i*k+i] > 0
		}
		if whole && k > 1 {
			if _, ok := cholesky(phi, k); !ok {
				f.Problems = append(f.Problems, "the covariance matrix of the factors"+in+" is not positive definite")
			}
		}
	}
}
