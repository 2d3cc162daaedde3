// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"

	"github.com/entente-project/entente/internal/care"
)

// passkeyBody is what is sealed of a passkey: devices can be told apart by it.
type passkeyBody struct {
	Name       string          `json:"name"`
	Credential json.RawMessage `json:"credential"`
}

func (t *Tx) sealPasskey(p care.Passkey) ([]byte, error) {
	plain, err := json.Marshal(passkeyBody{p.Name, p.Credential})
	if err != nil {
		return nil, fmt.Errorf("store: passkey: %w", err)
	}
	c, err := t.cell(p.Practice, practiceKey, "staff_passkey", p.ID, string(p.Staff))
	if err != nil {
		return nil, err
	}
	return c.seal("body", plain), c.err()
}

// AddPasskey keeps a passkey: false when it is known already, as whosesoever.
func (t *Tx) AddPasskey(p care.Passkey) (bool, error) {
	body, err := t.sealPasskey(p)
	if err != nil {
		return false, err
	}
	return t.added(`INSERT INTO staff_passkey (practice_id, passkey_id, staff_id, token_hash, body, created_millis, used_millis) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (token_hash) DO NOTHING`, p.Practice, p.ID, p.Staff, p.TokenHash, body, p.CreatedMillis, p.UsedMillis)
}

const passkeyColumns = "practice_id, passkey_id, staff_id, token_hash, body, created_millis, used_millis"

type passkeyRow struct {
	p    care.Passkey
	body []byte
}

func scanPasskey(r scanner) (x passkeyRow, err error) {
	return x, r.Scan(&x.p.Practice, &x.p.ID, &x.p.Staff, &x.p.TokenHash, &x.body, &x.p.CreatedMillis, &x.p.UsedMillis)
}

func (t *Tx) openPasskey(x passkeyRow) (care.Passkey, error) {
	c, err := t.cell(x.p.Practice, practiceKey, "staff_passkey", x.p.ID, string(x.p.Staff))
	if err != nil {
		return care.Passkey{}, err
	}
	plain := c.open("body", x.body)
	if err := c.err(); err != nil {
		return care.Passkey{}, t.s.fault("open", err)
	}
	var b passkeyBody
	if err := json.Unmarshal(plain, &b); err != nil {
		return care.Passkey{}, fmt.Errorf("store: passkey %s: %w", x.p.ID, err)
	}
	x.p.Name, x.p.Credential = b.Name, b.Credential
	return x.p, nil
}

// PasskeyByToken finds a passkey by the hash of what it calls itself.
func (t *Tx) PasskeyByToken(hash []byte) (care.Passkey, error) {
	x, err := one(t, scanPasskey, "SELECT "+passkeyColumns+" FROM staff_passkey WHERE token_hash = $1", hash)
	if err != nil {
		return care.Passkey{}, err
	}
	return t.openPasskey(x)
}

// Passkeys lists what a person has added, oldest first.
func (t *Tx) Passkeys(practice, staff care.ID) (out []care.Passkey, err error) {
	rows, err := list(t, scanPasskey, "SELECT "+passkeyColumns+" FROM staff_passkey WHERE practice_id = $1 AND staff_id = $2 ORDER BY created_millis, passkey_id", practice, staff)
	if err != nil {
		return nil, err
	}
	for _, x := range rows {
		p, err := t.openPasskey(x)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// UsePasskey keeps what a passkey has become by being shown.
func (t *Tx) UsePasskey(p care.Passkey) error {
	body, err := t.sealPasskey(p)
	if err != nil {
		return err
	}
	return t.changed("UPDATE staff_passkey SET body = $3, used_millis = $4 WHERE practice_id = $1 AND passkey_id = $2", p.Practice, p.ID, body, p.UsedMillis)
}

// EndPasskey removes one passkey of a person: not_found for one that is not theirs.
func (t *Tx) EndPasskey(practice, staff, id care.ID) error {
	return t.changed("DELETE FROM staff_passkey WHERE practice_id = $1 AND staff_id = $2 AND passkey_id = $3", practice, staff, id)
}
