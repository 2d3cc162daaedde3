// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

import "math"

// SEM is the standard error of measurement, SD * sqrt(1 - reliability), in the
// unit of sd, with the reliability from 0 to 1. It is NaN for anything else.
func SEM(sd, reliability float64) float64 {
	if !(sd >= 0) || !(reliability >= 0) || !(reliability <= 1) {
		return math.NaN()
	}
	return sd * math.Sqrt(1-reliability)
}

// ReliableChange is the difference of two ratings that measurement error alone
// would rarely exceed, z * sqrt(2) * SEM, in the unit of sem (Jacobson & Truax
// 1991). z is 1.645 for 90 % and 1.96 for 95 %, two-sided.
func ReliableChange(z, sem float64) float64 { return z * math.Sqrt2 * sem }

// SDWithin is the person's own spread over the sessions, the sample standard
// deviation (n-1) in points of the form, and the number of ratings it rests on.
// It is 0 for fewer than two.
func SDWithin(s Series) (sd float64, n int) {
	rated := s.rated()
	_, sd = meanSD(rated)
	return sd, len(rated)
}

// LargestDeviation is how far the lowest of n ratings can lie below their mean at
// all, in SDs of the same n ratings: (n-1)/sqrt(n) (Samuelson's inequality). With
// five ratings it is 1.79: a rule of two SDs that counts the newest rating in its
// own baseline cannot speak before the sixth. The rule here therefore leaves the
// newest rating out. It is 0 for fewer than two.
func LargestDeviation(n int) float64 {
	if n < 2 {
		return 0
	}
	return float64(n-1) / math.Sqrt(float64(n))
}

// meanSD gives mean and sample standard deviation (n-1); the latter is 0 for
// fewer than two values.
func meanSD(points []Point) (mean, sd float64) {
	for _, p := range points {
		mean += p.Value / float64(len(points))
	}
	if len(points) < 2 {
		return mean, 0
	}
	for _, p := range points {
		sd += (p.Value - mean) * (p.Value - mean)
	}
	return mean, math.Sqrt(sd / float64(len(points)-1))
}
