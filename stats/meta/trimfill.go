// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
	"slices"
)

// Side of a funnel plot.
type Side string

// The sides.
const (
	Left  Side = "left"
	Right Side = "right"
)

// TrimEstimator of the number of missing studies.
type TrimEstimator string

// The estimators of Duval and Tweedie (2000), doi
// 10.1080/01621459.2000.10473905.
const (
	// L0 is from the sum of the ranks on the far side; the default.
	L0 TrimEstimator = "L0"
	// R0 is from the longest run of extreme ranks on the far side.
	R0 TrimEstimator = "R0"
	// Q0 is from the same sum as L0, by a quadratic equation.
	Q0 TrimEstimator = "Q0"
)

// TrimFillResult is the funnel made symmetric.
type TrimFillResult struct {
	// K0 is the estimated number of missing studies, SEK0 the standard error of
	// the estimate before rounding; nil where its formula has no value, which
	// happens with few studies.
	K0   int
	SEK0 *float64
	// Side is where they are missing.
	Side Side
	// Filled are the mirror images that were added.
	Filled []Effect
	// Fit is of the observed and the filled studies.
	Fit *Result
	// State is NotConverged when the trimming came to no rest in 100 rounds.
	State State
}

// TrimFill trims the studies without a counterpart, estimates the centre from
// the rest, and fills in the mirror images of those trimmed: Duval and Tweedie
// (2000). The model is that of the options throughout. An empty side is chosen
// by the slope of [EggerMixed]: right when it is negative, else left. Data with
// moderators are an error. metafor's trimfill.
func TrimFill(d Data, o Options, estimator TrimEstimator, side Side) (*TrimFillResult, error) {
	if len(d.Moderators) > 0 || d.NoIntercept {
		return nil, &DataError{Reason: "trim-and-fill has no form for models with moderators"}
	}
	if len(d.Y) < 3 {
		return nil, &DataError{Reason: "trim-and-fill needs three studies"}
	}
	side, err := missingSide(d, o, side)
	if err != nil {
		return nil, err
	}
	flip := 1.0
	if side == Right {
		flip = -1
	}
	sorted := make([]Effect, len(d.Y))
	for i := range sorted {
		sorted[i] = Effect{flip * d.Y[i], d.V[i]}
	}
	slices.SortStableFunc(sorted, func(a, b Effect) int { return int(sign(a.Y - b.Y)) })
	out := &TrimFillResult{Side: side, State: NotConverged}
	var centre float64
	for range 100 {
		fit, err := Fit(effectsData(sorted[:len(sorted)-out.K0]), o)
		if err != nil {
			return nil, err
		}
		centre = fit.Coefficients[0].Estimate
		k0, se, err := missing(sorted, centre, estimator)
		if err != nil {
			return nil, err
		}
		out.SEK0 = nil
		if !math.IsNaN(se) && !math.IsInf(se, 0) {
			out.SEK0 = &se
		}
		if k0 == out.K0 {
			out.State = Converged
			break
		}
		out.K0 = k0
	}
	for _, e := range sorted[len(sorted)-out.K0:] {
		out.Filled = append(out.Filled, Effect{flip * (2*centre - e.Y), e.V})
	}
	all := effectsData(out.Filled)
	all.Y, all.V = append(slices.Clone(d.Y), all.Y...), append(slices.Clone(d.V), all.V...)
	out.Fit, err = Fit(all, o)
	return out, err
}

func missingSide(d Data, o Options, side Side) (Side, error) {
	switch side {
	case Left, Right:
		return side, nil
	case "":
	default:
		return "", fmt.Errorf("a funnel has no side %q", side)
	}
	test, err := EggerMixed(d, o)
	if err != nil {
		return "", err
	}
	if test.Slope.Estimate < 0 {
		return Right, nil
	}
	return Left, nil
}

func effectsData(effects []Effect) Data {
	var d Data
	for _, e := range effects {
		d.Y, d.V = append(d.Y, e.Y), append(d.V, e.V)
	}
	return d
}

// missing estimates how many studies lack on the left of the centre, from the
// ranks of the distances with the sign of their side.
func missing(sorted []Effect, centre float64, estimator TrimEstimator) (k0 int, se float64, err error) {
	n := len(sorted)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	// A study on the centre is on neither side: rounding must not choose one.
	level := 1e-12 * max(math.Abs(sorted[0].Y), math.Abs(sorted[n-1].Y))
	from := func(i int) float64 {
		if d := sorted[i].Y - centre; math.Abs(d) > level {
			return d
		}
		return 0
	}
	distance := func(i int) float64 { return math.Abs(from(i)) }
	slices.SortStableFunc(order, func(a, b int) int { return int(sign(distance(a) - distance(b))) })
	sum, lowest := 0.0, -1 // rank sum on the right, highest rank on the left
	for rank, i := range order {
		if d := from(i); d > 0 {
			sum += float64(rank + 1)
		} else if d < 0 {
			lowest = rank + 1
		}
	}
	k := float64(n)
	var estimate float64
	switch estimator {
	case R0:
		estimate = k - float64(max(lowest, 0)) - 1
		se = math.Sqrt(2*max(0, estimate) + 2)
	case "", L0:
		estimate = (4*sum - k*(k+1)) / (2*k - 1)
		se = 4 * math.Sqrt(rankVariance(k, estimate)) / (2*k - 1)
	case Q0:
		estimate = k - 0.5 - math.Sqrt(max(0, 2*k*k-4*sum+0.25))
		se = 2 * math.Sqrt(rankVariance(k, estimate)) / math.Sqrt((k-0.5)*(k-0.5)-estimate*(2*k-estimate-1))
	default:
		return 0, 0, fmt.Errorf("there is no trim estimator %q; known are L0, R0 and Q0", estimator)
	}
	k0 = int(math.RoundToEven(max(0, estimate)))
	return min(k0, n-1), se, nil
}

// rankVariance is the variance of the rank sum of k studies with k0 missing.
func rankVariance(k, k0 float64) float64 {
	return (k*(k+1)*(2*k+1) + 10*k0*k0*k0 + 27*k0*k0 + 17*k0 - 18*k*k0*k0 - 18*k*k0 + 6*k*k*k0) / 24
}
