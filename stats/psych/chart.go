// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
)

// Constants of the control chart of individual values with moving ranges of two,
// as tables print them: Montgomery, Introduction to Statistical Quality Control,
// appendix VI (n = 2).
const (
	D2          = 1.128 // mean range of two standard normal values
	ThreeOverD2 = 2.66  // 3/D2
	D4          = 3.267 // upper limit of the range, in mean ranges
)

// IndividualsChart is the chart of single values and their moving ranges.
type IndividualsChart struct {
	Centre       float64
	Lower, Upper float64 // limits at three Sigma
	MeanRange    float64
	RangeUpper   float64 // limit of a moving range
	Sigma        float64 // MeanRange/D2
	Beyond       []int   // positions of values outside the limits
}

// Individuals returns the chart of a series of two values or more.
//
// Source: Montgomery, Introduction to Statistical Quality Control, section 6.4.
func Individuals(x []float64) (*IndividualsChart, error) {
	if err := checkSeries(x, 2); err != nil {
		return nil, err
	}
	c := &IndividualsChart{Centre: average(x)}
	for i := 1; i < len(x); i++ {
		c.MeanRange += math.Abs(x[i] - x[i-1])
	}
	c.MeanRange /= float64(len(x) - 1)
	c.Sigma = c.MeanRange / D2
	c.Lower, c.Upper = c.Centre-ThreeOverD2*c.MeanRange, c.Centre+ThreeOverD2*c.MeanRange
	c.RangeUpper = D4 * c.MeanRange
	for i, v := range x {
		if v < c.Lower || v > c.Upper {
			c.Beyond = append(c.Beyond, i)
		}
	}
	return c, nil
}

// EWMAChart is an exponentially weighted moving average with its limits.
type EWMAChart struct {
	Z            []float64 // Z[t] = lambda x[t] + (1-lambda) Z[t-1], started at the target
	Lower, Upper []float64
	Beyond       []int
}

// EWMA returns the chart for a target, a standard deviation sigma of single
// values, a weight lambda in (0, 1] and a width of limits (for example 3).
//
// Source: Roberts (1959); Montgomery, section 9.2, eqs 9.22-9.26.
func EWMA(x []float64, target, sigma, lambda, width float64) (*EWMAChart, error) {
	if err := checkSeries(x, 1); err != nil {
		return nil, err
	}
	if !(lambda > 0 && lambda <= 1) || !(sigma >= 0) || !(width > 0) || math.IsNaN(target+sigma+width) || math.IsInf(target+sigma+width, 0) {
		return nil, fmt.Errorf("target %v, sigma %v, weight %v, width %v do not make a chart", target, sigma, lambda, width)
	}
	c := &EWMAChart{}
	z, decay := target, 1.0
	for i, v := range x {
		z = lambda*v + (1-lambda)*z
		decay *= (1 - lambda) * (1 - lambda)
		half := width * sigma * math.Sqrt(lambda/(2-lambda)*(1-decay))
		c.Z = append(c.Z, z)
		c.Lower, c.Upper = append(c.Lower, target-half), append(c.Upper, target+half)
		if z < target-half || z > target+half {
			c.Beyond = append(c.Beyond, i)
		}
	}
	return c, nil
}

// CUSUMChart is the pair of one-sided cumulative sums.
type CUSUMChart struct {
	High, Low []float64 // sums of what lies above and below the target, both positive
	Limit     float64
	Beyond    []int
}

// CUSUM returns the tabular chart for a target and a standard deviation sigma,
// with allowance k and decision interval h in units of sigma (often .5 and 5).
//
// Source: Page (1954); Montgomery, section 9.1, eqs 9.2-9.3.
func CUSUM(x []float64, target, sigma, k, h float64) (*CUSUMChart, error) {
	if err := checkSeries(x, 1); err != nil {
		return nil, err
	}
	if !(sigma >= 0) || !(k >= 0) || !(h > 0) || math.IsNaN(target) || math.IsInf(target+sigma+k+h, 0) {
		return nil, fmt.Errorf("target %v, sigma %v, allowance %v, interval %v do not make a chart", target, sigma, k, h)
	}
	c := &CUSUMChart{Limit: h * sigma}
	var high, low float64
	for i, v := range x {
		high = max(0, high+v-target-k*sigma)
		low = max(0, low+target-v-k*sigma)
		c.High, c.Low = append(c.High, high), append(c.Low, low)
		if high > c.Limit || low > c.Limit {
			c.Beyond = append(c.Beyond, i)
		}
	}
	return c, nil
}

func checkSeries(x []float64, least int) error {
	if len(x) < least {
		return fmt.Errorf("a series of %d values, needs %d: %w", len(x), least, ErrNoData)
	}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("value %d of the series is not a number", i+1)
		}
	}
	return nil
}

func average(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}
