// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Matrix is a model matrix: one row for each row that is used, one named column
// for each coefficient. Data holds it row by row.
type Matrix struct {
	Names []string
	Term  []int // the term of each column, -1 for the intercept
	Rows  int
	Data  []float64
}

// Cols returns the number of columns.
func (m *Matrix) Cols() int { return len(m.Names) }

// Row returns row i of the matrix itself, not a copy.
func (m *Matrix) Row(i int) []float64 {
	p := len(m.Names)
	return m.Data[i*p : (i+1)*p : (i+1)*p]
}

// Grouping is a random term made ready: the columns of its effects, and the
// group of each row. Codes count from 0; in a design for new data -1 is a group
// that the fitted data did not have, or none at all.
type Grouping struct {
	Name   string // as lme4 names it, for example "cask:batch"
	Z      *Matrix
	Codes  []int32
	Levels []string // sorted, the first variable of the grouping first
}

// Design is a formula applied to a frame: all that a linear model needs.
type Design struct {
	Formula *Formula
	X       *Matrix
	Y       []float64 // nil where the formula has no left side, or in new data
	Offset  []float64 // nil where there is none
	Random  []Grouping
	Kept    []int // the rows of the frame that are used, counted from 0
	Missing []int // those left out, as a value they need is missing
	frame   *Frame
	recipe  *recipe
}

// recipe is what new data must be treated with as the fitted data were.
type recipe struct {
	scales    map[string]affine
	factors   map[string][]string // levels by variable
	contrasts map[string]Contrast
}

// DesignOptions says how to build a design; the zero value is treatment
// contrasts.
type DesignOptions struct {
	Contrasts map[string]Contrast // by the name of the factor
	Also      []string            // further columns whose missing values leave a row out
}

// NewDesign applies a formula to a frame. Rows with a missing value in a column
// that is needed are left out and listed. A column that is not there, a factor
// where a number is needed, a factor of one level, a result that is not finite,
// and a frame without a complete row are errors. No column is left out for
// collinearity here: see [Matrix.Independent].
func NewDesign(f *Formula, frame *Frame, o DesignOptions) (*Design, error) {
	d := &Design{Formula: f, recipe: &recipe{scales: map[string]affine{}, factors: map[string][]string{}, contrasts: o.Contrasts}}
	for name := range o.Contrasts {
		if !slices.Contains(f.Variables(), name) && !strings.HasPrefix(name, "factor(") {
			return nil, fmt.Errorf("contrasts are given for %q, which the formula does not use", name)
		}
	}
	if err := d.build(frame, o.Also, true, true); err != nil {
		return nil, err
	}
	return d, nil
}

// Apply applies the formula to new data in the same way: same levels, contrasts
// and scales, no response. A level that the fitted data did not have is an error
// that names the row; a group they did not have, or a missing one, gets the
// code -1.
func (d *Design) Apply(frame *Frame) (*Design, error) {
	n := &Design{Formula: d.Formula, recipe: d.recipe}
	if err := n.build(frame, nil, false, false); err != nil {
		return nil, err
	}
	for i := range n.Random {
		g := &n.Random[i]
		known := make(map[string]int32, len(d.Random[i].Levels))
		for code, level := range d.Random[i].Levels {
			known[level] = int32(code)
		}
		for row, code := range g.Codes {
			if code < 0 {
				continue
			}
			old, ok := known[g.Levels[code]]
			if !ok {
				old = -1
			}
			g.Codes[row] = old
		}
		g.Levels = d.Random[i].Levels
	}
	return n, nil
}

// Column returns a column of the frame for the rows that are used.
func (d *Design) Column(name string) (*Column, error) {
	c, err := d.frame.Column(name)
	if err != nil {
		return nil, err
	}
	return d.rows(c), nil
}

func (d *Design) rows(c *Column) *Column {
	if len(d.Missing) == 0 {
		return c
	}
	return c.take(d.Kept)
}

func (d *Design) build(frame *Frame, also []string, response, groups bool) error {
	d.frame = frame
	e := &evaluator{frame: frame, known: d.recipe.scales}
	columns, order, err := d.evaluate(e, response)
	if err != nil {
		return err
	}
	needed := make([]*Column, 0, len(order))
	for _, label := range order {
		needed = append(needed, columns[label])
	}
	for _, name := range d.groupNames(also, groups) {
		c, err := frame.Column(name)
		if err != nil {
			return err
		}
		needed = append(needed, c)
	}
	d.keep(frame.rows, needed)
	if len(d.Kept) == 0 {
		return fmt.Errorf("none of the %d rows is complete in %s", frame.rows, quoteAll(d.Formula.Variables(), 12))
	}
	for label, c := range columns {
		columns[label] = d.rows(c)
	}
	if response && d.Formula.response != nil {
		y := columns["\x00response"]
		d.Y = y.numbers
	}
	for i := range d.Formula.offsets {
		d.addOffset(columns[fmt.Sprintf("\x00offset%d", i)].numbers)
	}
	if d.X, err = d.matrix(d.Formula.Intercept, d.Formula.Terms, columns); err != nil {
		return err
	}
	return d.buildRandom(columns, groups)
}

func (d *Design) groupNames(also []string, groups bool) []string {
	names := slices.Clone(also)
	if groups {
		for _, r := range d.Formula.Random {
			names = append(names, r.Group...)
		}
	}
	return names
}

