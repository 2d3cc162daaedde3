// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

const riskTable = "risk_signal"

// placeOfRisk binds a risk signal to everything that gives it meaning.
func placeOfRisk(r care.RiskSignal) string {
	return fmt.Sprintf("%s|%s|%s|%d", r.Episode, r.Session, r.Client, r.AtMillis)
}

// placeOfDone binds what was done about it to who did it, and when.
func placeOfDone(r care.RiskSignal) string {
	return fmt.Sprintf("%s|%s|%d", placeOfRisk(r), r.SeenBy, r.SeenMillis)
}

// AddRisk stores a risk signal, unless the same items of the same form were told of
// in the same session: then false.
func (t *Tx) AddRisk(r care.RiskSignal) (bool, error) {
	text, err := json.Marshal(r.Content)
	if err != nil {
		return false, t.s.fault("risk signal", err)
	}
	c, err := t.cell(r.Practice, clientKey(r.Client), riskTable, r.ID, placeOfRisk(r))
	if err != nil {
		return false, err
	}
	content := c.seal("content", text)
	if err := c.err(); err != nil {
		return false, err
	}
	items := slices.Sorted(slices.Values(r.Content.Items))
	mark := c.key.Index("risk_signal.mark", r.Content.Instrument+" "+strings.Join(items, " "))
	return t.added("INSERT INTO risk_signal (practice_id, risk_id, episode_id, session_id, client_id, mark, content, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (practice_id, client_id, session_id, mark) DO NOTHING",
		r.Practice, r.ID, r.Episode, r.Session, r.Client, mark, content, r.AtMillis)
}

const riskColumns = "practice_id, risk_id, episode_id, session_id, client_id, content, at_millis, step, seen_by, seen_millis, done"

type riskRow struct {
	r             care.RiskSignal
	content, done []byte
}

func scanRisk(r scanner) (x riskRow, err error) {
	return x, r.Scan(&x.r.Practice, &x.r.ID, &x.r.Episode, &x.r.Session, &x.r.Client, &x.content, &x.r.AtMillis, &x.r.Step, &x.r.SeenBy, &x.r.SeenMillis, &x.done)
}

// risks opens what a query finds. That there is a signal stays known where what it
// says does not open.
func (t *Tx) risks(query string, args ...any) ([]care.RiskSignal, error) {
	rows, err := list(t, scanRisk, "SELECT "+riskColumns+" FROM risk_signal "+query, args...)
	var out []care.RiskSignal
	for _, x := range rows {
		c, err := t.cell(x.r.Practice, clientKey(x.r.Client), riskTable, x.r.ID, placeOfRisk(x.r))
		if err == nil {
			text := c.open("content", x.content)
			if err = c.err(); err == nil {
				err = json.Unmarshal(text, &x.r.Content)
			}
		}
		if err == nil && x.done != nil {
			var d *cell
			if d, err = t.cell(x.r.Practice, clientKey(x.r.Client), riskTable, x.r.ID, placeOfDone(x.r)); err == nil {
				x.r.Done = string(d.open("done", x.done))
				err = d.err()
			}
		}
		if err := t.setAside(err, care.Damaged{Practice: x.r.Practice, Client: x.r.Client, Session: x.r.Session}); err != nil {
			return nil, t.s.fault("open", err)
		}
		out = append(out, x.r)
	}
	return out, err
}

// OpenRisks lists the signals that nobody has taken up, oldest first.
func (t *Tx) OpenRisks(practice care.ID) ([]care.RiskSignal, error) {
	return t.risks("WHERE practice_id = $1 AND seen_millis = 0 ORDER BY at_millis, risk_id", practice)
}

// Risks lists the signals of an episode, newest first.
func (t *Tx) Risks(practice, episode care.ID) ([]care.RiskSignal, error) {
	return t.risks("WHERE practice_id = $1 AND episode_id = $2 ORDER BY at_millis DESC, risk_id DESC", practice, episode)
}

// Risk returns one signal. Errors: not_found.
func (t *Tx) Risk(practice, id care.ID) (care.RiskSignal, error) {
	found, err := t.risks("WHERE practice_id = $1 AND risk_id = $2", practice, id)
	if err == nil && len(found) == 0 {
		return care.RiskSignal{}, care.Missing()
	}
	if err != nil {
		return care.RiskSignal{}, err
	}
	return found[0], nil
}

// SeeRisk notes who has taken a signal up, when, and what they did; false if
// somebody had already.
func (t *Tx) SeeRisk(r care.RiskSignal) (bool, error) {
	c, err := t.cell(r.Practice, clientKey(r.Client), riskTable, r.ID, placeOfDone(r))
	if err != nil {
		return false, err
	}
	done := c.seal("done", []byte(r.Done))
	if err := c.err(); err != nil {
		return false, err
	}
	return t.added("UPDATE risk_signal SET seen_by = $3, seen_millis = $4, done = $5 WHERE practice_id = $1 AND risk_id = $2 AND seen_millis = 0", r.Practice, r.ID, r.SeenBy, r.SeenMillis, done)
}

// RaiseRisk notes that those of the next step are told; false if somebody took it
// up, or another server raised it, in the meantime.
func (t *Tx) RaiseRisk(practice, id care.ID, to care.RiskStep) (bool, error) {
	return t.added("UPDATE risk_signal SET step = $3 WHERE practice_id = $1 AND risk_id = $2 AND step = $4 AND seen_millis = 0", practice, id, to, to-1)
}

