// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"
	"testing"
)

const goldenFolder = "testdata/golden"

func TestGoldenEstimators(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_01")
	y, v := g.fisherZ("r", "n")
	got := allEstimators(Data{Y: y, V: v})
	got["yi"], got["vi"] = y, v
	g.compare(got, nil, nil)
}

func TestGoldenKnappHartung(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_02")
	y, v := g.fisherZ("ri", "ni")
	d := Data{Y: y, V: v}
	m := must(Fit(d, Options{}))
	k := must(Fit(d, Options{Test: KnappHartung}))
	a := must(Fit(d, Options{Test: KnappHartungTruncated}))
	onR := func(r *Result) tree {
		p := must(r.Predict(nil, PredictAsTest)).Transformed(ZToR)
		return tree{"pred": p.Estimate, "ci": []float64{p.Lower, p.Upper}, "pi": []float64{p.PILower, p.PIUpper}}
	}
	hts := must(m.Predict(nil, PredictHTS))
	htsR := hts.Transformed(ZToR)
	q := must(m.QProfile())
	table := [][]float64{}
	for _, i := range []Interval{q.Tau2, q.Tau, q.I2, q.H2} {
		table = append(table, []float64{i.Estimate, i.Lower, i.Upper})
	}
	g.compare(tree{
		"wald": uni(m), "knha": uni(k), "adhoc": uni(a), "r_wald": onR(m), "r_knha": onR(k),
		"PI_HTS_t_kminus2_z": []float64{hts.PILower, hts.PIUpper},
		"PI_HTS_t_kminus2_r": []float64{htsR.PILower, htsR.PIUpper},
		"Qprofile": tree{
			"rows": []string{"tau^2", "tau", "I^2(%)", "H^2"}, "cols": []string{"estimate", "ci.lb", "ci.ub"},
			"values": table,
		},
	}, nil, nil)
}

func TestGoldenMetaRegression(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_03")
	y, v := g.fisherZ("ri", "ni")
	d := Data{Y: y, V: v, Moderators: []Moderator{{"meanage", g.numbers("meanage")}, {"quality", g.numbers("quality")}}}
	m0 := must(Fit(d, Options{}))
	m1 := must(Fit(d, Options{Test: KnappHartung}))
	d.Moderators = append(Factor("factor(controls)", g.text("controls")), Factor("factor(design)", g.text("design"))...)
	m2 := must(Fit(d, Options{Method: DL}))
	vcov := make([][]float64, 3)
	for i := range vcov {
		for j := range 3 {
			vcov[i] = append(vcov[i], m0.VCov.At(i, j))
		}
	}
	terms := termsOf(m0.Coefficients)
	g.compare(tree{
		"terms": terms, "reml_z": uni(m0), "reml_knha": uni(m1),
		"terms_cat": termsOf(m2.Coefficients), "dl_categorical": uni(m2),
		"vcov": tree{"rows": terms, "cols": terms, "values": vcov},
	}, nil, nil)
}

// termsOf are the names of the coefficients as metafor writes them.
func termsOf(coefficients []Coefficient) []string {
	out := []string{}
	for _, c := range coefficients {
		if c.Name == interceptName {
			c.Name = "intrcpt"
		}
		out = append(out, c.Name)
	}
	return out
}

func TestGoldenRiskRatios(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_04")
	a, b, c, d := g.numbers("tpos"), g.numbers("tneg"), g.numbers("cpos"), g.numbers("cneg")
	y, v, err := Effects(len(a), func(i int) (Effect, error) { return LogRiskRatio(Table{a[i], b[i], c[i], d[i]}) })
	if err != nil {
		t.Fatal(err)
	}
	got := allEstimators(Data{Y: y, V: v})
	got["yi"], got["vi"] = y, v
	latitude := Data{Y: y, V: v, Moderators: []Moderator{{"ablat", g.numbers("ablat")}}}
	m := must(Fit(latitude, Options{}))
	got["mr_ablat"] = uni(m)
	got["metareg_all"] = allEstimators(latitude)
	var pred, se, lower, upper []float64
	for _, x := range []float64{10, 30, 50} {
		p := must(m.Predict([]float64{x}, PredictAsTest))
		pred, se = append(pred, p.Estimate), append(se, p.SE)
		lower, upper = append(lower, p.Lower), append(upper, p.Upper)
	}
	got["pred_10_30_50"] = tree{"pred": pred, "se": se, "ci_lb": lower, "ci_ub": upper}
	g.compare(got, nil, nil)
}

