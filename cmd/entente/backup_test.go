// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// command runs entente to its end; what it said, and whether it went well.
func command(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err == nil
}

// lived is the invented practice in a folder, with its key in a file, open here.
type lived struct {
	dir, key string
	vault    *vault.Vault
	store    *store.Store
	app      *app.App
	neri     care.Actor
	links    demoLinks
}

func live(t *testing.T, url string) lived {
	t.Helper()
	var l lived
	if url == "" {
		l = invented(t, "en")
	} else {
		l = lived{dir: t.TempDir()}
		l.open(t, url, vault.Create, vault.CreateShares)
		clock := &demoClock{}
		var err error
		if l.links, err = invent(t.Context(), app.New(l.store, app.Config{Now: clock.now, SetUpCode: demoCode}), clock, "en"); err != nil {
			t.Fatal(err)
		}
	}
	me, err := l.app.Authenticate(t.Context(), l.links.therapist)
	if err != nil {
		t.Fatal(err)
	}
	l.neri = me.Actor
	if _, err := l.app.Caseload(t.Context(), l.neri); err != nil { // works out what is stale, so that later reads change nothing
		t.Fatal(err)
	}
	return l
}

func contents(t *testing.T, s *store.Store) map[string]store.Contents {
	t.Helper()
	c, err := s.Contents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// contents opens the closed database for a look.
func (l lived) contents(t *testing.T) map[string]store.Contents {
	t.Helper()
	v, err := vault.Open(l.key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(l.dir, "entente.db"), v, store.ReadOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // read only
	return contents(t, s)
}

// newKey makes a pair of keys for backups and returns the public one.
func newKey(t *testing.T, file string) string {
	t.Helper()
	out, ok := command(t, "backup-key", file)
	_, recipient, found := strings.Cut(strings.TrimSpace(out), ": ")
	if !ok || !found {
		t.Fatal(out)
	}
	return recipient
}

// TestDrillBackup: a backup made in a storm of writing is one moment of the
// database; restored, everything is there, and nobody comes in by an old sign-in
// or link. Without the secret key it opens nothing.
func TestDrillBackup(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			url := ""
			if engine == "postgres" {
				url = storetest.Postgres(t)
			}
			l := live(t, url)
			if url == "" {
				url = "sqlite:" + filepath.Join(l.dir, "entente.db")
			}
			before := contents(t, l.store)
			if err := l.store.PutSecret(t.Context(), "care.example.org", []byte("the key of a certificate")); err != nil {
				t.Fatal(err)
			}
			secret, folder := filepath.Join(l.dir, "backup.key"), filepath.Join(l.dir, "backups")
			recipient := newKey(t, secret)
			stop := l.storm(t)
			out, ok := command(t, "backup", "--database="+url, "--key="+l.key, "--backup-to="+folder, "--backup-recipient="+recipient)
			wrote := stop()
			if !ok || wrote == 0 {
				t.Fatalf("%s (%d written meanwhile)", out, wrote)
			}
			file := strings.TrimSpace(out)
			data, err := os.ReadFile(file)
			if err != nil || bytes.Contains(data, []byte("SQLite format")) || !bytes.HasPrefix(data, []byte("age-encryption.org")) {
				t.Errorf("the backup is not encrypted: %v", err)
			}
			restored := filepath.Join(l.dir, "restored")
			if out, ok := command(t, "restore", file, "--data="+restored, "--key="+l.key, "--backup-key="+secret); !ok || !strings.Contains(out, "restored") {
				t.Fatal(out)
			}
			l.check(t, filepath.Join(restored, "entente.db"), before)
			l.refusals(t, file, secret)
			l.serveRestored(t, restored)
			t.Logf("drill | backup of a %s database during a storm, then restore | equals one moment; the audit holds; sign-ins and links ended | 0 lost | %d writes meanwhile, 0 lost", engine, wrote)
		})
	}
}

