// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/gonum/mat"

	"github.com/entente-project/entente/stats"
)

// Source says what to read and how it is written.
type Source struct {
	Data      string   `arg:"" help:"Table to read: CSV with a header, a .parquet file, or - for CSV from standard input."`
	Delimiter string   `help:"Delimiter of the CSV, one character or tab; found where it is not given." placeholder:"CHAR" group:"Input"`
	Decimal   string   `help:"Decimal mark of the CSV, . or ,; found where it is not given." placeholder:"CHAR" group:"Input"`
	NA        []string `name:"na" help:"Cells that mean a missing value, instead of the usual ones (empty, NA, NaN, null, a point)." placeholder:"TEXT" group:"Input"`
	Factor    []string `help:"Columns that are names of groups although they look like numbers." placeholder:"COLUMN" group:"Input"`
	Keep      []string `sep:"none" help:"Keep only the rows in which the column has one of the values; may be given several times." placeholder:"COLUMN=VALUE,..." group:"Input"`
}

// Table is the table that was read, and what became of its rows.
type Table struct {
	*stats.Frame
	file    string
	read    int   // rows of the file
	row     []int // row of the file, from 1, of each row that --keep left
	dropped []int // rows of the frame, from 0, that the analysis left out
}

func (s Source) options() (stats.CSVOptions, error) {
	o := stats.CSVOptions{NA: s.NA, Factors: s.Factor}
	one := func(flag, text string) (rune, error) {
		if text == "" {
			return 0, nil
		}
		if text == "tab" || text == `\t` {
			return '\t', nil
		}
		r, n := utf8.DecodeRuneInString(text)
		if n != len(text) {
			return 0, wrongUse("--%s %q: give one character", flag, text)
		}
		return r, nil
	}
	var err error
	if o.Delimiter, err = one("delimiter", s.Delimiter); err != nil {
		return o, err
	}
	if o.Decimal, err = one("decimal", s.Decimal); err != nil {
		return o, err
	}
	if o.Decimal != 0 && o.Decimal != '.' && o.Decimal != ',' {
		return o, wrongUse("--decimal %q: give . or ,", s.Decimal)
	}
	return o, nil
}

