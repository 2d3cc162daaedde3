// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Modification says what freeing one parameter would do.
type Modification struct {
	LHS, Op, RHS string
	Group        int
	MI           float64 // expected fall of chi-squared: a score test on 1 degree of freedom
	P            float64
	EPC          float64 // expected value of the parameter, now fixed at 0
}

// Modifications returns the score tests of all cross-loadings and residual
// covariances that a normal-theory model fixes at zero, largest first. It needs a
// fit that converged and is identified. As in lavaan the expected information is
// used for every estimator.
//
// Source: Sorbom (1989), Psychometrika 54; Saris, Satorra & Sorbom (1987).
func (f *Fit) Modifications() ([]Modification, error) {
	if f.normal == nil {
		return nil, fmt.Errorf("modification indices of ordered items are not supported")
	}
	if !f.Converged || !f.Identified {
		return nil, fmt.Errorf("the model did not converge or is not identified")
	}
	var inv *mat.SymDense
	if f.layout.free > 0 {
		_, _, h, ok := f.normal.derivatives(f.theta, expected)
		if !ok {
			return nil, fmt.Errorf("the likelihood could not be computed")
		}
		if inv, ok = inverseSym(h); !ok {
			return nil, fmt.Errorf("the expected information has no inverse")
		}
	}
	var out []Modification
	p := len(f.Items)
	try := func(lhs, op, rhs string, g int, c cell) {
		if f.layout.has(lhs, op, rhs, g+1) {
			return
		}
		if m, ok := f.scoreTest(g, c, inv); ok {
			m.LHS, m.Op, m.RHS, m.Group = lhs, op, rhs, g+1
			out = append(out, m)
		}
	}
	for g := range f.Groups {
		for k, factor := range f.Factors {
			for i, item := range f.Items {
				try(factor, "=~", item, g, cell{kind: arrow, i: i, j: p + k})
			}
		}
		for i, a := range f.Items {
			for j := i + 1; j < p; j++ {
				try(a, "~~", f.Items[j], g, cell{kind: spread, i: i, j: j})
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].MI > out[j].MI })
	return out, nil
}

// scoreTest adds one free cell at zero and looks at the slope there.
func (f *Fit) scoreTest(g int, c cell, inv *mat.SymDense) (Modification, bool) {
	k := f.layout.free
	c.free = k
	rams := slices.Clone(f.rams)
	old := f.rams[g]
	rams[g] = newRAM(old.p, old.m, append(slices.Clone(old.cells), c))
	lik := newNormalLik(f.normal.groups, rams, k+1, f.layout.means)
	_, grad, h, ok := lik.derivatives(append(slices.Clone(f.theta), 0), expected)
	if !ok {
		return Modification{}, false
	}
	cross := mat.NewVecDense(max(k, 1), nil)
	for i := range k {
		cross.SetVec(i, h.At(i, k))
	}
	v := h.At(k, k)
	if k > 0 {
		v -= mat.Inner(cross, inv, cross)
	}
	if !(v > 1e-10*math.Abs(h.At(k, k))) {
		return Modification{}, false
	}
	s := grad[k]
	mi := float64(f.N) * s * s / v
	return Modification{MI: mi, P: distuv.ChiSquared{K: 1}.Survival(mi), EPC: -s / v}, true
}

// Scores returns the regression scores (posterior means) of the factors for each
// person used, group after group in the order of the table: persons by factors.
// Incomplete rows are scored from what is there. With ordered items they are
// posterior modes, which need items without residual covariances.
//
// Source: Thurstone (1935); Lawley & Maxwell (1971), section 8.3.
func (f *Fit) Scores() (*mat.Dense, error) {
	q := len(f.Factors)
	if q == 0 {
		return nil, fmt.Errorf("the model has no factor")
	}
	if f.normal == nil {
		return f.orderedScores()
	}
	out := mat.NewDense(f.N, q, nil)
	from := 0
	for g, s := range f.normal.groups {
		r := f.rams[g]
		w := f.normal.work[g]
		mu, eta := r.mu, r.eta[r.p:]
		if !f.layout.means {
			mu, eta = s.mean, make([]float64, q)
		}
		for k := range s.patterns {
			pat := &s.patterns[k]
			if !w.inverse(r, pat.obs) {
				return nil, fmt.Errorf("the implied covariances cannot be inverted")
			}
			scorePattern(r, s, pat, w.k, mu, eta, out, from)
		}
		from += s.n
	}
	return out, nil
}

