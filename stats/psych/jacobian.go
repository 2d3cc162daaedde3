// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import "gonum.org/v1/gonum/mat"

// momentCount is the number of a group's moments: means, then the lower triangle
// of the covariances by columns.
func momentCount(p int) int { return p + p*(p+1)/2 }

// jacobian returns the derivatives of a group's means and covariances by the free
// parameters, in the order of momentCount.
func (r *ram) jacobian(free int) *mat.Dense {
	p, m2 := r.p, 2*r.m
	d := mat.NewDense(momentCount(p), free, nil)
	for _, c := range r.cells {
		if c.free < 0 {
			continue
		}
		s := r.slope(c)
		for i := range p {
			d.Set(i, c.free, d.At(i, c.free)+s.e*r.z[i*m2+s.a])
		}
		if s.c == 0 {
			continue
		}
		at := p
		for j := range p {
			za, zb := r.z[j*m2+s.a], r.z[j*m2+s.b]
			for i := j; i < p; i++ {
				v := s.c * (r.z[i*m2+s.a]*zb + r.z[i*m2+s.b]*za)
				d.Set(at, c.free, d.At(at, c.free)+v)
				at++
			}
		}
	}
	return d
}

// normalWeight returns the information of one person's complete data on means and
// covariances at a covariance matrix, given its inverse k (p by p).
func normalWeight(k []float64, p int) *mat.SymDense {
	w := mat.NewSymDense(momentCount(p), nil)
	for i := range p {
		for j := range i + 1 {
			w.SetSym(i, j, k[i*p+j])
		}
	}
	type pair struct{ i, j int }
	var pairs []pair
	for j := range p {
		for i := j; i < p; i++ {
			pairs = append(pairs, pair{i, j})
		}
	}
	half := func(q pair) float64 {
		if q.i == q.j {
			return .5
		}
		return 1
	}
	for x, a := range pairs {
		for y := range x + 1 {
			b := pairs[y]
			v := k[a.j*p+b.i]*k[a.i*p+b.j] + k[a.j*p+b.j]*k[a.i*p+b.i]
			w.SetSym(p+x, p+y, half(a)*half(b)*v)
		}
	}
	return w
}
