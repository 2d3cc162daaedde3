// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Kind says what a column holds.
type Kind int

// The kinds of a column.
const (
	Numeric Kind = iota // finite numbers
	Factor              // one of a list of levels
)

// String names the kind.
func (k Kind) String() string {
	if k == Factor {
		return "factor"
	}
	return "numeric"
}

// Column is one named variable of a frame. It does not change once it is made.
type Column struct {
	name    string
	kind    Kind
	numbers []float64 // NaN where missing, and only there
	codes   []int32   // -1 where missing
	levels  []string
}

// NewNumeric returns a numeric column of the values. missing may be nil; where it
// is true the value is not looked at. A value that is not finite and not said
// to be missing is an error that names its row, counted from 1. It panics where
// the lengths differ.
func NewNumeric(name string, values []float64, missing []bool) (*Column, error) {
	if missing != nil && len(missing) != len(values) {
		panic("stats: as many marks of missing as values are needed")
	}
	v := slices.Clone(values)
	for i := range v {
		switch {
		case missing != nil && missing[i]:
			v[i] = math.NaN()
		case math.IsNaN(v[i]) || math.IsInf(v[i], 0):
			return nil, fmt.Errorf("column %q, row %d: %v is not a number to reckon with; mark it as missing", name, i+1, v[i])
		}
	}
	return &Column{name: name, kind: Numeric, numbers: v}, nil
}

// NewFactor returns a factor of the values, with its levels in the order of
// their bytes. missing may be nil. It panics where the lengths differ.
func NewFactor(name string, values []string, missing []bool) *Column {
	if missing != nil && len(missing) != len(values) {
		panic("stats: as many marks of missing as values are needed")
	}
	seen := map[string]int32{}
	codes := make([]int32, len(values))
	var levels []string
	for i, v := range values {
		if missing != nil && missing[i] {
			codes[i] = -1
			continue
		}
		code, ok := seen[v]
		if !ok {
			code = int32(len(levels))
			seen[v] = code
			levels = append(levels, v)
		}
		codes[i] = code
	}
	return sortedFactor(name, codes, levels, cmp.Compare[string])
}

// NewFactorOfCodes returns a factor whose levels have the given order: code i is
// levels[i], -1 is missing. It panics on any other code.
func NewFactorOfCodes(name string, codes []int32, levels []string) *Column {
	for _, c := range codes {
		if c < -1 || int(c) >= len(levels) {
			panic("stats: a code without a level")
		}
	}
	return &Column{name: name, kind: Factor, codes: slices.Clone(codes), levels: slices.Clone(levels)}
}

// sortedFactor takes over codes and levels and puts the levels in order.
func sortedFactor(name string, codes []int32, levels []string, compare func(a, b string) int) *Column {
	order := make([]int, len(levels))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compare(levels[a], levels[b]) })
	sorted := make([]string, len(levels))
	place := make([]int32, len(levels))
	for to, from := range order {
		sorted[to] = levels[from]
		place[from] = int32(to)
	}
	for i, c := range codes {
		if c >= 0 {
			codes[i] = place[c]
		}
	}
	return &Column{name: name, kind: Factor, codes: codes, levels: sorted}
}

// Name returns the name of the column.
func (c *Column) Name() string { return c.name }

// Kind returns what the column holds.
func (c *Column) Kind() Kind { return c.kind }

// Len returns the number of rows.
func (c *Column) Len() int {
	if c.kind == Factor {
		return len(c.codes)
	}
	return len(c.numbers)
}

// Missing says whether row i, counted from 0, has no value.
func (c *Column) Missing(i int) bool {
	if c.kind == Factor {
		return c.codes[i] < 0
	}
	return math.IsNaN(c.numbers[i])
}

// Float returns the number in row i, and false where it is missing or where the
// column is a factor.
func (c *Column) Float(i int) (float64, bool) {
	if c.kind == Factor || math.IsNaN(c.numbers[i]) {
		return 0, false
	}
	return c.numbers[i], true
}

