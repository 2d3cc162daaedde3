// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// fill leaves sealed values in every column that has them.
func (b *bench) fill() {
	b.t.Helper()
	b.settle()
	b.write(func(tx *Tx) error {
		_, e1 := tx.AddResponse(answer("0190-r-1", first))
		_, e2 := tx.AddResponse(answer("0190-r-2", second))
		return errors.Join(e1, e2,
			tx.AddNote(therapy.ID, care.Note{ID: "0190-note-1", Practice: here.ID, Session: first.ID, Client: anna.ID, Staff: neri.ID, Text: "CANARY-note"}),
			tx.SetLocalHelp(here.ID, care.LocalHelp{"en": {All: "CANARY-help"}}),
			tx.PutExpectedResponse(care.ExpectedResponse{Practice: here.ID, Instrument: "f", Scale: "s", MadeMillis: 3, Body: []byte("CANARY")}),
			tx.AddImport(here.ID, "0190-import-1", neri.ID, 1, "CANARY.csv", 2),
			tx.PutStanding(care.Standing{Practice: here.ID, Episode: therapy.ID, Client: anna.ID, LastMillis: 200, Body: []byte("CANARY-standing")}))
	})
}

// TestSealed: nothing that names a person, and nothing they said, rests in plain.
func TestSealed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		found := func(text string) (tables []string) {
			for table := range b.schema() {
				for _, row := range b.rows(table) {
					if strings.Contains(strings.ToLower(row), strings.ToLower(text)) {
						tables = append(tables, table)
					}
				}
			}
			return tables
		}
		for _, text := range []string{"CANARY", "longo@", "bond1", `"a":`, "漢", "🙂"} {
			if in := found(text); in != nil {
				t.Errorf("%q can be read in %v", text, in)
			}
		}
		// The search itself works, in a column of text and in one of bytes.
		b.sql("UPDATE client SET language = 'x-bond1' WHERE client_id = $1", anna.ID)
		b.sql("UPDATE response SET content = $1 WHERE response_id = '0190-r-1'", []byte("\x00\xff CANARY"))
		same(t, "planted in text", found("bond1"), []string{"client"})
		same(t, "planted in bytes", found("CANARY"), []string{"response"})
	})
}

// sealed are columns with one row each, and how that row is read.
var sealed = []struct {
	column, table, row, where string
	read                      func(*Tx) error
}{
	{"content", "response", "0190-r-1", "response_id = '0190-r-1'", func(tx *Tx) error {
		_, err := tx.Responses(here.ID, therapy.ID, anna.ID)
		return err
	}},
	{"label", "client", string(anna.ID), "client_id = '" + string(anna.ID) + "'", func(tx *Tx) error {
		_, err := tx.Client(here.ID, anna.ID)
		return err
	}},
	{"standing", "episode_client", string(therapy.ID), "client_id = '" + string(anna.ID) + "'", func(tx *Tx) error {
		_, err := tx.Caseload(here.ID, neri.ID)
		return err
	}},
	{"body", "local_help", "en", "language = 'en'", func(tx *Tx) error {
		_, err := tx.LocalHelp(here.ID)
		return err
	}},
}

// tampered checks that err says that a record does not verify, and which.
func tampered(t *testing.T, what string, err error, table, row, column string) {
	t.Helper()
	var e *vault.TamperError
	if !errors.Is(err, vault.ErrTampered) || !errors.As(err, &e) {
		t.Errorf("%s: %v", what, err)
		return
	}
	if p := e.Place; p.Practice != string(here.ID) || p.Table != table || p.Row != row || p.Column != column {
		t.Errorf("%s is blamed on %s", what, p)
	}
	if !strings.Contains(err.Error(), row) || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%s: %v", what, err)
	}
	if care.CodeOf(err) != care.Internal {
		t.Errorf("%s: code %s", what, care.CodeOf(err))
	}
}

// TestTampering changes each byte of sealed values in turn.
func TestTampering(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		for _, s := range sealed {
			update := "UPDATE " + s.table + " SET " + s.column + " = $1 WHERE " + s.where
			good := b.bytes("SELECT " + s.column + " FROM " + s.table + " WHERE " + s.where)
			broken := map[string][]byte{"emptied": {}, "cut": good[:len(good)-1], "longer": append(append([]byte{}, good...), 0)}
			for i := range good {
				bad := append([]byte{}, good...)
				bad[i] ^= 1 << (i % 8)
				broken["byte "+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10))] = bad
			}
			for what, bad := range broken {
				b.sql(update, bad)
				tampered(t, s.table+"."+s.column+" "+what, b.s.Read(b.ctx, s.read), s.table, s.row, s.column)
			}
			b.sql(update, good)
			must(t, b.s.Read(b.ctx, s.read))
		}
	})
}

