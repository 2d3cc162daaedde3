// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

const shortMap = "client: who\ntime: {column: at}\ninstrument: session-client-adult\nitems: {bond1: b1, bond2: b2}\ncomment: said\n"

func encoded(t *testing.T, text string, utf16 bool) []byte {
	t.Helper()
	if utf16 {
		return get[[]byte](t)(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text)))
	}
	return get[[]byte](t)(charmap.ISO8859_1.NewEncoder().Bytes([]byte(text)))
}

func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f := get[io.Writer](t)(z.Create("a.csv"))
	get[int](t)(f.Write([]byte("who,at\n")))
	must(t, z.Close())
	return b.Bytes()
}

// TestImportBadFiles: each file that cannot be used gets a sentence that says
// what and where, and nothing of it is kept.
func TestImportBadFiles(t *testing.T) {
	t.Parallel()
	head := "who,at,b1,b2,said\n"
	row := "K,2025-03-%02d,8,8,\n"
	var many strings.Builder
	many.WriteString(head)
	for i := range 200_001 {
		fmt.Fprintf(&many, "K%d,2025-03-01,8,8,\n", i)
	}
	bad := []struct {
		name, mapped string
		data         []byte
		line         int
		column, says string
	}{
		{"missing column", "", []byte("who,at,b1,said\nK,2025-03-01,8,\n"), 1, "b2", "no column"},
		{"out of range", "", []byte(head + "K,2025-03-01,8,11,\n"), 2, "b2", "11"},
		{"off the step", "", []byte(head + "K,2025-03-01,8,7.25,\n"), 2, "b2", "7.25"},
		{"not a number", "", []byte(head + "K,2025-03-01,eight,8,\n"), 2, "b1", "eight"},
		{"same session twice", "", []byte(head + fmt.Sprintf(row, 1) + fmt.Sprintf(row, 2) + fmt.Sprintf(row, 1)), 4, "at", "line 2"},
		{"ambiguous dates", "", []byte(head + "K,03/04/2025,8,8,\nK,05/06/2025,8,8,\n"), 0, "at", "dmy or mdy"},
		{"no such day", "", []byte(head + "K,2025-02-30,8,8,\n"), 0, "at", ""},
		{"no client", "", []byte(head + ",2025-03-01,8,8,\n"), 2, "who", "no client"},
		{"ragged row", "", []byte(head + "K,2025-03-01,8\n"), 2, "", "cells"},
		{"open quotation mark", "", []byte(head + "K,2025-03-01,8,8,\"never closed\n"), 2, "", "quotation mark"},
		{"zip called csv", "", zipped(t), 0, "", "not a text file"},
		{"empty", "", nil, 0, "", "empty"},
		{"two columns of one name", "", []byte("who,at,b1,b1,b2,said\n"), 1, "", "b1"},
		{"unknown therapist", "therapist: by\n", []byte("who,at,by,b1,b2,said\nK,2025-03-01,Nobody,8,8,\n"), 2, "by", "Nobody"},
		{"too many rows", "", []byte(many.String()), 200_002, "", "at most 200000 rows"},
	}
	w := newWorld(t, "sqlite")
	before := w.digest()
	for _, c := range bad {
		plan, err := w.app.Import(w.ctx, w.neri, mapping(t, shortMap+c.mapped), source(c.data), nil)
		if err != nil || plan.Total == 0 {
			t.Errorf("%s: %v, %d problems", c.name, err, plan.Total)
			continue
		}
		p := plan.Problems[0]
		if c.line != 0 && p.Line != c.line || c.column != "" && p.Column != c.column || !strings.Contains(p.Text, c.says) {
			t.Errorf("%s: line %d, column %q: %s", c.name, p.Line, p.Column, p.Text)
		}
	}
	if w.digest() != before {
		t.Error("something of a bad file was kept")
	}
}

// TestImportOddFiles: files as other programs really write them are read.
func TestImportOddFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data     []byte
		encoding string
	}{
		"UTF-16":                   {encoded(t, "who;at;b1;b2;said\nK;31.12.2025;8;8;perché\n", true), "UTF-16"},
		"Latin-1, semicolons, dmy": {encoded(t, "who;at;b1;b2;said\nK;31/12/2025;8,0;8;perché\n", false), ""},
		"mdy":                      {[]byte("who,at,b1,b2,said\nK,12/31/2025,8,8,perché\n"), "UTF-8"},
		"tabs, iso, windows lines": {[]byte("who\tat\tb1\tb2\tsaid\r\nK\t2025-12-31T10:00\t8\t8\tperché\r\n"), "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "sqlite")
			plan := get[app.ImportPlan](t)(w.app.Import(w.ctx, w.neri, mapping(t, shortMap), source(c.data), nil))
			if plan.Total != 0 || plan.Responses != 1 || !strings.HasPrefix(plan.Encoding, c.encoding) {
				t.Fatalf("%+v", plan)
			}
			if v := w.page(w.neri, "K"); v.Comments[0].Text != "perché" || v.Alliance[0].Client[0].Points[0].Value != 8 {
				t.Errorf("%+v", v.Comments)
			}
		})
	}
}

// endless gives a header and then rows without end, as large a file as is asked for.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	const row = "K,2025-03-01,8,8,\n"
	n := copy(p, strings.Repeat(row, len(p)/len(row)+1))
	n -= n % len(row)
	e.left -= int64(n)
	return n, nil
}

// TestImportLargeFile: 200 MB are refused with one sentence, without being read
// into memory.
func TestImportLargeFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	src := app.ImportSource{Name: "large.csv", Size: 200 << 20, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("who,at,b1,b2,said\n"), &endless{200 << 20})), nil
	}}
	plan := get[app.ImportPlan](t)(w.app.Import(w.ctx, w.neri, mapping(t, shortMap), src, nil))
	if plan.Total == 0 || plan.Responses != 0 {
		t.Errorf("%+v", plan)
	}
}

// TestImportBadMappings: a mapping that cannot be used is refused with where and what.
func TestImportBadMappings(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"": "empty", "client: c\nclint: d\n": "line 2", "client: c\n": "instrument", "client: c\ninstrument: nothing\ntime: t\n": "nothing",
		"client: c\ninstrument: session-client-adult\n": "time", "client: c\ninstrument: session-client-adult\ntime: t\nitems: {bond9: x}\n": "bond9",
		"client: c\ninstrument: session-client-adult\nitems: {bond1: x}\nwide: {from: 0, to: 3, start: 2025-01-01}\n": "{n}",
		"client: c\ninstrument: session-client-adult\ntime: t\ndecimal: dot\n":                                        "decimal",
		"client: c\ntime: t\ndefinition: |\n  id: x\n":                                                                "definition",
	} {
		_, err := app.ParseImportMap("map.yaml", []byte(text))
		if care.CodeOf(err) != care.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
