// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// maxDense is the most random effects that Kenward and Roger's method, which
// needs the whole of Z'V^-1Z, is tried with where groupings are several.
const maxDense = 2500

// component is an element of the covariance of a random term.
type component struct{ term, a, b int }

// cluster is a part of the rows independent of all others: Z'Z, Z'X and the
// random effects in it.
type cluster struct {
	k      int
	zz, zx []float64
	nodes  [][2]int // term, and its first row in zz
}

// kr gathers the sums of Kenward and Roger (1997, Biometrics 53, 983-997) over
// clusters, for the components G_1.. of the random terms and G_0 = I of the
// residual: P_i = X'V^-1 G_i V^-1 X, Q_ij = X'V^-1 G_i V^-1 G_j V^-1 X, and the
// traces of V^-1 G_i V^-1 G_j.
type kr struct {
	p      int
	comps  []component
	lambda [][]float64
	sigma2 float64
	pm     [][]float64
	qm     [][][]float64
	trace  []float64
}

// adjusted is the small-sample covariance of the fixed effects of Kenward and
// Roger, made ready for tests.
type adjusted struct {
	phi, phiA []float64 // p x p, coefficients of Q
	pm        [][]float64
	w         []float64 // covariance of the components
}

// product is multiply, with the library where it pays.
func product(a, b []float64, n, k, m int) []float64 {
	if n*k*m < 1<<15 {
		return multiply(a, b, n, k, m)
	}
	c := make([]float64, n*m)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, blas64.General{Rows: n, Cols: k, Stride: k, Data: a},
		blas64.General{Rows: k, Cols: m, Stride: m, Data: b}, 0, blas64.General{Rows: n, Cols: m, Stride: m, Data: c})
	return c
}

// clusters cuts the engine's sums into independent parts.
func clusters(e engine) ([]cluster, error) {
	switch e := e.(type) {
	case *groupEngine:
		p := e.m - 1
		var nodes [][2]int
		at := 0
		for t, q := range e.qs {
			nodes = append(nodes, [2]int{t, at})
			at += q
		}
		out := make([]cluster, e.groups)
		for g := range out {
			out[g] = cluster{k: e.q, zz: e.zz[g*e.q*e.q:][:e.q*e.q], zx: dropLast(e.zm[g*e.q*e.m:][:e.q*e.m], e.q, p), nodes: nodes}
		}
		return out, nil
	case *sparseEngine:
		if e.size > maxDense {
			return nil, fmt.Errorf("Kenward and Roger's method with %d random effects in several groupings would need %d GB; use Satterthwaite", e.size, 8*e.size*e.size*6>>30+1)
		}
		return []cluster{e.whole()}, nil
	case *plainEngine:
		return nil, nil
	}
	return nil, errors.New("no sums for this engine")
}

// dropLast takes the column of y away.
func dropLast(zm []float64, q, p int) []float64 {
	out := make([]float64, 0, q*p)
	for i := range q {
		out = append(out, zm[i*(p+1):i*(p+1)+p]...)
	}
	return out
}

// whole writes the sums as one cluster.
func (e *sparseEngine) whole() cluster {
	n := e.size
	c := cluster{k: n, zz: make([]float64, n*n), zx: dropLast(e.zm, n, e.m-1)}
	set := func(a, b int32, block []float64) {
		qb := e.q(b)
		for i, v := range block {
			r, s := int(e.offset[a])+i/qb, int(e.offset[b])+i%qb
			c.zz[r*n+s], c.zz[s*n+r] = v, v
		}
	}
	for v, t := range e.term {
		c.nodes = append(c.nodes, [2]int{int(t), int(e.offset[v])})
		set(int32(v), int32(v), e.own[e.diag[v]:][:e.qs[t]*e.qs[t]])
	}
	for _, d := range e.edges {
		set(d.a, d.b, d.block)
	}
	return c
}

// spreadOut writes factors of the terms on the diagonal of a k x k matrix.
func (c *cluster) spreadOut(lambda [][]float64, terms []*term) []float64 {
	out := make([]float64, c.k*c.k)
	for _, n := range c.nodes {
		q := terms[n[0]].q
		for i := range q {
			copy(out[(n[1]+i)*c.k+n[1]:], lambda[n[0]][i*q:(i+1)*q])
		}
	}
	return out
}

