// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// fresh is what another program that has the key file and a folder of shares
// opens with: nothing of it was in memory before. "" is no folder.
func (l lived) fresh(t *testing.T, shares string) *vault.Vault {
	t.Helper()
	v := must[*vault.Vault](t)(vault.Open(l.key))
	if shares != "" {
		v.UseShares(must[*vault.Shares](t)(vault.OpenShares(shares)))
	}
	return v
}

// marks are words of one person, planted wherever something can be said.
var marks = []string{"MARK-label Vera", "mark-vera@example.org", "MARK-note by the therapist", "MARK-edited Vera"}

// planted adds a client with words in every place that a page offers.
func (l lived) planted(t *testing.T, prefix string) care.ID {
	t.Helper()
	ctx := t.Context()
	id := must[care.ID](t)(l.app.AddClient(ctx, l.neri, app.NewClient{Label: prefix + marks[0], AgeBand: care.Adult, Language: "it", Email: strings.ReplaceAll(prefix, " ", "-") + marks[1]}))
	page := must[app.ClientView](t)(l.app.ClientPage(ctx, l.neri, id, ""))
	session := must[care.ID](t)(l.app.StartSession(ctx, l.neri, page.Episode.ID))
	if err := l.app.AddNote(ctx, l.neri, session, prefix+marks[2]); err != nil {
		t.Fatal(err)
	}
	link := must[app.Link](t)(l.app.Invite(ctx, l.neri, session))
	visit := must[app.Link](t)(l.app.OpenInvitation(ctx, link.Token))
	by := must[care.Actor](t)(l.app.Respondent(ctx, visit.Token))
	form := must[app.FormView](t)(l.app.NextForm(ctx, by))
	in := app.Submission{ID: form.Submission, Instrument: form.Instrument.ID, Version: form.Instrument.Version, Language: form.Language, Answers: map[string]float64{}, Comment: prefix + "MARK-comment"}
	for _, i := range form.Instrument.Items {
		in.Answers[i.ID] = i.Max
	}
	must[app.Receipt](t)(l.app.RecordRating(ctx, by, in))
	c := must[care.Client](t)(l.app.Client(ctx, l.neri, id))
	c.Label = prefix + marks[3]
	if err := l.app.EditClient(ctx, l.neri, c); err != nil {
		t.Fatal(err)
	}
	must[[]app.CaseloadRow](t)(l.app.Caseload(ctx, l.neri)) // keeps a standing
	return id
}

// opens tells whether a client's words are read with a vault.
func opens(t *testing.T, url string, v *vault.Vault, practice, client care.ID) error {
	t.Helper()
	s := must[*store.Store](t)(store.Open(t.Context(), url, v, store.ReadOnly()))
	defer s.Close() //nolint:errcheck // read only
	return s.Read(t.Context(), func(tx *store.Tx) error {
		c, err := tx.Client(practice, client)
		if err != nil {
			return err
		}
		episodes, err := tx.EpisodesOf(practice, client)
		if err != nil {
			return err
		}
		for _, e := range episodes {
			rs, err := tx.Responses(practice, e, client)
			if err != nil {
				return err
			}
			ns, err := tx.Notes(practice, e, client)
			if err != nil {
				return err
			}
			if len(rs) == 0 || !strings.Contains(rs[0].Content.Comment, "MARK-comment") || len(ns) == 0 || !strings.Contains(c.Label, "MARK-edited") {
				return fmt.Errorf("it opens and says something else")
			}
		}
		return nil
	})
}

