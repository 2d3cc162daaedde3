// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

var update = flag.Bool("update", false, "write the keys of the JSON anew")

func golden(folder, id string) string {
	return filepath.Join("..", "..", "stats", folder, "testdata", "golden", id+".csv")
}

// everything has a command line for each command, with all that it can show.
var everything = map[string][]string{
	"meta":               {"meta", golden("meta", "meta_10_raudenbush_influence"), "--yi", "yi", "--vi", "vi", "--profile", "--bias", "--influence", "--leave-one-out", "--cumulative", "year", "--subgroup", "setting", "--cluster", "study"},
	"meta-select":        {"meta", golden("meta", "meta_10_raudenbush_influence"), "--yi", "yi", "--vi", "vi", "--selection", "0.025", "--permute", "200", "--add", golden("meta", "meta_10_raudenbush_influence")},
	"meta-mods":          {"meta", golden("meta", "meta_04_bcg_rr_metareg"), "--ai", "tpos", "--bi", "tneg", "--ci", "cpos", "--di", "cneg", "--measure", "RR", "--mods", "ablat", "--at", "ablat=10", "--knha"},
	"meta-levels":        {"meta", golden("meta", "meta_06_assink_3level_robust"), "--yi", "yi", "--vi", "vi", "--levels", "study/esid", "--profile", "--mods", "factor(deltype)", "--cluster", "study", "--joint", "factor(deltype)"},
	"meta-rve":           {"meta", golden("meta", "meta_06_assink_3level_robust"), "--yi", "yi", "--vi", "vi", "--cluster", "study", "--rve", "corr"},
	"lmm":                {"lmm", golden("lmm", "lmm_01_sleepstudy_reml"), "Reaction ~ Days + (Days | Subject)", "--ml", "--terms", "--confint", "bootstrap", "--draws", "20", "--against", "Reaction ~ Days + (1 | Subject)", "--ranef", "--fitted", "--predict", golden("lmm", "lmm_01_sleepstudy_reml"), "--verify"},
	"lmm-ar1":            {"lmm", golden("lmm", "lmm_06_orthodont_lme_ar1"), "distance ~ age + (1 | Subject)", "--ar1", "Subject", "--varident", "Sex", "--df", "none"},
	"alpha":              {"alpha", golden("psych", "psy_02_bfi_alpha_omega"), "--reverse", "A1"},
	"omega":              {"omega", golden("psych", "psy_02_bfi_alpha_omega"), "--reverse", "A1", "--factors", "2"},
	"icc":                {"icc", golden("psych", "psy_01_shrout_fleiss_icc")},
	"kappa":              {"kappa", golden("psych", "psy_03_polychoric_bfi"), "--raters", "A2,A3", "--weights", "quadratic"},
	"polychoric":         {"polychoric", golden("psych", "psy_03_polychoric_bfi"), "--items", "A1,A2,A3"},
	"cfa":                {"cfa", golden("psych", "cfa_01_hs_ml"), "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6", "--estimator", "MLR", "--modindices", "--reliability", "--scores", "--moments", "--against", "g =~ x1 + x2 + x3 + x4 + x5 + x6"},
	"cfa-steps":          {"cfa", golden("psych", "cfa_01_hs_ml"), "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6", "--group", "school", "--invariance"},
	"irt":                {"irt", golden("psych", "irt_01_bfi_grm"), "--scores"},
	"apim":               {"apim", golden("psych", "dyad_01_acitelli_apim"), "--dyad", "CoupleID", "--member", "gender", "--outcome", "sat", "--predictors", "otherpos_a", "--roles"},
	"truthbias":          {"truthbias", golden("psych", "dyad_02_truth_bias"), "--judgment", "judge", "--truth", "truth"},
	"truthbias-sessions": {"truthbias", golden("lmm", "lmm_05_univbct_lagged"), "--judgment", "JSAT", "--truth", "COMMIT", "--dyad", "SUBNUM"},
	"surface":            {"surface", golden("psych", "dyad_02_truth_bias"), "--x", "judge", "--y", "truth", "--outcome", "moderator"},
	"falls":              {"falls", golden("lmm", "lmm_01_sleepstudy_reml"), "--person", "Subject", "--session", "Days", "--rating", "Reaction", "--max", "600", "--lower-is-better"},
	"outcome":            {"outcome", filepath.Join("..", "..", "outcome", "testdata", "suddengains_sgdata_wide.csv"), "--person", "id", "--scores", "bdi_s1,bdi_s2,bdi_s3,bdi_s4,bdi_s5,bdi_s6,bdi_s7,bdi_s8,bdi_s9,bdi_s10,bdi_s11,bdi_s12", "--change", "7", "--cutoff", "14", "--expect"},
	"rci":                {"rci", golden("psych", "cfa_01_hs_ml"), "--pre", "x1", "--post", "x2", "--reliability", "0.8", "--clinical", "3,1", "--general", "5,1"},
	"rci-series":         {"rci", golden("psych", "psy_04_rci_controlcharts"), "--score", "score", "--sd", "7.5", "--reliability", "0.88"},
}

