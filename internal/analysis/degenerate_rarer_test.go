// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

// rarer are further ways through the models: kinds of robust errors, estimators,
// groups, crossed effects.
var rarer = []degenerateCase{
	{"meta-rve-hier", golden("meta", "meta_06_assink_3level_robust"), 24, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--cluster", "study", "--rve", "hier", "--mods", "year"}},
	{"meta-cr0", golden("meta", "meta_06_assink_3level_robust"), 24, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--cluster", "study", "--robust", "CR0"}},
	{"meta-cr1", golden("meta", "meta_06_assink_3level_robust"), 24, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--levels", "study/esid", "--cluster", "study", "--robust", "CR1", "--mods", "year"}},
	{"meta-htz", golden("meta", "meta_06_assink_3level_robust"), 24, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--levels", "study/esid", "--rho", "0.6", "--cluster", "study", "--mods", "year + pubstatus", "--joint", "year", "--method", "ML"}},
	{"cfa-mlr", golden("psych", "cfa_01_hs_ml"), 40, []string{"cfa", "-", "visual =~ x1 + x2 + x3 + x4", "--estimator", "MLR", "--missing", "fiml"}},
	{"cfa-mlm", golden("psych", "cfa_01_hs_ml"), 40, []string{"cfa", "-", "visual =~ x1 + x2 + x3 + x4", "--estimator", "MLM", "--std-lv"}},
	{"cfa-groups", golden("psych", "cfa_01_hs_ml"), 40, []string{"cfa", "-", "visual =~ x1 + x2 + x3", "--group", "sex", "--group-equal", "loadings,intercepts", "--estimator", "MLR"}},
	{"cfa-bifactor", golden("psych", "cfa_01_hs_ml"), 60, []string{"cfa", "-", "textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9", "--bifactor", "g"}},
	{"cfa-dwls-groups", golden("psych", "psy_03_polychoric_bfi"), 60, []string{"cfa", "-", "a =~ A1 + A2 + A3", "--estimator", "DWLS", "--group", "A4"}},
	{"irt-equal", golden("psych", "irt_01_bfi_grm"), 30, []string{"irt", "-", "--points", "21", "--items", "E1,E2,E3", "--equal-discriminations", "--scores"}},
	{"lmm-crossed", golden("lmm", "lmm_05_univbct_lagged"), 45, []string{"lmm", "-", "JSAT ~ COMMIT + (COMMIT || SUBNUM) + (1 | TIME)", "--df", "kenward-roger"}},
	{"apim-roles", golden("psych", "dyad_01_acitelli_apim"), 30, []string{"apim", "-", "--dyad", "CoupleID", "--member", "gender", "--outcome", "sat", "--predictors", "otherpos_a", "--roles", "--equal-effects", "--reml"}},
	{"truthbias-sessions", golden("lmm", "lmm_05_univbct_lagged"), 45, []string{"truthbias", "-", "--judgment", "JSAT", "--truth", "COMMIT", "--dyad", "SUBNUM"}},
}
