// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// withHoles is the Holzinger-Swineford table with the values missing that the
// reference left out.
func withHoles(d *Table) *Table {
	x := *d
	x.X = columnsOfAll(d)
	first := d.Column("x1")
	n, _ := d.X.Dims()
	for i := 1; i <= n; i++ {
		for j := 1; j <= 9; j++ {
			if (i*7+j*3)%11 == 0 && (i+j)%3 != 0 {
				x.X.Set(i-1, first+j-1, math.NaN())
			}
		}
	}
	return &x
}

// TestReferenceModels compares models of many kinds with lavaan's own numbers
// after some Newton steps.
func TestReferenceModels(t *testing.T) {
	t.Parallel()
	g := openReference(t, "models")
	d, text := goldenTable(t, "cfa_01_hs_ml")
	grouped := *d
	grouped.Group = text["school"]
	holes := withHoles(&grouped)
	ungrouped := *holes
	ungrouped.Group = nil
	const m = threeFactors
	loadings := []Equal{Loadings}
	for _, c := range []struct {
		name, model string
		data        *Table
		o           Options
	}{
		{"stdlv", m, d, Options{StdLV: true}},
		{"secondorder", m + "\ng =~ visual + textual + speed", d, Options{}},
		{"regression", m + "\nspeed ~ visual + textual", d, Options{}},
		{"labels", "visual =~ x1 + a*x2 + a*x3 + x9\ntextual =~ x4+x5+x6\nspeed =~ x7+x8+x9\nx1 ~~ x4\nvisual ~~ 0*speed", d, Options{}},
		{"means", m, d, Options{MeanStructure: true}},
		{"mlrmeans", m, d, Options{Estimator: MLR, MeanStructure: true}},
		{"mlmmeans", m, d, Options{Estimator: MLM, MeanStructure: true}},
		{"stdlvgroups", m, &grouped, Options{StdLV: true, GroupEqual: loadings}},
		{"partial", m, &grouped, Options{GroupEqual: []Equal{Loadings, Intercepts}, GroupPartial: []string{"x3 ~ 1", "visual =~ x2"}}},
		{"everything", m, &grouped, Options{GroupEqual: []Equal{Loadings, Intercepts, Residuals, FactorVariances, FactorCovariances, Means}}},
		{"grouplabels", "visual =~ x1 + c(a, a)*x2 + c(.7, NA)*x3\ntextual =~ x4 + x5 + x6", &grouped, Options{}},
		{"fimlgroups", m, holes, Options{Missing: FIML, GroupEqual: loadings}},
		{"fimlmlrgroups", m, holes, Options{Missing: FIML, Estimator: MLR, GroupEqual: loadings}},
		{"listwise", m, &ungrouped, Options{}},
		{"bifactor", "g =~ x1+x2+x3+x4+x5+x6+x7+x8+x9\nt =~ x4+x5+x6\ns =~ x7+x8+x9", d, Options{StdLV: true, Orthogonal: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sub := *g
			sub.t = t
			compareFit(&sub, c.name, mustCFA(t, c.model, c.data, c.o), polished)
		})
	}
	for _, e := range []Estimator{MLR, MLM} {
		steps, err := Invariance(mustModel(t, m), &grouped, Options{Estimator: e})
		if err != nil {
			t.Fatal(err)
		}
		path := string(e) + "invariance/"
		for i, s := range steps {
			compareFit(g, path+s.Name, s.Fit, polished)
			if s.Test != nil {
				at := func(s string) string { return fmt.Sprintf("%slrt/%s/%d", path, s, i-1) }
				g.num(at("diff"), s.Test.ChiSq, polished)
				g.num(at("df"), float64(s.Test.DF), polished)
				g.num(at("p"), s.Test.P, polished)
			}
		}
	}
	g.done()
}

