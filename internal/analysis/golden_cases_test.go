// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func biasPairs() []same {
	return []same{
		{"bias/egger_mixed/slope/stat", "egger_rma_REML/z"}, {"bias/egger_mixed/slope/p", "egger_rma_REML/p"}, {"bias/egger_mixed/limit/estimate", "egger_rma_REML/limit_est"},
		{"bias/egger/slope/stat", "egger_classic_lm/t"}, {"bias/egger/slope/p", "egger_classic_lm/p"}, {"bias/egger/limit/lower", "egger_classic_lm/limit_ci/0"},
		{"bias/begg/tau", "begg_kendall/tau"}, {"bias/begg/p", "begg_kendall/p"}, {"bias/failsafe/rosenthal", "failsafe_rosenthal"},
		{"bias/trim_fill_L0/k0", "trimfill_REML_L0/k0"}, {"bias/trim_fill_L0/average/estimate", "trimfill_REML_L0/beta"}, {"bias/trim_fill_L0/tau2", "trimfill_REML_L0/tau2"},
		{"bias/pet/limit/estimate", "PET_wls/values/0/0"}, {"bias/pet/slope/se", "PET_wls/values/1/1"}, {"bias/peese/limit/estimate", "PEESE_wls/values/0/0"},
	}
}

func trimPairs() []same {
	return []same{{"bias/trim_fill_L0/k0", "trimfill_DL_L0/k0"}, {"bias/trim_fill_L0/average/estimate", "trimfill_DL_L0/beta"}, {"bias/trim_fill_R0/k0", "trimfill_DL_R0/k0"}, {"bias/trim_fill_R0/k0_se", "trimfill_DL_R0/se_k0"}}
}

