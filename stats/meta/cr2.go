// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// noLeverage is the part of the largest eigenvalue below which a direction
// counts as taken up wholly by the coefficients; the square root of its
// inverse is then taken as 0 (the Moore-Penrose inverse).
const noLeverage = 1e-10

// adjust sets a to A'WQ with the matrix A of CR2. With phi = D'D, D upper
// triangular, and B = D (phi - Q (Q'WQ)^-1 Q') D', A = D' B^-1/2 D: equation 7
// of Tipton and Pustejovsky (2015) for weights that are the inverse of phi.
func (w *working) adjust(c *cluster) error {
	n, p := c.q.Dims()
	var cholesky mat.Cholesky
	cholesky.Factorize(c.phi)
	var d mat.TriDense
	cholesky.UTo(&d)
	var hat, half, inner, b mat.Dense
	half.Mul(c.q, mat.NewDense(p, p, w.cov))
	hat.Mul(&half, c.q.T())
	hat.Sub(c.phi, &hat)
	inner.Mul(&d, &hat)
	b.Mul(&inner, d.T())
	symmetric := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			symmetric.SetSym(i, j, (b.At(i, j)+b.At(j, i))/2)
		}
	}
	root, err := inverseRoot(symmetric, &d)
	if err != nil {
		return err
	}
	// A is symmetric here, so A' = D' B^-1/2 D.
	var left, a mat.Dense
	left.Mul(d.T(), root)
	a.Mul(&left, &d)
	c.a = mat.NewDense(n, p, nil)
	c.a.Mul(&a, c.wq)
	return nil
}

// inverseRoot is the symmetric b^-1/2; what is rounding beside DD' counts as 0.
func inverseRoot(b *mat.SymDense, d *mat.TriDense) (*mat.Dense, error) {
	n := b.SymmetricDim()
	size := 0.0
	for i := range n {
		for j := i; j < n; j++ {
			size += d.At(i, j) * d.At(i, j)
		}
	}
	size *= size / float64(n)
	var eigen mat.EigenSym
	if !eigen.Factorize(b, true) {
		return nil, &DataError{Column: "cluster", Reason: "has a leverage matrix that cannot be decomposed"}
	}
	var u, scaled, root mat.Dense
	eigen.VectorsTo(&u)
	scaled.CloneFrom(&u)
	for j, lambda := range eigen.Values(nil) {
		f := 0.0
		if lambda > noLeverage*size {
			f = 1 / math.Sqrt(lambda)
		}
		for i := range n {
			scaled.Set(i, j, u.At(i, j)*f)
		}
	}
	root.Mul(&scaled, u.T())
	return &root, nil
}

// contrast is a linear combination of coefficients of X seen from one cluster:
// with g the vector a (Q'WQ)^-1 R^-T c, own is g'phi g and b is Q'g. For two
// different clusters the assumed covariance of their contributions is
// -b_i' (Q'WQ)^-1 b_j, because residuals of different clusters are dependent
// through the estimated coefficients alone.
type contrast struct {
	g   *mat.VecDense
	b   []float64
	own float64
}

// contrasts of the combination c, one for each cluster, in units of the sample.
func (w *working) contrasts(c []float64) []contrast {
	p := w.p
	h := make([]float64, p)
	for j := range p {
		for l := range p {
			if l <= j {
				h[j] += w.rinv[l*p+j] * c[l]
			}
		}
	}
	u := make([]float64, p)
	matVec(w.cov, h, u, p)
	out := make([]contrast, len(w.clusters))
	for i, cl := range w.clusters {
		n, _ := cl.q.Dims()
		g := mat.NewVecDense(n, nil)
		g.MulVec(cl.a, mat.NewVecDense(p, u))
		b := make([]float64, p)
		mat.NewVecDense(p, b).MulVec(cl.q.T(), g)
		out[i] = contrast{g: g, b: b, own: mat.Inner(g, cl.phi, g)}
	}
	return out
}

func bilinear(a, x, y []float64, p int) float64 {
	s := 0.0
	for i := range p {
		for j := range p {
			s += x[i] * a[i*p+j] * y[j]
		}
	}
	return s
}

// satterthwaite is the degrees of freedom of coefficient i: twice the square of
// the expectation of its robust variance over the variance of it, both under
// the working model (Bell and McCaffrey 2002). Sums over pairs of clusters are
// traces of p x p matrices, so the cost is linear in clusters.
func (w *working) satterthwaite(i int) float64 {
	c := make([]float64, w.p)
	c[i] = 1
	list := w.contrasts(c)
	mean := 0.0
	for _, x := range list {
		mean += x.own - bilinear(w.cov, x.b, x.b, w.p)
	}
	return mean * mean / w.pairs(list, list, list, list)
}

