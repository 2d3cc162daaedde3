// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CSVOptions says how a file of separated values is written; the zero value
// finds out.
type CSVOptions struct {
	Delimiter rune     // 0: found among , ; tab and |
	Decimal   rune     // '.' or ','; 0: found
	NA        []string // cells that mean a missing value; nil: "", NA, N/A, n/a, NaN, null, NULL, #N/A and "."
	Factors   []string // columns that are factors whatever they hold, such as codes of persons
	Numbers   []string // columns that must hold numbers: another cell is an error
}

// DefaultNA lists the cells that mean a missing value where nothing else is said.
func DefaultNA() []string {
	return []string{"", "NA", "N/A", "n/a", "NaN", "null", "NULL", "#N/A", "."}
}

// BadCell is an error in one cell of a file.
type BadCell struct {
	Line   int    // of the file, from 1; the header is a line too
	Column string // its name, or "column 3" in a header that cannot be read
	Text   string // what stands there, shortened
	Reason string
}

// Error says it in one sentence.
func (b *BadCell) Error() string {
	return fmt.Sprintf("line %d, column %q: %q %s", b.Line, b.Column, b.Text, b.Reason)
}

// Reading finds out the delimiter, the decimal mark and the kinds of the columns
// from the beginning of the file.
const (
	sampleBytes = 1 << 16
	sampleCells = 1000
	numericOf10 = 9 // of ten cells that make a column numeric, the others being mistakes
)

// ReadCSV reads a table with a header from a stream of UTF-8, with or without a
// byte order mark, in one pass and without keeping its text.
//
// A column is numeric when nearly all of its first 1000 values are numbers; a
// value that is none is then an error of the type [*BadCell], as is a cell with
// bytes that are not UTF-8. Any other column is a factor with its levels in the
// order of their bytes. Where , is the decimal mark it stands in numbers only,
// never as the delimiter as well. A row with too many or too few cells is an
// error that names its line. A header cell without a name becomes X.
func ReadCSV(r io.Reader, o CSVOptions) (*Frame, error) {
	in := bufio.NewReaderSize(r, sampleBytes)
	sample, err := in.Peek(sampleBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the table: %w", err)
	}
	if bytes.HasPrefix(sample, []byte{0xFF, 0xFE}) || bytes.HasPrefix(sample, []byte{0xFE, 0xFF}) {
		return nil, errors.New("line 1: the file is UTF-16; save it as UTF-8")
	}
	if bytes.HasPrefix(sample, []byte("\xEF\xBB\xBF")) {
		sample = sample[3:]
		_, _ = in.Discard(3)
	}
	if len(bytes.TrimSpace(sample)) == 0 {
		return nil, errors.New("line 1: the file is empty")
	}
	t := &tableReader{o: o, na: map[string]bool{}}
	if o.NA == nil {
		o.NA = DefaultNA()
	}
	for _, s := range o.NA {
		t.na[s] = true
	}
	if t.o.Delimiter == 0 {
		t.o.Delimiter = findDelimiter(sample)
	}
	if t.o.Decimal == 0 {
		t.o.Decimal = t.findDecimal(sample)
	}
	if t.o.Decimal != '.' && t.o.Decimal != ',' || t.o.Decimal == t.o.Delimiter {
		return nil, fmt.Errorf("the decimal mark %q does not go with the delimiter %q", t.o.Decimal, t.o.Delimiter)
	}
	return t.read(in)
}

// findDelimiter takes the candidate that cuts the first lines into the most
// cells of the same number. Where the header has one cell only, a comma further
// down can only be a decimal one.
func findDelimiter(sample []byte) rune {
	best, bestScore := ',', 0.0
	for _, d := range []rune{',', ';', '\t', '|'} {
		rows := sampleRows(sample, d)
		if len(rows) == 0 || len(rows[0]) < 2 {
			continue
		}
		same := 0
		for _, row := range rows {
			if len(row) == len(rows[0]) {
				same++
			}
		}
		score := float64(same) / float64(len(rows))
		if score > bestScore+1e-9 || score > bestScore-1e-9 && len(rows[0]) > len(sampleRows(sample, best)[0]) {
			best, bestScore = d, score
		}
	}
	if bestScore == 0 {
		return ';'
	}
	return best
}

// sampleRows reads what it can of the first rows, without the last one, which
// may be cut off.
func sampleRows(sample []byte, delimiter rune) [][]string {
	r := csv.NewReader(bytes.NewReader(sample))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = delimiter, -1, true
	var rows [][]string
	for len(rows) < 200 {
		row, err := r.Read()
		if err != nil {
			break
		}
		rows = append(rows, row)
	}
	if len(sample) >= sampleBytes-3 && len(rows) > 1 && len(rows) < 200 {
		rows = rows[:len(rows)-1]
	}
	return rows
}

// findDecimal looks whether cells are numbers with a comma only.
func (t *tableReader) findDecimal(sample []byte) rune {
	if t.o.Delimiter == ',' {
		return '.'
	}
	points, commas := 0, 0
	for _, row := range sampleRows(sample, t.o.Delimiter) {
		for _, cell := range row {
			if _, ok := number(strings.TrimSpace(cell), '.'); ok && strings.ContainsRune(cell, '.') {
				points++
			} else if _, ok := number(strings.TrimSpace(cell), ','); ok && strings.ContainsRune(cell, ',') {
				commas++
			}
		}
	}
	if commas > points {
		return ','
	}
	return '.'
}