// storm writes notes until it is stopped; stop says how many.
func (l lived) storm(t *testing.T) (stop func() int) {
	t.Helper()
	rows, err := l.app.Caseload(t.Context(), l.neri)
	if err != nil {
		t.Fatal(err)
	}
	v, err := l.app.ClientPage(t.Context(), l.neri, rows[0].Client.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	n := 0
	begun := make(chan struct{})
	all.Go(func() {
		for ; ctx.Err() == nil; n++ {
			if err := l.app.AddNote(context.WithoutCancel(ctx), l.neri, v.Sessions[0].Session.ID, "written in the storm"); err != nil {
				t.Error(err)
				return
			}
			if n == 0 {
				close(begun)
			}
		}
	})
	<-begun
	return func() int { cancel(); all.Wait(); return n }
}

// check looks at what was restored.
func (l lived) check(t *testing.T, path string, before map[string]store.Contents) {
	t.Helper()
	v := l.fresh(t, filepath.Join(l.dir, "entente.shares"))
	s, err := store.Open(t.Context(), "sqlite:"+path, v, store.ReadOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // read only
	if err := s.Sound(t.Context()); err != nil {
		t.Error(err)
	}
	got := contents(t, s)
	for table, was := range before {
		switch now := got[table]; table {
		case "sign_in", "staff_join":
			if now.Rows != 0 {
				t.Errorf("%d rows of %s were restored", now.Rows, table)
			}
		case "invitation":
			if now.Rows != was.Rows {
				t.Errorf("%d invitations, not %d", now.Rows, was.Rows)
			}
		case "audit", "audit_head", "session_note", "page_read", "opened":
			if now.Rows < was.Rows {
				t.Errorf("%s: %d rows, fewer than %d", table, now.Rows, was.Rows)
			}
		default:
			if now != was {
				t.Errorf("%s is not as it was: %d rows, %d before", table, now.Rows, was.Rows)
			}
		}
	}
	a := app.New(s, app.Config{})
	if _, err := a.Caseload(t.Context(), l.neri); care.CodeOf(err) != care.Unavailable { // the read itself cannot be noted here
		t.Errorf("reading the list: %v", err)
	}
}

// serveRestored serves what was restored, with a mail server: who was signed in
// is not, a link that was open is not, and nothing is sent.
func (l lived) serveRestored(t *testing.T, restored string) {
	t.Helper()
	office, address := openPostOffice(t)
	p := entente(t, "serve", "--data="+restored, "--key="+l.key, "--listen=127.0.0.1:0", "--smtp="+address, "--smtp-from=check@example.org", "--smtp-security=none")
	v := demo{base: p.after(" serves ")}.visitor(t)
	for path, want := range map[string]string{"/today": "/signin"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", v.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: "entente", Value: l.links.therapist})
		r, err := v.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Get("Location") != want || r.Body.Close() != nil {
			t.Errorf("with a sign-in from before, %s answers %s %s", path, r.Status, r.Header.Get("Location"))
		}
	}
	if _, err := l.app.OpenInvitation(t.Context(), l.links.form); err != nil {
		t.Errorf("the link is not open where nothing was restored, so this shows nothing: %v", err)
	}
	if r := v.post("/f", url.Values{"token": {l.links.form}}); r.status != http.StatusNotFound {
		t.Errorf("a link from before opens: %d", r.status)
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.finish()
	select {
	case letter := <-office.got:
		t.Errorf("a letter was sent to %s", letter.to)
	default:
	}
	// Keys of certificates are in no backup.
	k, err := vault.Open(l.key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(restored, "entente.db"), k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Secret(t.Context(), "care.example.org"); care.CodeOf(err) != care.NotFound || s.Close() != nil {
		t.Errorf("the key of a certificate was restored: %v", err)
	}
}

// refusals are a wrong key, a place in use, a damaged file and no recipient.
func (l lived) refusals(t *testing.T, file, secret string) {
	t.Helper()
	other := filepath.Join(l.dir, "other.key")
	newKey(t, other)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	damaged := filepath.Join(l.dir, "damaged.age")
	if err := os.WriteFile(damaged, data, 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(l.dir, "foreign.key")
	if _, err := vault.Create(foreign); err != nil {
		t.Fatal(err)
	}
	for says, args := range map[string][]string{
		"cannot be decrypted": {"restore", file, "--data=" + filepath.Join(l.dir, "a"), "--key=" + l.key, "--backup-key=" + other},
		"is damaged":          {"restore", damaged, "--data=" + filepath.Join(l.dir, "b"), "--key=" + l.key, "--backup-key=" + secret},
		"already":             {"restore", file, "--data=" + filepath.Join(l.dir, "restored"), "--key=" + l.key, "--backup-key=" + secret},
		"is not its key":      {"restore", file, "--data=" + filepath.Join(l.dir, "c"), "--key=" + foreign, "--backup-key=" + secret},
		"no public key":       {"backup", "--data=" + filepath.Join(l.dir, "restored"), "--key=" + l.key, "--backup-to=" + l.dir, "--backup-recipient=age1"},
	} {
		if out, ok := command(t, args...); ok || !strings.Contains(out, says) {
			t.Errorf("%q: %s", says, out)
		}
	}
	for _, place := range []string{"a", "b", "c"} {
		if left, err := os.ReadDir(filepath.Join(l.dir, place)); err != nil || len(left) > 0 {
			t.Errorf("a refused restore leaves %v, %v", left, err)
		}
	}
}

// TestAuditCommand: the audit of a server that is running can be checked beside
// it, and a changed line is named.
func TestAuditCommand(t *testing.T) {
	t.Parallel()
	l := live(t, "")
	data := []string{"--data=" + l.dir, "--key=" + l.key}
	out, ok := command(t, append([]string{"audit", "head"}, data...)...)
	if !ok {
		t.Fatal(out)
	}
	heads := filepath.Join(l.dir, "heads")
	if err := os.WriteFile(heads, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, ok = command(t, append([]string{"audit", "verify", "--heads=" + heads}, data...)...); !ok || !strings.Contains(out, "lines hold, 1 noted") {
		t.Error(out)
	}
	if out, ok := command(t, append([]string{"import", heads, "--map=" + heads}, data...)...); ok || !strings.Contains(out, "heads") {
		t.Errorf("an import with a mapping that is none: %s", out)
	}
	if err := os.WriteFile(heads, []byte("2026-01-01T00:00:00Z "+string(l.neri.Practice)+" 0.1.00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, ok := command(t, append([]string{"audit", "verify", "--heads=" + heads}, data...)...); ok || !strings.Contains(out, "no head of an audit") {
		t.Errorf("a head that is none: %s", out)
	}
}
