// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// openReference is a case of testdata/reference, made by make.R there from the
// data of golden cases.
func openReference(t *testing.T, id string) *golden {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "reference", id+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Expected map[string]any }
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return &golden{t: t, expected: c.Expected}
}

func bcg(t *testing.T) (Data, *golden) {
	t.Helper()
	g := openGolden(t, goldenFolder, "meta_04")
	a, b, c, d := g.numbers("tpos"), g.numbers("tneg"), g.numbers("cpos"), g.numbers("cneg")
	y, v, err := Effects(len(a), func(i int) (Effect, error) { return LogRiskRatio(Table{a[i], b[i], c[i], d[i]}) })
	if err != nil {
		t.Fatal(err)
	}
	return Data{Y: y, V: v}, g
}

func (g *golden) moderators(names ...string) []Moderator {
	g.t.Helper()
	var out []Moderator
	for _, name := range names {
		out = append(out, Moderator{name, g.numbers(name)})
	}
	return out
}

func (d Data) with(m ...Moderator) Data {
	d.Moderators = m
	return d
}

func short(c []Coefficient, qm, qe TestResult) tree {
	return tree{
		"beta": pick(c, estimateOf), "se": pick(c, seOf), "stat": pick(c, statOf), "pval": pick(c, pOf),
		"QM": qm.Stat, "QMp": qm.P, "QE": qe.Stat, "QEp": qe.P,
	}
}

func shortUni(r *Result) tree {
	out := short(r.Coefficients, r.QM, r.QE)
	out["tau2"], out["I2"], out["H2"], out["R2"], out["logLik"] = r.Tau2, r.I2, r.H2, r.R2, r.LogLik
	return out
}

func shortMV(r *MultilevelResult) tree {
	out := short(r.Coefficients, r.QM, r.QE)
	sigma2 := []float64{}
	for _, c := range r.Components {
		sigma2 = append(sigma2, c.Sigma2)
	}
	out["sigma2"], out["logLik"] = sigma2, r.LogLik
	return out
}

func TestReferenceEffects(t *testing.T) {
	t.Parallel()
	column := func(k int, f func(i int) (Effect, error)) tree {
		y, v, err := Effects(k, f)
		if err != nil {
			t.Fatal(err)
		}
		return tree{"y": y, "v": v}
	}
	first := []Arm{{10, 5, 2}, {20, 6, 3}}
	second := []Arm{{12, 4, 2.5}, {18, 4.5, 2}}
	smd := tree{}
	for _, kind := range []SMDVariance{LS, LS2, UB} {
		smd[string(kind)] = column(2, func(i int) (Effect, error) { return StandardizedMeanDifference(first[i], second[i], kind) })
	}
	tables := []Table{{4, 6, 2, 9}, {0, 10, 3, 8}, {3, 4, 0, 7}, {0, 10, 2, 0}}
	each := func(f func(Table) (Effect, error)) tree {
		return column(4, func(i int) (Effect, error) { return f(tables[i]) })
	}
	changes := []PrePost{{12, 5, 4, 2, 2.5, .4}, {18, 6, 4, 3, 2, .6}}
	openReference(t, "effects").compare(tree{
		"smd":  smd,
		"smdh": column(2, func(i int) (Effect, error) { return StandardizedMeanDifferenceUnequal(first[i], second[i]) }),
		"table": tree{
			"OR": each(LogOddsRatio), "RR": each(LogRiskRatio), "RD": each(RiskDifference), "PETO": each(PetoOddsRatio),
			"OR2DL": each(func(t Table) (Effect, error) {
				e, err := LogOddsRatio(t)
				return DFromLogOR(e), err
			}),
		},
		"change": tree{
			"SMCC": column(2, func(i int) (Effect, error) { return StandardizedChangeScore(changes[i]) }),
			"SMCR": column(2, func(i int) (Effect, error) { return StandardizedChange(changes[i]) }),
		},
	}, nil, nil)
}

