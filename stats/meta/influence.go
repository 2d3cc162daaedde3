// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"
	"slices"
)

// InfluenceRow says what one study does to a fit: Viechtbauer and Cheung
// (2010), doi 10.1002/jrsm.11. Quantities with "deleted" are from the fit
// without the study.
type InfluenceRow struct {
	// Defined is false when the model cannot be fitted without the study (its
	// level of a factor would vanish); only Hat and Weight are then meaningful.
	Defined bool
	// RStudent is the externally standardised residual; as in metafor, the factor
	// of Knapp and Hartung multiplies all parts of its variance.
	RStudent float64
	// DFFITS is the change of the fitted value in its standard deviations.
	DFFITS float64
	// CookD is the Mahalanobis distance between the coefficients with and without.
	CookD float64
	// CovRatio is the generalised variance of the deleted coefficients over that
	// of the full ones; below 1 the study makes the estimates less precise.
	CovRatio float64
	// Tau2 and QE of the deleted fit.
	Tau2, QE float64
	// Hat is the study's leverage, Weight its share of the weights in percent.
	Hat, Weight float64
	// DFBetas are the changes of the coefficients in their standard deviations.
	DFBetas []float64
	// BaujatX is the study's part of Q with the weights of the model, BaujatY its
	// influence on the fitted value: the two axes of Baujat and others (2002),
	// doi 10.1002/sim.1221.
	BaujatX, BaujatY float64
	// Influential: |DFFITS| > 3 sqrt(p/(k-p)), or CookD beyond the median of
	// chi-square with p degrees of freedom, or Hat > 3p/k, or |DFBetas| > 1.
	Influential bool
}

// Influence refits d without each study in turn; its time is quadratic in
// their number. It needs more studies than coefficients.
func Influence(d Data, o Options) ([]InfluenceRow, error) {
	full, err := Fit(d, o)
	if err != nil {
		return nil, err
	}
	if full.K <= full.P {
		return nil, &DataError{Reason: "too few studies to leave one out"}
	}
	rows := make([]InfluenceRow, full.K)
	for i := range rows {
		rows[i] = full.withoutRow(i)
	}
	return rows, nil
}

// withoutRow compares the fit with the one without row i. The deleted model
// has its own Q, so coefficients are compared on the scale of X, in the units
// of the data.
func (r *Result) withoutRow(i int) InfluenceRow {
	s, p := r.s, r.P
	w := 1 / (s.v[i] + r.at.tau2)
	q := s.q[i*p : i*p+p]
	row := InfluenceRow{Hat: w * quadratic(r.at.cov, q, p), Weight: 100 * w / r.at.sumW}
	row.Influential = row.Hat > 3*float64(p)/float64(r.K)
	deleted, err := fit(r.data.without(i), r.opts)
	if err != nil {
		return row
	}
	row.Defined = true
	x := r.data.row(i)
	fitted := func(c []Coefficient) float64 {
		sum := 0.0
		for j, xj := range x {
			sum += xj * c[j].Estimate
		}
		return sum
	}
	vFit := 0.0
	for a, xa := range x {
		for b, xb := range x {
			vFit += xa * xb * deleted.VCov.At(a, b)
		}
	}
	row.Tau2, row.QE = deleted.Tau2, deleted.QE.Stat
	v := r.data.V[i]
	s2 := deleted.inflation()
	row.RStudent = (r.data.Y[i] - fitted(deleted.Coefficients)) / math.Sqrt(s2*(v+deleted.Tau2)+vFit)
	change := fitted(r.Coefficients) - fitted(deleted.Coefficients)
	row.DFFITS = change / math.Sqrt(s2*row.Hat*(v+deleted.Tau2))
	r.coefficientChange(&row, deleted, s2)
	raw := r.data.Y[i] - fitted(r.Coefficients)
	row.BaujatX = raw * raw / (v + r.Tau2)
	row.BaujatY = change * change / vFit
	row.Influential = row.Influential || math.Abs(row.DFFITS) > 3*math.Sqrt(float64(p)/float64(r.K-p)) ||
		chi2Tail(row.CookD, float64(p)) < 0.5 ||
		slices.ContainsFunc(row.DFBetas, func(b float64) bool { return math.Abs(b) > 1 })
	return row
}