// TestErasureReachesEarlierBackups is the proof that erasing a person destroys
// what an earlier backup keeps of them: it is restored with the key material of
// today, and not one sealed value of that person opens, while another's do. The
// control is what the same backup opens with a copy of the shares from before.
func TestErasureReachesEarlierBackups(t *testing.T) {
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
			vera, other := l.planted(t, ""), l.planted(t, "other ")
			secret, folder := filepath.Join(l.dir, "backup.key"), filepath.Join(l.dir, "backups")
			out, ok := command(t, "backup", "--database="+url, "--key="+l.key, "--backup-to="+folder, "--backup-recipient="+newKey(t, secret))
			if !ok {
				t.Fatal(out)
			}
			backup := strings.TrimSpace(out)
			shares, kept := filepath.Join(l.dir, "entente.shares"), filepath.Join(l.dir, "stolen.shares")
			if err := os.CopyFS(kept, os.DirFS(shares)); err != nil || os.Chmod(kept, 0o700) != nil {
				t.Fatal(err)
			}
			plain := l.decrypted(t, backup, secret)

			if err := l.app.EraseClient(t.Context(), l.neri, app.Erase{Client: vera, Name: marks[3], Reason: care.AskedFor}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.app.Client(t.Context(), l.neri, vera); care.CodeOf(err) != care.NotFound {
				t.Errorf("after the erasure she is read: %v", err)
			}
			// The backup as it is, with a program that does not ask who was erased.
			for name, x := range map[string]struct {
				v    *vault.Vault
				who  care.ID
				want func(error) bool
			}{
				"of today":                            {l.fresh(t, shares), vera, func(err error) bool { return errors.Is(err, vault.ErrErased) }},
				"of today, of another person":         {l.fresh(t, shares), other, func(err error) bool { return err == nil }},
				"of today without any shares":         {l.fresh(t, ""), vera, func(err error) bool { return errors.Is(err, vault.ErrNoShares) }},
				"with the shares of before (control)": {l.fresh(t, kept), vera, func(err error) bool { return err == nil }},
			} {
				if err := opens(t, "sqlite:"+plain, x.v, l.neri.Practice, x.who); !x.want(err) {
					t.Errorf("the earlier backup, with the key %s: %v", name, err)
				}
			}
			l.nothingOpens(t, plain, vera, other)
			// The backup as an operator restores it.
			restored := filepath.Join(l.dir, "restored")
			out, ok = command(t, "restore", backup, "--data="+restored, "--key="+l.key, "--backup-key="+secret)
			if !ok || !strings.Contains(out, "erased again: 1 persons") {
				t.Fatal(out)
			}
			again := "sqlite:" + filepath.Join(restored, "entente.db")
			if err := opens(t, again, l.fresh(t, shares), l.neri.Practice, other); err != nil {
				t.Errorf("another person, restored: %v", err)
			}
			if err := opens(t, again, l.fresh(t, shares), l.neri.Practice, vera); care.CodeOf(err) != care.NotFound {
				t.Errorf("she is back: %v", err)
			}
			if out, ok := command(t, "audit", "verify", "--database="+again, "--key="+l.key); !ok {
				t.Error(out)
			}
			l.noMarks(t, plain, restored)
		})
	}
}

// decrypted is the content of a backup.
func (l lived) decrypted(t *testing.T, backup, secret string) string {
	t.Helper()
	ids := must[[]age.Identity](t)(age.ParseIdentities(bytes.NewReader(must[[]byte](t)(os.ReadFile(secret)))))
	plain := filepath.Join(l.dir, "decrypted.db")
	if err := decryptFile(backup, plain, ids...); err != nil {
		t.Fatal(err)
	}
	return plain
}

// nothingOpens tries every data key in the file on its own.
func (l lived) nothingOpens(t *testing.T, file string, erased, other care.ID) {
	t.Helper()
	db := must[*sql.DB](t)(sql.Open("sqlite", file))
	defer db.Close() //nolint:errcheck // read only
	v, tried := l.fresh(t, filepath.Join(l.dir, "entente.shares")), 0
	for _, id := range []care.ID{erased, other} {
		var wrapped []byte
		name := "client:" + string(id)
		if err := db.QueryRowContext(t.Context(), "SELECT wrapped FROM data_key WHERE key_id = $1", name).Scan(&wrapped); err != nil {
			t.Fatal(err)
		}
		_, err := v.Unwrap(vault.Place{Practice: string(l.neri.Practice), Table: "data_key", Row: name, Column: "wrapped"}, wrapped)
		if (err == nil) != (id == other) {
			t.Errorf("the key of %s: %v", id, err)
		}
		tried++
	}
	if tried != 2 {
		t.Errorf("%d keys tried", tried)
	}
}

