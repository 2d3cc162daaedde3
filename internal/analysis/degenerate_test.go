// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// frame is a small table of text.
type frame struct {
	names []string
	rows  [][]string
}

func readFrame(t *testing.T, file string, most int) frame {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return frame{names: all[0], rows: all[1:min(len(all), most+1)]}
}

func (f frame) String() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.WriteAll(append([][]string{f.names}, f.rows...)) // strings.Builder never fails
	return b.String()
}

// each makes a new table by a rule for every cell.
func (f frame) each(rule func(row, column int, v string) string) frame {
	out := frame{names: f.names}
	for i, r := range f.rows {
		n := make([]string, len(r))
		for j, v := range r {
			n[j] = rule(i, j, v)
		}
		out.rows = append(out.rows, n)
	}
	return out
}

func times(v string, by float64) string {
	x, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return v
	}
	return strconv.FormatFloat(x*by, 'g', -1, 64)
}

// hazards are tables that data of real people turn into: too few, all alike,
// copies of each other, empty, tiny, huge; by columns, those that a command names.
func (f frame) hazards(line []string) map[string]frame {
	text := strings.Join(line, " ")
	named := slices.ContainsFunc(f.names, func(n string) bool { return strings.Contains(text, n) })
	out := map[string]frame{
		"no rows":       {names: f.names},
		"one row":       {names: f.names, rows: f.rows[:1]},
		"two rows":      {names: f.names, rows: f.rows[:2]},
		"three rows":    {names: f.names, rows: f.rows[:3]},
		"one row again": f.each(func(_, j int, _ string) string { return f.rows[0][j] }),
		"all zero":      f.each(func(_, _ int, v string) string { return times(v, 0) }),
		"all tiny":      f.each(func(_, _ int, v string) string { return times(v, 1e-300) }),
		"all huge":      f.each(func(_, _ int, v string) string { return times(v, 1e300) }),
		"all missing":   f.each(func(_, _ int, _ string) string { return "" }),
		"every second row is missing": f.each(func(i, _ int, v string) string {
			if i%2 == 1 {
				return ""
			}
			return v
		}),
	}
	for j, name := range f.names {
		if named && !strings.Contains(text, name) {
			continue
		}
		only := func(change func(row int, v string) string) frame {
			return f.each(func(i, k int, v string) string {
				if k != j {
					return v
				}
				return change(i, v)
			})
		}
		out[name+" is constant"] = only(func(int, string) string { return f.rows[0][j] })
		out[name+" is missing"] = only(func(int, string) string { return "" })
		out[name+" is zero"] = only(func(_ int, v string) string { return times(v, 0) })
		out[name+" is tiny"] = only(func(_ int, v string) string { return times(v, 1e-300) })
		out[name+" is huge"] = only(func(_ int, v string) string { return times(v, 1e300) })
		out[name+" is negative"] = only(func(_ int, v string) string { return times(v, -1) })
		out[name+" has two values, apart"] = only(func(i int, _ string) string { return strconv.Itoa(i * 2 / max(1, len(f.rows))) })
		out[name+" is different in each row"] = only(func(i int, _ string) string { return strconv.Itoa(i + 1) })
		out[name+" once far away"] = only(func(i int, v string) string {
			if i == 1 {
				return times(v, 1e12)
			}
			return v
		})
		if j > 0 {
			out[name+" is a copy of "+f.names[j-1]] = f.each(func(i, k int, v string) string {
				if k == j {
					return f.rows[i][j-1]
				}
				return v
			})
		}
	}
	return out
}

// degenerateCase is a command line and the table whose first rows it meets spoilt.
type degenerateCase struct {
	name, file string
	rows       int
	line       []string
}

