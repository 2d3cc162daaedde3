// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"database/sql"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/web"
)

// typedForm is a form of a page with a canary in every field that takes words.
type typedForm struct {
	action string
	values url.Values
	words  int // fields that took a canary
	many   bool
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// typedForms reads the forms of a page; everything that is chosen takes its last choice.
func typedForms(page string) (out []typedForm) {
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil
	}
	for n := range doc.Descendants() {
		if n.Data != "form" || !strings.EqualFold(attribute(n, "method"), "post") {
			continue
		}
		f := typedForm{action: attribute(n, "action"), values: url.Values{}, many: attribute(n, "enctype") != ""}
		for field := range n.Descendants() {
			f.fill(field)
		}
		out = append(out, f)
	}
	return out
}

func (f *typedForm) fill(field *html.Node) {
	name, kind := attribute(field, "name"), attribute(field, "type")
	switch {
	case name == "":
	case field.Data == "option":
	case field.Data == "textarea":
		f.values.Set(name, "CANARY-"+name)
		f.words++
	case field.Data == "select":
		for o := range field.Descendants() {
			if o.Data == "option" {
				f.values.Set(name, attribute(o, "value"))
			}
		}
	case field.Data != "input":
	case kind == "email":
		f.values.Set(name, "canary-"+name+"@example.org")
		f.words++
	case kind == "hidden", kind == "radio", kind == "checkbox":
		f.values.Set(name, attribute(field, "value"))
	case kind == "datetime-local":
		f.values.Set(name, "2126-01-02T03:04")
	case kind == "file":
	case name == "pin":
		f.values.Set(name, "4711")
	default:
		f.values.Set(name, "CANARY-"+name)
		f.words++
	}
}

// sendTyped sends a form as its page would.
func (v visitor) sendTyped(f typedForm) answer {
	v.t.Helper()
	if !f.many {
		return v.post(f.action, f.values)
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part := must[io.Writer](v.t)(w.CreateFormFile("file", "CANARY-file.csv"))
	must[int](v.t)(io.WriteString(part, "CANARY-column,b\nCANARY-cell,CANARY-cell\n"))
	for name := range f.values {
		if err := w.WriteField(name, f.values.Get(name)); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		v.t.Fatal(err)
	}
	return v.send("POST", f.action, w.FormDataContentType(), &body)
}

// typeEverywhere opens every page as everybody who may and sends every form on it
// with canaries, but for those that would end the sign-in it needs.
func (b *block) typeEverywhere(t *testing.T) (forms, words, faults int) {
	t.Helper()
	leaving := []string{"/signout", "/account/end", "/form/leave", "/account/password", "/account/second"}
	for _, role := range "tcsman" {
		seen := map[string]bool{}
		for _, pattern := range web.Patterns() {
			method, path, _ := strings.Cut(pattern, " ")
			row := theRoutes[pattern]
			if method != "GET" || !strings.ContainsRune(row.may, role) || strings.Contains(path, "seen") {
				continue
			}
			page := b.people[role].get(strings.NewReplacer("{$}", "").Replace(b.pathOf(pattern)))
			if page.status >= http.StatusInternalServerError {
				faults++
			}
			for _, f := range typedForms(page.body) {
				if seen[f.action] || slices.ContainsFunc(leaving, func(l string) bool { return strings.HasPrefix(f.action, l) }) || strings.HasSuffix(f.action, "/kiosk") || strings.HasSuffix(f.action, "/handover") { // which would take the client away
					continue
				}
				seen[f.action] = true
				forms++
				words += f.words
				if r := b.people[role].sendTyped(f); r.status >= http.StatusInternalServerError {
					faults++
				}
			}
		}
	}
	return forms, words, faults
}

// TestNoWordInLogs: canaries in every field of every form, sent as everybody, while
// all is well, while the mail server refuses, while no change can be written down
// and while nothing sealed opens: none is in a line of the log, or in a mail but
// for the address it goes to.
func TestNoWordInLogs(t *testing.T) {
	t.Parallel()
	for engine, open := range map[string]func(*testing.T) (url, driver, behind string){
		"sqlite": func(t *testing.T) (string, string, string) {
			file := filepath.Join(t.TempDir(), "entente.db")
			return "sqlite:" + file, "sqlite", "file:" + file + "?_pragma=busy_timeout(10000)"
		},
		"postgres": func(t *testing.T) (string, string, string) {
			dsn := storetest.Postgres(t)
			return dsn, "pgx", storetest.Behind(dsn)
		},
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			database, driver, behind := open(t)
			b := newBlockIn(t, database)
			db := must[*sql.DB](t)(sql.Open(driver, behind))
			defer db.Close() //nolint:errcheck // every change is durable already
			do := func(query string, args ...any) {
				t.Helper()
				if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
					t.Fatal(err)
				}
			}
			quiet := func(when string, leastForms, leastFaults, leastMails int) {
				t.Helper()
				forms, words, faults := b.typeEverywhere(t)
				if forms < leastForms || words < forms/2 || faults < leastFaults || len(b.office.got) < leastMails {
					t.Errorf("%s: %d forms, %d words, %d faults, %d mails: this proves little", when, forms, words, faults, len(b.office.got))
				}
				t.Logf("%s: %d forms with %d fields of words sent, %d faults, %d lines of log", when, forms, words, faults, strings.Count(b.log.String(), "\n"))
				for line := range strings.Lines(b.log.String()) {
					if strings.Contains(strings.ToLower(line), "canary") {
						t.Errorf("%s: the log says %s", when, line)
					}
				}
				for len(b.office.got) > 0 {
					for line := range strings.Lines((<-b.office.got).text) {
						if !strings.HasPrefix(line, "To: ") && strings.Contains(strings.ToLower(line), "canary") {
							t.Errorf("%s: a mail says %s", when, line)
						}
					}
				}
			}
			quiet("all is well", 40, 0, 1)
			b.office.refuse = true
			if r := b.ask("POST /sessions/{id}/mail", roleTherapist, b.ids["session"], nil); r.status != http.StatusServiceUnavailable {
				t.Errorf("a refused mail: %d", r.status)
			}
			quiet("the mail server refuses", 40, 0, 0)
			do("ALTER TABLE audit RENAME TO audit_gone")
			quiet("nothing can be written down", 30, 20, 0)
			do("ALTER TABLE audit_gone RENAME TO audit")
			for _, sealed := range [][2]string{{"client", "label"}, {"response", "content"}, {"session_note", "note"}} {
				do("UPDATE "+sealed[0]+" SET "+sealed[1]+" = $1", make([]byte, 40))
			}
			quiet("nothing sealed opens", 20, 10, 0)
		})
	}
}
