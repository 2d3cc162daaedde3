// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"math"

	"github.com/entente-project/entente/stats"
)

// kriging predicts where the residuals of a group are correlated: what the earlier
// sessions of a person were off tells something of the next. The covariance of
// the new value with the rows of its group is c, and with W the covariance of
// those, relative to sigma^2, the prediction is x'beta + c'W^-1 (y - X beta) and
// its variance w - c'W^-1 c + d'(X'W^-1X)^-1 d, d = x - X'W^-1 c.
type kriging struct {
	m     *Model
	group []int32 // by new row: its block, or -1
	time  []float64
	roots map[int32]*root
	times []float64 // of the rows of the fit, nil where their order counts
	sd    []float64 // of the rows of the fit, relative; weights included
	block []int32   // of the rows of the fit
}

// root is the Cholesky factor of W of a block, with L^-1 [X y].
type root struct {
	rows []int32
	l    []float64
	xy   []float64
}

func (m *Model) newKriging(d *stats.Design) (*kriging, error) {
	s := m.pr.shape
	if s == nil || s.within == nil {
		return nil, nil //nolint:nilnil // residuals are independent
	}
	if _, several := m.pr.engine.(*sparseEngine); several {
		return nil, errKriging
	}
	k := &kriging{m: m, roots: map[int32]*root{}, sd: make([]float64, m.N)}
	for i := range k.sd {
		k.sd[i] = 1
		if len(s.strata) > 0 {
			k.sd[i] = m.Residual.Ratio[s.stratum[i]]
		}
	}
	old, err := m.design.Column(s.within.Group)
	if err != nil {
		return nil, err
	}
	old = old.AsFactor()
	known := map[string]int32{}
	for code, level := range old.Levels() {
		known[level] = int32(code)
	}
	k.block = old.Codes()
	k.group, k.time = make([]int32, len(d.Kept)), make([]float64, len(d.Kept))
	now, err := d.Column(s.within.Group)
	for i := range k.group {
		k.group[i] = -1
		if err != nil {
			continue
		}
		if level, ok := now.Level(i); ok {
			if code, ok := known[level]; ok {
				k.group[i] = code
			}
		}
	}
	return k, k.addTimes(d)
}

// addTimes takes the times of old and new rows; without any the new row comes
// after all of its group.
func (k *kriging) addTimes(d *stats.Design) error {
	name := k.m.pr.shape.within.Time
	if name == "" {
		for i := range k.time {
			k.time[i] = math.NaN()
		}
		return nil
	}
	c, err := k.m.design.Column(name)
	if err != nil {
		return err
	}
	k.times = c.Floats()
	now, err := d.Column(name)
	if err != nil {
		return err
	}
	for i := range k.time {
		v, ok := now.Float(i)
		if !ok {
			v = math.NaN()
		}
		k.time[i] = v
	}
	return nil
}

// between is the correlation of residuals a distance apart.
func (k *kriging) between(distance float64) float64 {
	phi := k.m.Residual.Correlation
	if k.m.pr.shape.within.Kind == Symmetric {
		return phi
	}
	return math.Pow(phi, math.Abs(distance))
}

// position is the time of the i-th row of a block.
func (k *kriging) position(r *root, i int) float64 {
	if k.times == nil {
		return float64(i)
	}
	return k.times[r.rows[i]]
}

// root factorises W of a block.
func (k *kriging) root(g int32) *root {
	if r := k.roots[g]; r != nil {
		return r
	}
	r := &root{}
	for i, b := range k.block {
		if b == g {
			r.rows = append(r.rows, int32(i))
		}
	}
	n, base, m := len(r.rows), k.m.pr.base, k.m.pr.base.m
	r.l = make([]float64, n*n)
	for a, i := range r.rows {
		r.xy = append(r.xy, base.xy[int(i)*m:int(i+1)*m]...)
		for b, j := range r.rows[:a+1] {
			v := 1.0
			if a != b {
				v = k.between(k.position(r, a) - k.position(r, b))
			}
			v *= k.sd[i] * k.sd[j]
			for t := range k.m.pr.terms {
				v += k.covariance(t, i, k.rowZ(t, j))
			}
			r.l[a*n+b], r.l[b*n+a] = v, v
		}
	}
	if !cholesky(r.l, n) {
		return nil
	}
	forward(r.l, n, r.xy, m)
	k.roots[g] = r
	return r
}

