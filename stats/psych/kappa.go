// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Crosstab counts pairs of ratings: counts[i][j] is how often the first rater
// said levels[i] and the second levels[j]. Levels are the values that occur, in
// order; name further ones in also, so that the steps between levels are right.
// The slices must be of one length.
func Crosstab[T cmp.Ordered](first, second []T, also ...T) (levels []T, counts *mat.Dense, err error) {
	if len(first) != len(second) {
		panic("psych: ratings of different lengths")
	}
	if len(first) == 0 {
		return nil, nil, fmt.Errorf("no ratings: %w", ErrNoData)
	}
	for i := range first {
		if first[i] != first[i] || second[i] != second[i] {
			return nil, nil, fmt.Errorf("row %d has a missing rating", i+1)
		}
	}
	levels = slices.Concat(first, second, also)
	slices.Sort(levels)
	levels = slices.Compact(levels)
	counts = mat.NewDense(len(levels), len(levels), nil)
	for i := range first {
		a, _ := slices.BinarySearch(levels, first[i])
		b, _ := slices.BinarySearch(levels, second[i])
		counts.Set(a, b, counts.At(a, b)+1)
	}
	return levels, counts, nil
}

// Weights says how much a disagreement by some steps counts as agreement.
type Weights int

// Weights of agreement between levels i and j of k.
const (
	Unweighted Weights = iota // 1 if i = j, else 0
	Linear                    // 1 - |i-j|/(k-1)
	Quadratic                 // 1 - (i-j)^2/(k-1)^2
)

func (w Weights) at(i, j, k int) float64 {
	d := math.Abs(float64(i-j)) / float64(k-1)
	switch w {
	case Linear:
		return 1 - d
	case Quadratic:
		return 1 - d*d
	}
	if i == j {
		return 1
	}
	return 0
}

// KappaResult is the chance-corrected agreement of two raters.
type KappaResult struct {
	N        float64
	Kappa    float64
	Observed float64 // weighted agreement
	Expected float64 // the same by chance
	SE       float64
	CI       [2]float64 // Kappa and SE, not beyond -1 and 1
	Level    float64
	SE0      float64 // standard error if kappa were 0
	Z, P     float64 // test of kappa = 0, two-sided; 0 and 1 if SE0 is 0
}

// Kappa returns Cohen's kappa of a square table of counts with the given weights,
// its large-sample standard error and interval at the given level.
//
// Sources: Cohen (1968); Fleiss, Cohen & Everitt (1969), Psychological Bulletin
// 72, eqs 9 and 14 (SE, SE0).
func Kappa(counts mat.Matrix, w Weights, level float64) (*KappaResult, error) {
	k, k2 := counts.Dims()
	if k != k2 {
		panic("psych: the table of counts is not square")
	}
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	n, err := sumCounts(counts)
	if err != nil {
		return nil, err
	}
	if k < 2 || n == 0 {
		return nil, fmt.Errorf("kappa needs ratings on two levels: %w", ErrNoData)
	}
	row, col := make([]float64, k), make([]float64, k)
	for i := range k {
		for j := range k {
			row[i] += counts.At(i, j) / n
			col[j] += counts.At(i, j) / n
		}
	}
	var po, pe float64
	wr, wc := make([]float64, k), make([]float64, k)
	for i := range k {
		for j := range k {
			v := w.at(i, j, k)
			po += v * counts.At(i, j) / n
			pe += v * row[i] * col[j]
			wr[i] += v * col[j]
			wc[j] += v * row[i]
		}
	}
	if 1-pe < 1e-15 {
		return nil, fmt.Errorf("both raters used one and the same level only: agreement by chance is complete")
	}
	r := &KappaResult{N: n, Observed: po, Expected: pe, Kappa: (po - pe) / (1 - pe), Level: level}
	var v, v0 float64
	for i := range k {
		for j := range k {
			d := w.at(i, j, k)*(1-pe) - (wr[i]+wc[j])*(1-po)
			v += counts.At(i, j) / n * d * d
			d0 := w.at(i, j, k) - wr[i] - wc[j]
			v0 += row[i] * col[j] * d0 * d0
		}
	}
	m := po*pe - 2*pe + po
	r.SE = math.Sqrt(max(0, v-m*m)/n) / ((1 - pe) * (1 - pe))
	r.SE0 = math.Sqrt(max(0, v0-pe*pe)/n) / (1 - pe)
	z := distuv.UnitNormal.Quantile((1 + level) / 2)
	r.CI = [2]float64{max(-1, r.Kappa-z*r.SE), min(1, r.Kappa+z*r.SE)}
	r.P = 1
	if r.SE0 > 0 {
		r.Z = r.Kappa / r.SE0
		r.P = 2 * distuv.UnitNormal.Survival(math.Abs(r.Z))
	}
	return r, nil
}

// sumCounts adds up a table and refuses what is no count.
func sumCounts(counts mat.Matrix) (n float64, err error) {
	r, c := counts.Dims()
	for i := range r {
		for j := range c {
			v := counts.At(i, j)
			if !(v >= 0) || math.IsInf(v, 0) {
				return 0, fmt.Errorf("row %d, column %d of the counts is %v", i+1, j+1, v)
			}
			n += v
		}
	}
	return n, nil
}
