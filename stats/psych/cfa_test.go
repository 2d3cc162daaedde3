// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// fitProblem returns the likelihood of a model and a point near its maximum.
func fitProblem(t *testing.T, model string, d *Table, o Options) (problem, []float64) {
	t.Helper()
	f, err := CFA(mustModel(t, model), d, o)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	x := append([]float64(nil), f.theta...)
	for i := range x {
		x[i] *= 1 + .05*rng.NormFloat64()
	}
	if f.normal != nil {
		return f.normal, x
	}
	return f.weight, x
}

func TestDerivatives(t *testing.T) {
	t.Parallel()
	d, text := goldenTable(t, "cfa_01_hs_ml")
	grouped := *d
	grouped.Group = text["school"]
	holes := withHoles(&grouped)
	for _, c := range []struct {
		name, model string
		data        *Table
		o           Options
	}{
		{"factors", threeFactors, d, Options{}},
		{"regressions", threeFactors + "\nspeed ~ visual + textual\nx1 ~ x9\nx2 ~~ x3", d, Options{MeanStructure: true}},
		{"second order, shared", "v =~ x1 + a*x2 + a*x3\nt =~ x4 + x5 + x6\ns =~ x7 + x8 + x9\ng =~ v + t + s", d, Options{}},
		{"groups, incomplete", threeFactors, holes, Options{Missing: FIML, GroupEqual: []Equal{Loadings, Intercepts}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, x := fitProblem(t, c.model, c.data, c.o)
			checkDerivatives(t, p, x, 1e-6)
		})
	}
}

func TestOrderedGradient(t *testing.T) {
	t.Parallel()
	d := simulated(600, 4, 5)
	d.Group = make([]string, 600)
	for i := range d.Group {
		d.Group[i] = string(rune('a' + i%2))
	}
	p, x := fitProblem(t, threeByFour, d, Options{Estimator: WLSMV, GroupEqual: []Equal{Loadings, Thresholds}})
	_, grad, _, ok := p.derivatives(x, expected)
	if !ok {
		t.Fatal("outside the domain")
	}
	for i := range x {
		v := x[i]
		const step = 1e-6
		x[i] = v + step
		up, _ := p.objective(x)
		x[i] = v - step
		down, _ := p.objective(x)
		x[i] = v
		if diff := (up - down) / (2 * step); math.Abs(diff-grad[i]) > 1e-6*(1+math.Abs(diff)) {
			t.Errorf("gradient %d is %v, by differences %v", i, grad[i], diff)
		}
	}
}

func TestCFAInvariants(t *testing.T) {
	t.Parallel()
	d, _ := goldenTable(t, "cfa_01_hs_ml")
	base := mustCFA(t, threeFactors, d, Options{Estimator: MLR})
	scaled := &Table{Names: d.Names, X: moved(d.X, 1000, 1e-3)}
	turned := &Table{Names: d.Names, X: upsideDown(d.X)}
	for name, x := range map[string]*Table{"scale": scaled, "order": turned} {
		f := mustCFA(t, threeFactors, x, Options{Estimator: MLR})
		if math.Abs(f.Indices.ChiSq/base.Indices.ChiSq-1) > 1e-8 || math.Abs(f.Indices.Scaled.ChiSq/base.Indices.Scaled.ChiSq-1) > 1e-7 {
			t.Errorf("%s: chi-squared %v became %v", name, base.Indices.ChiSq, f.Indices.ChiSq)
		}
		for i, p := range f.Parameters {
			if math.Abs(p.StdAll-base.Parameters[i].StdAll) > 1e-7 || math.Abs(p.Z-base.Parameters[i].Z) > 1e-5*(1+math.Abs(p.Z)) {
				t.Errorf("%s: %+v became %+v", name, base.Parameters[i], p)
			}
		}
	}
	// Another scale of the factors is the same model.
	f := mustCFA(t, threeFactors, d, Options{Estimator: MLR, StdLV: true})
	if math.Abs(f.Indices.ChiSq/base.Indices.ChiSq-1) > 1e-9 {
		t.Errorf("chi-squared %v with factors of variance 1", f.Indices.ChiSq)
	}
}

func TestOrderedIgnoresTheLabelsOfLevels(t *testing.T) {
	t.Parallel()
	d := simulated(400, 4, 9)
	other := &Table{Names: d.Names, X: moved(d.X, 10, 3)}
	a := mustCFA(t, threeByFour, d, Options{Estimator: WLSMV})
	b := mustCFA(t, threeByFour, other, Options{Estimator: WLSMV})
	if a.Indices.ChiSq != b.Indices.ChiSq {
		t.Errorf("%v became %v", a.Indices.ChiSq, b.Indices.ChiSq)
	}
}