// noMarks looks for the planted words in every file of the test: the database,
// its log, the decrypted backup, what was restored, the shares.
func (l lived) noMarks(t *testing.T, needed ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(l.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		for _, m := range append([]string{"MARK-comment"}, marks...) {
			if bytes.Contains(data, []byte(m)) {
				t.Errorf("%s has %q in it", path, m)
			}
		}
		return err
	})
	if err != nil || files < 10 {
		t.Errorf("%d files were searched, %v needed: %v", files, needed, err)
	}
}

// TestErasureByCommand: the name has to be typed twice, and what cannot be undone
// is said before.
func TestErasureByCommand(t *testing.T) {
	t.Parallel()
	l := live(t, "")
	l.planted(t, "")
	if err := l.store.Close(); err != nil {
		t.Fatal(err)
	}
	erase := func(name, typed string) (string, bool) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "client", "erase", name, "--reason=asked", "--data="+l.dir, "--key="+l.key)
		cmd.Env, cmd.Stdin = append(os.Environ(), asProgram+"=1"), strings.NewReader(typed)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	for _, x := range []struct {
		name, typed, want string
		ok                bool
	}{
		{"Nobody", "Nobody\n", "nobody is called that", false},
		{marks[3], "MARK-edited\n", "nothing was erased", false},
		{marks[3], "", "nothing was erased", false},
		{marks[3], strings.ToLower(marks[3]) + "\n", "1 answered forms, 1 notes, 1 sessions", true},
		{marks[3], marks[3] + "\n", "nobody is called that", false},
	} {
		if out, ok := erase(x.name, x.typed); ok != x.ok || !strings.Contains(out, x.want) {
			t.Errorf("%q, %q: %v %s", x.name, x.typed, ok, out)
		}
	}
}