// number reads a finite decimal number; words such as Inf, hexadecimal numbers
// and digits grouped by _ are none.
func number(s string, decimal rune) (float64, bool) {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && c != '+' && c != '-' && c != 'e' && c != 'E' && c != byte(decimal) {
			return 0, false
		}
	}
	if decimal == ',' {
		s = strings.Replace(s, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && !math.IsInf(v, 0)
}

// tableReader collects the columns while it reads.
type tableReader struct {
	o       CSVOptions
	na      map[string]bool
	columns []*growing
}

// growing is a column being read. Until its kind is known it keeps its cells.
type growing struct {
	name    string
	decided bool
	kind    Kind
	waiting []string // cells, missing ones as they stand
	lines   []int
	numbers []float64
	codes   []int32
	levels  []string
	place   map[string]int32
}

func (t *tableReader) read(in io.Reader) (*Frame, error) {
	r := csv.NewReader(in)
	r.Comma, r.ReuseRecord, r.LazyQuotes = t.o.Delimiter, true, false
	header, err := r.Read()
	if err != nil {
		return nil, csvError(err)
	}
	if err := t.header(header); err != nil {
		return nil, err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, csvError(err)
		}
		for i, cell := range row {
			line, _ := r.FieldPos(i)
			if err := t.cell(t.columns[i], cell, line); err != nil {
				return nil, err
			}
		}
	}
	columns := make([]*Column, len(t.columns))
	for i, g := range t.columns {
		if columns[i], err = t.finish(g); err != nil {
			return nil, err
		}
	}
	return NewFrame(columns...)
}

// csvError says in one sentence what encoding/csv found.
func csvError(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf("reading the table: %w", err)
	}
	switch {
	case errors.Is(p.Err, csv.ErrFieldCount):
		return fmt.Errorf("line %d: the row has another number of cells than the header", p.Line)
	case errors.Is(p.Err, csv.ErrQuote), errors.Is(p.Err, csv.ErrBareQuote):
		return fmt.Errorf("line %d, character %d: a quotation mark stands where none is expected", p.Line, p.Column)
	}
	return fmt.Errorf("line %d: %w", p.Line, p.Err)
}

func (t *tableReader) header(cells []string) error {
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return &BadCell{1, fmt.Sprintf("column %d", i+1), strings.ToValidUTF8(shorten(cell), "\uFFFD"), "is not UTF-8"}
		}
		name := strings.TrimSpace(cell)
		for k := 0; name == ""; k++ {
			candidate := "X"
			if k > 0 {
				candidate += "." + strconv.Itoa(k)
			}
			if !slices.Contains(cells, candidate) && !slices.ContainsFunc(t.columns, func(g *growing) bool { return g.name == candidate }) {
				name = candidate
			}
		}
		if slices.ContainsFunc(t.columns, func(g *growing) bool { return g.name == name }) {
			return fmt.Errorf("line 1: two columns are called %q", name)
		}
		g := &growing{name: name, place: map[string]int32{}}
		if slices.Contains(t.o.Factors, name) {
			g.decided, g.kind = true, Factor
		} else if slices.Contains(t.o.Numbers, name) {
			g.decided = true
		}
		t.columns = append(t.columns, g)
	}
	for _, name := range slices.Concat(t.o.Factors, t.o.Numbers) {
		if !slices.ContainsFunc(t.columns, func(g *growing) bool { return g.name == name }) {
			return fmt.Errorf("line 1: there is no column %q", name)
		}
	}
	return nil
}

func (t *tableReader) cell(g *growing, cell string, line int) error {
	cell = strings.TrimSpace(cell)
	if !utf8.ValidString(cell) {
		return &BadCell{line, g.name, strings.ToValidUTF8(shorten(cell), "\uFFFD"), "is not UTF-8; save the file as UTF-8"}
	}
	if g.decided {
		return t.add(g, cell, line)
	}
	g.waiting, g.lines = append(g.waiting, strings.Clone(cell)), append(g.lines, line)
	if len(g.waiting) == sampleCells {
		return t.decide(g)
	}
	return nil
}

// decide settles the kind of a column by the cells seen so far.
func (t *tableReader) decide(g *growing) error {
	values, numbers := 0, 0
	for _, cell := range g.waiting {
		if t.na[cell] {
			continue
		}
		values++
		if _, ok := number(cell, t.o.Decimal); ok {
			numbers++
		}
	}
	g.decided = true
	// A short column with a word in it is one of words.
	if numbers < values && (values < 10 || numbers*10 < values*numericOf10) {
		g.kind = Factor
	}
	waiting, lines := g.waiting, g.lines
	g.waiting, g.lines = nil, nil
	for i, cell := range waiting {
		if err := t.add(g, cell, lines[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tableReader) add(g *growing, cell string, line int) error {
	missing := t.na[cell]
	if g.kind == Numeric {
		v, ok := math.NaN(), true
		if !missing {
			v, ok = number(cell, t.o.Decimal)
		}
		if !ok {
			return &BadCell{line, g.name, shorten(cell), "is not a number, as nearly all others of the column are; correct it, mark it as missing, or read the column as a factor"}
		}
		g.numbers = append(g.numbers, v)
		return nil
	}
	code := int32(-1)
	if !missing {
		known, ok := g.place[cell]
		if !ok {
			own := strings.Clone(cell)
			known = int32(len(g.levels))
			g.place[own] = known
			g.levels = append(g.levels, own)
		}
		code = known
	}
	g.codes = append(g.codes, code)
	return nil
}

func (t *tableReader) finish(g *growing) (*Column, error) {
	if !g.decided {
		if err := t.decide(g); err != nil {
			return nil, err
		}
	}
	if g.kind == Factor {
		return sortedFactor(g.name, g.codes, g.levels, strings.Compare), nil
	}
	return &Column{name: g.name, kind: Numeric, numbers: g.numbers}, nil
}
