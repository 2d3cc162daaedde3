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