// keysOf lists the paths of a JSON value, each once, in the order of their bytes.
func keysOf(v any, path string, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			keysOf(x, path+"/"+k, into)
		}
	case []any:
		for _, x := range v {
			keysOf(x, path+"/*", into)
		}
		if len(v) == 0 {
			into[path] = true
		}
	default:
		into[path] = true
	}
}

// TestKeysStay compares the keys of the JSON with those that were promised. A key
// that goes away, or changes its name, breaks a program of somebody's.
func TestKeysStay(t *testing.T) {
	t.Parallel()
	for name, line := range everything {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := map[string]bool{}
			keysOf(object(t, line...), "", all)
			var keys []string
			for k := range all {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			text := strings.Join(keys, "\n") + "\n"
			file := filepath.Join("testdata", "keys", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("the keys are\n%s\nand were\n%s", text, want)
			}
		})
	}
}

func TestEveryCommandHasReadableText(t *testing.T) {
	t.Parallel()
	for name, line := range everything {
		out, err := perform(t, nil, line...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, bad := range []string{"NaN", "+Inf", "-Inf", "\x00", "%!"} {
			if strings.Contains(out, bad) {
				t.Errorf("%s prints %q:\n%s", name, bad, out)
			}
		}
	}
}

// TestBadInput: each problem is one sentence that names the place, and wrong use
// is told from wrong data.
func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, table, says string
		usage             bool
	}{
		{"meta - --yi y", "y,v\n1,2\n", "say where the effect sizes are", true},
		{"meta - --yi y --vi w", "y,v\n1,2\n", "there are y, v", true},
		{"meta - --yi y --vi v --method XX", "y,v\n1,2\n", "--method XX", true},
		{"meta - --yi y --vi v --mods 'z +'", "y,v,z\n1,2,3\n", "--mods", true},
		{"meta - --yi y --vi v --knha --levels g", "y,v,g\n1,2,a\n", "--test knha", true},
		{"meta - --yi y --vi v", "y,v\n1,2\n2,0\n3,1\n", "row 2, columns v, y", false},
		{"meta - --r r --n n", "r,n\n.2,20\n1.2,30\n", "row 2", false},
		{"meta - --r r --n n", "r,n\n,20\n.2,\n", "no row has a value", false},
		{"meta - --yi y --vi v", "y,v\n1;2,2\nx,3\n", "row 1, column y", false},
		{"meta nowhere.csv --yi y --vi v", "", "there is no file nowhere.csv", false},
		{"lmm - 'y ~ x + (1 | g'", "y,x,g\n1,2,a\n", "the formula", true},
		{"lmm - 'y ~ z + (1 | g)'", "y,x,g\n1,2,a\n", "there is no such column", true},
		{"lmm - 'y ~ x + (1 | g)'", "y,x,g\n1,2,a\n2,3,a\n4,3,a\n", "standard", false},
		{"lmm - 'y ~ x + (1 | g)' --lag 'y by g'", "y,x,g\n1,2,a\n", "--lag", true},
		{"cfa - 'f =~ a + q'", "a,b\n1,2\n", "the model names q", true},
		{"cfa - 'f = a'", "a,b\n1,2\n", "the model", true},
		{"kappa - --raters a", "a,b\n1,2\n", "kappa is of two", true},
		{"alpha - --reverse q", "a,b\n1,2\n2,1\n", "--reverse q", true},
		{"alpha -", "a,b\nx,y\nx,z\n", "no column of numbers", false},
		{"rci - --pre a --post b --reliability 0.8 --clinical 30", "a,b\n1,2\n2,3\n", "--clinical and --general", true},
		{"apim - --dyad d --outcome y --predictors x", "d,y,x\n1,2,3\n1,2,4\n1,4,4\n", "two rows for the same member", false},
		{"icc - --digits 99", "a,b\n1,2\n", "--digits", true},
		{"icc - --picture x.gif", "a,b\n1,2\n", ".svg or .png", true},
		{"icc - --picture x.svg", "a,b\n1,2\n2,3\n4,4\n", "no picture", true},
	} {
		_, err := perform(t, strings.NewReader(c.table), parts(c.line)...)
		if err == nil {
			t.Errorf("%s is accepted", c.line)
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s says %q, not %q", c.line, err, c.says)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s says more than a sentence: %q", c.line, err)
		}
		var usage *UsageError
		if errors.As(err, &usage) != c.usage {
			t.Errorf("%s: wrong use is %v, want %v (%v)", c.line, !c.usage, c.usage, err)
		}
	}
}

