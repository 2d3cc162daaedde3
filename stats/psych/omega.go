// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// SchmidLeimanResult holds a general factor and group factors, uncorrelated, that
// reproduce correlated factors and one of second order.
type SchmidLeimanResult struct {
	General    []float64  // loadings of the items on the general factor
	Group      *mat.Dense // on the group factors: items by factors
	Oblique    *mat.Dense // on the correlated factors
	Phi        *mat.SymDense
	Second     []float64 // loadings of the correlated factors on the general one
	Uniqueness []float64
	Converged  bool
	// Heywood says that an item or a factor has no uniqueness left: it stands at a
	// limit, and the coefficients with it.
	Heywood bool
}

// SchmidLeiman factors a correlation matrix by minimum residuals into the given
// number of factors (two or more), rotates them obliquely (quartimin, from
// varimax), factors their correlations, and makes the solution orthogonal. Of two
// factors the correlation is shared equally between the second-order loadings.
//
// Source: Schmid & Leiman (1957), Psychometrika 22.
func SchmidLeiman(r *mat.SymDense, factors int) (*SchmidLeimanResult, error) {
	k := r.SymmetricDim()
	if factors < 2 {
		return nil, fmt.Errorf("a general factor needs two group factors or more, not %d", factors)
	}
	if k < 2*factors {
		return nil, fmt.Errorf("%d items are too few for %d factors: %w", k, factors, ErrNoData)
	}
	for i := range k {
		for j := range i + 1 {
			if v := r.At(i, j); !(math.Abs(v) <= 1) {
				return nil, fmt.Errorf("row %d, column %d of the correlations is %v", i+1, j+1, v)
			}
		}
	}
	e, err := minres(r, factors)
	if err != nil {
		return nil, err
	}
	s := &SchmidLeimanResult{Converged: e.converged, Heywood: e.heywood, Uniqueness: make([]float64, k)}
	for i := range k {
		h := mat.Dot(e.load.RowView(i), e.load.RowView(i))
		s.Uniqueness[i] = 1 - h
	}
	var rotated bool
	s.Oblique, s.Phi, rotated = quartimin(varimax(e.load))
	s.Converged = s.Converged && rotated
	if err := s.secondOrder(factors); err != nil {
		return nil, err
	}
	s.General = make([]float64, k)
	s.Group = mat.NewDense(k, factors, nil)
	for i := range k {
		for j, g := range s.Second {
			l := s.Oblique.At(i, j)
			s.General[i] += l * g
			s.Group.Set(i, j, l*math.Sqrt(math.Max(0, 1-g*g)))
		}
	}
	return s, nil
}

func (s *SchmidLeimanResult) secondOrder(factors int) error {
	if factors == 2 {
		phi := s.Phi.At(0, 1)
		root := math.Sqrt(math.Abs(phi))
		s.Second = []float64{root, math.Copysign(root, phi)}
		return nil
	}
	e, err := minres(s.Phi, 1)
	if err != nil {
		return err
	}
	s.Heywood = s.Heywood || e.heywood
	s.Converged = s.Converged && e.converged
	s.Second = mat.Col(nil, 0, e.load)
	return nil
}

// OmegaResult says how much of the variance of a sum is common, and how much of
// it is one thing.
type OmegaResult struct {
	N, K         int
	Total        float64 // omega total: common variance
	Hierarchical float64 // omega hierarchical: the general factor's
	Asymptotic   float64 // Hierarchical over Total: that of infinitely many such items
	ECV          float64 // the general factor's share of the common variance of items
	Alpha        float64 // standardised alpha of the items as turned
	Turned       []bool  // items that were turned to load positively on the general factor
	Loadings     *SchmidLeimanResult
}

// OmegaHierarchical returns the coefficients of the columns of x (persons by
// items, NaN missing) from pairwise correlations and the Schmid-Leiman solution
// with the given number of group factors (often 3). Items that load negatively on
// the general factor are turned.
//
// Sources: McDonald (1999), Test Theory, chapter 6; Zinbarg, Revelle, Yovel & Li
// (2005), Psychometrika 70; Revelle & Zinbarg (2009).
func OmegaHierarchical(x mat.Matrix, factors int) (*OmegaResult, error) {
	if err := checkFinite(x); err != nil {
		return nil, err
	}
	c, _, _, _, err := pairwiseCov(x)
	if err != nil {
		return nil, err
	}
	r := correlation(c)
	s, err := SchmidLeiman(r, factors)
	if err != nil {
		return nil, err
	}
	n, k := x.Dims()
	o := &OmegaResult{N: n, K: k, Loadings: s, Turned: make([]bool, k)}
	sign := make([]float64, k)
	var general, common, unique, all float64
	for i, g := range s.General {
		sign[i] = 1
		if g < 0 {
			sign[i], o.Turned[i] = -1, true
		}
		general += sign[i] * g
		common += g * g
		unique += s.Uniqueness[i]
		for j := range factors {
			l := s.Group.At(i, j)
			all += l * l
		}
	}
	var total float64
	for i := range k {
		for j := range k {
			total += sign[i] * sign[j] * r.At(i, j)
		}
	}
	if !(total > unique) || !(total > 1e-12) {
		return nil, fmt.Errorf("the sum of the %d items has no common variance", k)
	}
	o.Total = (total - unique) / total
	o.Hierarchical = general * general / total
	o.Asymptotic = general * general / (total - unique)
	o.ECV = common / (common + all)
	fk := float64(k)
	o.Alpha = fk / (fk - 1) * (1 - fk/total)
	return o, nil
}

// OmegaModel returns the share of one factor of a fitted model, and of all its
// factors, in the implied variance of the sum of the items of a group (from 1):
// with a bifactor model and its general factor omega hierarchical and omega
// total.
//
// Source: McDonald (1999); Reise (2012), Multivariate Behavioral Research 47.
func OmegaModel(f *Fit, general string, group int) (hierarchical, total float64, err error) {
	if f.normal == nil {
		return 0, 0, fmt.Errorf("omega of ordered items' sums is not supported")
	}
	if group < 1 || group > len(f.rams) {
		return 0, 0, fmt.Errorf("there is no group %d", group)
	}
	r := f.rams[group-1]
	k := f.layout.index(general)
	if k < r.p {
		return 0, 0, fmt.Errorf("%s is not a factor", general)
	}
	var sum, residual, variance float64
	for i := range r.p {
		sum += r.e[i*r.m+k]
		for j := range r.p {
			variance += r.sigma[i*r.p+j]
			residual += r.s[i*r.m+j]
		}
	}
	if !(variance > 0) {
		return 0, 0, fmt.Errorf("the sum of the items has no variance")
	}
	return sum * sum * r.s[k*r.m+k] / variance, (variance - residual) / variance, nil
}
