// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// saturatedCells are means and covariances, all free, in the order means, then
// the lower triangle by columns.
func saturatedCells(p int) []cell {
	var cells []cell
	for i := range p {
		cells = append(cells, cell{kind: constant, i: i, free: i})
	}
	at := p
	for j := range p {
		for i := j; i < p; i++ {
			cells = append(cells, cell{kind: spread, i: i, j: j, free: at})
			at++
		}
	}
	return cells
}

// saturatedLik is the likelihood of one group's data without a model.
func saturatedLik(s *sample, p int) *normalLik {
	return newNormalLik([]*sample{s}, []*ram{newRAM(p, p, saturatedCells(p))}, p+p*(p+1)/2, true)
}

// saturatedTheta puts a sample's means and covariances in that order.
func saturatedTheta(s *sample) []float64 {
	p := len(s.mean)
	theta := append([]float64(nil), s.mean...)
	for j := range p {
		for i := j; i < p; i++ {
			theta = append(theta, s.cov[i*p+j])
		}
	}
	return theta
}

// estimateSaturated finds means and covariances of incomplete data by maximum
// likelihood: expectation-maximisation (Little & Rubin 2002, section 11.2), then
// Newton's steps, since EM alone stops early.
func (s *sample) estimateSaturated(p int) error {
	s.mean, s.cov = make([]float64, p), make([]float64, p*p)
	for j := range p {
		m, sd, count := columnMoments(s.y, j)
		s.mean[j], s.cov[j*p+j] = m, sd*sd*float64(count-1)/float64(count)
	}
	lik := saturatedLik(s, p)
	for range 2000 {
		if !s.stepEM(p) {
			break
		}
	}
	result := minimise(lik, saturatedTheta(s), 50)
	if !result.Converged {
		return fmt.Errorf("means and covariances of the incomplete data have no maximum of the likelihood: are too many values missing together?")
	}
	copy(s.mean, result.theta)
	at := p
	for j := range p {
		for i := j; i < p; i++ {
			s.cov[i*p+j], s.cov[j*p+i] = result.theta[at], result.theta[at]
			at++
		}
	}
	return nil
}

// stepEM takes one step and says whether another is worth while.
func (s *sample) stepEM(p int) bool {
	sum, cross := make([]float64, p), make([]float64, p*p)
	for k := range s.patterns {
		if !s.expect(&s.patterns[k], p, sum, cross) {
			return false
		}
	}
	var moved float64
	n := float64(s.n)
	old := append([]float64(nil), s.mean...)
	for i := range p {
		m := sum[i] / n // from the old mean
		moved = max(moved, math.Abs(m)/math.Sqrt(s.cov[i*p+i]))
		s.mean[i] = old[i] + m
	}
	for i := range p {
		for j := range i + 1 {
			v := cross[i*p+j]/n - sum[i]/n*sum[j]/n
			moved = max(moved, math.Abs(v-s.cov[i*p+j])/math.Sqrt(s.cov[i*p+i]*s.cov[j*p+j]))
			cross[i*p+j] = v
		}
	}
	for i := range p {
		for j := range i + 1 {
			s.cov[i*p+j], s.cov[j*p+i] = cross[i*p+j], cross[i*p+j]
		}
	}
	return moved > 1e-5
}

// expect adds a pattern's expected sums and cross-products about the old mean.
func (s *sample) expect(pat *pattern, p int, sum, cross []float64) bool {
	po := len(pat.obs)
	k := make([]float64, po*po)
	seen := make([]bool, p)
	for a, i := range pat.obs {
		seen[i] = true
		for b, j := range pat.obs {
			k[a*po+b] = s.cov[i*p+j]
		}
	}
	if _, ok := invertSPD(k, po); !ok {
		return false
	}
	// b = Sigma[, o] K: what each variable is expected to be for what is seen.
	b := make([]float64, p*po)
	for i := range p {
		for c := range po {
			if seen[i] {
				if pat.obs[c] == i {
					b[i*po+c] = 1
				}
				continue
			}
			for a, j := range pat.obs {
				b[i*po+c] += s.cov[i*p+j] * k[a*po+c]
			}
		}
	}
	n := float64(pat.n)
	d := make([]float64, po)
	t := make([]float64, po*po)
	for a, j := range pat.obs {
		d[a] = pat.mean[a] - s.mean[j]
	}
	for a := range po {
		for c := range po {
			t[a*po+c] = pat.cov[a*po+c] + d[a]*d[c]
		}
	}
	bt := make([]float64, po)
	for i := range p {
		for c := range po {
			sum[i] += n * b[i*po+c] * d[c]
			bt[c] = 0
			for a := range po {
				bt[c] += b[i*po+a] * t[a*po+c]
			}
		}
		for j := range i + 1 {
			var v float64
			for c := range po {
				v += bt[c] * b[j*po+c]
			}
			if !seen[i] && !seen[j] {
				v += s.cov[i*p+j]
				for c, o := range pat.obs {
					v -= b[i*po+c] * s.cov[o*p+j]
				}
			}
			cross[i*p+j] += n * v
		}
	}
	return true
}

// symOf wraps a row-major symmetric matrix.
func symOf(a []float64, p int) *mat.SymDense {
	return mat.NewSymDense(p, append([]float64(nil), a...))
}
