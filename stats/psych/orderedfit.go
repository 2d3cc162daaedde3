// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

func (f *Fit) fitOrdered(m *Model, ys []*mat.Dense, o Options) error {
	levels, err := levelsOf(ys, f.Items)
	if err != nil {
		return err
	}
	p := len(f.Items)
	counts := make([]int, p)
	for j, l := range levels {
		counts[j] = len(l)
	}
	if f.layout, err = newLayout(m, f.Items, len(ys), counts, o); err != nil {
		return err
	}
	d := &dwls{total: f.N, free: f.layout.free}
	var covs [][]float64
	var taus [][][]float64
	for g, y := range ys {
		data, err := newOrdered(y, levels, f.Items, f.Groups[g])
		if err != nil {
			return err
		}
		mom := data.moments()
		if len(mom.atEnd) > 0 {
			return fmt.Errorf("the correlation of %s is 1 or -1", describePairs(mom.atEnd, f.Items))
		}
		if mom.gamma == nil {
			return fmt.Errorf("the weights of %d items cannot be computed from %d rows", p, data.n)
		}
		s := newOrderedSample(data, mom)
		d.groups = append(d.groups, s)
		covs = append(covs, rowMajor(mom.rho))
		taus = append(taus, data.tau)
		f.Sample = append(f.Sample, Moments{Cov: mom.rho, Thresholds: data.tau})
	}
	f.rams = f.layout.rams()
	d.rams, f.weight = f.rams, d
	if err := f.solve(d, f.layout.startValues(covs, nil, taus), o.MaxIterations); err != nil {
		return err
	}
	f.orderedErrors(o)
	f.orderedIndices()
	for _, r := range f.rams {
		r.fillResiduals()
	}
	f.describe(o)
	return nil
}

func rowMajor(s *mat.SymDense) []float64 {
	n := s.SymmetricDim()
	out := make([]float64, n*n)
	for i := range n {
		for j := range n {
			out[i*n+j] = s.At(i, j)
		}
	}
	return out
}

// orderedErrors computes the covariance matrix of the estimates: for WLSMV
// E^-1 D'W Gamma W D E^-1 with E = D'WD (Muthen, du Toit & Spisic 1997, eq. 12).
func (f *Fit) orderedErrors(o Options) {
	d := f.weight
	if _, ok := d.objective(f.theta); !ok {
		return
	}
	if d.free == 0 {
		f.Identified = true
		return
	}
	wd, jac, _ := f.stacked()
	h := mat.NewSymDense(d.free, nil)
	var e mat.Dense
	e.Mul(jac.T(), wd)
	for i := range d.free {
		for j := i; j < d.free; j++ {
			h.SetSym(i, j, (e.At(i, j)+e.At(j, i))/2)
		}
	}
	if f.info, f.Identified = inverseSym(h); !f.Identified {
		return
	}
	if o.Estimator == WLSMV {
		for g, s := range d.groups {
			wd := s.jacobian(f.rams[g], d.free)
			for k, w := range s.w {
				row := wd.RawRowView(k)
				for j := range row {
					row[j] *= w
				}
			}
			f.robust.meats = append(f.robust.meats, meat{b: congruent(wd, s.gamma)})
		}
	}
	f.Vcov = f.sandwich(f.info, f.robust.meats)
	f.Vcov.ScaleSym(float64(f.N)/float64(f.N-len(f.Groups)), f.Vcov)
}

// orderedIndices fills the fit indices of ordered items.
func (f *Fit) orderedIndices() {
	d, x := f.weight, &f.Indices
	x.NPar = d.free
	x.FMin, _ = d.objective(f.theta)
	moments := 0
	var base float64
	p := len(f.Items)
	for _, s := range d.groups {
		moments += len(s.s)
		for k := s.th; k < len(s.s); k++ {
			base += float64(s.n-1) * s.w[k] * s.s[k] * s.s[k]
		}
	}
	n, groups := f.N, len(f.Groups)
	x.Test = newTest(2*float64(n)*x.FMin, moments-d.free)
	x.Baseline = newTest(base, p*(p-1)/2*groups)
	x.standardIndices(n-groups, groups)
	f.orderedResiduals()
	if f.Estimator == WLSMV && f.Identified && x.DF > 0 {
		f.shiftTests()
	}
}

func (f *Fit) orderedResiduals() {
	x := &f.Indices
	for _, s := range f.weight.groups {
		var cor, all float64
		for k, v := range s.s {
			e := (v - s.sigma[k]) * (v - s.sigma[k])
			all += e
			if k >= s.th {
				cor += e
			}
		}
		p := float64(len(f.Items))
		share := float64(s.n) / float64(f.N)
		// The variances, which are 1, are counted as lavaan counts them.
		x.SRMR += share * math.Sqrt(cor/(p*(p+1)/2))
		x.SRMRBentler += share * math.Sqrt(all/(p*(p+1)/2+float64(s.th)))
	}
	x.RMR = x.SRMRBentler
}