// open reads the table.
func (s Source) open(in io.Reader) (*Table, error) {
	o, err := s.options()
	if err != nil {
		return nil, err
	}
	f, err := s.frame(in, o)
	if err != nil {
		return nil, s.told(err)
	}
	t := &Table{Frame: f, file: s.Data, read: f.Rows()}
	t.row = make([]int, f.Rows())
	for i := range t.row {
		t.row[i] = i + 1
	}
	for _, k := range s.Keep {
		if err := t.keep(k); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (s Source) frame(in io.Reader, o stats.CSVOptions) (*stats.Frame, error) {
	if s.Data == "-" {
		return stats.ReadCSV(in, o)
	}
	if strings.EqualFold(filepath.Ext(s.Data), ".parquet") {
		return readParquet(s.Data, o)
	}
	f, err := os.Open(s.Data)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	return stats.ReadCSV(f, o)
}

// told names the file in front of an error about it.
func (s Source) told(err error) error {
	name := s.Data
	if name == "-" {
		name = "standard input"
	}
	var p *os.PathError
	if errors.As(err, &p) {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("there is no file %s; check its name and folder", name)
		}
		return fmt.Errorf("%s cannot be read: %w", name, p.Err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (t *Table) keep(rule string) error {
	name, list, ok := strings.Cut(rule, "=")
	if !ok {
		return wrongUse("--keep %s: write COLUMN=VALUE, several values with commas", rule)
	}
	c, err := t.column("keep", strings.TrimSpace(name))
	if err != nil {
		return err
	}
	c = c.AsFactor()
	wanted := strings.Split(list, ",")
	for i := range wanted {
		wanted[i] = strings.TrimSpace(wanted[i])
		if !slices.Contains(c.Levels(), wanted[i]) {
			return wrongUse("--keep %s: no row has the value %q in %s", rule, wanted[i], c.Name())
		}
	}
	var rows, numbers []int
	for i := range t.Rows() {
		if v, ok := c.Level(i); ok && slices.Contains(wanted, v) {
			rows, numbers = append(rows, i), append(numbers, t.row[i])
		}
	}
	t.Frame, t.row = t.Take(rows), numbers
	return nil
}

// use leaves only the given rows of the frame, and notes the others as dropped.
func (t *Table) use(rows []int) *Table {
	u := &Table{Frame: t.Take(rows), file: t.file, read: t.read, dropped: t.dropped}
	used := make([]bool, t.Rows())
	for _, i := range rows {
		used[i] = true
		u.row = append(u.row, t.row[i])
	}
	for i := range used {
		if !used[i] {
			u.dropped = append(u.dropped, t.row[i])
		}
	}
	return u
}

// complete leaves the rows in which all the columns have a value.
func (t *Table) complete(names ...string) (*Table, error) {
	rows, err := t.Complete(names...)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no row has a value in each of %s; check the columns, or the marks of missing values (--na)", strings.Join(names, ", "))
	}
	return t.use(rows), nil
}

// drop notes rows of the frame that a model has left out by itself.
func (t *Table) drop(rows []int) {
	for _, i := range rows {
		t.dropped = append(t.dropped, t.row[i])
	}
}

func (t *Table) used() int { return len(t.row) - t.late() }

// late counts dropped rows that are still in the frame.
func (t *Table) late() int {
	in := map[int]bool{}
	for _, r := range t.row {
		in[r] = true
	}
	n := 0
	for _, r := range t.dropped {
		if in[r] {
			n++
		}
	}
	return n
}

func (t *Table) object() Object {
	slices.Sort(t.dropped)
	return Object{
		{"file", t.file},
		{"rows", t.read},
		{"rows_used", t.used()},
		{"rows_dropped", len(t.dropped)},
		{"dropped", slices.Clone(t.dropped)},
	}
}

func (t *Table) sentence() string {
	n := len(t.dropped)
	if n == 0 {
		return ""
	}
	slices.Sort(t.dropped)
	list := make([]string, 0, 8)
	for _, r := range t.dropped[:min(8, n)] {
		list = append(list, whole(r))
	}
	text := "row " + list[0] + " was"
	if n > 1 {
		text = "rows " + strings.Join(list, ", ") + " were"
		if n > 8 {
			text = fmt.Sprintf("%d rows (%s, ...) were", n, strings.Join(list, ", "))
		}
	}
	return wrap(fmt.Sprintf("Of %d rows %d are used; %s left out for missing values (the first row under the header is 1).", t.read, t.used(), text), 88)
}

// column finds a column that a flag names.
func (t *Table) column(flag, name string) (*stats.Column, error) {
	c, err := t.Column(name)
	if err != nil {
		return nil, wrongUse("--%s %s: there is no such column; there are %s", flag, name, strings.Join(t.Names(), ", "))
	}
	return c, nil
}

// numbers returns a numeric column, NaN where it is missing.
func (t *Table) numbers(flag, name string) ([]float64, error) {
	c, err := t.column(flag, name)
	if err != nil {
		return nil, err
	}
	if c.Kind() != stats.Numeric {
		for i := range c.Len() {
			if v, ok := c.Level(i); ok {
				return nil, fmt.Errorf("row %d, column %s: %q is no number; mend it, or give another column as --%s", t.row[i], name, v, flag)
			}
		}
		return nil, fmt.Errorf("column %s holds nothing but missing values; give another as --%s", name, flag)
	}
	v := c.Floats()
	for i, x := range v {
		if a := math.Abs(x); a > largest || a > 0 && a < 1/largest {
			return nil, fmt.Errorf("row %d, column %s: %g is too large or too small to compute with; give the column in another unit", t.row[i], name, x)
		}
	}
	return v, nil
}

// largest keeps squares, and sums of many, within what a number can hold; so does
// its inverse at the other end.
const largest = 1e140

// labels returns a column as text, "" where it is missing.
func (t *Table) labels(flag, name string) ([]string, error) {
	c, err := t.column(flag, name)
	if err != nil {
		return nil, err
	}
	c = c.AsFactor()
	out := make([]string, c.Len())
	for i := range out {
		out[i], _ = c.Level(i)
	}
	return out, nil
}

// items returns named columns, or all numeric ones, as a matrix of persons by
// items with NaN for a missing answer.
func (t *Table) items(flag string, names []string) ([]string, *mat.Dense, error) {
	if len(names) == 0 {
		for _, n := range t.Names() {
			if c, err := t.Column(n); err == nil && c.Kind() == stats.Numeric {
				names = append(names, n)
			}
		}
		if len(names) == 0 {
			return nil, nil, fmt.Errorf("%s has no column of numbers", t.file)
		}
	}
	if t.Rows() == 0 {
		return nil, nil, fmt.Errorf("%s has no rows", t.file)
	}
	x := mat.NewDense(t.Rows(), len(names), nil)
	for j, n := range names {
		v, err := t.numbers(flag, n)
		if err != nil {
			return nil, nil, err
		}
		x.SetCol(j, v)
	}
	return names, x, nil
}

// wholeRows drops the rows of x with a missing answer.
func (t *Table) wholeRows(x *mat.Dense) (*Table, *mat.Dense, error) {
	var rows []int
	n, k := x.Dims()
	for i := range n {
		if !slices.ContainsFunc(x.RawRowView(i), math.IsNaN) {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return nil, nil, errors.New("no row has an answer to each item; name fewer items")
	}
	out := mat.NewDense(len(rows), k, nil)
	for i, r := range rows {
		out.SetRow(i, x.RawRowView(r))
	}
	return t.use(rows), out, nil
}