func metaCases() []goldenCase {
	means := "meta --m1 m1i --sd1 sd1i --n1 n1i --m2 m2i --sd2 sd2i --n2 n2i"
	assink := "meta --yi yi --vi vi --levels study/esid"
	robust := func(under, clubs string) []same {
		return []same{{"robust/coefficients/*/estimate", under + "/beta"}, {"robust/coefficients/*/se", under + "/se"}, {"robust/coefficients/*/df", under + "/df"}, {"robust/coefficients/*/p", under + clubs}}
	}
	return []goldenCase{
		{"meta", "meta_01_kolden_congruence_r_all_estimators", 1e-6, append(all("meta --r r --n n", ""), calls{"meta --r r --n n", "", []same{{"effects/*/yi", "yi"}, {"effects/*/vi", "vi"}}})},
		{"meta", "meta_02_molloy_r_hksj_pi", 1e-6, []calls{
			{"meta --r ri --n ni", "wald", uni(prediction...)},
			{"meta --r ri --n ni --knha", "knha", uni(append(slices.Clone(prediction), same{"model/coefficients/0/df", "ddf"})...)},
			{"meta --r ri --n ni --test adhoc", "adhoc", uni(prediction...)},
			{"meta --r ri --n ni", "", []same{{"predictions_shown/values/0/estimate", "r_wald/pred"}, {"predictions_shown/values/0/lower", "r_wald/ci/0"}, {"predictions_shown/values/0/pi_upper", "r_wald/pi/1"}, {"q_profile/tau2/lower", "Qprofile/values/0/1"}, {"q_profile/I2/upper", "Qprofile/values/2/2"}}},
			{"meta --r ri --n ni --prediction hts", "", []same{{"predictions/0/pi_lower", "PI_HTS_t_kminus2_z/0"}, {"predictions_shown/values/0/pi_upper", "PI_HTS_t_kminus2_r/1"}}},
		}},
		{"meta", "meta_03_molloy_metareg", 1e-6, []calls{
			{"meta --r ri --n ni --mods 'meanage + quality'", "reml_z", uni(same{"model/R2", "R2"})},
			{"meta --r ri --n ni --mods 'meanage + quality' --knha", "reml_knha", uni()},
			{"meta --r ri --n ni --mods 'factor(controls) + factor(design)' --method DL", "dl_categorical", uni()},
			{"meta --r ri --n ni --mods '~ meanage + quality'", "", []same{{"model/vcov", "vcov/values"}}},
		}},
		{"meta", "meta_04_bcg_rr_metareg", 1e-6, append(append(all("meta --ai tpos --bi tneg --ci cpos --di cneg --measure RR", ""),
			calls{"meta --ai tpos --bi tneg --ci cpos --di cneg --measure RR --mods ablat --at 'ablat=10' --at 'ablat=30' --at 'ablat=50'", "", []same{{"effects/*/yi", "yi"}, {"effects/*/vi", "vi"}, {"predictions/*/estimate", "pred_10_30_50/pred"}, {"predictions/*/se", "pred_10_30_50/se"}, {"predictions/*/lower", "pred_10_30_50/ci_lb"}}}),
			calls{"meta --ai tpos --bi tneg --ci cpos --di cneg --measure RR --mods ablat", "mr_ablat", uni()})},
		{"meta", "meta_05_konstantopoulos_3level", 1e-5, []calls{
			{"meta --yi yi --vi vi --levels district/school", "REML", mv()},
			{"meta --yi yi --vi vi --levels district/school --method ML", "ML", mv()},
			{"meta --yi yi --vi vi --levels district/school --profile", "", []same{{"model/typical_v", "I2/typical_v"}, {"model/I2", "I2/I2_total"}, {"model/components/*/I2", "I2/I2_by_level"}, {"model/components/0/lrt/chi2", "LRT_drop_district/chi2"}, {"model/components/1/lrt/p", "LRT_drop_school/p"}}},
		}},
		{"meta", "meta_06_assink_3level_robust", 1e-5, []calls{
			{assink, "null", mv()},
			{assink + " --cluster study --robust CR0", "", robust("null_CR0", "/pval")[:2]},
			{assink + " --cluster study --robust CR1", "", robust("null_CR1", "/pval")},
			{assink + " --cluster study", "", robust("null_CR2", "/p")},
			{assink + " --mods 'factor(deltype) + pubstatus' --cluster study --joint 'factor(deltype)'", "", append(robust("mod_CR2", "/p"), same{"robust/joint/0/stat", "HTZ_deltype/F"}, same{"robust/joint/0/df2", "HTZ_deltype/df_denom"}, same{"robust/joint/0/p", "HTZ_deltype/p"})},
			{assink + " --mods 'factor(deltype) + pubstatus'", "mod", mv()},
		}},
		{"meta", "meta_07_assink_correlated_V", 1e-5, []calls{
			{assink + " --rho 0.6", "CHE", mv()},
			{assink + " --rho 0.6 --cluster study", "", robust("CHE_CR2", "/p")},
			{"meta --yi yi --vi vi --cluster study --rve corr --rho 0.8", "robu_CORR", []same{{"robust/coefficients/0/estimate", "b"}, {"robust/coefficients/0/se", "se"}, {"robust/coefficients/0/df", "df"}, {"robust/tau2", "tau2"}, {"robust/I2", "I2"}}},
			{"meta --yi yi --vi vi --cluster study --rve hier", "robu_HIER", []same{{"robust/coefficients/0/estimate", "b"}, {"robust/coefficients/0/se", "se"}, {"robust/tau2", "tau2"}, {"robust/omega2", "omega2"}}},
		}},
		{"meta", "meta_08_hackshaw_bias", 1e-5, []calls{{"meta --yi yi --vi vi --bias", "", biasPairs()}, {"meta --yi yi --vi vi --bias --method DL", "", trimPairs()}}},
		{"meta", "meta_09_mcdaniel_r_subgroups", 1e-6, append(all("meta --r ri --n ni --keep 'type=j,p,s'", "all"), calls{"meta --r ri --n ni --keep 'type=j,p,s' --subgroup type", "", []same{
			{"subgroups/between/stat", "Qbetween_separate"}, {"subgroups/between/df1", "df"}, {"subgroups/common/tau2", "common_tau2/tau2"}, {"subgroups/common/QM/stat", "common_tau2/QM"}, {"subgroups/groups/0/average/estimate", "separate/j/beta"}, {"subgroups/groups/2/tau2", "separate/s/tau2"},
		}})},
		{"meta", "meta_10_raudenbush_influence", 1e-6, []calls{{"meta --yi yi --vi vi", "fit", uni(prediction...)}, {"meta --yi yi --vi vi --influence --leave-one-out --cumulative year", "", []same{
			{"influence/*/rstudent", "rstudent"}, {"influence/*/dffits", "dffits"}, {"influence/*/cook_d", "cook_d"}, {"influence/*/cov_ratio", "cov_r"}, {"influence/*/tau2", "tau2_del"}, {"influence/*/QE", "QE_del"}, {"influence/*/hat", "hat"}, {"influence/*/weight", "weight"},
			{"leave_one_out/*/estimate", "l1o_est"}, {"leave_one_out/*/se", "l1o_se"}, {"leave_one_out/*/tau2", "l1o_tau2"}, {"leave_one_out/*/I2", "l1o_I2"}, {"cumulative/*/estimate", "cumul_est"}, {"cumulative/*/se", "cumul_se"}, {"cumulative/*/tau2", "cumul_tau2"},
		}}}},
		{"meta", "meta_11_normand_smd_md", 1e-6, append(all(means, "g"), calls{means, "", []same{{"effects/*/yi", "g_yi"}, {"effects/*/vi", "g_vi"}}}, calls{means + " --measure MD", "", []same{{"effects/*/yi", "md_yi"}, {"effects/*/vi", "md_vi"}}}, calls{means + " --measure MD", "md/REML", uni()}, calls{means + " --method PM --knha", "g_PM_knha", uni()}, calls{means + " --method SJ --knha", "g_SJ_knha", uni()})},
		{"meta", "meta_12_kolden_bias", 1e-6, []calls{{"meta --r r --n n --bias", "", biasPairs()}, {"meta --r r --n n --bias --method DL", "", trimPairs()}}},
		{"meta", "meta_13_conversions", 1e-6, []calls{{"meta --r r --n n", "", []same{{"effects/*/yi", "z"}, {"effects/*/vi", "vz"}}}, {"meta --r r --n n --measure COR", "", []same{{"effects/*/vi", "cor_v"}}}}},
	}
}

