// SPDX-License-Identifier: AGPL-3.0-or-later

package stats

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// labels writes a formula as its terms.
func labels(f *Formula) string {
	terms := func(intercept bool, ts []Term) string {
		s := "0"
		if intercept {
			s = "1"
		}
		for _, t := range ts {
			s += " + " + t.Label()
		}
		return s
	}
	s := terms(f.Intercept, f.Terms)
	for _, r := range f.Random {
		s += " (" + terms(r.Intercept, r.Terms) + " | " + r.GroupName() + ")"
	}
	return s
}

// TestFormula holds terms against terms() of R 4.2.2 and the names of lme4 1.1-31.
func TestFormula(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"y ~ 1", "1"},
		{"y ~ 0 + a", "0 + a"},
		{"y ~ a - 1", "0 + a"},
		{"y ~ -1 + a", "0 + a"},
		{"y ~ a - 0", "1 + a"},
		{"y ~ a*b", "1 + a + b + a:b"},
		{"y ~ b + a:b", "1 + b + b:a"},
		{"y ~ a*b*c - a:b:c", "1 + a + b + c + a:b + a:c + b:c"},
		{"y ~ (a + b + c)^2", "1 + a + b + c + a:b + a:c + b:c"},
		{"y ~ (a+b)/c", "1 + a + b + a:b:c"},
		{"y ~ a %in% b", "1 + a:b"},
		{"y ~ a + a + I(x^2) + I( x ^ 2 )", "1 + a + I(x^2)"},
		{"y ~ I(age-11)*Sex", "1 + I(age - 11) + Sex + I(age - 11):Sex"},
		{"y ~ a:b + b", "1 + b + a:b"},
		{"y ~ scale(x,scale=FALSE)", "1 + scale(x, scale = FALSE)"},
		{"y ~ `my x` + log(z/2)", "1 + my x + log(z/2)"},
		{"log(y) ~ a + (1 + x | g)", "1 + a (1 + x | g)"},
		{"y ~ a + (x || g)", "1 + a (1 | g) (0 + x | g)"},
		{"y ~ (0 + x | g) + (1 | a/b)", "1 (0 + x | g) (1 | b:a) (1 | a)"},
		{"y ~ (1 | a/b/c)", "1 (1 | c:b:a) (1 | b:a) (1 | a)"},
		{"y ~ (1|a:b) + (x*z - 1|g)", "1 (1 | a:b) (0 + x + z + x:z | g)"},
		{"~ a + offset(w)", "1 + a"},
	} {
		f, err := ParseFormula(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := labels(f); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
	f, err := ParseFormula("log(y) ~ a*I(x+z) + offset(w) + (s || g/h)")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Variables(); !slices.Equal(got, []string{"y", "a", "x", "z", "w", "h", "g", "s"}) {
		t.Errorf("variables %q", got)
	}
}

func TestFormulaErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", "no ~"}, {"y", "no ~"}, {"y ~", "ends too early"}, {"y ~ a +", "ends too early"}, {"y ~ (a", "not closed"},
		{"y ~ a ~ b", "not expected"}, {"y ~ a | g", "parentheses"}, {"y ~ (1 | g) - (1 | h)", "taken away"},
		{"y ~ a * (1 | g)", "added"}, {"y ~ 2", "only 0 and 1"}, {"y ~ a^b", "whole number"}, {"y ~ a^1.5", "whole number"},
		{"y ~ sin(x)", "not known"}, {"y ~ I(a, b)", "one argument"}, {"y ~ I(a:b)", "no meaning"}, {"y ~ .", "name the columns"},
		{"y ~ (1 | a + b)", "no grouping"}, {"y ~ (0 | g)", "nothing on the left"}, {"y ~ a ! b", "means nothing"},
		{"a:b ~ x", "left side"}, {"y ~ I(factor(a) + 1)", "factor"}, {"y ~ scale(x, 3)", "TRUE or FALSE"},
		{"y ~ " + strings.Repeat("(", 200) + "a", "nested deeper"}, {"y ~ (a+b+c+d+e+f+g+h+i+j+k+l+m+n)^9", "more than 2000"},
		{"y ~ " + strings.Repeat("a+", maxFormula) + "a", "longer than"}, {"y ~ \xff", "UTF-8"}, {"y ~ `a", "backtick"},
	} {
		_, err := ParseFormula(c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: %v, want %q", c.in, err, c.want)
		}
	}
}

