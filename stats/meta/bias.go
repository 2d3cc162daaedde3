// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
	"slices"
)

// RegressionTest asks whether small studies report other effects than large
// ones: the test of a slope on the standard error, and the effect that the
// line gives a study with standard error 0.
type RegressionTest struct {
	// Slope is the coefficient of the predictor; its Stat, DF and P are the test.
	Slope Coefficient
	// Limit is the intercept; the effect at standard error 0 when there are no
	// other moderators.
	Limit Coefficient
	Fit   *Result
}

// standardErrorName and varianceName are the predictors of the tests.
const (
	standardErrorName = "SE"
	varianceName      = "variance"
)

// Egger is the classical regression test of Egger and others (1997), doi
// 10.1136/bmj.315.7109.629: least squares weighted by 1/v on the standard
// error, the residual variance estimated, t with k-p degrees of freedom.
// Moderators of d stay in the regression. metafor's regtest with model = "lm".
func Egger(d Data) (RegressionTest, error) {
	return smallStudies(d, standardErrorName, math.Sqrt, Options{Method: FE, Test: KnappHartung})
}

// EggerMixed is the same regression with tau² estimated as the options say,
// REML and z by default: Sterne and Egger (2005). metafor's regtest with
// model = "rma".
func EggerMixed(d Data, o Options) (RegressionTest, error) {
	return smallStudies(d, standardErrorName, math.Sqrt, o)
}

// PET is the precision-effect test: the regression of [Egger], whose Limit is
// the effect corrected for selection. Stanley (2008), doi
// 10.1111/j.1468-0084.2007.00487.x.
func PET(d Data) (RegressionTest, error) { return Egger(d) }

// PEESE is [PET] with the variance in place of the standard error, less biased
// when there is an effect: Stanley and Doucouliagos (2014), doi
// 10.1002/jrsm.1095.
func PEESE(d Data) (RegressionTest, error) {
	return smallStudies(d, varianceName, func(v float64) float64 { return v }, Options{Method: FE, Test: KnappHartung})
}

func smallStudies(d Data, name string, predictor func(float64) float64, o Options) (RegressionTest, error) {
	if d.NoIntercept {
		return RegressionTest{}, &DataError{Reason: "a regression test needs the intercept"}
	}
	if err := d.check(); err != nil {
		return RegressionTest{}, err
	}
	x := make([]float64, len(d.V))
	for i, v := range d.V {
		x[i] = predictor(v)
	}
	d.Moderators = append(slices.Clone(d.Moderators), Moderator{name, x})
	if len(d.Y) <= len(d.Moderators)+1 {
		return RegressionTest{}, &DataError{Reason: fmt.Sprintf("%d studies are too few for a regression test with %d coefficients", len(d.Y), len(d.Moderators)+1)}
	}
	fit, err := Fit(d, o)
	if err != nil {
		return RegressionTest{}, err
	}
	return RegressionTest{Slope: fit.Coefficients[fit.P-1], Limit: fit.Coefficients[0], Fit: fit}, nil
}

// RankTest is Kendall's tau of effects and their variances.
type RankTest struct {
	Tau, P float64
	// Exact: P is from the distribution of all orders; else, with ties or more
	// than 500 studies, from the normal approximation with the variance
	// corrected for ties.
	Exact bool
}

// Begg is the rank correlation test of Begg and Mazumdar (1994), doi
// 10.2307/2533446: Kendall's tau-b between variances and effects standardised
// around their FE average. metafor's ranktest.
func Begg(d Data) (RankTest, error) {
	if err := d.check(); err != nil {
		return RankTest{}, err
	}
	if len(d.Y) < 3 {
		return RankTest{}, &DataError{Reason: "a rank test needs three studies"}
	}
	s, err := newSample(Data{Y: d.Y, V: d.V})
	if err != nil {
		return RankTest{}, err
	}
	m := s.at(0)
	x := make([]float64, s.k)
	for i, v := range s.v {
		x[i] = s.res[i] / math.Sqrt(v-1/m.sumW)
	}
	return kendall(x, s.v)
}

