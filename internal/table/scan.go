// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

const (
	emptyReads = 100 // reads without a byte or an error before a source is given up
	// A whole row may have as many bytes as this many cells of the greatest
	// length, so that many long cells cannot take the memory one cell may not.
	cellsPerRow = 8
)

// scanner cuts UTF-8 text into records. It keeps one chunk of text and one
// record, and accepts LF, CR LF and CR as line ends, mixed.
type scanner struct {
	in         io.Reader
	buf        []byte
	pos, end   int
	inErr      error
	delimiter  byte
	special    [256]bool // what ends a run of plain bytes
	maxColumns int
	maxField   int
	line       int  // of the next byte
	skipLF     bool // the last line ended in CR; an LF here belongs to it
	rec        []byte
	ends       []int // where each cell of rec ends
}

func (s *scanner) setDelimiter(c byte) {
	s.delimiter = c
	s.special = [256]bool{}
	s.special[c], s.special['\n'], s.special['\r'] = true, true, true
}

// prime reads the first chunk and settles the delimiter; 0 detects it.
func (s *scanner) prime(chosen rune) {
	s.buf = make([]byte, chunk)
	whole := false
	for s.end < len(s.buf) {
		n, err := s.in.Read(s.buf[s.end:])
		s.end += n
		if err != nil {
			s.inErr = err
			whole = true
			break
		}
	}
	sample := s.buf[:s.end]
	// Excel's own way of telling the delimiter.
	if len(sample) > 5 && bytes.EqualFold(sample[:4], []byte("sep=")) && isDelimiter(rune(sample[4])) &&
		(sample[5] == '\n' || sample[5] == '\r') {
		s.pos, s.line, s.skipLF = 6, 2, sample[5] == '\r'
		if chosen == 0 {
			chosen = rune(sample[4])
		}
	}
	if chosen == 0 {
		chosen = rune(detectDelimiter(sample[s.pos:], whole, s.maxField))
	}
	s.setDelimiter(byte(chosen))
}

// more makes a byte available at pos, or reports that there is none; the reason
// is then inErr.
func (s *scanner) more() bool {
	if s.pos < s.end {
		return true
	}
	for tries := 0; s.inErr == nil; tries++ {
		n, err := s.in.Read(s.buf)
		s.pos, s.end, s.inErr = 0, n, err
		if n > 0 {
			return true
		}
		if err == nil && tries == emptyReads {
			s.inErr = io.ErrNoProgress
		}
	}
	return false
}

// record reads the next record: the line it begins on and whether it has no
// content. At the end the error is io.EOF.
func (s *scanner) record() (line int, blank bool, err error) {
	s.rec, s.ends = s.rec[:0], s.ends[:0]
	if s.skipLF && s.more() {
		if s.buf[s.pos] == '\n' {
			s.pos++
		}
		s.skipLF = false
	}
	line = s.line
	if !s.more() {
		return line, false, s.inErr
	}
	for {
		last, err := s.cell()
		if err != nil {
			var p *Problem
			if !errors.As(err, &p) {
				return s.line, false, err
			}
			if p.Line == 0 {
				p.Line = s.line
			}
			return p.Line, false, p
		}
		s.ends = append(s.ends, len(s.rec))
		if len(s.ends) > s.maxColumns {
			return line, false, &Problem{Line: line, Code: CodeTooManyColumns, Args: map[string]string{"max": strconv.Itoa(s.maxColumns)}}
		}
		if last {
			return line, !s.hasContentFrom(0), nil
		}
	}
}

// cell appends one cell to rec and reports whether it was the last of its
// record. A quotation mark counts only at the beginning of a cell, spaces aside.
func (s *scanner) cell() (last bool, err error) {
	start := len(s.rec)
	for s.more() && s.buf[s.pos] == ' ' {
		s.rec = append(s.rec, ' ')
		s.pos++
		if err := s.fits(start, s.line); err != nil {
			return false, err
		}
	}
	if s.more() && s.buf[s.pos] == '"' {
		s.rec = s.rec[:start]
		s.pos++
		return s.quoted(start)
	}
	for s.more() {
		b := s.buf[s.pos:s.end]
		i := 0
		for i < len(b) && !s.special[b[i]] {
			i++
		}
		s.rec = append(s.rec, b[:i]...)
		s.pos += i
		if err := s.fits(start, s.line); err != nil {
			return false, err
		}
		if i < len(b) {
			return s.endOfCell(), nil
		}
	}
	return s.atEnd()
}

