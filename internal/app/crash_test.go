// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// drill makes a test run at the size that docs/trust.md reports.
const drill = "ENTENTE_DRILL"

// stormFolder tells a child process of this test where its database is.
const stormFolder = "ENTENTE_TEST_STORM"

// TestDrillKill kills a server with SIGKILL at random points of a storm of
// submissions, until 1,000 have been acknowledged: each of those is there
// afterwards, once, and says the same receipt when it is sent again.
func TestDrillKill(t *testing.T) {
	if dir := os.Getenv(stormFolder); dir != "" {
		storm(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	_, err := vault.Create(filepath.Join(dir, "key"))
	must(t, err)
	prepare(t, dir)
	acknowledged := map[string]bool{}
	kills := 0
	wanted, each := 1_000, stormSize()
	if os.Getenv(drill) != "" {
		wanted = 100_000
	}
	for len(acknowledged) < wanted || kills < 5 {
		before := len(acknowledged)
		stormUntil(t, dir, each+rand.IntN(each/3), acknowledged)
		if len(acknowledged) == before {
			t.Fatal("the storm acknowledges nothing")
		}
		kills++
	}
	checkKept(t, dir, acknowledged)
	at := time.Now()
	s := reopen(t, dir)
	must(t, s.Health(t.Context()))
	t.Logf("drill | kill -9 in a storm of submissions | nothing acknowledged is lost or doubled; ready again | 0 of 100,000; 1 s | 0 of %d over %d kills; %v", len(acknowledged), kills, time.Since(at).Round(time.Millisecond))
}

// stormSize is how many submissions are acknowledged, at least, before a kill.
func stormSize() int {
	if os.Getenv(drill) != "" {
		return 1_900
	}
	return 190
}

// checkKept looks at what the last kill left: a sound file, every acknowledged
// submission once, none doubled, and none new when it is sent again.
func checkKept(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	s := reopen(t, dir)
	defer func() { must(t, s.Close()) }()
	db, err := sql.Open("sqlite", filepath.Join(dir, "entente.db"))
	must(t, err)
	defer func() { must(t, db.Close()) }()
	var sound string
	must(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&sound))
	if sound != "ok" {
		t.Errorf("the file is damaged: %s", sound)
	}
	rows, ids, doubled := 0, 0, 0
	count := func() {
		must(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(DISTINCT response_id),
			COUNT(*) - COUNT(DISTINCT session_id || ' ' || instrument || ' ' || by_id) FROM response`).Scan(&rows, &ids, &doubled))
	}
	count()
	before := rows
	if rows < len(acknowledged) || rows != ids || doubled != 0 {
		t.Errorf("%d acknowledged, %d rows, %d ids, %d doubled", len(acknowledged), rows, ids, doubled)
	}
	must(t, s.Write(t.Context(), func(tx *store.Tx) error {
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		for id := range acknowledged {
			head, err := tx.ResponseHead(ps[0].ID, care.ID(id))
			if err != nil {
				t.Errorf("acknowledged and lost: %s: %v", id, err)
				continue
			}
			if added, err := tx.AddResponse(head); err != nil || added {
				t.Errorf("%s sent again: new %v, %v", id, added, err)
			}
		}
		return nil
	}))
	if count(); rows != before {
		t.Errorf("%d rows after sending again, %d before", rows, before)
	}
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
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDrillKill$", "-test.count=1")
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
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
		t.Errorf("the child ended by itself: %v", err)
	}
}

// prepare sets a practice up with one episode, after which the storms model theirs.
func prepare(t *testing.T, dir string) {
	t.Helper()
	s := reopen(t, dir)
	defer func() { must(t, s.Close()) }() // one process at a time
	a := app.New(s, app.Config{SetUpCode: "code"})
	in := get[app.SignedIn](t)(a.SetUpPractice(t.Context(), app.SetUp{Code: "code", Practice: "P", Language: "en", TimeZone: "UTC", Name: "N", Email: "n@example.org", Password: password}))
	me := get[app.Me](t)(a.Authenticate(t.Context(), in.Token))
	get[care.ID](t)(a.AddClient(t.Context(), me.Actor, app.NewClient{Label: "C", AgeBand: care.Adult, Language: "en"}))
}

// storm submits ratings from eight sides at once and prints each receipt, until
// somebody kills it. Its sessions are made beforehand, few in an episode, so
// that the time goes into submissions.
func storm(t *testing.T, dir string) {
	s := reopen(t, dir)
	a := app.New(s, app.Config{})
	var me care.Actor
	sessions := make(chan care.Session, stormSize()*7/4)
	must(t, s.Write(t.Context(), func(tx *store.Tx) error {
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		staff, err := tx.AllStaff(ps[0].ID)
		if err != nil {
			return err
		}
		me = care.Actor{Practice: ps[0].ID, Staff: staff[0].ID, Roles: staff[0].Roles, Language: "en"}
		mine, err := tx.Caseload(me.Practice, me.Staff)
		if err != nil {
			return err
		}
		e, err := tx.Episode(me.Practice, mine[0].Episode)
		for n := range cap(sessions) {
			if n%5 == 0 {
				e.ID = newID()
				err = errors.Join(err, tx.AddEpisode(e))
			}
			x := care.Session{ID: newID(), Practice: me.Practice, Episode: e.ID, AtMillis: int64(n), Status: care.Held}
			if err = errors.Join(err, tx.AddSession(x)); err != nil {
				return err
			}
			sessions <- x
		}
		return err
	}))
	close(sessions)
	x := <-sessions
	form := get[app.FormView](t)(a.OwnForm(t.Context(), me, x.ID, instrument.Alliance))
	var printing sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for x := range sessions {
				in := filled(form, x.ID, .5, 0)
				in.ID = newID()
				r, err := a.RecordRating(t.Context(), me, in)
				if err != nil || r.Repeated {
					t.Errorf("%+v, %v", r, err)
					return
				}
				printing.Lock()
				fmt.Println("kept " + r.ID)
				printing.Unlock()
			}
		})
	}
	all.Wait()
}

func newID() care.ID { return care.ID(uuid.Must(uuid.NewV7()).String()) }

// TestNothingReadable: after the main job no name, answer or word of anybody can
// be read in the database's files, nor in PostgreSQL's rows.
func TestNothingReadable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.answerAll(w.respondent, .7, 1, "CANARY-words")
		must(t, w.app.AddNote(w.ctx, w.neri, w.session, "CANARY-note"))
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.neri, filled(w.own, w.session, .5, 0)))
		search := func(when string) {
			for _, needle := range []string{"CANARY", "canary", "neri@", "bond1", `"a":{`} {
				if where := w.find(needle); where != "" {
					t.Errorf("%s, %q can be read in %s", when, needle, where)
				}
			}
		}
		search("while it is open")
		must(t, w.store.Close())
		search("after the end")
		w.plant()
	})
}

// plant proves the search: it finds text in a column of bytes and, beside SQLite,
// in a file in each encoding.
func (w *world) plant() {
	w.t.Helper()
	_, err := w.db.ExecContext(w.ctx, "UPDATE client SET label = $1", []byte("\x00\xffPLANTED-bytes"))
	must(w.t, err)
	texts := []string{"PLANTED-bytes", "session-client-adult"}
	if w.dir != "" {
		texts = append(texts, "PLANTED-little", "PLANTED-big")
		must(w.t, os.WriteFile(filepath.Join(w.dir, "little"), wide("PLANTED-little", binary.LittleEndian), 0o600))
		must(w.t, os.WriteFile(filepath.Join(w.dir, "big"), wide("PLANTED-big", binary.BigEndian), 0o600))
	}
	for _, text := range texts {
		if w.find(text) == "" {
			w.t.Errorf("%s, planted in plain, was not found", text)
		}
	}
}

// wide is text in UTF-16.
func wide(text string, order binary.AppendByteOrder) (out []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// find looks for text in every file beside the database, in three encodings, and
// in every row; "" when it is nowhere.
func (w *world) find(text string) string {
	w.t.Helper()
	forms := [][]byte{[]byte(text), wide(text, binary.LittleEndian), wide(text, binary.BigEndian)}
	if w.dir != "" {
		files, err := os.ReadDir(w.dir)
		must(w.t, err)
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(w.dir, f.Name()))
			must(w.t, err)
			if slices.ContainsFunc(forms, func(form []byte) bool { return bytes.Contains(data, form) }) {
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