// evaluate computes each variable of the formula once.
func (d *Design) evaluate(e *evaluator, response bool) (map[string]*Column, []string, error) {
	columns := map[string]*Column{}
	var order []string
	add := func(label string, n *node, numeric bool) error {
		if _, ok := columns[label]; ok {
			return nil
		}
		c, err := e.column(n)
		if err != nil {
			return err
		}
		if numeric && c.kind == Factor {
			return fmt.Errorf("%s is a factor, and a number is needed", n.deparse())
		}
		columns[label] = c
		order = append(order, label)
		return nil
	}
	if response && d.Formula.response != nil {
		if err := add("\x00response", d.Formula.response, true); err != nil {
			return nil, nil, fmt.Errorf("response: %w", err)
		}
	}
	for i, o := range d.Formula.offsets {
		if err := add(fmt.Sprintf("\x00offset%d", i), o, true); err != nil {
			return nil, nil, fmt.Errorf("offset: %w", err)
		}
	}
	terms := slices.Clone(d.Formula.Terms)
	for _, r := range d.Formula.Random {
		terms = append(terms, r.Terms...)
	}
	for _, t := range terms {
		for _, v := range t.vars {
			if err := add(v.deparse(), v, false); err != nil {
				return nil, nil, err
			}
		}
	}
	return columns, order, nil
}

// keep sorts the rows into those that are complete and the others.
func (d *Design) keep(rows int, needed []*Column) {
	d.Kept = make([]int, 0, rows)
	for i := range rows {
		if slices.ContainsFunc(needed, func(c *Column) bool { return c.Missing(i) }) {
			d.Missing = append(d.Missing, i)
		} else {
			d.Kept = append(d.Kept, i)
		}
	}
}

func (d *Design) addOffset(v []float64) {
	if d.Offset == nil {
		d.Offset = make([]float64, len(v))
	}
	for i, x := range v {
		d.Offset[i] += x
	}
}

func (d *Design) buildRandom(columns map[string]*Column, groups bool) error {
	for _, r := range d.Formula.Random {
		z, err := d.matrix(r.Intercept, r.Terms, columns)
		if err != nil {
			return fmt.Errorf("random term for %s: %w", r.GroupName(), err)
		}
		g := Grouping{Name: r.GroupName(), Z: z}
		if err := d.group(&g, r.Group, groups); err != nil {
			return err
		}
		d.Random = append(d.Random, g)
	}
	return nil
}

// group numbers the combinations of the grouping variables that occur. Where
// they are not needed, as in new data, a missing column leaves every row alone.
func (d *Design) group(g *Grouping, names []string, needed bool) error {
	parts := make([]*Column, len(names))
	for i, name := range names {
		c, err := d.Column(name)
		if err != nil && needed {
			return err
		}
		if err != nil {
			g.Codes = make([]int32, len(d.Kept))
			for row := range g.Codes {
				g.Codes[row] = -1
			}
			return nil
		}
		parts[i] = c.AsFactor()
	}
	g.Codes = slices.Clone(parts[0].codes)
	levels := parts[0].levels
	for _, p := range parts[1:] {
		g.Codes, levels = cross(g.Codes, levels, p)
	}
	g.Codes, g.Levels = used(g.Codes, levels)
	return nil
}

// cross numbers the combinations of two factors that occur, the first slowest.
func cross(codes []int32, levels []string, p *Column) ([]int32, []string) {
	k := int64(len(p.levels))
	place := map[int64]int32{}
	var pairs []int64
	for i, c := range codes {
		if c < 0 || p.codes[i] < 0 {
			continue
		}
		key := int64(c)*k + int64(p.codes[i])
		if _, ok := place[key]; !ok {
			place[key] = 0
			pairs = append(pairs, key)
		}
	}
	slices.Sort(pairs)
	names := make([]string, len(pairs))
	for i, key := range pairs {
		place[key] = int32(i)
		names[i] = levels[key/k] + ":" + p.levels[key%k]
	}
	out := make([]int32, len(codes))
	for i, c := range codes {
		out[i] = -1
		if c >= 0 && p.codes[i] >= 0 {
			out[i] = place[int64(c)*k+int64(p.codes[i])]
		}
	}
	return out, names
}

// used drops levels that no row has.
func used(codes []int32, levels []string) ([]int32, []string) {
	count := make([]int32, len(levels))
	for _, c := range codes {
		if c >= 0 {
			count[c]++
		}
	}
	if !slices.Contains(count, 0) {
		return codes, levels
	}
	var kept []string
	for i, n := range count {
		count[i] = int32(len(kept))
		if n > 0 {
			kept = append(kept, levels[i])
		}
	}
	for i, c := range codes {
		if c >= 0 {
			codes[i] = count[c]
		}
	}
	return codes, kept
}

// Independent returns the columns that are not a linear combination of those
// before them, and the others. A column counts as one when what is left of it
// beside the others is shorter than 1e-7 of its own length, the tolerance of R's
// lm. weights may be nil.
func (m *Matrix) Independent(weights []float64) (kept, dropped []int) {
	basis := [][]float64{}
	for j := range m.Names {
		v := make([]float64, m.Rows)
		var length float64
		for i := range v {
			v[i] = m.Data[i*len(m.Names)+j]
			if weights != nil {
				v[i] *= math.Sqrt(weights[i])
			}
			length = math.Max(length, math.Abs(v[i]))
		}
		if length > 0 { // so that no square overflows or vanishes
			for i := range v {
				v[i] /= length
			}
		}
		before := norm(v)
		for range 2 {
			for _, b := range basis {
				project(v, b)
			}
		}
		after := norm(v)
		if !(before > 0) || after < 1e-7*before {
			dropped = append(dropped, j)
			continue
		}
		for i := range v {
			v[i] /= after
		}
		basis = append(basis, v)
		kept = append(kept, j)
	}
	return kept, dropped
}

func norm(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x * x
	}
	return math.Sqrt(s)
}

// project takes the part along the unit vector b out of v.
func project(v, b []float64) {
	var s float64
	for i, x := range v {
		s += x * b[i]
	}
	for i := range v {
		v[i] -= s * b[i]
	}
}
