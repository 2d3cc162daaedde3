// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// dwls is the fit function of diagonally weighted least squares for ordered
// items: f = sum_g (n_g-1)/N sum_k w_k (s_k - sigma_k)^2 / 2 over the thresholds,
// item by item, and the correlations below the diagonal, by columns, with w_k one
// over the asymptotic variance of s_k. Errors and tests weight groups by n_g/N, and
// count N persons less one for each group, as lavaan does.
type dwls struct {
	groups []*orderedSample
	rams   []*ram
	free   int
	total  int
}

// orderedSample is one group's moments.
type orderedSample struct {
	n     int
	data  *ordered
	m     *orderedMoments
	gamma *mat.SymDense // of m
	s, w  []float64
	th    int
	sigma []float64 // implied, last computed
}

func newOrderedSample(o *ordered, m *orderedMoments) *orderedSample {
	s := &orderedSample{n: o.n, data: o, m: m, th: o.thresholdCount(), gamma: m.gamma}
	for _, t := range o.tau {
		s.s = append(s.s, t...)
	}
	for j := range o.p {
		for i := j + 1; i < o.p; i++ {
			s.s = append(s.s, m.rho.At(i, j))
		}
	}
	s.w = make([]float64, len(s.s))
	for k := range s.w {
		s.w[k] = 1 / s.gamma.At(k, k)
	}
	s.sigma = make([]float64, len(s.s))
	return s
}

// implied fills the thresholds and correlations that a group's matrices imply.
func (s *orderedSample) implied(r *ram) {
	k := 0
	for i, tau := range r.tau {
		for _, t := range tau {
			s.sigma[k] = r.delta[i] * (t - r.mu[i])
			k++
		}
	}
	p := r.p
	for j := range p {
		for i := j + 1; i < p; i++ {
			s.sigma[k] = r.delta[i] * r.delta[j] * r.sigma[i*p+j]
			k++
		}
	}
}

func (d *dwls) objective(theta []float64) (float64, bool) {
	var f float64
	for g, s := range d.groups {
		if d.rams[g].set(theta) != nil {
			return 0, false
		}
		s.implied(d.rams[g])
		var sum float64
		for k, v := range s.sigma {
			e := s.s[k] - v
			sum += s.w[k] * e * e
		}
		f += float64(s.n-1) / float64(d.total) * sum / 2
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0)
}

// derivatives returns Gauss and Newton's matrix for every kind: residual
// correlations are small, and what it leaves out shrinks with them.
func (d *dwls) derivatives(theta []float64, _ information) (f float64, grad []float64, h *mat.SymDense, ok bool) {
	f, ok = d.objective(theta)
	if !ok {
		return 0, nil, nil, false
	}
	grad = make([]float64, d.free)
	h = mat.NewSymDense(d.free, nil)
	for g, s := range d.groups {
		share := float64(s.n-1) / float64(d.total)
		jac := s.jacobian(d.rams[g], d.free)
		weighted := mat.DenseCopyOf(jac)
		for k, w := range s.w {
			root := math.Sqrt(share * w)
			row := weighted.RawRowView(k)
			e := root * (s.s[k] - s.sigma[k])
			for j := range row {
				row[j] *= root
				grad[j] -= row[j] * e
			}
		}
		var part mat.SymDense
		part.SymOuterK(1, weighted.T())
		h.AddSym(h, &part)
	}
	return f, grad, h, true
}

// jacobian returns the derivatives of the implied thresholds and correlations.
func (s *orderedSample) jacobian(r *ram, free int) *mat.Dense {
	p, m2 := r.p, 2*r.m
	out := mat.NewDense(len(s.s), free, nil)
	raw := out.RawMatrix()
	add := func(row, col int, v float64) { raw.Data[row*raw.Stride+col] += v }
	firstTau := make([]int, p+1)
	for i, t := range r.tau {
		firstTau[i+1] = firstTau[i] + len(t)
	}
	for _, c := range r.cells {
		if c.free < 0 {
			continue
		}
		switch c.kind {
		case threshold:
			add(firstTau[c.i]+c.j, c.free, r.delta[c.i])
			continue
		case scaling:
			s.slopeByScaling(r, c, firstTau, add)
			continue
		}
		sl := r.slope(c)
		if sl.e != 0 {
			for i := range p {
				v := -r.delta[i] * sl.e * r.z[i*m2+sl.a]
				for k := firstTau[i]; v != 0 && k < firstTau[i+1]; k++ {
					add(k, c.free, v)
				}
			}
		}
		if sl.c == 0 {
			continue
		}
		k := s.th
		for j := range p {
			za, zb := r.z[j*m2+sl.a], r.z[j*m2+sl.b]
			for i := j + 1; i < p; i++ {
				v := sl.c * (r.z[i*m2+sl.a]*zb + r.z[i*m2+sl.b]*za)
				if v != 0 {
					add(k, c.free, r.delta[i]*r.delta[j]*v)
				}
				k++
			}
		}
	}
	return out
}

func (s *orderedSample) slopeByScaling(r *ram, c cell, firstTau []int, add func(row, col int, v float64)) {
	p := r.p
	for k := firstTau[c.i]; k < firstTau[c.i+1]; k++ {
		add(k, c.free, r.tau[c.i][k-firstTau[c.i]]-r.mu[c.i])
	}
	k := s.th
	for j := range p {
		for i := j + 1; i < p; i++ {
			switch c.i {
			case i:
				add(k, c.free, r.delta[j]*r.sigma[i*p+j])
			case j:
				add(k, c.free, r.delta[i]*r.sigma[i*p+j])
			}
			k++
		}
	}
}

// fillResiduals puts into S the residual variances that leave each response the
// variance 1/delta^2, and renews the moments that depend on them.
func (r *ram) fillResiduals() {
	for i := range r.p {
		r.s[i*r.m+i] = 0
	}
	r.moments()
	for i := range r.p {
		d := r.delta[i]
		r.s[i*r.m+i] = 1/(d*d) - r.sigma[i*r.p+i]
	}
	r.moments()
}
