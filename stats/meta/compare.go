// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"errors"
	"math"
)

// LikelihoodRatio compares two nested models.
type LikelihoodRatio struct {
	Chi2 float64
	DF   float64
	// P refers to chi-square with DF degrees of freedom, as metafor does.
	P float64
	// PBoundary, when one variance is tested against 0, refers to the equal
	// mixture of 0 and chi-square with 1 degree of freedom, the distribution on
	// the boundary: Self and Liang (1987), doi 10.1080/01621459.1987.10478472.
	// nil for other comparisons.
	PBoundary *float64
}

// CompareMultilevel tests reduced, a fit of the same data in which variances
// are Fixed that full estimates, or (with ML) moderators are missing. REML fits
// with different coefficients cannot be compared, nor different data: an error.
func CompareMultilevel(full, reduced *MultilevelResult) (LikelihoodRatio, error) {
	switch {
	case full.Method != reduced.Method:
		return LikelihoodRatio{}, errors.New("a fit by REML and one by ML cannot be compared")
	case full.K != reduced.K:
		return LikelihoodRatio{}, errors.New("fits of different data cannot be compared")
	case full.Method == REML && !sameNames(full.f.names, reduced.f.names):
		return LikelihoodRatio{}, errors.New("fits by REML with different moderators cannot be compared; fit both by ML")
	}
	variances := full.estimated() - reduced.estimated()
	df := variances + full.P - reduced.P
	if df <= 0 {
		return LikelihoodRatio{}, errors.New("the second model is not smaller than the first")
	}
	out := LikelihoodRatio{Chi2: math.Max(0, 2*(full.LogLik-reduced.LogLik)), DF: float64(df)}
	out.P = chi2Tail(out.Chi2, out.DF)
	if variances == 1 && df == 1 && reduced.atZero(full) {
		half := out.P / 2
		if out.Chi2 == 0 {
			half = 1
		}
		out.PBoundary = &half
	}
	return out, nil
}

func sameNames(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (r *MultilevelResult) estimated() int {
	n := 0
	for _, fixed := range r.fixed {
		if !fixed {
			n++
		}
	}
	return n
}

// atZero is true when what r fixes and full does not is fixed at 0, or left out.
func (r *MultilevelResult) atZero(full *MultilevelResult) bool {
	for _, c := range full.Components {
		if c.Fixed {
			continue
		}
		for _, mine := range r.Components {
			if mine.Name == c.Name && mine.Fixed && mine.Sigma2 != 0 {
				return false
			}
		}
	}
	return true
}