func scorePattern(r *ram, s *sample, pat *pattern, inv, mu, eta []float64, out *mat.Dense, from int) {
	po := len(pat.obs)
	weight := make([]float64, len(eta)*po)
	for k := range eta {
		for a := range po {
			for b, j := range pat.obs {
				weight[k*po+a] += r.cov[(r.p+k)*r.m+j] * inv[b*po+a]
			}
		}
	}
	for _, i := range pat.rows {
		y := s.y.RawRowView(i)
		for k := range eta {
			v := eta[k]
			for a, j := range pat.obs {
				v += weight[k*po+a] * (y[j] - mu[j])
			}
			out.Set(from+i, k, v)
		}
	}
}

// FactorReliability is what a fitted model says of the sum of one factor's items.
type FactorReliability struct {
	Factor string
	Group  int // from 1
	Items  []string
	Alpha  float64 // of the items' sample covariances
	Omega  float64 // (sum of loadings)^2 phi over itself plus residual variance: Raykov (2001)
	// OmegaSE is by the delta method from the covariances of the estimates, robust
	// if the estimator's are; OmegaCI follows on the logit scale, at Level. They are
	// 0 if the model is not identified or Omega is not between 0 and 1.
	OmegaSE float64
	OmegaCI [2]float64
	Level   float64
	Omega2  float64 // over the implied variance of the sum: Bentler (2009)
	Omega3  float64 // over the observed variance of the sum: McDonald (1999)
	AVE     float64 // average variance extracted: Fornell & Larcker (1981)
}

// Reliability returns the coefficients of each factor's items. With items that
// measure several factors Omega counts the factor alone against residuals, and
// Omega2 is the share of this factor in everything: with a general factor and
// group factors, omega hierarchical. It refers to continuous items.
func (f *Fit) Reliability() ([]FactorReliability, error) {
	if f.normal == nil {
		return nil, fmt.Errorf("the reliability of ordered items' sums is not supported")
	}
	var out []FactorReliability
	for g, r := range f.rams {
		for k, name := range f.Factors {
			var items []int
			for _, p := range f.layout.params {
				if p.Group == g+1 && p.Op == "=~" && p.LHS == name && p.cell.i < r.p {
					items = append(items, p.cell.i)
				}
			}
			if len(items) < 2 {
				continue
			}
			fr := f.reliability(g, k, items)
			fr.Factor, fr.Group, fr.Level = name, g+1, f.layout.options.Level
			f.omegaInterval(&fr, g, k, items)
			out = append(out, fr)
		}
	}
	return out, nil
}

// omegaInterval differences Omega by the parameters. The logit keeps the limits
// between 0 and 1 (Kelley & Pornprasertmanit 2016 compare such intervals).
func (f *Fit) omegaInterval(fr *FactorReliability, g, k int, items []int) {
	if f.Vcov == nil || !(fr.Omega > 0 && fr.Omega < 1) {
		return
	}
	r := f.rams[g]
	defer func() { _ = r.set(f.theta) }() // as it was found
	grad := mat.NewVecDense(len(f.theta), nil)
	x := slices.Clone(f.theta)
	for i := range x {
		step := 1e-5 * math.Max(.1, math.Abs(x[i]))
		var ends [2]float64
		for e, sign := range []float64{-1, 1} {
			x[i] = f.theta[i] + sign*step
			if r.set(x) != nil {
				return
			}
			ends[e] = f.reliability(g, k, items).Omega
		}
		x[i] = f.theta[i]
		grad.SetVec(i, (ends[1]-ends[0])/(2*step))
	}
	fr.OmegaSE = math.Sqrt(math.Max(0, mat.Inner(grad, f.Vcov, grad)))
	z := distuv.UnitNormal.Quantile((1 + fr.Level) / 2)
	logit := math.Log(fr.Omega / (1 - fr.Omega))
	half := z * fr.OmegaSE / (fr.Omega * (1 - fr.Omega))
	fr.OmegaCI = [2]float64{logistic(logit - half), logistic(logit + half)}
}

func (f *Fit) reliability(g, k int, items []int) FactorReliability {
	r, s := f.rams[g], f.normal.groups[g]
	var fr FactorReliability
	var sum, squares, residual, diagonal, implied, total, trace float64
	phi := r.cov[(r.p+k)*r.m+r.p+k]
	for _, i := range items {
		fr.Items = append(fr.Items, f.Items[i])
		l := r.a[i*r.m+r.p+k]
		sum += l
		squares += l * l
		diagonal += r.s[i*r.m+i]
		trace += s.cov[i*r.p+i]
		for _, j := range items {
			residual += r.s[i*r.m+j]
			implied += r.sigma[i*r.p+j]
			total += s.cov[i*r.p+j]
		}
	}
	n := float64(len(items))
	fr.Alpha = n / (n - 1) * (1 - trace/total)
	fr.Omega = sum * sum * phi / (sum*sum*phi + residual)
	fr.Omega2 = sum * sum * phi / implied
	fr.Omega3 = sum * sum * phi / total
	fr.AVE = squares * phi / (squares*phi + diagonal)
	return fr
}
