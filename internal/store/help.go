// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "github.com/entente-project/entente/internal/care"

// AddHelp keeps what was done to somebody's sign-ins, and why.
func (t *Tx) AddHelp(h care.Help) error {
	c, err := t.cell(h.Practice, practiceKey, "staff_help", h.ID, string(h.Staff))
	if err != nil {
		return err
	}
	reason := c.seal("reason", []byte(h.Reason))
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO staff_help (practice_id, help_id, staff_id, by_id, kind, reason, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		h.Practice, h.ID, h.Staff, h.By, string(h.Kind), reason, h.AtMillis)
	return err
}

// HelpFor lists what was done to somebody's sign-ins, newest first.
func (t *Tx) HelpFor(practice, staff care.ID, limit int) ([]care.Help, error) {
	type row struct {
		h      care.Help
		reason []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		return x, r.Scan(&x.h.Practice, &x.h.ID, &x.h.Staff, &x.h.By, &x.h.Kind, &x.reason, &x.h.AtMillis)
	}, "SELECT practice_id, help_id, staff_id, by_id, kind, reason, at_millis FROM staff_help WHERE practice_id = $1 AND staff_id = $2 ORDER BY at_millis DESC, help_id DESC LIMIT $3", practice, staff, limit)
	if err != nil {
		return nil, err
	}
	var out []care.Help
	for _, x := range rows {
		c, err := t.cell(practice, practiceKey, "staff_help", x.h.ID, string(x.h.Staff))
		if err != nil {
			return nil, err
		}
		x.h.Reason = string(c.open("reason", x.reason))
		if err := c.err(); err != nil {
			return nil, t.s.fault("open", err)
		}
		out = append(out, x.h)
	}
	return out, nil
}

// SetProof says what somebody has shown since they signed in.
func (t *Tx) SetProof(practice, signIn care.ID, p care.Proof) error {
	return t.changed("UPDATE sign_in SET proof = $3 WHERE practice_id = $1 AND sign_in_id = $2", practice, signIn, string(p))
}
