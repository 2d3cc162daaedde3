// SPDX-License-Identifier: AGPL-3.0-or-later

package table

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// readAll opens the text and collects rows as "line: a|b".
func readAll(t testing.TB, r io.Reader, opt Options) (*Reader, []string, error) {
	t.Helper()
	tab, err := Open("answers.csv", r, opt)
	if err != nil {
		return nil, nil, err
	}
	var rows []string
	for tab.Next() {
		rows = append(rows, fmt.Sprintf("%d: %s", tab.Row().Line, strings.Join(tab.Row().Cells, "|")))
	}
	return tab, rows, tab.Err()
}

func utf16Bytes(s string, little bool) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if little {
			b = append(b, byte(u), byte(u>>8))
		} else {
			b = append(b, byte(u>>8), byte(u))
		}
	}
	return b
}

func TestGoodFiles(t *testing.T) {
	t.Parallel()
	const italian = "nome;città\nNicolò;Forlì\nZoë;Roma\n"
	italianRows := []string{"2: Nicolò|Forlì", "3: Zoë|Roma"}
	for _, c := range []struct {
		name, text, encoding string
		delimiter            rune
		columns              string
		rows                 []string
	}{
		{"plain", "a,b\n1,2\n3,4\n", encUTF8, ',', "a|b", []string{"2: 1|2", "3: 3|4"}},
		{"no last line end", "a,b\n1,2", encUTF8, ',', "a|b", []string{"2: 1|2"}},
		{"empty last cell at the end", "a,b\n1,", encUTF8, ',', "a|b", []string{"2: 1|"}},
		{"UTF-8", italian, encUTF8, ';', "nome|città", italianRows},
		{"UTF-8 with mark", "\ufeff" + italian, encUTF8, ';', "nome|città", italianRows},
		{"UTF-16LE with mark", "\xff\xfe" + string(utf16Bytes(italian, true)), encUTF16LE, ';', "nome|città", italianRows},
		{"UTF-16BE with mark", "\xfe\xff" + string(utf16Bytes(italian, false)), encUTF16BE, ';', "nome|città", italianRows},
		{"UTF-16LE without mark", string(utf16Bytes(italian, true)), encUTF16LE, ';', "nome|città", italianRows},
		{"UTF-16BE without mark", string(utf16Bytes(italian, false)), encUTF16BE, ';', "nome|città", italianRows},
		{"Latin-1", "nome;citt\xe0\nNicol\xf2;Forl\xec\nZo\xeb;Roma\n", enc1252, ';', "nome|città", italianRows},
		{"Windows-1252", "nome,costo\n\x93Ada\x94,5 \x80\n", enc1252, ',', "nome|costo", []string{"2: “Ada”|5 €"}},
		{"decimal commas", "id;score\n1;3,5\n2;4,25\n", encUTF8, ';', "id|score", []string{"2: 1|3,5", "3: 2|4,25"}},
		{"tab", "a\tb\n1,5\t2;3\n", encUTF8, '\t', "a|b", []string{"2: 1,5|2;3"}},
		{"bar", "a|b\n1,5|2\n", encUTF8, '|', "a|b", []string{"2: 1,5|2"}},
		{"one column", "score\n3,5\n4,5\n", encUTF8, 0, "score", []string{"2: 3,5", "3: 4,5"}},
		{"commas in the header", "Name, first;Score\nAda;1\nBob;2\nEva, M;3\n", encUTF8, ';', "Name, first|Score", []string{"2: Ada|1", "3: Bob|2", "4: Eva, M|3"}},
		{"delimiters in quotes", "a,b\n\"x;y;z\",1\n\"u;v;w\",2\n", encUTF8, ',', "a|b", []string{"2: x;y;z|1", "3: u;v;w|2"}},
		{"sep line", "sep=;\r\na;b\r\n1,2;3\r\n", encUTF8, ';', "a|b", []string{"3: 1,2|3"}},
		{"CR only", "a,b\r1,2\r3,4\r", encUTF8, ',', "a|b", []string{"2: 1|2", "3: 3|4"}},
		{"CR LF", "a,b\r\n1,2\r\n3,4\r\n", encUTF8, ',', "a|b", []string{"2: 1|2", "3: 3|4"}},
		{"mixed line ends", "a,b\r\n1,2\r3,4\n5,6", encUTF8, ',', "a|b", []string{"2: 1|2", "3: 3|4", "4: 5|6"}},
		{"quotes", "a,b\n\"x \"\"y\"\" z\", \"q\" \n5\" tall,\"\"\n", encUTF8, ',', "a|b", []string{"2: x \"y\" z|q", "3: 5\" tall|"}},
		{"line ends in quotes", "a,b\n\"1\n2\r\n3\r4\",x\n5,6\n", encUTF8, ',', "a|b", []string{"2: 1\n2\r\n3\r4|x", "6: 5|6"}},
		{"empty lines", "\n\na,b\n\n1,2\n , \n,\n3,4\n\n\n,,,\n", encUTF8, ',', "a|b", []string{"5: 1|2", "8: 3|4"}},
		{"surplus empty cells", "a,b\n1,2,,\n", encUTF8, ',', "a|b", []string{"2: 1|2"}},
		{"header trimmed, cells not", " a , b\n 1 ,2 \n", encUTF8, ',', "a|b", []string{"2:  1 |2 "}},
		{"header only", "a,b\n", encUTF8, ',', "a|b", nil},
		{"emoji", "a,b\n\U0001f600,2\n", encUTF8, ',', "a|b", []string{"2: \U0001f600|2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
				tab, rows, err := readAll(t, wrap(strings.NewReader(c.text)), Options{})
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(tab.Columns(), "|"); got != c.columns {
					t.Errorf("columns %s, want %s", got, c.columns)
				}
				if !reflect.DeepEqual(rows, c.rows) {
					t.Errorf("rows %q, want %q", rows, c.rows)
				}
				if tab.Encoding() != c.encoding || (c.delimiter != 0 && tab.Delimiter() != c.delimiter) {
					t.Errorf("%s with %q, want %s with %q", tab.Encoding(), tab.Delimiter(), c.encoding, c.delimiter)
				}
				if tab.BytesRead() != int64(len(c.text)) || tab.Name() != "answers.csv" || tab.Row().Cells != nil {
					t.Errorf("read %d of %d bytes, name %s, last row %v", tab.BytesRead(), len(c.text), tab.Name(), tab.Row())
				}
			}
		})
	}
}

