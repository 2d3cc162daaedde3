// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"

	"github.com/entente-project/entente/internal/care"
)

// placeOfAgreed binds a wording to everything that gives it meaning.
func placeOfAgreed(a care.Agreed) string {
	return fmt.Sprintf("%s|%s|%s|%s|%s|%d", a.Item, a.Kind, a.Episode, a.Client, a.Staff, a.AtMillis)
}

// placeOfReport does so for a report.
func placeOfReport(r care.WorkReport) string {
	return fmt.Sprintf("%s|%s|%s|%d", r.Episode, r.Session, r.Client, r.AtMillis)
}

// AddAgreed stores one wording of a goal or a task.
func (t *Tx) AddAgreed(a care.Agreed) error {
	text, err := json.Marshal(a.Content)
	if err != nil {
		return t.s.fault("what was agreed", err)
	}
	c, err := t.cell(a.Practice, clientKey(a.Client), "agreed", a.ID, placeOfAgreed(a))
	if err != nil {
		return err
	}
	content := c.seal("content", text)
	if err := c.err(); err != nil {
		return err
	}
	_, err = t.exec("INSERT INTO agreed (practice_id, agreed_id, item_id, kind, episode_id, client_id, staff_id, content, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		a.Practice, a.ID, a.Item, a.Kind, a.Episode, a.Client, a.Staff, content, a.AtMillis)
	return err
}

// Agreed lists every wording of an episode's goals and tasks, oldest first; one that
// does not open is set aside.
func (t *Tx) Agreed(practice, episode, client care.ID) ([]care.Agreed, error) {
	type row struct {
		a       care.Agreed
		content []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		return x, r.Scan(append(agreedTargets(&x.a), &x.content)...)
	}, "SELECT "+agreedColumns+", content FROM agreed WHERE practice_id = $1 AND episode_id = $2 AND client_id = $3 ORDER BY at_millis, agreed_id", practice, episode, client)
	var out []care.Agreed
	for _, x := range rows {
		c, err := t.cell(practice, clientKey(client), "agreed", x.a.ID, placeOfAgreed(x.a))
		if err != nil {
			return nil, err
		}
		text := c.open("content", x.content)
		if err = c.err(); err == nil {
			err = json.Unmarshal(text, &x.a.Content)
		}
		if err != nil {
			if err := t.setAside(err, care.Damaged{Practice: practice, Client: client}); err != nil {
				return nil, t.s.fault("open", err)
			}
			continue
		}
		out = append(out, x.a)
	}
	return out, err
}

const agreedColumns = "practice_id, agreed_id, item_id, kind, episode_id, client_id, staff_id, at_millis"

func agreedTargets(a *care.Agreed) []any {
	return []any{&a.Practice, &a.ID, &a.Item, &a.Kind, &a.Episode, &a.Client, &a.Staff, &a.AtMillis}
}

// AddWorkReport stores what a client said of goals and tasks after a session; false
// if they had said so of that session already.
func (t *Tx) AddWorkReport(r care.WorkReport) (bool, error) {
	text, err := json.Marshal(r.Items)
	if err != nil {
		return false, t.s.fault("report", err)
	}
	c, err := t.cell(r.Practice, clientKey(r.Client), "work_report", r.ID, placeOfReport(r))
	if err != nil {
		return false, err
	}
	content := c.seal("content", text)
	if err := c.err(); err != nil {
		return false, err
	}
	return t.added("INSERT INTO work_report (practice_id, report_id, episode_id, session_id, client_id, content, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (practice_id, session_id, client_id) DO NOTHING",
		r.Practice, r.ID, r.Episode, r.Session, r.Client, content, r.AtMillis)
}

const reportColumns = "practice_id, report_id, episode_id, session_id, client_id, at_millis"

func reportTargets(r *care.WorkReport) []any {
	return []any{&r.Practice, &r.ID, &r.Episode, &r.Session, &r.Client, &r.AtMillis}
}

// WorkReports lists what a client said of goals and tasks in an episode, oldest
// first; one that does not open is set aside.
func (t *Tx) WorkReports(practice, episode, client care.ID) ([]care.WorkReport, error) {
	type row struct {
		r       care.WorkReport
		content []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		return x, r.Scan(append(reportTargets(&x.r), &x.content)...)
	}, "SELECT "+reportColumns+", content FROM work_report WHERE practice_id = $1 AND episode_id = $2 AND client_id = $3 ORDER BY at_millis, report_id", practice, episode, client)
	var out []care.WorkReport
	for _, x := range rows {
		c, err := t.cell(practice, clientKey(client), "work_report", x.r.ID, placeOfReport(x.r))
		if err != nil {
			return nil, err
		}
		text := c.open("content", x.content)
		if err = c.err(); err == nil {
			err = json.Unmarshal(text, &x.r.Items)
		}
		if err != nil {
			if err := t.setAside(err, care.Damaged{Practice: practice, Client: client, Session: x.r.Session}); err != nil {
				return nil, t.s.fault("open", err)
			}
			continue
		}
		out = append(out, x.r)
	}
	return out, err
}
