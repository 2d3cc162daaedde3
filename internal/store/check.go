// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// sealedValue is one value as it rests, with its place.
type sealedValue struct {
	damaged care.Damaged
	key     string // name of the data key
	context string
	sealed  []byte
}

// walked is a table with sealed values and how they are read, in the order of a
// text that tells its rows apart.
type walked struct {
	query string // $1 the practice, $2 the last row, $3 how many
	scan  func(r scanner, practice care.ID) (last string, values []sealedValue, err error)
}

func value(table, column string, row care.ID, key, context string, sealed []byte) sealedValue {
	return sealedValue{care.Damaged{Table: table, Column: column, Row: row}, key, context, sealed}
}

// walks lists every table that has sealed values of practices.
var walks = []walked{
	{"SELECT practice_id, name FROM practice WHERE practice_id = $1 AND practice_id > $2 ORDER BY practice_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var id care.ID
		var name []byte
		err := r.Scan(&id, &name)
		return string(id), []sealedValue{value("practice", "name", id, practiceKey, "", name)}, err
	}},
	{"SELECT language, body FROM local_help WHERE practice_id = $1 AND language > $2 ORDER BY language LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var language care.ID
		var body []byte
		err := r.Scan(&language, &body)
		return string(language), []sealedValue{value("local_help", "body", language, practiceKey, "", body)}, err
	}},
	{"SELECT instrument || '/' || scale, made_millis, body FROM expected_response WHERE practice_id = $1 AND instrument || '/' || scale > $2 ORDER BY instrument || '/' || scale LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var row care.ID
		var made int64
		var body []byte
		err := r.Scan(&row, &made, &body)
		return string(row), []sealedValue{value("expected_response", "body", row, practiceKey, placeOfExpected(made), body)}, err
	}},
	{"SELECT staff_id, name, email, second FROM staff WHERE practice_id = $1 AND staff_id > $2 ORDER BY staff_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var id care.ID
		var name, email, second []byte
		err := r.Scan(&id, &name, &email, &second)
		out := []sealedValue{value("staff", "name", id, practiceKey, "", name), value("staff", "email", id, practiceKey, "", email)}
		if second != nil {
			out = append(out, value("staff", "second", id, practiceKey, "", second))
		}
		return string(id), out, err
	}},
	{"SELECT client_id, label, email, reference, age_band, language FROM client WHERE practice_id = $1 AND client_id > $2 ORDER BY client_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var c care.Client
		var label, email, reference []byte
		err := r.Scan(&c.ID, &label, &email, &reference, &c.AgeBand, &c.Language)
		k := clientKey(c.ID)
		return string(c.ID), ofClient(c.ID, value(clientTable, "label", c.ID, k, bandOf(c), label), value(clientTable, "email", c.ID, k, bandOf(c), email), value(clientTable, "reference", c.ID, k, "", reference)), err
	}},
	{"SELECT episode_id || '/' || client_id, episode_id, client_id, standing FROM episode_client WHERE practice_id = $1 AND standing IS NOT NULL AND episode_id || '/' || client_id > $2 ORDER BY episode_id || '/' || client_id LIMIT $3", func(r scanner, _ care.ID) (last string, _ []sealedValue, err error) {
		var e, c care.ID
		var standing []byte
		err = r.Scan(&last, &e, &c, &standing)
		return last, ofClient(c, value("episode_client", "standing", e, clientKey(c), string(c), standing)), err
	}},
	{"SELECT " + responseColumns + ", content FROM response WHERE practice_id = $1 AND response_id > $2 ORDER BY response_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var x care.Response
		var content []byte
		err := r.Scan(append(responseTargets(&x), &content)...)
		return string(x.ID), inSession(x.Session, ofClient(x.Client, value("response", "content", x.ID, clientKey(x.Client), placeOf(x), content))), err
	}},
	{"SELECT note_id, episode_id, session_id, client_id, staff_id, note, at_millis FROM session_note WHERE practice_id = $1 AND note_id > $2 ORDER BY note_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var n care.Note
		var episode care.ID
		var note []byte
		err := r.Scan(&n.ID, &episode, &n.Session, &n.Client, &n.Staff, &note, &n.AtMillis)
		return string(n.ID), inSession(n.Session, ofClient(n.Client, value("session_note", "note", n.ID, clientKey(n.Client), placeOfNote(episode, n), note))), err
	}},
	{"SELECT conversation_id, episode_id, session_id, client_id, staff_id, content, at_millis FROM conversation WHERE practice_id = $1 AND conversation_id > $2 ORDER BY conversation_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var v care.Conversation
		var episode care.ID
		var content []byte
		err := r.Scan(&v.ID, &episode, &v.Session, &v.Client, &v.Staff, &content, &v.AtMillis)
		return string(v.ID), inSession(v.Session, ofClient(v.Client, value("conversation", "content", v.ID, clientKey(v.Client), placeOfConversation(episode, v), content))), err
	}},
	{"SELECT " + closingColumns + ", content FROM closing WHERE practice_id = $1 AND closing_id > $2 ORDER BY closing_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var x care.Closing
		var content []byte
		err := r.Scan(append(closingTargets(&x), &content)...)
		return string(x.ID), ofClient(x.Client, value("closing", "content", x.ID, clientKey(x.Client), placeOfClosing(x), content)), err
	}},
	{"SELECT " + agreedColumns + ", content FROM agreed WHERE practice_id = $1 AND agreed_id > $2 ORDER BY agreed_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var a care.Agreed
		var content []byte
		err := r.Scan(append(agreedTargets(&a), &content)...)
		return string(a.ID), ofClient(a.Client, value("agreed", "content", a.ID, clientKey(a.Client), placeOfAgreed(a), content)), err
	}},
	{"SELECT " + reportColumns + ", content FROM work_report WHERE practice_id = $1 AND report_id > $2 ORDER BY report_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var x care.WorkReport
		var content []byte
		err := r.Scan(append(reportTargets(&x), &content)...)
		return string(x.ID), inSession(x.Session, ofClient(x.Client, value("work_report", "content", x.ID, clientKey(x.Client), placeOfReport(x), content))), err
	}},
	{"SELECT " + riskColumns + " FROM risk_signal WHERE practice_id = $1 AND risk_id > $2 ORDER BY risk_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		x, err := scanRisk(r)
		k := clientKey(x.r.Client)
		values := []sealedValue{value(riskTable, "content", x.r.ID, k, placeOfRisk(x.r), x.content)}
		if x.done != nil {
			values = append(values, value(riskTable, "done", x.r.ID, k, placeOfDone(x.r), x.done))
		}
		return string(x.r.ID), inSession(x.r.Session, ofClient(x.r.Client, values...)), err
	}},
	{"SELECT practice_id, alone FROM risk_duty WHERE practice_id = $1 AND alone IS NOT NULL AND practice_id > $2 ORDER BY practice_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var id care.ID
		var alone []byte
		err := r.Scan(&id, &alone)
		return string(id), []sealedValue{value("risk_duty", "alone", id, practiceKey, "", alone)}, err
	}},
	{"SELECT client_id, body FROM birth WHERE practice_id = $1 AND client_id > $2 ORDER BY client_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		x, err := scanBirth(r)
		return string(x.client), ofClient(x.client, value("birth", "body", x.client, clientKey(x.client), "", x.body)), err
	}},
	{"SELECT " + carerColumns + " FROM carer WHERE practice_id = $1 AND carer_id > $2 ORDER BY carer_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		x, err := scanCarer(r)
		return string(x.c.ID), ofClient(x.c.Client, value(carerTable, "body", x.c.ID, clientKey(x.c.Client), string(x.c.Client), x.body)), err
	}},
	{"SELECT holder_id, client_id, capacity, name FROM consent_holder WHERE practice_id = $1 AND holder_id > $2 ORDER BY holder_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var h care.ConsentHolder
		var name []byte
		err := r.Scan(&h.ID, &h.Client, &h.Capacity, &name)
		return string(h.ID), ofClient(h.Client, value(holderTable, "name", h.ID, clientKey(h.Client), placeOfHolder(h), name)), err
	}},
	{"SELECT " + recordColumns + " FROM consent_record WHERE practice_id = $1 AND record_id > $2 ORDER BY record_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var x care.ConsentRecord
		var note []byte
		err := r.Scan(recordTargets(&x, &note)...)
		return string(x.ID), ofClient(x.Client, value(recordTable, "note", x.ID, clientKey(x.Client), x.Place(), note)), err
	}},
	{"SELECT emergency_id, client_id, staff_id, reason FROM emergency WHERE practice_id = $1 AND emergency_id > $2 ORDER BY emergency_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var id, c, by care.ID
		var reason []byte
		err := r.Scan(&id, &c, &by, &reason)
		return string(id), ofClient(c, value(emergencyTable, "reason", id, clientKey(c), string(by), reason)), err
	}},
	{"SELECT help_id, staff_id, reason FROM staff_help WHERE practice_id = $1 AND help_id > $2 ORDER BY help_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var id, staff care.ID
		var reason []byte
		err := r.Scan(&id, &staff, &reason)
		return string(id), []sealedValue{value("staff_help", "reason", id, practiceKey, string(staff), reason)}, err
	}},
	{"SELECT identity_id, staff_id, email FROM staff_identity WHERE practice_id = $1 AND identity_id > $2 ORDER BY identity_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var id, staff care.ID
		var email []byte
		err := r.Scan(&id, &staff, &email)
		return string(id), []sealedValue{value("staff_identity", "email", id, practiceKey, string(staff), email)}, err
	}},
	{"SELECT passkey_id, staff_id, body FROM staff_passkey WHERE practice_id = $1 AND passkey_id > $2 ORDER BY passkey_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var id, staff care.ID
		var body []byte
		err := r.Scan(&id, &staff, &body)
		return string(id), []sealedValue{value("staff_passkey", "body", id, practiceKey, string(staff), body)}, err
	}},
	{"SELECT grant_id, instrument, ground, details, file, reason FROM instrument_grant WHERE practice_id = $1 AND grant_id > $2 ORDER BY grant_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var g care.Grant
		var details, file, reason []byte
		err := r.Scan(&g.ID, &g.Instrument, &g.Ground, &details, &file, &reason)
		place := g.Instrument + " " + string(g.Ground)
		out := []sealedValue{value(grantTable, "details", g.ID, practiceKey, place, details)}
		for column, sealed := range map[string][]byte{"file": file, "reason": reason} {
			if sealed != nil {
				out = append(out, value(grantTable, column, g.ID, practiceKey, place, sealed))
			}
		}
		return string(g.ID), out, err
	}},
	{"SELECT import_id, file FROM import WHERE practice_id = $1 AND import_id > $2 ORDER BY import_id LIMIT $3", func(r scanner, _ care.ID) (string, []sealedValue, error) {
		var id care.ID
		var file []byte
		err := r.Scan(&id, &file)
		return string(id), []sealedValue{value("import", "file", id, practiceKey, "", file)}, err
	}},
}

