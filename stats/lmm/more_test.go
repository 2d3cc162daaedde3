// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"testing"

	"github.com/entente-project/entente/stats"
)

// The further reference values come of testdata/more/make.R.

// summary writes a model as the function fit of make.R does.
func summary(t *testing.T, m *Model, satterthwaite bool) map[string]any {
	t.Helper()
	o := lm4(t, m, false, satterthwaite)
	var vcov, sdcor []float64
	for _, c := range m.Components {
		vcov, sdcor = append(vcov, c.VCov), append(sdcor, c.SDCor)
	}
	o["vcov"], o["sdcor"] = vcov, sdcor
	return o
}

func fTest(t *testing.T, f FTest, err error) map[string]any {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"F": f.F, "ddf": f.DF2, "p": f.P, "scale": f.Scale}
}

// unit gives contrasts for single coefficients.
func unit(p int, at ...int) [][]float64 {
	var l [][]float64
	for _, j := range at {
		row := make([]float64, p)
		row[j] = 1
		l = append(l, row)
	}
	return l
}

// loose sets tolerances for what hangs on the last digits of R's optimiser.
func loose(g *golden) *golden {
	for _, k := range []string{"vcov", "sdcor", "satterthwaite", "ddf", "scale", "F", "p", "se", "fitted_head"} {
		g.tolerance[k] = 1e-5
	}
	return g
}

func TestMoreCrossed(t *testing.T) {
	t.Parallel()
	f := readFrame(t, "crossed.csv")
	m := mustFit(t, "y ~ x * arm + (1 + x | p) + (1 | th)", f, nil)
	w := mustFit(t, "y ~ x * arm + (1 + x | p) + (1 | th)", f, &Options{Weights: "w"})
	s := mustFit(t, "y ~ x * arm + (x || p) + (1 | th)", f, &Options{ML: true, Contrasts: map[string]stats.Contrast{"arm": stats.Sum()}})
	kr := func(m *Model, at ...int) map[string]any {
		k, err := m.KenwardRogerF(unit(6, at...))
		return fTest(t, k, err)
	}
	sf, err := m.SatterthwaiteF(unit(6, 4, 5))
	loose(newGolden(t, "crossed")).done(map[string]any{"plain": summary(t, m, true), "weighted": summary(t, w, true), "sum_ml": summary(t, s, true),
		"kr_slope": kr(m, 1), "kr_interaction": kr(m, 4, 5), "kr_weighted": kr(w, 4, 5), "satt_interaction": fTest(t, sf, err)})
}

func TestMorePenicillin(t *testing.T) {
	t.Parallel()
	m := mustFit(t, "diameter ~ 1 + (1 | plate) + (1 | sample)", readFrame(t, "penicillin.csv"), nil)
	intervals, err := m.Profile(t.Context(), 0.95)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var values [][]float64
	for _, i := range intervals {
		names, values = append(names, i.Name), append(values, []float64{i.Lower, i.Upper})
	}
	k, err := m.KenwardRogerF(unit(1, 0))
	g := loose(newGolden(t, "penicillin"))
	g.tolerance["profile"] = 2e-4 // lme4 interpolates its profile
	g.done(map[string]any{"fit": summary(t, m, true), "kr": fTest(t, k, err),
		"profile": map[string]any{"rows": names, "cols": []string{"2.5 %", "97.5 %"}, "values": values}})
}

func TestMoreCake(t *testing.T) {
	t.Parallel()
	m := mustFit(t, "angle ~ recipe * factor(temp) + (1 | recipe:replicate)", readFrame(t, "cake.csv"), nil)
	both := func(at ...int) (kr, satt map[string]any) {
		k, err := m.KenwardRogerF(unit(18, at...))
		kr = fTest(t, k, err)
		s, err := m.SatterthwaiteF(unit(18, at...))
		return kr, fTest(t, s, err)
	}
	ki, si := both(8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
	kr, sr := both(1, 2)
	loose(newGolden(t, "cake")).done(map[string]any{"fit": summary(t, m, true), "kr_interaction": ki, "satt_interaction": si, "kr_recipe": kr, "satt_recipe": sr})
}

func TestMoreSessions(t *testing.T) {
	t.Parallel()
	f := readFrame(t, "sessions.csv")
	nlme := func(formula string, o *Options) map[string]any {
		m := mustFit(t, formula, f, o)
		if !m.State.Converged {
			t.Errorf("%s: %+v", formula, m.State)
		}
		names, beta, se := columnsOf(m)
		tests, err := m.Containment()
		if err != nil {
			t.Fatal(err)
		}
		var df, sd []float64
		for _, c := range tests {
			df = append(df, c.DF)
		}
		for _, c := range m.Components {
			if c.Var2 == "" {
				sd = append(sd, c.SDCor)
			}
		}
		out := map[string]any{"names": names, "beta": beta, "se": se, "df": df, "sigma": m.Sigma, "logLik": m.LogLik, "sd_re": sd, "cor": []float64{m.Residual.Correlation}, "ratio": nil}
		if m.Residual.Ratio != nil {
			out["ratio"] = []float64{m.Residual.Ratio[0]}
		}
		return out
	}
	ar1 := &Correlation{Kind: AR1, Group: "id", Time: "t"}
	g := loose(newGolden(t, "sessions"))
	for _, k := range []string{"beta", "sigma", "sd_re", "cor", "ratio", "se"} {
		g.tolerance[k] = 1e-4 // nlme stops early
	}
	got := map[string]any{
		"ar1_gaps":      nlme("y ~ t * arm + (1 | id)", &Options{Within: ar1}),
		"ar1_var_slope": nlme("y ~ t + (t | id)", &Options{Within: ar1, Variance: &Variances{Stratum: "arm"}}),
		"car1_ml":       nlme("y ~ t + (1 | id)", &Options{ML: true, Within: &Correlation{Kind: ContinuousAR1, Group: "id", Time: "hours"}}),
		"gls_ar1":       nlme("y ~ t", &Options{Within: ar1}),
		"gls_cs":        nlme("y ~ t", &Options{Within: &Correlation{Kind: Symmetric, Group: "id"}}),
	}
	g.done(got)
}
