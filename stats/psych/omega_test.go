// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// columnsOf picks columns of a table by name.
func columnsOf(t testing.TB, d *Table, names ...string) *mat.Dense {
	t.Helper()
	n, _ := d.X.Dims()
	x := mat.NewDense(n, len(names), nil)
	for j, name := range names {
		x.SetCol(j, column(d, name))
	}
	return x
}

func TestReferenceOmega(t *testing.T) {
	t.Parallel()
	g := openReference(t, "omega")
	hs, _ := goldenTable(t, "cfa_01_hs_ml")
	bfi, _ := goldenTable(t, "cfa_04_bfi_wlsmv")
	n, _ := bfi.X.Dims()
	for _, c := range []struct {
		name    string
		x       mat.Matrix
		factors int
	}{
		{"hs3", columnsOf(t, hs, "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9"), 3},
		{"bfi3", bfi.X, 3},
		{"bfi2", bfi.X.Slice(0, n, 0, 10), 2},
		{"bfi4", bfi.X, 4},
	} {
		o, err := OmegaHierarchical(c.x, c.factors)
		if err != nil {
			t.Fatal(err)
		}
		if !o.Loadings.Converged || o.Loadings.Heywood {
			t.Errorf("%s: converged %v, Heywood %v", c.name, o.Loadings.Converged, o.Loadings.Heywood)
		}
		// psych's optimisers stop at about 1e-4.
		const tol = 1e-3
		for key, v := range map[string]float64{"omega_h": o.Hierarchical, "omega_lim": o.Asymptotic, "alpha": o.Alpha, "omega_tot": o.Total, "ECV": o.ECV} {
			g.num(c.name+"/"+key, v, tol)
		}
		for i, v := range o.Loadings.General {
			g.within(fmt.Sprintf("%s/g/%d", c.name, i), math.Abs(v), tol, 1)
			g.within(fmt.Sprintf("%s/u2/%d", c.name, i), o.Loadings.Uniqueness[i], tol, 1)
		}
		for i := range c.factors {
			g.within(fmt.Sprintf("%s/gloading/%d", c.name, i), math.Abs(o.Loadings.Second[i]), tol, 1)
			for j := range c.factors {
				g.within(fmt.Sprintf("%s/phi/%d", c.name, i*c.factors+j), math.Abs(o.Loadings.Phi.At(i, j)), tol, 1)
			}
		}
	}
	g.done()
}

func columnsOfAll(d *Table) *mat.Dense { return mat.DenseCopyOf(d.X) }

func TestOmegaModel(t *testing.T) {
	t.Parallel()
	d, _ := goldenTable(t, "cfa_01_hs_ml")
	m, err := BifactorModel("g", Factor{"t", []string{"x4", "x5", "x6"}}, Factor{"s", []string{"x7", "x8", "x9"}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := CFA(m, d, Options{StdLV: true, Orthogonal: true})
	if err != nil || !f.Converged {
		t.Fatal(err, f)
	}
	// By hand: squared sums of loadings over the implied variance of the sum.
	sum, rest := map[string]float64{}, 0.0
	for _, p := range f.Parameters {
		switch {
		case p.Op == "=~":
			sum[p.LHS] += p.Estimate
		case p.Op == "~~" && p.LHS == p.RHS && p.LHS[0] == 'x':
			rest += p.Estimate
		}
	}
	common := sum["g"]*sum["g"] + sum["t"]*sum["t"] + sum["s"]*sum["s"]
	h, total, err := OmegaModel(f, "g", 1)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(h-sum["g"]*sum["g"]/(common+rest)) > 1e-12 || math.Abs(total-common/(common+rest)) > 1e-12 {
		t.Errorf("hierarchical %v, total %v", h, total)
	}
	for _, bad := range []func() error{
		func() error { _, _, err := OmegaModel(f, "x4", 1); return err },
		func() error { _, _, err := OmegaModel(f, "none", 1); return err },
		func() error { _, _, err := OmegaModel(f, "g", 2); return err },
	} {
		if bad() == nil {
			t.Error("no error")
		}
	}
}
