// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"slices"
)

// Estimator is a way to fit a factor model and to correct its tests.
type Estimator string

// Estimators, with the information that their standard errors come from.
const (
	// ML is normal-theory maximum likelihood: expected information, with FIML
	// observed.
	ML Estimator = "ML"
	// MLR is ML with Huber-White standard errors from the observed information
	// and the test of Yuan & Bentler (2000) in the form of Asparouhov & Muthen
	// (2005).
	MLR Estimator = "MLR"
	// MLM is ML with robust standard errors from the expected information and the
	// mean-adjusted test of Satorra & Bentler (1994); complete data only.
	MLM Estimator = "MLM"
	// WLSMV is diagonally weighted least squares on polychoric correlations with
	// robust standard errors and the test scaled and shifted (Asparouhov & Muthen
	// 2010); all items ordered.
	WLSMV Estimator = "WLSMV"
	// DWLS is as WLSMV with neither: standard errors and test as if the weights
	// were right.
	DWLS Estimator = "DWLS"
)

// Missing says what becomes of rows with a missing value.
type Missing string

// Ways with missing values.
const (
	Listwise Missing = "listwise" // leave the row out
	FIML     Missing = "fiml"     // use what is there: full-information maximum likelihood
)

// Equal names parameters that are to be equal in all groups.
type Equal string

// What may be equal. Equal intercepts (or thresholds) free the factor means of
// all groups but the first, unless Means are equal too.
const (
	Loadings            Equal = "loadings"
	Intercepts          Equal = "intercepts"
	Thresholds          Equal = "thresholds"
	Residuals           Equal = "residuals"
	ResidualCovariances Equal = "residual.covariances"
	FactorVariances     Equal = "lv.variances"
	FactorCovariances   Equal = "lv.covariances"
	Means               Equal = "means"
	Regressions         Equal = "regressions"
)

// Options of a fit. The zero value is ML on complete rows, each factor scaled by
// its first item.
type Options struct {
	Estimator     Estimator
	Missing       Missing
	StdLV         bool // scale factors to variance 1, not by their first items
	Orthogonal    bool // factors do not covary
	MeanStructure bool // estimate intercepts; always with groups or FIML
	GroupEqual    []Equal
	GroupPartial  []string // exceptions to GroupEqual, as "visual =~ x2" or "x3 ~ 1"
	Level         float64  // of intervals of parameters; .95 if 0
	MaxIterations int      // 500 if 0
}

func (o Options) filled() (Options, error) {
	if o.Estimator == "" {
		o.Estimator = ML
	}
	if o.Missing == "" {
		o.Missing = Listwise
	}
	if o.Level == 0 {
		o.Level = .95
	}
	if o.MaxIterations == 0 {
		o.MaxIterations = 500
	}
	switch {
	case !slices.Contains([]Estimator{ML, MLR, MLM, WLSMV, DWLS}, o.Estimator):
		return o, fmt.Errorf("there is no estimator %q", o.Estimator)
	case o.Missing != Listwise && o.Missing != FIML:
		return o, fmt.Errorf("there is no way with missing values %q", o.Missing)
	case o.Missing == FIML && o.Estimator != ML && o.Estimator != MLR:
		return o, fmt.Errorf("%s needs complete rows; for missing values use ML or MLR with FIML", o.Estimator)
	case !(o.Level > 0 && o.Level < 1):
		return o, fmt.Errorf("level %v is not between 0 and 1", o.Level)
	case o.MaxIterations < 0:
		return o, fmt.Errorf("%d iterations", o.MaxIterations)
	}
	for _, e := range o.GroupEqual {
		known := []Equal{Loadings, Intercepts, Thresholds, Residuals, ResidualCovariances, FactorVariances, FactorCovariances, Means, Regressions}
		if !slices.Contains(known, e) {
			return o, fmt.Errorf("there is nothing called %q to be equal", e)
		}
	}
	return o, nil
}

func (o Options) categorical() bool { return o.Estimator == WLSMV || o.Estimator == DWLS }

func (o Options) equal(e Equal) bool { return slices.Contains(o.GroupEqual, e) }