// times returns E_i m for a component, E_i being the derivative of the covariance
// of all effects of the cluster; m is k x w.
func (c *cluster) times(i component, m []float64, w int) []float64 {
	out := make([]float64, len(m))
	for _, n := range c.nodes {
		if n[0] == i.term {
			copy(out[(n[1]+i.a)*w:][:w], m[(n[1]+i.b)*w:][:w])
			copy(out[(n[1]+i.b)*w:][:w], m[(n[1]+i.a)*w:][:w])
		}
	}
	return out
}

// add adds a cluster. With M = Lambda A^-1 Lambda' and J = I - Z'Z M it is
// Z'V^-1 = J Z' / sigma^2, and each further V^-1 another J.
func (s *kr) add(c *cluster, terms []*term) bool {
	k, p := c.k, s.p
	l := c.spreadOut(s.lambda, terms)
	lt := transposed(l, k, k)
	a := product(lt, product(c.zz, l, k, k, k), k, k, k)
	for i := range k {
		a[i*k+i]++
	}
	if !cholesky(a, k) {
		return false
	}
	forward(a, k, lt, k) // L^-1 Lambda'
	m := product(transposed(lt, k, k), lt, k, k, k)
	j := product(c.zz, m, k, k, k)
	for i := range j {
		j[i] = -j[i]
	}
	for i := range k {
		j[i*k+i]++
	}
	for i := range j {
		j[i] /= s.sigma2
	}
	n1, b1 := product(j, c.zz, k, k, k), product(j, c.zx, k, k, p) // Z'V^-1Z, Z'V^-1X
	n2, b2 := product(j, n1, k, k, k), product(j, b1, k, k, p)     // with V^-2
	mzx := product(m, c.zx, k, k, p)
	mzz := product(m, c.zz, k, k, k)
	s.residual(c, b1, b2, mzx, mzz)
	s.components(c, n1, n2, b1, b2)
	return true
}

// residual adds what concerns G_0 alone, less its part in the whole X'X, which
// finish adds: X'V^-2X = (X'V^-1X - X'V^-1Z M Z'X)/sigma^2, and so on.
func (s *kr) residual(c *cluster, b1, b2, mzx, mzz []float64) {
	k, p := c.k, s.p
	r := s.sigma2
	zx := c.zx
	x1 := multiply(transposed(zx, k, p), mzx, p, k, p) // X'V^-1X = (X'X - x1)/r
	y1 := multiply(transposed(b1, k, p), mzx, p, k, p)
	y2 := multiply(transposed(b2, k, p), mzx, p, k, p)
	for i := range x1 {
		v2 := (-x1[i]/r - y1[i]) / r
		s.pm[0][i] += v2
		s.qm[0][0][i] += (v2 - y2[i]) / r
	}
	tr := 0.0
	for i := range k {
		tr -= 2 * mzz[i*k+i]
		for j := range k {
			tr += mzz[i*k+j] * mzz[j*k+i]
		}
	}
	s.trace[0] += tr / (r * r)
}

func (s *kr) components(c *cluster, n1, n2, b1, b2 []float64) {
	k, p, g := c.k, s.p, len(s.comps)+1
	bt := transposed(b1, k, p)
	en := make([][]float64, len(s.comps)) // E_i Z'V^-1Z
	for i, comp := range s.comps {
		en[i] = c.times(comp, n1, k)
		eb := c.times(comp, b1, p)
		addTo(s.pm[i+1], multiply(bt, eb, p, k, p))
		q0 := multiply(bt, c.times(comp, b2, p), p, k, p)
		addTo(s.qm[i+1][0], q0)
		addTo(s.qm[0][i+1], transposed(q0, p, p))
		e2 := c.times(comp, n2, k)
		for d := range k {
			s.trace[(i+1)*g] += e2[d*k+d]
			s.trace[i+1] += e2[d*k+d]
		}
	}
	for i := range s.comps {
		left := multiply(bt, en[i], p, k, k) // B'E_i N
		for j, comp := range s.comps {
			addTo(s.qm[i+1][j+1], multiply(left, c.times(comp, b1, p), p, k, p))
			if j > i {
				continue
			}
			tr := 0.0
			for a := range k {
				for b := range k {
					tr += en[i][a*k+b] * en[j][b*k+a]
				}
			}
			s.trace[(i+1)*g+j+1] += tr
			if i != j {
				s.trace[(j+1)*g+i+1] += tr
			}
		}
	}
}

