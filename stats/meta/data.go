// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// DataError says which part of the data no model can use, and why.
type DataError struct {
	// Row counts from 1; 0 when the complaint is not about one row.
	Row int
	// Column is the name of the variable, or empty.
	Column string
	Reason string
}

// Error is one sentence.
func (e *DataError) Error() string {
	switch {
	case e.Row > 0 && e.Column != "":
		return fmt.Sprintf("row %d, %s: %s", e.Row, e.Column, e.Reason)
	case e.Row > 0:
		return fmt.Sprintf("row %d: %s", e.Row, e.Reason)
	case e.Column != "":
		return e.Column + ": " + e.Reason
	}
	return e.Reason
}

// ErrNotConverged is wrapped by the error of a function that has no result to
// hand back without a search that ended. Fits report it in their State instead.
var ErrNotConverged = errors.New("the search did not converge")

// Data is one row per effect size.
type Data struct {
	// Y holds the effect sizes, V their sampling variances (not standard errors).
	Y, V []float64
	// Moderators are the columns of a meta-regression beside the intercept.
	Moderators []Moderator
	// NoIntercept leaves the constant out.
	NoIntercept bool
}

// Moderator is one numeric column of a meta-regression.
type Moderator struct {
	Name   string
	Values []float64
}

// Factor turns labels into treatment contrasts: one column of zeros and ones
// for each level but the first in alphabetical order, named name+level.
func Factor(name string, labels []string) []Moderator {
	levels := slices.Compact(slices.Sorted(slices.Values(labels)))
	if len(levels) < 2 {
		return nil
	}
	columns := make([]Moderator, 0, len(levels)-1)
	for _, level := range levels[1:] {
		column := Moderator{Name: name + level, Values: make([]float64, len(labels))}
		for i, label := range labels {
			if label == level {
				column.Values[i] = 1
			}
		}
		columns = append(columns, column)
	}
	return columns
}

// largestRatio of two sampling variances: beyond it the more precise study
// decides alone, and what the others add is lost in rounding.
const largestRatio = 1e10

// check finds the first thing in d that no model can use.
func (d Data) check() error {
	if len(d.Y) == 0 {
		return &DataError{Reason: "there are no studies"}
	}
	if len(d.V) != len(d.Y) {
		return &DataError{Column: "variance", Reason: fmt.Sprintf("%d values for %d effect sizes", len(d.V), len(d.Y))}
	}
	if err := finite("effect size", d.Y); err != nil {
		return err
	}
	if err := checkVariances(d.V); err != nil {
		return err
	}
	for _, m := range d.Moderators {
		if len(m.Values) != len(d.Y) {
			return &DataError{Column: m.Name, Reason: fmt.Sprintf("%d values for %d effect sizes", len(m.Values), len(d.Y))}
		}
		if err := finite(m.Name, m.Values); err != nil {
			return err
		}
	}
	return nil
}

func finite(column string, x []float64) error {
	for i, value := range x {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return &DataError{Row: i + 1, Column: column, Reason: "is not a finite number"}
		}
		if math.Abs(value) > 1e140 {
			return &DataError{Row: i + 1, Column: column, Reason: "is too large to square"}
		}
	}
	return nil
}

func checkVariances(v []float64) error {
	least, most := math.Inf(1), 0.0
	leastRow := 0
	for i, value := range v {
		switch {
		case math.IsNaN(value) || math.IsInf(value, 0):
			return &DataError{Row: i + 1, Column: "variance", Reason: "is not a finite number"}
		case value < 0:
			return &DataError{Row: i + 1, Column: "variance", Reason: "is negative"}
		case value == 0:
			return &DataError{Row: i + 1, Column: "variance", Reason: "is zero, so this study alone would decide"}
		case value < 1e-300 || value > 1e280:
			return &DataError{Row: i + 1, Column: "variance", Reason: "is outside 1e-300 to 1e280"}
		}
		if value < least {
			least, leastRow = value, i+1
		}
		most = max(most, value)
	}
	if most > largestRatio*least {
		return &DataError{Row: leastRow, Column: "variance", Reason: fmt.Sprintf("%.3g is less than 1e-10 of the largest, %.3g: no stable result is possible", least, most)}
	}
	return nil
}
