// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestReferenceExtra compares scores, modification indices, a graded response
// model with items of two to six levels, and two more models of couples.
func TestReferenceExtra(t *testing.T) {
	t.Parallel()
	g := openReference(t, "extra")
	d, text := goldenTable(t, "cfa_01_hs_ml")
	grouped := *d
	grouped.Group = text["school"]
	holes := withHoles(d)
	scalar := mustCFA(t, threeFactors, &grouped, Options{GroupEqual: []Equal{Loadings, Intercepts}})
	compareScores(g, "scores_groups", scalar, []int{0, 1, 2, scalar.GroupN[0], scalar.GroupN[0] + 1, scalar.GroupN[0] + 2})
	incomplete := mustCFA(t, threeFactors, holes, Options{Missing: FIML})
	compareScores(g, "scores_fiml", incomplete, []int{0, 1, 2, 3, 4, 5})
	compareModifications(g, "mi_mlr", mustCFA(t, threeFactors, d, Options{Estimator: MLR}))
	compareModifications(g, "mi_groups", mustCFA(t, threeFactors, &grouped, Options{}))
	compareModifications(g, "mi_fiml", incomplete)
	compareGraded(t, g)
	compareCouples(t, g)
	g.done()
}

func compareScores(g *golden, path string, f *Fit, rows []int) {
	g.t.Helper()
	s, err := f.Scores()
	if err != nil {
		g.t.Fatal(err)
	}
	for i, row := range rows {
		g.nums(fmt.Sprintf("%s/values/%d", path, i), s.RawRowView(row), polished)
	}
	g.skip(path+"/cols", "names")
}

func compareModifications(g *golden, path string, f *Fit) {
	g.t.Helper()
	found, err := f.Modifications()
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; g.has(fmt.Sprintf("%s/lhs/%d", path, i)); i++ {
		at := func(s string) string { return fmt.Sprintf("%s/%s/%d", path, s, i) }
		m := found[i]
		g.text(at("lhs"), m.LHS)
		g.text(at("op"), m.Op)
		g.text(at("rhs"), m.RHS)
		g.num(at("group"), float64(m.Group), closed)
		g.num(at("mi"), m.MI, polished)
		g.num(at("epc"), m.EPC, polished)
	}
}

func compareGraded(t *testing.T, g *golden) {
	t.Helper()
	d, _ := goldenTable(t, "irt_01_bfi_grm")
	x := mat.DenseCopyOf(d.X.Slice(0, 300, 0, 5))
	for i := range 300 {
		e1 := 1.0
		if x.At(i, 0) > 3 {
			e1 = 2
		}
		x.Set(i, 0, e1)
		x.Set(i, 1, math.Min(math.Max(x.At(i, 1), 2), 5)-1)
		x.Set(i, 2, math.Max(x.At(i, 2), 2)-1)
	}
	r, err := GradedResponse(x, GradedOptions{})
	if err != nil || !r.Converged || !r.Identified {
		t.Fatal(err, r)
	}
	if r.LogL < g.want("grm/logLik")-1e-9 {
		t.Errorf("log likelihood %v is below R's %v", r.LogL, g.want("grm/logLik"))
	}
	g.within("grm/logLik", r.LogL, 1e-4, 1)
	for j, item := range r.Items {
		g.within(fmt.Sprintf("grm/a/%d", j), item.A, 1e-3, 1)
		for k := range item.D {
			at := func(s string) string {
				if p := fmt.Sprintf("grm/%s/%d", s, j); len(item.D) == 1 && g.has(p) {
					return p
				}
				return fmt.Sprintf("grm/%s/%d/%d", s, j, k)
			}
			g.within(at("d"), item.D[k], 2e-3, math.Max(1, math.Abs(item.D[k])))
			g.within(at("b"), item.B[k], 2e-3, math.Max(1, math.Abs(item.B[k])))
		}
	}
	for i := range 10 {
		m, sd, err := r.EAP(x.RawRowView(i))
		if err != nil {
			t.Fatal(err)
		}
		g.within(fmt.Sprintf("grm/eap_head/%d", i), m, 1e-3, 1)
		g.within(fmt.Sprintf("grm/psd_head/%d", i), sd, 1e-3, 1)
	}
	g.skip("grm/conv", "R's code for convergence")
}

func compareCouples(t *testing.T, g *golden) {
	t.Helper()
	d, _ := goldenTable(t, "dyad_01_acitelli_apim")
	one, two := []Dyad{}, []Dyad{}
	x, mean := column(d, "tension_a"), 0.0
	other, sat, id := column(d, "otherpos_a"), column(d, "sat"), column(d, "CoupleID")
	var kept []int
	for i := 0; i+1 < len(id); i += 2 {
		if !math.IsNaN(sat[i] + sat[i+1] + x[i] + x[i+1]) {
			kept = append(kept, i)
			mean += x[i] + x[i+1]
		}
	}
	mean /= float64(2 * len(kept))
	for _, i := range kept {
		o := [2]float64{sat[i], sat[i+1]}
		one = append(one, Dyad{o, [2][]float64{{x[i] - mean}, {x[i+1] - mean}}})
		two = append(two, Dyad{o, [2][]float64{{x[i] - mean, other[i]}, {x[i+1] - mean, other[i+1]}}})
	}
	g.num("apim_rows", float64(2*len(kept)), closed)
	for _, c := range []struct {
		path  string
		ds    []Dyad
		names []string
		o     APIMOptions
		order []int
	}{
		{"apim_reml", one, []string{"tension"}, APIMOptions{Roles: true, REML: true}, []int{0, 3, 1, 2, 4, 5}},
		// R's order: actor and partner of tension, then of otherpos.
		{"apim_two", two, []string{"tension", "otherpos"}, APIMOptions{REML: true}, []int{0, 1, 3, 2, 4}},
	} {
		r, err := APIM(c.ds, c.names, c.o)
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range c.order {
			g.num(fmt.Sprintf("%s/beta/%d", c.path, i), r.Coefficients[k].Estimate, optimised)
			g.num(fmt.Sprintf("%s/se/%d", c.path, i), r.Coefficients[k].SE, optimised)
		}
		g.num(c.path+"/sigma", r.SD[0], optimised)
		g.num(c.path+"/logLik", r.LogL, optimised)
	}
}