func (k *kriging) rowZ(t int, i int32) []float64 {
	q := k.m.pr.terms[t].q
	return k.m.pr.base.z[t][int(i)*q : int(i+1)*q]
}

// covariance is z_i Lambda Lambda' z for a row of the fit and another z.
func (k *kriging) covariance(t int, i int32, z []float64) float64 {
	q := k.m.pr.terms[t].q
	lt := transposed(k.m.last.lambda[t], q, q)
	a, b := multiply(lt, k.rowZ(t, i), q, q, 1), multiply(lt, z, q, q, 1)
	s := 0.0
	for c := range a {
		s += a[c] * b[c]
	}
	return s
}

func (k *kriging) expect(pt point, p *Prediction, i int, residual float64) {
	g := k.group[i]
	var r *root
	if g >= 0 {
		r = k.root(g)
	}
	if r == nil {
		k.m.expect(pt, p, residual)
		return
	}
	pr, n, m := k.m.pr, len(r.rows), k.m.pr.base.m
	sd := math.Sqrt(residual)
	time := k.time[i]
	if math.IsNaN(time) {
		time = k.position(r, n-1) + 1
	}
	c := make([]float64, n)
	own, whole := 0.0, 0.0
	for a, row := range r.rows {
		d := time - k.position(r, a)
		c[a] = k.between(d) * sd * k.sd[row]
		for t := range pr.terms {
			if pt.code[t] >= 0 && pr.terms[t].codes[row] == pt.code[t] {
				c[a] += k.covariance(t, row, pt.z[t])
			}
		}
	}
	for t, tm := range pr.terms {
		for _, x := range multiply(transposed(k.m.last.lambda[t], tm.q, tm.q), pt.z[t], tm.q, tm.q, 1) {
			own += x * x
		}
	}
	whole = own + residual
	forward(r.l, n, c, 1)
	d := append([]float64(nil), pt.x...)
	p.Mean = pt.fixed
	for a, x := range c {
		row := r.xy[a*m : (a+1)*m]
		e := row[m-1]
		for j := range d {
			d[j] -= x * row[j]
			e -= row[j] * k.m.last.beta[j]
		}
		p.Mean += x * e
		whole -= x * x
	}
	p.NewSE = k.m.Sigma * math.Sqrt(math.Max(0, whole+quadraticRoot(d, k.m.last.rinv)))
	p.SE = k.meanSE(pt, r)
}

// meanSE is the standard error of x'beta + z'b, without the residual.
func (k *kriging) meanSE(pt point, r *root) float64 {
	pr, n, m := k.m.pr, len(r.rows), k.m.pr.base.m
	c := make([]float64, n)
	variance := 0.0
	for t, tm := range pr.terms {
		for _, x := range multiply(transposed(k.m.last.lambda[t], tm.q, tm.q), pt.z[t], tm.q, tm.q, 1) {
			variance += x * x
		}
		for a, row := range r.rows {
			if pt.code[t] >= 0 && tm.codes[row] == pt.code[t] {
				c[a] += k.covariance(t, row, pt.z[t])
			}
		}
	}
	forward(r.l, n, c, 1)
	d := append([]float64(nil), pt.x...)
	for a, x := range c {
		for j := range d {
			d[j] -= x * r.xy[a*m+j]
		}
		variance -= x * x
	}
	return k.m.Sigma * math.Sqrt(math.Max(0, variance+quadraticRoot(d, k.m.last.rinv)))
}
