// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"

	"github.com/entente-project/entente/internal/care"
)

const carerTable = "carer"

// AddCarer keeps who else is asked about the work with a client.
func (t *Tx) AddCarer(x care.Carer) error {
	body, err := json.Marshal(x.Content)
	if err != nil {
		return t.s.fault("write a carer", err)
	}
	c, err := t.cell(x.Practice, clientKey(x.Client), carerTable, x.ID, string(x.Client))
	if err != nil {
		return err
	}
	sealed := c.seal("body", body)
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO carer (practice_id, carer_id, client_id, body, at_millis, ended_millis) VALUES ($1, $2, $3, $4, $5, 0)", x.Practice, x.ID, x.Client, sealed, x.AtMillis)
	return err
}

// EndCarer lets nobody ask a carer any more, and ends their links: not_found for
// one who was ended already.
func (t *Tx) EndCarer(practice, id care.ID, nowMillis int64) error {
	if err := t.changed("UPDATE carer SET ended_millis = $3 WHERE practice_id = $1 AND carer_id = $2 AND ended_millis = 0", practice, id, nowMillis); err != nil {
		return err
	}
	_, err := t.exec("UPDATE invitation SET revoked_millis = $3, visit_hash = NULL WHERE practice_id = $1 AND person_id = $2 AND revoked_millis = 0", practice, id, nowMillis)
	return err
}

type carerRow struct {
	c    care.Carer
	body []byte
}

const carerColumns = "carer_id, client_id, body, at_millis, ended_millis"

func scanCarer(r scanner) (x carerRow, err error) {
	return x, r.Scan(&x.c.ID, &x.c.Client, &x.body, &x.c.AtMillis, &x.c.EndedMillis)
}

func (t *Tx) openCarer(practice care.ID, x carerRow) (care.Carer, error) {
	x.c.Practice = practice
	c, err := t.cell(practice, clientKey(x.c.Client), carerTable, x.c.ID, string(x.c.Client))
	if err != nil {
		return x.c, err
	}
	body := c.open("body", x.body)
	if err := c.err(); err != nil {
		return x.c, t.s.fault("open", err)
	}
	return x.c, t.s.fault("read a carer", json.Unmarshal(body, &x.c.Content))
}

// Carer returns one carer, ended or not.
func (t *Tx) Carer(practice, id care.ID) (care.Carer, error) {
	x, err := one(t, scanCarer, "SELECT "+carerColumns+" FROM carer WHERE practice_id = $1 AND carer_id = $2", practice, id)
	if err != nil {
		return care.Carer{}, err
	}
	return t.openCarer(practice, x)
}

// Carers lists a client's carers, ended ones too, in the order they were added. One
// that does not open is set aside and has no label.
func (t *Tx) Carers(practice, client care.ID) (out []care.Carer, err error) {
	rows, err := list(t, scanCarer, "SELECT "+carerColumns+" FROM carer WHERE practice_id = $1 AND client_id = $2 ORDER BY at_millis, carer_id", practice, client)
	if err != nil {
		return nil, err
	}
	for _, x := range rows {
		c, err := t.openCarer(practice, x)
		if err := t.setAside(err, care.Damaged{Practice: practice, Client: client}); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// CarerInvitations lists the ids of every invitation of a client's carers.
func (t *Tx) CarerInvitations(practice, client care.ID) ([]care.ID, error) {
	return list(t, func(r scanner) (id care.ID, err error) { return id, r.Scan(&id) },
		"SELECT invitation_id FROM invitation WHERE practice_id = $1 AND client_id = $2 AND person_id <> '' ORDER BY invitation_id", practice, client)
}