func addTo(into, v []float64) {
	for i, x := range v {
		into[i] += x
	}
}

// adjust computes the adjusted covariance. It needs REML and residuals without a
// structure.
func (m *Model) adjust() (*adjusted, error) {
	m.busy.Lock()
	defer m.busy.Unlock()
	switch {
	case m.adjusted != nil:
		return m.adjusted, nil
	case !m.REML:
		return nil, errors.New("Kenward and Roger's method needs a fit by REML")
	case m.pr.shape != nil:
		return nil, errors.New("Kenward and Roger's method is not there for correlated residuals or unequal variances; use Satterthwaite")
	}
	pr := m.pr
	cs, err := clusters(pr.engine)
	if err != nil {
		return nil, err
	}
	s := &kr{p: pr.p, lambda: m.last.lambda, sigma2: m.Sigma * m.Sigma}
	for t, tm := range pr.terms {
		for b := range tm.q {
			for a := b; a < tm.q; a++ {
				s.comps = append(s.comps, component{t, a, b})
			}
		}
	}
	g := len(s.comps) + 1
	s.trace = make([]float64, g*g)
	for range g {
		s.pm = append(s.pm, make([]float64, pr.p*pr.p))
		row := make([][]float64, g)
		for j := range row {
			row[j] = make([]float64, pr.p*pr.p)
		}
		s.qm = append(s.qm, row)
	}
	s.whole(pr.n)
	for i := range cs {
		if !s.add(&cs[i], pr.terms) {
			return nil, errHessian
		}
	}
	if m.adjusted, err = s.finish(pr.covQ(m.last, s.sigma2)); err != nil {
		return nil, err
	}
	return m.adjusted, nil
}

// whole adds the parts of G_0 without random effects; X'X is n I in the
// coordinates of the problem.
func (s *kr) whole(n int) {
	r := s.sigma2
	for i := range s.p {
		d := i*s.p + i
		s.pm[0][d] += float64(n) / (r * r)
		s.qm[0][0][d] += float64(n) / (r * r * r)
	}
	s.trace[0] += float64(n) / (r * r)
}

// finish computes W, the covariance of the components by the expected
// information, and Phi_A = Phi + 2 Phi (sum W_ij (Q_ij - P_i Phi P_j)) Phi.
func (s *kr) finish(phi []float64) (*adjusted, error) {
	p, g := s.p, len(s.comps)+1
	pphi := make([][]float64, g)
	for i := range pphi {
		pphi[i] = multiply(s.pm[i], phi, p, p, p)
	}
	info := make([]float64, g*g)
	for i := range g {
		for j := range g {
			info[i*g+j] = s.trace[i*g+j]
			for a := range p {
				for b := range p {
					info[i*g+j] += pphi[i][a*p+b]*pphi[j][b*p+a] - 2*phi[a*p+b]*s.qm[i][j][b*p+a]
				}
			}
		}
	}
	for i := range g {
		for j := range i {
			v := (info[i*g+j] + info[j*g+i]) / 2
			info[i*g+j], info[j*g+i] = v, v
		}
	}
	w, ok := scaledInverse(info, g)
	if !ok {
		return nil, errors.New("the information on the variances is singular: Kenward and Roger's method does not apply; use Satterthwaite")
	}
	u := make([]float64, p*p)
	for i := range g {
		for j := range g {
			ppp := multiply(pphi[i], s.pm[j], p, p, p)
			for k := range u {
				u[k] += w[i*g+j] * (s.qm[i][j][k] - ppp[k])
			}
		}
	}
	a := &adjusted{phi: phi, pm: s.pm, w: w}
	a.phiA = multiply(multiply(phi, u, p, p, p), phi, p, p, p)
	for i := range a.phiA {
		a.phiA[i] = phi[i] + 2*a.phiA[i]
	}
	return a, nil
}

// scaledInverse returns twice the inverse of a positive definite matrix whose
// rows may have very different sizes.
func scaledInverse(a []float64, n int) ([]float64, bool) {
	d := make([]float64, n)
	for i := range n {
		if !(a[i*n+i] > 0) {
			return nil, false
		}
		d[i] = 1 / math.Sqrt(a[i*n+i])
	}
	l := make([]float64, n*n)
	inv := make([]float64, n*n)
	for i := range n {
		for j := range n {
			l[i*n+j] = a[i*n+j] * d[i] * d[j]
		}
		inv[i*n+i] = 1
	}
	if !cholesky(l, n) {
		return nil, false
	}
	for i := range n {
		if l[i*n+i] < 1e-7 {
			return nil, false
		}
	}
	forward(l, n, inv, n)
	backward(l, n, inv, n)
	for i := range n {
		for j := range n {
			inv[i*n+j] *= 2 * d[i] * d[j]
		}
	}
	return inv, true
}

