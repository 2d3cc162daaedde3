// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// values are what one reading of everything brought: for each sealed value its
// plain text, and for each row all the rest of it.
type values struct{ sealed, rest map[string]string }

func (v values) put(row string, rest any, sealed ...any) {
	for i, s := range sealed {
		v.sealed[fmt.Sprint(row, " ", i)] = fmt.Sprintf("%#v", s)
	}
	v.rest[row] = fmt.Sprintf("%+v", rest)
}

// readings are the ways in which sealed values are read; each on its own, so
// that the failure of one does not hide another.
var readings = []func(*Tx, values) error{
	func(tx *Tx, v values) error {
		all, err := tx.Practices()
		for _, p := range all {
			name := p.Name
			p.Name = ""
			v.put("practice "+string(p.ID), p, name)
		}
		return err
	},
	func(tx *Tx, v values) error {
		all, err := tx.AllStaff(here.ID)
		for _, s := range all {
			name, email := s.Name, s.Email
			s.Name, s.Email = "", ""
			v.put("staff "+string(s.ID), s, name, email)
		}
		return err
	},
	func(tx *Tx, v values) error { return readClient(tx, v, anna.ID) },
	func(tx *Tx, v values) error { return readClient(tx, v, bruno.ID) },
	func(tx *Tx, v values) error {
		all, err := tx.Caseload(here.ID, neri.ID)
		for _, e := range all {
			label, email, reference, standing := e.Client.Label, e.Client.Email, e.Client.Reference, e.Standing
			e.Client.Label, e.Client.Email, e.Client.Reference, e.Standing = "", "", "", nil
			v.put("caseload "+string(e.Client.ID), e, label, email, reference, standing)
		}
		return err
	},
	func(tx *Tx, v values) error {
		all, err := tx.Notes(here.ID, therapy.ID, anna.ID)
		for _, n := range all {
			text := n.Text
			n.Text = ""
			v.put("note "+string(n.ID), n, text)
		}
		return err
	},
	func(tx *Tx, v values) error {
		all, err := tx.Responses(here.ID, therapy.ID, anna.ID)
		for _, r := range all {
			content := r.Content
			r.Content = care.Content{}
			v.put("response "+string(r.ID), r, content)
		}
		return err
	},
}

func readClient(tx *Tx, v values, id care.ID) error {
	c, err := tx.Client(here.ID, id)
	if err != nil {
		return err
	}
	label, email, reference := c.Label, c.Email, c.Reference
	c.Label, c.Email, c.Reference = "", "", ""
	v.put("client "+string(id), c, label, email, reference)
	return nil
}

// What a flipped byte did, the worse the later.
const (
	untouched = iota // everything is read as it was
	refused          // the store does not open: its witness saw more
	named            // an error names the record
	anonymous        // an error that names no record
	loose            // a value that is not sealed is another
	absent           // something is not there, and no error says so
	altered          // a sealed value is another: this must never be
)

var verdicts = []string{"harmless", "refused by the witness", "error that names the record", "other error", "unsealed value changed", "absent without an error", "ANOTHER SEALED VALUE"}

// readAll reads everything and judges it by what it was before; nil means this is before.
func (s *storm) readAll(truth *values) (got values, worst int, what string) {
	got = values{map[string]string{}, map[string]string{}}
	note := func(verdict int, text string) {
		if verdict > worst {
			worst, what = verdict, text
		}
	}
	failed := false
	for _, f := range readings {
		said := values{map[string]string{}, map[string]string{}}
		err := s.s.Read(s.ctx, func(tx *Tx) error { return f(tx, said) })
		var e *vault.TamperError
		switch {
		case err == nil: // nobody believes what comes with an error
			maps.Copy(got.sealed, said.sealed)
			maps.Copy(got.rest, said.rest)
		case errors.As(err, &e):
			failed = true
			note(named, err.Error())
		case care.CodeOf(err) == care.NotFound:
			note(absent, err.Error())
		default:
			failed = true
			note(anonymous, err.Error())
		}
	}
	if truth == nil {
		return got, worst, what
	}
	for key, text := range got.sealed {
		if truth.sealed[key] != text {
			note(altered, key)
		}
	}
	for key, text := range got.rest {
		if truth.rest[key] != text {
			note(loose, key+": "+text)
		}
	}
	if !failed && len(got.sealed) != len(truth.sealed) {
		note(absent, fmt.Sprintf("%d of %d values", len(got.sealed), len(truth.sealed)))
	}
	return got, worst, what
}

// How many responses of a filled store are in the database file, and in the log only.
var atRest, inLog = long(24, 150), long(12, 50)

// fill leaves the files of a store with sealed values of every kind after a
// power cut, some responses in the log only.
func (s *storm) fill() map[string][]byte {
	s.t.Helper()
	must(s.t, s.start())
	must(s.t, s.s.Write(s.ctx, func(tx *Tx) error {
		err := errors.Join(tx.AddSession(second),
			tx.AddImport(here.ID, "0190-import-1", neri.ID, 1, "CANARY.csv", 2),
			tx.PutStanding(care.Standing{Practice: here.ID, Episode: therapy.ID, Client: anna.ID, LastMillis: 200, Body: []byte("CANARY-standing")}))
		for n := range 20 {
			err = errors.Join(err, tx.AddNote(therapy.ID, care.Note{ID: care.ID(fmt.Sprintf("0190-note-%d", n)), Practice: here.ID, Session: first.ID, Client: anna.ID, Staff: neri.ID, Text: fmt.Sprint("CANARY-note ", n)}))
		}
		return err
	}))
	s.blow(4, atRest)
	must(s.t, s.stop())
	must(s.t, s.start())
	s.blow(4, inLog)
	s.check("before anything is flipped")
	s.d.PowerCut(s.rng) // everything is synced: nothing is lost
	s.stop()            //nolint:errcheck // it has lost its disk
	s.d.PowerOn()
	return s.d.Image()
}

