// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// RVE is robust variance estimation with approximate weights from moments, as
// the R package robumeta has it: Hedges, Tipton and Johnson (2010), doi
// 10.1002/jrsm.5, with the small-sample corrections of Tipton (2015), doi
// 10.1037/met0000011.
type RVE struct {
	// RobustResult holds the coefficients with CR2 for the weights' own model.
	*RobustResult
	// Tau2 is the variance between clusters; Omega2 that between effects of a
	// cluster, 0 in the correlated model.
	Tau2, Omega2 float64
	// I2 is the percentage of QE that exceeds what sampling error would let
	// expect; of the correlated model only, else 0.
	I2 float64
	// QE is the weighted residual sum of squares at tau² = 0.
	QE float64
	// State is Boundary when Tau2 or Omega2 was cut off at 0.
	State State
}

// RobustCorrelated is the correlated effects model: all effects of a cluster
// get the weight 1/(n (mean variance + tau²)), and rho is the assumed
// correlation of their sampling errors, between 0 and 1, which matters for tau²
// alone.
func RobustCorrelated(d Data, clusters []string, rho float64) (*RVE, error) {
	if !(rho >= 0 && rho <= 1) {
		return nil, &DataError{Column: "rho", Reason: fmt.Sprintf("is %v, not between 0 and 1", rho)}
	}
	s, groups, err := rveSample(d, clusters)
	if err != nil {
		return nil, err
	}
	mean := make([]float64, s.k) // the mean variance of each row's cluster
	for _, rows := range groups {
		m := 0.0
		for _, i := range rows {
			m += s.v[i] / float64(len(rows))
		}
		for _, i := range rows {
			mean[i] = m
			s.w[i] = 1 / (m * float64(len(rows)))
		}
	}
	m := s.weighted()
	// Expected QE of the working model V = mean ((1-rho) I + rho J) + tau² J.
	p := s.p
	within, between, spread := make([]float64, p*p), make([]float64, p*p), make([]float64, p*p)
	sum := 0.0
	for _, rows := range groups {
		w, n := s.w[rows[0]], float64(len(rows))
		sum += w * n
		total := make([]float64, p)
		for _, i := range rows {
			addOuter(within, s.q[i*p:i*p+p], w/n)
			addTo(total, s.q[i*p:i*p+p])
		}
		addOuter(between, total, w/n)
		addOuter(spread, total, w*w)
	}
	clustersN := float64(len(groups))
	expected := clustersN - (1-rho)*traceProduct(m.cov, within, p) - rho*traceProduct(m.cov, between, p)
	tau2 := max(0, (m.rss-expected)/(sum-traceProduct(m.cov, spread, p)))
	for _, rows := range groups {
		for _, i := range rows {
			s.w[i] = 1 / (float64(len(rows)) * (mean[i] + tau2))
		}
	}
	out, err := s.rve(groups, tau2, 0)
	if err != nil {
		return nil, err
	}
	out.QE = m.rss
	if m.rss > 0 {
		out.I2 = max(0, 100*(1-expected/m.rss))
	}
	return out, nil
}

// RobustHierarchical is the hierarchical effects model: independent sampling
// errors, a variance within clusters and one between, weights
// 1/(v + tau² + omega²).
func RobustHierarchical(d Data, clusters []string) (*RVE, error) {
	s, groups, err := rveSample(d, clusters)
	if err != nil {
		return nil, err
	}
	for i, v := range s.v {
		s.w[i] = 1 / v
	}
	m := s.weighted()
	res := append([]float64(nil), s.res...)
	h := s.hierarchical(m, groups)
	q1 := 0.0
	for _, rows := range groups {
		sum := 0.0
		for _, i := range rows {
			sum += res[i]
		}
		q1 += sum * sum
	}
	// Two expectations, linear in the two variances, solved for both.
	det := h.omega[0]*h.tau[1] - h.omega[1]*h.tau[0]
	if det == 0 {
		return nil, &DataError{Column: "cluster", Reason: "has one effect in each cluster, so the variances within and between cannot be told apart"}
	}
	e0, e1 := m.rss-h.constant[0], q1-h.constant[1]
	omega2 := max(0, (e0*h.tau[1]-e1*h.tau[0])/det)
	// With omega² cut off at 0, tau² is what QE alone then says.
	tau2 := max(0, (e0-omega2*h.omega[0])/h.tau[0])
	for i, v := range s.v {
		s.w[i] = 1 / (v + tau2 + omega2)
	}
	out, err := s.rve(groups, tau2, omega2)
	if err != nil {
		return nil, err
	}
	out.QE = m.rss
	return out, nil
}