// stacked returns W D, D and Gamma of all groups, weighted by their sizes.
func (f *Fit) stacked() (wd, jac *mat.Dense, gamma *mat.SymDense) {
	d := f.weight
	n := 0
	for _, s := range d.groups {
		n += len(s.s)
	}
	gamma = mat.NewSymDense(n, nil)
	wd, jac = mat.NewDense(n, max(d.free, 1), nil), mat.NewDense(n, max(d.free, 1), nil)
	at := 0
	for g, s := range d.groups {
		share := float64(s.n) / float64(d.total)
		j := s.jacobian(f.rams[g], max(d.free, 1))
		for k, w := range s.w {
			for c, v := range j.RawRowView(k) {
				wd.Set(at+k, c, share*w*v)
				jac.Set(at+k, c, v)
			}
			for l := k; l < len(s.w); l++ {
				gamma.SetSym(at+k, at+l, s.gamma.At(k, l)/share)
			}
		}
		at += len(s.s)
	}
	return wd, jac, gamma
}

// projected returns U = W - W D E^-1 D' W and Gamma of all groups.
func (f *Fit) projected() (u, gamma *mat.SymDense) {
	wd, _, gamma := f.stacked()
	n := gamma.SymmetricDim()
	u = mat.NewSymDense(n, nil)
	if f.weight.free > 0 {
		u.ScaleSym(-1, congruent(mat.DenseCopyOf(wd.T()), f.info))
	}
	at := 0
	for _, s := range f.weight.groups {
		share := float64(s.n) / float64(f.weight.total)
		for _, w := range s.w {
			u.SetSym(at, at, u.At(at, at)+share*w)
			at++
		}
	}
	return u, gamma
}

// shiftTests scales and shifts the tests of the model and of the baseline
// (Asparouhov & Muthen 2010): T a + df - a tr(UG), a = sqrt(df/tr(UGUG)).
func (f *Fit) shiftTests() {
	x := &f.Indices
	t1, t2 := trace2(f.projected())
	var b1, b2 float64
	for _, s := range f.weight.groups {
		for k := s.th; k < len(s.s); k++ {
			b1++
			for l := s.th; l < len(s.s); l++ {
				g := s.gamma.At(k, l)
				b2 += s.w[k] * g * g * s.w[l]
			}
		}
	}
	if !(t2 > 0) || !(b2 > 0) {
		return
	}
	sc := &ScaledIndices{}
	sc.Test, sc.Factor, sc.Shift = shifted(x.Test, t1, t2)
	sc.Baseline, sc.BaselineFactor, sc.BaselineShift = shifted(x.Baseline, b1, b2)
	sc.scaledIndices(f.N-len(f.Groups), len(f.Groups))
	x.Scaled = sc
	f.robust.factor, f.robust.shift = sc.Factor, sc.Shift
	f.robustOrdered()
}

func shifted(x Test, t1, t2 float64) (t Test, factor, shift float64) {
	df := float64(x.DF)
	a := math.Sqrt(df / t2)
	shift = df - a*t1
	return newTest(x.ChiSq*a+shift, x.DF), 1 / a, shift
}

// robustOrdered fills the indices of Savalei (2021), Structural Equation
// Modeling 28: of maximum likelihood on the correlations, corrected for how they
// were estimated. The factor of the baseline is tr(Gamma) of the groups' sum over
// the degrees of freedom; lavaan 0.6-14 divides each group's by its share of the
// persons without weighting it so, which doubles the factor with two groups.
//
// Where groups share thresholds the correlations alone do not hold the model, and
// there are no robust indices.
func (f *Fit) robustOrdered() {
	d, x := f.weight, &f.Indices
	p := len(f.Items)
	if f.layout.sharesThresholds() || d.free == 0 {
		return
	}
	var chi, chib, kb float64
	n := 0
	for _, s := range d.groups {
		n += len(s.s)
	}
	wd, jac := mat.NewDense(n, max(d.free, 1), nil), mat.NewDense(n, max(d.free, 1), nil)
	v, gamma := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	at := 0
	for g, s := range d.groups {
		share := float64(s.n) / float64(d.total)
		k, logDet, ok := s.impliedInverse(p)
		r := rowMajor(s.m.rho)
		tr := 0.0
		for i, w := range k {
			tr += w * r[i]
		}
		sampleLog, ok2 := cholesky(r, p)
		if !ok || !ok2 {
			return
		}
		chi += float64(s.n) * (logDet + tr - sampleLog - float64(p))
		chib -= float64(s.n) * sampleLog
		// Only correlations count: thresholds have no weight.
		w := offDiagonalWeight(k, p)
		j := s.jacobian(f.rams[g], max(d.free, 1))
		for a := s.th; a < len(s.s); a++ {
			for c := range d.free {
				jac.Set(at+a, c, j.At(a, c))
				wd.Set(at+a, c, share*s.w[a]*j.At(a, c))
			}
			for b := s.th; b < len(s.s); b++ {
				v.Set(at+a, at+b, share*w.At(a-s.th, b-s.th))
				gamma.Set(at+a, at+b, s.gamma.At(a, b)/share)
			}
			kb += s.gamma.At(a, a)
		}
		at += len(s.s)
	}
	var t, q, u, y mat.Dense
	t.Mul(jac, dense(f.info))
	q.Mul(&t, wd.T())
	q.Scale(-1, &q)
	for i := range n {
		q.Set(i, i, q.At(i, i)+1)
	}
	u.Mul(q.T(), v)
	y.Mul(&u, &q)
	u.Mul(&y, gamma)
	ml := newTest(chi, x.DF)
	x.Robust = robustIndices(ml, newTest(chib, x.Baseline.DF), mat.Trace(&u)/float64(x.DF), kb/float64(x.Baseline.DF), f.N-len(f.Groups), len(f.Groups))
}

