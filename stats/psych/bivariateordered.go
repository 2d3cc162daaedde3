// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/stats"
)

// leastProb keeps logarithms of probabilities finite.
const leastProb = 1e-300

// rectangles are the probabilities of the cells of a table of two ordered items
// whose responses are bivariate normal, cut at thresholds a and b.
type rectangles struct {
	a, b  []float64 // with -Inf before and +Inf after
	rho   float64
	r, c  int
	prob  []float64 // r by c
	dRho  []float64 // derivative by rho
	dA    []float64 // r+1 by c: derivative of row i's upper half-strip by a[i]
	dB    []float64 // r by c+1
	cuts  []float64 // distribution function at the corners
	dense []float64 // density at the corners
}

func newRectangles(a, b []float64) *rectangles {
	edge := func(t []float64) []float64 {
		e := append([]float64{math.Inf(-1)}, t...)
		return append(e, math.Inf(1))
	}
	r, c := len(a)+1, len(b)+1
	return &rectangles{a: edge(a), b: edge(b), r: r, c: c,
		prob: make([]float64, r*c), dRho: make([]float64, r*c),
		dA: make([]float64, (r+1)*c), dB: make([]float64, r*(c+1)),
		cuts: make([]float64, (r+1)*(c+1)), dense: make([]float64, (r+1)*(c+1))}
}

// set computes probabilities and their derivatives by rho.
func (q *rectangles) set(rho float64) {
	q.rho = rho
	w := q.c + 1
	for i := 0; i <= q.r; i++ {
		for j := 0; j <= q.c; j++ {
			q.cuts[i*w+j] = stats.BivariateNormalCDF(q.a[i], q.b[j], rho)
			q.dense[i*w+j] = 0
			if i > 0 && j > 0 && i < q.r && j < q.c {
				q.dense[i*w+j] = stats.BivariateNormalDensity(q.a[i], q.b[j], rho)
			}
		}
	}
	for i := range q.r {
		for j := range q.c {
			at := i*w + j
			corner := func(v []float64) float64 { return v[at+w+1] - v[at+w] - v[at+1] + v[at] }
			q.prob[i*q.c+j] = math.Max(leastProb, corner(q.cuts))
			q.dRho[i*q.c+j] = corner(q.dense)
		}
	}
}

// edges computes what moving a threshold carries from one cell to the next.
func (q *rectangles) edges() {
	s := math.Sqrt((1 - q.rho) * (1 + q.rho))
	strip := func(x, lo, hi float64) float64 {
		if math.IsInf(x, 0) {
			return 0
		}
		return normalDensity(x) * (normalCDF((hi-q.rho*x)/s) - normalCDF((lo-q.rho*x)/s))
	}
	for i := 0; i <= q.r; i++ {
		for j := range q.c {
			q.dA[i*q.c+j] = strip(q.a[i], q.b[j], q.b[j+1])
		}
	}
	for i := range q.r {
		for j := 0; j <= q.c; j++ {
			q.dB[i*(q.c+1)+j] = strip(q.b[j], q.a[i], q.a[i+1])
		}
	}
}

// logLik returns sum n log p, its derivative by rho, and that of second order.
func (q *rectangles) logLik(n *mat.Dense) (l, d, dd float64) {
	w := q.c + 1
	second := func(i, j int) float64 {
		f := q.dense[i*w+j]
		if f == 0 {
			return 0
		}
		x, y, s := q.a[i], q.b[j], (1-q.rho)*(1+q.rho)
		return f * (q.rho/s + (x*y*(1+q.rho*q.rho)-q.rho*(x*x+y*y))/(s*s))
	}
	for i := range q.r {
		for j := range q.c {
			c := n.At(i, j)
			if c == 0 {
				continue
			}
			p := q.prob[i*q.c+j]
			g := q.dRho[i*q.c+j] / p
			l += c * math.Log(p)
			d += c * g
			dd += c * ((second(i+1, j+1)-second(i+1, j)-second(i, j+1)+second(i, j))/p - g*g)
		}
	}
	return l, d, dd
}

// farthest is as near to 1 as an estimated correlation may come.
const farthest = .9999

// fitRho maximises the likelihood over the correlation with fixed thresholds
// (Olsson 1979, Psychometrika 44, the second step). atEnd says that the maximum
// lies at the end of the range.
func (q *rectangles) fitRho(n *mat.Dense, start float64) (rho float64, atEnd bool) {
	lo, hi := -farthest, farthest
	rho = math.Max(-.9, math.Min(.9, start))
	var total float64
	for _, v := range n.RawMatrix().Data {
		total += v
	}
	for range 200 {
		q.set(rho)
		_, d, dd := q.logLik(n)
		// The likelihood's slope brackets the maximum.
		if d > 0 {
			lo = rho
		} else {
			hi = rho
		}
		if math.Abs(d) < 1e-11*total || hi-lo < 1e-13 {
			break
		}
		next := rho - d/dd
		if !(dd < 0) || next <= lo || next >= hi {
			next = (lo + hi) / 2
		}
		if next == rho {
			break
		}
		rho = next
	}
	q.set(rho)
	return rho, math.Abs(rho) > farthest-1e-6
}

// smoothed2x2 moves half a person into the empty cell of a 2 by 2 table with one,
// keeping the margins (as Mplus and lavaan do): without it the estimate is 1.
func smoothed2x2(n *mat.Dense) *mat.Dense {
	r, c := n.Dims()
	if r != 2 || c != 2 {
		return n
	}
	empty, sign := 0, 0.0
	for i := range 2 {
		for j := range 2 {
			if n.At(i, j) == 0 {
				empty++
				sign = .5
				if i != j {
					sign = -.5
				}
			}
		}
	}
	if empty != 1 {
		return n
	}
	m := mat.DenseCopyOf(n)
	for i := range 2 {
		for j := range 2 {
			v := sign
			if i != j {
				v = -sign
			}
			m.Set(i, j, m.At(i, j)+v)
		}
	}
	return m
}