// RiskDuty is who looks after such answers; nobody, where nothing was said.
func (t *Tx) RiskDuty(practice care.ID) (care.RiskDuty, error) {
	type row struct {
		d     care.RiskDuty
		alone []byte
	}
	x, err := one(t, func(r scanner) (x row, err error) {
		return x, r.Scan(&x.d.Practice, &x.d.Owner, &x.d.Deputy, &x.d.Hours, &x.alone, &x.d.TestMillis, &x.d.TestedMillis)
	}, "SELECT practice_id, owner_id, deputy_id, hours, alone, test_millis, tested_millis FROM risk_duty WHERE practice_id = $1", practice)
	if care.CodeOf(err) == care.NotFound {
		return care.RiskDuty{Practice: practice, Hours: care.UsualRiskHours}, nil
	}
	if err != nil || x.alone == nil {
		return x.d, err
	}
	c, err := t.cell(practice, practiceKey, "risk_duty", practice, "")
	if err != nil {
		return x.d, err
	}
	x.d.Alone = string(c.open("alone", x.alone))
	return x.d, t.s.fault("open", c.err())
}

// SetRiskDuty changes it.
func (t *Tx) SetRiskDuty(d care.RiskDuty) error {
	var alone []byte
	if d.Alone != "" {
		c, err := t.cell(d.Practice, practiceKey, "risk_duty", d.Practice, "")
		if err != nil {
			return err
		}
		alone = c.seal("alone", []byte(d.Alone))
		if err := c.err(); err != nil {
			return err
		}
	}
	_, err := t.exec(`INSERT INTO risk_duty (practice_id, owner_id, deputy_id, hours, alone, test_millis, tested_millis) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (practice_id) DO UPDATE SET owner_id = excluded.owner_id, deputy_id = excluded.deputy_id, hours = excluded.hours, alone = excluded.alone, test_millis = excluded.test_millis, tested_millis = excluded.tested_millis`,
		d.Practice, d.Owner, d.Deputy, d.Hours, alone, d.TestMillis, d.TestedMillis)
	return err
}

// PracticeIDs lists all practices; what of one does not open keeps no other's alarms
// back.
func (t *Tx) PracticeIDs() ([]care.ID, error) {
	if err := t.AcrossPractices(); err != nil {
		return nil, err
	}
	return list(t, func(r scanner) (id care.ID, err error) { return id, r.Scan(&id) }, "SELECT practice_id FROM practice ORDER BY created_millis, practice_id")
}

// Managers lists those whose accounts have not ended. It opens nothing, so that a
// name that was altered keeps no alarm back.
func (t *Tx) Managers(practice care.ID) (out []care.ID, err error) {
	rows, err := list(t, scanStaff, "SELECT "+staffColumns+" FROM staff WHERE practice_id = $1 AND ended_millis = 0 ORDER BY created_millis, staff_id", practice)
	for _, x := range rows {
		if slices.Contains(x.s.Roles, care.Manager) {
			out = append(out, x.s.ID)
		}
	}
	return out, err
}

// AddAlarm lays a mail out to be sent; one that was laid out before is not again.
func (t *Tx) AddAlarm(m care.Alarm, dueMillis int64) error {
	_, err := t.exec("INSERT INTO alarm_mail (practice_id, mail_id, staff_id, about_id, due_millis) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (practice_id, mail_id) DO NOTHING", m.Practice, m.ID, m.Staff, m.About, dueMillis)
	return err
}

// DueAlarms lists mails that are to go out now and that nobody is sending.
func (t *Tx) DueAlarms(practice care.ID, nowMillis int64) ([]care.Alarm, error) {
	return list(t, func(r scanner) (m care.Alarm, err error) {
		return m, r.Scan(&m.Practice, &m.ID, &m.Staff, &m.About, &m.Tries)
	},
		"SELECT practice_id, mail_id, staff_id, about_id, tries FROM alarm_mail WHERE practice_id = $1 AND sent_millis = 0 AND due_millis <= $2 ORDER BY due_millis, mail_id LIMIT 100", practice, nowMillis)
}

// TakeAlarm takes a mail in hand until an instant, by which it is due again if
// nobody says that it went out; false if another server was quicker.
func (t *Tx) TakeAlarm(m care.Alarm, nowMillis, untilMillis int64) (bool, error) {
	return t.added("UPDATE alarm_mail SET due_millis = $4, tries = tries + 1 WHERE practice_id = $1 AND mail_id = $2 AND sent_millis = 0 AND due_millis <= $3", m.Practice, m.ID, nowMillis, untilMillis)
}

// PutOffAlarm gives a mail that could not be sent back, to be tried again at an
// instant; nothing changes if another server has taken it in hand since.
func (t *Tx) PutOffAlarm(m care.Alarm, untilMillis int64) error {
	_, err := t.exec("UPDATE alarm_mail SET due_millis = $4 WHERE practice_id = $1 AND mail_id = $2 AND tries = $3 AND sent_millis = 0", m.Practice, m.ID, m.Tries, untilMillis)
	return err
}

// SentAlarm notes that a mail went out.
func (t *Tx) SentAlarm(m care.Alarm, atMillis int64) error {
	_, err := t.exec("UPDATE alarm_mail SET sent_millis = $3 WHERE practice_id = $1 AND mail_id = $2", m.Practice, m.ID, atMillis)
	return err
}

// DropAlarms forgets what is still to be sent about a signal.
func (t *Tx) DropAlarms(practice, about care.ID) error {
	_, err := t.exec("DELETE FROM alarm_mail WHERE practice_id = $1 AND about_id = $2 AND sent_millis = 0", practice, about)
	return err
}

// WaitingAlarms counts mails that could not be sent at the first try.
func (t *Tx) WaitingAlarms(practice care.ID) (int64, error) {
	return one(t, scanCount, "SELECT COUNT(*) FROM alarm_mail WHERE practice_id = $1 AND sent_millis = 0 AND tries > 0", practice)
}
