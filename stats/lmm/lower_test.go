// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"encoding/json"
	"os"
	"testing"
)

// TestLowerThanLmer fits data on which lmer stops early and looks whether the
// criterion is lower; a second optimiser must agree.
func TestLowerThanLmer(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/more/lower.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Cases []struct {
			Data, Formula              string
			Nloptwrap, Bobyqa, Default float64
		}
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Cases {
		m := mustFit(t, c.Formula, readFrame(t, c.Data), &Options{Verify: true})
		t.Logf("%s %s: %.6f; lmer's less ours: nloptwrap %.2g, bobyqa %.2g, default %.2g", c.Data, c.Formula, m.Criterion,
			c.Nloptwrap-m.Criterion, c.Bobyqa-m.Criterion, c.Default-m.Criterion)
		if m.Criterion > min(c.Nloptwrap, c.Bobyqa, c.Default)+1e-7 || !m.State.Converged || m.State.Second == nil || !m.State.Second.Agrees {
			t.Errorf("%s: criterion %.10f, state %+v", c.Data, m.Criterion, m.State)
		}
	}
	if len(all.Cases) != 3 {
		t.Errorf("%d cases", len(all.Cases))
	}
}