func lmmCases() []goldenCase {
	full := " --ranef --fitted"
	return []goldenCase{
		{"lmm", "lmm_01_sleepstudy_reml", 1e-5, []calls{
			{"lmm 'Reaction ~ Days + (Days | Subject)' --reml" + full, "", append(lm4(ranefs("Subject")...), same{"fixed/*/df", "satterthwaite/values/*/2"}, same{"fixed/*/t", "satterthwaite/values/*/3"})},
			{"lmm 'Reaction ~ Days + (Days | Subject)' --df kenward-roger --terms", "kenward_roger", []same{{"terms/0/F", "F"}, {"terms/0/df2", "ddf"}, {"terms/0/p", "p"}}},
		}},
		{"lmm", "lmm_02_sleepstudy_ml_uncorr", 1e-5, []calls{
			{"lmm 'Reaction ~ Days + (Days || Subject)' --ml", "uncorr", lm4()}, {"lmm 'Reaction ~ Days + (Days | Subject)' --ml", "corr", lm4()}, {"lmm 'Reaction ~ Days + (1 | Subject)' --ml" + full, "ri", lm4(ranefs("Subject")...)},
			{"lmm 'Reaction ~ Days + (Days | Subject)' --ml --against 'Reaction ~ Days + (Days || Subject)'", "LRT_corr_vs_uncorr", []same{{"against/chi2", "chi2"}, {"against/df", "df"}}},
			{"lmm 'Reaction ~ Days + (1 | Subject)' --ml --against 'Reaction ~ Days + (Days || Subject)'", "LRT_uncorr_vs_ri", []same{{"against/chi2", "chi2"}}},
		}},
		{"lmm", "lmm_03_pastes_nested", 1e-5, []calls{{"lmm 'strength ~ 1 + (1 | batch/cask)'", "REML", lm4()}, {"lmm 'strength ~ 1 + (1 | batch/cask)' --ml", "ML", lm4()}}},
		{"lmm", "lmm_04_univbct_within_between", 1e-4, []calls{
			{"lmm 'JSAT ~ TIME + COMMIT.within + COMMIT.between + (1 | SUBNUM)' --split 'COMMIT by SUBNUM'" + full, "ri", append(lm4(ranefs("SUBNUM")...), same{"fixed/*/df", "satterthwaite/values/*/2"})},
			{"lmm 'JSAT ~ TIME + COMMIT.within + COMMIT.between + (1 + COMMIT.within | SUBNUM)' --split 'COMMIT by SUBNUM'", "rs", lm4()},
		}},
		{"lmm", "lmm_05_univbct_lagged", 1e-5, []calls{{"lmm 'JSAT ~ TIME + JSAT.lag + COMMIT.within.lag + COMMIT.mean + (1 | SUBNUM)' --split 'COMMIT by SUBNUM' --lag 'JSAT by SUBNUM over TIME' --lag 'COMMIT.within by SUBNUM over TIME'", "", lm4(same{"model/n", "rows_used"})}}},
		{"lmm", "lmm_06_orthodont_lme_ar1", 1e-4, []calls{
			{"lmm 'distance ~ I(age - 11) * Sex + (1 | Subject)' --ar1 Subject --df none", "ar1", []same{{"fixed/*/estimate", "beta"}, {"fixed/*/se", "se"}, {"model/sigma", "sigma"}, {"model/loglik", "logLik"}, {"model/residual/correlation", "phi"}}},
			{"lmm 'distance ~ I(age - 11) * Sex + (1 | Subject)' --varident Sex --df none", "varIdent", []same{{"fixed/*/estimate", "beta"}, {"fixed/*/se", "se"}, {"model/sigma", "sigma"}, {"model/loglik", "logLik"}}},
			{"lmm 'distance ~ I(age - 11) * Sex + (I(age - 11) | Subject)' --df containment", "random_slope", []same{{"fixed/*/estimate", "beta"}, {"fixed/*/se", "se"}, {"model/loglik", "logLik"}, {"fixed/*/df", "tTable/values/*/2"}, {"fixed/*/p", "tTable/values/*/4"}}},
		}},
		{"lmm", "lmm_07_sgdata_therapy_sessions", 1e-5, []calls{
			{"lmm 'bdi ~ session + (session | id)'", "growth", lm4()},
		}},
		{"lmm", "dyad_01_acitelli_apim", 1e-5, []calls{{"lmm 'sat ~ otherpos_a + otherpos_p + (1 | CoupleID)'", "lmer_REML_equiv", []same{{"model/criterion", "criterion"}, {"model/sigma", "sigma"}, {"fixed/1/estimate", "beta/1"}, {"fixed/2/se", "se/2"}}}}},
	}
}

