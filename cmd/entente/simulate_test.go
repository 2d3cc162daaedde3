// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-project/entente/alliance/simulate"
)

// TestSimulateCommand: a table for people and one for programs, the same for the
// same seed; a plan that makes no sense is refused in a sentence.
func TestSimulateCommand(t *testing.T) {
	t.Parallel()
	run := func(args ...string) (string, string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"simulate", "--courses", "100", "--sessions", "10"}, args...)...)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		err := cmd.Run()
		return out.String(), complaint.String(), err
	}
	picture := filepath.Join(t.TempDir(), "curves.svg")
	table, _, err := run("--picture", picture)
	if drawn, readErr := os.ReadFile(picture); readErr != nil || !strings.Contains(string(drawn), ">"+simulate.Ours+"<") || strings.Count(string(drawn), "<polyline")+strings.Count(string(drawn), "<path") < 12 {
		t.Errorf("the picture: %v, %d bytes", readErr, len(drawn))
	}
	if err != nil || !strings.Contains(table, "3 SD, 1 session") || !strings.Contains(table, "is closed on average") {
		t.Errorf("%v\n%s", err, table)
	}
	first, _, err := run("--json", "--seed", "3")
	again, _, _ := run("--json", "--seed", "3")
	var v struct {
		Results []struct {
			Rule    string   `json:"rule"`
			Noticed float64  `json:"noticed"`
			Closed  *float64 `json:"closed"`
		} `json:"results"`
	}
	if err != nil || json.Unmarshal([]byte(first), &v) != nil || len(v.Results) != 12*15*2 || first != again {
		t.Errorf("%v, %d results, the same twice: %v", err, len(v.Results), first == again)
	}
	if _, complaint, err := run("--alarm", "2"); err == nil || !strings.Contains(complaint, "must lie between 0 and 1") {
		t.Errorf("%v: %q", err, complaint)
	}
}
