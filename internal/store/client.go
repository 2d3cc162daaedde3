// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

const clientTable = "client"

// bandOf binds what says who somebody is to the columns beside it that are not sealed.
func bandOf(c care.Client) string { return string(c.AgeBand) + "|" + c.Language }

func (t *Tx) sealClient(c care.Client) (label, email, reference, index []byte, err error) {
	k, err := t.cell(c.Practice, clientKey(c.ID), clientTable, c.ID, bandOf(c))
	if err != nil {
		return nil, nil, nil, nil, err
	}
	own := newCell(k.key, c.Practice, clientTable, c.ID, "") // outlives a change of band or language
	if c.Reference != "" {
		pk, err := t.key(c.Practice, practiceKey)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		index = pk.Index("client.reference", c.Reference)
	}
	return k.seal("label", []byte(c.Label)), k.seal("email", []byte(c.Email)), own.seal("reference", []byte(c.Reference)), index, errors.Join(k.err(), own.err())
}

// AddClient stores a client and the data key that seals everything about them.
func (t *Tx) AddClient(c care.Client) error {
	if err := t.makeKey(c.Practice, clientKey(c.ID), c.CreatedMillis); err != nil {
		return err
	}
	label, email, reference, index, err := t.sealClient(c)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO client (practice_id, client_id, label, email, reference, reference_index, age_band, language, created_millis)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, c.Practice, c.ID, label, email, reference, index, c.AgeBand, c.Language, c.CreatedMillis)
	return err
}

// ChangeClient rewrites a client's label, address, age band and language.
func (t *Tx) ChangeClient(c care.Client) error {
	label, email, _, _, err := t.sealClient(c)
	if err != nil {
		return err
	}
	return t.changed("UPDATE client SET label = $3, email = $4, age_band = $5, language = $6 WHERE practice_id = $1 AND client_id = $2",
		c.Practice, c.ID, label, email, c.AgeBand, c.Language)
}

const clientColumns = "c.practice_id, c.client_id, c.label, c.email, c.reference, c.age_band, c.language, c.created_millis, k.wrapped"

const clientFrom = " FROM client c JOIN data_key k ON k.practice_id = c.practice_id AND k.key_id = 'client:' || c.client_id "

type clientRow struct {
	c                                care.Client
	label, email, reference, wrapped []byte
}

func (x *clientRow) targets() []any {
	return []any{&x.c.Practice, &x.c.ID, &x.label, &x.email, &x.reference, &x.c.AgeBand, &x.c.Language, &x.c.CreatedMillis, &x.wrapped}
}

func (t *Tx) openClient(x clientRow) (care.Client, error) {
	k, err := t.unwrap(x.c.Practice, clientKey(x.c.ID), x.wrapped)
	if err != nil {
		return care.Client{}, err
	}
	c, own := newCell(k, x.c.Practice, clientTable, x.c.ID, bandOf(x.c)), newCell(k, x.c.Practice, clientTable, x.c.ID, "")
	x.c.Label, x.c.Email, x.c.Reference = string(c.open("label", x.label)), string(c.open("email", x.email)), string(own.open("reference", x.reference))
	return x.c, t.s.fault("open", errors.Join(c.err(), own.err()))
}

// Client returns one client.
func (t *Tx) Client(practice, id care.ID) (care.Client, error) {
	x, err := one(t, func(r scanner) (x clientRow, err error) { return x, r.Scan(x.targets()...) },
		"SELECT "+clientColumns+clientFrom+"WHERE c.practice_id = $1 AND c.client_id = $2", practice, id)
	if err != nil {
		return care.Client{}, err
	}
	return t.openClient(x)
}

// NamedClient is Client for a page that goes on without a name: one whose name
// does not open has none, and is set aside.
func (t *Tx) NamedClient(practice, id care.ID) (care.Client, error) {
	c, err := t.Client(practice, id)
	if err != nil {
		c = care.Client{ID: id, Practice: practice}
	}
	return c, t.setAside(err, care.Damaged{Practice: practice, Client: id})
}

// ClientLanguage returns the language a client is addressed in; nothing sealed is
// opened for it.
func (t *Tx) ClientLanguage(practice, id care.ID) (string, error) {
	return one(t, func(r scanner) (s string, err error) { return s, r.Scan(&s) }, "SELECT language FROM client WHERE practice_id = $1 AND client_id = $2", practice, id)
}

