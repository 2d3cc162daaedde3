// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"

	"github.com/entente-project/entente/internal/care"
)

// placeOf binds a response's content to everything that gives it meaning.
func placeOf(r care.Response) string {
	return fmt.Sprintf("%s|%s|%s|%s|%s|%s|%d|%s|%d|%s", r.Episode, r.Session, r.Client, r.By, r.Informant, r.Instrument, r.Version, r.Language, r.AnsweredMillis, r.Import)
}

// AddResponse stores a response. It returns false and changes nothing when a
// response with this id is there already; conflict when the same person has
// already answered the same form for the session.
func (t *Tx) AddResponse(r care.Response) (bool, error) {
	plain, err := json.Marshal(r.Content)
	if err != nil {
		return false, fmt.Errorf("store: response: %w", err)
	}
	c, err := t.cell(r.Practice, clientKey(r.Client), "response", r.ID, placeOf(r))
	if err != nil {
		return false, err
	}
	content := c.seal("content", plain)
	if err := c.err(); err != nil {
		return false, err
	}
	return t.added(`INSERT INTO response (practice_id, response_id, episode_id, session_id, client_id, by_id, informant, instrument, version, language, answered_millis, import_id, content)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (practice_id, response_id) DO NOTHING`,
		r.Practice, r.ID, r.Episode, r.Session, r.Client, r.By, r.Informant, r.Instrument, r.Version, r.Language, r.AnsweredMillis, r.Import, content)
}

const responseColumns = "practice_id, response_id, episode_id, session_id, client_id, by_id, informant, instrument, version, language, answered_millis, import_id"

func responseTargets(r *care.Response) []any {
	return []any{&r.Practice, &r.ID, &r.Episode, &r.Session, &r.Client, &r.By, &r.Informant, &r.Instrument, &r.Version, &r.Language, &r.AnsweredMillis, &r.Import}
}

// ResponseHead returns a response without what it says.
func (t *Tx) ResponseHead(practice, id care.ID) (care.Response, error) {
	return one(t, func(s scanner) (r care.Response, err error) { return r, s.Scan(responseTargets(&r)...) },
		"SELECT "+responseColumns+" FROM response WHERE practice_id = $1 AND response_id = $2", practice, id)
}

// SessionResponses lists the responses of one session about one client, without
// what they say.
func (t *Tx) SessionResponses(practice, episode, client, session care.ID) ([]care.Response, error) {
	return list(t, func(s scanner) (r care.Response, err error) { return r, s.Scan(responseTargets(&r)...) },
		"SELECT "+responseColumns+" FROM response WHERE practice_id = $1 AND episode_id = $2 AND client_id = $3 AND session_id = $4 ORDER BY answered_millis, response_id", practice, episode, client, session)
}

// sealedResponse is a response as it lies in the table.
type sealedResponse struct {
	care.Response
	content []byte
}

func scanSealedResponse(s scanner) (x sealedResponse, err error) {
	return x, s.Scan(append(responseTargets(&x.Response), &x.content)...)
}

// Responses lists all responses of an episode about one client, with what they say.
func (t *Tx) Responses(practice, episode, client care.ID) ([]care.Response, error) {
	rows, err := list(t, scanSealedResponse,
		"SELECT "+responseColumns+", content FROM response WHERE practice_id = $1 AND episode_id = $2 AND client_id = $3 ORDER BY answered_millis, response_id", practice, episode, client)
	if err != nil {
		return nil, err
	}
	return t.opened(practice, rows)
}

// FirstResponses lists the first response of each client of a practice to one
// instrument, in any of its versions, with what they say; by client.
func (t *Tx) FirstResponses(practice care.ID, instrument string) ([]care.Response, error) {
	rows, err := list(t, scanSealedResponse, "SELECT "+responseColumns+`, content FROM response WHERE practice_id = $1 AND response_id IN (
		SELECT response_id FROM (SELECT response_id, ROW_NUMBER() OVER (PARTITION BY client_id ORDER BY answered_millis, session_id, response_id) AS place
			FROM response WHERE practice_id = $1 AND instrument = $2) AS answered WHERE place = 1)
		ORDER BY client_id, response_id`, practice, instrument)
	if err != nil {
		return nil, err
	}
	return t.opened(practice, rows)
}

// opened unseals responses; what does not open is set aside.
func (t *Tx) opened(practice care.ID, rows []sealedResponse) ([]care.Response, error) {
	out := make([]care.Response, 0, len(rows))
	for _, x := range rows {
		c, err := t.cell(practice, clientKey(x.Client), "response", x.ID, placeOf(x.Response))
		if err != nil {
			return nil, err
		}
		plain := c.open("content", x.content)
		if err := c.err(); err != nil {
			if err := t.setAside(err, care.Damaged{Practice: practice, Client: x.Client, Session: x.Session}); err != nil {
				return nil, t.s.fault("open", err)
			}
			continue
		}
		if err := json.Unmarshal(plain, &x.Content); err != nil {
			return nil, fmt.Errorf("store: response %s: %w", x.ID, err)
		}
		out = append(out, x.Response)
	}
	return out, nil
}

