// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestReadCSV(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in string }{
		{"comma", "id,x,g\n1,1.5,a\n2,NA,b\n3,-2e3,\n"},
		{"semicolon and decimal comma", "id;x;g\n1;1,5;a\n2;;b\n3;-2000,0;NA\n"},
		{"tab", "id\tx\tg\n1\t1.5\ta\n2\t.\tb\n3\t-2000\tn/a\n"},
		{"byte order mark, CRLF, quotes", "\uFEFF\"id\",\"x\",\"g\"\r\n1,\"1.5\",\"a\"\r\n2,,\"b\"\r\n3,-2000,\r\n"},
		{"no newline at the end", "id|x|g\n1|1.5|a\n2|NaN|b\n3|-2000|null"},
	} {
		f, err := ReadCSV(strings.NewReader(c.in), CSVOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		x, _ := f.Column("x")
		g, _ := f.Column("g")
		if f.Rows() != 3 || x.Kind() != Numeric || g.Kind() != Factor {
			t.Fatalf("%s: %d rows, x %s, g %s", c.name, f.Rows(), x.Kind(), g.Kind())
		}
		v, ok := x.Float(2)
		if !ok || v != -2000 || !x.Missing(1) || !g.Missing(2) {
			t.Errorf("%s: %v, missing %v %v", c.name, v, x.Missing(1), g.Missing(2))
		}
	}
}

func TestReadCSVOfOneColumn(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"x\n1,5\n-2000\n", "x\n1.5\n-2000\n"} {
		f, err := ReadCSV(strings.NewReader(in), CSVOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x, _ := f.Column("x")
		if v := x.Floats(); !slices.Equal(v, []float64{1.5, -2000}) {
			t.Errorf("%q: %v", in, v)
		}
	}
}

func TestReadCSVNamesTheCell(t *testing.T) {
	t.Parallel()
	many := "y,x\n" + strings.Repeat("1,2\n", 20)
	for _, c := range []struct{ in, want string }{
		{many + "1,l2\n", `line 22, column "x": "l2" is not a number`},
		{many + "1,\xe9\n", `line 22, column "x": "` + "\uFFFD" + `" is not UTF-8`},
		{many + "1,2,3\n", "line 22: the row has another number of cells"},
		{many + "1,\"2\n", "line 2"},
		{many + "1,Inf\n", `"Inf" is not a number`},
		{many + "1,0x1p3\n", `"0x1p3" is not a number`},
		{many + "1,1e999\n", `"1e999" is not a number`},
		{"", "line 1: the file is empty"},
		{"  \n ", "line 1: the file is empty"},
		{"a,a\n1,2\n", `two columns are called "a"`},
		{"\xff\xfea\x00", "UTF-16"},
	} {
		_, err := ReadCSV(strings.NewReader(c.in), CSVOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.in[max(0, len(c.in)-20):], err, c.want)
		}
	}
	var cell *BadCell
	_, err := ReadCSV(strings.NewReader("id\nA1\n"), CSVOptions{Numbers: []string{"id"}})
	if !errors.As(err, &cell) || cell.Line != 2 || cell.Column != "id" {
		t.Errorf("%v is no bad cell on line 2", err)
	}
	if _, err := ReadCSV(strings.NewReader("id\nA1\n"), CSVOptions{Factors: []string{"ID"}}); err == nil {
		t.Error("a factor that is not there goes unnoticed")
	}
}

func TestReadCSVBeyondTheSample(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(",name,code\n")
	for i := range 5000 {
		b.WriteString("7,w")
		b.WriteByte(byte('a' + i%3))
		b.WriteString(",007\n")
	}
	f, err := ReadCSV(strings.NewReader(b.String()), CSVOptions{Factors: []string{"code"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"X", "name", "code"}) {
		t.Errorf("names %q", got)
	}
	n, _ := f.Column("name")
	c, _ := f.Column("code")
	if !slices.Equal(n.Levels(), []string{"wa", "wb", "wc"}) || !slices.Equal(c.Levels(), []string{"007"}) {
		t.Errorf("levels %q %q", n.Levels(), c.Levels())
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\n1,5;x\n", "\"a\nb\",c\n1,\"\"\"\"\n", "a\n\xff\n", "\uFEFFa\tb\n.\t1e5", "x|y\n||\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		frame, err := ReadCSV(strings.NewReader(s), CSVOptions{})
		if err != nil {
			return
		}
		for _, name := range frame.Names() {
			c, err := frame.Column(name)
			if err != nil || c.Len() != frame.Rows() {
				t.Fatalf("column %q: %v, %d of %d rows", name, err, c.Len(), frame.Rows())
			}
			for i := range c.Len() {
				if v, ok := c.Float(i); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
					t.Fatalf("column %q, row %d: %v", name, i, v)
				}
			}
		}
	})
}