// degenerate are the command lines that meet the hazards: each kind of model once.
var degenerate = []degenerateCase{
	{"meta", golden("meta", "meta_10_raudenbush_influence"), 20, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--knha", "--bias", "--influence", "--leave-one-out"}},
	{"meta-pm", golden("meta", "meta_10_raudenbush_influence"), 20, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--method", "PM", "--mods", "weeks", "--subgroup", "setting"}},
	{"meta-select", golden("meta", "meta_10_raudenbush_influence"), 20, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--selection", "0.025,0.5", "--permute", "20"}},
	{"meta-or", golden("meta", "meta_04_bcg_rr_metareg"), 13, []string{"meta", "-", "--ai", "tpos", "--bi", "tneg", "--ci", "cpos", "--di", "cneg", "--measure", "OR", "--mods", "ablat"}},
	{"meta-levels", golden("meta", "meta_06_assink_3level_robust"), 30, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--levels", "study/esid", "--cluster", "study"}},
	{"meta-rve", golden("meta", "meta_06_assink_3level_robust"), 30, []string{"meta", "-", "--yi", "yi", "--vi", "vi", "--cluster", "study", "--rve", "corr"}},
	{"lmm", golden("lmm", "lmm_01_sleepstudy_reml"), 40, []string{"lmm", "-", "Reaction ~ Days + (Days | Subject)", "--terms"}},
	{"lmm-ar1", golden("lmm", "lmm_06_orthodont_lme_ar1"), 40, []string{"lmm", "-", "distance ~ age + (1 | Subject)", "--ar1", "Subject", "--varident", "Sex", "--df", "none"}},
	{"alpha", golden("psych", "psy_02_bfi_alpha_omega"), 60, []string{"alpha", "-"}},
	{"omega", golden("psych", "psy_02_bfi_alpha_omega"), 60, []string{"omega", "-", "--factors", "2"}},
	{"icc", golden("psych", "psy_01_shrout_fleiss_icc"), 6, []string{"icc", "-"}},
	{"kappa", golden("psych", "psy_02_bfi_alpha_omega"), 60, []string{"kappa", "-", "--raters", "A2,A3", "--weights", "quadratic"}},
	{"polychoric", golden("psych", "psy_02_bfi_alpha_omega"), 60, []string{"polychoric", "-", "--items", "A1,A2,A3"}},
	{"cfa", golden("psych", "cfa_01_hs_ml"), 60, []string{"cfa", "-", "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6", "--modindices", "--reliability"}},
	{"cfa-fiml", golden("psych", "cfa_01_hs_ml"), 60, []string{"cfa", "-", "visual =~ x1 + x2 + x3", "--missing", "fiml"}},
	{"cfa-wlsmv", golden("psych", "psy_02_bfi_alpha_omega"), 60, []string{"cfa", "-", "a =~ A1 + A2 + A3 + A4", "--estimator", "WLSMV", "--scores"}},
	{"irt", golden("psych", "irt_01_bfi_grm"), 60, []string{"irt", "-"}},
	{"apim", golden("psych", "dyad_01_acitelli_apim"), 60, []string{"apim", "-", "--dyad", "CoupleID", "--member", "gender", "--outcome", "sat", "--predictors", "otherpos_a"}},
	{"truthbias", golden("psych", "dyad_02_truth_bias"), 40, []string{"truthbias", "-", "--judgment", "judge", "--truth", "truth"}},
	{"surface", golden("psych", "dyad_02_truth_bias"), 40, []string{"surface", "-", "--x", "judge", "--y", "truth", "--outcome", "moderator"}},
	{"falls", golden("lmm", "lmm_01_sleepstudy_reml"), 40, []string{"falls", "-", "--person", "Subject", "--session", "Days", "--rating", "Reaction", "--max", "600", "--lower-is-better"}},
	{"outcome", filepath.Join("..", "..", "outcome", "testdata", "suddengains_sgdata_wide.csv"), 12, []string{"outcome", "-", "--person", "id", "--scores", "bdi_s1,bdi_s2,bdi_s3,bdi_s4", "--change", "7", "--cutoff", "14", "--expect"}},
	{"rci", golden("psych", "cfa_01_hs_ml"), 40, []string{"rci", "-", "--pre", "x1", "--post", "x2", "--reliability", "0.8", "--clinical", "3,1", "--general", "5,1"}},
}

// TestDegenerate: whatever the data are, a command ends in an answer without NaN,
// or in one sentence; it never panics and never says that something is infinite.
// As text and as JSON by turns, and the rarer command lines with each fifth table;
// all of it where ENTENTE_DRILL is set.
func TestDegenerate(t *testing.T) {
	t.Parallel()
	for k, c := range slices.Concat(degenerate, rarer) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tables := readFrame(t, c.file, c.rows).hazards(c.line)
			for i, name := range slices.Sorted(maps.Keys(tables)) {
				if k >= len(degenerate) && (i+k)%5 != 0 && os.Getenv("ENTENTE_DRILL") == "" {
					continue
				}
				line := slices.Clone(c.line)
				if i%2 == 0 || os.Getenv("ENTENTE_DRILL") != "" {
					if fault := endsWell(t, tables[name].String(), line); fault != "" {
						t.Errorf("%s: %s", name, fault)
					}
				}
				if i%2 == 1 || os.Getenv("ENTENTE_DRILL") != "" {
					if fault := endsWell(t, tables[name].String(), append(line, "--json")); fault != "" {
						t.Errorf("%s as JSON: %s", name, fault)
					}
				}
			}
		})
	}
}

func endsWell(t *testing.T, table string, line []string) (fault string) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			fault = fmt.Sprintf("panics: %v", p)
		}
	}()
	began := time.Now()
	out, err := perform(t, strings.NewReader(table), line...)
	if took := time.Since(began); took > time.Minute {
		fault = fmt.Sprintf("takes %v", took)
	}
	said := out
	if errors.Is(err, errOwnFault) {
		return err.Error()
	}
	if err != nil {
		said = err.Error()
		if strings.Count(said, "\n") > 0 || len(said) > 400 || said == "" {
			return fmt.Sprintf("is no sentence: %s", said)
		}
	}
	for _, bad := range []string{"NaN", "+Inf", "-Inf", " Inf ", "%!", "runtime error", "mat: ", "lapack"} {
		if strings.Contains(said, bad) {
			return fmt.Sprintf("says %q:\n%.900s", bad, said[max(0, strings.Index(said, bad)-300):])
		}
	}
	return fault
}