func TestReferenceRegression(t *testing.T) {
	t.Parallel()
	d, g := bcg(t)
	alloc := Factor("alloc", g.text("alloc"))
	first := Moderator{Name: "alternate", Values: make([]float64, len(d.Y))}
	for i, label := range g.text("alloc") {
		if label == "alternate" {
			first.Values[i] = 1
		}
	}
	whole := d.with(append([]Moderator{first}, alloc...)...)
	whole.NoIntercept = true
	two := d.with(g.moderators("ablat", "year")...)
	m := must(Fit(two, Options{Test: T}))
	p := must(m.Predict([]float64{33, 1970}, PredictAsTest))
	q := must(m.QProfile())
	got := tree{
		"no_intercept": shortUni(must(Fit(whole, Options{}))),
		"fe_knha":      shortUni(must(Fit(two, Options{Method: FE, Test: KnappHartung}))),
		"t":            shortUni(m),
		"adhoc":        shortUni(must(Fit(d.with(append(g.moderators("ablat"), alloc...)...), Options{Method: PM, Test: KnappHartungTruncated}))),
		"predict":      tree{"pred": p.Estimate, "se": p.SE, "pi": []float64{p.PILower, p.PIUpper}},
		"qprofile":     tree{"tau2": []float64{q.Tau2.Lower, q.Tau2.Upper}, "I2": []float64{q.I2.Lower, q.I2.Upper}},
	}
	studies := func(test Test) tree {
		var pred, se, lower []float64
		for _, e := range must(Fit(d.with(g.moderators("ablat")...), Options{Test: test})).StudyEffects() {
			pred, se, lower = append(pred, e.Estimate), append(se, e.SE), append(lower, e.Lower)
		}
		return tree{"pred": pred, "se": se, "lb": lower}
	}
	got["blup"] = tree{"z": studies(Z), "knha": studies(KnappHartung)}
	openReference(t, "regression").compare(got, nil, nil)
}

func TestReferenceInfluence(t *testing.T) {
	t.Parallel()
	d, g := bcg(t)
	got := tree{}
	for _, r := range must(Influence(d.with(g.moderators("ablat")...), Options{Test: KnappHartung})) {
		influential := 0.0
		if r.Influential {
			influential = 1
		}
		for name, x := range map[string]any{
			"rstudent": r.RStudent, "dffits": r.DFFITS, "cook": r.CookD, "covr": r.CovRatio, "tau2": r.Tau2, "QE": r.QE,
			"hat": r.Hat, "weight": r.Weight, "dfbetas": r.DFBetas, "influential": influential,
		} {
			list, _ := got[name].([]any)
			got[name] = append(list, x)
		}
	}
	openReference(t, "influence").compare(got, nil, nil)
}

func TestReferenceBias(t *testing.T) {
	t.Parallel()
	d, g := bcg(t)
	gk := openGolden(t, goldenFolder, "meta_05")
	k := Data{Y: gk.numbers("yi"), V: gk.numbers("vi")}
	trim := func(e TrimEstimator, side Side) tree {
		f := must(TrimFill(k, Options{Method: DL}, e, side))
		return tree{"k0": f.K0, "side": string(f.Side), "se": f.SEK0, "beta": f.Fit.Coefficients[0].Estimate, "tau2": f.Fit.Tau2}
	}
	rank := must(Begg(k))
	knha := must(EggerMixed(d, Options{Test: KnappHartung})).Slope
	mods := must(EggerMixed(d.with(g.moderators("ablat")...), Options{})).Slope
	openReference(t, "bias").compare(tree{
		"orwin": must(Failsafe(d, Orwin, 0, 0)), "rosenberg": must(Failsafe(d, Rosenberg, 0, 0)), "rosenthal": must(Failsafe(d, Rosenthal, 0, 0)),
		"trim_Q0": trim(Q0, ""), "trim_right": trim(L0, Right), "rank_ties": tree{"tau": rank.Tau, "p": rank.P},
		"egger_knha": tree{"stat": knha.Stat, "p": knha.P, "df": knha.DF}, "egger_mods": tree{"stat": mods.Stat, "p": mods.P},
	}, nil, nil)
}