func archive(t *testing.T, member string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(member)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("a,b\n1,2\n"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	g := gzip.NewWriter(&packed)
	_, _ = g.Write([]byte("a,b\n1,2\n"))
	_ = g.Close()
	small := Options{MaxBytes: 200, MaxColumns: 3, MaxFieldBytes: 20}
	for _, c := range []struct {
		name, text, code string
		line             int
		says             string
		opt              Options
	}{
		{"empty", "", CodeEmpty, 0, "empty", Options{}},
		{"only a mark", "\ufeff", CodeEmpty, 0, "empty", Options{}},
		{"only line ends", "\n\r\n\r", CodeEmpty, 0, "empty", Options{}},
		{"zip", archive(t, "data.csv"), CodeNotText, 0, "zip archive", Options{}},
		{"xlsx", archive(t, "[Content_Types].xml"), CodeNotText, 0, "Excel workbook", Options{}},
		{"gzip", packed.String(), CodeNotText, 0, "gzip", Options{}},
		{"pdf", "%PDF-1.7\n%\xe2\xe3\n", CodeNotText, 0, "PDF", Options{}},
		{"xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", CodeNotText, 0, "old Excel", Options{}},
		{"web page", "\n <!DOCTYPE HTML><html>", CodeNotText, 0, "web page", Options{}},
		{"json", `[{"a":1}]`, CodeNotText, 0, "JSON", Options{}},
		{"UTF-32", "\xff\xfe\x00\x00a\x00\x00\x00", CodeNotText, 0, "UTF-32", Options{}},
		{"binary", "a,b\n\x01\x02\x03\x04\x05\x06,\x07\n", CodeNotText, 0, "binary", Options{}},
		{"NUL early", "a,b\n1,\x002\n", CodeNotText, 0, "binary", Options{}},
		{"NUL behind a mark", "\ufeffa,b\n1,2\n3,\x00\n", CodeNul, 3, "NUL", Options{}},
		{"NUL late", "a,b\n" + strings.Repeat("1,2\n", chunk) + "3,\x00\n", CodeNul, chunk + 2, "NUL", Options{}},
		{"broken UTF-8", "a,b\nè,é\n\xe8,ù\n", CodeEncoding, 3, "UTF-8", Options{}},
		{"broken UTF-8 at the end", "a,b\nèè,é\xc3", CodeEncoding, 2, "UTF-8", Options{}},
		{"half a character in UTF-16", "\xff\xfea\x00\n\x00b\x00\n", CodeEncoding, 2, "UTF-16LE", Options{}},
		{"duplicate header", "id,x,id,id\n1,2,3,4\n", CodeHeaderDuplicate, 1, "1, 3, 4", Options{}},
		{"duplicate after trimming", "id;id \n1;2\n", CodeHeaderDuplicate, 1, "1, 2", Options{}},
		{"empty header", "\nid,, \n1,2,3\n", CodeHeaderEmpty, 2, "2, 3", Options{}},
		{"header of delimiters", ";;\n1;2;3\n", CodeHeaderEmpty, 1, "1, 2, 3", Options{}},
		{"short row", "a,b,c\n1,2,3\n1,2\n", CodeRagged, 3, "2 cells where the header has 3", Options{}},
		{"long row", "a,b\n1,2\n1,2\n\n1,2,3\n", CodeRagged, 5, "3 cells where the header has 2", Options{}},
		{"unterminated quote", "a,b\n1,2\n\"3,4\n5,6\n", CodeUnterminatedQuote, 3, "never closed", Options{}},
		{"unterminated in the header", "a,\"b\n1,2\n", CodeUnterminatedQuote, 1, "never closed", Options{}},
		{"text behind a quote", "a,b\n\"1\"x,2\n", CodeQuote, 2, "double a mark", Options{}},
		{"stray quote", "a,b\n\"1,2\n\"3\",4\n", CodeQuote, 2, "double a mark", Options{}},
		{"too large", "a,b\n" + strings.Repeat("1,2\n", 50), CodeTooLarge, 0, "200 bytes", small},
		{"too many columns", "a,b,c,d\n", CodeTooManyColumns, 1, "more than 3", small},
		{"long cell", "a,b\n1,2\n1," + strings.Repeat("x", 21) + "\n", CodeFieldTooLong, 3, "20 bytes", small},
		{"long quoted cell", "a,b\n1,2\n1,\"" + strings.Repeat("x\n", 11) + "\"\n", CodeFieldTooLong, 3, "20 bytes", small},
		{"long spaces", "a,b\n1," + strings.Repeat(" ", 21) + "\n", CodeFieldTooLong, 2, "20 bytes", small},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := readAll(t, strings.NewReader(c.text), c.opt)
			var p *Problem
			if !errors.As(err, &p) {
				t.Fatalf("error %v, want %s", err, c.code)
			}
			if p.Code != c.code || p.Line != c.line {
				t.Errorf("%s in line %d, want %s in line %d", p.Code, p.Line, c.code, c.line)
			}
			if s := err.Error(); !strings.Contains(s, c.says) || strings.Contains(s, "\n") || !strings.HasSuffix(s, ".") {
				t.Errorf("says %q, want %q in one sentence", s, c.says)
			}
			if c.line > 0 && !strings.Contains(err.Error(), fmt.Sprintf("Line %d", c.line)) {
				t.Errorf("%q does not name line %d", err, c.line)
			}
		})
	}
}