// KenwardRoger returns t tests of the fixed effects with the covariance and the
// degrees of freedom of Kenward and Roger (1997, Biometrics 53, 983-997), as
// pbkrtest. It needs a fit by REML with independent residuals.
func (m *Model) KenwardRoger() ([]Test, error) {
	a, err := m.adjust()
	if err != nil {
		return nil, err
	}
	tests := make([]Test, len(m.Fixed))
	for j, c := range m.Fixed {
		l := make([]float64, len(m.Fixed))
		l[j] = 1
		f, err := m.kenwardRogerF(a, [][]float64{l})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		tests[j] = tTest(c.Name, c.Estimate, math.Sqrt(quadratic(m.pr.inQ(l), a.phiA)), f.DF2)
	}
	return tests, nil
}

// KenwardRogerF tests that all the contrasts, each of the length of Fixed, are
// nought. See [Model.KenwardRoger].
func (m *Model) KenwardRogerF(contrasts [][]float64) (FTest, error) {
	a, err := m.adjust()
	if err != nil {
		return FTest{}, err
	}
	return m.kenwardRogerF(a, contrasts)
}

func (m *Model) kenwardRogerF(a *adjusted, contrasts [][]float64) (FTest, error) {
	l, estimate, err := m.contrasts(contrasts)
	if err != nil {
		return FTest{}, err
	}
	q, p := len(contrasts), m.pr.p
	lt := transposed(l, q, p)
	inner, ok := scaledInverse(multiply(multiply(l, a.phi, q, p, p), lt, q, p, q), q)
	outer, ok2 := scaledInverse(multiply(multiply(l, a.phiA, q, p, p), lt, q, p, q), q)
	if !ok || !ok2 {
		return FTest{}, errors.New("the contrasts depend on each other")
	}
	for i := range inner {
		inner[i] /= 2
		outer[i] /= 2
	}
	theta := multiply(multiply(lt, inner, p, q, q), l, p, q, p)
	scale, df := a.match(theta, q)
	if !(df > 0) || !(scale > 0) || math.IsInf(df, 1) {
		return FTest{}, errors.New("Kenward and Roger's method finds no F distribution that fits; use Satterthwaite")
	}
	f := scale * quadratic(estimate, outer) / float64(q)
	return FTest{F: f, DF1: float64(q), DF2: df, P: fisherP(f, float64(q), df), Scale: scale}, nil
}

// match finds the scale and the degrees of freedom whose F distribution has the
// moments of the statistic (Kenward and Roger 1997, section 3).
func (a *adjusted) match(theta []float64, contrasts int) (scale, df float64) {
	p, g := int(math.Sqrt(float64(len(a.phi)))), len(a.pm)
	tp := make([][]float64, g)
	traces := make([]float64, g)
	tphi := multiply(theta, a.phi, p, p, p)
	for i, pm := range a.pm {
		tp[i] = multiply(multiply(tphi, pm, p, p, p), a.phi, p, p, p)
		for d := range p {
			traces[i] += tp[i][d*p+d]
		}
	}
	a1, a2 := 0.0, 0.0
	for i := range g {
		for j := range g {
			w := a.w[i*g+j]
			a1 += w * traces[i] * traces[j]
			for c := range p {
				for d := range p {
					a2 += w * tp[i][c*p+d] * tp[j][d*p+c]
				}
			}
		}
	}
	q := float64(contrasts)
	b := (a1 + 6*a2) / (2 * q)
	gg := ((q+1)*a1 - (q+4)*a2) / ((q + 2) * a2)
	d := 3*q + 2*(1-gg)
	c1, c2, c3 := gg/d, (q-gg)/d, (q+2-gg)/d
	e := 1 / (1 - a2/q)
	v := 2 / q * (1 + c1*b) / ((1 - c2*b) * (1 - c2*b) * (1 - c3*b))
	rho := v / (2 * e * e)
	df = 4 + (q+2)/(q*rho-1)
	return df / (e * (df - 2)), df
}
