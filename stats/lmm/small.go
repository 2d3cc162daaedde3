// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import "math"

// Small matrices stand row by row in slices: a group has a handful of random
// effects, and a call into a library costs more than the work.

// cholesky puts the lower factor of the symmetric a (n x n) in its lower
// triangle, and says whether a is positive definite.
func cholesky(a []float64, n int) bool {
	for j := range n {
		rj := a[j*n : j*n+j+1]
		d := rj[j]
		for _, v := range rj[:j] {
			d -= v * v
		}
		if !(d > 0) || math.IsInf(d, 1) {
			return false
		}
		d = math.Sqrt(d)
		rj[j] = d
		for i := j + 1; i < n; i++ {
			ri := a[i*n : i*n+j+1]
			s := ri[j]
			for k, v := range rj[:j] {
				s -= ri[k] * v
			}
			ri[j] = s / d
		}
	}
	return true
}

// forward solves L x = b for the m columns of b (n x m), in place.
func forward(l []float64, n int, b []float64, m int) {
	for i := range n {
		bi := b[i*m : (i+1)*m]
		for k := range i {
			lik := l[i*n+k]
			if lik == 0 {
				continue
			}
			bk := b[k*m : (k+1)*m]
			for c := range bi {
				bi[c] -= lik * bk[c]
			}
		}
		d := 1 / l[i*n+i]
		for c := range bi {
			bi[c] *= d
		}
	}
}

// backward solves L' x = b for the m columns of b (n x m), in place.
func backward(l []float64, n int, b []float64, m int) {
	for i := n - 1; i >= 0; i-- {
		bi := b[i*m : (i+1)*m]
		for k := i + 1; k < n; k++ {
			lki := l[k*n+i]
			if lki == 0 {
				continue
			}
			bk := b[k*m : (k+1)*m]
			for c := range bi {
				bi[c] -= lki * bk[c]
			}
		}
		d := 1 / l[i*n+i]
		for c := range bi {
			bi[c] *= d
		}
	}
}

// multiply returns a (n x k) times b (k x m).
func multiply(a, b []float64, n, k, m int) []float64 {
	c := make([]float64, n*m)
	for i := range n {
		ci := c[i*m : (i+1)*m]
		for l := range k {
			x := a[i*k+l]
			if x == 0 {
				continue
			}
			for j, y := range b[l*m : (l+1)*m] {
				ci[j] += x * y
			}
		}
	}
	return c
}

// transposed returns a' of a (n x m).
func transposed(a []float64, n, m int) []float64 {
	t := make([]float64, n*m)
	for i := range n {
		for j := range m {
			t[j*n+i] = a[i*m+j]
		}
	}
	return t
}

// lowerOf returns the lower triangle L with L L' = a a' (n x n) and no negative
// number on its diagonal: the LQ decomposition by Householder's reflections, so
// that a singular a keeps its rank.
func lowerOf(a []float64, n int) []float64 {
	l := append([]float64(nil), a...)
	v := make([]float64, n)
	for i := range n {
		row := l[i*n : (i+1)*n]
		length := 0.0
		for _, x := range row[i:] {
			length = math.Hypot(length, x)
		}
		if length == 0 {
			continue
		}
		copy(v, row)
		if v[i] > 0 {
			v[i] += length
		} else {
			v[i] -= length
		}
		vv := 0.0
		for _, x := range v[i:] {
			vv += x * x
		}
		for r := i; r < n; r++ {
			s := 0.0
			for c := i; c < n; c++ {
				s += l[r*n+c] * v[c]
			}
			s *= 2 / vv
			for c := i; c < n; c++ {
				l[r*n+c] -= s * v[c]
			}
		}
		for c := i + 1; c < n; c++ {
			row[c] = 0
		}
	}
	for j := range n { // signs of whole columns are free
		if l[j*n+j] < 0 {
			for i := j; i < n; i++ {
				l[i*n+j] = -l[i*n+j]
			}
		}
	}
	return l
}

// upperInverse returns the inverse of an upper triangle (n x n).
func upperInverse(u []float64, n int) []float64 {
	inv := make([]float64, n*n)
	for j := range n {
		inv[j*n+j] = 1 / u[j*n+j]
		for i := j - 1; i >= 0; i-- {
			s := 0.0
			for k := i + 1; k <= j; k++ {
				s += u[i*n+k] * inv[k*n+j]
			}
			inv[i*n+j] = -s / u[i*n+i]
		}
	}
	return inv
}
