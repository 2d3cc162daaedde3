// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"
)

// PredictionKind names the degrees of freedom of a prediction interval, on
// which the literature does not agree.
type PredictionKind string

// The kinds of prediction interval: estimate -/+ c sqrt(tau² + SE²).
const (
	// PredictAsTest takes c from the distribution that the model's test uses:
	// normal for Z, else t with k-p degrees of freedom, as metafor does.
	PredictAsTest PredictionKind = "as test"
	// PredictHTS takes t with k-p-1: Higgins, Thompson and Spiegelhalter
	// (2009), doi 10.1111/j.1467-985X.2008.00552.x.
	PredictHTS PredictionKind = "t(k-p-1)"
	// PredictT takes t with k-p, whatever the test: Partlett and Riley (2017),
	// doi 10.1002/sim.7140.
	PredictT PredictionKind = "t(k-p)"
)

// Prediction is a predicted average effect and where a new study's true
// effect would lie.
type Prediction struct {
	Estimate, SE float64
	// Lower and Upper bound the average.
	Lower, Upper float64
	// Kind and DF (0 for normal) say which prediction interval follows.
	Kind PredictionKind
	DF   float64
	// PILower and PIUpper bound the true effect of a new study.
	PILower, PIUpper float64
}

// Transformed applies a monotone transformation, such as [ZToR] or [math.Exp],
// to the estimate and the bounds. The SE stays on the scale of the model.
func (p Prediction) Transformed(f func(float64) float64) Prediction {
	p.Estimate, p.Lower, p.Upper = f(p.Estimate), f(p.Lower), f(p.Upper)
	p.PILower, p.PIUpper = f(p.PILower), f(p.PIUpper)
	return p
}

// Predict the effect where the moderators have the given values, in the order
// of the model's moderators; none for a model without. A wrong number of
// values panics; a kind that leaves no degrees of freedom is an error.
func (r *Result) Predict(moderators []float64, kind PredictionKind) (Prediction, error) {
	x := moderators
	if !r.data.NoIntercept {
		x = append([]float64{1}, moderators...)
	}
	if len(x) != r.P {
		panic(fmt.Sprintf("meta: %d moderator values for a model with %d coefficients", len(moderators), r.P))
	}
	p := Prediction{Kind: kind}
	variance := 0.0
	for i, xi := range x {
		p.Estimate += xi * r.Coefficients[i].Estimate
		for j, xj := range x {
			variance += xi * xj * r.VCov.At(i, j)
		}
	}
	p.SE = math.Sqrt(max(0, variance))
	crit := critical(1-r.Level, r.df())
	p.Lower, p.Upper = p.Estimate-crit*p.SE, p.Estimate+crit*p.SE
	df, err := r.predictionDF(kind)
	if err != nil {
		return Prediction{}, err
	}
	p.DF = df
	half := critical(1-r.Level, df) * math.Sqrt(variance+r.Tau2)
	p.PILower, p.PIUpper = p.Estimate-half, p.Estimate+half
	return p, nil
}

func (r *Result) predictionDF(kind PredictionKind) (float64, error) {
	df := 0
	switch kind {
	case "", PredictAsTest:
		return r.df(), nil
	case PredictHTS:
		df = r.K - r.P - 1
	case PredictT:
		df = r.K - r.P
	default:
		return 0, fmt.Errorf("there is no prediction interval %q", kind)
	}
	if df < 1 {
		return 0, fmt.Errorf("%d studies leave no degrees of freedom for the prediction interval %s", r.K, kind)
	}
	return float64(df), nil
}
