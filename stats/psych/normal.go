// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// pattern is the rows of a group in which the same variables are present.
type pattern struct {
	n    int
	obs  []int
	mean []float64
	cov  []float64 // divisor n, row-major over obs
	rows []int
}

// sample is one group's data.
type sample struct {
	n        int
	y        *mat.Dense // n by p
	patterns []pattern
	mean     []float64 // estimates without a model: of complete data, moments; else by maximum likelihood
	cov      []float64 // p by p, divisor n
}

// normalLik is the normal likelihood of one or several groups: with complete
// data each group has one pattern.
//
// f is the mean over persons of -2 log L, halved and without its constant:
// f = sum_g n_g/N sum_p n_p/n_g [log|Sigma_oo| + tr(Sigma_oo^-1 T)]/2 with
// T = S_p + d d', d = mean_p - mu_o.
type normalLik struct {
	groups []*sample
	rams   []*ram
	free   int
	means  bool // else the means are saturated
	total  int
	work   []*likWork
}

// likWork holds what one pass over a group needs.
type likWork struct {
	used             []int // columns of Z that a cell needs
	k, q, t, kt      []float64
	zo, kz, qz       []float64
	zkz, zqz, w      []float64 // 2m by 2m
	d, kd, c, v      []float64
	logDet, trace, f float64
}

func newNormalLik(groups []*sample, rams []*ram, free int, means bool) *normalLik {
	l := &normalLik{groups: groups, rams: rams, free: free, means: means}
	for g, s := range groups {
		l.total += s.n
		r := rams[g]
		p, m := r.p, r.m
		w := &likWork{
			k: make([]float64, p*p), q: make([]float64, p*p), t: make([]float64, p*p), kt: make([]float64, p*p),
			zo: make([]float64, p*2*m), kz: make([]float64, p*2*m), qz: make([]float64, p*2*m),
			zkz: make([]float64, 4*m*m), zqz: make([]float64, 4*m*m), w: make([]float64, 4*m*m),
			d: make([]float64, p), kd: make([]float64, p), c: make([]float64, 2*m), v: make([]float64, 2*m),
		}
		need := make([]bool, 2*m)
		for _, c := range r.cells {
			need[c.i] = true
			switch c.kind {
			case arrow:
				need[m+c.j] = true
			case spread:
				need[c.j] = true
			}
		}
		for j, n := range need {
			if n {
				w.used = append(w.used, j)
			}
		}
		l.work = append(l.work, w)
	}
	return l
}

// inverse fills k with the inverse of the implied covariances of a pattern.
func (w *likWork) inverse(r *ram, obs []int) bool {
	po := len(obs)
	for a, i := range obs {
		for b, j := range obs {
			w.k[a*po+b] = r.sigma[i*r.p+j]
		}
	}
	var ok bool
	w.logDet, ok = invertSPD(w.k[:po*po], po)
	return ok
}

// value computes a pattern's part of f: k, t, kt, d, trace.
func (w *likWork) value(r *ram, pat *pattern, means bool) bool {
	if !w.inverse(r, pat.obs) {
		return false
	}
	po := len(pat.obs)
	copy(w.t, pat.cov)
	if means {
		for a, i := range pat.obs {
			w.d[a] = pat.mean[a] - r.mu[i]
		}
		for a := range po {
			for b := range po {
				w.t[a*po+b] += w.d[a] * w.d[b]
			}
		}
	}
	w.trace = 0
	for i, v := range w.k[:po*po] {
		w.trace += v * w.t[i]
	}
	w.f = (w.logDet + w.trace) / 2
	return true
}

// tables computes Z'KZ, Z'QZ with Q = KTK, and c = Z'Kd, after value.
func (w *likWork) tables(r *ram, pat *pattern, means bool) {
	po, m2 := len(pat.obs), 2*r.m
	multiply(w.kt, w.k, w.t, po)
	multiply(w.q, w.kt, w.k, po)
	for a, i := range pat.obs {
		copy(w.zo[a*m2:(a+1)*m2], r.z[i*m2:(i+1)*m2])
	}
	for a := range po {
		for _, j := range w.used {
			var s, u float64
			for b := range po {
				z := w.zo[b*m2+j]
				s += w.k[a*po+b] * z
				u += w.q[a*po+b] * z
			}
			w.kz[a*m2+j], w.qz[a*m2+j] = s, u
		}
	}
	for x, i := range w.used {
		for _, j := range w.used[x:] {
			var s, u float64
			for a := range po {
				z := w.zo[a*m2+i]
				s += z * w.kz[a*m2+j]
				u += z * w.qz[a*m2+j]
			}
			w.zkz[i*m2+j], w.zkz[j*m2+i] = s, s
			w.zqz[i*m2+j], w.zqz[j*m2+i] = u, u
		}
	}
	if !means {
		return
	}
	for a := range po {
		var s float64
		for b := range po {
			s += w.k[a*po+b] * w.d[b]
		}
		w.kd[a] = s
	}
	for _, j := range w.used {
		var s float64
		for a := range po {
			s += w.zo[a*m2+j] * w.kd[a]
		}
		w.c[j] = s
	}
}

func multiply(dst, a, b []float64, n int) {
	for i := range n {
		row := dst[i*n : (i+1)*n]
		clear(row)
		for k := range n {
			v := a[i*n+k]
			for j, u := range b[k*n : (k+1)*n] {
				row[j] += v * u
			}
		}
	}
}

