// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
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
	return predictor{r.Coefficients, r.VCov, !r.data.NoIntercept, r.Tau2, r.Level, r.df(), r.K}.predict(moderators, kind)
}

// Predict is as that of [Result]; the prediction interval is for an effect from
// new groups at all levels.
func (r *MultilevelResult) Predict(moderators []float64, kind PredictionKind) (Prediction, error) {
	total := 0.0
	for _, c := range r.Components {
		total += c.Sigma2
	}
	return predictor{r.Coefficients, r.VCov, !r.data.NoIntercept, total, r.Level, r.Coefficients[0].DF, r.K}.predict(moderators, kind)
}

// predictor is what a prediction needs of either model.
type predictor struct {
	coefficients []Coefficient
	vcov         mat.Symmetric
	intercept    bool
	variance     float64 // of true effects
	level        float64
	df           float64 // of the coefficients
	k            int
}

func (r predictor) predict(moderators []float64, kind PredictionKind) (Prediction, error) {
	x := moderators
	if r.intercept {
		x = append([]float64{1}, moderators...)
	}
	if len(x) != len(r.coefficients) {
		panic(fmt.Sprintf("meta: %d moderator values for a model with %d coefficients", len(moderators), len(r.coefficients)))
	}
	p := Prediction{Kind: kind}
	if p.Kind == "" {
		p.Kind = PredictAsTest
	}
	variance := 0.0
	for i, xi := range x {
		p.Estimate += xi * r.coefficients[i].Estimate
		for j, xj := range x {
			variance += xi * xj * r.vcov.At(i, j)
		}
	}
	p.SE = math.Sqrt(max(0, variance))
	crit := critical(1-r.level, r.df)
	p.Lower, p.Upper = p.Estimate-crit*p.SE, p.Estimate+crit*p.SE
	df, err := r.predictionDF(kind)
	if err != nil {
		return Prediction{}, err
	}
	p.DF = df
	half := critical(1-r.level, df) * math.Sqrt(max(0, variance)+r.variance)
	p.PILower, p.PIUpper = p.Estimate-half, p.Estimate+half
	return p, nil
}

func (r predictor) predictionDF(kind PredictionKind) (float64, error) {
	df := r.k - len(r.coefficients)
	switch kind {
	case "", PredictAsTest:
		return r.df, nil
	case PredictHTS:
		df--
	case PredictT:
	default:
		return 0, fmt.Errorf("there is no prediction interval %q", kind)
	}
	if df < 1 {
		return 0, fmt.Errorf("%d effects leave no degrees of freedom for the prediction interval %s", r.k, kind)
	}
	return float64(df), nil
}
