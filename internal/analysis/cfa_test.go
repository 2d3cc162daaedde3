// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestGroupsKeepTheirOrder: a group is numbered by its first row, even if that row
// has a value missing and is left out, as in lavaan.
func TestGroupsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	f := readFrame(t, golden("psych", "cfa_01_hs_ml"), 400)
	school, x1 := slices.Index(f.names, "school"), slices.Index(f.names, "x1")
	first := slices.Clone(f.rows[len(f.rows)-1])
	if first[school] == f.rows[0][school] {
		t.Fatal("the first and last row are of one school")
	}
	first[x1] = ""
	f.rows = append([][]string{first}, f.rows...)
	out, err := perform(t, strings.NewReader(f.String()), "cfa", "-", "visual =~ x1 + x2 + x3 + x9", "--group", "school", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ Result struct{ Groups []string } }
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatal(err)
	}
	if want := []string{first[school], f.rows[1][school]}; !slices.Equal(o.Result.Groups, want) {
		t.Errorf("the groups are %v, want %v", o.Result.Groups, want)
	}
}
