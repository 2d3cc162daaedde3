// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// gridCases is what psych says of many small data sets; testdata/grid/grid.R
// writes it.
type gridCases struct {
	Alpha map[string]struct {
		X                    [][]*float64
		Raw, Std, G6, R, ASE float64
		Feldt, Drop, RDrop   []*float64
	}
	ICC []struct {
		X                           [][]*float64
		ICC, F, DF1, DF2, P, Lo, Hi []float64
	}
	Kappa []struct {
		T         [][]*float64
		K, KW, KL *float64
	}
	RSA map[string]struct {
		X, Y, Z, B, SE, A, ASE, P []float64
		R2                        float64
	}
}

func gridMatrix(rows [][]*float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, r := range rows {
		for j, x := range r {
			if x == nil {
				m.Set(i, j, math.NaN())
			} else {
				m.Set(i, j, *x)
			}
		}
	}
	return m
}

func TestGrid(t *testing.T) {
	name := os.Getenv("ENTENTE_PSYCH")
	if name == "" {
		name = filepath.Join("testdata", "grid", "grid.json")
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all gridCases
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	g := &gridReport{t: t, worst: map[string]float64{}}
	g.reliability(&all)
	g.agreement(&all)
	g.surfaces(&all)
	for _, q := range slices.Sorted(maps.Keys(g.worst)) {
		t.Logf("largest relative difference %-22s %.1e", q, g.worst[q])
	}
	t.Logf("%d numbers compared", g.count)
}

func (g *gridReport) reliability(all *gridCases) {
	g.t.Helper()
	for id, c := range all.Alpha {
		a, err := Alpha(gridMatrix(c.X), .95)
		if err != nil {
			g.t.Errorf("alpha %s: %v", id, err)
			continue
		}
		id = "alpha " + id
		g.is(id, "alpha", a.Raw, c.Raw, 1e-3, 1e-9)
		g.is(id, "standardised alpha", a.Standardised, c.Std, 1e-3, 1e-9)
		if !a.Singular {
			g.is(id, "G6", a.G6, c.G6, 1e-3, 1e-9)
		}
		g.is(id, "mean r", a.AverageR, c.R, 1e-3, 1e-9)
		g.is(id, "SE of alpha", a.SE, c.ASE, 1e-3, 1e-9)
		for i, w := range c.Feldt {
			g.is(id, "Feldt", a.CI[i], *w, 1e-3, 1e-9)
		}
		for i, it := range a.Items {
			if c.RDrop[i] != nil {
				g.is(id, "r without item", it.RDrop, *c.RDrop[i], 1e-3, 1e-9)
			}
			if len(a.Items) > 2 {
				g.is(id, "alpha without item", it.AlphaDrop, *c.Drop[i], 1e-3, 1e-9)
			}
		}
	}
}

func (g *gridReport) agreement(all *gridCases) {
	g.t.Helper()
	for _, c := range all.ICC {
		r, err := ICC(gridMatrix(c.X), .95)
		if err != nil {
			g.t.Errorf("ICC: %v", err)
			continue
		}
		for i, f := range r.Forms {
			g.is(f.Type, "ICC", f.ICC, c.ICC[i], 1e-3, 1e-9)
			g.is(f.Type, "ICC F", f.F, c.F[i], 1e-3, 1e-9)
			g.is(f.Type, "ICC p", f.P, c.P[i], 1e-3, 1e-9)
			g.is(f.Type, "ICC interval", f.CI[0], c.Lo[i], 1e-3, 1e-9)
			g.is(f.Type, "ICC interval", f.CI[1], c.Hi[i], 1e-3, 1e-9)
		}
	}
	for _, c := range all.Kappa {
		for w, want := range map[Weights]*float64{Unweighted: c.K, Quadratic: c.KW, Linear: c.KL} {
			k, err := Kappa(gridMatrix(c.T), w, .95)
			if err != nil {
				g.t.Errorf("kappa: %v", err)
			} else if want != nil {
				g.is("kappa", "kappa", k.Kappa, *want, 1e-3, 1e-9)
			}
		}
	}
}

func (g *gridReport) surfaces(all *gridCases) {
	g.t.Helper()
	for id, c := range all.RSA {
		s, err := ResponseSurface(c.X, c.Y, c.Z, .95)
		if err != nil {
			g.t.Errorf("surface: %v", err)
			continue
		}
		for i, b := range s.Coefficients {
			g.is(id, "surface b", b.Estimate, c.B[i], 1e-6, 1e-8)
			g.is(id, "surface se", b.SE, c.SE[i], 1e-6, 1e-8)
		}
		for i, a := range s.A {
			g.is(id, "surface a", a.Estimate, c.A[i], 1e-6, 1e-8)
			g.is(id, "surface a se", a.SE, c.ASE[i], 1e-6, 1e-8)
			g.is(id, "surface a p", a.P, c.P[i], 1e-6, 1e-7)
		}
		g.is(id, "surface R2", s.R2, c.R2, 1e-6, 1e-8)
	}
}
