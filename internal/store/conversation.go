// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"

	"github.com/entente-project/entente/internal/care"
)

// placeOfConversation binds it to everything that gives it meaning.
func placeOfConversation(episode care.ID, v care.Conversation) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d", episode, v.Session, v.Client, v.Staff, v.AtMillis)
}

// AddConversation stores what came of a signal.
func (t *Tx) AddConversation(episode care.ID, v care.Conversation) error {
	text, err := json.Marshal(v.Content)
	if err != nil {
		return t.s.fault("conversation", err)
	}
	c, err := t.cell(v.Practice, clientKey(v.Client), "conversation", v.ID, placeOfConversation(episode, v))
	if err != nil {
		return err
	}
	content := c.seal("content", text)
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO conversation (practice_id, conversation_id, episode_id, session_id, client_id, staff_id, content, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		v.Practice, v.ID, episode, v.Session, v.Client, v.Staff, content, v.AtMillis)
	return err
}

// Answered lists the sessions of a member of staff's episodes about whose signal
// somebody has noted what came of it.
func (t *Tx) Answered(practice, staff care.ID) ([]care.ID, error) {
	return list(t, func(r scanner) (id care.ID, err error) { return id, r.Scan(&id) },
		`SELECT DISTINCT v.session_id FROM episode_staff es JOIN conversation v ON v.practice_id = es.practice_id AND v.episode_id = es.episode_id
		WHERE es.practice_id = $1 AND es.staff_id = $2 ORDER BY v.session_id`, practice, staff)
}

// Discussed lists a member of staff's episodes in which something came of a signal.
func (t *Tx) Discussed(practice, staff care.ID) ([]care.ID, error) {
	return list(t, func(r scanner) (id care.ID, err error) { return id, r.Scan(&id) },
		`SELECT DISTINCT v.episode_id FROM episode_staff es JOIN conversation v ON v.practice_id = es.practice_id AND v.episode_id = es.episode_id
		WHERE es.practice_id = $1 AND es.staff_id = $2 ORDER BY v.episode_id`, practice, staff)
}

// Conversations lists those of an episode about one client, oldest first; one that
// does not open is set aside.
func (t *Tx) Conversations(practice, episode, client care.ID) ([]care.Conversation, error) {
	type row struct {
		v       care.Conversation
		content []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		return x, r.Scan(&x.v.Practice, &x.v.ID, &x.v.Session, &x.v.Client, &x.v.Staff, &x.content, &x.v.AtMillis)
	}, `SELECT practice_id, conversation_id, session_id, client_id, staff_id, content, at_millis FROM conversation
		WHERE practice_id = $1 AND episode_id = $2 AND client_id = $3 ORDER BY at_millis, conversation_id`, practice, episode, client)
	var out []care.Conversation
	for _, x := range rows {
		c, err := t.cell(practice, clientKey(client), "conversation", x.v.ID, placeOfConversation(episode, x.v))
		if err != nil {
			return nil, err
		}
		text := c.open("content", x.content)
		err = c.err()
		if err == nil {
			err = json.Unmarshal(text, &x.v.Content)
		}
		if err != nil {
			if err := t.setAside(err, care.Damaged{Practice: practice, Client: client, Session: x.v.Session}); err != nil {
				return nil, t.s.fault("open", err)
			}
			continue
		}
		out = append(out, x.v)
	}
	return out, err
}
