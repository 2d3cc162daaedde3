// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "github.com/entente-project/entente/internal/care"

// SetSignInRules changes what a practice asks of its sign-ins. Those that are
// there already end no later than the new rules say.
func (t *Tx) SetSignInRules(practice care.ID, r care.SignInRules, nowMillis int64) error {
	if err := t.changed("UPDATE practice SET idle_minutes = $2, longest_hours = $3, second_from_millis = $4 WHERE practice_id = $1",
		practice, r.IdleMinutes, r.LongestHours, r.SecondFromMillis); err != nil {
		return err
	}
	longest := r.Longest().Milliseconds()
	if _, err := t.exec("UPDATE sign_in SET expires_millis = created_millis + $2 WHERE practice_id = $1 AND expires_millis > created_millis + $2", practice, longest); err != nil {
		return err
	}
	_, err := t.exec("UPDATE sign_in SET idle_millis = $2 WHERE practice_id = $1 AND idle_millis > $2", practice, nowMillis+r.Idle().Milliseconds())
	return err
}

// UseSignIn says until when a sign-in lasts if it is not used again.
func (t *Tx) UseSignIn(practice, signIn care.ID, idleMillis int64) error {
	return t.changed("UPDATE sign_in SET idle_millis = $3 WHERE practice_id = $1 AND sign_in_id = $2", practice, signIn, idleMillis)
}

// SignalRule is the rule by which a practice's courses are judged, "" for the
// program's own.
func (t *Tx) SignalRule(practice care.ID) (string, error) {
	return one(t, func(r scanner) (id string, err error) { return id, r.Scan(&id) }, "SELECT signal_rule FROM practice WHERE practice_id = $1", practice)
}

// SetSignalRule chooses it.
func (t *Tx) SetSignalRule(practice care.ID, rule string) error {
	return t.changed("UPDATE practice SET signal_rule = $2 WHERE practice_id = $1", practice, rule)
}