// sharesThresholds says whether some are equal.
func (l *layout) sharesThresholds() bool {
	seen := map[int]bool{}
	for _, q := range l.params {
		if q.cell.kind != threshold {
			continue
		}
		if seen[q.cell.free] {
			return true
		}
		seen[q.cell.free] = true
	}
	return false
}

// impliedInverse inverts the implied correlations last computed.
func (s *orderedSample) impliedInverse(p int) (k []float64, logDet float64, ok bool) {
	k = make([]float64, p*p)
	at := s.th
	for j := range p {
		k[j*p+j] = 1
		for i := j + 1; i < p; i++ {
			k[i*p+j], k[j*p+i] = s.sigma[at], s.sigma[at]
			at++
		}
	}
	logDet, ok = invertSPD(k, p)
	return k, logDet, ok
}

// offDiagonalWeight is the information of normal data on correlations with
// variances known, in the order of the lower triangle by columns.
func offDiagonalWeight(k []float64, p int) *mat.SymDense {
	n := p * (p - 1) / 2
	w := mat.NewSymDense(n, nil)
	x := 0
	for j := range p {
		for i := j + 1; i < p; i++ {
			y := 0
			for b := range p {
				for a := b + 1; a < p; a++ {
					if y >= x {
						w.SetSym(x, y, k[j*p+a]*k[i*p+b]+k[j*p+b]*k[i*p+a])
					}
					y++
				}
			}
			x++
		}
	}
	return w
}

func (f *Fit) impliedThresholds(g int) [][]float64 {
	if f.weight == nil {
		return nil
	}
	s := f.weight.groups[g]
	var out [][]float64
	at := 0
	for _, t := range s.data.tau {
		out = append(out, append([]float64(nil), s.sigma[at:at+len(t)]...))
		at += len(t)
	}
	return out
}

// satorra2000 is the scaled and shifted test of a difference (Satorra 2000): with
// D the larger model's derivatives, E = D'WD, and H the directions that the
// smaller model leaves free, H = (D'D)^-1 D' D0,
// U = W D [E^-1 - H (H'EH)^-1 H'] D' W.
func (d *Difference) satorra2000(larger, smaller *Fit) error {
	wd, jac, gamma := larger.stacked()
	_, jac0, _ := smaller.stacked()
	if !larger.Identified || larger.layout.free == 0 {
		return fmt.Errorf("the larger model is not identified")
	}
	inv := mat.NewSymDense(larger.layout.free, nil)
	inv.CopySym(larger.info)
	if smaller.layout.free > 0 {
		var dd mat.SymDense
		dd.SymOuterK(1, jac.T())
		ddInv, ok := inverseSym(&dd)
		e, ok2 := inverseSym(larger.info)
		if !ok || !ok2 {
			return fmt.Errorf("the larger model is not identified")
		}
		var t, h mat.Dense
		t.Mul(jac.T(), jac0)
		h.Mul(dense(ddInv), &t)
		heh, ok := inverseSym(congruent(&h, e))
		if !ok {
			return fmt.Errorf("the smaller model is not identified")
		}
		less := congruent(mat.DenseCopyOf(h.T()), heh)
		less.ScaleSym(-1, less)
		inv.AddSym(inv, less)
	}
	t1, t2 := trace2(congruent(mat.DenseCopyOf(wd.T()), inv), gamma)
	if !(t2 > 0) {
		return fmt.Errorf("the models do not differ")
	}
	t, factor, _ := shifted(newTest(smaller.Indices.ChiSq-larger.Indices.ChiSq, d.DF), t1, t2)
	d.Factor = factor
	d.set(t.ChiSq)
	return nil
}