func ofClient(c care.ID, values ...sealedValue) []sealedValue {
	for i := range values {
		values[i].damaged.Client = c
	}
	return values
}

func inSession(s care.ID, values []sealedValue) []sealedValue {
	for i := range values {
		values[i].damaged.Session = s
	}
	return values
}

// checkBatch is how many rows are read in one transaction.
const checkBatch = 500

// Check opens every sealed value of every practice, in batches beside whatever
// else goes on, and calls found with each that does not open. tell is called
// after each batch with the number of values opened so far; an error of either
// stops the walk. A key that does not open is reported once, not with each of
// the values under it. Who was erased is passed over. What a whole walk finds
// stays to be asked by Damage. A row that the audit says was written, and that is
// not there, is found too, as care.Absent: a deleted row leaves no value to open.
func (s *Store) Check(ctx context.Context, tell func(done int64) error, found func(care.Damaged) error) (done int64, err error) {
	n := 0
	done, err = s.check(ctx, tell, func(d care.Damaged) error {
		n++
		return found(d)
	})
	if err == nil {
		s.unopened.Store(int64(n))
	}
	return done, err
}

func (s *Store) check(ctx context.Context, tell func(done int64) error, found func(care.Damaged) error) (done int64, err error) {
	lost := map[string]bool{} // keys that do not open
	err = s.eachKeys(ctx, func(batch []wrappedKey) error {
		for _, k := range batch {
			_, err := s.vault.Unwrap(keyPlace(k.practice, k.name), k.wrapped)
			switch {
			case err == nil:
				continue
			case errors.Is(err, vault.ErrErased):
			case errors.Is(err, vault.ErrTampered), errors.Is(err, vault.ErrNoShare), errors.Is(err, vault.ErrBadShare):
				d := care.Damaged{Practice: k.practice, Table: "data_key", Column: "wrapped", Row: care.ID(k.name)}
				if err := found(d); err != nil {
					return err
				}
			default:
				return fmt.Errorf("store: %w", err)
			}
			lost[string(k.practice)+"/"+k.name] = true
		}
		return tell(done)
	})
	if err != nil {
		return done, err
	}
	practices, err := s.practiceIDs(ctx)
	for _, p := range practices {
		for _, w := range walks {
			n, err := s.checkTable(ctx, p, w, lost, func(n int64) error { return tell(done + n) }, found)
			done += n
			if err != nil {
				return done, err
			}
		}
		if err := s.checkAbsent(ctx, p, found); err != nil {
			return done, err
		}
	}
	return done, err
}

