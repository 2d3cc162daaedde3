// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rCases are analyses whose R code is run, with what R is to print of its result
// and where the same numbers stand in ours.
var rCases = []struct {
	needs     string // packages of R
	line      string
	ask       string // an expression of R
	path      string
	tolerance float64
}{
	{"metafor", "meta DATA:meta/meta_01_kolden_congruence_r_all_estimators --r r --n n --method REML --knha --r-code", "c(coef(fit), fit$se, fit$tau2)", "model/coefficients/0/estimate model/coefficients/0/se model/tau2", 1e-6},
	{"metafor", "meta DATA:meta/meta_04_bcg_rr_metareg --ai tpos --bi tneg --ci cpos --di cneg --measure RR --mods 'ablat + year' --method PM --r-code", "c(coef(fit), fit$pval)", "model/coefficients/*/estimate model/coefficients/*/p", 1e-5},
	{"metafor", "meta DATA:meta/meta_11_normand_smd_md --m1 m1i --sd1 sd1i --n1 n1i --m2 m2i --sd2 sd2i --n2 n2i --vtype UB --r-code", "c(coef(fit), fit$QE)", "model/coefficients/*/estimate model/QE/stat", 1e-6},
	{"metafor clubSandwich", "meta DATA:meta/meta_06_assink_3level_robust --yi yi --vi vi --levels study/esid --cluster study --mods 'factor(deltype) + pubstatus' --r-code", "c(fit$sigma2, robust.fit$SE, robust.fit$df_Satt)", "model/components/*/sigma2 robust/coefficients/*/se robust/coefficients/*/df", 1e-4},
	{"metafor robumeta", "meta DATA:meta/meta_06_assink_3level_robust --yi yi --vi vi --cluster study --rve corr --r-code", "c(fit$reg_table$b.r, fit$reg_table$SE)", "robust/coefficients/*/estimate robust/coefficients/*/se", 1e-5},
	{"lmerTest", "lmm DATA:lmm/lmm_01_sleepstudy_reml 'Reaction ~ Days + (Days | Subject)' --reml --r", "c(fixef(fit), sigma(fit), REMLcrit(fit))", "fixed/*/estimate model/sigma model/criterion", 1e-5},
	{"lmerTest", "lmm DATA:lmm/lmm_05_univbct_lagged 'JSAT ~ TIME + JSAT.lag + COMMIT.within + COMMIT.between + (1 | SUBNUM)' --split 'COMMIT by SUBNUM' --lag 'JSAT by SUBNUM over TIME' --ml --r", "c(nobs(fit), fixef(fit), as.numeric(logLik(fit)))", "model/n fixed/*/estimate model/loglik", 1e-5},
	{"lmerTest", "lmm DATA:lmm/lmm_05_univbct_lagged 'JSAT ~ TIME + JSAT.lag + (1 | SUBNUM)' --lag 'JSAT by SUBNUM after TIME' --ml --r", "c(nobs(fit), fixef(fit), as.numeric(logLik(fit)))", "model/n fixed/*/estimate model/loglik", 1e-5},
	{"nlme", "lmm DATA:lmm/lmm_06_orthodont_lme_ar1 'distance ~ I(age - 11) * Sex + (1 | Subject)' --ar1 Subject --df none --r", "c(fixef(fit), as.numeric(logLik(fit)))", "fixed/*/estimate model/loglik", 1e-4},
	{"psych", "alpha DATA:psych/psy_02_bfi_alpha_omega --reverse A1 --range 1-6 --r", "c(fit$total$raw_alpha, fit$item.stats$r.drop)", "alpha items/*/r_drop", 1e-6},
	{"lavaan", "omega DATA:psych/psy_02_bfi_alpha_omega --reverse A1 --range 1-6 --factors 0 --r", "omega.total", "one_factor/omega", 1e-5},
	{"psych", "icc DATA:psych/psy_01_shrout_fleiss_icc --r", "fit$results$ICC", "forms/*/icc", 1e-6},
	{"psych", "kappa DATA:psych/psy_03_polychoric_bfi --raters A2,A3 --weights quadratic --r", "fit$weighted.kappa", "kappa", 1e-6},
	{"lavaan", "polychoric DATA:psych/psy_03_polychoric_bfi --items A1,A2,A3 --r", "as.vector(unclass(fit))", "rho", 1e-4},
	{"lavaan", "cfa DATA:psych/cfa_01_hs_ml 'visual =~ x1 + x2 + x3' 'textual =~ x4 + x5 + x6' --estimator MLR --r", "fitMeasures(fit)[c('chisq', 'df', 'chisq.scaled', 'cfi', 'rmsea', 'srmr')]", "fit/test/chi2 fit/test/df fit/scaled/test/chi2 fit/cfi fit/rmsea/value fit/srmr", 1e-5},
	{"lavaan", "cfa DATA:psych/cfa_01_hs_ml 'visual =~ x1 + x2 + x3' --group school --invariance --r", "c(fitMeasures(metric)['chisq'], fitMeasures(fit)['chisq'])", "steps/1/fit/fit/test/chi2 steps/3/fit/fit/test/chi2", 1e-4},
	{"lavaan", "cfa DATA:psych/cfa_04_bfi_wlsmv 'A =~ A1 + A2 + A3 + A4 + A5' --estimator WLSMV --r", "fitMeasures(fit)[c('chisq', 'chisq.scaled')]", "fit/test/chi2 fit/scaled/test/chi2", 1e-4},
	{"nlme", "apim DATA:psych/dyad_01_acitelli_apim --dyad CoupleID --member gender --outcome sat --predictors otherpos_a --roles --r", "as.numeric(logLik(fit))", "loglik", 1e-5},
	{"nlme", "apim DATA:psych/dyad_01_acitelli_apim --dyad CoupleID --member gender --outcome sat --predictors otherpos_a,tension_a --roles --equal-variances --r", "as.numeric(logLik(fit))", "loglik", 1e-6},
	{"stats", "truthbias DATA:psych/dyad_02_truth_bias --judgment judge --truth truth --moderator moderator --r", "coef(fit)", "coefficients/*/estimate", 1e-6},
	{"lmerTest", "truthbias DATA:lmm/lmm_05_univbct_lagged --judgment JSAT --truth COMMIT --dyad SUBNUM --r", "c(fixef(fit), sigma(fit))", "coefficients/*/estimate sigma", 1e-5},
	{"stats", "surface DATA:psych/dyad_02_truth_bias --x judge --y truth --outcome moderator --r", "c(coef(fit), drop(a %*% coef(fit)))", "coefficients/*/estimate surface/*/estimate", 1e-5},
	{"stats", "rci DATA:psych/psy_04_rci_controlcharts --score score --sd 7.5 --reliability 0.88 --r", "fit", "rci", 1e-9},
}