func TestGoldenMeans(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_11")
	n1, m1, s1 := g.numbers("n1i"), g.numbers("m1i"), g.numbers("sd1i")
	n2, m2, s2 := g.numbers("n2i"), g.numbers("m2i"), g.numbers("sd2i")
	arms := func(i int) (Arm, Arm) { return Arm{n1[i], m1[i], s1[i]}, Arm{n2[i], m2[i], s2[i]} }
	gy, gv, err := Effects(len(n1), func(i int) (Effect, error) {
		a, b := arms(i)
		return StandardizedMeanDifference(a, b, LS)
	})
	if err != nil {
		t.Fatal(err)
	}
	dy, dv, err := Effects(len(n1), func(i int) (Effect, error) { return MeanDifference(arms(i)) })
	if err != nil {
		t.Fatal(err)
	}
	data := Data{Y: gy, V: gv}
	g.compare(tree{
		"g_yi": gy, "g_vi": gv, "md_yi": dy, "md_vi": dv,
		"g": allEstimators(data), "md": allEstimators(Data{Y: dy, V: dv}),
		"g_PM_knha": uni(must(Fit(data, Options{Method: PM, Test: KnappHartung}))),
		"g_SJ_knha": uni(must(Fit(data, Options{Method: SJ, Test: KnappHartung}))),
	}, nil, nil)
}

func TestGoldenConversions(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_13")
	r, n := g.numbers("r"), g.numbers("n")
	z, vz := g.fisherZ("r", "n")
	_, vr, err := Effects(len(r), func(i int) (Effect, error) { return Correlation(r[i], n[i]) })
	if err != nil {
		t.Fatal(err)
	}
	var lower, upper []float64
	for i := range z {
		half := critical(0.05, 0) * math.Sqrt(vz[i])
		lower, upper = append(lower, ZToR(z[i]-half)), append(upper, ZToR(z[i]+half))
	}
	g.compare(tree{"z": z, "vz": vz, "cor_v": vr, "ci_r_lb": lower, "ci_r_ub": upper}, nil, nil)
}

func TestGoldenSubgroups(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_09")
	all, v := g.fisherZ("ri", "ni")
	var d Data
	var labels []string
	for i, label := range g.text("type") {
		if label == "j" || label == "p" || label == "s" {
			d.Y, d.V, labels = append(d.Y, all[i]), append(d.V, v[i]), append(labels, label)
		}
	}
	s := must(FitSubgroups(d, labels, Options{}))
	separate := tree{}
	for _, group := range s.Groups {
		separate[group.Label] = uni(group.Fit)
	}
	g.compare(tree{
		"all": allEstimators(d), "common_tau2": uni(s.Common), "separate": separate,
		"Qbetween_separate": s.Between.Stat, "df": s.Between.DF1,
	}, nil, nil)
}

func TestGoldenInfluence(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_10")
	d := Data{Y: g.numbers("yi"), V: g.numbers("vi")}
	rows := must(Influence(d, Options{}))
	of := func(f func(InfluenceRow) float64) []float64 {
		out := []float64{}
		for _, r := range rows {
			out = append(out, f(r))
		}
		return out
	}
	each := func(fits []*Result, f func(*Result) float64) []float64 {
		out := []float64{}
		for _, r := range fits {
			out = append(out, f(r))
		}
		return out
	}
	estimate := func(r *Result) float64 { return r.Coefficients[0].Estimate }
	se := func(r *Result) float64 { return r.Coefficients[0].SE }
	tau2 := func(r *Result) float64 { return r.Tau2 }
	one := must(LeaveOneOut(d, Options{}))
	cumulative := must(Cumulative(d, Options{}, OrderBy(g.numbers("year"))))
	g.compare(tree{
		"fit":      uni(must(Fit(d, Options{}))),
		"rstudent": of(func(r InfluenceRow) float64 { return r.RStudent }),
		"dffits":   of(func(r InfluenceRow) float64 { return r.DFFITS }),
		"cook_d":   of(func(r InfluenceRow) float64 { return r.CookD }),
		"cov_r":    of(func(r InfluenceRow) float64 { return r.CovRatio }),
		"tau2_del": of(func(r InfluenceRow) float64 { return r.Tau2 }),
		"QE_del":   of(func(r InfluenceRow) float64 { return r.QE }),
		"hat":      of(func(r InfluenceRow) float64 { return r.Hat }),
		"weight":   of(func(r InfluenceRow) float64 { return r.Weight }),
		"l1o_est":  each(one, estimate), "l1o_se": each(one, se), "l1o_tau2": each(one, tau2),
		"l1o_I2":    each(one, func(r *Result) float64 { return r.I2 }),
		"cumul_est": each(cumulative, estimate), "cumul_se": each(cumulative, se), "cumul_tau2": each(cumulative, tau2),
	}, nil, nil)
}