// TestReferenceOrdered does the same for ordered items. lavaan's polychoric
// correlations are off by up to 2e-7, and what follows from them by more.
func TestReferenceOrdered(t *testing.T) {
	t.Parallel()
	const near = 1e-5
	g := openReference(t, "ordered")
	d, _ := goldenTable(t, "cfa_04_bfi_wlsmv")
	n, _ := d.X.Dims()
	halves := *d
	for i := range n {
		halves.Group = append(halves.Group, []string{"odd", "even"}[i%2])
	}
	binary := &Table{Names: d.Names, X: mat.DenseCopyOf(d.X.Slice(0, 200, 0, 15))}
	binary.X.Apply(func(_, _ int, v float64) float64 {
		if v > 3 {
			return 1
		}
		return 0
	}, binary.X)
	const m = "A =~ A1+A2+A3+A4+A5\nC =~ C1+C2+C3+C4+C5"
	for _, c := range []struct {
		name, model string
		data        *Table
		o           Options
	}{
		{"stdlv", m, d, Options{Estimator: WLSMV, StdLV: true, Orthogonal: true}},
		{"binary", m, binary, Options{Estimator: WLSMV}},
		{"covres", m + "\nA1 ~~ A2\nA =~ C5", d, Options{Estimator: WLSMV}},
		{"dwlsgroups", m, &halves, Options{Estimator: DWLS, GroupEqual: []Equal{Loadings}}},
		{"second", m + "\nE =~ E1+E2+E3\ng =~ A + C + E", d, Options{Estimator: WLSMV}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sub := *g
			sub.t = t
			compareFit(&sub, c.name, mustCFA(t, c.model, c.data, c.o), near)
		})
	}
	steps, err := Invariance(mustModel(t, m), &halves, Options{Estimator: WLSMV})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range steps {
		if i < 2 {
			// See robustOrdered: with two groups lavaan counts the baseline's factor
			// twice.
			g.skip(s.Name+"/fit/cfi.robust", "lavaan's factor of the baseline is that of each group, added")
			g.skip(s.Name+"/fit/tli.robust", "lavaan's factor of the baseline is that of each group, added")
			delete(g.leaves, s.Name+"/fit/cfi.robust")
			delete(g.leaves, s.Name+"/fit/tli.robust")
		}
		compareFit(g, s.Name, s.Fit, near)
		if s.Test != nil {
			at := func(s string) string { return fmt.Sprintf("lrt/%s/%d", s, i-1) }
			g.num(at("diff"), s.Test.ChiSq, near)
			g.num(at("df"), float64(s.Test.DF), near)
			g.num(at("p"), s.Test.P, near)
		}
	}
	g.done()
}

// TestReferenceUnequalGroups: groups of unequal size, where it matters whether a
// group is counted with n persons or n-1.
func TestReferenceUnequalGroups(t *testing.T) {
	t.Parallel()
	const near = 1e-5
	g := openReference(t, "unequal")
	d, _ := goldenTable(t, "cfa_04_bfi_wlsmv")
	n, _ := d.X.Dims()
	thirds := *d
	for i := range n {
		thirds.Group = append(thirds.Group, []string{"rest", "rest", "third"}[i%3])
	}
	const m = "A =~ A1+A2+A3+A4+A5\nC =~ C1+C2+C3+C4+C5"
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"configural", Options{Estimator: WLSMV}},
		{"loadings", Options{Estimator: WLSMV, GroupEqual: []Equal{Loadings}}},
		{"thresholds", Options{Estimator: WLSMV, GroupEqual: []Equal{Loadings, Thresholds}}},
		{"dwls", Options{Estimator: DWLS, GroupEqual: []Equal{Loadings}}},
	} {
		if c.name == "configural" || c.name == "loadings" {
			for _, k := range []string{"cfi", "tli"} {
				path := c.name + "/fit/" + k + ".robust"
				g.skip(path, "lavaan's factor of the baseline is that of each group, added")
				delete(g.leaves, path)
			}
		}
		compareFit(g, c.name, mustCFA(t, m, &thirds, c.o), near)
	}
	g.done()
}

// TestGroupsAreNumberedAsTold: by Order, whichever group has the first row.
func TestGroupsAreNumberedAsTold(t *testing.T) {
	t.Parallel()
	names, rows, err := splitGroups(&Table{Names: []string{"x"}, X: mat.NewDense(4, 1, nil), Group: []string{"b", "a", "c", "b"}, Order: []string{"a", "z", "a", "b"}})
	if err != nil || fmt.Sprint(names, rows) != "[a b c] [[1] [0 3] [2]]" {
		t.Errorf("%v %v %v", names, rows, err)
	}
}
