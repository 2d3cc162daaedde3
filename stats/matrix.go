// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"fmt"
	"slices"
	"strings"
)

// coded is a variable in a term: its number for each row and column.
type coded struct {
	names  []string
	values []float64   // of a numeric variable
	codes  []int32     // of a factor
	coding [][]float64 // of a factor, by level
}

func (c *coded) at(row, col int) float64 {
	if c.values != nil {
		return c.values[row]
	}
	return c.coding[c.codes[row]][col]
}

// matrix makes the model matrix of an intercept and terms.
func (d *Design) matrix(intercept bool, terms []Term, columns map[string]*Column) (*Matrix, error) {
	m := &Matrix{Rows: len(d.Kept)}
	if intercept {
		m.Names, m.Term = append(m.Names, "(Intercept)"), append(m.Term, -1)
	}
	full := fullCoding(intercept, terms, columns)
	parts := make([][]*coded, len(terms))
	for t, term := range terms {
		names := []string{""}
		for v, n := range term.vars {
			c, err := d.code(n.deparse(), columns, full[t][v])
			if err != nil {
				return nil, err
			}
			parts[t] = append(parts[t], c)
			names = crossNames(names, c.names)
		}
		for _, name := range names {
			m.Names, m.Term = append(m.Names, name), append(m.Term, t)
		}
		if len(m.Names) > 5000 {
			return nil, fmt.Errorf("%s would make more than 5000 columns", term.label)
		}
	}
	m.Data = make([]float64, m.Rows*len(m.Names))
	for i := range m.Rows {
		fillRow(m.Row(i), i, intercept, parts)
	}
	return m, nil
}

func fillRow(row []float64, i int, intercept bool, parts [][]*coded) {
	at := 0
	if intercept {
		row[0], at = 1, 1
	}
	for _, vars := range parts {
		width := 1
		row[at] = 1
		for _, c := range vars {
			k := len(c.names)
			for b := k - 1; b >= 0; b-- { // backwards, so that the product is made in place
				x := c.at(i, b)
				for a := range width {
					row[at+b*width+a] = row[at+a] * x
				}
			}
			width *= k
		}
		at += width
	}
}

// crossNames joins names as R does: those of the first variable change fastest.
func crossNames(a, b []string) []string {
	names := make([]string, 0, len(a)*len(b))
	for _, second := range b {
		for _, first := range a {
			names = append(names, strings.TrimPrefix(first+":"+second, ":"))
		}
	}
	return names
}

// fullCoding says for each factor of each term whether it gets a column for each
// level instead of contrasts: where the term without it is not in the model, and
// for the first factor where there is no intercept (R's terms.object).
func fullCoding(intercept bool, terms []Term, columns map[string]*Column) [][]bool {
	full := make([][]bool, len(terms))
	first := !intercept
	for t, term := range terms {
		full[t] = make([]bool, len(term.vars))
		for v, n := range term.vars {
			rest := slices.Delete(slices.Clone(term.vars), v, v+1)
			full[t][v] = len(rest) > 0 && !slices.ContainsFunc(terms, func(o Term) bool { return sameVars(o.vars, rest) })
			if first && columns[n.deparse()].kind == Factor {
				full[t][v], first = true, false
			}
		}
	}
	return full
}

func sameVars(a, b []*node) bool {
	return slices.EqualFunc(a, b, func(x, y *node) bool { return x.deparse() == y.deparse() })
}

// code makes the columns of one variable.
func (d *Design) code(label string, columns map[string]*Column, full bool) (*coded, error) {
	c := columns[label]
	if c.kind == Numeric {
		if d.recipe.contrasts[label] != nil {
			return nil, fmt.Errorf("contrasts are given for %q, which is numeric; write factor(%s)", label, label)
		}
		return &coded{names: []string{label}, values: c.numbers}, nil
	}
	codes, levels, err := d.levels(label, c)
	if err != nil {
		return nil, err
	}
	contrast := Contrast(indicators)
	if !full {
		if len(levels) < 2 {
			return nil, fmt.Errorf("the factor %q has one level only, %s", label, quoteAll(levels, 1))
		}
		if contrast = d.recipe.contrasts[label]; contrast == nil {
			contrast = Treatment("")
		}
	}
	coding, suffix, err := contrast(levels)
	if err != nil {
		return nil, fmt.Errorf("factor %q: %w", label, err)
	}
	names := make([]string, len(suffix))
	for i, s := range suffix {
		names[i] = label + s
	}
	return &coded{names: names, codes: codes, coding: coding}, nil
}

// levels returns the codes of a factor by the levels of the fitted data.
func (d *Design) levels(label string, c *Column) ([]int32, []string, error) {
	known, ok := d.recipe.factors[label]
	if !ok {
		codes, levels := used(slices.Clone(c.codes), c.levels)
		d.recipe.factors[label] = levels
		return codes, levels, nil
	}
	place := make([]int32, len(c.levels))
	for i, l := range c.levels {
		place[i] = int32(slices.Index(known, l))
	}
	codes := make([]int32, len(c.codes))
	for i, code := range c.codes {
		if codes[i] = place[code]; codes[i] < 0 {
			return nil, nil, fmt.Errorf("row %d: %q of %q did not occur in the data of the fit", d.Kept[i]+1, c.levels[code], label)
		}
	}
	return codes, known, nil
}
