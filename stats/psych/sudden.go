// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import "math"

// SuddenShift is the third criterion of Tang and DeRubeis in units of its limit:
// how much higher the mean before is than the mean after, over t times the pooled
// standard deviation of both. More than 1 meets the criterion; for a rise of the
// scores exchange the two. It is 0 where either side has fewer than two values or
// more than three, and infinite where nothing varies and the means differ.
//
// Source: Tang & DeRubeis (1999), Journal of Consulting and Clinical Psychology 67,
// p. 895; the quantiles for a missing value as in Lutz et al. (2013). There is no
// root of 1/m + 1/n: it is their criterion and no t test.
func SuddenShift(before, after []float64) float64 {
	m, n := len(before), len(after)
	if m < 2 || n < 2 || m > 3 || n > 3 {
		return 0
	}
	m1, ss1 := sumOfSquares(before)
	m2, ss2 := sumOfSquares(after)
	t := [...]float64{2: 4.303, 3: 3.182, 4: 2.776}[m+n-2] // t(.975), as printed
	limit := t * math.Sqrt((ss1+ss2)/float64(m+n-2))
	switch shift := m1 - m2; {
	case limit > 0:
		return shift / limit
	case shift != 0:
		return math.Copysign(math.Inf(1), shift)
	}
	return 0
}

// sumOfSquares is the mean and the sum of squares around it.
func sumOfSquares(v []float64) (mean, ss float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		ss += (x - mean) * (x - mean)
	}
	return mean, ss
}
