// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "github.com/entente-project/entente/internal/care"

// AddFlow keeps an attempt to come in by a provider; those that are over go.
func (t *Tx) AddFlow(f care.Flow, nowMillis int64) error {
	if _, err := t.exec("DELETE FROM provider_flow WHERE expires_millis <= $1", nowMillis); err != nil {
		return err
	}
	_, err := t.exec("INSERT INTO provider_flow (state_hash, browser_hash, provider, for_practice, for_staff, for_sign_in, expires_millis) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		f.StateHash, f.BrowserHash, f.Provider, f.Practice, f.Staff, f.SignIn, f.ExpiresMillis)
	return err
}

// TakeFlow takes an attempt out, so that it counts once: not_found for one that
// is over, was taken, or never began.
func (t *Tx) TakeFlow(stateHash []byte, nowMillis int64) (care.Flow, error) {
	return one(t, func(r scanner) (f care.Flow, err error) {
		f.StateHash = stateHash
		return f, r.Scan(&f.BrowserHash, &f.Provider, &f.Practice, &f.Staff, &f.SignIn, &f.ExpiresMillis)
	}, "DELETE FROM provider_flow WHERE state_hash = $1 AND expires_millis > $2 RETURNING browser_hash, provider, for_practice, for_staff, for_sign_in, expires_millis", stateHash, nowMillis)
}

// AddIdentity links what a provider calls somebody to their account: false when
// it is linked already, to whomever.
func (t *Tx) AddIdentity(i care.Identity) (bool, error) {
	c, err := t.cell(i.Practice, practiceKey, "staff_identity", i.ID, string(i.Staff))
	if err != nil {
		return false, err
	}
	email := c.seal("email", []byte(i.Email))
	if err := c.err(); err != nil {
		return false, err
	}
	return t.added(`INSERT INTO staff_identity (practice_id, identity_id, staff_id, token_hash, provider, email, linked_millis) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (token_hash) DO NOTHING`, i.Practice, i.ID, i.Staff, i.TokenHash, i.Provider, email, i.LinkedMillis)
}

const identityColumns = "practice_id, identity_id, staff_id, token_hash, provider, email, linked_millis"

type identityRow struct {
	i     care.Identity
	email []byte
}

func scanIdentity(r scanner) (x identityRow, err error) {
	return x, r.Scan(&x.i.Practice, &x.i.ID, &x.i.Staff, &x.i.TokenHash, &x.i.Provider, &x.email, &x.i.LinkedMillis)
}

func (t *Tx) openIdentity(x identityRow) (care.Identity, error) {
	c, err := t.cell(x.i.Practice, practiceKey, "staff_identity", x.i.ID, string(x.i.Staff))
	if err != nil {
		return care.Identity{}, err
	}
	x.i.Email = string(c.open("email", x.email))
	return x.i, t.s.fault("open", c.err())
}

// IdentityByToken finds whose account something of a provider is linked to.
func (t *Tx) IdentityByToken(hash []byte) (care.Identity, error) {
	x, err := one(t, scanIdentity, "SELECT "+identityColumns+" FROM staff_identity WHERE token_hash = $1", hash)
	if err != nil {
		return care.Identity{}, err
	}
	return t.openIdentity(x)
}

// Identities lists what a person has linked, oldest first.
func (t *Tx) Identities(practice, staff care.ID) (out []care.Identity, err error) {
	rows, err := list(t, scanIdentity, "SELECT "+identityColumns+" FROM staff_identity WHERE practice_id = $1 AND staff_id = $2 ORDER BY linked_millis, identity_id", practice, staff)
	if err != nil {
		return nil, err
	}
	for _, x := range rows {
		i, err := t.openIdentity(x)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

// EndIdentity removes one link of a person: not_found for one that is not theirs.
func (t *Tx) EndIdentity(practice, staff, id care.ID) error {
	return t.changed("DELETE FROM staff_identity WHERE practice_id = $1 AND staff_id = $2 AND identity_id = $3", practice, staff, id)
}
