// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestOutcomeLong: a row for each session gives what a column for each session gives,
// with the sudden gains that were published.
func TestOutcomeLong(t *testing.T) {
	t.Parallel()
	wide := object(t, everything["outcome"]...)
	file, err := os.Open(everything["outcome"][1])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("who,session,bdi\n,1,20\n")
	for _, row := range rows[1:] {
		for s := 12; s >= 1; s-- { // the newest first
			fmt.Fprintf(&b, "%s,%d,%s\n", row[0], s, row[1+s])
		}
	}
	long := filepath.Join(t.TempDir(), "long.csv")
	if err := os.WriteFile(long, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	again := object(t, "outcome", long, "--person", "who", "--session", "session", "--score", "bdi", "--change", "7", "--cutoff", "14", "--expect")
	a, z := wide["result"].(map[string]any), again["result"].(map[string]any)
	if !reflect.DeepEqual(a["people"], z["people"]) || !reflect.DeepEqual(a["growth"], z["growth"]) {
		t.Error("the two forms of the file give other results")
	}
	gains := 0
	for _, p := range a["people"].([]any) {
		for _, s := range p.(map[string]any)["sudden"].([]any) {
			if s.(map[string]any)["kind"] == "gain" {
				gains++
			}
		}
	}
	if gains != 24 {
		t.Errorf("%d sudden gains, published 24", gains)
	}
	for want, line := range map[string][]string{
		"give --scores, or":         {"--change", "7"},
		"--score needs":             {"--change", "7", "--score", "bdi"},
		"--change is 0":             {"--change", "0", "--scores", "bdi"},
		"there is no such column":   {"--change", "7", "--scores", "nothing"},
		"there is no R code":        {"--change", "7", "--scores", "bdi", "--r"},
		"expected response needs 2": {"--change", "7", "--scores", "bdi", "--expect"},
	} {
		if _, err := perform(t, nil, append([]string{"outcome", long}, line...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", line, err, want)
		}
	}
	for want, text := range map[string]string{"two scores of session 1": "a,1,3\na,1,4\n", "is not the number of": "a,1,3\na,1.5,4\n", "no row has": "a,1,\n"} {
		in := strings.NewReader("who,session,bdi\n" + text)
		if _, err := perform(t, in, "outcome", "-", "--change", "7", "--person", "who", "--session", "session", "--score", "bdi"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