func FuzzParseFormula(f *testing.F) {
	for _, s := range []string{"y ~ a*b + I(x^2) + (1 + x | g) + (x || g) + (1 | a/b)", "~0", "y~a%in%b-1", "y~(a+b)^3/c:d", "log(y)~scale(x, center=F)+offset(z)", "y~-(a)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseFormula(s)
		if err != nil {
			return
		}
		// What is written out again means the same, unless a name needs backticks.
		if strings.Contains(s, "`") {
			return
		}
		again := p.Response() + " ~ " + strings.TrimSuffix(labels(p), " ")
		again = strings.ReplaceAll(again, " (", " + (")
		if len(again) > maxFormula {
			return
		}
		q, err := ParseFormula(again)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", s, again, err)
		}
		if labels(p) != labels(q) && !strings.Contains(labels(p), ":") {
			t.Fatalf("%q is %s, written out %s", s, labels(p), labels(q))
		}
	})
}

func design(t testing.TB, formula string, f *Frame, o DesignOptions) *Design {
	t.Helper()
	p, err := ParseFormula(formula)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDesign(p, f, o)
	if err != nil {
		t.Fatalf("%s: %v", formula, err)
	}
	return d
}

// TestModelMatrix holds the columns against model.matrix of R 4.2.2.
func TestModelMatrix(t *testing.T) {
	t.Parallel()
	f := frameOf(t, numeric(t, "y", 1, 2, 3, 4, 5, 6), numeric(t, "x", 1, 2, 4, 1, 3, 5),
		NewFactor("a", []string{"u", "v", "w", "u", "v", "w"}, nil), NewFactor("b", []string{"p", "p", "q", "q", "p", "q"}, nil))
	for _, c := range []struct {
		in    string
		names string
		row   []float64 // of the last row
	}{
		{"y ~ a", "(Intercept) av aw", []float64{1, 0, 1}},
		{"y ~ 0 + a + b", "au av aw bq", []float64{0, 0, 1, 1}},
		{"y ~ a:b", "(Intercept) au:bp av:bp aw:bp au:bq av:bq aw:bq", []float64{1, 0, 0, 0, 0, 0, 1}},
		{"y ~ a*b", "(Intercept) av aw bq av:bq aw:bq", []float64{1, 0, 1, 1, 0, 1}},
		{"y ~ x:a", "(Intercept) x:au x:av x:aw", []float64{1, 0, 0, 5}},
		{"y ~ x*b", "(Intercept) x bq x:bq", []float64{1, 5, 1, 5}},
		{"y ~ 0 + x:b", "x:bp x:bq", []float64{0, 5}},
		{"y ~ I(x^2) + log(x)", "(Intercept) I(x^2) log(x)", []float64{1, 25, math.Log(5)}},
		{"y ~ factor(x)", "(Intercept) factor(x)2 factor(x)3 factor(x)4 factor(x)5", []float64{1, 0, 0, 0, 1}},
		{"y ~ scale(x)", "(Intercept) scale(x)", []float64{1, (5 - 16./6) / 1.632993161855452}},
		{"y ~ scale(x, center = FALSE)", "(Intercept) scale(x, center = FALSE)", []float64{1, 5 / math.Sqrt(56./5)}},
	} {
		d := design(t, c.in, f, DesignOptions{})
		if got := strings.Join(d.X.Names, " "); got != c.names {
			t.Errorf("%s: %s, want %s", c.in, got, c.names)
		}
		for j, v := range d.X.Row(5) {
			if math.Abs(v-c.row[j]) > 1e-12 {
				t.Errorf("%s: %v, want %v", c.in, d.X.Row(5), c.row)
				break
			}
		}
	}
	d := design(t, "y ~ a", f, DesignOptions{Contrasts: map[string]Contrast{"a": Sum()}})
	if got := fmt.Sprint(d.X.Names, d.X.Row(5)); got != "[(Intercept) a1 a2] [1 -1 -1]" {
		t.Errorf("sum contrasts: %s", got)
	}
	d = design(t, "y ~ a", f, DesignOptions{Contrasts: map[string]Contrast{"a": Treatment("v")}})
	if got := fmt.Sprint(d.X.Names, d.X.Row(5)); got != "[(Intercept) au aw] [1 0 1]" {
		t.Errorf("another base: %s", got)
	}
}

