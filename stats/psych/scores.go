// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// meat is what robust tests and standard errors take from single persons.
type meat struct {
	b     *mat.SymDense // mean product of the persons' gradients of log L
	trace float64       // of the weight matrix times the asymptotic covariance of the moments
}

// meats returns the products of persons' gradients at theta for each group.
//
// With raw, they are those of the log likelihood (Huber 1967), and trace is not
// filled. Else each gradient is taken at the sample's mean and centred on its
// group's mean, so that b = Delta' V Gamma V Delta for the distribution-free
// Gamma of complete data (Satorra & Bentler 1994), and trace = tr(V Gamma).
func (l *normalLik) meats(theta []float64, raw bool) ([]meat, bool) {
	out := make([]meat, len(l.groups))
	for g, s := range l.groups {
		r, w := l.rams[g], l.work[g]
		if r.set(theta) != nil {
			return nil, false
		}
		var slopes []slope
		var free []int
		for _, c := range r.cells {
			if c.free >= 0 {
				slopes = append(slopes, r.slope(c))
				free = append(free, c.free)
			}
		}
		rows := mat.NewDense(s.n, max(l.free, 1), nil)
		for i := range s.patterns {
			if !w.value(r, &s.patterns[i], l.means) {
				return nil, false
			}
			w.tables(r, &s.patterns[i], l.means)
			out[g].trace += w.personScores(r, s, &s.patterns[i], slopes, free, rows, l.means && raw)
		}
		if !raw {
			centre(rows)
		}
		b := mat.NewSymDense(max(l.free, 1), nil)
		b.SymOuterK(1/float64(s.n), rows.T())
		out[g].b = b
		if l.means && !raw {
			// Means add tr(K S) to the trace.
			for a := range r.p * r.p {
				out[g].trace += w.k[a] * s.cov[a]
			}
		}
	}
	return out, true
}

// personScores fills the rows of a pattern's persons and returns
// [mean (z'Kz)^2 - tr(KSKS)]/2 over them.
func (w *likWork) personScores(r *ram, s *sample, pat *pattern, slopes []slope, free []int, rows *mat.Dense, atModel bool) float64 {
	po, m2 := len(pat.obs), 2*r.m
	t := make([]float64, m2)
	z := make([]float64, po)
	var fourth float64
	for _, i := range pat.rows {
		y := s.y.RawRowView(i)
		for a, j := range pat.obs {
			z[a] = y[j] - pat.mean[a]
			if atModel {
				z[a] = y[j] - r.mu[j]
			}
		}
		for _, j := range w.used {
			var v float64
			for a := range po {
				v += w.kz[a*m2+j] * z[a]
			}
			t[j] = v
		}
		row := rows.RawRowView(i)
		for k, sl := range slopes {
			row[free[k]] += sl.c*(t[sl.a]*t[sl.b]-w.zkz[sl.a*m2+sl.b]) + sl.e*t[sl.a]
		}
		var q float64
		for a := range po {
			for b := range po {
				q += z[a] * w.k[a*po+b] * z[b]
			}
		}
		fourth += q * q
	}
	var tr float64 // tr(KSKS), Q = KTK with T = S at the sample's mean
	multiply(w.kt, w.k, pat.cov, po)
	for a := range po {
		for b := range po {
			tr += w.kt[a*po+b] * w.kt[b*po+a]
		}
	}
	return (fourth/float64(pat.n) - tr) / 2
}

func centre(x *mat.Dense) {
	n, k := x.Dims()
	mean := make([]float64, k)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			mean[j] += v / float64(n)
		}
	}
	for i := range n {
		for j := range k {
			x.RawRowView(i)[j] -= mean[j]
		}
	}
}

// saturatedTrace is tr(B1 A1^-1) of the model without restrictions, one group of
// complete data: [mean d^4 - p]/2, and p for the means, with d the Mahalanobis
// distance from the sample's own moments.
func saturatedTrace(s *sample, means bool) float64 {
	p := int(math.Sqrt(float64(len(s.cov))))
	k := append([]float64(nil), s.cov...)
	if _, ok := invertSPD(k, p); !ok {
		return 0
	}
	z := make([]float64, p)
	var fourth float64
	for i := range s.n {
		for a, v := range s.y.RawRowView(i) {
			z[a] = v - s.mean[a]
		}
		var q float64
		for a := range p {
			for b := range p {
				q += z[a] * k[a*p+b] * z[b]
			}
		}
		fourth += q * q
	}
	t := (fourth/float64(s.n) - float64(p)) / 2
	if means {
		t += float64(p)
	}
	return t
}
