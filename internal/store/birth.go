// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"

	"github.com/entente-project/entente/internal/care"
)

// SetBirth keeps when a client was born and what was reviewed.
func (t *Tx) SetBirth(b care.Birth) error {
	body, err := json.Marshal(b)
	if err != nil {
		return t.s.fault("write a birth", err)
	}
	c, err := t.cell(b.Practice, clientKey(b.Client), "birth", b.Client, "")
	if err != nil {
		return err
	}
	sealed := c.seal("body", body)
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO birth (practice_id, client_id, body) VALUES ($1, $2, $3) ON CONFLICT (practice_id, client_id) DO UPDATE SET body = excluded.body", b.Practice, b.Client, sealed)
	return err
}

type birthRow struct {
	client care.ID
	body   []byte
}

func scanBirth(r scanner) (x birthRow, err error) { return x, r.Scan(&x.client, &x.body) }

func (t *Tx) openBirth(practice care.ID, x birthRow) (b care.Birth, err error) {
	c, err := t.cell(practice, clientKey(x.client), "birth", x.client, "")
	if err != nil {
		return b, err
	}
	body := c.open("body", x.body)
	if err := c.err(); err != nil {
		return b, t.s.fault("open", err)
	}
	b.Practice, b.Client = practice, x.client
	return b, t.s.fault("read a birth", json.Unmarshal(body, &b))
}

// Birth is when a client was born: not_found where nobody noted it.
func (t *Tx) Birth(practice, client care.ID) (care.Birth, error) {
	x, err := one(t, scanBirth, "SELECT client_id, body FROM birth WHERE practice_id = $1 AND client_id = $2", practice, client)
	if err != nil {
		return care.Birth{}, err
	}
	return t.openBirth(practice, x)
}

// BirthsOf lists the births noted of the clients whom a member of staff treats. One
// that does not open is set aside.
func (t *Tx) BirthsOf(practice, staff care.ID) (out []care.Birth, err error) {
	rows, err := list(t, scanBirth, `SELECT b.client_id, b.body FROM birth b WHERE b.practice_id = $1 AND EXISTS (SELECT 1 FROM episode_client ec
		JOIN episode_staff es ON es.practice_id = ec.practice_id AND es.episode_id = ec.episode_id
		WHERE ec.practice_id = $1 AND ec.client_id = b.client_id AND es.staff_id = $2 AND es.relation = 'therapist') ORDER BY b.client_id`, practice, staff)
	if err != nil {
		return nil, err
	}
	for _, x := range rows {
		b, err := t.openBirth(practice, x)
		if err := t.setAside(err, care.Damaged{Practice: practice, Client: x.client}); err != nil {
			return nil, err
		}
		if b.Client != "" {
			out = append(out, b)
		}
	}
	return out, nil
}
