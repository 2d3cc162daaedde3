// SPDX-License-Identifier: AGPL-3.0-or-later

package meta

import (
	"math"
	"slices"
	"testing"
)

func mv(r *MultilevelResult) tree {
	sigma2, groups := []float64{}, []float64{}
	for _, c := range r.Components {
		sigma2, groups = append(sigma2, c.Sigma2), append(groups, float64(c.Groups))
	}
	return tree{
		"k": r.K, "sigma2": sigma2, "s_nlevels": groups,
		"beta": pick(r.Coefficients, estimateOf), "se": pick(r.Coefficients, seOf),
		"stat": pick(r.Coefficients, statOf), "pval": pick(r.Coefficients, pOf),
		"ci_lb": pick(r.Coefficients, lowerOf), "ci_ub": pick(r.Coefficients, upperOf),
		"QE": r.QE.Stat, "QEp": r.QE.P, "QM": r.QM.Stat, "QMp": r.QM.P,
		"logLik": r.LogLik, "logLik_ML_part": r.LogLikML,
	}
}

func i2(r *MultilevelResult) tree {
	by := []float64{}
	for _, c := range r.Components {
		by = append(by, c.I2)
	}
	return tree{"typical_v": r.TypicalV, "I2_total": r.I2, "I2_by_level": by}
}

func TestGoldenThreeLevel(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_05")
	d := MultilevelData{
		Data:   Data{Y: g.numbers("yi"), V: g.numbers("vi")},
		Levels: []Level{{Name: "district", Group: g.text("district")}, {Name: "school", Group: g.text("school")}},
	}
	m := must(FitMultilevel(d, Options{}))
	ml := must(FitMultilevel(d, Options{Method: ML}))
	without := func(level int) tree {
		zero := 0.0
		reduced := d
		reduced.Levels = slices.Clone(d.Levels)
		reduced.Levels[level].Fixed = &zero
		c := must(CompareMultilevel(m, must(FitMultilevel(reduced, Options{}))))
		return tree{"chi2": c.Chi2, "p": c.P}
	}
	profile := func(level int) []float64 {
		p := must(m.Profile(level))
		return []float64{p.Estimate, p.Lower, p.Upper}
	}
	// The lower bounds of R, found with confint's default tolerance, are not
	// where the likelihood has fallen by half of 3.84: see the test below.
	early := "R stopped early"
	g.compare(tree{
		"REML": mv(m), "ML": mv(ml), "I2": i2(m),
		"LRT_drop_district": without(0), "LRT_drop_school": without(1),
		"profile_ci_sigma2_district": profile(0), "profile_ci_sigma2_school": profile(1),
	}, map[string]float64{"": 1e-5, ".profile": 1e-4}, map[string]string{
		".profile_ci_sigma2_district[1]": early, ".profile_ci_sigma2_school[1]": early,
	})
	for level, r := range []float64{0.0222327887699227, 0.0162735280489432} {
		p := m.profiler(level)
		lower := must(m.Profile(level)).Lower
		if math.Abs(lower-r) > 1e-3*r {
			t.Errorf("lower bound %v is not near R's %v", lower, r)
		}
		ours, _ := p.height(math.Ldexp(lower, 2*m.f.shift))
		theirs, _ := p.height(math.Ldexp(r, 2*m.f.shift))
		t.Logf("level %d: log-likelihood minus the level it must reach %.1e at ours, %.1e at R's", level, ours, theirs)
		if math.Abs(ours) > 1e-10 || math.Abs(theirs) < 1e-4 {
			t.Errorf("level %d: ours misses by %v, R's by %v", level, ours, theirs)
		}
	}
}

func assink(g *golden) MultilevelData {
	return MultilevelData{
		Data:   Data{Y: g.numbers("yi"), V: g.numbers("vi")},
		Levels: []Level{{Name: "study", Group: g.text("study")}, {Name: "effect", Group: g.text("esid")}},
	}
}

func robustTable(r *RobustResult) tree {
	return tree{
		"beta": pick(r.Coefficients, estimateOf), "se": pick(r.Coefficients, seOf), "stat": pick(r.Coefficients, statOf),
		"df": r.Coefficients[0].DF, "pval": pick(r.Coefficients, pOf),
		"ci_lb": pick(r.Coefficients, lowerOf), "ci_ub": pick(r.Coefficients, upperOf),
	}
}

func coefTest(r *RobustResult) tree {
	return tree{
		"beta": pick(r.Coefficients, estimateOf), "se": pick(r.Coefficients, seOf), "t": pick(r.Coefficients, statOf),
		"df": pick(r.Coefficients, dfOf), "p": pick(r.Coefficients, pOf),
	}
}

func dfOf(c Coefficient) float64 { return c.DF }

func TestGoldenRobust(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_06")
	d := assink(g)
	study := g.text("study")
	m := must(FitMultilevel(d, Options{}))
	d.Moderators = append(Factor("factor(deltype)", g.text("deltype")), Moderator{"pubstatus", g.numbers("pubstatus")})
	mm := must(FitMultilevel(d, Options{}))
	cr2 := must(mm.Robust(study, CR2))
	w := must(cr2.WaldHTZ(1, 2))
	g.compare(tree{
		"null": mv(m), "I2": i2(m),
		"null_CR0": robustTable(must(m.Robust(study, CR0))), "null_CR1": robustTable(must(m.Robust(study, CR1))),
		"null_CR2": coefTest(must(m.Robust(study, CR2))), "terms": termsOf(mm.Coefficients),
		"mod": mv(mm), "mod_CR1": robustTable(must(mm.Robust(study, CR1))), "mod_CR2": coefTest(cr2),
		"HTZ_deltype": tree{"F": w.Stat, "df_num": w.DF1, "df_denom": w.DF2, "p": w.P},
	}, map[string]float64{"": 1e-5}, nil)
}

func TestGoldenCorrelatedEffects(t *testing.T) {
	t.Parallel()
	g := openGolden(t, goldenFolder, "meta_07")
	d := assink(g)
	study := g.text("study")
	d.Correlated = &Correlated{Within: "study", Rho: 0.6}
	m := must(FitMultilevel(d, Options{}))
	corr := must(RobustCorrelated(d.Data, study, 0.8))
	hier := must(RobustHierarchical(d.Data, study))
	named := func(r *RVE) tree {
		c := r.Coefficients[0]
		return tree{"b": c.Estimate, "se": c.SE, "t": c.Stat, "df": c.DF, "p": c.P, "tau2": r.Tau2, "omega2": r.Omega2, "I2": r.I2}
	}
	g.compare(tree{
		"CHE": mv(m), "CHE_CR2": coefTest(must(m.Robust(study, CR2))),
		"robu_CORR": named(corr), "robu_HIER": named(hier),
	}, map[string]float64{"": 1e-5}, nil)
}