func TestReferenceSelection(t *testing.T) {
	t.Parallel()
	fit := func(d Data, o SelectOptions) tree {
		s := must(Select(d, o))
		delta, se := []float64{}, []float64{}
		for _, w := range s.Weights[1:] {
			delta, se = append(delta, w.Delta), append(se, *w.SE)
		}
		return tree{
			"beta": pick(s.Coefficients, estimateOf), "se": pick(s.Coefficients, seOf), "tau2": s.Tau2, "se_tau2": s.Tau2SE,
			"delta": delta, "se_delta": se, "logLik": s.LogLik, "LRT": s.Test.Stat, "LRTp": s.Test.P,
		}
	}
	z := func(id string) (Data, *golden) {
		g := openGolden(t, goldenFolder, id)
		y, v := g.fisherZ("ri", "ni")
		return Data{Y: y, V: v}, g
	}
	h := openGolden(t, goldenFolder, "meta_08")
	hackshaw := Data{Y: h.numbers("yi"), V: h.numbers("vi")}
	molloy, g := z("meta_02")
	mcdaniel, _ := z("meta_09")
	got := tree{
		"three": fit(hackshaw, SelectOptions{}), "three_z": fit(molloy, SelectOptions{}),
		"four": fit(mcdaniel, SelectOptions{Steps: []float64{0.025, 0.5}}), "less": fit(hackshaw, SelectOptions{Less: true, Steps: []float64{0.5}}),
		"moderator": fit(molloy.with(g.moderators("meanage")...), SelectOptions{}),
	}
	ref := openReference(t, "selection")
	// R's search ends while the gradient is still about 1e-4: its estimates carry
	// five digits, and none of its likelihoods is higher than ours.
	ref.compare(got, map[string]float64{"": 3e-5, ".three.LRT": 1e-8}, nil)
	for id, c := range got {
		ours, theirs := c.(tree)["logLik"].(float64), ref.expected[id].(tree)["logLik"].(float64)
		if ours < theirs-1e-12*math.Abs(theirs) {
			t.Errorf("%s: log-likelihood %.15g, R reached %.15g", id, ours, theirs)
		}
	}
}

// autoregressive is the covariance that vcalc makes of phi and the number of
// the effect.
func autoregressive(v, at []float64, phi float64) *Correlated {
	return &Correlated{Within: "study", Covariance: func(i, j int) float64 {
		return math.Sqrt(v[i]*v[j]) * math.Pow(phi, math.Abs(at[i]-at[j]))
	}}
}

func TestReferenceMultilevel(t *testing.T) {
	t.Parallel()
	gk, ga := openGolden(t, goldenFolder, "meta_05"), openGolden(t, goldenFolder, "meta_06")
	k := Data{Y: gk.numbers("yi"), V: gk.numbers("vi")}
	district := Level{Name: "district", Group: gk.text("district")}
	school := Level{Name: "school", Group: gk.text("school")}
	two := []Level{district, school}
	rho := MultilevelData{Data: k.with(gk.moderators("year")...), Levels: two, Correlated: &Correlated{Within: "district", Rho: 0.5}}
	ar := assink(ga)
	ar.Correlated = autoregressive(ar.V, ga.numbers("esid"), 0.8)
	ml := Options{Method: ML, Test: T}
	null := must(FitMultilevel(ar, ml))
	ar.Data = ar.with(ga.moderators("pubstatus", "year")...)
	full := must(FitMultilevel(ar, ml))
	l := must(CompareMultilevel(full, null))
	half := make([]string, len(k.Y))
	for i, s := range gk.numbers("school") {
		half[i] = []string{"even", "odd"}[int(s)%2]
	}
	given := 0.02
	fixed := slices.Clone(two)
	fixed[1].Fixed = &given
	four := []Level{district, {Name: "half", Group: half}, {Name: "row", Group: gk.text("study")}}
	p := must(full.Predict([]float64{1, 5}, PredictAsTest))
	rows := Level{Name: "row", Group: gk.text("study")}
	profile := must(must(FitMultilevel(MultilevelData{Data: k, Levels: []Level{rows}}, Options{})).Profile(0))
	likelihood := must(must(Fit(k, Options{})).ProfileLikelihood()).Tau2
	if !alike(profile.Lower, likelihood.Lower, 0, 1e-8) || !alike(profile.Upper, likelihood.Upper, 0, 1e-8) {
		t.Errorf("two engines, two likelihood intervals: %v and %v", profile, likelihood)
	}
	openReference(t, "multilevel").compare(tree{
		"predict": tree{"pred": p.Estimate, "se": p.SE, "ci": []float64{p.Lower, p.Upper}, "pi": []float64{p.PILower, p.PIUpper}},
		"profile": []float64{profile.Lower, profile.Upper},
		"rho":     shortMV(must(FitMultilevel(rho, Options{}))), "ar": shortMV(full), "null": shortMV(null),
		"LRT":   tree{"chi2": l.Chi2, "p": l.P},
		"top":   shortMV(must(FitMultilevel(MultilevelData{Data: k, Levels: two[:1]}, Options{}))),
		"four":  shortMV(must(FitMultilevel(MultilevelData{Data: k, Levels: four}, Options{}))),
		"fixed": shortMV(must(FitMultilevel(MultilevelData{Data: k, Levels: fixed}, Options{}))),
	}, map[string]float64{"": 1e-5}, nil)
}

