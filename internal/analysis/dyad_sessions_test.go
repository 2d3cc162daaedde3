// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
