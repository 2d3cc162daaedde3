// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// orderedScores returns the posterior modes of the factors given the answers: the
// largest of the normal density of the factors times the chances of the answers.
func (f *Fit) orderedScores() (*mat.Dense, error) {
	q := len(f.Factors)
	out := mat.NewDense(f.N, q, nil)
	from := 0
	for g, s := range f.weight.groups {
		m, err := newOrderedPosterior(f.rams[g], f.Items)
		if err != nil {
			return nil, err
		}
		known := map[string][]float64{}
		codes := make([]int, s.data.p)
		for i := range s.n {
			key := make([]byte, s.data.p)
			for j := range codes {
				codes[j] = s.data.code[j][i]
				key[j] = byte(codes[j]) // fewer than mostLevels
			}
			score, done := known[string(key)]
			if !done {
				var ok bool
				if score, ok = m.mode(codes); !ok {
					return nil, fmt.Errorf("row %d of those used: no score was found", from+i+1)
				}
				known[string(key)] = score
			}
			out.SetRow(from+i, score)
		}
		from += s.n
	}
	return out, nil
}

// orderedPosterior is what is known of one group's factors before and given the
// answers: response j is nu + load'eta + e with e normal, cut at the thresholds.
type orderedPosterior struct {
	mean     []float64
	inverse  []float64 // of the factors' covariance matrix, q by q
	load     [][]float64
	nu, sd   []float64
	tau      [][]float64
	gradient []float64
	hessian  *mat.SymDense
}

func newOrderedPosterior(r *ram, items []string) (*orderedPosterior, error) {
	q := r.m - r.p
	m := &orderedPosterior{mean: r.eta[r.p:], tau: r.tau, nu: r.mean[:r.p], sd: make([]float64, r.p), gradient: make([]float64, q), hessian: mat.NewSymDense(q, nil)}
	for j := range r.m {
		for k := range r.p {
			if r.a[j*r.m+k] != 0 {
				return nil, fmt.Errorf("%s explains another variable: there are no scores of such a model", items[k])
			}
			if k != j && r.s[j*r.m+k] != 0 {
				return nil, fmt.Errorf("the residual of %s is correlated with another: there are no scores of such a model", items[k])
			}
		}
	}
	for j := range r.p {
		v := r.s[j*r.m+j]
		if !(v > 0) {
			return nil, fmt.Errorf("the residual variance of %s is not above 0: there are no scores", items[j])
		}
		m.sd[j] = math.Sqrt(v)
		m.load = append(m.load, r.a[j*r.m+r.p:(j+1)*r.m])
	}
	for a := range q {
		m.inverse = append(m.inverse, r.cov[(r.p+a)*r.m+r.p:(r.p+a+1)*r.m]...)
	}
	if _, ok := invertSPD(m.inverse, q); !ok {
		return nil, errors.New("the covariance matrix of the factors cannot be inverted: there are no scores")
	}
	return m, nil
}

// mode climbs by Newton's steps; the logarithm of the posterior curves down
// everywhere, so that there is one top.
func (m *orderedPosterior) mode(codes []int) ([]float64, bool) {
	q := len(m.mean)
	x := append([]float64(nil), m.mean...)
	next := make([]float64, q)
	value := m.value(codes, x)
	var chol mat.Cholesky
	step := mat.NewVecDense(q, nil)
	for range 100 {
		if !chol.Factorize(m.hessian) || chol.SolveVecTo(step, mat.NewVecDense(q, m.gradient)) != nil {
			return nil, false
		}
		largest := 0.0
		for share := 1.0; ; share /= 2 {
			largest = 0
			for k := range x {
				next[k] = x[k] - share*step.AtVec(k)
				largest = math.Max(largest, math.Abs(share*step.AtVec(k)))
			}
			if v := m.value(codes, next); v <= value+1e-12*math.Abs(value) {
				value = v
				break
			}
			if share < 1e-10 {
				return nil, false
			}
		}
		copy(x, next)
		if largest < 1e-11 {
			return x, true
		}
	}
	return nil, false
}

// value is minus the logarithm of the posterior at x, less a constant; it fills
// the gradient and the Hessian.
func (m *orderedPosterior) value(codes []int, x []float64) float64 {
	q := len(x)
	var sum float64
	for a := range q {
		m.gradient[a] = 0
		for b := range q {
			w := m.inverse[a*q+b]
			m.gradient[a] += w * (x[b] - m.mean[b])
			m.hessian.SetSym(a, b, w)
		}
		sum += m.gradient[a] * (x[a] - m.mean[a]) / 2
	}
	for j, c := range codes {
		at := m.nu[j]
		for k, l := range m.load[j] {
			at += l * x[k]
		}
		low, high := math.Inf(-1), math.Inf(1)
		if c > 0 {
			low = (m.tau[j][c-1] - at) / m.sd[j]
		}
		if c < len(m.tau[j]) {
			high = (m.tau[j][c] - at) / m.sd[j]
		}
		log, first, second := logBetween(low, high)
		sum -= log
		for a, la := range m.load[j] {
			m.gradient[a] += first * la / m.sd[j]
			for b := range a + 1 {
				m.hessian.SetSym(a, b, m.hessian.At(a, b)-second*la*m.load[j][b]/(m.sd[j]*m.sd[j]))
			}
		}
	}
	return sum
}

// logBetween returns the logarithm of the normal probability between two bounds and
// its first two derivatives as both move up.
func logBetween(low, high float64) (log, first, second float64) {
	p := normalCDF(high) - normalCDF(low)
	if low > 0 { // the upper tail has digits that 1 less it has not
		p = normalCDF(-low) - normalCDF(-high)
	}
	p = math.Max(p, leastProb)
	slope := func(x float64) (density, times float64) {
		if math.IsInf(x, 0) {
			return 0, 0
		}
		d := normalDensity(x)
		return d, x * d
	}
	dl, xl := slope(low)
	dh, xh := slope(high)
	first = (dh - dl) / p
	return math.Log(p), first, -(xh-xl)/p - first*first
}
