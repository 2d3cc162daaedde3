// SPDX-License-Identifier: AGPL-3.0-or-later

package alliance

// Limits of the odds of a fall, found by simulation, and how often they raise a
// false alarm. AnyAsking[i] is in what share of stable courses of i+2 sessions
// Asking was exceeded at least once.
type Limits struct {
	Asking, Now       float64
	AnyAsking, AnyNow []float64
}

// share is the one of a course of n sessions, the last known one if it is longer.
func (l Limits) share(any []float64, n int) float64 {
	if len(any) == 0 || n < 2 {
		return 0
	}
	return any[min(n-2, len(any)-1)]
}

// LimitsFor are the limits for a form with one series, or with more, which have
// more chances of a false alarm.
func LimitsFor(series int) Limits {
	if series > 1 {
		return limitsOfThree
	}
	return limitsOfOne
}
