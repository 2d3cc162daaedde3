// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Adjustment names a cluster-robust ("sandwich") covariance of coefficients.
// With m clusters and p coefficients:
type Adjustment string

// The adjustments.
const (
	// CR0 takes the residuals as they are: White (1980), Liang and Zeger (1986).
	CR0 Adjustment = "CR0"
	// CR1 multiplies CR0 by m/(m-p), as metafor's robust with adjust = TRUE;
	// clubSandwich calls that CR1p.
	CR1 Adjustment = "CR1"
	// CR1M multiplies CR0 by m/(m-1), which clubSandwich calls CR1.
	CR1M Adjustment = "CR1m"
	// CR2 adjusts the residuals so that the result has no bias when the working
	// model is right: Bell and McCaffrey (2002), in the form of Tipton and
	// Pustejovsky (2015), doi 10.3102/1076998615606099.
	CR2 Adjustment = "CR2"
)

// RobustResult has standard errors that do not rest on the working model.
type RobustResult struct {
	Adjustment Adjustment
	Clusters   int
	// Coefficients have Satterthwaite's degrees of freedom for CR2, m-p else.
	Coefficients []Coefficient
	VCov         *mat.SymDense

	w *working
}

// working is what the sandwich needs of a model: in units of the sample, for
// each cluster the rows' Q, residuals, weights and assumed covariance.
type working struct {
	*design
	names    []string
	beta     []float64
	cov      []float64 // (Q'WQ)^-1
	clusters []cluster
	shift    int
	level    float64
}

type cluster struct {
	q     *mat.Dense // n x p
	e     []float64
	phi   *mat.SymDense // the assumed covariance
	wq    *mat.Dense    // W Q
	a     *mat.Dense    // A' W Q with the adjustment A of CR2
	score []float64     // a' e
}

// Robust makes the standard errors of a fit robust to dependence within
// clusters, at the level of confidence of the fit. clusters labels the rows. It
// needs more clusters than coefficients.
func (r *Result) Robust(clusters []string, adjustment Adjustment) (*RobustResult, error) {
	groups, err := clusterRows(clusters, r.K)
	if err != nil {
		return nil, err
	}
	tau2 := math.Ldexp(r.Tau2, 2*r.s.shift)
	w := &working{design: r.s.design, cov: r.at.cov, shift: r.s.shift, level: r.Level}
	for _, rows := range groups {
		phi := mat.NewSymDense(len(rows), nil)
		for i, row := range rows {
			phi.SetSym(i, i, r.s.v[row]+tau2)
		}
		c, err := w.cluster(rows, r.s.y, r.at.gamma, phi)
		if err != nil {
			return nil, err
		}
		w.clusters = append(w.clusters, c)
	}
	w.take(r.Coefficients)
	return w.robust(adjustment)
}

// Robust is as that of [Result]; each cluster must hold whole groups of the
// outermost level.
func (r *MultilevelResult) Robust(clusters []string, adjustment Adjustment) (*RobustResult, error) {
	groups, err := clusterRows(clusters, r.K)
	if err != nil {
		return nil, err
	}
	if err := r.whole(clusters); err != nil {
		return nil, err
	}
	y := scaled(r.data.Y, r.f.shift)
	w := &working{design: r.f.design, cov: r.cov, shift: r.f.shift, level: r.Level}
	for _, rows := range groups {
		c, err := w.cluster(rows, y, r.gamma, r.covariance(rows))
		if err != nil {
			return nil, err
		}
		w.clusters = append(w.clusters, c)
	}
	w.take(r.Coefficients)
	return w.robust(adjustment)
}

// whole refuses clusters that cut a group of the outermost level in two.
func (r *MultilevelResult) whole(clusters []string) error {
	of := make(map[int]string)
	for i, g := range r.parts[0].group {
		if label, ok := of[g]; ok && label != clusters[i] {
			return &DataError{Row: i + 1, Column: "cluster", Reason: fmt.Sprintf("%q is another than %q of the same %s; clusters must hold whole groups of the outermost level", clusters[i], label, r.parts[0].name)}
		}
		of[g] = clusters[i]
	}
	return nil
}

// covariance is what the model assumes of some rows, in the units of the forest.
func (r *MultilevelResult) covariance(rows []int) *mat.SymDense {
	phi := mat.NewSymDense(len(rows), nil)
	within := -1
	for l, p := range r.parts {
		if r.data.Correlated != nil && p.name == r.data.Correlated.Within {
			within = l
		}
	}
	for i, a := range rows {
		for j, b := range rows[:i+1] {
			x := 0.0
			switch {
			case a == b:
				x = math.Ldexp(r.data.V[a], 2*r.f.shift)
			case within >= 0 && r.parts[within].group[a] == r.parts[within].group[b]:
				x = math.Ldexp(r.data.Correlated.covariance(r.data.V, a, b), 2*r.f.shift)
			}
			for l, p := range r.parts {
				if p.group[a] == p.group[b] {
					x += r.sigma2[l]
				}
			}
			phi.SetSym(i, j, x)
		}
	}
	return phi
}

