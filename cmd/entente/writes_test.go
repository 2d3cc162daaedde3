// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/web"
)

// noted are the tables in which a look leaves a note.
var noted = []string{"audit", "audit_head", "page_read", "opened"}

// kept is all that the database holds, but for some tables.
func (b *block) kept(t *testing.T, but ...string) map[string]store.Contents {
	t.Helper()
	all := must[map[string]store.Contents](t)(b.store.Contents(t.Context()))
	maps.DeleteFunc(all, func(table string, _ store.Contents) bool { return slices.Contains(but, table) })
	return all
}

// crossSite are the headers of forms that another site sends: by a browser of
// today, by one that does not say more than the origin, and from a sister site.
var crossSite = []http.Header{
	{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://elsewhere.example"}},
	{"Origin": {"https://elsewhere.example"}},
	{"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://sister.example.org"}},
	{"Origin": {"null"}},
}

func (v visitor) sendFrom(h http.Header, method, path string, form url.Values) int {
	v.t.Helper()
	req := must[*http.Request](v.t)(http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(form.Encode())))
	req.Header = h.Clone()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r := must[*http.Response](v.t)(v.http.Do(req))
	if err := r.Body.Close(); err != nil {
		v.t.Error(err)
	}
	return r.StatusCode
}

func writeRoutes() (out []string) {
	for _, pattern := range web.Patterns() {
		if strings.HasPrefix(pattern, "POST ") {
			out = append(out, pattern)
		}
	}
	return out
}

func (b *block) pathOf(pattern string) string {
	_, path, _ := strings.Cut(pattern, " ")
	return strings.NewReplacer("{id}", b.ids[theRoutes[pattern].id], "{token}", "00000000000000000000000000").Replace(path)
}

// TestWritesFromElsewhere sends every form of the program from another site, as
// everybody who could send it here, and asks for its address by GET with the form
// behind it; as a stranger with every role in another practice it sends each here.
// Nothing in any table changes, but for the notes that somebody looked.
func TestWritesFromElsewhere(t *testing.T) {
	t.Parallel()
	b := newBlock(t)
	sent := 0
	for _, pattern := range writeRoutes() {
		row, path := theRoutes[pattern], b.pathOf(pattern)
		who := row.may
		if who == "" {
			who = string(roleNobody)
		}
		before := b.kept(t)
		for _, role := range who {
			for _, h := range crossSite {
				sent++
				if status := b.people[role].sendFrom(h, "POST", path, row.form); status != http.StatusForbidden {
					t.Errorf("%s as %c with %v: %d", pattern, role, h, status)
				}
			}
		}
		if !maps.Equal(b.kept(t), before) {
			t.Errorf("%s: another site's form has changed something", pattern)
		}
		before = b.kept(t, noted...)
		for _, role := range who {
			sent++
			b.people[role].sendFrom(http.Header{}, "GET", path+"?"+row.form.Encode(), nil)
		}
		if !maps.Equal(b.kept(t, noted...), before) {
			t.Errorf("GET of %s has changed something", pattern)
		}
		if row.id == "" || row.id == "instrument" { // the library's are everybody's
			continue
		}
		sent++
		// 422: a password is asked before anything is looked for.
		if status := b.people[roleStranger].sendFrom(http.Header{}, "POST", path, row.form); status != http.StatusNotFound && status != http.StatusUnprocessableEntity {
			t.Errorf("%s as somebody of another practice: %d", pattern, status)
		}
		if !maps.Equal(b.kept(t, noted...), before) {
			t.Errorf("%s: somebody of another practice has changed something", pattern)
		}
	}
	t.Logf("%d requests to %d forms", sent, len(writeRoutes()))
}

// TestWritesChange: the same comparison notices a form that is sent as it should
// be, so that its silence elsewhere means something.
func TestWritesChange(t *testing.T) {
	t.Parallel()
	b := newBlock(t)
	for _, pattern := range []string{
		"POST /sessions/{id}/note", "POST /sessions/{id}/invite", "POST /sessions/{id}/mail", "POST /sessions/{id}/reveal", "POST /clients/{id}/edit", "POST /clients/{id}/episodes",
		"POST /episodes/{id}/sessions", "POST /emergency/{id}/seen", "POST /clients/{id}/emergency", "POST /pulls/{id}/seen", "POST /drafts",
	} {
		for _, role := range theRoutes[pattern].may {
			form := maps.Clone(theRoutes[pattern].form)
			if pattern == "POST /clients/{id}/edit" {
				form.Set("label", uuid.NewString())
			}
			before := b.kept(t, noted...)
			if status := b.people[role].sendFrom(http.Header{"Sec-Fetch-Site": {"same-origin"}}, "POST", b.pathOf(pattern), form); status != http.StatusSeeOther && status != http.StatusOK {
				t.Errorf("%s as %c: %d", pattern, role, status)
			}
			if maps.Equal(b.kept(t, noted...), before) {
				t.Errorf("%s as %c has changed nothing", pattern, role)
			}
		}
	}
}
