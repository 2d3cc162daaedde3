// SPDX-License-Identifier: AGPL-3.0-or-later

package meta_test

import (
	"fmt"
	"math"

	"github.com/entente-project/entente/stats/meta"
)

// Six studies correlate the alliance at session three with outcome.
func ExampleFit() {
	r := []float64{0.28, 0.41, 0.12, 0.33, 0.25, 0.05}
	n := []float64{60, 38, 112, 45, 80, 150}
	z, v, err := meta.Effects(len(r), func(i int) (meta.Effect, error) { return meta.FisherZ(r[i], n[i]) })
	if err != nil {
		fmt.Println(err)
		return
	}
	fit, err := meta.Fit(meta.Data{Y: z, V: v}, meta.Options{Test: meta.KnappHartung})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := fit.Predict(nil, meta.PredictHTS)
	if err != nil {
		fmt.Println(err)
		return
	}
	p = p.Transformed(meta.ZToR)
	fmt.Printf("r = %.2f, 95 %% CI %.2f to %.2f, tau² = %.4f, I² = %.0f %%\n", p.Estimate, p.Lower, p.Upper, fit.Tau2, fit.I2)
	fmt.Printf("a new study: %.2f to %.2f by %s\n", p.PILower, p.PIUpper, p.Kind)
	// Output:
	// r = 0.20, 95 % CI 0.06 to 0.34, tau² = 0.0071, I² = 35 %
	// a new study: -0.08 to 0.45 by t(k-p-1)
}

// Two or three effects from each study, with correlated sampling errors.
func ExampleFitMultilevel() {
	study := []string{"A", "A", "A", "B", "B", "C", "C", "D", "D", "E", "E", "E", "F", "F"}
	effect := []string{"1", "2", "3", "1", "2", "1", "2", "1", "2", "1", "2", "3", "1", "2"}
	y := []float64{0.42, 0.35, 0.61, 0.10, 0.22, 0.38, 0.05, 0.55, 0.71, -0.12, 0.15, 0.02, 0.30, 0.44}
	v := []float64{0.03, 0.03, 0.04, 0.02, 0.02, 0.05, 0.05, 0.04, 0.04, 0.02, 0.02, 0.03, 0.06, 0.05}
	m, err := meta.FitMultilevel(meta.MultilevelData{
		Data:       meta.Data{Y: y, V: v},
		Levels:     []meta.Level{{Name: "study", Group: study}, {Name: "effect", Group: effect}},
		Correlated: &meta.Correlated{Within: "study", Rho: 0.5},
	}, meta.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	robust, err := m.Robust(study, meta.CR2)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := robust.Coefficients[0]
	fmt.Printf("%.3f (SE %.3f, df %.2f, p %.3f), %s\n", c.Estimate, c.SE, c.DF, c.P, m.State)
	for _, level := range m.Components {
		fmt.Printf("%s: sigma² = %.4f in %d groups, I² %.0f %%\n", level.Name, level.Sigma2, level.Groups, level.I2)
	}
	// Output:
	// 0.285 (SE 0.095, df 4.81, p 0.031), converged
	// study: sigma² = 0.0273 in 6 groups, I² 53 %
	// effect: sigma² = 0.0033 in 14 groups, I² 6 %
}

// What a t test and an odds ratio say on the same scale.
func ExampleDFromT() {
	d, err := meta.DFromT(2.5, 40, 38)
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := meta.HedgesG(d, 40, 38, meta.LS)
	if err != nil {
		fmt.Println(err)
		return
	}
	or, err := meta.LogOddsRatio(meta.Table{A: 30, B: 10, C: 18, D: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("g = %.3f (SE %.3f); from the odds ratio d = %.3f\n", g.Y, math.Sqrt(g.V), meta.DFromLogOR(or).Y)
	// Output:
	// g = 0.561 (SE 0.231); from the odds ratio d = 0.664
}

// A practice adds a study and reads the new average.
func ExampleLive() {
	live, err := meta.NewLive(meta.Data{Y: []float64{0.3, 0.5, 0.1}, V: []float64{0.02, 0.03, 0.02}}, meta.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := live.Add(meta.Effect{Y: 0.4, V: 0.01})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d studies: %.3f\n", r.K, r.Coefficients[0].Estimate)
	_, err = live.Add(meta.Effect{Y: 0.4, V: 0})
	fmt.Println(err)
	// Output:
	// 4 studies: 0.325
	// row 5, variance: is zero, so this study alone would decide
}

// Is the literature missing its small studies without an effect?
func ExampleEgger() {
	d := meta.Data{
		Y: []float64{0.20, 0.25, 0.31, 0.35, 0.52, 0.48, 0.75, 0.90},
		V: []float64{0.01, 0.01, 0.02, 0.03, 0.05, 0.06, 0.10, 0.12},
	}
	test, err := meta.Egger(d)
	if err != nil {
		fmt.Println(err)
		return
	}
	fill, err := meta.TrimFill(d, meta.Options{}, meta.L0, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("slope %.2f, t = %.2f on %.0f, p = %.5f\n", test.Slope.Estimate, test.Slope.Stat, test.Slope.DF, test.Slope.P)
	fmt.Printf("%d filled on the %s: %.2f instead of %.2f\n", fill.K0, fill.Side, fill.Fit.Coefficients[0].Estimate, must(meta.Fit(d, meta.Options{})).Coefficients[0].Estimate)
	// Output:
	// slope 2.35, t = 10.70 on 6, p = 0.00004
	// 4 filled on the left: 0.25 instead of 0.31
}

func must(r *meta.Result, err error) *meta.Result {
	if err != nil {
		panic(err)
	}
	return r
}