// clusterRows lists the rows of each cluster, in the order of appearance.
func clusterRows(clusters []string, k int) ([][]int, error) {
	if len(clusters) != k {
		return nil, &DataError{Column: "cluster", Reason: fmt.Sprintf("%d labels for %d effect sizes", len(clusters), k)}
	}
	number := make(map[string]int)
	var rows [][]int
	for i, label := range clusters {
		if label == "" {
			return nil, &DataError{Row: i + 1, Column: "cluster", Reason: "has no label"}
		}
		g, ok := number[label]
		if !ok {
			g = len(rows)
			number[label] = g
			rows = append(rows, nil)
		}
		rows[g] = append(rows[g], i)
	}
	return rows, nil
}

// cluster collects a cluster whose weights are the inverse of phi.
func (w *working) cluster(rows []int, y, gamma []float64, phi *mat.SymDense) (cluster, error) {
	n, p := len(rows), w.p
	c := cluster{q: mat.NewDense(n, p, nil), e: make([]float64, n), phi: phi, wq: mat.NewDense(n, p, nil)}
	for i, row := range rows {
		c.e[i] = y[row]
		for j := range p {
			q := w.q[row*p+j]
			c.q.Set(i, j, q)
			c.e[i] -= q * gamma[j]
		}
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(phi) {
		return c, &DataError{Row: rows[0] + 1, Column: "covariance", Reason: "of its cluster is not positive definite"}
	}
	if err := cholesky.SolveTo(c.wq, c.q); err != nil {
		return c, &DataError{Row: rows[0] + 1, Column: "covariance", Reason: "of its cluster is too close to singular"}
	}
	return c, nil
}

func (w *working) take(coefficients []Coefficient) {
	for _, c := range coefficients {
		w.names = append(w.names, c.Name)
		w.beta = append(w.beta, c.Estimate)
	}
}

// robust is the sandwich (Q'WQ)^-1 sum of scores squared (Q'WQ)^-1.
func (w *working) robust(adjustment Adjustment) (*RobustResult, error) {
	m, p := float64(len(w.clusters)), float64(w.p)
	if len(w.clusters) <= w.p {
		return nil, &DataError{Column: "cluster", Reason: fmt.Sprintf("%d clusters are not more than %d coefficients", len(w.clusters), w.p)}
	}
	factor := 1.0
	switch adjustment {
	case CR0, CR2:
	case CR1:
		factor = m / (m - p)
	case CR1M:
		factor = m / (m - 1)
	default:
		return nil, fmt.Errorf("there is no adjustment %q; known are CR0, CR1, CR1m and CR2", adjustment)
	}
	meat := make([]float64, w.p*w.p)
	for i := range w.clusters {
		c := &w.clusters[i]
		c.a = c.wq
		if adjustment == CR2 {
			if err := w.adjust(c); err != nil {
				return nil, err
			}
		}
		c.finish()
		for s, x := range c.score {
			for t, y := range c.score {
				meat[s*w.p+t] += factor * x * y
			}
		}
	}
	r := &RobustResult{Adjustment: adjustment, Clusters: len(w.clusters), w: w}
	cov := w.covariance(product(product(w.cov, meat, w.p), w.cov, w.p))
	for i := range cov {
		cov[i] = math.Ldexp(cov[i], -2*w.shift)
	}
	r.VCov = symmetric(cov, w.p)
	assumed := w.covariance(w.cov)
	for i, name := range w.names {
		df := m - p
		if adjustment == CR2 {
			df = w.satterthwaite(i)
		}
		se := math.Sqrt(r.VCov.At(i, i))
		// Residuals that are rounding leave a variance that is rounding squared.
		if cov[i*w.p+i] <= 1e-22*math.Ldexp(assumed[i*w.p+i], -2*w.shift) || !(df > 0) {
			return nil, &DataError{Column: name, Reason: "has a robust standard error of zero: within clusters nothing is left to estimate it from"}
		}
		r.Coefficients = append(r.Coefficients, newCoefficient(name, w.beta[i], se, df, critical(1-w.level, df)))
	}
	if err := representable(r.Coefficients); err != nil {
		return nil, err
	}
	return r, nil
}

func (c *cluster) finish() {
	_, p := c.q.Dims()
	c.score = make([]float64, p)
	mat.NewVecDense(p, c.score).MulVec(c.a.T(), mat.NewVecDense(len(c.e), c.e))
}
