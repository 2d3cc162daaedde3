// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import "math"

// The matrices of this package's inner loops are p x p with p the number of
// coefficients, often 1 to 5: plain row-major slices, without the checks and
// allocations of a general library.

func mirror(a []float64, p int) {
	for i := range p {
		for j := range i {
			a[j*p+i] = a[i*p+j]
		}
	}
}

// invertSPD writes the inverse of the symmetric positive definite a into inv
// and returns log |a|; NaN when a is not positive definite.
func invertSPD(a, inv []float64, p int) float64 {
	l := make([]float64, p*p)
	logDet := 0.0
	for j := range p {
		d := a[j*p+j]
		for t := range j {
			d -= l[j*p+t] * l[j*p+t]
		}
		if d <= 0 || math.IsNaN(d) {
			return math.NaN()
		}
		d = math.Sqrt(d)
		l[j*p+j] = d
		logDet += 2 * math.Log(d)
		for i := j + 1; i < p; i++ {
			s := a[i*p+j]
			for t := range j {
				s -= l[i*p+t] * l[j*p+t]
			}
			l[i*p+j] = s / d
		}
	}
	for c := range p {
		solveCholesky(l, inv, p, c)
	}
	return logDet
}

// solveCholesky writes column c of (LL')^-1 into inv.
func solveCholesky(l, inv []float64, p, c int) {
	x := make([]float64, p)
	for i := c; i < p; i++ {
		s := 0.0
		if i == c {
			s = 1
		}
		for t := c; t < i; t++ {
			s -= l[i*p+t] * x[t]
		}
		x[i] = s / l[i*p+i]
	}
	for i := p - 1; i >= 0; i-- {
		s := x[i]
		for t := i + 1; t < p; t++ {
			s -= l[t*p+i] * x[t]
		}
		x[i] = s / l[i*p+i]
		inv[i*p+c] = x[i]
	}
}

func matVec(a, x, out []float64, p int) {
	for i := range p {
		s := 0.0
		for j := range p {
			s += a[i*p+j] * x[j]
		}
		out[i] = s
	}
}

func product(a, b []float64, p int) []float64 {
	c := make([]float64, p*p)
	for i := range p {
		for l := range p {
			f := a[i*p+l]
			for j := range p {
				c[i*p+j] += f * b[l*p+j]
			}
		}
	}
	return c
}

func trace(a []float64, p int) float64 {
	s := 0.0
	for i := range p {
		s += a[i*p+i]
	}
	return s
}

// traceProduct is tr(AB).
func traceProduct(a, b []float64, p int) float64 {
	s := 0.0
	for i := range p {
		for j := range p {
			s += a[i*p+j] * b[j*p+i]
		}
	}
	return s
}

// quadratic is x'Ax.
func quadratic(a, x []float64, p int) float64 {
	s := 0.0
	for i := range p {
		for j := range p {
			s += x[i] * a[i*p+j] * x[j]
		}
	}
	return s
}
