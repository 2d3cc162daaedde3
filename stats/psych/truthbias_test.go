// SPDX-License-Identifier: AGPL-3.0-or-later

package psych

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestTruthBiasSessionsAgainstR(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "reference", "truthbias.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Judgment, Truth                 []*float64
		Dyad                            []string
		N                               int
		Est, SE, T, P, Lower, Upper, SD []float64
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	values := func(x []*float64) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = math.NaN()
			if v != nil {
				out[i] = *v
			}
		}
		return out
	}
	r, err := TruthBiasSessions(values(c.Judgment), values(c.Truth), c.Dyad, .95)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sessions != c.N || r.Omitted != len(c.Dyad)-c.N || r.Dyads != 40 || !r.Model.State.Converged {
		t.Errorf("%d sessions of %d dyads, %d omitted, %+v", r.Sessions, r.Dyads, r.Omitted, r.Model.State)
	}
	g := &gridReport{t: t, worst: map[string]float64{}}
	for i, x := range []Coefficient{r.DirectionalBias, r.Truth} {
		g.is(x.Name, "estimate", x.Estimate, c.Est[i], 0, 1e-6)
		g.is(x.Name, "se", x.SE, c.SE[i], 0, 1e-5)
		g.is(x.Name, "t", x.T, c.T[i], 0, 1e-5)
		g.is(x.Name, "p", x.P, c.P[i], 0, 1e-4)
		g.is(x.Name, "lower", x.CI[0], c.Lower[i], 0, 1e-5)
		g.is(x.Name, "upper", x.CI[1], c.Upper[i], 0, 1e-5)
	}
	for i, x := range []float64{r.BiasSD, r.TruthSD, r.Rho, r.Sigma} {
		g.is("random", "sd", x, c.SD[i], 0, 2e-5)
	}
	t.Logf("largest relative differences %v", g.worst)
}

func TestTruthBiasSessionsRefusesBadData(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, c := range map[string]struct {
		j, t []float64
		g    []string
	}{
		"empty":          {},
		"one dyad":       {[]float64{1, 2, 3}, []float64{2, 1, 4}, []string{"a", "a", "a"}},
		"all missing":    {[]float64{nan, nan}, []float64{1, 2}, []string{"a", "b"}},
		"constant truth": {[]float64{1, 2, 3, 5, 4, 6}, []float64{1, 1, 1, 2, 2, 2}, []string{"a", "a", "a", "b", "b", "b"}},
		"infinite":       {[]float64{1, math.Inf(1), 3, 5}, []float64{1, 2, 1, 2}, []string{"a", "a", "b", "b"}},
		"one row each":   {[]float64{1, 2, 3}, []float64{1, 3, 1}, []string{"a", "b", "c"}},
	} {
		if r, err := TruthBiasSessions(c.j, c.t, c.g, .95); err == nil {
			t.Errorf("%s: %+v", name, r)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	if _, err := TruthBiasSessions([]float64{1}, []float64{1}, []string{"a"}, 1); err == nil {
		t.Error("level 1 is accepted")
	}
}
