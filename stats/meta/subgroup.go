// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"fmt"
	"maps"
	"slices"
)

// Subgroup is a fit of the studies with one label.
type Subgroup struct {
	Label string
	Fit   *Result
}

// Subgroups compares groups of studies.
type Subgroups struct {
	// Groups in alphabetical order of their labels, each with its own tau².
	Groups []Subgroup
	// Between tests that all groups have the same average: the weighted sum of
	// squares of the averages around their average, chi-square with one less
	// than the groups (Borenstein and others 2009, chapter 19).
	Between TestResult
	// Common is the regression on indicators of the groups with one tau² for
	// all; its QM tests the same hypothesis. nil when there is one group.
	Common *Result
}

// FitSubgroups fits each group by itself and all together with a common tau².
// Data with moderators are an error.
func FitSubgroups(d Data, labels []string, o Options) (*Subgroups, error) {
	if len(d.Moderators) > 0 || d.NoIntercept {
		return nil, &DataError{Reason: "subgroups are for models without moderators"}
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	if len(labels) != len(d.Y) {
		return nil, &DataError{Column: "subgroup", Reason: fmt.Sprintf("%d labels for %d effect sizes", len(labels), len(d.Y))}
	}
	rows := make(map[string][]int)
	for i, label := range labels {
		rows[label] = append(rows[label], i)
	}
	out := &Subgroups{Between: TestResult{DF1: float64(len(rows) - 1), P: 1}}
	for _, label := range slices.Sorted(maps.Keys(rows)) {
		fit, err := Fit(d.rows(rows[label]), o)
		if err != nil {
			return nil, fmt.Errorf("subgroup %q: %w", label, err)
		}
		out.Groups = append(out.Groups, Subgroup{label, fit})
	}
	if len(out.Groups) == 1 {
		return out, nil
	}
	sum, mean := 0.0, 0.0
	for _, g := range out.Groups {
		w := 1 / g.Fit.VCov.At(0, 0)
		sum += w
		mean += (g.Fit.Coefficients[0].Estimate - mean) * w / sum
	}
	for _, g := range out.Groups {
		e := g.Fit.Coefficients[0].Estimate - mean
		out.Between.Stat += e * e / g.Fit.VCov.At(0, 0)
	}
	out.Between.P = chi2Tail(out.Between.Stat, out.Between.DF1)
	d.Moderators = Factor("", labels)
	common, err := Fit(d, o)
	if err != nil {
		return nil, err
	}
	out.Common = common
	return out, nil
}
