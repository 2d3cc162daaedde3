// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "github.com/entente-project/entente/internal/care"

// Treated lists the episodes in which somebody is therapist, of one client or
// of all with "".
func (t *Tx) Treated(practice, staff, client care.ID) ([]care.Treats, error) {
	return list(t, func(r scanner) (x care.Treats, err error) { return x, r.Scan(&x.Episode, &x.Client) },
		`SELECT es.episode_id, ec.client_id FROM episode_staff es JOIN episode_client ec ON ec.practice_id = es.practice_id AND ec.episode_id = es.episode_id
		WHERE es.practice_id = $1 AND es.staff_id = $2 AND es.relation = $3 AND ($4 = '' OR ec.client_id = $4) ORDER BY ec.client_id, es.episode_id`,
		practice, staff, care.TreatsIn, client)
}

// HandOver makes one therapist stand where another stood, in the episodes of one
// client or in all with "". Whoever stands there already stays.
func (t *Tx) HandOver(practice, from, to, client care.ID) error {
	const whose = ` WHERE practice_id = $1 AND staff_id = $2 AND relation = $3
		AND ($4 = '' OR episode_id IN (SELECT episode_id FROM episode_client WHERE practice_id = $1 AND client_id = $4))`
	if _, err := t.exec("INSERT INTO episode_staff (practice_id, episode_id, staff_id, relation) SELECT practice_id, episode_id, $5, relation FROM episode_staff"+whose+
		" ON CONFLICT DO NOTHING", practice, from, care.TreatsIn, client, to); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM episode_staff"+whose, practice, from, care.TreatsIn, client)
	return err
}

// EndStaff ends an account with every way in that it has, what it supervises and
// its accesses in an emergency: not_found for one that has ended.
func (t *Tx) EndStaff(practice, staff care.ID, atMillis int64) error {
	if err := t.changed("UPDATE staff SET ended_millis = $3, password_hash = '', second = NULL WHERE practice_id = $1 AND staff_id = $2 AND ended_millis = 0", practice, staff, atMillis); err != nil {
		return err
	}
	for _, table := range []string{"sign_in", "staff_join", "staff_identity", "staff_passkey", "episode_staff"} {
		if _, err := t.exec("DELETE FROM "+table+" WHERE practice_id = $1 AND staff_id = $2", practice, staff); err != nil {
			return err
		}
	}
	if _, err := t.exec("DELETE FROM provider_flow WHERE for_practice = $1 AND for_staff = $2", practice, staff); err != nil {
		return err
	}
	_, err := t.exec("UPDATE emergency SET ended_millis = $3 WHERE practice_id = $1 AND staff_id = $2 AND ended_millis = 0 AND until_millis > $3", practice, staff, atMillis)
	return err
}