// Floats returns a copy of the numbers of a numeric column, NaN where one is
// missing, and nil for a factor.
func (c *Column) Floats() []float64 { return slices.Clone(c.numbers) }

// Level returns the level in row i of a factor, or the number as text; false
// where it is missing.
func (c *Column) Level(i int) (string, bool) {
	if c.Missing(i) {
		return "", false
	}
	if c.kind == Factor {
		return c.levels[c.codes[i]], true
	}
	return numberText(c.numbers[i]), true
}

// Levels returns a copy of the levels of a factor in their order; nil for numbers.
func (c *Column) Levels() []string { return slices.Clone(c.levels) }

// Codes returns a copy of the codes of a factor, -1 where it is missing; nil for
// numbers.
func (c *Column) Codes() []int32 { return slices.Clone(c.codes) }

// Renamed returns the column under another name.
func (c *Column) Renamed(name string) *Column {
	r := *c
	r.name = name
	return &r
}

// AsFactor returns the column itself where it is a factor, and otherwise a factor
// whose levels are its distinct numbers in their numeric order, written with up
// to 15 significant digits.
func (c *Column) AsFactor() *Column {
	if c.kind == Factor {
		return c
	}
	if f := c.countedFactor(); f != nil {
		return f
	}
	distinct := make([]float64, 0, 64)
	place := map[float64]int32{}
	for _, v := range c.numbers {
		if math.IsNaN(v) {
			continue
		}
		if _, ok := place[v]; !ok {
			place[v] = 0
			distinct = append(distinct, v)
		}
	}
	slices.Sort(distinct)
	levels := make([]string, len(distinct))
	for i, v := range distinct {
		place[v] = int32(i)
		levels[i] = numberText(v)
	}
	codes := make([]int32, len(c.numbers))
	for i, v := range c.numbers {
		if math.IsNaN(v) {
			codes[i] = -1
		} else {
			codes[i] = place[v]
		}
	}
	return &Column{name: c.name, kind: Factor, codes: codes, levels: levels}
}

