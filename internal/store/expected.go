// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"strconv"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// rowOfExpected names a row of expected_response.
func rowOfExpected(instrument, scale string) care.ID { return care.ID(instrument + "/" + scale) }

// placeOfExpected binds a body to when it was worked out.
func placeOfExpected(madeMillis int64) string { return strconv.FormatInt(madeMillis, 10) }

// ExpectedResponses lists what was worked out of a practice's ended episodes. One
// that does not open is left out: it can be worked out anew.
func (t *Tx) ExpectedResponses(practice care.ID) (out []care.ExpectedResponse, err error) {
	all, err := list(t, func(r scanner) (e care.ExpectedResponse, err error) {
		return e, r.Scan(&e.Practice, &e.Instrument, &e.Scale, &e.MadeMillis, &e.Body)
	}, "SELECT practice_id, instrument, scale, made_millis, body FROM expected_response WHERE practice_id = $1 ORDER BY instrument, scale", practice)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		c, err := t.cell(practice, practiceKey, "expected_response", rowOfExpected(e.Instrument, e.Scale), placeOfExpected(e.MadeMillis))
		if err != nil {
			return nil, err
		}
		e.Body = c.open("body", e.Body)
		switch err := c.err(); {
		case errors.Is(err, vault.ErrTampered):
		case err != nil:
			return nil, t.s.fault("open", err)
		default:
			out = append(out, e)
		}
	}
	return out, nil
}

// PutExpectedResponse puts e in the place of what was worked out before.
func (t *Tx) PutExpectedResponse(e care.ExpectedResponse) error {
	c, err := t.cell(e.Practice, practiceKey, "expected_response", rowOfExpected(e.Instrument, e.Scale), placeOfExpected(e.MadeMillis))
	if err != nil {
		return err
	}
	body := c.seal("body", e.Body)
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO expected_response (practice_id, instrument, scale, made_millis, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (practice_id, instrument, scale) DO UPDATE SET made_millis = excluded.made_millis, body = excluded.body`, e.Practice, e.Instrument, e.Scale, e.MadeMillis, body)
	return err
}

// EndedEpisodes lists the newest episodes that were closed, or whose last session is
// before an instant, with each client of theirs.
func (t *Tx) EndedEpisodes(practice care.ID, lastBefore int64, limit int) ([]care.EndedEpisode, error) {
	return list(t, func(r scanner) (e care.EndedEpisode, err error) { return e, r.Scan(&e.Episode, &e.Client) },
		`SELECT ec.episode_id, ec.client_id FROM episode e JOIN episode_client ec ON ec.practice_id = e.practice_id AND ec.episode_id = e.episode_id
		WHERE e.practice_id = $1 AND EXISTS (SELECT 1 FROM session s WHERE s.practice_id = $1 AND s.episode_id = e.episode_id)
		AND (e.closed_on <> '' OR NOT EXISTS (SELECT 1 FROM session s WHERE s.practice_id = $1 AND s.episode_id = e.episode_id AND s.at_millis >= $2))
		ORDER BY e.created_millis DESC, ec.episode_id DESC, ec.client_id LIMIT $3`, practice, lastBefore, limit)
}
