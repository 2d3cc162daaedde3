// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"

	"github.com/entente-project/entente/internal/care"
)

// ConsentRule is what a practice waits for: not_found where it has said nothing.
func (t *Tx) ConsentRule(practice care.ID) (care.ConsentRule, error) {
	return one(t, func(r scanner) (x care.ConsentRule, err error) {
		var reviews string
		if err := r.Scan(&x.Holders, &x.OwnAge, &x.AssentAge, &reviews); err != nil {
			return x, err
		}
		x.Reviews, err = care.ReviewAges(reviews)
		return x, err
	}, "SELECT holders, own_age, assent_age, review_ages FROM consent_rule WHERE practice_id = $1 ORDER BY seq DESC LIMIT 1", practice)
}

// SetConsentRule puts a rule after those before it.
func (t *Tx) SetConsentRule(practice care.ID, r care.ConsentRule, by care.ID, atMillis int64) error {
	_, err := t.exec(`INSERT INTO consent_rule (practice_id, seq, holders, own_age, assent_age, review_ages, staff_id, at_millis)
		SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, $6, $7 FROM consent_rule WHERE practice_id = $1`, practice, r.Holders, r.OwnAge, r.AssentAge, care.AgesText(r.Reviews), by, atMillis)
	return err
}

// ConsentTexts lists every version of every text of a practice, by kind, oldest first.
func (t *Tx) ConsentTexts(practice care.ID) (out []care.ConsentText, err error) {
	type row struct {
		text  care.ConsentText
		words string
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		x.text.Practice = practice
		return x, r.Scan(&x.text.Kind, &x.text.Version, &x.text.Edition, &x.words, &x.text.By, &x.text.AtMillis)
	}, "SELECT kind, version, edition, words, staff_id, at_millis FROM consent_text WHERE practice_id = $1 ORDER BY kind, version", practice)
	if err != nil {
		return nil, err
	}
	for _, x := range rows {
		if err := json.Unmarshal([]byte(x.words), &x.text.Words); err != nil {
			return nil, t.s.fault("read a consent text", err)
		}
		out = append(out, x.text)
	}
	return out, nil
}

// AddConsentText keeps a further version: false when that version is there already.
func (t *Tx) AddConsentText(x care.ConsentText) (bool, error) {
	words, err := json.Marshal(x.Words)
	if err != nil {
		return false, t.s.fault("write a consent text", err)
	}
	return t.added(`INSERT INTO consent_text (practice_id, kind, version, edition, words, staff_id, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (practice_id, kind, version) DO NOTHING`, x.Practice, x.Kind, x.Version, x.Edition, string(words), x.By, x.AtMillis)
}

const (
	holderTable = "consent_holder"
	recordTable = "consent_record"
)

func placeOfHolder(h care.ConsentHolder) string { return string(h.Client) + " " + string(h.Capacity) }

// AddConsentHolder keeps who consents for a client: false when somebody does so in the
// same right already.
func (t *Tx) AddConsentHolder(h care.ConsentHolder) (bool, error) {
	c, err := t.cell(h.Practice, clientKey(h.Client), holderTable, h.ID, placeOfHolder(h))
	if err != nil {
		return false, err
	}
	name := c.seal("name", []byte(h.Name))
	if err := c.err(); err != nil {
		return false, err
	}
	return t.added(`INSERT INTO consent_holder (practice_id, holder_id, client_id, capacity, name, at_millis) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (practice_id, client_id, capacity) DO NOTHING`, h.Practice, h.ID, h.Client, h.Capacity, name, h.AtMillis)
}

// ConsentHolders lists who consents for a client, in the order of their right.
func (t *Tx) ConsentHolders(practice, client care.ID) (out []care.ConsentHolder, err error) {
	type row struct {
		h    care.ConsentHolder
		name []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		x.h.Practice, x.h.Client = practice, client
		return x, r.Scan(&x.h.ID, &x.h.Capacity, &x.name, &x.h.AtMillis)
	}, "SELECT holder_id, capacity, name, at_millis FROM consent_holder WHERE practice_id = $1 AND client_id = $2 ORDER BY capacity, holder_id", practice, client)
	if err != nil {
		return nil, err
	}
	for _, x := range rows {
		c, err := t.cell(practice, clientKey(client), holderTable, x.h.ID, placeOfHolder(x.h))
		if err != nil {
			return nil, err
		}
		x.h.Name = string(c.open("name", x.name))
		if err := c.err(); err != nil {
			return nil, t.s.fault("open", err)
		}
		out = append(out, x.h)
	}
	return out, nil
}