func psychCases() []goldenCase {
	bfi := "cfa 'A =~ A1+A2+A3+A4+A5; C =~ C1+C2+C3+C4+C5; E =~ E1+E2+E3+E4+E5'"
	hs := "cfa 'visual =~ x1 + x2 + x3' 'textual =~ x4 + x5 + x6' 'speed =~ x7 + x8 + x9'"
	alpha := func(under string) []same {
		return []same{{"alpha", under + "/raw_alpha"}, {"standardised", under + "/std_alpha"}, {"G6", under + "/G6"}, {"average_r", under + "/average_r"}, {"se", under + "/ase"}, {"lower", under + "/feldt_ci/0"}, {"upper", under + "/feldt_ci/1"}, {"items/*/r_drop", under + "/r_drop"}, {"items/*/alpha_drop", under + "/alpha_drop"}, {"items/*/mean", under + "/item_mean"}}
	}
	apim := "apim --dyad CoupleID --member Partnum --outcome sat --predictors otherpos_a"
	return []goldenCase{
		{"psych", "cfa_01_hs_ml", 1e-5, []calls{{hs + " --modindices --moments --scores --reliability", "", fit("", same{"modindices/0/mi", "mi/mi/0"}, same{"modindices/0/epc", "mi/epc/0"}, same{"moments/0/implied", "implied/values"}, same{"scores/values", "fscores_head/values"}, same{"reliability/*/alpha", "reliability/values/0"}, same{"reliability/*/omega", "reliability/values/1"})}}},
		{"psych", "cfa_02_hs_mlr_mlm", 1e-5, []calls{{hs + " --estimator MLR", "MLR", fit("", scaled()...)}, {hs + " --estimator MLM", "MLM", fit("", scaled()...)}}},
		{"psych", "cfa_03_hs_invariance", 1e-4, []calls{
			{hs + " --group school --invariance", "", []same{{"steps/*/fit/fit/test/chi2", "lrt/chisq"}, {"steps/*/fit/fit/test/df", "lrt/df"}, {"steps/3/fit/fit/cfi", "strict/fit/cfi"}}},
			{hs + " --group school --group-equal loadings,intercepts", "scalar", fit("")},
		}},
		{"psych", "cfa_04_bfi_wlsmv", 1e-4, []calls{{bfi + " --estimator WLSMV", "WLSMV", fit("", scaled()...)}, {bfi + " --estimator DWLS", "DWLS", fit("")}, {bfi, "ML", fit("")}}},
		{"psych", "cfa_05_bfi_fiml", 1e-4, []calls{{"cfa 'A =~ A1+A2+A3+A4+A5' 'C =~ C1+C2+C3+C4+C5' --missing fiml", "", fit("", same{"fit/likelihood/loglik", "fit/logl"}, same{"fit/likelihood/aic", "fit/aic"})}}},
		{"psych", "irt_01_bfi_grm", 1e-3, []calls{{"irt --scores", "", []same{{"loglik", "logLik"}, {"items/*/a", "a"}, {"items/*/b", "b"}, {"items/*/d", "d"}, {"scores/*/mean", "eap_head"}, {"scores/*/sd", "psd_head"}}}}},
		{"psych", "psy_01_shrout_fleiss_icc", 1e-6, []calls{{"icc", "", []same{{"forms/0/icc", "ICC/0"}, {"forms/*/icc", "ICC"}, {"forms/*/F", "F"}, {"forms/*/df2", "df2"}, {"forms/*/p", "p"}, {"forms/*/lower", "lower"}, {"forms/*/upper", "upper"}}}}},
		{"psych", "psy_02_bfi_alpha_omega", 1e-5, []calls{
			{"alpha --reverse A1 --range 1-6", "", alpha("pairwise_alpha")}, {"alpha --reverse A1 --range 1-6 --complete", "", append(alpha("complete_alpha"), same{"n", "n_complete"})},
			{"omega --reverse A1 --range 1-6 --factors 0", "omega", []same{{"one_factor/omega", "omega_total_mcdonald"}, {"one_factor/items/*/loading", "loadings"}, {"one_factor/items/*/residual", "residvar"}}},
		}},
		{"psych", "psy_03_polychoric_bfi", 1e-4, []calls{{"polychoric", "", []same{{"rho", "lavaan_rho/values"}, {"n", "n"}}}}},
		{"psych", "psy_04_rci_controlcharts", 1e-6, []calls{{"rci --score score --sd 7.5 --reliability 0.88 --clinical 30,7.5 --general 8,6", "", []same{
			{"sem", "SEM"}, {"sdiff", "Sdiff"}, {"rci", "RCI"}, {"smallest_detectable", "SDC95"}, {"cutoffs/a", "cut_a"}, {"cutoffs/b", "cut_b"}, {"cutoffs/c", "cut_c"}, {"individuals/centre", "I_center"}, {"individuals/mean_range", "MRbar"}, {"individuals/sigma", "sigma_mr"}, {"individuals/range_upper", "MR_ucl"}, {"ewma/values", "ewma_lambda02"},
		}}}},
		{"psych", "dyad_01_acitelli_apim", 1e-5, []calls{
			{apim, "indistinguishable_ML", []same{{"coefficients/*/estimate", "beta"}, {"coefficients/*/se", "se"}, {"rho", "rho"}, {"loglik", "logLik"}}},
			{apim + " --reml", "indistinguishable_REML", []same{{"coefficients/*/estimate", "beta"}, {"coefficients/*/se", "se"}, {"rho", "rho"}, {"loglik", "logLik"}}},
			{apim + " --roles", "distinguishable_ML", []same{{"coefficients/0/estimate", "beta/0"}, {"coefficients/1/estimate", "beta/2"}, {"coefficients/3/se", "se/1"}, {"loglik", "logLik"}}},
		}},
		{"psych", "dyad_02_truth_bias", 1e-6, []calls{
			{"truthbias --judgment judge --truth truth", "", []same{{"mean_truth", "mean_truth"}, {"directional_bias", "directional_bias"}, {"truth", "accuracy_force"}, {"sigma", "sigma"}, {"r2", "r2"}, {"r", "r_dyad"}, {"paired_t", "mean_diff_t"}, {"coefficients/*/se", "coef/values/*/1"}}},
			{"truthbias --judgment judge --truth truth --moderator moderator", "", []same{{"coefficients/*/estimate", "moderated/values/*/0"}, {"coefficients/*/p", "moderated/values/*/3"}}},
		}},
	}
}