func rveSample(d Data, clusters []string) (*sample, [][]int, error) {
	s, err := newSample(d)
	if err != nil {
		return nil, nil, err
	}
	groups, err := clusterRows(clusters, s.k)
	return s, groups, err
}

// expectations of QE (index 0) and of the sum over clusters of squared sums of
// residuals (index 1) as constant + omega omega² + tau tau².
type expectations struct {
	constant, omega, tau [2]float64
}

// hierarchical expects residuals (I-H)y with H = Q (Q'WQ)^-1 Q'W, W = V^-1.
// For a covariance S of y, QE expects tr(PS) and the other tr(J(I-H)S(I-H)'),
// J the block matrix of ones.
func (s *sample) hierarchical(m moments, groups [][]int) expectations {
	p := s.p
	var (
		qjq    = make([]float64, p*p) // Q'JQ
		qjwq   = make([]float64, p*p) // Q'J W Q, through sums by cluster
		qw2q   = make([]float64, p*p) // Q'W²Q
		qwjwq  = make([]float64, p*p) // Q'WJWQ
		qwjq1  = make([]float64, p*p) // sum over clusters of n (Q'1)(Q'W1)'
		w1     = 0.0                  // sum of weights
		n2     = 0.0                  // sum of squared cluster sizes
		trJV   = 0.0                  // sum of variances
		qjSjwq = make([]float64, p*p) // sum over clusters of (Q'1)(1'VWQ) = Q'JQ
	)
	for _, rows := range groups {
		n := float64(len(rows))
		n2 += n * n
		sum, weighted := make([]float64, p), make([]float64, p)
		for _, i := range rows {
			row := s.q[i*p : i*p+p]
			addTo(sum, row)
			for c, q := range row {
				weighted[c] += s.w[i] * q
			}
			w1 += s.w[i]
			trJV += s.v[i]
			addOuter(qw2q, row, s.w[i]*s.w[i])
		}
		addOuter(qjq, sum, 1)
		addOuter(qwjwq, weighted, 1)
		addCross(qjwq, sum, weighted, 1)
		addCross(qwjq1, sum, weighted, n)
		addCross(qjSjwq, sum, sum, 1)
	}
	var e expectations
	e.constant[0] = float64(s.k - p)
	e.omega[0] = w1 - traceProduct(m.cov, qw2q, p)
	e.tau[0] = w1 - traceProduct(m.cov, qwjwq, p)
	// tr(J S) - 2 tr(J H S) + tr(J H S H'), for S = V, I and J in turn.
	mj := product(m.cov, qjq, p) // (Q'WQ)^-1 Q'JQ
	e.constant[1] = trJV - 2*traceProduct(m.cov, qjSjwq, p) + trace(mj, p)
	e.omega[1] = float64(s.k) - 2*traceProduct(m.cov, qjwq, p) + traceProduct(mj, product(m.cov, qw2q, p), p)
	e.tau[1] = n2 - 2*traceProduct(m.cov, qwjq1, p) + traceProduct(mj, product(m.cov, qwjwq, p), p)
	return e
}

// rve is the sandwich at the weights in s.w, whose inverse is the assumed
// covariance.
func (s *sample) rve(groups [][]int, tau2, omega2 float64) (*RVE, error) {
	m := s.weighted()
	w := &working{design: s.design, cov: m.cov, shift: s.shift, level: 0.95, names: s.names}
	for _, rows := range groups {
		phi := mat.NewSymDense(len(rows), nil)
		for i, row := range rows {
			phi.SetSym(i, i, 1/s.w[row])
		}
		c, err := w.cluster(rows, s.y, m.gamma, phi)
		if err != nil {
			return nil, err
		}
		w.clusters = append(w.clusters, c)
	}
	for _, b := range s.coefficients(m.gamma) {
		w.beta = append(w.beta, math.Ldexp(b, -s.shift))
	}
	robust, err := w.robust(CR2)
	if err != nil {
		return nil, err
	}
	out := &RVE{RobustResult: robust, Tau2: s.unscale(tau2, 2), Omega2: s.unscale(omega2, 2), State: Converged}
	if tau2 == 0 {
		out.State = Boundary
	}
	return out, nil
}

func addTo(sum, x []float64) {
	for i, v := range x {
		sum[i] += v
	}
}

func addOuter(a, x []float64, f float64) { addCross(a, x, x, f) }

func addCross(a, x, y []float64, f float64) {
	p := len(x)
	for i := range p {
		for j := range p {
			a[i*p+j] += f * x[i] * y[j]
		}
	}
}