func numeric(t testing.TB, name string, v ...float64) *Column {
	t.Helper()
	missing := make([]bool, len(v))
	for i, x := range v {
		missing[i] = math.IsNaN(x)
	}
	c, err := NewNumeric(name, v, missing)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func frameOf(t testing.TB, columns ...*Column) *Frame {
	t.Helper()
	f, err := NewFrame(columns...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestColumns(t *testing.T) {
	t.Parallel()
	if _, err := NewNumeric("x", []float64{1, math.Inf(1)}, nil); err == nil || !strings.Contains(err.Error(), "row 2") {
		t.Errorf("an infinite number: %v", err)
	}
	c := numeric(t, "x", 10, 9, math.NaN(), 0.1+0.2, 10).AsFactor()
	if !slices.Equal(c.Levels(), []string{"0.3", "9", "10"}) || !slices.Equal(c.Codes(), []int32{2, 1, -1, 0, 2}) {
		t.Errorf("levels %q codes %v", c.Levels(), c.Codes())
	}
	f := frameOf(t, numeric(t, "t", 2, 1, math.NaN(), 1), NewFactor("g", []string{"b", "a", "a", ""}, []bool{false, false, false, true}))
	rows, err := f.Order("t", "g")
	if err != nil || !slices.Equal(rows, []int{1, 3, 0, 2}) {
		t.Errorf("order %v %v", rows, err)
	}
	if rows, err = f.Complete(); err != nil || !slices.Equal(rows, []int{0, 1}) {
		t.Errorf("complete %v %v", rows, err)
	}
	if _, err := NewFrame(numeric(t, "a", 1), numeric(t, "b", 1, 2)); err == nil {
		t.Error("columns of different lengths make a frame")
	}
	if _, err := f.Column("zz"); err == nil || !strings.Contains(err.Error(), `"t"`) {
		t.Errorf("an unknown column: %v", err)
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	f := frameOf(t, NewFactor("id", []string{"a", "a", "a", "b", "b", ""}, []bool{false, false, false, false, false, true}),
		numeric(t, "t", 3, 1, 2, 1, 3, 1), numeric(t, "x", 4, 2, nan, 10, 20, 7))
	get := func(c *Column, err error) []float64 {
		if err != nil {
			t.Fatal(err)
		}
		return c.Floats()
	}
	same := func(name string, got, want []float64) {
		t.Helper()
		for i := range want {
			if math.IsNaN(got[i]) != math.IsNaN(want[i]) || math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("%s: %v, want %v", name, got, want)
				return
			}
		}
	}
	same("between", get(Between(f, "x", "id", "b")), []float64{3, 3, 3, 15, 15, nan})
	same("within", get(Within(f, "x", "id", "w")), []float64{1, -1, nan, -5, 5, nan})
	same("lag", get(Lag(f, "x", "id", "t", 1, "l")), []float64{nan, nan, 2, nan, nan, nan})
	same("lag 2", get(Lag(f, "x", "id", "t", 2, "l")), []float64{2, nan, nan, nan, 10, nan})
	jumps := frameOf(t, numeric(t, "id", 2, 1, 1, 1, 2, 1), numeric(t, "t", 1, 9, 2, 4, 3, nan), numeric(t, "x", 5, 6, 7, nan, 8, 9))
	same("row before", get(LagRow(jumps, "x", "id", "t", "l")), []float64{nan, nan, nan, 7, 5, nan})
	same("centred", get(Centered(f, "x", "c")), []float64{-4.6, -6.6, nan, 1.4, 11.4, -1.6})
	twice := frameOf(t, numeric(t, "id", 1, 1), numeric(t, "t", 1, 1), numeric(t, "x", 1, 2))
	if _, err := Lag(twice, "x", "id", "t", 1, "l"); err == nil || !strings.Contains(err.Error(), "rows 1 and 2") {
		t.Errorf("two rows at one time: %v", err)
	}
	if _, err := LagRow(twice, "x", "id", "t", "l"); err == nil || !strings.Contains(err.Error(), "rows 1 and 2") {
		t.Errorf("two rows at one time: %v", err)
	}
}
