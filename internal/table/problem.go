// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

// Codes of a [Problem]; they are keys of the translations. Args are named
// behind each.
const (
	CodeEmpty             = "table_empty"              // the file has no content
	CodeNotText           = "table_not_text"           // Args: kind (what it is instead: xlsx, zip, pdf, ...)
	CodeEncoding          = "table_encoding"           // Args: encoding
	CodeNul               = "table_nul"                // a NUL byte inside the text
	CodeTooLarge          = "table_too_large"          // Args: max (bytes)
	CodeTooManyColumns    = "table_too_many_columns"   // Args: max
	CodeFieldTooLong      = "table_field_too_long"     // Args: max (bytes)
	CodeHeaderEmpty       = "table_header_empty"       // Args: positions ("2, 5", from 1)
	CodeHeaderDuplicate   = "table_header_duplicate"   // Args: positions; Value: the name
	CodeRagged            = "table_ragged"             // Args: got, want (cells)
	CodeUnterminatedQuote = "table_unterminated_quote" // Line: where the quotation opens
	CodeQuote             = "table_quote"              // text behind a closing quotation mark
	CodeRead              = "table_read"               // the file could not be read on

	CodeNumber          = "number_invalid"   // not a number
	CodeNumberAmbiguous = "number_ambiguous" // Args: point, comma (the two readings)
	CodeNumberRange     = "number_range"     // too large for a number
	CodeDate            = "date_invalid"     // Args: format
	CodeDateAmbiguous   = "date_ambiguous"   // Args: dmy, mdy (the two readings)
	CodeDateMixed       = "date_mixed"       // Args: first, second (examples)
	CodeDateNone        = "date_none"        // no value is a date
	CodeDateFormat      = "date_format"      // Args: format (unknown)
)

const maxShown = 40 // characters of a value in a sentence

// Problem is one thing that is wrong with a file or a cell. Line counts the
// lines of the file from 1 (0: not known), Column is the column's name ("" when
// it concerns no single one), Value is the offending text, cut to a few words.
// Functions of this package return it as *Problem.
type Problem struct {
	Line   int
	Column string
	Code   string
	Value  string
	Args   map[string]string
	// Cause is the reading error behind CodeRead, else nil.
	Cause error
}

// Error says in English where, what, and what to do.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "Line %d", p.Line)
	}
	if p.Column != "" {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "column %q", p.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(p.sentence())
	return b.String()
}

// Unwrap gives the reading error behind [CodeRead].
func (p Problem) Unwrap() error { return p.Cause }

// LogValue leaves Value, and Args that may repeat it, out of logs: a cell may
// hold a person's words.
func (p Problem) LogValue() slog.Value {
	return slog.GroupValue(slog.String("code", p.Code), slog.Int("line", p.Line), slog.String("column", p.Column))
}

func (p Problem) sentence() string {
	a := p.Args
	switch p.Code {
	case CodeEmpty:
		return "the file is empty; export it again with its header row."
	case CodeNotText:
		return "this is " + kinds[a["kind"]] + ", not a text file; save or export it as CSV and choose that file."
	case CodeEncoding:
		return "the text is not valid " + a["encoding"] + "; export the file again as CSV in UTF-8."
	case CodeNul:
		return "the text contains a NUL byte, so the file is damaged or not text; export it again as CSV."
	case CodeTooLarge:
		return "the file is larger than " + a["max"] + " bytes; split it into several files."
	case CodeTooManyColumns:
		return "there are more than " + a["max"] + " columns; check the delimiter, or remove columns."
	case CodeFieldTooLong:
		return "a cell is longer than " + a["max"] + " bytes; check the quotation marks, or shorten the text."
	case CodeHeaderEmpty:
		return "the header has no name at position " + a["positions"] + "; name or remove these columns."
	case CodeHeaderDuplicate:
		return fmt.Sprintf("the header has the name %q at positions %s; give each column its own name.", p.Value, a["positions"])
	case CodeRagged:
		return "there are " + a["got"] + " cells where the header has " + a["want"] + "; check delimiters and quotation marks in this row."
	case CodeUnterminatedQuote:
		return "a quotation mark opens here and is never closed; close it, or double a mark that belongs to the text."
	case CodeQuote:
		return "text follows a closing quotation mark; double a mark that belongs to the text."
	case CodeRead:
		return "the file could not be read to its end; try again."
	}
	return p.cellSentence()
}

func (p Problem) cellSentence() string {
	a := p.Args
	switch p.Code {
	case CodeNumber:
		return fmt.Sprintf("%q is not a number in the chosen notation; correct it, or choose the decimal sign of this column.", p.Value)
	case CodeNumberAmbiguous:
		return fmt.Sprintf("%q can mean %s or %s; choose the decimal sign of this column.", p.Value, a["point"], a["comma"])
	case CodeNumberRange:
		return fmt.Sprintf("%q is too large for a number; correct it.", p.Value)
	case CodeDate:
		return fmt.Sprintf("%q is not an existing date or time in the format %s; correct it, or choose another format.", p.Value, a["format"])
	case CodeDateAmbiguous:
		return fmt.Sprintf("%q can mean %s or %s; choose the date format of this column in the mapping (dmy or mdy).", p.Value, a["dmy"], a["mdy"])
	case CodeDateMixed:
		return fmt.Sprintf("the dates are written in two ways, as in %q and %q; write them alike, best as 2025-12-31.", a["first"], a["second"])
	case CodeDateNone:
		return "no value is a date that can be read; choose another column, or write dates as 2025-12-31."
	case CodeDateFormat:
		return fmt.Sprintf("%q is no known date format; choose iso, dmy, mdy or auto.", a["format"])
	}
	return "the file cannot be used (" + p.Code + ")."
}

// RowError is a row that cannot be used while the following ones can: after it,
// [Reader.Next] may be called again. Line is where the row begins. It unwraps
// to its *Problem.
type RowError struct {
	Line    int
	Message string
	Problem *Problem
}

// Error is the sentence of the problem.
func (e *RowError) Error() string { return e.Message }

// Unwrap gives the *Problem with its code.
func (e *RowError) Unwrap() error { return e.Problem }

// LogValue leaves the row's content out of logs.
func (e *RowError) LogValue() slog.Value { return e.Problem.LogValue() }

// shown cuts a value for display and removes what could disturb a line of text.
func shown(s string) string {
	n := 0
	var b strings.Builder
	for _, c := range s {
		if n == maxShown {
			b.WriteString("…")
			break
		}
		if unicode.IsControl(c) {
			c = ' '
		}
		b.WriteRune(c)
		n++
	}
	return b.String()
}

// Codes lists every code a [Problem] can have, so that a translation can be
// checked for each.
func Codes() []string {
	return []string{
		CodeEmpty, CodeNotText, CodeEncoding, CodeNul, CodeTooLarge, CodeTooManyColumns, CodeFieldTooLong, CodeHeaderEmpty, CodeHeaderDuplicate,
		CodeRagged, CodeUnterminatedQuote, CodeQuote, CodeRead,
		CodeNumber, CodeNumberAmbiguous, CodeNumberRange, CodeDate, CodeDateAmbiguous, CodeDateMixed, CodeDateNone, CodeDateFormat,
	}
}
