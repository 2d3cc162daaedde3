// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import "gonum.org/v1/gonum/mat"

// incomplete is what one group's incomplete data say without a model.
type incomplete struct {
	share    float64
	wm       *mat.SymDense // observed information on the moments, per person
	wmi      *mat.SymDense // its inverse
	wc       *mat.SymDense // what complete data with these moments would say
	gamma    *mat.SymDense // asymptotic covariance of the moments, if distribution-free
	complete *sample       // the estimated moments, as if of complete data
}

// correctMissing fills the robust indices of FIML, whose noncentrality otherwise
// depends on how much is missing.
//
// Source: Zhang & Savalei (2023), Structural Equation Modeling 30: FIML-C, in
// their version 6 (normal data) or, with MLR, version 3.
func (f *Fit) correctMissing(base *normalLik, baseTheta []float64) {
	x := &f.Indices
	if !f.Identified || x.DF <= 0 {
		return
	}
	groups, ok := f.incomplete()
	if !ok {
		return
	}
	k, ok := correction(groups, f.rams, f.layout.free)
	if !ok {
		return
	}
	kb, ok := correction(groups, base.rams, base.free)
	if !ok {
		return
	}
	c, cb := k/float64(x.DF), kb/float64(x.Baseline.DF)
	chi, ok1 := f.completeTest(groups, f.rams, f.theta, f.layout.free)
	chib, ok2 := f.completeTest(groups, base.rams, baseTheta, base.free)
	if !ok1 || !ok2 {
		return
	}
	x.Robust = robustIndices(newTest(chi, x.DF), newTest(chib, x.Baseline.DF), c, cb, f.N, len(f.Groups))
}

func (f *Fit) incomplete() ([]incomplete, bool) {
	p := len(f.Items)
	var out []incomplete
	for _, s := range f.normal.groups {
		l := saturatedLik(s, p)
		theta := saturatedTheta(s)
		_, _, wm, ok := l.derivatives(theta, observed)
		if !ok {
			return nil, false
		}
		wmi, ok := inverseSym(wm)
		if !ok {
			return nil, false
		}
		k := append([]float64(nil), s.cov...)
		if _, ok := invertSPD(k, p); !ok {
			return nil, false
		}
		all := make([]int, p)
		for i := range all {
			all[i] = i
		}
		g := incomplete{share: float64(s.n) / float64(f.N), wm: wm, wmi: wmi, wc: normalWeight(k, p),
			complete: &sample{n: s.n, mean: s.mean, cov: s.cov, patterns: []pattern{{n: s.n, obs: all, mean: s.mean, cov: s.cov}}}}
		if f.Estimator == MLR {
			m, ok := l.meats(theta, true)
			if !ok {
				return nil, false
			}
			var t, u mat.Dense
			t.Mul(dense(wmi), dense(m[0].b))
			u.Mul(&t, dense(wmi))
			g.gamma = symmetrised(&u)
		}
		out = append(out, g)
	}
	return out, true
}

func symmetrised(d *mat.Dense) *mat.SymDense {
	n, _ := d.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			s.SetSym(i, j, (d.At(i, j)+d.At(j, i))/2)
		}
	}
	return s
}

// correction is k of Zhang & Savalei (2023): tr(Wc [Wm^-1 - D E^-1 D']) for normal
// data, and tr(R' Wc R Gamma) with R = I - D E^-1 D' Wm without that assumption;
// D are the derivatives of the moments and E = D' Wm D.
func correction(groups []incomplete, rams []*ram, free int) (k float64, ok bool) {
	e := mat.NewSymDense(free, nil)
	for g, s := range groups {
		var share mat.SymDense
		share.ScaleSym(s.share, congruent(rams[g].jacobian(free), s.wm))
		e.AddSym(e, &share)
	}
	inv, ok := inverseSym(e)
	if !ok {
		return 0, false
	}
	if groups[0].gamma == nil {
		for g, s := range groups {
			d := rams[g].jacobian(free)
			k += traceOf(s.wc, s.wmi) - s.share*traceOf(congruent(d, s.wc), inv)
		}
		return k, true
	}
	n := 0
	for _, s := range groups {
		n += s.wm.SymmetricDim()
	}
	// Groups share parameters, so R is not block-diagonal.
	d, wc, wm, gamma := mat.NewDense(n, free, nil), mat.NewDense(n, n, nil), mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	at := 0
	for g, s := range groups {
		q := s.wm.SymmetricDim()
		d.Slice(at, at+q, 0, free).(*mat.Dense).Copy(rams[g].jacobian(free))
		wc.Slice(at, at+q, at, at+q).(*mat.Dense).Scale(s.share, dense(s.wc))
		wm.Slice(at, at+q, at, at+q).(*mat.Dense).Scale(s.share, dense(s.wm))
		gamma.Slice(at, at+q, at, at+q).(*mat.Dense).Scale(1/s.share, dense(s.gamma))
		at += q
	}
	var de, r, t, u, v mat.Dense
	de.Mul(d, dense(inv))
	t.Mul(d.T(), wm)
	r.Mul(&de, &t)
	r.Scale(-1, &r)
	for i := range n {
		r.Set(i, i, r.At(i, i)+1)
	}
	u.Mul(r.T(), wc)
	v.Mul(&u, &r)
	u.Mul(&v, gamma)
	return mat.Trace(&u), true
}

// congruent returns d' w d.
func congruent(d *mat.Dense, w *mat.SymDense) *mat.SymDense {
	var t, u mat.Dense
	t.Mul(dense(w), d)
	u.Mul(d.T(), &t)
	return symmetrised(&u)
}

// completeTest is the test of a model at its estimates as if the moments were
// those of complete data.
func (f *Fit) completeTest(groups []incomplete, rams []*ram, theta []float64, free int) (float64, bool) {
	var samples []*sample
	var sat float64
	for _, g := range groups {
		samples = append(samples, g.complete)
		v, ok := saturatedLik(g.complete, len(f.Items)).objective(saturatedTheta(g.complete))
		if !ok {
			return 0, false
		}
		sat += g.share * v
	}
	v, ok := newNormalLik(samples, rams, free, true).objective(theta)
	return max(0, 2*float64(f.N)*(v-sat)), ok
}
