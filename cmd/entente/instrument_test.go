// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstrumentCommand: the library is listed, a file of one's own is checked,
// answers are scored by the published key, and what cannot be is said.
func TestInstrumentCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	answers := file("answers.csv", "person;Item 1;item_2;q3;Q04;i5;6;7;unused\nA;1;2;3;0;1;2;3;x\nB;1;;3;0;1;2;3;x\nC;1;9;3;0;1;2;3;x\n")
	words := file("words.csv", "1,2,3,4,5,6,7\n1,2,often,0,1,2,3\n")
	short := file("short.csv", "a,b\n1,2\n")
	bad := file("bad.yaml", "id: x\nversion: 0\n")
	for _, c := range []struct {
		args []string
		ok   bool
		want string
	}{
		{[]string{"score", "gad-7", answers, "--keep=person"}, true, "person,total,total_answered,unfit\nA,12,7,\nB,,6,\nC,,6,2\n"},
		{[]string{"score", "gad-7", words}, false, `line 2, column "3"`},
		{[]string{"score", "gad-7", short}, false, "there is no column for item 1; give the columns in order with --columns"},
		{[]string{"score", "gad-7", short, "--columns=a,b"}, false, "--columns names 2 columns and the instrument has 7 items"},
		{[]string{"score", "gad-7", answers, "--keep=name"}, false, `there is no column "name"`},
		{[]string{"score", "tasa", answers}, false, "the key of tasa is incomplete"},
		{[]string{"score", "no-such", answers}, false, `there is no instrument "no-such"`},
		{[]string{"show", "wai-sr"}, true, "task   1 2 10 12"},
		{[]string{"show", "session-client-adult"}, true, "CC-BY-4.0"},
		{[]string{"list"}, true, "core-10"},
		{[]string{"list", "--unchecked"}, true, "wai-s "},
		{[]string{"check", "../../instrument/library/outcome-brief.v1.yaml"}, true, "outcome-brief, version 1, 5 items"},
		{[]string{"check", bad}, false, "bad.yaml:"},
	} {
		out, ok := command(t, append([]string{"instrument"}, c.args...)...)
		if ok != c.ok || !strings.Contains(out, c.want) {
			t.Errorf("instrument %s: ok %t\n%s", strings.Join(c.args, " "), ok, out)
		}
	}
}

// TestInstrumentsPage: the page that says what is still to be checked is what the
// command says.
func TestInstrumentsPage(t *testing.T) {
	t.Parallel()
	out, ok := command(t, "instrument", "list", "--unchecked")
	page, err := os.ReadFile("../../docs/instruments.md")
	if !ok || err != nil {
		t.Fatal(out, err)
	}
	if !strings.Contains(string(page), "```\n"+out+"```\n") {
		t.Error("docs/instruments.md is not up to date: put the output of `entente instrument list --unchecked` between its last fences")
	}
}
