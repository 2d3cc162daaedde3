// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// After a missed session "over" has no value, and "after" has that of the row
// before.
func TestLagOverOrAfter(t *testing.T) {
	var b strings.Builder
	b.WriteString("id,session,y,x\n")
	for _, p := range []string{"a", "b", "c", "d", "e"} {
		for i, s := range []string{"5", "1", "6", "2"} { // 3 and 4 are missed
			b.WriteString(p + "," + s + "," + string(rune('1'+(i*3+int(p[0]))%7)) + ",1\n")
		}
	}
	file := filepath.Join(t.TempDir(), "sessions.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for rule, rows := range map[string]float64{"over": 10, "after": 15} {
		o := object(t, "lmm", file, "y ~ y.lag + (1 | id)", "--lag", "y by id "+rule+" session", "--df", "none")
		if n := o["source"].(map[string]any)["rows_used"]; n != rows {
			t.Errorf("%s: %v rows, not %v", rule, n, rows)
		}
	}
}