// endOfCell consumes the delimiter or line end at pos.
func (s *scanner) endOfCell() (last bool) {
	c := s.buf[s.pos]
	s.pos++
	if c == s.delimiter {
		return false
	}
	s.line++
	s.skipLF = c == '\r'
	return true
}

// atEnd ends the last cell where the text ends, unless it broke off.
func (s *scanner) atEnd() (last bool, err error) {
	if errors.Is(s.inErr, io.EOF) {
		return true, nil
	}
	return false, s.inErr
}

// quoted reads behind an opening quotation mark, through doubled marks and line
// ends, to the closing one and what ends the cell.
func (s *scanner) quoted(start int) (last bool, err error) {
	opened := s.line
	cr := false
	for s.more() {
		b := s.buf[s.pos:s.end]
		i := bytes.IndexByte(b, '"')
		closed := i >= 0
		if !closed {
			i = len(b)
		}
		cr = s.countLines(b[:i], cr)
		s.rec = append(s.rec, b[:i]...)
		s.pos += i
		if err := s.fits(start, opened); err != nil {
			return false, err
		}
		if !closed {
			continue
		}
		s.pos++
		if !s.more() || s.buf[s.pos] != '"' {
			return s.afterQuote(opened)
		}
		s.rec = append(s.rec, '"')
		s.pos++
		cr = false
	}
	if !errors.Is(s.inErr, io.EOF) {
		return false, s.inErr
	}
	return false, &Problem{Line: opened, Code: CodeUnterminatedQuote}
}

func (s *scanner) afterQuote(opened int) (last bool, err error) {
	for s.more() && s.buf[s.pos] == ' ' {
		s.pos++
	}
	if !s.more() {
		return s.atEnd()
	}
	if !s.special[s.buf[s.pos]] {
		// Named by where the quotation opens: often an earlier mark is the stray one.
		return false, &Problem{Line: opened, Code: CodeQuote, Args: map[string]string{"closed": strconv.Itoa(s.line)}}
	}
	return s.endOfCell(), nil
}

// countLines counts the line ends inside a quotation; cr tells that the text
// before b ended in CR, and the result the same of b.
func (s *scanner) countLines(b []byte, cr bool) bool {
	if len(b) == 0 {
		return cr
	}
	s.line += bytes.Count(b, []byte{'\n'})
	if cr && b[0] == '\n' {
		s.line--
	}
	if bytes.IndexByte(b, '\r') >= 0 {
		s.line += bytes.Count(b, []byte{'\r'}) - bytes.Count(b, []byte("\r\n"))
	}
	return b[len(b)-1] == '\r'
}

func (s *scanner) fits(start, line int) error {
	if len(s.rec)-start > s.maxField || len(s.rec)/cellsPerRow > s.maxField {
		return &Problem{Line: line, Code: CodeFieldTooLong, Args: map[string]string{"max": strconv.Itoa(s.maxField)}}
	}
	return nil
}

func (s *scanner) count() int { return len(s.ends) }

// hasContentFrom reports whether the cells from number i on hold more than
// spaces.
func (s *scanner) hasContentFrom(i int) bool {
	from := 0
	if i > 0 {
		from = s.ends[i-1]
	}
	for _, c := range s.rec[from:] {
		if c > ' ' {
			return true
		}
	}
	return false
}

// cells appends the cells of the record to dst; they share one string.
func (s *scanner) cells(dst []string) []string {
	all := string(s.rec)
	from := 0
	for _, to := range s.ends {
		dst = append(dst, all[from:to])
		from = to
	}
	return dst
}
