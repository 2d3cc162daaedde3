// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import "gonum.org/v1/gonum/mat"

// dense is the table with rows as persons.
func dense(t *table) *mat.Dense {
	m := mat.NewDense(len(t.x[0]), len(t.x), nil)
	for j, x := range t.x {
		m.SetCol(j, x)
	}
	return m
}
