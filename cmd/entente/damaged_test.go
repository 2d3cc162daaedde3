// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/i18n"
)

// spoil alters values behind the program's back.
func spoil(t *testing.T, dir, query string, args ...any) {
	t.Helper()
	db := must[*sql.DB](t)(sql.Open("sqlite", "file:"+filepath.Join(dir, "entente.db")+"?_pragma=busy_timeout(10000)"))
	defer db.Close() //nolint:errcheck // every change is durable already
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedJourney: a page with something that does not open says what, and
// shows the rest.
func TestDamagedJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p := serveDemo(t, lang), i18n.For(lang)
			b := newBrowser(t)
			b.open(d.base + "/demo/" + d.links.therapist)
			b.until("location.pathname === '/today'")
			page := b.client(d.base, "Anna B.")
			id := page[strings.LastIndex(page, "/")+1:]
			d.link(t, "Anna B.") // a session of today
			spoil(t, d.dir, "UPDATE response SET content = $1 WHERE response_id = (SELECT MIN(response_id) FROM response WHERE client_id = $2)", []byte("altered altered altered altered"), id)
			b.open(page)
			b.until("document.querySelector('svg.course')")
			text := eval[string](b, "document.querySelector('.errors').innerText")
			if !strings.Contains(text, p.T("damaged.response.content")) || !strings.Contains(text, p.T("damaged.title")) {
				t.Errorf("the page says %q", text)
			}
			b.looks("damaged", lang)
			spoil(t, d.dir, "UPDATE client SET label = $1 WHERE client_id = $2", []byte("altered altered altered altered"), id)
			b.open(page)
			if text := eval[string](b, "document.body.innerText"); !strings.Contains(text, p.T("damaged.client.label")) || !strings.Contains(text, id) {
				t.Errorf("the error page says %q", text)
			}
			b.open(d.base + "/clients")
			b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("damaged.nameless", "ID", id)))
			b.open(d.base + "/today")
			b.until(fmt.Sprintf("document.querySelector('.sessions') && document.querySelector('.sessions').innerText.includes(%q)", p.T("damaged.nameless", "ID", id)))
			eval[any](b, "[...document.querySelectorAll('.sessions li')].find(l => l.innerText.includes('"+id+"')).querySelector('.acts a').click()")
			b.until(fmt.Sprintf("location.pathname.startsWith('/sessions/') && document.querySelector('.errors').innerText.includes(%q)", p.T("damaged.row")))
			b.looks("damaged-session", lang)
		})
	}
}

// TestCheckCommand: it names each record, and a server says how many there are.
func TestCheckCommand(t *testing.T) {
	t.Parallel()
	l := live(t, "")
	if err := l.store.Close(); err != nil {
		t.Fatal(err)
	}
	check := func() (string, bool) { return command(t, "check", "--data="+l.dir, "--key="+l.key) }
	if out, ok := check(); !ok || !strings.Contains(out, "sealed values open") {
		t.Fatal(out)
	}
	spoil(t, l.dir, "UPDATE session_note SET note = $1", []byte("altered altered altered altered"))
	out, ok := check()
	if n := strings.Count(out, ": session_note "); ok || n == 0 || !strings.Contains(out, fmt.Sprintf("%d of ", n)) || !strings.Contains(out, ", of client ") || !strings.Contains(out, "session of 20") {
		t.Error(out)
	}
	p := entente(t, "serve", "--data="+l.dir, "--key="+l.key, "--listen=127.0.0.1:0")
	base := p.after(" serves ")
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.Get(base + "/health")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Body.Close() != nil || time.Now().After(late) {
			t.Fatalf("%s: %v", body, err)
		}
		if bytes.Contains(body, []byte(`"status":"damaged"`)) && bytes.Contains(body, fmt.Appendf(nil, `"unopened":"%d"`, strings.Count(out, ": session_note "))) {
			break
		}
	}
}