func TestDesignGroupsAndNewData(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	f := frameOf(t, numeric(t, "y", 1, 2, 3, nan, 5), numeric(t, "x", 1, 2, 4, 1, 3),
		NewFactor("a", []string{"u", "v", "u", "z", "v"}, nil), NewFactor("g", []string{"h", "k", "k", "h", "h"}, nil))
	d := design(t, "y ~ scale(x) + a + (x | g/a)", f, DesignOptions{})
	if !slices.Equal(d.Missing, []int{3}) || d.Random[0].Name != "a:g" {
		t.Errorf("missing %v, groups %s", d.Missing, d.Random[0].Name)
	}
	if got := fmt.Sprint(d.Random[0].Levels, d.Random[0].Codes); got != "[u:h u:k v:h v:k] [0 3 1 2]" {
		t.Errorf("groups %s", got)
	}
	n := frameOf(t, numeric(t, "x", 4, 4), NewFactor("a", []string{"u", "v"}, nil), NewFactor("g", []string{"k", "new"}, nil))
	nd, err := d.Apply(n)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(nd.Random[0].Codes, nd.Random[1].Codes); got != "[1 -1] [1 -1]" {
		t.Errorf("groups of new data %s", got)
	}
	if nd.X.Row(0)[1] != d.X.Row(2)[1] {
		t.Errorf("scaled %v, and %v in the fitted data", nd.X.Row(0)[1], d.X.Row(2)[1])
	}
	bad := frameOf(t, numeric(t, "x", 4), NewFactor("a", []string{"other"}, nil))
	if _, err := d.Apply(bad); err == nil || !strings.Contains(err.Error(), `row 1: "other"`) {
		t.Errorf("a level that did not occur: %v", err)
	}
}

func TestDesignErrors(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	f := frameOf(t, numeric(t, "y", 1, 2), numeric(t, "x", -1, 2), numeric(t, "m", nan, nan), NewFactor("a", []string{"u", "u"}, nil))
	for _, c := range []struct{ in, want string }{
		{"y ~ z", `no column "z"`}, {"y ~ log(x)", "row 1: log(x)"}, {"y ~ m", "none of the 2 rows"}, {"y ~ a", "one level only"},
		{"a ~ x", "factor"}, {"y ~ I(a + 1)", "factor"}, {"y ~ scale(I(x*0))", "does not vary"}, {"y ~ (1 | q)", `no column "q"`},
	} {
		p, err := ParseFormula(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = NewDesign(p, f, DesignOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.in, err, c.want)
		}
	}
}

// TestIndependent plants a column that follows from the others.
func TestIndependent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n, p := rapid.IntRange(6, 12).Draw(rt, "n"), rapid.IntRange(1, 4).Draw(rt, "p")
		m := &Matrix{Rows: n, Names: make([]string, p+1), Data: make([]float64, n*(p+1))}
		scale := math.Pow(10, rapid.Float64Range(-6, 6).Draw(rt, "scale"))
		for i := range n {
			for j := range p {
				m.Data[i*(p+1)+j] = math.Cos(float64((i+1)*(j+2)*(j+1))) * scale
			}
			for j := range p {
				m.Data[i*(p+1)+p] += float64(j+1) * m.Data[i*(p+1)+j]
			}
		}
		kept, dropped := m.Independent(nil)
		if len(kept) != p || !slices.Equal(dropped, []int{p}) {
			rt.Fatalf("kept %v, dropped %v of %d", kept, dropped, p+1)
		}
	})
}

func FuzzDesign(f *testing.F) {
	for _, s := range []string{"y ~ a*b + I(x^2) + (1 + x | g) + (x || g) + (1 | a/b)", "x~0+a:b:g", "y~a%in%b-1+x:a", "log(y)~scale(x, center=F)+offset(x)", "y~factor(x)*g", "y ~ x^2 + (a|g:b)"} {
		f.Add(s)
	}
	nan := math.NaN()
	table := frameOf(f, numeric(f, "y", 1, 2, 3, nan, 5, 6, 7, 8), numeric(f, "x", 1, 2, 4, 1, 3, 0, nan, 1),
		NewFactor("a", []string{"u", "v", "u", "z", "v", "u", "v", ""}, []bool{7: true}), NewFactor("b", []string{"p", "q", "p", "q", "p", "q", "q", "p"}, nil),
		NewFactor("g", []string{"h", "k", "k", "h", "h", "k", "m", "m"}, nil))
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseFormula(s)
		if err != nil {
			return
		}
		d, err := NewDesign(p, table, DesignOptions{})
		if err != nil {
			return
		}
		all := append(slices.Clone(d.X.Data), d.Y...)
		for _, r := range d.Random {
			all = append(all, r.Z.Data...)
			if len(r.Codes) != len(d.Kept) || slices.Min(r.Codes) < 0 || int(slices.Max(r.Codes)) != len(r.Levels)-1 {
				t.Fatalf("%q: codes %v of %q", s, r.Codes, r.Levels)
			}
		}
		for _, v := range all {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%q: %v in a matrix", s, v)
			}
		}
		again, err := d.Apply(table.Take(d.Kept))
		if err != nil || !slices.Equal(again.X.Data, d.X.Data) {
			t.Fatalf("%q applied to its own rows: %v", s, err)
		}
	})
}
