// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Effect is an effect size with its sampling variance.
type Effect struct {
	Y, V float64
}

// Effects calls f for each row from 0 to k-1 and collects what it returns as
// the columns of [Data]. The first error ends it, with its row named.
func Effects(k int, f func(i int) (Effect, error)) (y, v []float64, err error) {
	y, v = make([]float64, k), make([]float64, k)
	for i := range k {
		e, err := f(i)
		var bad *DataError
		if errors.As(err, &bad) {
			return nil, nil, &DataError{Row: i + 1, Column: bad.Column, Reason: bad.Reason}
		}
		if err != nil {
			return nil, nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		y[i], v[i] = e.Y, e.V
	}
	return y, v, nil
}

// effect refuses what overflowed on the way.
func effect(y, v float64) (Effect, error) {
	if math.IsNaN(y+v) || math.IsInf(y+v, 0) {
		return Effect{}, &DataError{Reason: "the numbers are too extreme for an effect size"}
	}
	return Effect{Y: y, V: v}, nil
}

// numbers refuses NaN and infinities, by name.
func numbers(pairs ...any) error {
	for i := 0; i < len(pairs); i += 2 {
		if x := pairs[i+1].(float64); math.IsNaN(x) || math.IsInf(x, 0) {
			return &DataError{Column: pairs[i].(string), Reason: "is not a finite number"}
		}
	}
	return nil
}

func atLeast(column string, x, least float64) error {
	if !(x >= least) || math.IsInf(x, 0) {
		return &DataError{Column: column, Reason: fmt.Sprintf("is %v, but must be at least %v", x, least)}
	}
	return nil
}

func positive(column string, x float64) error {
	if !(x > 0) || math.IsInf(x, 0) {
		return &DataError{Column: column, Reason: fmt.Sprintf("is %v, but must be positive", x)}
	}
	return nil
}

func correlation(r float64) error {
	if !(r >= -1 && r <= 1) {
		return &DataError{Column: "r", Reason: fmt.Sprintf("is %v, which is not a correlation", r)}
	}
	return nil
}

// FisherZ is the variance-stabilised correlation atanh(r) of n pairs, with
// variance 1/(n-3). It needs |r| < 1 and n > 3. metafor's ZCOR.
func FisherZ(r, n float64) (Effect, error) {
	if err := correlation(r); err != nil {
		return Effect{}, err
	}
	if math.Abs(r) == 1 {
		return Effect{}, &DataError{Column: "r", Reason: "is a perfect correlation, whose z is infinite"}
	}
	if !(n > 3) || math.IsInf(n, 0) {
		return Effect{}, &DataError{Column: "n", Reason: fmt.Sprintf("is %v, but the variance of z is 1/(n-3)", n)}
	}
	return effect(math.Atanh(r), 1/(n-3))
}

// Correlation is the raw correlation of n pairs, with the large-sample
// variance (1-r²)²/(n-1). It needs n > 1. metafor's COR.
func Correlation(r, n float64) (Effect, error) {
	if err := correlation(r); err != nil {
		return Effect{}, err
	}
	if !(n > 1) || math.IsInf(n, 0) {
		return Effect{}, &DataError{Column: "n", Reason: fmt.Sprintf("is %v, but the variance of r is over n-1", n)}
	}
	d := 1 - r*r
	return effect(r, d*d/(n-1))
}

// CorrelationUnbiased is the correlation of n pairs corrected for its small
// negative bias by Olkin and Pratt (1958), doi 10.1214/aoms/1177706717:
// r F(1/2, 1/2; (n-2)/2; 1-r²) with Gauss's hypergeometric function, and the
// large-sample variance at the corrected value. It needs n > 4. metafor's UCOR.
func CorrelationUnbiased(r, n float64) (Effect, error) {
	if err := correlation(r); err != nil {
		return Effect{}, err
	}
	if !(n > 4) || math.IsInf(n, 0) {
		return Effect{}, &DataError{Column: "n", Reason: fmt.Sprintf("is %v, but the correction needs more than 4 pairs", n)}
	}
	u := r * mathext.Hypergeo(0.5, 0.5, (n-2)/2, 1-r*r)
	d := 1 - u*u
	return effect(u, d*d/(n-1))
}

// Disattenuated divides an effect by the square root of the product of two
// reliabilities, its standard error too: Spearman's (1904) correction for a
// correlation of two imperfect measures. For a standardised difference pass 1
// as the reliability of the grouping.
func Disattenuated(e Effect, reliabilityX, reliabilityY float64) (Effect, error) {
	for _, x := range []float64{reliabilityX, reliabilityY} {
		if !(x > 0 && x <= 1) {
			return Effect{}, &DataError{Column: "reliability", Reason: fmt.Sprintf("is %v, but must be above 0 and at most 1", x)}
		}
	}
	a2 := reliabilityX * reliabilityY
	return effect(e.Y/math.Sqrt(a2), e.V/a2)
}
