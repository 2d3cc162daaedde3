// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"

	"github.com/entente-project/entente/internal/care"
)

// AddSignIn stores a new sign-in.
func (t *Tx) AddSignIn(s care.SignIn) error {
	_, err := t.exec(`INSERT INTO sign_in (practice_id, sign_in_id, staff_id, token_hash, created_millis, expires_millis, idle_millis, kiosk_pin_hash, pin_failures, device, waits, proof)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, s.Practice, s.ID, s.Staff, s.TokenHash, s.CreatedMillis, s.ExpiresMillis, s.IdleMillis, s.KioskPINHash, s.PINFailures, s.Device, s.Waits, string(s.Proof))
	return err
}

// notAhead leaves out what was made more than a day ahead of now: the clock was
// wrong then, and what it made would outlive its time by as much. A
// clock that was an hour off loses nothing by it.
func notAhead(column, now string) string { return " AND " + column + " <= " + now + " + 86400000 " }

// SignInByToken finds a sign-in that has neither expired nor lain unused too long.
func (t *Tx) SignInByToken(hash []byte, nowMillis int64) (care.SignIn, error) {
	return one(t, scanSignIn, "SELECT "+signInColumns+" FROM sign_in WHERE token_hash = $1 AND expires_millis > $2 AND idle_millis > $2"+notAhead("created_millis", "$2"), hash, nowMillis)
}

const signInColumns = "practice_id, sign_in_id, staff_id, created_millis, expires_millis, idle_millis, kiosk_pin_hash, pin_failures, device, waits, proof"

func scanSignIn(r scanner) (s care.SignIn, err error) {
	return s, r.Scan(&s.Practice, &s.ID, &s.Staff, &s.CreatedMillis, &s.ExpiresMillis, &s.IdleMillis, &s.KioskPINHash, &s.PINFailures, &s.Device, &s.Waits, &s.Proof)
}

// SignIns lists a person's sign-ins that are not over, newest first.
func (t *Tx) SignIns(practice, staff care.ID, nowMillis int64) ([]care.SignIn, error) {
	return list(t, scanSignIn, "SELECT "+signInColumns+" FROM sign_in WHERE practice_id = $1 AND staff_id = $2 AND expires_millis > $3 AND idle_millis > $3"+notAhead("created_millis", "$3")+"ORDER BY created_millis DESC, sign_in_id DESC", practice, staff, nowMillis)
}

// Second returns what proves a person a second time: not_found when they have none.
func (t *Tx) Second(practice, staff care.ID) (s care.Second, err error) {
	sealed, err := one(t, func(r scanner) (b []byte, err error) { return b, r.Scan(&b) },
		"SELECT second FROM staff WHERE practice_id = $1 AND staff_id = $2 AND second IS NOT NULL", practice, staff)
	if err != nil {
		return s, err
	}
	c, err := t.cell(practice, practiceKey, "staff", staff, "")
	if err != nil {
		return s, err
	}
	plain := c.open("second", sealed)
	if err := c.err(); err != nil {
		return s, t.s.fault("open", err)
	}
	return s, json.Unmarshal(plain, &s)
}

// PutSecond keeps what proves a person a second time; nil removes it.
func (t *Tx) PutSecond(practice, staff care.ID, s *care.Second) error {
	var sealed []byte
	if s != nil {
		c, err := t.cell(practice, practiceKey, "staff", staff, "")
		if err != nil {
			return err
		}
		plain, err := json.Marshal(s) //nolint:gosec // sealed below
		if err != nil {
			return err
		}
		sealed = c.seal("second", plain)
		if err := c.err(); err != nil {
			return err
		}
	}
	return t.changed("UPDATE staff SET second = $1 WHERE practice_id = $2 AND staff_id = $3", sealed, practice, staff)
}

// SetKiosk locks a sign-in with a PIN's hash, or unlocks it with "".
func (t *Tx) SetKiosk(practice, signIn care.ID, pinHash string) error {
	return t.changed("UPDATE sign_in SET kiosk_pin_hash = $3, pin_failures = 0 WHERE practice_id = $1 AND sign_in_id = $2", practice, signIn, pinHash)
}

// CountPINFailure adds one wrong PIN.
func (t *Tx) CountPINFailure(practice, signIn care.ID) error {
	return t.changed("UPDATE sign_in SET pin_failures = pin_failures + 1 WHERE practice_id = $1 AND sign_in_id = $2", practice, signIn)
}

// EndSignIn deletes a sign-in.
func (t *Tx) EndSignIn(practice, signIn care.ID) error {
	return t.changed("DELETE FROM sign_in WHERE practice_id = $1 AND sign_in_id = $2", practice, signIn)
}

// EndSignInsBut deletes every sign-in of a person but one ("" for none kept), also
// those that are over or were made by a clock that ran ahead.
func (t *Tx) EndSignInsBut(practice, staff, keep care.ID) error {
	_, err := t.exec("DELETE FROM sign_in WHERE practice_id = $1 AND staff_id = $2 AND sign_in_id <> $3", practice, staff, keep)
	return err
}

// PutJoin stores a colleague's way in, in place of an earlier one.
func (t *Tx) PutJoin(j care.Join) error {
	_, err := t.exec(`INSERT INTO staff_join (practice_id, staff_id, token_hash, expires_millis) VALUES ($1, $2, $3, $4)
		ON CONFLICT (practice_id, staff_id) DO UPDATE SET token_hash = excluded.token_hash, expires_millis = excluded.expires_millis`,
		j.Practice, j.Staff, j.TokenHash, j.ExpiresMillis)
	return err
}

// JoinByToken finds a way in that is still open.
func (t *Tx) JoinByToken(hash []byte, nowMillis int64) (care.Join, error) {
	return one(t, func(r scanner) (j care.Join, err error) {
		return j, r.Scan(&j.Practice, &j.Staff, &j.ExpiresMillis)
	}, "SELECT practice_id, staff_id, expires_millis FROM staff_join WHERE token_hash = $1 AND expires_millis > $2", hash, nowMillis)
}

// EndJoin deletes a way in once it was used.
func (t *Tx) EndJoin(practice, staff care.ID) error {
	return t.changed("DELETE FROM staff_join WHERE practice_id = $1 AND staff_id = $2", practice, staff)
}

// Hits is how many attempts a bucket's window holds.
func (t *Tx) Hits(bucket string, windowMillis int64) (int64, error) {
	return one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) },
		"SELECT COALESCE(SUM(hits), 0) FROM throttle WHERE bucket = $1 AND window_millis = $2", bucket, windowMillis)
}

// Hit counts one attempt in a bucket's window and returns how many there are;
// it sweeps the windows that are over.
func (t *Tx) Hit(bucket string, windowMillis, sweepBefore int64) (int64, error) {
	if _, err := t.exec("DELETE FROM throttle WHERE window_millis < $1 AND bucket <> 'health'", sweepBefore); err != nil {
		return 0, err
	}
	return one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) },
		`INSERT INTO throttle (bucket, window_millis, hits) VALUES ($1, $2, 1)
		ON CONFLICT (bucket, window_millis) DO UPDATE SET hits = throttle.hits + 1 RETURNING hits`, bucket, windowMillis)
}