// TestGolden reaches the reference values through the command line and its JSON,
// so that flags, formulas and keys are tried with them.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, g := range slices.Concat(metaCases(), lmmCases(), psychCases()) {
		t.Run(g.folder+"/"+g.id, func(t *testing.T) {
			t.Parallel()
			g.run(t)
		})
	}
}

// TestGoldenParameters compares each parameter of the factor models by its name.
func TestGoldenParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id, args, under string
		tolerance       float64
	}{
		{"cfa_01_hs_ml", "'visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9'", "", 1e-5},
		{"cfa_04_bfi_wlsmv", "'A =~ A1+A2+A3+A4+A5; C =~ C1+C2+C3+C4+C5; E =~ E1+E2+E3+E4+E5' --estimator WLSMV", "WLSMV", 1e-4},
		{"cfa_05_bfi_fiml", "'A =~ A1+A2+A3+A4+A5; C =~ C1+C2+C3+C4+C5' --missing fiml", "", 1e-4},
	} {
		base := filepath.Join("..", "..", "stats", "psych", "testdata", "golden", c.id)
		raw, err := os.ReadFile(base + ".json")
		if err != nil {
			t.Fatal(err)
		}
		type params struct {
			Lhs, Op, Rhs []string
			Est, Se      []float64
		}
		var want struct{ Expected map[string]json.RawMessage }
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		where := want.Expected
		if c.under != "" {
			where = nil
			if err := json.Unmarshal(want.Expected[c.under], &where); err != nil {
				t.Fatal(err)
			}
		}
		var p params
		if err := json.Unmarshal(where["params"], &p); err != nil {
			t.Fatal(err)
		}
		o := object(t, append([]string{"cfa", base + ".csv"}, parts(c.args)...)...)
		found := 0
		for _, x := range o["result"].(map[string]any)["parameters"].([]any) {
			ours := x.(map[string]any)
			for i := range p.Lhs {
				if ours["lhs"] == p.Lhs[i] && ours["op"] == p.Op[i] && ours["rhs"] == strings.TrimSpace(p.Rhs[i]) {
					found++
					for _, v := range [][2]float64{{ours["estimate"].(float64), p.Est[i]}, {ours["se"].(float64), p.Se[i]}} {
						if math.Abs(v[0]-v[1]) > c.tolerance*math.Abs(v[1])+1e-7 {
							t.Errorf("%s: %s %s %s is %.9g, expected %.9g", c.id, p.Lhs[i], p.Op[i], p.Rhs[i], v[0], v[1])
						}
					}
				}
			}
		}
		if found < len(p.Lhs)/2 {
			t.Errorf("%s: %d of %d parameters are found", c.id, found, len(p.Lhs))
		}
	}
}