// TestRCode runs the R code that is printed, and compares its result with ours:
// four analyses, and all with ENTENTE_DRILL=1.
func TestRCode(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("Rscript")
	if err != nil {
		t.Skip("R is not installed, so its code is not run; on Debian: apt-get install r-base-core r-cran-metafor r-cran-lmertest r-cran-lavaan r-cran-psych r-cran-clubsandwich r-cran-robumeta r-cran-pbkrtest")
	}
	for i, c := range rCases {
		words := parts(c.line)
		if i > 0 && c.needs != "stats" && os.Getenv("ENTENTE_DRILL") == "" {
			continue // R takes seconds to load its packages
		}
		t.Run(words[0]+" "+filepath.Base(words[1]), func(t *testing.T) {
			t.Parallel()
			folder, id, _ := strings.Cut(strings.TrimPrefix(words[1], "DATA:"), "/")
			words[1] = golden(folder, id)
			for _, p := range strings.Fields(c.needs) {
				if exec.CommandContext(t.Context(), program, "-e", "if (!requireNamespace('"+p+"', quietly = TRUE)) quit(status = 1)").Run() != nil {
					t.Skipf("R has no package %s, so this code is not run; on Debian: apt-get install r-cran-%s", p, strings.ToLower(p))
				}
			}
			code, err := perform(t, nil, words...)
			if err != nil {
				t.Fatal(err)
			}
			got := runR(t, program, code, c.ask)
			o := object(t, words[:len(words)-1]...)
			var ours []float64
			for _, p := range strings.Fields(c.path) {
				v, err := pick(o["result"], p)
				if err != nil {
					t.Fatal(err)
				}
				ours = append(ours, v...)
			}
			if len(ours) != len(got) {
				t.Fatalf("R has %d numbers, we have %d\n%s", len(got), len(ours), code)
			}
			for i := range got {
				if math.Abs(got[i]-ours[i]) > c.tolerance*math.Abs(got[i])+1e-9 {
					t.Errorf("number %d is %.10g, in R %.10g\n%s", i, ours[i], got[i], code)
				}
			}
		})
	}
}

func runR(t *testing.T, program, code, ask string) []float64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "analysis.R")
	text := code + "\ncat(\"\\n#answer\", sprintf(\"%.15g\", " + ask + "), \"\\n\")\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, code, out)
	}
	_, answer, ok := strings.Cut(string(out), "#answer")
	if !ok {
		t.Fatalf("R gives no answer:\n%s", out)
	}
	answer, _, _ = strings.Cut(answer, "\n")
	var v []float64
	for _, w := range strings.Fields(answer) {
		x, err := strconv.ParseFloat(w, 64)
		if err != nil {
			t.Fatal(err)
		}
		v = append(v, x)
	}
	return v
}