// finite fails for any NaN or infinity anywhere in a result.
func finite(t *testing.T, what string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			t.Errorf("%s is %v", what, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				finite(t, what+"."+v.Type().Field(i).Name, v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			finite(t, what, v.Index(i))
		}
	case reflect.Pointer:
		if m, ok := v.Interface().(*mat.SymDense); ok {
			if m != nil {
				finite(t, what, reflect.ValueOf(rowMajor(m)))
			}
		} else if !v.IsNil() {
			finite(t, what, v.Elem())
		}
	}
}

func TestNamedStates(t *testing.T) {
	t.Parallel()
	d, _ := goldenTable(t, "cfa_01_hs_ml")
	t.Run("not identified", func(t *testing.T) {
		f, err := CFA(mustModel(t, "v =~ x1 + x2"), d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Identified || f.Vcov != nil || f.Indices.DF != -1 {
			t.Errorf("identified %v on %d degrees of freedom", f.Identified, f.Indices.DF)
		}
		finite(t, "fit", reflect.ValueOf(*f))
	})
	t.Run("saturated", func(t *testing.T) {
		f := mustCFA(t, "v =~ x1 + x2 + x3", d, Options{Estimator: MLR})
		if f.Indices.DF != 0 || f.Indices.ChiSq > 1e-8 || f.Indices.P != 1 || f.Indices.CFI != 1 {
			t.Errorf("%+v", f.Indices)
		}
		finite(t, "fit", reflect.ValueOf(*f))
	})
	t.Run("stopped", func(t *testing.T) {
		f, err := CFA(mustModel(t, threeFactors), d, Options{MaxIterations: 1})
		if err != nil {
			t.Fatal(err)
		}
		if f.Converged {
			t.Error("converged in one step")
		}
		finite(t, "fit", reflect.ValueOf(*f))
	})
	t.Run("Heywood", func(t *testing.T) {
		f, err := CFA(mustModel(t, threeFactors+"\nx7 ~~ x8\nvisual =~ x9"), d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Problems) == 0 || !strings.Contains(f.Problems[0], "negative") {
			t.Errorf("problems %v", f.Problems)
		}
		finite(t, "fit", reflect.ValueOf(*f))
	})
	t.Run("WLSMV", func(t *testing.T) {
		f := mustCFA(t, "f =~ ya+yb+yc", simulated(300, 3, 2), Options{Estimator: WLSMV})
		finite(t, "fit", reflect.ValueOf(*f))
	})
}

func TestBadModelsAndData(t *testing.T) {
	t.Parallel()
	d, text := goldenTable(t, "cfa_01_hs_ml")
	grouped := *d
	grouped.Group = text["school"]
	with := func(change func(x *mat.Dense)) *Table {
		x := mat.DenseCopyOf(d.X)
		change(x)
		return &Table{Names: d.Names, X: x}
	}
	x1 := d.Column("x1")
	setAll := func(v float64) *Table {
		return with(func(x *mat.Dense) {
			for i := range 301 {
				x.Set(i, x1, v)
			}
		})
	}
	for name, c := range map[string]struct {
		model string
		data  *Table
		o     Options
		says  string
	}{
		"no such column":        {"v =~ x1 + x2 + x33", d, Options{}, "x33"},
		"constant item":         {threeFactors, setAll(3), Options{}, "x1"},
		"missing item":          {threeFactors, setAll(math.NaN()), Options{}, "no row"},
		"missing item, FIML":    {threeFactors, setAll(math.NaN()), Options{Missing: FIML}, "x1"},
		"infinite value":        {threeFactors, with(func(x *mat.Dense) { x.Set(6, x1, math.Inf(1)) }), Options{}, "row 7"},
		"copied item":           {threeFactors, with(func(x *mat.Dense) { x.SetCol(x1+1, mat.Col(nil, x1, x)) }), Options{}, "singular"},
		"fewer rows than items": {threeFactors, &Table{Names: d.Names, X: mat.DenseCopyOf(d.X.Slice(0, 6, 0, 12))}, Options{}, ""},
		"unknown estimator":     {threeFactors, d, Options{Estimator: "GLS"}, "GLS"},
		"WLSMV with FIML":       {threeFactors, d, Options{Estimator: WLSMV, Missing: FIML}, "complete"},
		"measurements, WLSMV":   {"v =~ x1 + x4 + x7", simulatedAs(d), Options{Estimator: WLSMV}, "values"},
		"modifiers and groups":  {"v =~ x1 + c(a, b, c)*x2 + x3", &grouped, Options{}, "modifiers"},
		"unknown equality":      {threeFactors, &grouped, Options{GroupEqual: []Equal{"slopes"}}, "slopes"},
		"label on a marker":     {"v =~ a*x1 + a*x2 + x3", d, Options{}, "label"},
	} {
		f, err := CFA(mustModel(t, c.model), c.data, c.o)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, f != nil, err)
		}
	}
	if _, err := Invariance(mustModel(t, threeFactors), d, Options{}); err == nil {
		t.Error("invariance without groups: no error")
	}
	one := *d
	one.Group = make([]string, 301)
	if _, err := Invariance(mustModel(t, threeFactors), &one, Options{}); err == nil {
		t.Error("invariance of one group: no error")
	}
}