// kendall is tau-b with its two-sided p-value.
func kendall(x, y []float64) (RankTest, error) {
	n := len(x)
	sum, pairs := 0.0, float64(n)*float64(n-1)/2
	for i := range n {
		for j := range i {
			sum += sign(x[i]-x[j]) * sign(y[i]-y[j])
		}
	}
	tx, ty := ties(x), ties(y)
	if tx.pairs == pairs || ty.pairs == pairs {
		return RankTest{}, &DataError{Reason: "all effects or all variances are equal: there is no order to compare"}
	}
	out := RankTest{Tau: sum / math.Sqrt((pairs-tx.pairs)*(pairs-ty.pairs))}
	if tx.pairs == 0 && ty.pairs == 0 && n <= 500 {
		out.Exact = true
		out.P = kendallExact(n, int(math.Round((pairs-math.Abs(sum))/2)))
		return out, nil
	}
	k := float64(n)
	variance := (k*(k-1)*(2*k+5)-tx.cubic-ty.cubic)/18 +
		2*tx.pairs*ty.pairs/(k*(k-1)) + tx.triples*ty.triples/(9*k*(k-1)*(k-2))
	out.P = twoSided(sum/math.Sqrt(variance), 0)
	return out, nil
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// tieSums over groups of t equal values: t(t-1)/2, t(t-1)(2t+5), t(t-1)(t-2).
type tieSums struct{ pairs, cubic, triples float64 }

func ties(x []float64) tieSums {
	sorted := slices.Sorted(slices.Values(x))
	var s tieSums
	for from := 0; from < len(sorted); {
		to := from + 1
		for to < len(sorted) && sorted[to] == sorted[from] {
			to++
		}
		t := float64(to - from)
		s.pairs += t * (t - 1) / 2
		s.cubic += t * (t - 1) * (2*t + 5)
		s.triples += t * (t - 1) * (t - 2)
		from = to
	}
	return s
}

// kendallExact is twice the probability, at most 1, that a random order of n
// has at most this many inversions: the Mahonian distribution, built up by
// inserting one element at a time.
func kendallExact(n, inversions int) float64 {
	p := make([]float64, inversions+1)
	p[0] = 1
	next := make([]float64, inversions+1)
	for m := 2; m <= n; m++ {
		window := 0.0
		for i := range p {
			window += p[i]
			if i >= m {
				window -= p[i-m]
			}
			next[i] = window / float64(m)
		}
		p, next = next, p
	}
	tail := 0.0
	for _, x := range p {
		tail += x
	}
	return min(1, 2*tail)
}

// FailsafeKind names a fail-safe N: how many studies without an effect would
// have to lie in drawers to undo the finding.
type FailsafeKind string

// The kinds.
const (
	// Rosenthal (1979): until the combined z (Stouffer) is at alpha, one-sided.
	Rosenthal FailsafeKind = "Rosenthal"
	// Orwin (1983): until the unweighted mean is down to the target.
	Orwin FailsafeKind = "Orwin"
	// Rosenberg (2005): until the FE average is at alpha, two-sided.
	Rosenberg FailsafeKind = "Rosenberg"
)

// oneSided is the normal value exceeded with probability alpha.
func oneSided(alpha float64) float64 {
	if alpha <= 0.5 {
		return critical(2*alpha, 0)
	}
	return -critical(2-2*alpha, 0)
}

// Failsafe is the number of studies, rounded up; 0 when there is nothing to
// undo. alpha is the level of significance, 0 means 0.05. target is for Orwin:
// the size of the mean that would not matter, 0 means half of the observed.
// metafor's fsn.
func Failsafe(d Data, kind FailsafeKind, alpha, target float64) (int, error) {
	if err := d.check(); err != nil {
		return 0, err
	}
	if alpha == 0 {
		alpha = 0.05
	}
	if !(alpha > 0 && alpha < 1) {
		return 0, fmt.Errorf("a level of significance of %v is not between 0 and 1", alpha)
	}
	k := float64(len(d.Y))
	var n float64
	switch kind {
	case "", Rosenthal:
		z := 0.0
		for i, y := range d.Y {
			z += y / math.Sqrt(d.V[i])
		}
		crit := oneSided(alpha)
		n = z*z/(crit*crit) - k
	case Orwin:
		mean := 0.0
		for _, y := range d.Y {
			mean += y / k
		}
		mean = math.Abs(mean)
		if target = math.Abs(target); target == 0 {
			target = mean / 2
		}
		if target == 0 {
			return 0, nil
		}
		n = k * (mean - target) / target
	case Rosenberg:
		w, wy := 0.0, 0.0
		for i, y := range d.Y {
			w += 1 / d.V[i]
			wy += y / d.V[i]
		}
		t := wy / critical(alpha, 0)
		n = (t/w*t - 1) * k
	default:
		return 0, fmt.Errorf("there is no fail-safe N %q; known are Rosenthal, Orwin and Rosenberg", kind)
	}
	if n > 1e15 {
		return 0, &DataError{Reason: "the fail-safe N is beyond counting"}
	}
	// A whole number that rounding has lifted by a hair stays what it is.
	return int(math.Ceil(max(0, n) * (1 - 1e-13))), nil
}
