// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Table is observations of named variables: X is persons by variables, NaN a
// missing value. Group, if not nil, names the group of each row; groups are numbered
// in the order of Order, those not named there after them as they appear.
type Table struct {
	Names []string
	X     *mat.Dense
	Group []string
	Order []string
}

// Column returns the position of a variable, or -1.
func (t *Table) Column(name string) int {
	for j, n := range t.Names {
		if n == name {
			return j
		}
	}
	return -1
}

// ErrNoData says that a table has too few rows or columns for what was asked.
var ErrNoData = errors.New("too few observations")

// checkFinite refuses infinities; NaN is a missing value.
func checkFinite(x mat.Matrix) error {
	n, k := x.Dims()
	for i := range n {
		for j := range k {
			if math.IsInf(x.At(i, j), 0) {
				return fmt.Errorf("row %d, column %d is infinite", i+1, j+1)
			}
		}
	}
	return nil
}

// completeRows returns the rows without a missing value.
func completeRows(x mat.Matrix) *mat.Dense {
	n, k := x.Dims()
	data := make([]float64, 0, n*k)
	rows := 0
	for i := range n {
		at := len(data)
		whole := true
		for j := range k {
			v := x.At(i, j)
			if math.IsNaN(v) {
				whole = false
				break
			}
			data = append(data, v)
		}
		if !whole {
			data = data[:at]
			continue
		}
		rows++
	}
	if rows == 0 || k == 0 {
		return nil
	}
	return mat.NewDense(rows, k, data)
}

// pairwiseCov returns the covariances (divisor n-1) of each pair of columns over
// the rows in which both are present, the means and standard deviations of each
// column over its own rows, and the number of values of each column.
func pairwiseCov(x mat.Matrix) (c *mat.SymDense, mean, sd []float64, count []int, err error) {
	n, k := x.Dims()
	mean, sd, count = make([]float64, k), make([]float64, k), make([]int, k)
	c = mat.NewSymDense(k, nil)
	for j := range k {
		m, s, cnt := columnMoments(x, j)
		if cnt < 2 {
			return nil, nil, nil, nil, fmt.Errorf("column %d has %d values, needs 2: %w", j+1, cnt, ErrNoData)
		}
		if !(s > 0) {
			return nil, nil, nil, nil, fmt.Errorf("column %d is constant", j+1)
		}
		mean[j], sd[j], count[j] = m, s, cnt
	}
	for a := range k {
		for b := a; b < k; b++ {
			var sa, sb float64
			m := 0
			for i := range n {
				// Centring at the column means keeps the sums small.
				u, v := x.At(i, a)-mean[a], x.At(i, b)-mean[b]
				if u == u && v == v { // neither is NaN
					sa += u
					sb += v
					m++
				}
			}
			if m < 2 {
				return nil, nil, nil, nil, fmt.Errorf("columns %d and %d have %d rows in common, need 2: %w", a+1, b+1, m, ErrNoData)
			}
			sa /= float64(m)
			sb /= float64(m)
			var s float64
			for i := range n {
				u, v := x.At(i, a)-mean[a], x.At(i, b)-mean[b]
				if u == u && v == v {
					s += (u - sa) * (v - sb)
				}
			}
			c.SetSym(a, b, s/float64(m-1))
		}
	}
	return c, mean, sd, count, nil
}

func columnMoments(x mat.Matrix, j int) (mean, sd float64, count int) {
	n, _ := x.Dims()
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range n {
		if v := x.At(i, j); v == v {
			mean += v
			lo, hi = min(lo, v), max(hi, v)
			count++
		}
	}
	if count == 0 {
		return 0, 0, 0
	}
	if lo == hi { // rounding must not make a constant column vary
		return lo, 0, count
	}
	mean /= float64(count)
	var ss float64
	for i := range n {
		if v := x.At(i, j); v == v {
			ss += (v - mean) * (v - mean)
		}
	}
	return mean, math.Sqrt(ss / float64(count-1)), count
}

// correlation scales a covariance matrix to ones on its diagonal.
func correlation(c *mat.SymDense) *mat.SymDense {
	k := c.SymmetricDim()
	r := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i + 1; j < k; j++ {
			// Roots apart, lest the product leave what a number can hold.
			r.SetSym(i, j, c.At(i, j)/math.Sqrt(c.At(i, i))/math.Sqrt(c.At(j, j)))
		}
		r.SetSym(i, i, 1)
	}
	return r
}

// sumSym returns the sum of all elements and the trace.
func sumSym(c mat.Symmetric) (sum, trace float64) {
	k := c.SymmetricDim()
	for i := range k {
		trace += c.At(i, i)
		for j := range k {
			sum += c.At(i, j)
		}
	}
	return sum, trace
}

// without returns a symmetric matrix less its i-th row and column.
func without(c *mat.SymDense, drop int) *mat.SymDense {
	k := c.SymmetricDim()
	o := mat.NewSymDense(k-1, nil)
	for i, a := 0, 0; i < k; i++ {
		if i == drop {
			continue
		}
		for j, b := i, a; j < k; j++ {
			if j == drop {
				continue
			}
			o.SetSym(a, b, c.At(i, j))
			b++
		}
		a++
	}
	return o
}