// flips is what many flipped bytes did.
type flips struct {
	did    [altered + 1]int
	missed [altered + 1]int // of those, how often the check of the whole database says ok
}

func (f flips) String() string {
	return fmt.Sprintf("another sealed value %d; harmless %d; an error %d, of which %d name the record; refused at the start as incomplete %d; silent until the check of each start and each day %d (an unsealed value %d, an absence %d), of which it misses %d",
		f.did[altered], f.did[untouched], f.did[named]+f.did[anonymous], f.did[named], f.did[refused], f.did[loose]+f.did[absent], f.did[loose], f.did[absent], f.missed[loose]+f.missed[absent])
}

// judge opens the store on a disk with a flipped byte and counts what that did.
func (s *storm) judge(f *flips, where string, truth *values) {
	s.t.Helper()
	opened, err := Open(s.ctx, s.url, s.vault, ReadOnly())
	verdict, what, sound := anonymous, "", false
	switch {
	case errors.Is(err, errLost):
		verdict = refused
	case err == nil:
		s.s = opened
		_, verdict, what = s.readAll(truth)
		sound = s.s.Sound(s.ctx) == nil
		must(s.t, s.stop())
	}
	f.did[verdict]++
	if verdict == altered {
		s.t.Errorf("%s: another value was read: %s", where, what)
	}
	if verdict > untouched && sound {
		f.missed[verdict]++
	}
}

// TestDrillFlips: with one byte of the files changed, a sealed value is read as
// it was or not at all.
func TestDrillFlips(t *testing.T) {
	t.Parallel()
	s := newStorm(t, 8)
	image := s.fill()
	truth, failed, what := s.truth(image)
	if failed != untouched || len(truth.sealed) != 1+2*2+2*3+2*4+20+atRest+inLog {
		t.Fatalf("before anything is flipped: %d values, %s", len(truth.sealed), what)
	}
	for _, name := range slices.Sorted(maps.Keys(image)) {
		var f flips
		total := long(8, 2000)
		for range total {
			s.d.Load(image)
			at, mask := s.rng.Int64N(int64(len(image[name]))), byte(1+s.rng.IntN(255))
			must(t, s.d.Flip(name, at, mask))
			s.judge(&f, fmt.Sprintf("%s, byte %d", name, at), &truth)
		}
		drill(t, "one byte of "+name+" flipped while the store is shut", "detected, never another score", "100 %", "%d flips: %s", total, f)
	}
}

// TestJudge: the judge of flipped bytes sees what it is there to see.
func TestJudge(t *testing.T) {
	t.Parallel()
	s := newStorm(t, 10)
	truth, _, _ := s.truth(s.fill())
	must(t, s.start())
	defer func() { must(t, s.stop()) }()
	for verdict, spoil := range map[int]func(values){
		untouched: func(values) {},
		altered:   func(v values) { v.sealed["response 0190-r-000007 0"] = "another score" },
		loose:     func(v values) { v.rest["client "+string(anna.ID)] = "another language" },
		absent:    func(v values) { v.sealed["response 0190-r-999999 0"] = "a response that was there" },
	} {
		other := values{maps.Clone(truth.sealed), maps.Clone(truth.rest)}
		spoil(other)
		if _, got, what := s.readAll(&other); got != verdict {
			t.Errorf("%s is judged %s: %s", verdicts[verdict], verdicts[got], what)
		}
	}
	raw, err := sql.Open("sqlite", "file:"+s.d.Path("entente.db"))
	must(t, err)
	_, err = raw.ExecContext(s.ctx, "UPDATE client SET label = email WHERE client_id = $1", anna.ID)
	must(t, errors.Join(err, raw.Close()))
	if _, got, what := s.readAll(&truth); got != named {
		t.Errorf("a moved value is judged %s: %s", verdicts[got], what)
	}
}

// truth is what is read before anything is flipped.
func (s *storm) truth(image map[string][]byte) (values, int, string) {
	s.t.Helper()
	s.d.Load(image)
	must(s.t, s.start())
	got, worst, what := s.readAll(nil)
	must(s.t, s.stop())
	_, worst2, what2 := func() (values, int, string) {
		s.d.Load(image)
		must(s.t, s.start())
		defer func() { must(s.t, s.stop()) }()
		return s.readAll(&got)
	}()
	return got, max(worst, worst2), what + what2
}

// TestDrillFlipsOpen: the same beneath a store that is open, where SQLite
// reads its log without looking at checksums.
func TestDrillFlipsOpen(t *testing.T) {
	t.Parallel()
	s := newStorm(t, 9)
	image := s.fill()
	truth, _, _ := s.truth(image)
	s.d.Load(image)
	holder := s.open() // keeps the shared memory, so that nobody reads the log anew
	must(t, holder.Read(s.ctx, func(tx *Tx) error { _, err := tx.Practices(); return err }))
	defer func() { must(t, holder.Close()) }()
	for _, name := range slices.Sorted(maps.Keys(image)) {
		var f flips
		total := long(8, 2000)
		for range total {
			at, mask := s.rng.Int64N(int64(len(image[name]))), byte(1+s.rng.IntN(255))
			must(t, s.d.Flip(name, at, mask))
			s.judge(&f, fmt.Sprintf("%s, byte %d", name, at), &truth)
			must(t, s.d.Flip(name, at, mask))
		}
		if !reflect.DeepEqual(s.d.Image(), image) {
			t.Fatal("reading has written")
		}
		drill(t, "one byte of "+name+" flipped beneath an open store", "detected, never another score", "100 %", "%d flips: %s", total, f)
	}
}