// TestMoved: a value that is genuine, but of another place, does not open.
func TestMoved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		_, err := b.responses()
		must(t, err)
		swap := func(table, column, key, x, y string) (undo func()) {
			get := "SELECT " + column + " FROM " + table + " WHERE " + key + " = $1"
			one, other := b.bytes(get, x), b.bytes(get, y)
			put := "UPDATE " + table + " SET " + column + " = $1 WHERE " + key + " = $2"
			b.sql(put, other, x)
			b.sql(put, one, y)
			return func() {
				b.sql(put, one, x)
				b.sql(put, other, y)
			}
		}
		client := func() error { return b.s.Read(b.ctx, sealed[1].read) }
		undo := swap("response", "content", "response_id", "0190-r-1", "0190-r-2")
		_, err = b.responses()
		tampered(t, "swapped answers", err, "response", "0190-r-1", "content")
		undo()
		undo = swap("client", "label", "client_id", string(anna.ID), string(bruno.ID))
		tampered(t, "swapped labels", client(), "client", string(anna.ID), "label")
		undo()
		undo = swap("data_key", "wrapped", "key_id", clientKey(anna.ID), clientKey(bruno.ID))
		tampered(t, "swapped keys", client(), "data_key", clientKey(anna.ID), "wrapped")
		undo()
		must(t, client())
		b.sql("UPDATE client SET label = email WHERE client_id = $1", anna.ID)
		tampered(t, "an address for a label", client(), "client", string(anna.ID), "label")
		for column, value := range map[string]any{"informant": "therapist", "version": 4, "answered_millis": 106, "instrument": "two", "by_id": "x", "language": "xx", "import_id": "x", "session_id": string(second.ID)} {
			old := b.bytes("SELECT CAST(" + column + " AS TEXT) FROM response WHERE response_id = '0190-r-1'")
			if column == "session_id" {
				b.sql("UPDATE response SET by_id = 'y' WHERE response_id = '0190-r-2'")
			}
			b.sql("UPDATE response SET "+column+" = $1 WHERE response_id = '0190-r-1'", value)
			_, err := b.responses()
			if !errors.Is(err, vault.ErrTampered) {
				t.Errorf("another %s than sealed: %v", column, err)
			}
			if _, number := value.(int); number {
				b.sql("UPDATE response SET "+column+" = CAST($1 AS BIGINT) WHERE response_id = '0190-r-1'", string(old))
			} else {
				b.sql("UPDATE response SET "+column+" = $1 WHERE response_id = '0190-r-1'", string(old))
			}
			if column == "session_id" {
				b.sql("UPDATE response SET by_id = $1 WHERE response_id = '0190-r-2'", string(anna.ID))
			}
		}
		_, err = b.responses()
		must(t, err)
	})
}

// TestBound: a column that is not sealed cannot be changed behind the back of what
// is sealed beside it.
func TestBound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.fill()
		b.write(func(tx *Tx) error {
			return tx.AddNote(therapy.ID, care.Note{ID: "0190-note-9", Practice: here.ID, Session: first.ID, Client: anna.ID, Staff: neri.ID, Text: "CANARY-note", AtMillis: 7})
		})
		notes := func() error {
			return b.s.Read(b.ctx, func(tx *Tx) error { _, err := tx.Notes(here.ID, therapy.ID, anna.ID); return err })
		}
		client := func() error { return b.s.Read(b.ctx, sealed[1].read) }
		must(t, errors.Join(notes(), client()))
		for _, c := range []struct {
			change, back string
			read         func() error
			table, row   string
			column       string
		}{
			{"UPDATE session_note SET staff_id = '" + string(longo.ID) + "' WHERE note_id = '0190-note-9'", "UPDATE session_note SET staff_id = '" + string(neri.ID) + "' WHERE note_id = '0190-note-9'", notes, "session_note", "0190-note-9", "note"},
			{"UPDATE session_note SET at_millis = 8 WHERE note_id = '0190-note-9'", "UPDATE session_note SET at_millis = 7 WHERE note_id = '0190-note-9'", notes, "session_note", "0190-note-9", "note"},
			{"UPDATE client SET age_band = 'child' WHERE client_id = '" + string(anna.ID) + "'", "UPDATE client SET age_band = '" + string(anna.AgeBand) + "' WHERE client_id = '" + string(anna.ID) + "'", client, "client", string(anna.ID), "label"},
			{"UPDATE client SET language = 'xx' WHERE client_id = '" + string(anna.ID) + "'", "UPDATE client SET language = '" + anna.Language + "' WHERE client_id = '" + string(anna.ID) + "'", client, "client", string(anna.ID), "label"},
		} {
			b.sql(c.change)
			tampered(t, c.change, c.read(), c.table, c.row, c.column)
			b.sql(c.back)
			must(t, c.read())
		}
	})
}
