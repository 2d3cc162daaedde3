// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// report turns the last value into results in the coordinates of the data.
func (m *Model) report() error {
	pr, v := m.pr, m.last
	m.Criterion, m.LogLik = v.dev, -v.dev/2
	m.Parameters = pr.p + len(m.par) + 1
	m.AIC = v.dev + 2*float64(m.Parameters)
	m.BIC = v.dev + math.Log(float64(m.N))*float64(m.Parameters)
	m.Sigma = math.Sqrt(v.r2 / v.nu)
	rest := 0.0 // mean square of what the fixed effects leave
	for i := range pr.n {
		y := pr.base.xy[i*(pr.p+1)+pr.p]
		rest += y * y / float64(pr.n)
	}
	if !(m.Sigma*m.Sigma > 1e-12*rest) || math.IsInf(v.dev, 0) || math.IsNaN(v.dev) {
		return fmt.Errorf("the residual variance of %s vanishes beside the others: the groups reproduce the response", m.design.Formula.Response())
	}
	beta := pr.user(v.beta)
	m.VCov = mat.NewSymDense(pr.p, pr.vcov(v, v.r2/v.nu))
	for j, name := range m.x.Names {
		m.Fixed = append(m.Fixed, Coefficient{Name: name, Estimate: beta[j] + pr.b0[j], SE: math.Sqrt(m.VCov.At(j, j))})
	}
	names := map[string]int{}
	for t, tm := range pr.terms {
		label := tm.name
		if k := names[tm.name]; k > 0 {
			label = fmt.Sprintf("%s.%d", tm.name, k)
		}
		names[tm.name]++
		l := lowerOf(multiply(pr.sInv[t], v.lambda[t], tm.q, tm.q, tm.q), tm.q)
		m.addTheta(tm, l)
		m.addComponents(tm, label, l)
	}
	s2 := m.Sigma * m.Sigma
	m.Components = append(m.Components, Component{Group: "Residual", VCov: s2, SDCor: m.Sigma})
	if err := m.withinReach(); err != nil {
		return err
	}
	m.effects()
	if pr.shape != nil {
		m.Residual = pr.shape.report(m.par[pr.thetas():], m.Sigma)
		m.State.Singular = append(m.State.Singular, pr.shape.ends(m.Residual)...)
	}
	if !finite([]float64{m.State.Gradient, m.State.Gain}) {
		why := "a variance vanishes"
		if len(m.State.Singular) > 0 {
			why = m.State.Singular[len(m.State.Singular)-1]
		}
		return fmt.Errorf("the likelihood grows without end: %s", why)
	}
	if !m.State.Converged && m.State.Note == "" {
		m.State.Note = "the optimiser stopped before the gradient vanished"
	}
	return nil
}

// withinReach refuses coefficients and variances that a number cannot hold: those
// of columns near 1e-300 or 1e300.
func (m *Model) withinReach() error {
	for j, c := range m.Fixed {
		if !finite([]float64{c.Estimate, c.SE}) || !(m.VCov.At(j, j) > 0) {
			return fmt.Errorf("the values of %s are too large or too small for its coefficient; give it in another unit", c.Name)
		}
	}
	for _, c := range m.Components {
		if !finite([]float64{c.VCov, c.SDCor}) {
			return fmt.Errorf("the values of %s are too large or too small for its variance between groups of %s; give it in another unit", c.Var1, c.Group)
		}
	}
	return nil
}

// vcov returns sigma2 (X'W^-1X)^-1 in the user's coordinates.
func (pr *problem) vcov(v *value, sigma2 float64) []float64 {
	p := pr.p
	r := multiply(pr.txInv, v.rinv, p, p, p)
	c := multiply(r, transposed(r, p, p), p, p, p)
	for i := range c {
		c[i] *= sigma2
	}
	return c
}

func (m *Model) addTheta(t *term, l []float64) {
	for j := range t.q {
		for i := j; i < t.q; i++ {
			name := t.name + "." + t.names[i]
			if i > j {
				name += "." + t.names[j]
			}
			m.Theta = append(m.Theta, Theta{Name: name, Value: l[i*t.q+j]})
		}
	}
}

// addComponents lists variances, then covariances, and names what is singular.
func (m *Model) addComponents(t *term, label string, l []float64) {
	q, s2 := t.q, m.Sigma*m.Sigma
	g := multiply(l, transposed(l, q, q), q, q, q)
	for i := range q {
		v := s2 * g[i*q+i]
		m.Components = append(m.Components, Component{Group: label, Var1: t.names[i], VCov: v, SDCor: math.Sqrt(v)})
		if g[i*q+i] == 0 {
			m.State.Singular = append(m.State.Singular, fmt.Sprintf("the variance of %s between groups of %s is 0", t.names[i], t.name))
		}
	}
	dependent := false
	for j := range q {
		for i := j + 1; i < q; i++ {
			c := Component{Group: label, Var1: t.names[j], Var2: t.names[i], VCov: s2 * g[i*q+j]}
			if d := math.Sqrt(g[i*q+i] * g[j*q+j]); d > 0 {
				c.SDCor = max(-1, min(1, g[i*q+j]/d))
			}
			m.Components = append(m.Components, c)
		}
		row := 0.0
		for i := range j + 1 {
			row = math.Hypot(row, l[j*q+i])
		}
		dependent = dependent || row > 0 && math.Abs(l[j*q+j]) < 1e-6*row
	}
	if dependent {
		m.State.Singular = append(m.State.Singular, fmt.Sprintf("the effects of %s determine each other: a correlation is 1 or -1", t.name))
	}
}

// effects computes the conditional modes b and their variance sigma^2 Lambda A^-1
// Lambda' (Bates et al. 2015, equation 58).
func (m *Model) effects() {
	b, v := m.pr.engine.modes(m.last.beta)
	for t, tm := range m.pr.terms {
		q, inv := tm.q, m.pr.sInv[t]
		e := Effects{Group: tm.name, Names: tm.names, Levels: tm.levels}
		e.Modes, e.Variance = make([][]float64, len(tm.levels)), make([]*mat.SymDense, len(tm.levels))
		tinv := transposed(inv, q, q)
		for g := range tm.levels {
			e.Modes[g] = multiply(inv, b[t][g*q:(g+1)*q], q, q, 1)
			c := multiply(multiply(inv, v[t][g*q*q:(g+1)*q*q], q, q, q), tinv, q, q, q)
			for i := range c {
				c[i] *= m.Sigma * m.Sigma
			}
			e.Variance[g] = mat.NewSymDense(q, c)
		}
		m.Effects = append(m.Effects, e)
	}
}
