// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// multilevelCase is a model of a set as R has it.
type multilevelCase struct {
	Mods                              bool
	Method, Test                      string
	Rho                               float64
	Sigma2, Beta, SE, P, Lower, Upper []float64
	QE, QEp, LogLik                   float64
	Robust                            map[string]struct{ SE, DF, P []float64 }
}

// TestMultilevelGrid holds three-level models of simulated sets, with correlated
// errors and robust ones, against metafor and clubSandwich.
func TestMultilevelGrid(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "reference", "multilevel_grid.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Sets []struct {
			Y, V, X []float64
			Study   []string
			Fits    []multilevelCase
		}
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	g := &multilevelReport{t: t, worst: map[string]float64{}}
	for i, s := range all.Sets {
		rows := make([]string, len(s.Y))
		for k := range rows {
			rows[k] = fmt.Sprint(k)
		}
		for _, c := range s.Fits {
			d := MultilevelData{Data: Data{Y: s.Y, V: s.V}, Levels: []Level{{Name: "study", Group: s.Study}, {Name: "row", Group: rows}}}
			if c.Mods {
				d.Moderators = []Moderator{{"x", s.X}}
			}
			if c.Rho > 0 {
				d.Correlated = &Correlated{Within: "study", Rho: c.Rho}
			}
			r, err := FitMultilevel(d, Options{Method: Method(c.Method), Test: Test(c.Test)})
			if err != nil {
				t.Fatal(err)
			}
			g.model(fmt.Sprintf("set %d, moderator %v, %s, %s, rho %v", i+1, c.Mods, c.Method, c.Test, c.Rho), r, c, s.Study)
		}
	}
	t.Logf("%d numbers; largest relative differences %v", g.n, g.worst)
	if g.n < 1175 {
		t.Errorf("only %d numbers were compared", g.n)
	}
}

// multilevelReport collects the largest difference of each quantity.
type multilevelReport struct {
	t     *testing.T
	n     int
	worst map[string]float64
}

// is allows a relative difference, of numbers below the floor an absolute one.
func (g *multilevelReport) is(where, what string, ours, theirs, tolerance, floor float64) {
	g.t.Helper()
	d := math.Abs(ours-theirs) / math.Max(math.Abs(theirs), floor)
	if !(d <= tolerance) {
		g.t.Errorf("%s: %s is %v, in R %v", where, what, ours, theirs)
	}
	g.n++
	g.worst[what] = math.Max(g.worst[what], d)
}

func (g *multilevelReport) model(where string, r *MultilevelResult, c multilevelCase, study []string) {
	g.t.Helper()
	if r.LogLik < c.LogLik-1e-9 {
		g.t.Errorf("%s: the likelihood %v is below R's %v", where, r.LogLik, c.LogLik)
	}
	g.is(where, "log-likelihood", r.LogLik, c.LogLik, 1e-9, 1)
	g.is(where, "QE", r.QE.Stat, c.QE, 1e-9, 0)
	g.is(where, "p of QE", r.QE.P, c.QEp, 1e-8, 0)
	for i, x := range r.Components {
		g.is(where, "variance", x.Sigma2, c.Sigma2[i], 1e-5, 1e-2)
	}
	for i, x := range r.Coefficients {
		for _, v := range []struct {
			what         string
			ours, theirs float64
		}{{"estimate", x.Estimate, c.Beta[i]}, {"SE", x.SE, c.SE[i]}, {"lower", x.Lower, c.Lower[i]}, {"upper", x.Upper, c.Upper[i]}, {"p", x.P, c.P[i]}} {
			g.is(where, v.what, v.ours, v.theirs, 1e-5, 1e-3)
		}
	}
	for kind, want := range c.Robust {
		// R's CR1 is what we call CR1m; Satterthwaite's degrees of freedom we give
		// with CR2 alone.
		adjustment := map[string]Adjustment{"CR0": CR0, "CR1": CR1M, "CR2": CR2}[kind]
		b, err := r.Robust(study, adjustment)
		if err != nil {
			g.t.Errorf("%s: %v", where, err)
			continue
		}
		for i, x := range b.Coefficients {
			g.is(where, kind+" SE", x.SE, want.SE[i], 1e-5, 1e-3)
			if adjustment == CR2 {
				g.is(where, "CR2 df", x.DF, want.DF[i], 1e-5, 0)
				g.is(where, "CR2 p", x.P, want.P[i], 1e-5, 1e-3)
			}
		}
	}
}