func TestReadingGoesOnBehindARaggedRow(t *testing.T) {
	t.Parallel()
	tab, err := Open("x", strings.NewReader("a,b\n1,2\n3\n4,5\n6,7,8\n9,10\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for {
		if tab.Next() {
			seen = append(seen, strings.Join(tab.Row().Cells, "|"))
			continue
		}
		var row *RowError
		if !errors.As(tab.Err(), &row) {
			break
		}
		if tab.Row().Cells != nil {
			t.Error("a ragged row was given out")
		}
		seen = append(seen, fmt.Sprint("line ", row.Line))
		if row.Message != row.Error() || row.Problem.Code != CodeRagged {
			t.Errorf("%+v", row)
		}
	}
	want := []string{"1|2", "line 3", "4|5", "line 5", "9|10"}
	if tab.Err() != nil || !reflect.DeepEqual(seen, want) {
		t.Errorf("%q, %v; want %q", seen, tab.Err(), want)
	}
	if tab.Next() {
		t.Error("a row behind the end")
	}
}

func TestFinalErrorsStay(t *testing.T) {
	t.Parallel()
	broken := errors.New("cable out")
	tab, rows, err := readAll(t, io.MultiReader(strings.NewReader("a,b\n"+strings.Repeat("1,2\n", 2*chunk)), iotest.ErrReader(broken)), Options{})
	var p *Problem
	if !errors.Is(err, broken) || !errors.As(err, &p) || p.Code != CodeRead || len(rows) == 0 {
		t.Fatalf("%v after %d rows", err, len(rows))
	}
	if tab.Next() || !errors.Is(tab.Err(), broken) {
		t.Error("reading went on behind a final error")
	}
	if _, err := Open("x", iotest.ErrReader(broken), Options{}); !errors.Is(err, broken) {
		t.Errorf("opening: %v", err)
	}
	if _, err := Open("x", stuck{}, Options{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader without progress: %v", err)
	}
	for _, d := range []rune{'"', '\n', '€', ' '} {
		if _, err := Open("x", strings.NewReader("a,b"), Options{Delimiter: d}); err == nil {
			t.Errorf("delimiter %q was taken", d)
		}
	}
	tab, _, err = readAll(t, strings.NewReader("a;b,c\n"), Options{Delimiter: ','})
	if err != nil || strings.Join(tab.Columns(), "|") != "a;b|c" {
		t.Errorf("a chosen delimiter: %v, %v", tab, err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// The first other byte may come long after the beginning, and anywhere relative
// to the chunks that are read.
func TestEncodingDecidedLate(t *testing.T) {
	t.Parallel()
	for _, shift := range []int{0, 1, 2, 3} {
		head := "n,t\n" + strings.Repeat("1,abcdefghij\n", 2*chunk/13) + "2," + strings.Repeat("x", shift)
		pad := strings.Repeat("y", chunk-len(head)%chunk-1)
		for name, c := range map[string]struct{ cell, encoding string }{
			"latin": {"\xe8", enc1252}, "utf8": {"è", encUTF8},
		} {
			tab, rows, err := readAll(t, strings.NewReader(head+pad+c.cell+"\n3,z\n"), Options{})
			if err != nil || tab.Encoding() != c.encoding {
				t.Fatalf("%s, shift %d: %v", name, shift, err)
			}
			if got := rows[len(rows)-2]; !strings.HasSuffix(got, "|"+strings.Repeat("x", shift)+pad+"è") || rows[len(rows)-1][len(rows[len(rows)-1])-3:] != "3|z" {
				t.Errorf("%s, shift %d: row ends %q", name, shift, got[len(got)-min(len(got), 10):])
			}
		}
	}
}

func TestAgreesWithTheStandardReader(t *testing.T) {
	t.Parallel()
	cell := rapid.OneOf(rapid.StringMatching(`[a-z0-9 ;"\n,àè]{0,6}`), rapid.StringMatching("[a-z]{1,40}"))
	rapid.Check(t, func(r *rapid.T) {
		width := rapid.IntRange(1, 4).Draw(r, "width")
		want := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 0, 12).Draw(r, "rows")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = rapid.SampledFrom([]rune{',', ';', '\t', '|'}).Draw(r, "delimiter")
		w.UseCRLF = rapid.Bool().Draw(r, "crlf")
		header := []string{"c1", "c2", "c3", "c4"}[:width]
		_ = w.Write(header)
		kept := [][]string{}
		for _, row := range want {
			_ = w.Write(row)
			if strings.TrimSpace(strings.Join(row, "")) != "" {
				kept = append(kept, append([]string(nil), row...))
			}
		}
		w.Flush()
		tab, err := Open("x", iotest.HalfReader(bytes.NewReader(b.Bytes())), Options{Delimiter: w.Comma})
		if err != nil {
			r.Fatal(err)
		}
		got := [][]string{}
		for tab.Next() {
			row := append([]string(nil), tab.Row().Cells...)
			for i := range row {
				row[i] = strings.ReplaceAll(row[i], "\r\n", "\n")
			}
			got = append(got, row)
		}
		if tab.Err() != nil || !reflect.DeepEqual(got, kept) {
			r.Fatalf("%q, %v; want %q from %q", got, tab.Err(), kept, b.String())
		}
	})
}

// generated repeats a row until there are size bytes, and counts nothing else.
type generated struct {
	row  []byte
	left int
	at   int
}

func (g *generated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && g.left > 0 {
		k := copy(p[n:min(len(p), n+g.left)], g.row[g.at:])
		g.at = (g.at + k) % len(g.row)
		g.left -= k
		n += k
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func bigFile(row string, size int) io.Reader {
	header := "session;date;client;q1;q2;q3;q4;note\n"
	return io.MultiReader(strings.NewReader(header), &generated{row: []byte(row), left: size / len(row) * len(row)})
}

const (
	plainRow  = "s-000123;2025-12-31;c-0042;3,5;4;5;2;nothing special to say about this one\n"
	quotedRow = "s-000123;2025-12-31;c-0042;3,5;4;5;2;\"così \"\"detto\"\"; due\nrighe di testo\"\n"
)

// Not parallel: it measures memory.
func TestMemoryStaysFlat(t *testing.T) {
	const size = 20 << 20
	tab, err := Open("big", bigFile(quotedRow, size), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	base, mallocs, peak := m.HeapAlloc, m.Mallocs, uint64(0)
	rows := 0
	for tab.Next() {
		if rows++; rows%20000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
	}
	runtime.ReadMemStats(&m)
	if tab.Err() != nil || rows != size/len(quotedRow) || tab.BytesRead() < size-100 {
		t.Fatalf("%d rows, %d bytes, %v", rows, tab.BytesRead(), tab.Err())
	}
	if peak > base+1<<20 {
		t.Errorf("memory in use grew from %d to %d", base, peak)
	}
	if per := float64(m.Mallocs-mallocs) / float64(rows); per > 1.1 {
		t.Errorf("%.2f allocations a row", per)
	}
}

func TestProblemsKeepCellsOutOfLogs(t *testing.T) {
	t.Parallel()
	_, _, err := ParseNumber("CANARY", DecimalAuto)
	var out strings.Builder
	row := &RowError{Line: 3, Message: "CANARY", Problem: &Problem{Line: 3, Code: CodeRagged, Value: "CANARY"}}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "err", err, "row", row)
	if strings.Contains(out.String(), "CANARY") || !strings.Contains(out.String(), CodeNumber) || !strings.Contains(out.String(), CodeRagged) {
		t.Error(out.String())
	}
	if !strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%q does not show the person the value", err)
	}
	if got := shown("a\n" + strings.Repeat("è", 60)); got != "a "+strings.Repeat("è", 38)+"…" {
		t.Errorf("shown as %q", got)
	}
}

func TestEveryCodeHasASentence(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		CodeEmpty, CodeNotText, CodeEncoding, CodeNul, CodeTooLarge, CodeTooManyColumns, CodeFieldTooLong, CodeHeaderEmpty,
		CodeHeaderDuplicate, CodeRagged, CodeUnterminatedQuote, CodeQuote, CodeRead, CodeNumber, CodeNumberAmbiguous,
		CodeNumberRange, CodeDate, CodeDateAmbiguous, CodeDateMixed, CodeDateNone, CodeDateFormat,
	} {
		if s := (Problem{Code: code, Line: 2, Column: "c"}).Error(); strings.Contains(s, code) || !strings.HasPrefix(s, `Line 2, column "c": `) {
			t.Errorf("%s: %q", code, s)
		}
	}
	for _, s := range signatures {
		if kinds[s.kind] == "" {
			t.Errorf("no name for %s", s.kind)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a;b\r\n\"x\r\ny\";2", "\xff\xfea\x00", "sep=\t\na\tb\n", "a,b\n\"", "a\n\xe8\n", "\ufeffa|b\n\"\"\"\"|2\r\r", "PK\x03\x04",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		opt := Options{MaxColumns: 50, MaxFieldBytes: 1000}
		read := func(r io.Reader) string {
			tab, err := Open("f", r, opt)
			if err != nil {
				return err.Error()
			}
			var out strings.Builder
			fmt.Fprintln(&out, tab.Columns(), tab.Delimiter())
			last := 0
			for range len(b) + 2 {
				if tab.Next() {
					row := tab.Row()
					if len(row.Cells) != len(tab.Columns()) || row.Line <= last {
						t.Fatalf("row %v behind line %d", row, last)
					}
					last = row.Line
					fmt.Fprintln(&out, row.Line, row.Cells)
					continue
				}
				var e *RowError
				if !errors.As(tab.Err(), &e) {
					fmt.Fprintln(&out, tab.Encoding(), tab.Err())
					return out.String()
				}
			}
			t.Fatal("more rows than bytes")
			return ""
		}
		// How the bytes arrive must not change what is read.
		if a, c := read(bytes.NewReader(b)), read(iotest.OneByteReader(bytes.NewReader(b))); a != c {
			t.Fatalf("%q\nand %q", a, c)
		}
	})
}

func benchmark(b *testing.B, row string) {
	const size = 8 << 20
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		tab, err := Open("big", bigFile(row, size), Options{})
		if err != nil {
			b.Fatal(err)
		}
		for tab.Next() {
		}
		if tab.Err() != nil {
			b.Fatal(tab.Err())
		}
	}
}

func BenchmarkPlain(b *testing.B)  { benchmark(b, plainRow) }
func BenchmarkQuoted(b *testing.B) { benchmark(b, quotedRow) }
func BenchmarkLatin1(b *testing.B) {
	benchmark(b, strings.Replace(plainRow, "special", "sp\xe8cial", 1))
}

// A pair of CR and LF, or of quotation marks, may be cut by the end of a chunk.
func TestPairsAcrossChunks(t *testing.T) {
	t.Parallel()
	for _, pair := range []string{"\r\n", `""`} {
		for shift := range 3 {
			inside := strings.Repeat(pair, chunk)
			text := "a,b\n" + strings.Repeat("x", shift+1) + ",\"" + inside + "\"\n3,4\n"
			_, rows, err := readAll(t, strings.NewReader(text), Options{})
			line, cell := 3, strings.Repeat(`"`, chunk)
			if pair == "\r\n" {
				line, cell = 3+chunk, inside
			}
			if err != nil || len(rows) != 2 || rows[1] != fmt.Sprintf("%d: 3|4", line) || !strings.HasSuffix(rows[0], "|"+cell) {
				t.Fatalf("%q, shift %d: %d rows, %v", pair, shift, len(rows), err)
			}
		}
	}
}