// pairs is the sum over all ordered pairs (i, j) of clusters of
// c(s_i, t_j) c(u_i, v_j), where c is the assumed covariance.
func (w *working) pairs(s, t, u, v []contrast) float64 {
	p := w.p
	su, tv := make([]float64, p*p), make([]float64, p*p)
	same := 0.0
	for i := range s {
		across1, across2 := bilinear(w.cov, s[i].b, t[i].b, p), bilinear(w.cov, u[i].b, v[i].b, p)
		own1, own2 := w.own(i, s[i], t[i]), w.own(i, u[i], v[i])
		same += (own1-across1)*(own2-across2) - across1*across2
		for a := range p {
			for b := range p {
				su[a*p+b] += s[i].b[a] * u[i].b[b]
				tv[a*p+b] += t[i].b[a] * v[i].b[b]
			}
		}
	}
	// sum of (s_i'M t_j)(u_i'M v_j) = tr(M (sum t v') M' (sum s u')').
	left := product(w.cov, tv, p)
	right := product(left, w.cov, p)
	total := 0.0
	for a := range p {
		for b := range p {
			total += su[a*p+b] * right[a*p+b]
		}
	}
	return same + total
}

func (w *working) own(i int, x, y contrast) float64 {
	if x.g == y.g {
		return x.own
	}
	return mat.Inner(x.g, w.clusters[i].phi, y.g)
}

// WaldHTZ tests that the coefficients with the given indices are all zero, by
// the robust covariance of CR2: Hotelling's T² with the degrees of freedom of
// Zhang (2012), the test that Tipton and Pustejovsky (2015) recommend. With one
// index it is the square of that coefficient's t test. Fewer denominator
// degrees of freedom than 0 are an error: the clusters are too few for the
// hypothesis. It panics on an index that is out of range and on other
// adjustments than CR2.
func (r *RobustResult) WaldHTZ(indices ...int) (TestResult, error) {
	if r.Adjustment != CR2 || len(indices) == 0 {
		panic("meta: the HTZ test needs CR2 and at least one coefficient")
	}
	w, q := r.w, len(indices)
	lists := make([][]contrast, q)
	omega := make([]float64, q*q)
	for s, index := range indices {
		c := make([]float64, w.p)
		c[index] = 1
		lists[s] = w.contrasts(c)
	}
	for s := range q {
		for t := range q {
			for i := range w.clusters {
				omega[s*q+t] += w.own(i, lists[s][i], lists[t][i]) - bilinear(w.cov, lists[s][i].b, lists[t][i].b, w.p)
			}
		}
	}
	statistic, ok := r.wald(indices)
	whitened, okOmega := w.whiten(lists, omega)
	if !ok || !okOmega {
		return TestResult{}, &DataError{Column: "cluster", Reason: "too few clusters to test these coefficients together: their robust covariance is singular"}
	}
	variance := 0.0
	for s := range q {
		for t := range q {
			variance += w.pairs(whitened[s], whitened[s], whitened[t], whitened[t]) + w.pairs(whitened[s], whitened[t], whitened[t], whitened[s])
		}
	}
	eta := float64(q*(q+1)) / variance
	df2 := eta - float64(q) + 1
	if !(df2 > 0) {
		return TestResult{}, &DataError{Column: "cluster", Reason: "too few clusters to test these coefficients together: no degrees of freedom are left"}
	}
	out := TestResult{Stat: statistic * df2 / (eta * float64(q)), DF1: float64(q), DF2: df2}
	out.P = fTail(out.Stat, out.DF1, out.DF2)
	return out, nil
}

// wald is the quadratic form of the coefficients in their robust covariance.
func (r *RobustResult) wald(indices []int) (float64, bool) {
	q := len(indices)
	v, inv, b := make([]float64, q*q), make([]float64, q*q), make([]float64, q)
	for s, i := range indices {
		b[s] = r.Coefficients[i].Estimate
		for t, j := range indices {
			v[s*q+t] = r.VCov.At(i, j)
		}
	}
	if math.IsNaN(invertSPD(v, inv, q)) {
		return 0, false
	}
	return quadratic(inv, b, q), true
}

// whiten combines the contrasts so that the expectation of their robust
// covariance is the identity.
func (w *working) whiten(lists [][]contrast, omega []float64) ([][]contrast, bool) {
	q := len(lists)
	var eigen mat.EigenSym
	if !eigen.Factorize(symmetric(omega, q), true) {
		return nil, false
	}
	values := eigen.Values(nil)
	if !(values[0] > 1e-14*values[q-1]) {
		return nil, false
	}
	var u mat.Dense
	eigen.VectorsTo(&u)
	out := make([][]contrast, q)
	for s := range q {
		out[s] = make([]contrast, len(w.clusters))
		for i := range w.clusters {
			n := lists[0][i].g.Len()
			x := contrast{g: mat.NewVecDense(n, nil), b: make([]float64, w.p)}
			for t := range q {
				f := u.At(t, s) / math.Sqrt(values[s])
				x.g.AddScaledVec(x.g, f, lists[t][i].g)
				for l, b := range lists[t][i].b {
					x.b[l] += f * b
				}
			}
			x.own = mat.Inner(x.g, w.clusters[i].phi, x.g)
			out[s][i] = x
		}
	}
	return out, true
}
