// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// cholesky factors the n by n row-major matrix a in place into its lower
// triangle and returns the log determinant, or false if a is not positive
// definite. Plain loops: at ten variables the overhead of a call into a library
// outweighs the work.
func cholesky(a []float64, n int) (logDet float64, ok bool) {
	for j := range n {
		d := a[j*n+j]
		scale := d
		for k := range j {
			d -= a[j*n+k] * a[j*n+k]
		}
		if !(d > 1e-14*scale) || math.IsInf(d, 0) {
			return 0, false
		}
		d = math.Sqrt(d)
		a[j*n+j] = d
		logDet += 2 * math.Log(d)
		for i := j + 1; i < n; i++ {
			s := a[i*n+j]
			row, col := a[i*n:i*n+j], a[j*n:j*n+j]
			for k, v := range col {
				s -= row[k] * v
			}
			a[i*n+j] = s / d
		}
	}
	return logDet, true
}

// invertSPD replaces the n by n matrix a by its inverse, with the same answer as
// cholesky.
func invertSPD(a []float64, n int) (logDet float64, ok bool) {
	logDet, ok = cholesky(a, n)
	if !ok {
		return 0, false
	}
	// The inverse of the lower factor, in place.
	for j := range n {
		a[j*n+j] = 1 / a[j*n+j]
		for i := j + 1; i < n; i++ {
			var s float64
			for k := j; k < i; k++ {
				s -= a[i*n+k] * a[k*n+j]
			}
			a[i*n+j] = s / a[i*n+i]
		}
	}
	for i := range n {
		for j := range i + 1 {
			var s float64
			for k := i; k < n; k++ {
				s += a[k*n+i] * a[k*n+j]
			}
			a[j*n+i] = s
		}
	}
	for i := range n {
		for j := range i {
			a[i*n+j] = a[j*n+i]
		}
	}
	return logDet, true
}

// inverseSym returns the inverse of a symmetric positive definite matrix after
// scaling its diagonal to ones, or false.
func inverseSym(a *mat.SymDense) (*mat.SymDense, bool) {
	n := a.SymmetricDim()
	if n == 0 {
		return a, true
	}
	d := make([]float64, n)
	for i := range n {
		v := a.At(i, i)
		if !(v > 0) || math.IsInf(v, 0) {
			return nil, false
		}
		d[i] = math.Sqrt(v)
	}
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, a.At(i, j)/(d[i]*d[j]))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(s) || !(chol.Cond() < 1e14) {
		return nil, false
	}
	var inv mat.SymDense
	if chol.InverseTo(&inv) != nil {
		return nil, false
	}
	for i := range n {
		for j := i; j < n; j++ {
			inv.SetSym(i, j, inv.At(i, j)/(d[i]*d[j]))
		}
	}
	return &inv, true
}