func (s *Store) checkTable(ctx context.Context, practice care.ID, w walked, lost map[string]bool, tell func(int64) error, found func(care.Damaged) error) (done int64, err error) {
	type row struct {
		last   string
		values []sealedValue
	}
	for last := ""; ; {
		var bad []care.Damaged
		rows, n := 0, int64(0)
		err := s.Read(ctx, func(t *Tx) error {
			bad, n = nil, 0
			all, err := list(t, func(r scanner) (x row, err error) { x.last, x.values, err = w.scan(r, practice); return x, err }, w.query, practice, last, checkBatch)
			if rows = len(all); err != nil || rows == 0 {
				return err
			}
			for _, x := range all {
				for _, v := range x.values {
					if lost[string(practice)+"/"+v.key] {
						continue
					}
					ok, err := t.checkValue(practice, v)
					if err != nil {
						return err
					}
					if n++; !ok {
						bad = append(bad, t.withSession(practice, v.damaged))
					}
				}
			}
			last = all[rows-1].last
			return nil
		})
		if err != nil {
			return done, err
		}
		done += n
		for _, d := range bad {
			if err := found(d); err != nil {
				return done, err
			}
		}
		if err := tell(done); err != nil || rows < checkBatch {
			return done, err
		}
	}
}

// checkValue reports whether a value opens. One that came after the keys were
// looked at, or whose person was erased since, is no damage.
func (t *Tx) checkValue(practice care.ID, v sealedValue) (bool, error) {
	c, err := t.cell(practice, v.key, v.damaged.Table, v.damaged.Row, v.context)
	switch {
	case care.CodeOf(err) == care.NotFound && !errors.Is(err, vault.ErrErased):
		return false, nil // a value without its key
	case errors.Is(err, vault.ErrErased):
		return true, nil
	case err != nil:
		return false, err
	}
	c.open(v.damaged.Column, v.sealed)
	return c.err() == nil, nil
}

// withSession adds when the session was, where that can be known.
func (t *Tx) withSession(practice care.ID, d care.Damaged) care.Damaged {
	d.Practice = practice
	if d.Session == "" {
		return d
	}
	if x, err := t.Session(practice, d.Session); err == nil {
		d.SessionMillis = x.AtMillis
	}
	return d
}

func (s *Store) practiceIDs(ctx context.Context) (out []care.ID, err error) {
	err = s.Read(ctx, func(t *Tx) (err error) {
		if err := t.AcrossPractices(); err != nil {
			return err
		}
		out, err = list(t, scanID, "SELECT practice_id FROM practice ORDER BY practice_id")
		return err
	})
	return out, err
}
