// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"

	"github.com/entente-project/entente/internal/care"
)

func placeOfClosing(c care.Closing) string {
	return fmt.Sprintf("%s|%s|%s|%d", c.Episode, c.Client, c.Staff, c.AtMillis)
}

// CloseEpisode ends an episode on a calendar day; false if it has ended already.
func (t *Tx) CloseEpisode(x care.Closing, closedOn string) (bool, error) {
	done, err := t.added("UPDATE episode SET closed_on = $3 WHERE practice_id = $1 AND episode_id = $2 AND closed_on = ''", x.Practice, x.Episode, closedOn)
	if err != nil || !done {
		return false, err
	}
	text, err := json.Marshal(x.Content)
	if err != nil {
		return false, t.s.fault("closing", err)
	}
	c, err := t.cell(x.Practice, clientKey(x.Client), "closing", x.ID, placeOfClosing(x))
	if err != nil {
		return false, err
	}
	content := c.seal("content", text)
	if err := c.err(); err != nil {
		return false, err
	}
	_, err = t.exec("INSERT INTO closing (practice_id, closing_id, episode_id, client_id, staff_id, content, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		x.Practice, x.ID, x.Episode, x.Client, x.Staff, content, x.AtMillis)
	return true, err
}

// ReopenEpisode lets an ended episode go on; false if it had not ended.
func (t *Tx) ReopenEpisode(practice, episode care.ID) (bool, error) {
	return t.added("UPDATE episode SET closed_on = '' WHERE practice_id = $1 AND episode_id = $2 AND closed_on <> ''", practice, episode)
}

const closingColumns = "practice_id, closing_id, episode_id, client_id, staff_id, at_millis"

func closingTargets(x *care.Closing) []any {
	return []any{&x.Practice, &x.ID, &x.Episode, &x.Client, &x.Staff, &x.AtMillis}
}

// Closings lists the ends of an episode, newest first; one that does not open is set
// aside.
func (t *Tx) Closings(practice, episode care.ID) ([]care.Closing, error) {
	type row struct {
		x       care.Closing
		content []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		return x, r.Scan(append(closingTargets(&x.x), &x.content)...)
	}, "SELECT "+closingColumns+", content FROM closing WHERE practice_id = $1 AND episode_id = $2 ORDER BY at_millis DESC, closing_id DESC", practice, episode)
	var out []care.Closing
	for _, r := range rows {
		c, err := t.cell(practice, clientKey(r.x.Client), "closing", r.x.ID, placeOfClosing(r.x))
		if err != nil {
			return nil, err
		}
		text := c.open("content", r.content)
		if err = c.err(); err == nil {
			err = json.Unmarshal(text, &r.x.Content)
		}
		if err != nil {
			if err := t.setAside(err, care.Damaged{Practice: practice, Client: r.x.Client}); err != nil {
				return nil, t.s.fault("open", err)
			}
			continue
		}
		out = append(out, r.x)
	}
	return out, err
}

// EndedOf lists the ended episodes that a member of staff stands in, the
// newest end first.
func (t *Tx) EndedOf(practice, staff care.ID) ([]care.ID, error) {
	return list(t, func(r scanner) (id care.ID, err error) {
		var on string
		return id, r.Scan(&id, &on)
	}, `SELECT DISTINCT e.episode_id, e.closed_on FROM episode_staff es JOIN episode e ON e.practice_id = es.practice_id AND e.episode_id = es.episode_id AND e.closed_on <> ''
		WHERE es.practice_id = $1 AND es.staff_id = $2 ORDER BY e.closed_on DESC, e.episode_id`, practice, staff)
}