// coefficientChange fills Cook's distance, the covariance ratio and DFBETAS.
// For the last the variance is that of the full design at the deleted tau².
func (r *Result) coefficientChange(row *InfluenceRow, deleted *Result, s2 float64) {
	p := r.P
	v, inv, vDeleted, scratch := make([]float64, p*p), make([]float64, p*p), make([]float64, p*p), make([]float64, p*p)
	change := make([]float64, p)
	for a := range p {
		change[a] = r.Coefficients[a].Estimate - deleted.Coefficients[a].Estimate
		for b := range p {
			v[a*p+b], vDeleted[a*p+b] = r.VCov.At(a, b), deleted.VCov.At(a, b)
		}
	}
	logDet := invertSPD(v, inv, p)
	row.CookD = quadratic(inv, change, p)
	row.CovRatio = math.Exp(invertSPD(vDeleted, scratch, p) - logDet)
	at := r.s.at(math.Ldexp(deleted.Tau2, 2*r.s.shift))
	cov := r.s.covariance(at.cov)
	row.DFBetas = make([]float64, p)
	for a := range p {
		row.DFBetas[a] = change[a] / math.Sqrt(s2*r.s.unscale(cov[a*p+a], 2))
	}
}

// row is row i of the model matrix.
func (d Data) row(i int) []float64 {
	var x []float64
	if !d.NoIntercept {
		x = append(x, 1)
	}
	for _, m := range d.Moderators {
		x = append(x, m.Values[i])
	}
	return x
}

func (d Data) without(i int) Data {
	keep := make([]int, 0, len(d.Y)-1)
	for j := range d.Y {
		if j != i {
			keep = append(keep, j)
		}
	}
	return d.rows(keep)
}

// rows picks rows in the given order.
func (d Data) rows(keep []int) Data {
	pick := func(x []float64) []float64 {
		out := make([]float64, len(keep))
		for i, j := range keep {
			out[i] = x[j]
		}
		return out
	}
	out := Data{Y: pick(d.Y), V: pick(d.V), NoIntercept: d.NoIntercept}
	for _, m := range d.Moderators {
		out.Moderators = append(out.Moderators, Moderator{m.Name, pick(m.Values)})
	}
	return out
}

// LeaveOneOut is the fit without each study in turn. Data with moderators are
// an error: see [Influence].
func LeaveOneOut(d Data, o Options) ([]*Result, error) {
	if len(d.Moderators) > 0 || d.NoIntercept {
		return nil, &DataError{Reason: "leaving one out is for models without moderators"}
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	if len(d.Y) < 2 {
		return nil, &DataError{Reason: "a single study cannot be left out"}
	}
	out := make([]*Result, len(d.Y))
	for i := range out {
		fit, err := Fit(d.without(i), o)
		if err != nil {
			return nil, err
		}
		out[i] = fit
	}
	return out, nil
}

// Cumulative adds the studies one by one in the given order, which lists rows
// from 0; nil means as they stand. The i-th result is of the first i+1. Data
// with moderators are an error; an order that is no permutation panics.
func Cumulative(d Data, o Options, order []int) ([]*Result, error) {
	if len(d.Moderators) > 0 || d.NoIntercept {
		return nil, &DataError{Reason: "a cumulative analysis is for models without moderators"}
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	if order == nil {
		for i := range d.Y {
			order = append(order, i)
		}
	}
	sorted := slices.Sorted(slices.Values(order))
	if len(sorted) != len(d.Y) {
		panic("meta: the order of a cumulative analysis must name each row once")
	}
	for i, j := range sorted {
		if i != j {
			panic("meta: the order of a cumulative analysis must name each row once")
		}
	}
	out := make([]*Result, len(order))
	for i := range order {
		fit, err := Fit(d.rows(order[:i+1]), o)
		if err != nil {
			return nil, err
		}
		out[i] = fit
	}
	return out, nil
}

// OrderBy lists the rows by increasing key, equal keys as they stand: an order
// for [Cumulative], for example by year.
func OrderBy(key []float64) []int {
	order := make([]int, len(key))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(sign(key[a] - key[b])) })
	return order
}
