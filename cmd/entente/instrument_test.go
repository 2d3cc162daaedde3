// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
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

// TestInstrumentWords: words are read, compared with a key, made a form that
// scores, and written for others; what does not agree is said line by line.
func TestInstrumentWords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const panel = "../../instrument/fhir/testdata/loinc-panel-shape.json"
	form, again := filepath.Join(dir, "phq-9.yaml"), filepath.Join(dir, "again.json")
	words, broken := filepath.Join(dir, "words.csv"), filepath.Join(dir, "broken.json")
	text := "item;text:it;0:it;1:it;2:it;3:it\nowner;(c) Nessuno;;;;\n1;Caff\xe8?;no;poco;s\xec;molto\n"
	for n := 2; n <= 7; n++ {
		text += fmt.Sprintf("%d;Domanda %d?;;;;\n", n, n)
	}
	for name, text := range map[string]string{words: text, broken: `{"resourceType":"Questionnaire","item":[{"linkId":"a","type":"choice"}]}`} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	answers := filepath.Join(dir, "answers.csv")
	if err := os.WriteFile(answers, []byte("1,2,3,4,5,6,7,8,9\n1,1,1,1,1,1,1,1,3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		ok   bool
		want string
	}{
		{[]string{"check", panel}, true, "10 questions, language not named: can be read\nset aside (calculated): /44261-6 Placeholder total score"},
		{[]string{"check", panel, "--key=phq-9", "--language=it", "--owner=X"}, false, "Question 10 (/69722-7): the key of PHQ-9 has 9 items and the file 10"},
		{[]string{"import", panel, "--key=phq-9", "--language=it", "--owner=X", "--keep=/69722-7", "--out=" + form}, true, "is kept, asked last and not scored"},
		{[]string{"import", panel, "--key=phq-9", "--language=it", "--owner=X", "--keep=/69722-7", "--out=" + form}, false, "must be a new file"},
		{[]string{"check", form}, true, "phq-9, version 1, 10 items, 1 scales: good"},
		{[]string{"score", form, answers, "--columns=1,2,3,4,5,6,7,8,9,9"}, true, "total,total_answered,unfit\n11,9,\n"},
		{[]string{"export", form, "--out=" + again}, true, ""},
		{[]string{"check", again, "--key=phq-9", "--leave-out=extra1"}, true, "as the key of phq-9, 9 items, in it: good"},
		{[]string{"check", words, "--key=gad-7"}, true, "as the key of gad-7, 7 items, in it: good"},
		{[]string{"import", words, "--key=gad-7"}, true, "Caffè?"},
		{[]string{"check", broken}, false, "item[0]: The question has no answers to choose"},
		{[]string{"export", "session-client-child", "--format=csv"}, true, "Oggi qui con te si stava bene."},
		{[]string{"export", "session-client-child", "--format=yaml"}, true, "no_answer: true"},
		{[]string{"export", "phq-9"}, false, "has no words to export"},
	} {
		out, ok := command(t, append([]string{"instrument"}, c.args...)...)
		if ok != c.ok || !strings.Contains(out, c.want) {
			t.Errorf("instrument %s: ok %t\n%s", strings.Join(c.args, " "), ok, out)
		}
	}
}
