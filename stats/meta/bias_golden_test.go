// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import "testing"

// battery is the helper bias of R.
func battery(d Data) tree {
	mixed, classic, begg := must(EggerMixed(d, Options{})), must(Egger(d)), must(Begg(d))
	fill := func(method Method, estimator TrimEstimator) tree {
		f := must(TrimFill(d, Options{Method: method}, estimator, ""))
		y, v := []float64{}, []float64{}
		for _, e := range f.Filled {
			y, v = append(y, e.Y), append(v, e.V)
		}
		c := f.Fit.Coefficients[0]
		return tree{
			"k0": f.K0, "side": string(f.Side), "se_k0": f.SEK0, "k": f.Fit.K, "beta": c.Estimate, "se": c.SE,
			"ci_lb": c.Lower, "ci_ub": c.Upper, "tau2": f.Fit.Tau2, "filled_yi": y, "filled_vi": v,
		}
	}
	table := func(r RegressionTest, predictor string) tree {
		rows := [][]float64{}
		for _, c := range []Coefficient{r.Limit, r.Slope} {
			rows = append(rows, []float64{c.Estimate, c.SE, c.Stat, c.P})
		}
		return tree{
			"rows": []string{"(Intercept)", predictor}, "cols": []string{"Estimate", "Std. Error", "t value", "Pr(>|t|)"},
			"values": rows,
		}
	}
	limit := func(r RegressionTest) []float64 { return []float64{r.Limit.Lower, r.Limit.Upper} }
	return tree{
		"egger_rma_REML":   tree{"z": mixed.Slope.Stat, "p": mixed.Slope.P, "limit_est": mixed.Limit.Estimate, "limit_ci": limit(mixed)},
		"egger_classic_lm": tree{"t": classic.Slope.Stat, "df": classic.Slope.DF, "p": classic.Slope.P, "limit_est": classic.Limit.Estimate, "limit_ci": limit(classic)},
		"begg_kendall":     tree{"tau": begg.Tau, "p": begg.P},
		"trimfill_DL_L0":   fill(DL, L0), "trimfill_DL_R0": fill(DL, R0), "trimfill_REML_L0": fill(REML, L0),
		"failsafe_rosenthal": must(Failsafe(d, Rosenthal, 0, 0)),
		"PET_wls":            table(must(PET(d)), "s"), "PEESE_wls": table(must(PEESE(d)), "vi"),
	}
}

func TestGoldenBiasOddsRatios(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_08")
	// trimfill of R refits with its own tolerance, 1e-5, whatever the model had.
	g.compare(battery(Data{Y: g.numbers("yi"), V: g.numbers("vi")}), map[string]float64{".trimfill_REML_L0": 1e-5}, nil)
}

func TestGoldenBiasCorrelations(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_12")
	y, v := g.fisherZ("r", "n")
	g.compare(battery(Data{Y: y, V: v}), nil, nil)
}