func TestReferenceRobust(t *testing.T) {
	t.Parallel()
	ga := openGolden(t, goldenFolder, "meta_06")
	study := ga.text("study")
	a := assink(ga)
	mods := append(Factor("deltype", ga.text("deltype")), ga.moderators("year")...)
	m := must(Fit(a.with(mods...), Options{}))
	a.Correlated = autoregressive(a.V, ga.numbers("esid"), 0.8)
	a.Data = a.with(mods...)
	ar := must(must(FitMultilevel(a, Options{})).Robust(study, CR2))
	d, g := bcg(t)
	b := must(must(Fit(d.with(g.moderators("ablat")...), Options{})).Robust(g.text("trial"), CR2))
	cr2 := must(m.Robust(study, CR2))
	table := func(r *RobustResult) tree {
		return tree{"se": pick(r.Coefficients, seOf), "df": pick(r.Coefficients, dfOf), "p": pick(r.Coefficients, pOf)}
	}
	htz := func(r *RobustResult, indices ...int) tree {
		w := must(r.WaldHTZ(indices...))
		return tree{"F": w.Stat, "df": w.DF2, "p": w.P}
	}
	se := func(a Adjustment) []float64 { return pick(must(m.Robust(study, a)).Coefficients, seOf) }
	openReference(t, "robust").compare(tree{
		"uni_CR2": table(cr2), "uni_htz": htz(cr2, 1, 2, 3), "CR0": se(CR0), "CR1": se(CR1), "CR1m": se(CR1M),
		"mv_CR2": table(ar), "mv_htz": htz(ar, 1, 2), "single_CR2": table(b), "alloc_htz": htz(b, 0, 1),
	}, map[string]float64{"": 1e-5}, nil)
}

func TestReferenceRVE(t *testing.T) {
	t.Parallel()
	ga, gk := openGolden(t, goldenFolder, "meta_06"), openGolden(t, goldenFolder, "meta_05")
	a := Data{Y: ga.numbers("yi"), V: ga.numbers("vi")}
	k := Data{Y: gk.numbers("yi"), V: gk.numbers("vi")}
	study, district := ga.text("study"), gk.text("district")
	mods, year := ga.moderators("pubstatus", "year"), gk.moderators("year")
	table := func(r *RVE, err error) tree {
		if err != nil {
			t.Fatal(err)
		}
		return tree{
			"b": pick(r.Coefficients, estimateOf), "se": pick(r.Coefficients, seOf), "df": pick(r.Coefficients, dfOf),
			"p": pick(r.Coefficients, pOf), "tau2": r.Tau2, "omega2": r.Omega2,
		}
	}
	correlated := func(r *RVE, err error) tree {
		out := table(r, err)
		out["omega2"] = nil
		return out
	}
	openReference(t, "rve").compare(tree{
		"corr": correlated(RobustCorrelated(a.with(mods...), study, 0.5)), "corr_k": correlated(RobustCorrelated(k.with(year...), district, 0.8)),
		"hier": table(RobustHierarchical(a.with(mods...), study)), "hier_k": table(RobustHierarchical(k, district)),
		"hier_km": table(RobustHierarchical(k.with(year...), district)),
	}, nil, nil)
}

func TestReferencePermutation(t *testing.T) {
	t.Parallel()
	d, g := bcg(t)
	first := func(n int) []int { return OrderBy(make([]float64, n)) }
	table := func(d Data, o Options) tree {
		p := must(PermutationTest(t.Context(), d, o, PermutationOptions{Exact: true}))
		return tree{"p": p.P, "QMp": p.QMP}
	}
	openReference(t, "permutation").compare(tree{
		"alloc": table(d.rows(first(9)).with(Factor("alloc", g.text("alloc")[:9])...), Options{}),
		"signs": table(d.rows(first(9)), Options{Method: DL}),
		"knha":  table(d.with(g.moderators("ablat")...).rows(first(7)), Options{Method: PM, Test: KnappHartung}),
	}, nil, nil)
}
