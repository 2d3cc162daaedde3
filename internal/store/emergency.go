// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"strings"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// ClientsNamed lists the clients of a practice whose label or reference is name,
// ignoring case and repeated spaces. Labels are sealed, so each is opened: it is
// meant for a rare question.
func (t *Tx) ClientsNamed(practice care.ID, name string) (out []care.ID, err error) {
	rows, err := list(t, func(r scanner) (x clientRow, err error) { return x, r.Scan(x.targets()...) },
		"SELECT "+clientColumns+` FROM client c JOIN data_key k ON k.practice_id = c.practice_id AND k.key_id = 'client:' || c.client_id
		WHERE c.practice_id = $1 ORDER BY c.client_id`, practice)
	if err != nil {
		return nil, err
	}
	for _, x := range rows {
		c, err := t.openClient(x)
		if errors.Is(err, vault.ErrErased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if want := plainName(name); plainName(c.Label) == want || c.Reference != "" && plainName(c.Reference) == want {
			out = append(out, c.ID)
		}
	}
	return out, nil
}

func plainName(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

const emergencyTable = "emergency"

// AddEmergency stores an emergency access and whom it is told.
func (t *Tx) AddEmergency(e care.Emergency, tell []care.ID) error {
	c, err := t.cell(e.Practice, clientKey(e.Client), emergencyTable, e.ID, string(e.Staff))
	if err != nil {
		return err
	}
	reason := c.seal("reason", []byte(e.Reason))
	if err := c.err(); err != nil {
		return err
	}
	if _, err := t.exec("INSERT INTO emergency (practice_id, emergency_id, client_id, staff_id, reason, at_millis, until_millis, ended_millis) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		e.Practice, e.ID, e.Client, e.Staff, reason, e.AtMillis, e.UntilMillis, e.EndedMillis); err != nil {
		return err
	}
	for _, s := range tell {
		if _, err := t.exec("INSERT INTO emergency_notice (practice_id, emergency_id, staff_id, seen_millis) VALUES ($1, $2, $3, 0)", e.Practice, e.ID, s); err != nil {
			return err
		}
	}
	return nil
}

const emergencyColumns = "g.practice_id, g.emergency_id, g.client_id, g.staff_id, g.reason, g.at_millis, g.until_millis, g.ended_millis"

type emergencyRow struct {
	e      care.Emergency
	reason []byte
}

func scanEmergency(r scanner) (x emergencyRow, err error) {
	return x, r.Scan(&x.e.Practice, &x.e.ID, &x.e.Client, &x.e.Staff, &x.reason, &x.e.AtMillis, &x.e.UntilMillis, &x.e.EndedMillis)
}

func (t *Tx) emergencies(query string, args ...any) ([]care.Emergency, error) {
	rows, err := list(t, scanEmergency, "SELECT "+emergencyColumns+" FROM emergency g "+query+" ORDER BY g.at_millis DESC, g.emergency_id DESC", args...)
	if err != nil {
		return nil, err
	}
	out := make([]care.Emergency, 0, len(rows))
	for _, x := range rows {
		c, err := t.cell(x.e.Practice, clientKey(x.e.Client), emergencyTable, x.e.ID, string(x.e.Staff))
		if err == nil {
			x.e.Reason = string(c.open("reason", x.reason))
			err = c.err()
		}
		// That somebody looked must stay known without the reason.
		if err := t.setAside(err, care.Damaged{Practice: x.e.Practice, Client: x.e.Client}); err != nil {
			return nil, t.s.fault("open", err)
		}
		out = append(out, x.e)
	}
	return out, nil
}

// EmergenciesOf lists the accesses to a client, newest first.
func (t *Tx) EmergenciesOf(practice, client care.ID) ([]care.Emergency, error) {
	return t.emergencies("WHERE g.practice_id = $1 AND g.client_id = $2", practice, client)
}

// EmergenciesBy lists what a member of staff holds at an instant, newest first.
func (t *Tx) EmergenciesBy(practice, staff care.ID, nowMillis int64) ([]care.Emergency, error) {
	return t.emergencies("WHERE g.practice_id = $1 AND g.staff_id = $2 AND g.until_millis > $3 AND g.ended_millis = 0"+notAhead("g.at_millis", "$3"), practice, staff, nowMillis)
}

// EmergenciesUnseen lists what a member of staff was told and has not said to
// have seen, newest first.
func (t *Tx) EmergenciesUnseen(practice, staff care.ID) ([]care.Emergency, error) {
	return t.emergencies("JOIN emergency_notice n ON n.practice_id = g.practice_id AND n.emergency_id = g.emergency_id WHERE g.practice_id = $1 AND n.staff_id = $2 AND n.seen_millis = 0", practice, staff)
}

// InEmergency reports whether a member of staff holds emergency access to every
// client of an episode.
func (t *Tx) InEmergency(practice, episode, staff care.ID, nowMillis int64) (bool, error) {
	type counts struct{ all, open int64 }
	n, err := one(t, func(r scanner) (n counts, err error) { return n, r.Scan(&n.all, &n.open) },
		`SELECT COUNT(*), COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM emergency g WHERE g.practice_id = ec.practice_id AND g.client_id = ec.client_id
			AND g.staff_id = $3 AND g.until_millis > $4 AND g.ended_millis = 0`+notAhead("g.at_millis", "$4")+`) THEN 1 ELSE 0 END), 0)
		FROM episode_client ec WHERE ec.practice_id = $1 AND ec.episode_id = $2`, practice, episode, staff, nowMillis)
	return n.all > 0 && n.all == n.open, err
}

// EndEmergency ends an access before its time; it does nothing to one that is over.
func (t *Tx) EndEmergency(practice, id care.ID, atMillis int64) error {
	_, err := t.exec("UPDATE emergency SET ended_millis = $3 WHERE practice_id = $1 AND emergency_id = $2 AND ended_millis = 0 AND until_millis > $3", practice, id, atMillis)
	return err
}

// SeeEmergency notes that somebody who was told has seen it: not_found when they
// were not told, or have said so before.
func (t *Tx) SeeEmergency(practice, id, staff care.ID, atMillis int64) error {
	return t.changed("UPDATE emergency_notice SET seen_millis = $4 WHERE practice_id = $1 AND emergency_id = $2 AND staff_id = $3 AND seen_millis = 0", practice, id, staff, atMillis)
}
