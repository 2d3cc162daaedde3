// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Between returns the mean of a numeric column in each group, for each row: the
// level of the person, where the group is a person. The mean is over the rows
// that are not missing; it is missing where the group is, or where the group has
// no value. The part between persons of Curran and Bauer (2011, Annual Review of
// Psychology 62, 583-619), not centred: see [Centered].
func Between(f *Frame, column, group, name string) (*Column, error) {
	c, g, err := numericBy(f, column, group)
	if err != nil {
		return nil, err
	}
	mean := make([]float64, len(g.levels))
	count := make([]float64, len(g.levels))
	for pass := range 2 {
		rest := make([]float64, len(g.levels))
		for i, x := range c.numbers {
			if k := g.codes[i]; k >= 0 && !math.IsNaN(x) {
				rest[k] += x - mean[k]
				if pass == 0 {
					count[k]++
				}
			}
		}
		for k := range mean {
			mean[k] += rest[k] / count[k]
		}
	}
	out := make([]float64, f.rows)
	for i, k := range g.codes {
		out[i] = math.NaN()
		if k >= 0 && count[k] > 0 {
			out[i] = mean[k]
		}
	}
	return &Column{name: name, numbers: out}, nil
}

// Within returns the deviation of each value from the mean of its group: what
// changes from session to session in a person. It is missing where the value or
// the group is.
func Within(f *Frame, column, group, name string) (*Column, error) {
	b, err := Between(f, column, group, name)
	if err != nil {
		return nil, err
	}
	c, _ := f.Column(column)
	for i, x := range c.numbers {
		b.numbers[i] = x - b.numbers[i]
	}
	return b, nil
}

// Centered returns a numeric column less its mean over all rows that are not
// missing.
func Centered(f *Frame, column, name string) (*Column, error) {
	c, err := f.numeric(column)
	if err != nil {
		return nil, err
	}
	mean, n := meanOf(c.numbers)
	if n == 0 {
		return nil, fmt.Errorf("column %q has no value", column)
	}
	out := make([]float64, len(c.numbers))
	for i, x := range c.numbers {
		out[i] = x - mean
	}
	return &Column{name: name, numbers: out}, nil
}

// Lag returns the value of a numeric column k sessions before, in the same
// person: the row of the same group whose time is less by k. It is missing where
// there is no such row, so that a missed session is never jumped over. Two rows
// of one person at the same time are an error that names them. The order of the
// rows does not matter.
func Lag(f *Frame, column, group, time string, k float64, name string) (*Column, error) {
	c, g, err := numericBy(f, column, group)
	if err != nil {
		return nil, err
	}
	t, err := f.numeric(time)
	if err != nil {
		return nil, err
	}
	type moment struct {
		group int32
		time  float64
	}
	rows := make(map[moment]int, f.rows)
	for i, code := range g.codes {
		if code < 0 || math.IsNaN(t.numbers[i]) {
			continue
		}
		m := moment{code, t.numbers[i]}
		if before, twice := rows[m]; twice {
			return nil, fmt.Errorf("rows %d and %d: %q of %q has two rows at %s %s", before+1, i+1, g.levels[code], group, time, numberText(m.time))
		}
		rows[m] = i
	}
	out := make([]float64, f.rows)
	for i, code := range g.codes {
		out[i] = math.NaN()
		if before, ok := rows[moment{code, t.numbers[i] - k}]; ok && code >= 0 {
			out[i] = c.numbers[before]
		}
	}
	return &Column{name: name, numbers: out}, nil
}

// LagRow returns the value of a numeric column in the row before, in the same
// person and by order of time, however long ago: a missed session is jumped over,
// and with it the distance in time. Use [Lag] where that matters. Two rows of one
// person at the same time are an error that names them; a row without a time is
// before no other.
func LagRow(f *Frame, column, group, time, name string) (*Column, error) {
	c, g, err := numericBy(f, column, group)
	if err != nil {
		return nil, err
	}
	t, err := f.numeric(time)
	if err != nil {
		return nil, err
	}
	rows := make([]int, 0, f.rows)
	out := make([]float64, f.rows)
	for i, code := range g.codes {
		out[i] = math.NaN()
		if code >= 0 && !math.IsNaN(t.numbers[i]) {
			rows = append(rows, i)
		}
	}
	slices.SortStableFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(g.codes[a], g.codes[b]), cmp.Compare(t.numbers[a], t.numbers[b]))
	})
	for k, i := range rows {
		if k == 0 || g.codes[rows[k-1]] != g.codes[i] {
			continue
		}
		before := rows[k-1]
		if t.numbers[before] == t.numbers[i] {
			return nil, fmt.Errorf("rows %d and %d: %q of %q has two rows at %s %s", before+1, i+1, g.levels[g.codes[i]], group, time, numberText(t.numbers[i]))
		}
		out[i] = c.numbers[before]
	}
	return &Column{name: name, numbers: out}, nil
}

// numeric returns a column that must hold numbers.
func (f *Frame) numeric(name string) (*Column, error) {
	c, err := f.Column(name)
	if err != nil {
		return nil, err
	}
	if c.kind != Numeric {
		return nil, fmt.Errorf("column %q is a factor (%s), and a number is needed", name, quoteAll(c.levels, 4))
	}
	return c, nil
}

func numericBy(f *Frame, column, group string) (c, g *Column, err error) {
	if c, err = f.numeric(column); err != nil {
		return nil, nil, err
	}
	if g, err = f.Column(group); err != nil {
		return nil, nil, err
	}
	return c, g.AsFactor(), nil
}