// Caseload lists the clients of the open episodes a member of staff stands in,
// each with the episode of the newest session; a therapist's own wins.
func (t *Tx) Caseload(practice, staff care.ID) ([]care.CaseloadEntry, error) {
	type row struct {
		clientRow
		e    care.CaseloadEntry
		body []byte
		last int64
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		return x, r.Scan(append(x.targets(), &x.e.Episode, &x.e.Relation, &x.last, &x.body, &x.e.Changes, &x.e.Stale, &x.e.ReadAtMillis)...)
	}, "SELECT "+clientColumns+`, newest.episode_id, newest.relation, s.last_millis, s.standing, s.changes, s.changes <> s.standing_of, COALESCE(p.at_millis, 0)
		FROM (SELECT ec.client_id, ec.episode_id, es.relation, ROW_NUMBER() OVER (PARTITION BY ec.client_id
				ORDER BY ec.last_millis DESC, ec.episode_id DESC, es.relation DESC) AS place
			FROM episode_staff es
			JOIN episode e ON e.practice_id = es.practice_id AND e.episode_id = es.episode_id AND e.closed_on = ''
			JOIN episode_client ec ON ec.practice_id = es.practice_id AND ec.episode_id = es.episode_id
			WHERE es.practice_id = $1 AND es.staff_id = $2) newest
		JOIN client c ON c.practice_id = $1 AND c.client_id = newest.client_id
		JOIN data_key k ON k.practice_id = $1 AND k.key_id = 'client:' || c.client_id
		JOIN episode_client s ON s.practice_id = $1 AND s.episode_id = newest.episode_id AND s.client_id = newest.client_id
		LEFT JOIN page_read p ON p.practice_id = $1 AND p.staff_id = $2 AND p.episode_id = newest.episode_id AND p.client_id = newest.client_id
		WHERE newest.place = 1
		ORDER BY c.client_id`, practice, staff)
	if err != nil {
		return nil, err
	}
	out := make([]care.CaseloadEntry, 0, len(rows))
	for _, x := range rows {
		x.e.Client, err = t.openClient(x.clientRow)
		if errors.Is(err, vault.ErrErased) {
			continue
		}
		if err := t.setAside(err, care.Damaged{Practice: practice, Client: x.c.ID}); err != nil {
			return nil, err
		}
		if err != nil { // of whom not even the name opens
			x.e.Client, x.e.Damaged = care.Client{ID: x.c.ID, Practice: practice}, true
			out = append(out, x.e)
			continue
		}
		if x.body != nil || x.last != 0 { // never an emptied one for none
			k, err := t.key(practice, clientKey(x.c.ID))
			if err != nil {
				return nil, err
			}
			c := newCell(k, practice, "episode_client", x.e.Episode, string(x.c.ID))
			x.e.Standing = c.open("standing", x.body)
			if err := t.setAside(c.err(), care.Damaged{Practice: practice, Client: x.c.ID}); err != nil {
				return nil, t.s.fault("open", err)
			}
			if x.e.Standing == nil { // worked out anew, from what it was made of
				x.e.Stale = true
			}
		}
		out = append(out, x.e)
	}
	return out, nil
}

// Touch counts a change of a client's course, by which the standing that is kept
// becomes stale, and returns the count.
func (t *Tx) Touch(practice, episode, client care.ID) (changes int64, err error) {
	return one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) },
		"UPDATE episode_client SET changes = changes + 1 WHERE practice_id = $1 AND episode_id = $2 AND client_id = $3 RETURNING changes", practice, episode, client)
}

// PutStanding keeps a client's standing ready, in place of the former one. It does
// nothing if the course has changed since.
func (t *Tx) PutStanding(s care.Standing) error {
	c, err := t.cell(s.Practice, clientKey(s.Client), "episode_client", s.Episode, string(s.Client))
	if err != nil {
		return err
	}
	body := c.seal("standing", s.Body)
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec("UPDATE episode_client SET last_millis = $1, standing = $2, standing_of = $3 WHERE practice_id = $4 AND episode_id = $5 AND client_id = $6 AND changes = $3",
		s.LastMillis, body, s.Changes, s.Practice, s.Episode, s.Client)
	return err
}

// NameID makes the id that stands for something another system calls by these
// names: always the same in this practice, and telling a stranger nothing.
func (t *Tx) NameID(practice care.ID, parts ...string) (care.ID, error) {
	k, err := t.key(practice, practiceKey)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%d:%s", len(p), p)
	}
	sum := k.Index("name_id", b.String())
	sum[6] = sum[6]&0x0f | 0x80 // version 8: made by a rule of ours
	sum[8] = sum[8]&0x3f | 0x80
	return care.ID(fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])), nil
}