// TestSharesAreNotReplaced: an empty folder in place of the shares is not taken
// for them, and the one copy brings them back without who was erased since.
func TestSharesAreNotReplaced(t *testing.T) {
	t.Parallel()
	l := live(t, "")
	vera, other := l.planted(t, ""), l.planted(t, "other ")
	shares, one := filepath.Join(l.dir, "entente.shares"), filepath.Join(l.dir, "copy.shares")
	if out, ok := command(t, "key", "copy-shares", shares, one); !ok {
		t.Fatal(out)
	}
	l.vault.CopyShares(must[*vault.Shares](t)(vault.OpenShares(one)))
	if err := l.app.EraseClient(t.Context(), l.neri, app.Erase{Client: vera, Name: marks[3], Reason: care.AskedFor}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.store.Close(), os.RemoveAll(shares)); err != nil {
		t.Fatal(err)
	}
	out, ok := command(t, "import", l.key, "--map="+l.key, "--data="+l.dir, "--key="+l.key)
	if ok || slices.Contains(entriesOf(t, l.dir), "entente.shares") {
		t.Errorf("an empty folder was put in place of the shares: %s", out)
	}
	if out, ok := command(t, "client", "erase", "x", "--reason=asked", "--data="+l.dir, "--key="+l.key); ok || !strings.Contains(out, "folder of shares is not at") {
		t.Error(out)
	}
	if out, ok := command(t, "key", "copy-shares", one, shares); !ok {
		t.Fatal(out)
	}
	url := "sqlite:" + filepath.Join(l.dir, "entente.db")
	if err := opens(t, url, l.fresh(t, shares), l.neri.Practice, other); err != nil {
		t.Errorf("after the copy came back: %v", err)
	}
	gone := must[bool](t)(l.fresh(t, one).Erased(vault.Place{Practice: string(l.neri.Practice), Table: "data_key", Row: "client:" + string(vera), Column: "wrapped"}))
	if !gone {
		t.Error("the erasure did not reach the copy")
	}
	// A share that is lost alone is named with its client.
	lost := 0
	for _, name := range entriesOf(t, shares) {
		if len(name) == 64 {
			lost++
			if err := os.Remove(filepath.Join(shares, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, ok = command(t, "check", "--data="+l.dir, "--key="+l.key)
	if n := strings.Count(out, ": data_key client:"); ok || n != lost-1 || !strings.Contains(out, "data_key client:"+string(other)+", wrapped") {
		t.Errorf("%d shares are lost, and %d named: %s", lost, n, out)
	}
}

func entriesOf(t *testing.T, dir string) (out []string) {
	t.Helper()
	for _, e := range must[[]os.DirEntry](t)(os.ReadDir(dir)) {
		out = append(out, e.Name())
	}
	return out
}

// TestErasureJourney: a manager is told what goes and what stays, is not believed
// with another name, and afterwards finds the person nowhere.
func TestErasureJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p := serveDemo(t, lang), i18n.For(lang)
			b := newBrowser(t)
			b.open(d.base + "/demo/" + d.links.therapist)
			b.until("location.pathname === '/today'")
			b.open(d.base + "/colleagues")
			b.click("a[href='/erasures']")
			b.until("location.pathname === '/erasures' && document.getElementById('name')")
			b.put("name", "Sofi")
			b.click("main button.main")
			b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("emergency.nobody")))
			b.looks("erasures", lang)
			b.put("name", "sofia")
			b.click("main button.main")
			b.until("document.getElementById('confirm')")
			b.looks("erasure", lang)
			b.click("input[value=asked]")
			b.put("confirm", "Sofi")
			b.click("main button.main")
			b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("erasure.other_name")))
			if !eval[bool](b, "document.querySelector('input[value=asked]').checked") {
				t.Error("the reason has to be chosen again")
			}
			b.put("confirm", "Sofia")
			b.click("main button.main")
			b.until("location.search === '?done=1'")
			b.looks("erasure-done", lang)
			b.open(d.base + "/clients")
			if eval[bool](b, "document.body.innerText.includes('Sofia')") {
				t.Error("she is still in the list")
			}
			b.open(d.base + "/erasures")
			b.put("name", "Sofia")
			b.click("main button.main")
			b.until(fmt.Sprintf("document.body.innerText.includes(%q)", p.T("emergency.nobody")))
		})
	}
}

// TestBackupsBringTheirShares: whoever has lost everything but the folder of the
// backups, the key file and the backups' own key has lost no client.
func TestBackupsBringTheirShares(t *testing.T) {
	t.Parallel()
	l := live(t, "")
	vera := l.planted(t, "")
	backups, secret := filepath.Join(t.TempDir(), "backups"), filepath.Join(t.TempDir(), "backup.key")
	recipient := newKey(t, secret)
	out, ok := command(t, "backup", "--backup-to="+backups, "--backup-recipient="+recipient, "--data="+l.dir, "--key="+l.key)
	if !ok {
		t.Fatal(out)
	}
	shares := filepath.Join(l.dir, "entente.shares")
	if err := errors.Join(l.store.Close(), os.RemoveAll(shares), os.Remove(filepath.Join(l.dir, "entente.db"))); err != nil {
		t.Fatal(err)
	}
	if out, ok := command(t, "key", "copy-shares", filepath.Join(backups, "shares"), shares); !ok {
		t.Fatal(out)
	}
	file := filepath.Join(t.TempDir(), "entente.db")
	if out, ok := command(t, "restore", strings.TrimSpace(out), "--backup-key="+secret, "--data="+filepath.Dir(file), "--key="+l.key, "--shares="+shares); !ok {
		t.Fatal(out)
	}
	if err := opens(t, "sqlite:"+file, l.fresh(t, shares), l.neri.Practice, vera); err != nil {
		t.Error(err)
	}
}