func TestDroppedRowsAreSaid(t *testing.T) {
	t.Parallel()
	table := "study,y,v\na,.1,.02\nb,,.03\nc,.3,.01\nd,.2,NA\ne,.4,.02\n"
	out, err := perform(t, strings.NewReader(table), "meta", "-", "--yi", "y", "--vi", "v")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "Of 5 rows 3 are used") || !strings.Contains(out, "rows 2, 4") {
		t.Errorf("the rows are not said:\n%s", out)
	}
}

// TestInterruptedWritesNothing: the work goes on for ever, the person stops it.
func TestInterruptedWritesNothing(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	folder := t.TempDir()
	o := Output{Digits: 4, Level: .95, Out: filepath.Join(folder, "result.txt")}
	var out bytes.Buffer
	err := o.run(ctx, &Streams{Out: &out, Err: io.Discard}, nil, func(context.Context, func(string)) (*Document, error) {
		stop()
		select {} // never heard of an interruption
	})
	if !errors.Is(err, ErrStopped) {
		t.Errorf("the error is %v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 || out.Len() > 0 {
		t.Errorf("%d files and %d bytes are left", len(left), out.Len())
	}
}

func TestFilesAreWholeOrNotThere(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "a.json")
	if err := os.WriteFile(path, []byte("before"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(path, []byte("after")); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "after" {
		t.Errorf("the file holds %q", text)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("its permissions are %v", info.Mode())
	}
	if err := writeFile(filepath.Join(folder, "none", "a.json"), []byte("x")); err == nil {
		t.Error("a folder that is not there is written to")
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, c := range []struct {
		name string
		line []string
	}{
		{"forest", everything["meta"]}, {"funnel", everything["meta"]}, {"baujat", everything["meta"]}, {"influence", everything["meta"]}, {"forest", everything["meta-levels"]}, {"forest", everything["meta-mods"]},
		{"caterpillar", everything["lmm"]}, {"spaghetti", everything["lmm"]}, {"path", everything["cfa"]}, {"path", everything["cfa-steps"]},
	} {
		formats := []string{".svg"}
		if c.name == "forest" || c.name == "path" {
			formats = append(formats, ".png")
		}
		for _, ext := range formats {
			file := filepath.Join(folder, c.name+ext)
			if _, err := perform(t, nil, append(slices.Clone(c.line), "--plot", c.name, "--picture", file)...); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if ext == ".png" {
				if img, err := png.Decode(bytes.NewReader(raw)); err != nil || img.Bounds().Dx() < 800 {
					t.Errorf("%s: %v", file, err)
				}
			} else if bytes.Contains(raw, []byte("NaN")) || bytes.Contains(raw, []byte("Inf ")) {
				t.Errorf("%s has a place that is none", file)
			}
		}
	}
}

// FuzzRules tries the small languages of the flags: an error or a result, no panic.
func FuzzRules(f *testing.F) {
	for _, s := range []string{"JSAT by SUBNUM over TIME", "a=1; b=x", "study=0", "1-6", "factor(x) * y", "", "~", "=", "by by by", "-"} {
		f.Add(s)
	}
	table := "y,v,g,x\n.1,.02,a,1\n.2,.03,b,2\n.3,.01,c,4\n.25,.02,a,3\n"
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = words("lag", s, "by", "over")
		_, _, _ = pairOf("clinical", s)
		i := Items{Range: s}
		if low, high, err := i.limits(mat.NewDense(1, 2, []float64{1, 2})); err == nil && !(low < high) {
			t.Errorf("--range %q gives %g to %g", s, low, high)
		}
		if strings.ContainsAny(s, "\x00") {
			return
		}
		for _, c := range []Source{{Data: "-", Keep: []string{s}}, {Data: "-", Delimiter: s}} {
			_, _ = c.open(strings.NewReader(table))
		}
		m := MetaCommand{Source: Source{Data: "-"}, Output: Output{Digits: 4, Level: .95}, Method: "REML", Test: "z", Rve: "none", Robust: "CR2", Transform: "auto", Prediction: "test", Mods: s}
		m.Yi, m.Vi = "y", "v"
		var out bytes.Buffer
		if err := m.Run(t.Context(), &Streams{In: strings.NewReader(table), Out: &out, Err: io.Discard}); err == nil && strings.Contains(out.String(), "NaN") {
			t.Errorf("--mods %q prints NaN:\n%s", s, out.String())
		}
	})
}

func TestJSONKeepsEachDigit(t *testing.T) {
	t.Parallel()
	third := 1.0 / 3
	raw, err := json.Marshal(Object{{"a", third}, {"b", []float64{third}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := strconv.FormatFloat(third, 'g', -1, 64); strings.Count(string(raw), want) != 2 {
		t.Errorf("%s does not hold %s twice", raw, want)
	}
}
