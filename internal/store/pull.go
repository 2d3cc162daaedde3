// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "github.com/entente-project/entente/internal/care"

// Opened notes that a member of staff opened what is about a client, or about an
// episode and so about its clients, and returns how many different clients that
// makes since sinceMillis. Older notes are swept. Servers that note for the same
// person wait for each other, so that none counts past another.
func (t *Tx) Opened(practice, staff, about care.ID, atMillis, sinceMillis int64) (int64, error) {
	const put = "ON CONFLICT (practice_id, staff_id, client_id) DO UPDATE SET at_millis = excluded.at_millis"
	if _, err := t.exec("INSERT INTO opened (practice_id, staff_id, client_id, at_millis) VALUES ($1, $2, '', $3) "+put, practice, staff, atMillis); err != nil {
		return 0, err
	}
	// What lies ahead was noted before the clock was put back.
	if _, err := t.exec("DELETE FROM opened WHERE practice_id = $1 AND staff_id = $2 AND client_id <> '' AND (at_millis <= $3 OR at_millis > $4)",
		practice, staff, sinceMillis, atMillis+care.PullWindowMillis); err != nil {
		return 0, err
	}
	if _, err := t.exec(`INSERT INTO opened (practice_id, staff_id, client_id, at_millis)
		SELECT c.practice_id, $2, c.client_id, $4 FROM client c WHERE c.practice_id = $1 AND (c.client_id = $3
			OR c.client_id IN (SELECT ec.client_id FROM episode_client ec WHERE ec.practice_id = $1 AND ec.episode_id = $3)) `+put, practice, staff, about, atMillis); err != nil {
		return 0, err
	}
	return one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) },
		"SELECT COUNT(*) FROM opened WHERE practice_id = $1 AND staff_id = $2 AND client_id <> ''", practice, staff)
}

// AddPull stores that somebody opened unusually many clients, and whom it is told.
func (t *Tx) AddPull(p care.Pull, tell []care.ID) error {
	if _, err := t.exec("INSERT INTO pull (practice_id, pull_id, staff_id, at_millis, clients) VALUES ($1, $2, $3, $4, $5)", p.Practice, p.ID, p.Staff, p.AtMillis, p.Clients); err != nil {
		return err
	}
	for _, s := range tell {
		if _, err := t.exec("INSERT INTO pull_notice (practice_id, pull_id, staff_id, seen_millis) VALUES ($1, $2, $3, 0)", p.Practice, p.ID, s); err != nil {
			return err
		}
	}
	return nil
}

const pullColumns = "p.practice_id, p.pull_id, p.staff_id, p.at_millis, p.clients"

func scanPull(r scanner) (p care.Pull, err error) {
	return p, r.Scan(&p.Practice, &p.ID, &p.Staff, &p.AtMillis, &p.Clients)
}

// PullsOf counts what was noticed of a member of staff between two instants,
// neither included.
func (t *Tx) PullsOf(practice, staff care.ID, afterMillis, beforeMillis int64) (int64, error) {
	return one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) },
		"SELECT COUNT(*) FROM pull WHERE practice_id = $1 AND staff_id = $2 AND at_millis > $3 AND at_millis < $4", practice, staff, afterMillis, beforeMillis)
}

// PullsUnseen lists what somebody was told and has not said to have seen, newest
// first, at most limit.
func (t *Tx) PullsUnseen(practice, staff care.ID, limit int) ([]care.Pull, error) {
	return list(t, scanPull, "SELECT "+pullColumns+` FROM pull p JOIN pull_notice n ON n.practice_id = p.practice_id AND n.pull_id = p.pull_id
		WHERE p.practice_id = $1 AND n.staff_id = $2 AND n.seen_millis = 0 ORDER BY p.at_millis DESC, p.pull_id DESC LIMIT $3`, practice, staff, limit)
}

// SeePull notes that somebody who was told has seen it: not_found when they were
// not told, or have said so before.
func (t *Tx) SeePull(practice, id, staff care.ID, atMillis int64) error {
	return t.changed("UPDATE pull_notice SET seen_millis = $4 WHERE practice_id = $1 AND pull_id = $2 AND staff_id = $3 AND seen_millis = 0", practice, id, staff, atMillis)
}
