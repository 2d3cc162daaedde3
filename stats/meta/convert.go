// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
)

// RToZ is atanh(r); it panics unless |r| < 1.
func RToZ(r float64) float64 {
	if !(math.Abs(r) < 1) {
		panic(fmt.Sprintf("meta: %v is not inside -1 to 1", r))
	}
	return math.Atanh(r)
}

// ZToR is tanh(z), the inverse of [RToZ].
func ZToR(z float64) float64 { return math.Tanh(z) }

// shape is n1, n2 -> (n1+n2)²/(n1 n2), 4 when the groups are alike.
func shape(n1, n2 float64) float64 { return (n1 + n2) / n1 * ((n1 + n2) / n2) }

// RFromD is the point-biserial correlation d/sqrt(d²+a) that belongs to a
// standardised difference between groups of n1 and n2, a = (n1+n2)²/(n1 n2),
// with the delta method's variance a² V/(d²+a)³: Borenstein and others (2009),
// chapter 7.
func RFromD(d Effect, n1, n2 float64) (Effect, error) {
	if err := checkGroups(n1, n2); err != nil {
		return Effect{}, err
	}
	a := shape(n1, n2)
	s := d.Y*d.Y + a
	return effect(d.Y/math.Sqrt(s), a*a*d.V/(s*s*s))
}

// DFromR is 2r/sqrt(1-r²) with variance 4V/(1-r²)³, the standardised difference
// between two equal groups: Borenstein and others (2009), chapter 7.
func DFromR(r Effect) (Effect, error) {
	u := 1 - r.Y*r.Y
	if !(u > 0) {
		return Effect{}, &DataError{Column: "r", Reason: "is not inside -1 to 1"}
	}
	return effect(2*r.Y/math.Sqrt(u), 4*r.V/(u*u*u))
}

// DFromLogOR multiplies a log odds ratio by sqrt(3)/pi, its variance by the
// square: Chinn (2000), doi
// 10.1002/1097-0258(20001130)19:22<3127::AID-SIM784>3.0.CO;2-M. metafor's OR2DL.
func DFromLogOR(e Effect) Effect {
	return Effect{Y: e.Y * math.Sqrt(3) / math.Pi, V: e.V * 3 / (math.Pi * math.Pi)}
}

// LogORFromD is the inverse of [DFromLogOR]. metafor's D2ORL.
func LogORFromD(e Effect) Effect {
	return Effect{Y: e.Y * math.Pi / math.Sqrt(3), V: e.V * math.Pi * math.Pi / 3}
}

// RFromT is the correlation t/sqrt(t²+df) behind a t statistic: of a
// correlation itself, or the partial correlation of a regression coefficient.
func RFromT(t, df float64) (float64, error) {
	if err := numbers("t", t); err != nil {
		return 0, err
	}
	if err := positive("df", df); err != nil {
		return 0, err
	}
	return t / math.Hypot(t, math.Sqrt(df)), nil
}

// RFromF is [RFromT] of sqrt(F) with one numerator degree of freedom; the sign
// is what the study says of the direction, so F gives the size only.
func RFromF(f, df2 float64) (float64, error) {
	if err := atLeast("F", f, 0); err != nil {
		return 0, err
	}
	return RFromT(math.Sqrt(f), df2)
}

// RFromChi2 is phi = sqrt(chi²/n) of a two-by-two table, without a sign.
func RFromChi2(chi2, n float64) (float64, error) {
	if err := atLeast("chi2", chi2, 0); err != nil {
		return 0, err
	}
	if err := positive("n", n); err != nil {
		return 0, err
	}
	if chi2 > n {
		return 0, &DataError{Column: "chi2", Reason: fmt.Sprintf("%v is more than n = %v allows in a two-by-two table", chi2, n)}
	}
	return math.Sqrt(chi2 / n), nil
}

// RFromP is the correlation of n pairs whose two-sided t test has the p-value;
// without a sign.
func RFromP(p, n float64) (float64, error) {
	if err := checkP(p); err != nil {
		return 0, err
	}
	if err := atLeast("n", n, 3); err != nil {
		return 0, err
	}
	return RFromT(statFromP(p, n-2), n-2)
}

// DFromT is t sqrt(1/n1 + 1/n2), Cohen's d behind the t statistic of two
// independent groups.
func DFromT(t, n1, n2 float64) (float64, error) {
	if err := numbers("t", t); err != nil {
		return 0, err
	}
	if err := checkGroups(n1, n2); err != nil {
		return 0, err
	}
	return t * math.Sqrt(1/n1+1/n2), nil
}

// DFromF is [DFromT] of sqrt(F) with one numerator degree of freedom, without
// a sign.
func DFromF(f, n1, n2 float64) (float64, error) {
	if err := atLeast("F", f, 0); err != nil {
		return 0, err
	}
	return DFromT(math.Sqrt(f), n1, n2)
}

// DFromP is Cohen's d of two groups whose two-sided t test has the p-value,
// without a sign.
func DFromP(p, n1, n2 float64) (float64, error) {
	if err := checkP(p); err != nil {
		return 0, err
	}
	if err := checkGroups(n1, n2); err != nil {
		return 0, err
	}
	return DFromT(statFromP(p, n1+n2-2), n1, n2)
}

// DFromChi2 is the standardised difference behind a chi² with one degree of
// freedom on n people, 2 sqrt(chi²/(n-chi²)), without a sign.
func DFromChi2(chi2, n float64) (float64, error) {
	r, err := RFromChi2(chi2, n)
	if err != nil {
		return 0, err
	}
	if r == 1 {
		return 0, &DataError{Column: "chi2", Reason: "says the association is perfect, so the difference is infinite"}
	}
	return 2 * r / math.Sqrt(1-r*r), nil
}

func checkP(p float64) error {
	if !(p > 0 && p <= 1) {
		return &DataError{Column: "p", Reason: fmt.Sprintf("is %v, but must be above 0 and at most 1", p)}
	}
	return nil
}

// statFromP is the t whose two-sided p-value with df degrees of freedom is p.
func statFromP(p, df float64) float64 {
	if p == 1 {
		return 0
	}
	return critical(p, df)
}
