// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import "math"

// jets is arithmetic on numbers that carry their first and second derivatives
// in n parameters: [value, n first derivatives, n(n+1)/2 second derivatives].
// With n = 0 it is arithmetic on plain numbers.
type jets struct {
	n int
	// pairs lists the (i, j), i <= j, of the second derivatives in order.
	pairs [][2]int
}

func newJets(n int) jets {
	j := jets{n: n}
	for a := range n {
		for b := a; b < n; b++ {
			j.pairs = append(j.pairs, [2]int{a, b})
		}
	}
	return j
}

func (j jets) size() int { return 1 + j.n + len(j.pairs) }

// second is the index of the second derivative in a and b.
func (j jets) second(a, b int) int {
	a, b = min(a, b), max(a, b)
	return 1 + j.n + a*j.n - a*(a-1)/2 + b - a
}

// mul writes ab into out, which must be neither a nor b.
func (j jets) mul(a, b, out []float64) {
	if j.n == 2 {
		mulTwo((*[6]float64)(a), (*[6]float64)(b), (*[6]float64)(out))
		return
	}
	a0, b0 := a[0], b[0]
	out[0] = a0 * b0
	for i := 1; i <= j.n; i++ {
		out[i] = a0*b[i] + a[i]*b0
	}
	s := 1 + j.n
	for i, p := range j.pairs {
		l, m := p[0]+1, p[1]+1
		out[s+i] = a0*b[s+i] + a[l]*b[m] + a[m]*b[l] + a[s+i]*b0
	}
}

// mulTwo is mul for two parameters, the three-level model's, where most of its
// time goes.
func mulTwo(a, b, out *[6]float64) {
	out[0] = a[0] * b[0]
	out[1] = a[0]*b[1] + a[1]*b[0]
	out[2] = a[0]*b[2] + a[2]*b[0]
	out[3] = a[0]*b[3] + 2*a[1]*b[1] + a[3]*b[0]
	out[4] = a[0]*b[4] + a[1]*b[2] + a[2]*b[1] + a[4]*b[0]
	out[5] = a[0]*b[5] + 2*a[2]*b[2] + a[5]*b[0]
}

// inv writes 1/a into out.
func (j jets) inv(a, out []float64) {
	r := 1 / a[0]
	out[0] = r
	for i := 1; i <= j.n; i++ {
		out[i] = -a[i] * r * r
	}
	s := 1 + j.n
	for i, p := range j.pairs {
		out[s+i] = (2*a[p[0]+1]*a[p[1]+1]*r - a[s+i]) * r * r
	}
}

// addLog adds log a to out.
func (j jets) addLog(a, out []float64) {
	r := 1 / a[0]
	out[0] += math.Log(a[0])
	for i := 1; i <= j.n; i++ {
		out[i] += a[i] * r
	}
	s := 1 + j.n
	for i, p := range j.pairs {
		out[s+i] += (a[s+i] - a[p[0]+1]*a[p[1]+1]*r) * r
	}
}

// chain writes f(a) into out, from the values of f and its two derivatives at a.
func (j jets) chain(a []float64, f, f1, f2 float64, out []float64) {
	out[0] = f
	for i := 1; i <= j.n; i++ {
		out[i] = f1 * a[i]
	}
	s := 1 + j.n
	for i, p := range j.pairs {
		out[s+i] = f1*a[s+i] + f2*a[p[0]+1]*a[p[1]+1]
	}
}
