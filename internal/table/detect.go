// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import "bytes"

// What a file can be instead of text: the beginnings of formats that people
// rename to .csv, with a key for the translations.
var signatures = []struct{ prefix, kind string }{
	{"\x1f\x8b", "gzip"}, {"BZh", "bzip2"}, {"\xfd7zXZ\x00", "xz"}, {"\x28\xb5\x2f\xfd", "zstd"},
	{"7z\xbc\xaf\x27\x1c", "7z"}, {"Rar!\x1a\x07", "rar"},
	{"%PDF-", "pdf"}, {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"}, {"{\\rtf", "rtf"},
	{"SQLite format 3\x00", "sqlite"}, {"PAR1", "parquet"}, {"$FL2", "spss"}, {"$FL3", "spss"},
	{"<stata_dta>", "stata"}, {"\x89PNG", "image"}, {"\xff\xd8\xff", "image"}, {"GIF8", "image"},
	{"\x7fELF", "binary"}, {"\xff\xfe\x00\x00", "utf32"}, {"\x00\x00\xfe\xff", "utf32"},
}

// kinds says each key in English, for [Problem.Error].
var kinds = map[string]string{
	"gzip": "a gzip archive", "bzip2": "a bzip2 archive", "xz": "an xz archive", "zstd": "a zstd archive",
	"7z": "a 7z archive", "rar": "a rar archive", "zip": "a zip archive", "pdf": "a PDF",
	"xlsx": "an Excel workbook", "xls": "an old Excel or Office file", "ods": "an OpenDocument spreadsheet",
	"rtf": "a rich text document", "sqlite": "an SQLite database", "parquet": "a Parquet file",
	"spss": "an SPSS file", "stata": "a Stata file", "image": "a picture", "utf32": "text in UTF-32",
	"html": "a web page", "xml": "an XML file", "json": "a JSON file", "binary": "a binary file",
}

// foreign names what the beginning of a file shows it to be, or "".
func foreign(head []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.prefix)) {
			return s.kind
		}
	}
	if bytes.HasPrefix(head, []byte("PK")) && len(head) > 3 && head[2] < 9 && head[3] < 9 {
		switch {
		case bytes.Contains(head, []byte("[Content_Types].xml")), bytes.Contains(head, []byte("xl/")):
			return "xlsx"
		case bytes.Contains(head, []byte("opendocument.spreadsheet")):
			return "ods"
		}
		return "zip"
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	lower := bytes.ToLower(text[:min(len(text), 64)])
	switch {
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.HasPrefix(lower, []byte("<html")), bytes.HasPrefix(lower, []byte("<table")):
		return "html"
	case bytes.HasPrefix(lower, []byte("<?xml")):
		return "xml"
	case bytes.HasPrefix(lower, []byte(`{"`)), bytes.HasPrefix(lower, []byte("[{")), bytes.HasPrefix(lower, []byte("{\n")):
		return "json"
	}
	return ""
}

// utf16Pattern recognises UTF-16 without a mark: in western text every other
// byte is NUL.
func utf16Pattern(head []byte) string {
	pairs := len(head) / 2
	if pairs < 2 {
		return ""
	}
	var even, odd int
	for i := 0; i < 2*pairs; i += 2 {
		if head[i] == 0 {
			even++
		}
		if head[i+1] == 0 {
			odd++
		}
	}
	switch {
	case odd*10 >= pairs*7 && even*20 <= pairs:
		return encUTF16LE
	case even*10 >= pairs*7 && odd*20 <= pairs:
		return encUTF16BE
	}
	return ""
}

// binary reports NUL bytes, or more control characters than text has.
func binary(head []byte) bool {
	controls := 0
	for _, c := range head {
		switch {
		case c == 0:
			return true
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
			controls++
		}
	}
	return controls*100 > len(head)
}

// The order breaks ties: a sign that rarely occurs inside text or numbers first.
var delimiters = []byte{'\t', ';', '|', ','}

const (
	sampleRows = 50
	fallback   = ','
)

// detectDelimiter tries each sign on the sample (the beginning of the text;
// whole says that it is all of it) and takes the one that cuts the rows most
// evenly like the header, then the one with the most columns.
func detectDelimiter(sample []byte, whole bool, maxField int) byte {
	type trial struct {
		class, columns, single int
		share                  float64
	}
	best, found := trial{}, byte(0)
	single, singleRows := byte(fallback), -1
	for _, c := range delimiters {
		counts := cut(sample, whole, c, maxField)
		if len(counts) == 0 {
			continue
		}
		t := trial{columns: counts[0]}
		even := 0
		for _, n := range counts {
			if n == counts[0] {
				even++
			}
			if n == 1 {
				t.single++
			}
		}
		t.share = float64(even) / float64(len(counts))
		if t.share >= 0.5 {
			t.class = 1
		}
		if t.share >= 0.9 {
			t.class = 2
		}
		// In a file of one column the sign that never occurs is the right one.
		if t.single > singleRows || t.single == singleRows && c == fallback {
			single, singleRows = c, t.single
		}
		better := t.class > best.class || t.class == best.class &&
			(t.columns > best.columns || t.columns == best.columns && t.share > best.share)
		if t.columns > 1 && (found == 0 || better) {
			best, found = t, c
		}
	}
	if found == 0 {
		return single
	}
	return found
}

// cut counts the cells of the first rows with content, were c the delimiter.
func cut(sample []byte, whole bool, c byte, maxField int) []int {
	s := scanner{in: bytes.NewReader(nil), buf: sample, end: len(sample), line: 1, maxColumns: len(sample) + 1, maxField: maxField}
	s.setDelimiter(c)
	var counts []int
	for len(counts) < sampleRows {
		_, blank, err := s.record()
		if err != nil && len(counts) == 0 && s.count() > 0 {
			// A header that breaks off still shows its delimiter, so that the
			// reader meets the same error and can name it.
			return []int{s.count() + 1}
		}
		if err != nil || (!whole && s.pos == s.end && len(counts) > 0) {
			break
		}
		if !blank {
			counts = append(counts, s.count())
		}
	}
	return counts
}
