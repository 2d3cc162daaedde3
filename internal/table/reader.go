// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What holds where an [Options] field is zero.
const (
	DefaultMaxBytes      = 512 << 20
	DefaultMaxColumns    = 4096
	DefaultMaxFieldBytes = 1 << 20
)

// Options bounds what is read. The zero value takes the defaults.
type Options struct {
	// MaxBytes bounds the file as stored, MaxFieldBytes one cell in UTF-8.
	MaxBytes      int64
	MaxColumns    int
	MaxFieldBytes int
	// Delimiter overrides the detection: ',', ';', '\t', '|' or another ASCII
	// sign; 0 detects.
	Delimiter rune
}

// Row is one row of the file. Line is the line on which it begins, from 1.
// Cells has as many cells as [Reader.Columns], untrimmed; the slice is reused by
// the next [Reader.Next], its strings are not.
type Row struct {
	Line  int
	Cells []string
}

// Reader reads one table. It is for one goroutine, except [Reader.BytesRead].
type Reader struct {
	name    string
	opt     Options
	source  *source
	text    *decoder
	scan    scanner
	columns []string
	row     Row
	err     error
	done    bool
}

// Open reads the beginning of r, refuses what is not delimited text whatever
// its name, and finds encoding, delimiter and header. A refusal is a [*Problem].
// The name is only shown to people. Open does not close r.
func Open(name string, r io.Reader, opt Options) (*Reader, error) {
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	if opt.MaxColumns <= 0 {
		opt.MaxColumns = DefaultMaxColumns
	}
	if opt.MaxFieldBytes <= 0 {
		opt.MaxFieldBytes = DefaultMaxFieldBytes
	}
	if opt.Delimiter != 0 && !isDelimiter(opt.Delimiter) {
		return nil, errors.New("table: Options.Delimiter is not an ASCII sign that can part cells")
	}
	src := &source{r: r, max: opt.MaxBytes}
	text, err := newDecoder(src)
	if err != nil {
		return nil, asProblem(err, 0)
	}
	t := &Reader{name: name, opt: opt, source: src, text: text}
	t.scan = scanner{in: text, maxColumns: opt.MaxColumns, maxField: opt.MaxFieldBytes, line: 1}
	t.scan.prime(opt.Delimiter)
	if err := t.header(); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Reader) header() error {
	for {
		line, blank, err := t.scan.record()
		if errors.Is(err, io.EOF) {
			return &Problem{Code: CodeEmpty}
		}
		if err != nil {
			return asProblem(err, line)
		}
		if !blank {
			return t.takeHeader(line)
		}
		// A line of delimiters alone above the header is a header without names.
		if t.scan.count() > 1 {
			return t.takeHeader(line)
		}
	}
}

func (t *Reader) takeHeader(line int) error {
	cells := t.scan.cells(nil)
	first := make(map[string]int, len(cells))
	var empty []string
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
		if cells[i] == "" {
			empty = append(empty, strconv.Itoa(i+1))
		}
	}
	if empty != nil {
		return &Problem{Line: line, Code: CodeHeaderEmpty, Args: map[string]string{"positions": strings.Join(empty, ", ")}}
	}
	for i, c := range cells {
		at, seen := first[c]
		if !seen {
			first[c] = i
			continue
		}
		positions := []string{strconv.Itoa(at + 1)}
		for j := i; j < len(cells); j++ {
			if cells[j] == c {
				positions = append(positions, strconv.Itoa(j+1))
			}
		}
		return &Problem{Line: line, Column: shown(c), Code: CodeHeaderDuplicate, Value: shown(c),
			Args: map[string]string{"positions": strings.Join(positions, ", ")}}
	}
	t.columns = cells
	return nil
}

// Name is the name given to [Open].
func (t *Reader) Name() string { return t.name }

// Columns are the names of the header, trimmed, all different and none empty.
func (t *Reader) Columns() []string { return append([]string(nil), t.columns...) }

// Encoding is "UTF-8", "UTF-16LE", "UTF-16BE" or "Windows-1252". A file that
// was plain ASCII so far counts as UTF-8 until its first other byte decides.
func (t *Reader) Encoding() string { return t.text.encoding() }

// Delimiter is the sign between cells.
func (t *Reader) Delimiter() rune { return rune(t.scan.delimiter) }

// BytesRead is how many bytes of the file, as stored, were read so far. It may
// be called from another goroutine, for progress.
func (t *Reader) BytesRead() int64 { return t.source.read.Load() }

// Next moves to the next row that has content and reports whether there is one.
// Rows without any content are passed over, wherever they are. It stops with
// false at the end, where [Reader.Err] is nil, and at an error. After a
// [*RowError] it may be called again and continues behind that row; every other
// error is final.
func (t *Reader) Next() bool {
	if t.done {
		return false
	}
	t.err = nil
	for {
		line, blank, err := t.scan.record()
		if err != nil {
			t.stop(err, line)
			return false
		}
		if blank {
			continue
		}
		// Spreadsheets write delimiters for columns that were emptied; only
		// surplus cells without content are let pass.
		want, got := len(t.columns), t.scan.count()
		if got < want || t.scan.hasContentFrom(want) {
			t.stop(&RowError{Line: line, Problem: &Problem{Line: line, Code: CodeRagged,
				Args: map[string]string{"got": strconv.Itoa(got), "want": strconv.Itoa(want)}}}, line)
			return false
		}
		t.row.Line = line
		t.row.Cells = t.scan.cells(t.row.Cells[:0])[:want]
		return true
	}
}

func (t *Reader) stop(err error, line int) {
	t.row = Row{}
	var row *RowError
	switch {
	case errors.Is(err, io.EOF):
		t.done = true
	case errors.As(err, &row):
		row.Message = row.Problem.Error()
		t.err = row
	default:
		t.done = true
		t.err = asProblem(err, line)
	}
}

// Row is the row that [Reader.Next] moved to; without one it is the zero Row.
func (t *Reader) Row() Row { return t.row }

// Err is why [Reader.Next] returned false: nil at the end of the file, a
// [*RowError] for one row, or a final [*Problem].
func (t *Reader) Err() error { return t.err }

func asProblem(err error, line int) error {
	var p *Problem
	if errors.As(err, &p) {
		if p.Line == 0 && line > 0 && p.Code != CodeNotText && p.Code != CodeEmpty && p.Code != CodeTooLarge {
			p.Line = line
		}
		return p
	}
	return &Problem{Line: line, Code: CodeRead, Cause: err}
}

func isDelimiter(c rune) bool {
	return c > 0 && c < utf8.RuneSelf && c != '"' && c != '\n' && c != '\r' && c != ' '
}