// objective returns f, or false where Sigma is not positive definite.
func (l *normalLik) objective(theta []float64) (float64, bool) {
	var f float64
	for g, s := range l.groups {
		r, w := l.rams[g], l.work[g]
		if r.set(theta) != nil {
			return 0, false
		}
		for i := range s.patterns {
			if !w.value(r, &s.patterns[i], l.means) {
				return 0, false
			}
			f += float64(s.patterns[i].n) / float64(l.total) * w.f
		}
	}
	return f, true
}

// information is the kind of matrix that derivatives returns.
type information int

const (
	expected    information = iota // of the moments: positive semidefinite
	observed                       // the Hessian of f
	halfway                        // the Hessian less the curvature of the moments: as if they were linear
	noCurvature                    // none
)

// derivatives adds nothing to what it is given: it returns f, its gradient, and
// a matrix of second derivatives of the kind asked for.
func (l *normalLik) derivatives(theta []float64, kind information) (f float64, grad []float64, h *mat.SymDense, ok bool) {
	grad = make([]float64, l.free)
	if kind != noCurvature && l.free > 0 {
		h = mat.NewSymDense(l.free, nil)
	}
	for g, s := range l.groups {
		r, w := l.rams[g], l.work[g]
		if r.set(theta) != nil {
			return 0, nil, nil, false
		}
		slopes := make([]slope, len(r.cells))
		for i, c := range r.cells {
			slopes[i] = r.slope(c)
		}
		clear(w.w)
		clear(w.v)
		for i := range s.patterns {
			pat := &s.patterns[i]
			if !w.value(r, pat, l.means) {
				return 0, nil, nil, false
			}
			w.tables(r, pat, l.means)
			weight := float64(pat.n) / float64(l.total)
			f += weight * w.f
			w.gather(r, weight)
			if h != nil {
				w.addCurvature(r, slopes, h, weight, kind, l.means)
			}
		}
		w.addGradient(r, slopes, grad)
		if kind == observed {
			w.addSecond(r, h)
		}
	}
	return f, grad, h, true
}

// gather adds a pattern's Z'WZ and Z'v, W = dF/dSigma = (K-Q)/2, v = dF/dmu = -Kd.
func (w *likWork) gather(r *ram, weight float64) {
	m2 := 2 * r.m
	for _, i := range w.used {
		for _, j := range w.used {
			w.w[i*m2+j] += weight / 2 * (w.zkz[i*m2+j] - w.zqz[i*m2+j])
		}
		w.v[i] -= weight * w.c[i]
	}
}

func (w *likWork) addGradient(r *ram, slopes []slope, grad []float64) {
	m2 := 2 * r.m
	for i, c := range r.cells {
		if s := slopes[i]; c.free >= 0 {
			grad[c.free] += 2*s.c*w.w[s.a*m2+s.b] + s.e*w.v[s.a]
		}
	}
}

// addCurvature adds a pattern's second derivatives through the moments.
func (w *likWork) addCurvature(r *ram, slopes []slope, h *mat.SymDense, weight float64, kind information, means bool) {
	m2 := 2 * r.m
	raw := h.RawSymmetric()
	for x, k := range r.cells {
		if k.free < 0 {
			continue
		}
		s := slopes[x]
		for y := range x + 1 {
			l := r.cells[y]
			if l.free < 0 {
				continue
			}
			u := slopes[y]
			var v float64
			if cc := s.c * u.c; cc != 0 {
				kax, kay := w.zkz[s.a*m2+u.a], w.zkz[s.a*m2+u.b]
				kbx, kby := w.zkz[s.b*m2+u.a], w.zkz[s.b*m2+u.b]
				e := kbx*kay + kby*kax
				if kind == expected {
					v = cc * e
				} else {
					v = cc * (kbx*w.zqz[u.b*m2+s.a] + kby*w.zqz[u.a*m2+s.a] +
						kax*w.zqz[u.b*m2+s.b] + kay*w.zqz[u.a*m2+s.b] - e)
				}
			}
			if means {
				v += s.e * u.e * w.zkz[s.a*m2+u.a]
				if kind != expected {
					v += u.e * s.c * (w.zkz[u.a*m2+s.a]*w.c[s.b] + w.zkz[u.a*m2+s.b]*w.c[s.a])
					v += s.e * u.c * (w.zkz[s.a*m2+u.a]*w.c[u.b] + w.zkz[s.a*m2+u.b]*w.c[u.a])
				}
			}
			addPair(raw.Data, raw.Stride, k.free, l.free, x == y, weight*v)
		}
	}
}

// addSecond adds what the curvature of the moments contributes.
func (w *likWork) addSecond(r *ram, h *mat.SymDense) {
	raw := h.RawSymmetric()
	for x, k := range r.cells {
		if k.free < 0 {
			continue
		}
		for y := range x + 1 {
			if l := r.cells[y]; l.free >= 0 {
				addPair(raw.Data, raw.Stride, k.free, l.free, x == y, r.second(k, l, w.w, w.v))
			}
		}
	}
}

// addPair adds the derivative by a pair of cells to the upper triangle. Two cells
// of one parameter count twice, as in (a+b)^2.
func addPair(h []float64, stride, i, j int, same bool, v float64) {
	if i == j && !same {
		v *= 2
	}
	h[min(i, j)*stride+max(i, j)] += v
}

// logLik returns the log likelihood with its constant for a value of f.
func (l *normalLik) logLik(f float64) float64 {
	var values int
	for _, s := range l.groups {
		for _, p := range s.patterns {
			values += p.n * len(p.obs)
		}
	}
	return -float64(l.total)*f - float64(values)/2*math.Log(2*math.Pi)
}
