// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// stormFolder tells a child process of this test where its database is.
const stormFolder = "ENTENTE_TEST_STORM"

// TestKill kills a server with SIGKILL at random points of a storm of
// submissions, until 1,000 have been acknowledged: each of those is there
// afterwards, once, and says the same receipt when it is sent again.
func TestKill(t *testing.T) {
	if dir := os.Getenv(stormFolder); dir != "" {
		storm(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	_, err := vault.Create(filepath.Join(dir, "key"))
	must(t, err)
	acknowledged := map[string]bool{}
	kills := 0
	for len(acknowledged) < 1000 {
		before := len(acknowledged)
		stormUntil(t, dir, 60+rand.IntN(200), acknowledged)
		if len(acknowledged) == before {
			t.Fatal("the storm acknowledges nothing")
		}
		kills++
	}
	s := reopen(t, dir)
	must(t, s.Read(t.Context(), func(tx *store.Tx) error {
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		for id := range acknowledged {
			if _, err := tx.ResponseHead(ps[0].ID, care.ID(id)); err != nil {
				t.Errorf("acknowledged and lost: %s: %v", id, err)
			}
		}
		return nil
	}))
	t.Logf("%d submissions acknowledged over %d kills, none lost", len(acknowledged), kills)
}

func reopen(t *testing.T, dir string) *store.Store {
	t.Helper()
	v, err := vault.Open(filepath.Join(dir, "key"))
	must(t, err)
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "entente.db"), v)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// stormUntil starts a child and kills it after so many acknowledgements.
func stormUntil(t *testing.T, dir string, most int, acknowledged map[string]bool) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$", "-test.count=1")
	child.Env = append(os.Environ(), stormFolder+"="+dir)
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	lines := bufio.NewScanner(out)
	for n := 0; n < most && lines.Scan(); {
		if id, ok := strings.CutPrefix(lines.Text(), "kept "); ok {
			if acknowledged[id] {
				t.Errorf("acknowledged twice as new: %s", id)
			}
			acknowledged[id] = true
			n++
		}
	}
	must(t, child.Process.Kill())
	for lines.Scan() { // acknowledged before the signal arrived
		if id, ok := strings.CutPrefix(lines.Text(), "kept "); ok && len(id) == 36 {
			acknowledged[id] = true
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
}

// storm submits ratings from eight sides at once and prints each receipt, until
// somebody kills it.
func storm(t *testing.T, dir string) {
	s := reopen(t, dir)
	a := app.New(s, app.Config{SetUpCode: "code"})
	w := &world{t: t, ctx: t.Context(), app: a, store: s}
	if empty := get[bool](t)(a.NeedsSetUp(w.ctx)); empty {
		get[app.SignedIn](t)(a.SetUpPractice(w.ctx, app.SetUp{Code: "code", Practice: "P", Language: "en", TimeZone: "UTC", Name: "N", Email: "n@example.org", Password: password}))
	}
	in := get[app.SignedIn](t)(a.SignIn(w.ctx, app.Credentials{Email: "n@example.org", Password: password, Address: fmt.Sprint(os.Getpid())}))
	w.neri = get[app.Me](t)(a.Authenticate(w.ctx, in.Token)).Actor
	var print sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		client := get[care.ID](t)(a.AddClient(w.ctx, w.neri, app.NewClient{Label: "C", AgeBand: care.Adult, Language: "en"}))
		episode := get[app.ClientView](t)(a.ClientPage(w.ctx, w.neri, client, "")).Episode.ID
		all.Go(func() {
			for {
				session := get[care.ID](t)(a.StartSession(w.ctx, w.neri, episode))
				f := get[app.FormView](t)(a.OwnForm(w.ctx, w.neri, session, instrument.Alliance))
				r := get[app.Receipt](t)(a.RecordRating(w.ctx, w.neri, filled(f, session, .5, 0)))
				print.Lock()
				fmt.Println("kept " + r.ID)
				print.Unlock()
			}
		})
	}
	all.Wait()
}

// TestNothingReadable: after the main job no name, answer or word of anybody can
// be read in the database's files, nor in PostgreSQL's rows.
func TestNothingReadable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.answerAll(w.respondent, .7, 1, "CANARY-words")
		must(t, w.app.AddNote(w.ctx, w.neri, w.session, "CANARY-note"))
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.neri, filled(w.own, w.session, .5, 0)))
		for _, needle := range []string{"CANARY", "canary", "neri@", "bond1", `"a":{`} {
			if where := w.find(needle); where != "" {
				t.Errorf("%q can be read in %s", needle, where)
			}
		}
		// The search itself works: what is stored in plain is found.
		if w.find("session-client-adult") == "" {
			t.Error("a form's id, which is not sealed, was not found")
		}
	})
}

// find looks for text in every file beside the database, in two encodings, and
// in every row; "" when it is nowhere.
func (w *world) find(text string) string {
	w.t.Helper()
	var wide []byte
	for _, u := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	if w.dir != "" {
		files, err := os.ReadDir(w.dir)
		must(w.t, err)
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(w.dir, f.Name()))
			must(w.t, err)
			if bytes.Contains(data, []byte(text)) || bytes.Contains(data, wide) {
				return f.Name()
			}
		}
	}
	for _, table := range tables {
		for _, line := range w.rows(table) {
			if strings.Contains(line, text) {
				return "table " + table
			}
		}
	}
	return ""
}
