// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"fmt"
	"slices"
	"strconv"
)

// Contrast codes a factor: given its levels it returns a row of numbers for each
// level and a suffix for the name of each column (Chambers and Hastie 1992,
// Statistical Models in S, 2.3). It is not called with fewer than two levels.
type Contrast func(levels []string) (coding [][]float64, suffix []string, err error)

// Treatment compares each level with base; with the first one where base is
// empty. It is the coding used where none is asked for. A base that is no level
// is an error.
func Treatment(base string) Contrast {
	return func(levels []string) ([][]float64, []string, error) {
		b := 0
		if base != "" {
			if b = slices.Index(levels, base); b < 0 {
				return nil, nil, fmt.Errorf("the base %q is not among the levels %s", base, quoteAll(levels, 12))
			}
		}
		coding := make([][]float64, len(levels))
		var suffix []string
		for i := range levels {
			coding[i] = make([]float64, len(levels)-1)
			switch {
			case i < b:
				coding[i][i] = 1
			case i > b:
				coding[i][i-1] = 1
			}
			if i != b {
				suffix = append(suffix, levels[i])
			}
		}
		return coding, suffix, nil
	}
}

// Sum compares each level but the last with the mean of all; the coefficients of
// all levels add up to nought.
func Sum() Contrast {
	return func(levels []string) ([][]float64, []string, error) {
		k := len(levels)
		coding := make([][]float64, k)
		suffix := make([]string, k-1)
		for i := range coding {
			coding[i] = make([]float64, k-1)
			if i < k-1 {
				coding[i][i] = 1
				suffix[i] = strconv.Itoa(i + 1)
				continue
			}
			for j := range coding[i] {
				coding[i][j] = -1
			}
		}
		return coding, suffix, nil
	}
}

// indicators gives each level its own column.
func indicators(levels []string) ([][]float64, []string, error) {
	coding := make([][]float64, len(levels))
	for i := range coding {
		coding[i] = make([]float64, len(levels))
		coding[i][i] = 1
	}
	return coding, levels, nil
}
