// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// AlphaResult is the internal consistency of a sum of k items.
type AlphaResult struct {
	N, K         int
	Raw          float64    // Cronbach 1951, from covariances
	Standardised float64    // from correlations
	G6           float64    // Guttman's lambda 6, from squared multiple correlations
	AverageR     float64    // mean inter-item correlation
	SE           float64    // of Raw: Duhachek & Iacobucci 2004, multivariate normal items
	CI           [2]float64 // of Raw: Feldt, Woodruff & Salih 1987
	Level        float64    // of CI
	// Singular says that an item is a linear function of the others, or that
	// pairwise correlations do not form a correlation matrix: G6 is then an
	// upper limit.
	Singular bool
	Items    []AlphaItem
}

// AlphaItem is one item of a scale.
type AlphaItem struct {
	N          int
	Mean, SD   float64
	RDrop      float64 // correlation with the sum of the other items
	AlphaDrop  float64 // raw alpha of the others; meaningful if there are two others
	AlphaDropN int     // how many others
}

// Alpha returns Cronbach's alpha of the columns of x (persons by items, NaN
// missing) with Feldt's interval at the given level (for example .95), from
// pairwise covariances; use [Complete] first for complete cases. Reverse-keyed
// items must have been turned. It needs two items, two rows, and no constant
// item.
//
// Sources: Cronbach (1951); Guttman (1945), lambda 6; Feldt, Woodruff & Salih
// (1987), Applied Psychological Measurement 11, eq. 8; Duhachek & Iacobucci
// (2004), Journal of Applied Psychology 89, eq. 5.
func Alpha(x mat.Matrix, level float64) (*AlphaResult, error) {
	n, k := x.Dims()
	if k < 2 || n < 2 {
		return nil, fmt.Errorf("alpha of %d rows and %d items: %w", n, k, ErrNoData)
	}
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	if err := checkFinite(x); err != nil {
		return nil, err
	}
	c, mean, sd, count, err := pairwiseCov(x)
	if err != nil {
		return nil, err
	}
	r := correlation(c)
	_, unit := math.Frexp(mat.Max(c)) // cubes of sums must stay within what a number can hold
	c.ScaleSym(math.Ldexp(1, -unit), c)
	sumC, trC := sumSym(c)
	sumR, _ := sumSym(r)
	if !(sumC > 1e-12*trC) || !(sumR > 1e-12) {
		return nil, fmt.Errorf("the sum of the %d items does not vary: is an item not turned?", k)
	}
	fk := float64(k)
	smc, singular := squaredMultipleCorrelations(r)
	var sumSMC float64
	for _, v := range smc {
		sumSMC += v
	}
	a := &AlphaResult{
		N: n, K: k,
		Raw:          rawAlpha(c),
		Standardised: fk / (fk - 1) * (1 - fk/sumR),
		G6:           1 - (fk-sumSMC)/sumR,
		AverageR:     (sumR - fk) / (fk * (fk - 1)),
		SE:           alphaSE(c, n),
		Level:        level,
		Singular:     singular,
		Items:        make([]AlphaItem, k),
	}
	a.CI[0], a.CI[1] = feldt(a.Raw, n, k, level)
	for j := range k {
		a.Items[j] = AlphaItem{N: count[j], Mean: mean[j], SD: sd[j], AlphaDropN: k - 1}
		rest := without(c, j)
		sumRest, _ := sumSym(rest)
		var with float64
		for i := range k {
			if i != j {
				with += c.At(i, j)
			}
		}
		if own := c.At(j, j); sumRest > 1e-12*trC && own > 0 {
			a.Items[j].RDrop = with / math.Sqrt(own) / math.Sqrt(sumRest)
			if k > 2 {
				a.Items[j].AlphaDrop = rawAlpha(rest)
			}
		}
	}
	return a, nil
}

// Complete returns the rows of x without a missing value, or an error if there
// are none.
func Complete(x mat.Matrix) (*mat.Dense, error) {
	c := completeRows(x)
	if c == nil {
		return nil, fmt.Errorf("no row is complete: %w", ErrNoData)
	}
	return c, nil
}

func rawAlpha(c mat.Symmetric) float64 {
	k := float64(c.SymmetricDim())
	sum, tr := sumSym(c)
	return k / (k - 1) * (1 - tr/sum)
}

// alphaSE is Duhachek & Iacobucci 2004, eq. 5 (van Zyl, Neudecker & Nel 2000).
func alphaSE(c *mat.SymDense, n int) float64 {
	k := float64(c.SymmetricDim())
	sum, tr := sumSym(c)
	var trC2, sumC2 float64
	m := c.SymmetricDim()
	for i := range m {
		var row float64
		for j := range m {
			trC2 += c.At(i, j) * c.At(i, j)
			row += c.At(i, j)
		}
		sumC2 += row * row // 1'CC1 = |C1|^2
	}
	q := 2 * k * k / ((k - 1) * (k - 1) * sum * sum * sum) * (sum*(trC2+tr*tr) - 2*tr*sumC2)
	return math.Sqrt(max(q, 0) / float64(n))
}

func feldt(alpha float64, n, k int, level float64) (lower, upper float64) {
	f := distuv.F{D1: float64(n - 1), D2: float64((n - 1) * (k - 1))}
	tail := (1 - level) / 2
	return 1 - (1-alpha)*f.Quantile(1-tail), 1 - (1-alpha)*f.Quantile(tail)
}

// squaredMultipleCorrelations returns that of each variable with all others, and
// whether the matrix is singular or indefinite.
func squaredMultipleCorrelations(r *mat.SymDense) (smc []float64, singular bool) {
	k := r.SymmetricDim()
	smc = make([]float64, k)
	var chol mat.Cholesky
	if chol.Factorize(r) && chol.Cond() < 1e14 {
		var inv mat.SymDense
		if err := chol.InverseTo(&inv); err == nil {
			for i := range k {
				smc[i] = 1 - 1/inv.At(i, i)
			}
			return smc, false
		}
	}
	for i := range k {
		smc[i] = min(1, max(0, pseudoQuadratic(without(r, i), columnWithout(r, i))))
	}
	return smc, true
}

func columnWithout(r *mat.SymDense, j int) []float64 {
	k := r.SymmetricDim()
	v := make([]float64, 0, k-1)
	for i := range k {
		if i != j {
			v = append(v, r.At(i, j))
		}
	}
	return v
}

// pseudoQuadratic returns v' A+ v with the pseudo-inverse of A.
func pseudoQuadratic(a *mat.SymDense, v []float64) float64 {
	var eig mat.EigenSym
	if !eig.Factorize(a, true) {
		return 1
	}
	var u mat.Dense
	eig.VectorsTo(&u)
	values := eig.Values(nil)
	tol := 1e-10 * values[len(values)-1]
	var q float64
	for j, l := range values {
		if l <= tol {
			continue
		}
		var s float64
		for i := range v {
			s += u.At(i, j) * v[i]
		}
		q += s * s / l
	}
	return q
}