// simulatedAs is a table of measurements under the names of another.
func simulatedAs(d *Table) *Table {
	s := simulated(200, 0, 3)
	return &Table{Names: d.Names, X: s.X}
}

func TestParseModel(t *testing.T) {
	t.Parallel()
	m, err := ParseModel("# a comment\nf =~ x1 + NA*x2 +\n   .5*x3 ! another\ng =~ c(a, b)*x4 + x5; x1 ~~ x4\nx2 ~ 1\nf ~ g")
	if err != nil {
		t.Fatal(err)
	}
	const want = "f =~ x1\nf =~ NA*x2\nf =~ 0.5*x3\ng =~ c(a, b)*x4\ng =~ x5\nx1 ~~ x4\nx2 ~ 1\nf ~ g\n"
	if m.String() != want {
		t.Errorf("%s", m)
	}
	if got := strings.Join(m.Items(), " "); got != "x1 x2 x3 x4 x5" {
		t.Errorf("items %s", got)
	}
	for text, says := range map[string]string{
		"":                   "nothing",
		"x1 + x2":            "line 1",
		"f =~ x1 + 2x":       "2x",
		"\nf =~ x1 + ":       "line 2",
		"f =~ f":             "itself",
		"x ~ x":              "itself",
		"a := b":             ":=",
		"f =~ x1\na == 2":    "line 2",
		"f =~ (x1":           "(x1",
		"f =~ 1e999*x1 + x2": "1e999",
		"x | t1":             "|",
	} {
		if _, err := ParseModel(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseModel(f *testing.F) {
	for _, s := range []string{threeFactors, "f =~ c(a,b)*x1 + NA*x2;x1~~.5*x2", "x ~ 1", "f=~", "c(", "a*b*c =~ d", "ä =~ x1 + x2 # y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseModel(text)
		if err != nil {
			return
		}
		again, err := ParseModel(m.String())
		if err != nil {
			t.Fatalf("%q was written as %q: %v", text, m, err)
		}
		if again.String() != m.String() {
			t.Fatalf("%q became %q", m, again)
		}
	})
}

// TestWeakFactors fits factors that hardly exist to few persons: whatever happens
// must have a name, and most samples must have a minimum found.
func TestWeakFactors(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	const samples = 12
	converged := 0
	m := mustModel(t, "x =~ a+b+c\ny =~ d+e+f")
	for range samples {
		d := &Table{Names: []string{"a", "b", "c", "d", "e", "f"}, X: mat.NewDense(60, 6, nil)}
		for i := range 60 {
			for k := range 2 {
				e := rng.NormFloat64()
				for j := range 3 {
					d.X.Set(i, 3*k+j, .5*e+.85*rng.NormFloat64())
				}
			}
		}
		f, err := CFA(m, d, Options{Estimator: MLR})
		if err != nil {
			t.Fatal(err)
		}
		finite(t, "fit", reflect.ValueOf(*f))
		if f.Converged {
			converged++
			_, grad, _, _ := f.normal.derivatives(f.theta, expected)
			for _, g := range grad {
				if math.Abs(g) > 1e-6 {
					t.Errorf("slope %v at a minimum", g)
				}
			}
		}
	}
	t.Logf("%d of %d converged", converged, samples)
	if converged < samples*2/3 {
		t.Errorf("%d of %d converged", converged, samples)
	}
}