// countedFactor is AsFactor for whole numbers that lie close together, such as the
// numbers of persons; nil for others.
func (c *Column) countedFactor() *Column {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range c.numbers {
		if v != math.Trunc(v) && !math.IsNaN(v) {
			return nil
		}
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	if !(high-low < float64(4*len(c.numbers)+64)) || math.Abs(low) > 1e15 || math.Abs(high) > 1e15 {
		return nil
	}
	place := make([]int32, int(high-low)+1)
	for _, v := range c.numbers {
		if !math.IsNaN(v) {
			place[int(v-low)] = 1
		}
	}
	var levels []string
	for i, there := range place {
		if there > 0 {
			place[i] = int32(len(levels))
			levels = append(levels, numberText(low+float64(i)))
		}
	}
	codes := make([]int32, len(c.numbers))
	for i, v := range c.numbers {
		codes[i] = -1
		if !math.IsNaN(v) {
			codes[i] = place[int(v-low)]
		}
	}
	return &Column{name: c.name, kind: Factor, codes: codes, levels: levels}
}

// take returns the rows of the column in the given order.
func (c *Column) take(rows []int) *Column {
	r := &Column{name: c.name, kind: c.kind, levels: c.levels}
	if c.kind == Factor {
		r.codes = make([]int32, len(rows))
		for to, from := range rows {
			r.codes[to] = c.codes[from]
		}
		return r
	}
	r.numbers = make([]float64, len(rows))
	for to, from := range rows {
		r.numbers[to] = c.numbers[from]
	}
	return r
}

// numberText writes a number as R does in a level: at most 15 digits.
func numberText(v float64) string {
	if v == 0 {
		return "0"
	}
	if r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64); err == nil {
		v = r
	}
	if a := math.Abs(v); a >= 1e15 || a < 1e-4 {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// Frame is a table: columns of one length with different names. It does not
// change once it is made; its methods return new frames that share columns.
type Frame struct {
	columns []*Column
	index   map[string]int
	rows    int
}

// NewFrame returns a frame of the columns. Two columns of one name, a column
// without a name and columns of different lengths are errors.
func NewFrame(columns ...*Column) (*Frame, error) {
	f := &Frame{index: make(map[string]int, len(columns))}
	for i, c := range columns {
		if c.name == "" {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		if _, twice := f.index[c.name]; twice {
			return nil, fmt.Errorf("two columns are called %q", c.name)
		}
		if i == 0 {
			f.rows = c.Len()
		} else if c.Len() != f.rows {
			return nil, fmt.Errorf("column %q has %d rows, %q has %d", c.name, c.Len(), columns[0].name, f.rows)
		}
		f.index[c.name] = i
		f.columns = append(f.columns, c)
	}
	return f, nil
}

// Rows returns the number of rows.
func (f *Frame) Rows() int { return f.rows }

// Names returns the names of the columns in their order.
func (f *Frame) Names() []string {
	names := make([]string, len(f.columns))
	for i, c := range f.columns {
		names[i] = c.name
	}
	return names
}

// Column returns the column of that name. An unknown name is an error that lists
// the names there are.
func (f *Frame) Column(name string) (*Column, error) {
	if i, ok := f.index[name]; ok {
		return f.columns[i], nil
	}
	return nil, fmt.Errorf("there is no column %q; there are %s", name, quoteAll(f.Names(), 12))
}

// With returns the frame with the columns added, each in the place of one of the
// same name if there is one.
func (f *Frame) With(columns ...*Column) (*Frame, error) {
	all := slices.Clone(f.columns)
	for _, c := range columns {
		i := slices.IndexFunc(all, func(o *Column) bool { return o.name == c.name })
		if i >= 0 {
			all[i] = c
		} else {
			all = append(all, c)
		}
	}
	return NewFrame(all...)
}

// Take returns the rows, counted from 0, in the order given; a row may come more
// than once.
func (f *Frame) Take(rows []int) *Frame {
	r := &Frame{index: f.index, rows: len(rows), columns: make([]*Column, len(f.columns))}
	for i, c := range f.columns {
		r.columns[i] = c.take(rows)
	}
	return r
}

// Complete returns the rows, counted from 0, in which none of the named columns
// is missing; all columns where no name is given.
func (f *Frame) Complete(names ...string) ([]int, error) {
	if len(names) == 0 {
		names = f.Names()
	}
	columns := make([]*Column, len(names))
	for i, name := range names {
		c, err := f.Column(name)
		if err != nil {
			return nil, err
		}
		columns[i] = c
	}
	rows := []int{}
	for i := range f.rows {
		if !slices.ContainsFunc(columns, func(c *Column) bool { return c.Missing(i) }) {
			rows = append(rows, i)
		}
	}
	return rows, nil
}

// Order returns the rows, counted from 0, sorted by the named columns, the first
// first; missing values come last, equal rows keep their order.
func (f *Frame) Order(names ...string) ([]int, error) {
	columns := make([]*Column, len(names))
	for i, name := range names {
		c, err := f.Column(name)
		if err != nil {
			return nil, err
		}
		columns[i] = c
	}
	rows := make([]int, f.rows)
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(a, b int) int {
		for _, c := range columns {
			if d := c.compare(a, b); d != 0 {
				return d
			}
		}
		return 0
	})
	return rows, nil
}

// compare orders two rows of a column, missing last.
func (c *Column) compare(a, b int) int {
	switch ma, mb := c.Missing(a), c.Missing(b); {
	case ma && mb:
		return 0
	case ma:
		return 1
	case mb:
		return -1
	case c.kind == Factor:
		return cmp.Compare(c.codes[a], c.codes[b])
	}
	return cmp.Compare(c.numbers[a], c.numbers[b])
}

// quoteAll lists names for a sentence, at most a few of them.
func quoteAll(names []string, most int) string {
	text := ""
	for i, n := range names {
		if i == most {
			return text + fmt.Sprintf(" and %d more", len(names)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += strconv.Quote(n)
	}
	if text == "" {
		return "none"
	}
	return text
}
