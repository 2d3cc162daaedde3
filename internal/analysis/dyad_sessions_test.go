// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTruthBiasOfSessions sends the sessions that lme4 was given through the
// command line.
func TestTruthBiasOfSessions(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "stats", "psych", "testdata", "reference", "truthbias.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Judgment, Truth              []*float64
		Dyad                         []string
		N                            int
		Est, SE, P, Lower, Upper, SD []float64
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	cell := func(v *float64) string {
		if v == nil {
			return ""
		}
		return fmt.Sprint(*v)
	}
	var b strings.Builder
	b.WriteString("therapist,client,who\n")
	for i, d := range c.Dyad {
		fmt.Fprintf(&b, "%s,%s,p%s\n", cell(c.Judgment[i]), cell(c.Truth[i]), d)
	}
	out, err := perform(t, strings.NewReader(b.String()), "truthbias", "-", "--judgment", "therapist", "--truth", "client", "--dyad", "who", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ Result any }
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatal(err)
	}
	g := goldenCase{tolerance: 2e-5}
	compared := 0
	for path, want := range map[string][]float64{
		"sessions": {float64(c.N)}, "dyads": {40}, "coefficients/*/estimate": c.Est, "coefficients/*/se": c.SE, "coefficients/*/p": c.P,
		"coefficients/*/lower": c.Lower, "coefficients/*/upper": c.Upper, "bias_sd": c.SD[:1], "truth_sd": c.SD[1:2], "rho": c.SD[2:3], "sigma": c.SD[3:],
	} {
		ours, err := pick(o.Result, path)
		if err != nil {
			t.Fatal(err)
		}
		compared += g.compare(t, path, ours, want)
	}
	t.Logf("%d numbers agree", compared)
}

// TestCouplesWithOneOutcome: where one partner's answer is missing the other's is
// used, as gls uses it; the values are those of apim.R.
func TestCouplesWithOneOutcome(t *testing.T) {
	t.Parallel()
	f := readFrame(t, golden("psych", "dyad_01_acitelli_apim"), 400)
	sat := slices.Index(f.names, "sat")
	table := f.each(func(i, j int, v string) string {
		if j == sat && (i+1)*7%10 == 0 {
			return ""
		}
		return v
	}).String()
	raw, err := os.ReadFile(filepath.Join("..", "..", "stats", "psych", "testdata", "reference", "apim.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Expected any }
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	g := goldenCase{tolerance: 2e-5}
	for under, flags := range map[string][]string{"roles_ML": {"--roles"}, "roles_REML": {"--roles", "--reml"}, "equal_effects_ML": {"--roles", "--equal-effects"}, "equal_variances_ML": {"--roles", "--equal-variances"}, "alike_REML": {"--reml"}} {
		line := append([]string{"apim", "-", "--dyad", "CoupleID", "--member", "Partnum", "--outcome", "sat", "--predictors", "otherpos_a,tension_a", "--json"}, flags...)
		out, err := perform(t, strings.NewReader(table), line...)
		if err != nil {
			t.Fatal(err)
		}
		var o struct{ Result any }
		if err := json.Unmarshal([]byte(out), &o); err != nil {
			t.Fatal(err)
		}
		for _, p := range []same{{"coefficients/*/estimate", under + "/beta"}, {"coefficients/*/se", under + "/se"}, {"coefficients/*/p", under + "/p"}, {"rho", under + "/rho"}, {"sd/0", under + "/sigma"}, {"loglik", under + "/logLik"}, {"aic", under + "/AIC"}, {"rows", "rows"}, {"dyads", "couples"}} {
			ours, err := pick(o.Result, p.ours)
			if err != nil {
				t.Fatal(err)
			}
			want, err := pick(c.Expected, p.theirs)
			if err != nil {
				t.Fatal(err)
			}
			g.compare(t, under+" "+p.ours, ours, want)
		}
	}
}
