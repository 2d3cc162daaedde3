// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"fmt"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

// AddEpisode stores an episode with its clients and staff.
func (t *Tx) AddEpisode(e care.Episode) error {
	if _, err := t.exec(`INSERT INTO episode (practice_id, episode_id, orientation, setting, forms, rhythms, opened_on, closed_on, created_millis)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, e.Practice, e.ID, e.Orientation, e.Setting, strings.Join(e.Forms, " "), writeRhythms(e.Rhythms), e.OpenedOn, e.ClosedOn, e.CreatedMillis); err != nil {
		return err
	}
	for _, c := range e.Clients {
		if _, err := t.exec("INSERT INTO episode_client (practice_id, episode_id, client_id) VALUES ($1, $2, $3)", e.Practice, e.ID, c); err != nil {
			return err
		}
	}
	for _, s := range e.Therapists {
		if err := t.Relate(e.Practice, e.ID, s, care.TreatsIn); err != nil {
			return err
		}
	}
	for _, s := range e.Supervisors {
		if err := t.Relate(e.Practice, e.ID, s, care.SupervisesIn); err != nil {
			return err
		}
	}
	return nil
}

// Relate lets a member of staff stand in an episode; it does nothing if they do already.
func (t *Tx) Relate(practice, episode, staff care.ID, as care.Relation) error {
	_, err := t.exec("INSERT INTO episode_staff (practice_id, episode_id, staff_id, relation) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", practice, episode, staff, as)
	return err
}

// Relation says how a member of staff stands to an episode; therapist wins.
func (t *Tx) Relation(practice, episode, staff care.ID) (care.Relation, error) {
	rs, err := list(t, func(r scanner) (x care.Relation, err error) { return x, r.Scan(&x) },
		"SELECT relation FROM episode_staff WHERE practice_id = $1 AND episode_id = $2 AND staff_id = $3 ORDER BY relation DESC", practice, episode, staff)
	if err != nil || len(rs) == 0 {
		return care.NoRelation, err
	}
	return rs[0], nil
}

// episodeWithPeople reads who is in an episode along with it: ids have no spaces.
const episodeWithPeople = `SELECT practice_id, episode_id, orientation, setting, forms, rhythms, opened_on, closed_on, created_millis,
	(SELECT COALESCE(string_agg(client_id, ' ' ORDER BY client_id), '') FROM episode_client WHERE practice_id = $1 AND episode_id = $2),
	(SELECT COALESCE(string_agg(staff_id, ' ' ORDER BY staff_id), '') FROM episode_staff WHERE practice_id = $1 AND episode_id = $2 AND relation = $3),
	(SELECT COALESCE(string_agg(staff_id, ' ' ORDER BY staff_id), '') FROM episode_staff WHERE practice_id = $1 AND episode_id = $2 AND relation = $4)
	FROM episode WHERE practice_id = $1 AND episode_id = $2`

// Episode returns one episode with its people.
func (t *Tx) Episode(practice, id care.ID) (care.Episode, error) {
	return one(t, func(r scanner) (e care.Episode, err error) {
		var forms, rhythms, clients, therapists, supervisors string
		err = r.Scan(&e.Practice, &e.ID, &e.Orientation, &e.Setting, &forms, &rhythms, &e.OpenedOn, &e.ClosedOn, &e.CreatedMillis, &clients, &therapists, &supervisors)
		e.Forms, e.Clients, e.Therapists, e.Supervisors = strings.Fields(forms), ids(clients), ids(therapists), ids(supervisors)
		e.Rhythms = readRhythms(rhythms)
		return e, err
	}, episodeWithPeople, practice, id, care.TreatsIn, care.SupervisesIn)
}

func ids(text string) (out []care.ID) {
	for id := range strings.FieldsSeq(text) {
		out = append(out, care.ID(id))
	}
	return out
}

func scanID(r scanner) (id care.ID, err error) { return id, r.Scan(&id) }

// EpisodesOf lists the episodes of a client, newest first.
func (t *Tx) EpisodesOf(practice, client care.ID) ([]care.ID, error) {
	return list(t, scanID, `SELECT e.episode_id FROM episode_client ec JOIN episode e ON e.practice_id = ec.practice_id AND e.episode_id = ec.episode_id
		WHERE ec.practice_id = $1 AND ec.client_id = $2 ORDER BY e.opened_on DESC, e.created_millis DESC, e.episode_id DESC`, practice, client)
}

// AddSession stores a session.
func (t *Tx) AddSession(s care.Session) error {
	_, err := t.exec("INSERT INTO session (practice_id, session_id, episode_id, at_millis, status, review) VALUES ($1, $2, $3, $4, $5, $6)", s.Practice, s.ID, s.Episode, s.AtMillis, s.Status, s.Review)
	return err
}

const sessionColumns = "practice_id, session_id, episode_id, at_millis, status, review"

func scanSession(r scanner) (s care.Session, err error) {
	return s, r.Scan(&s.Practice, &s.ID, &s.Episode, &s.AtMillis, &s.Status, &s.Review)
}

// Session returns one session, without its number.
func (t *Tx) Session(practice, id care.ID) (care.Session, error) {
	return one(t, scanSession, "SELECT "+sessionColumns+" FROM session WHERE practice_id = $1 AND session_id = $2", practice, id)
}

// Sessions lists an episode's sessions by time; held ones are numbered from 1.
func (t *Tx) Sessions(practice, episode care.ID) ([]care.Session, error) {
	out, err := list(t, scanSession, "SELECT "+sessionColumns+" FROM session WHERE practice_id = $1 AND episode_id = $2 ORDER BY at_millis, session_id", practice, episode)
	n := 0
	for i := range out {
		if out[i].Status == care.Held {
			n++
			out[i].Number = n
		}
	}
	return out, err
}

// SessionsBetween lists the sessions of the episodes a member of staff stands in, from <= at < to.
func (t *Tx) SessionsBetween(practice, staff care.ID, from, to int64) ([]care.Session, error) {
	return list(t, scanSession, "SELECT DISTINCT s.practice_id, s.session_id, s.episode_id, s.at_millis, s.status, s.review"+`
		FROM session s JOIN episode_staff es ON es.practice_id = s.practice_id AND es.episode_id = s.episode_id
		WHERE s.practice_id = $1 AND es.staff_id = $2 AND s.at_millis >= $3 AND s.at_millis < $4 ORDER BY s.at_millis, s.session_id`, practice, staff, from, to)
}

// SetSession changes a session's status and time.
func (t *Tx) SetSession(s care.Session) error {
	return t.changed("UPDATE session SET status = $3, at_millis = $4 WHERE practice_id = $1 AND session_id = $2", s.Practice, s.ID, s.Status, s.AtMillis)
}

// placeOfNote binds a remark to everything that gives it meaning.
func placeOfNote(episode care.ID, n care.Note) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d", episode, n.Session, n.Client, n.Staff, n.AtMillis)
}

// AddNote stores a remark on a session.
func (t *Tx) AddNote(episode care.ID, n care.Note) error {
	c, err := t.cell(n.Practice, clientKey(n.Client), "session_note", n.ID, placeOfNote(episode, n))
	if err != nil {
		return err
	}
	note := c.seal("note", []byte(n.Text))
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO session_note (practice_id, note_id, episode_id, session_id, client_id, staff_id, note, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		n.Practice, n.ID, episode, n.Session, n.Client, n.Staff, note, n.AtMillis)
	return err
}

// Notes lists the remarks on an episode's sessions about one client, oldest first.
func (t *Tx) Notes(practice, episode, client care.ID) ([]care.Note, error) {
	type row struct {
		n    care.Note
		note []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		return x, r.Scan(&x.n.Practice, &x.n.ID, &x.n.Session, &x.n.Client, &x.n.Staff, &x.note, &x.n.AtMillis)
	}, `SELECT practice_id, note_id, session_id, client_id, staff_id, note, at_millis FROM session_note
		WHERE practice_id = $1 AND episode_id = $2 AND client_id = $3 ORDER BY at_millis, note_id`, practice, episode, client)
	var out []care.Note
	for _, x := range rows {
		c, err := t.cell(practice, clientKey(client), "session_note", x.n.ID, placeOfNote(episode, x.n))
		if err != nil {
			return nil, err
		}
		x.n.Text = string(c.open("note", x.note))
		if err := c.err(); err != nil {
			if err := t.setAside(err, care.Damaged{Practice: practice, Client: client, Session: x.n.Session}); err != nil {
				return nil, t.s.fault("open", err)
			}
			continue
		}
		out = append(out, x.n)
	}
	return out, err
}

// MarkRead notes when a member of staff read a course.
func (t *Tx) MarkRead(practice, staff, episode, client care.ID, atMillis int64) error {
	_, err := t.exec(`INSERT INTO page_read (practice_id, staff_id, episode_id, client_id, at_millis) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (practice_id, staff_id, episode_id, client_id) DO UPDATE SET at_millis = excluded.at_millis`, practice, staff, episode, client, atMillis)
	return err
}

// Reveal notes that a member of staff chose to see a session's answers without predicting.
func (t *Tx) Reveal(practice, staff, session care.ID, atMillis int64) error {
	_, err := t.exec("INSERT INTO reveal (practice_id, staff_id, session_id, at_millis) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", practice, staff, session, atMillis)
	return err
}

// Revealed lists the sessions a member of staff chose to see.
func (t *Tx) Revealed(practice, staff care.ID) ([]care.ID, error) {
	return list(t, scanID, "SELECT session_id FROM reveal WHERE practice_id = $1 AND staff_id = $2 ORDER BY session_id", practice, staff)
}

// CoursesSince lists the courses in which a session took place since an instant.
func (t *Tx) CoursesSince(practice care.ID, sinceMillis int64) ([]care.EpisodeClient, error) {
	return list(t, func(r scanner) (x care.EpisodeClient, err error) { return x, r.Scan(&x.Episode, &x.Client) },
		"SELECT episode_id, client_id FROM episode_client WHERE practice_id = $1 AND last_millis >= $2 ORDER BY episode_id, client_id", practice, sinceMillis)
}