// AddConsentRecord keeps what somebody said, as the client's next.
func (t *Tx) AddConsentRecord(x care.ConsentRecord) error {
	n, err := one(t, scanCount, "SELECT COALESCE(MAX(seq), 0) FROM consent_record WHERE practice_id = $1 AND client_id = $2", x.Practice, x.Client)
	if err != nil {
		return err
	}
	x.Seq = n + 1
	c, err := t.cell(x.Practice, clientKey(x.Client), recordTable, x.ID, x.Place())
	if err != nil {
		return err
	}
	note := c.seal("note", []byte(x.Note))
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO consent_record (practice_id, record_id, client_id, person_id, kind, version, language, state, how, by_id, seq, at_millis, note)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		x.Practice, x.ID, x.Client, x.Person, x.Kind, x.Version, x.Language, x.State, x.How, x.By, x.Seq, x.AtMillis, note)
	return err
}

const recordColumns = "record_id, client_id, person_id, kind, version, language, state, how, by_id, seq, at_millis, note"

func recordTargets(x *care.ConsentRecord, note *[]byte) []any {
	return []any{&x.ID, &x.Client, &x.Person, &x.Kind, &x.Version, &x.Language, &x.State, &x.How, &x.By, &x.Seq, &x.AtMillis, note}
}

// ConsentRecords lists what was said about a client, oldest first. Errors: tampered
// for a line that was altered, whichever column of it.
func (t *Tx) ConsentRecords(practice, client care.ID) (out []care.ConsentRecord, err error) {
	type row struct {
		x    care.ConsentRecord
		note []byte
	}
	rows, err := list(t, func(r scanner) (y row, err error) {
		y.x.Practice = practice
		return y, r.Scan(recordTargets(&y.x, &y.note)...)
	}, "SELECT "+recordColumns+" FROM consent_record WHERE practice_id = $1 AND client_id = $2 ORDER BY seq, record_id", practice, client)
	if err != nil {
		return nil, err
	}
	for _, y := range rows {
		c, err := t.cell(practice, clientKey(client), recordTable, y.x.ID, y.x.Place())
		if err != nil {
			return nil, err
		}
		y.x.Note = string(c.open("note", y.note))
		if err := c.err(); err != nil {
			return nil, t.s.fault("open", err)
		}
		out = append(out, y.x)
	}
	return out, nil
}

// AddConsentLink keeps a person's own way in, and ends their earlier ones.
func (t *Tx) AddConsentLink(l care.ConsentLink) error {
	if _, err := t.exec("UPDATE consent_link SET revoked_millis = $4 WHERE practice_id = $1 AND client_id = $2 AND person_id = $3 AND revoked_millis = 0",
		l.Practice, l.Client, l.Person, l.CreatedMillis); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO consent_link (practice_id, link_id, client_id, person_id, token_hash, visit_hash, created_millis, expires_millis, revoked_millis)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`, l.Practice, l.ID, l.Client, l.Person, l.TokenHash, l.VisitHash, l.CreatedMillis, l.ExpiresMillis)
	return err
}

const consentLinkColumns = "practice_id, link_id, client_id, person_id, created_millis, expires_millis, revoked_millis"

func scanConsentLink(r scanner) (l care.ConsentLink, err error) {
	return l, r.Scan(&l.Practice, &l.ID, &l.Client, &l.Person, &l.CreatedMillis, &l.ExpiresMillis, &l.RevokedMillis)
}

// ConsentLinkByToken finds a link in force by what was handed out.
func (t *Tx) ConsentLinkByToken(hash []byte, nowMillis int64) (care.ConsentLink, error) {
	return one(t, scanConsentLink, "SELECT "+consentLinkColumns+" FROM consent_link WHERE token_hash = $1 AND revoked_millis = 0 AND expires_millis > $2"+notAhead("created_millis", "$2"), hash, nowMillis)
}

// ConsentLinkByVisit finds a link in force by the cookie it was exchanged for.
func (t *Tx) ConsentLinkByVisit(hash []byte, nowMillis int64) (care.ConsentLink, error) {
	return one(t, scanConsentLink, "SELECT "+consentLinkColumns+" FROM consent_link WHERE visit_hash = $1 AND revoked_millis = 0 AND expires_millis > $2"+notAhead("created_millis", "$2"), hash, nowMillis)
}

// ConsentLink returns one link, if it is in force.
func (t *Tx) ConsentLink(practice, id care.ID, nowMillis int64) (care.ConsentLink, error) {
	return one(t, scanConsentLink, "SELECT "+consentLinkColumns+" FROM consent_link WHERE practice_id = $1 AND link_id = $2 AND revoked_millis = 0 AND expires_millis > $3"+notAhead("created_millis", "$3"), practice, id, nowMillis)
}

// SetConsentVisit gives a link its cookie, in place of an earlier one; nil ends it.
func (t *Tx) SetConsentVisit(practice, id care.ID, hash []byte) error {
	return t.changed("UPDATE consent_link SET visit_hash = $3 WHERE practice_id = $1 AND link_id = $2", practice, id, hash)
}