// AddInvitation stores an invitation and ends the earlier ones of the same person
// to the session.
func (t *Tx) AddInvitation(i care.Invitation) error {
	if _, err := t.exec("UPDATE invitation SET revoked_millis = $4 WHERE practice_id = $1 AND session_id = $2 AND client_id = $3 AND person_id = $5 AND revoked_millis = 0",
		i.Practice, i.Session, i.Client, i.CreatedMillis, i.Person); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO invitation (practice_id, invitation_id, session_id, episode_id, client_id, person_id, channel, token_hash, visit_hash, created_millis, expires_millis, revoked_millis)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)`,
		i.Practice, i.ID, i.Session, i.Episode, i.Client, i.Person, i.Channel, i.TokenHash, i.VisitHash, i.CreatedMillis, i.ExpiresMillis)
	return err
}

const invitationColumns = "practice_id, invitation_id, session_id, episode_id, client_id, person_id, channel, created_millis, expires_millis, revoked_millis"

func scanInvitation(r scanner) (i care.Invitation, err error) {
	return i, r.Scan(&i.Practice, &i.ID, &i.Session, &i.Episode, &i.Client, &i.Person, &i.Channel, &i.CreatedMillis, &i.ExpiresMillis, &i.RevokedMillis)
}

// InvitationByToken finds an invitation in force by its link.
func (t *Tx) InvitationByToken(hash []byte, nowMillis int64) (care.Invitation, error) {
	return one(t, scanInvitation, "SELECT "+invitationColumns+" FROM invitation WHERE token_hash = $1 AND revoked_millis = 0 AND expires_millis > $2"+notAhead("created_millis", "$2"), hash, nowMillis)
}

// InvitationByVisit finds an invitation in force by the cookie it was exchanged for.
func (t *Tx) InvitationByVisit(hash []byte, nowMillis int64) (care.Invitation, error) {
	return one(t, scanInvitation, "SELECT "+invitationColumns+" FROM invitation WHERE visit_hash = $1 AND revoked_millis = 0 AND expires_millis > $2"+notAhead("created_millis", "$2"), hash, nowMillis)
}

// Invitation returns one invitation.
func (t *Tx) Invitation(practice, id care.ID) (care.Invitation, error) {
	return one(t, scanInvitation, "SELECT "+invitationColumns+" FROM invitation WHERE practice_id = $1 AND invitation_id = $2", practice, id)
}

// InvitedNow reports whether an invitation of the client, or of that carer, to the
// session is in force.
func (t *Tx) InvitedNow(practice, session, client, person care.ID, nowMillis int64) (bool, error) {
	n, err := one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) },
		"SELECT COUNT(*) FROM invitation WHERE practice_id = $1 AND session_id = $2 AND client_id = $3 AND person_id = $5 AND revoked_millis = 0 AND expires_millis > $4"+notAhead("created_millis", "$4"), practice, session, client, nowMillis, person)
	return n > 0, err
}

// SetVisit gives an invitation its cookie, in place of an earlier one; nil ends the visit.
func (t *Tx) SetVisit(practice, id care.ID, hash []byte) error {
	return t.changed("UPDATE invitation SET visit_hash = $3 WHERE practice_id = $1 AND invitation_id = $2", practice, id, hash)
}

// AddInstrument keeps the definition of an instrument a practice brought; it
// does nothing if this version is there already.
func (t *Tx) AddInstrument(practice care.ID, id string, version int, definition string) error {
	_, err := t.exec("INSERT INTO practice_instrument (practice_id, instrument, version, definition) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", practice, id, version, definition)
	return err
}

// Instrument returns the definition of an instrument a practice brought.
func (t *Tx) Instrument(practice care.ID, id string, version int) (string, error) {
	return one(t, func(r scanner) (s string, err error) { return s, r.Scan(&s) },
		"SELECT definition FROM practice_instrument WHERE practice_id = $1 AND instrument = $2 AND version = $3", practice, id, version)
}

// AddImport notes an imported file.
func (t *Tx) AddImport(practice, id, staff care.ID, atMillis int64, file string, responses int) error {
	c, err := t.cell(practice, practiceKey, "import", id, "")
	if err != nil {
		return err
	}
	name := c.seal("file", []byte(file))
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO import (practice_id, import_id, staff_id, at_millis, file, responses) VALUES ($1, $2, $3, $4, $5, $6)", practice, id, staff, atMillis, name, responses)
	return err
}
