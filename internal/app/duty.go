// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

// DutyView is who looks after answers that speak of danger, and how the way to them
// stands.
type DutyView struct {
	care.RiskDuty
	OwnerName, DeputyName string // "" nobody, or an account that ended
	Mails                 bool   // mails can go out at all
	Waiting               int64  // mails that could not go out yet
	Late                  bool   // the owner has not said for too long, or never, that a test came
	CanBe                 []Colleague
}

// RiskDuty tells a manager who looks after such answers.
func (a *App) RiskDuty(ctx context.Context, actor care.Actor) (v DutyView, err error) {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return v, err
	}
	err = a.read(ctx, func(tx Tx) error {
		if v.RiskDuty, err = tx.RiskDuty(actor.Practice); err != nil {
			return err
		}
		all, err := tx.AllStaff(actor.Practice)
		if err != nil {
			return err
		}
		v.CanBe = nil
		for _, s := range all {
			if s.Ended() || !mayLookAfter(s) {
				continue
			}
			v.CanBe = append(v.CanBe, Colleague{ID: s.ID, Name: s.Name, Roles: s.Roles})
			if s.ID == v.Owner {
				v.OwnerName = s.Name
			}
			if s.ID == v.Deputy {
				v.DeputyName = s.Name
			}
		}
		v.Mails = a.mails()
		v.Late = v.OwnerName != "" && v.Mails && a.late(v.RiskDuty)
		v.Waiting, err = tx.WaitingAlarms(actor.Practice)
		return err
	})
	return v, err
}

// late says that the owner has not confirmed a test for too long.
func (a *App) late(d care.RiskDuty) bool {
	return a.nowMillis()-d.TestedMillis > care.AlarmTestLate.Milliseconds()
}

// SetRiskDuty changes it. A new owner is sent a test at once. in.Alone is why
// instruments that ask about danger are asked without an owner. Errors: invalid with
// the field, also for somebody who cannot have the duty.
func (a *App) SetRiskDuty(ctx context.Context, actor care.Actor, in care.RiskDuty) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	in.Alone = strings.TrimSpace(in.Alone)
	if err := in.Check(); err != nil {
		return err
	}
	defer a.wakeAlarms()
	return a.write(ctx, func(tx Tx) error {
		for field, id := range map[string]care.ID{"owner": in.Owner, "deputy": in.Deputy} {
			if id == "" {
				continue
			}
			s, err := tx.Staff(actor.Practice, id)
			if care.CodeOf(err) == care.NotFound || err == nil && (s.Ended() || !mayLookAfter(s)) {
				return care.Bad(field, "field.choice")
			}
			if err != nil {
				return err
			}
		}
		before, err := tx.RiskDuty(actor.Practice)
		if err := ignoreTampered(err); err != nil {
			return err
		}
		in.Practice, in.TestMillis, in.TestedMillis = actor.Practice, before.TestMillis, before.TestedMillis
		if in.Owner != before.Owner {
			in.TestMillis, in.TestedMillis = 0, 0
		}
		if in.Owner != "" {
			in.Alone = ""
		}
		if err := tx.SetRiskDuty(in); err != nil {
			return err
		}
		return a.audit(tx, actor, "set_risk_duty", actor.Practice, "", false)
	})
}

// mayLookAfter is for whom a signal can be: anybody who works with clients, or
// answers for those who do.
func mayLookAfter(s care.Staff) bool {
	for _, r := range s.Roles {
		if r == care.Therapist || r == care.Supervisor || r == care.Manager {
			return true
		}
	}
	return false
}

// ConfirmAlarmTest notes that the mail of the weekly test came. For the owner only.
func (a *App) ConfirmAlarmTest(ctx context.Context, actor care.Actor) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		d, err := tx.RiskDuty(actor.Practice)
		if err := ignoreTampered(err); err != nil {
			return err
		}
		if d.Owner != actor.Staff || d.TestMillis == 0 {
			return care.Missing()
		}
		d.TestedMillis = a.nowMillis()
		if err := tx.SetRiskDuty(d); err != nil {
			return err
		}
		return a.audit(tx, actor, "confirm_alarm_test", actor.Practice, "", false)
	})
}

// AlarmState is what the day's page says of the way of the alarm.
type AlarmState struct {
	TestMillis int64 // when a test was mailed to the actor that waits for their word; 0 none
	Late       bool  // for managers and the owner: no test has come through for too long
	Never      bool  // the same: none has come through yet
	NoMail     bool  // the same: mails cannot go out at all
	Gone       bool  // for managers: the owner's account has ended
	Nobody     bool  // the same: instruments that ask about danger are published, and nobody owns the duty
}

func (a *App) alarmState(tx Tx, actor care.Actor) (s AlarmState, err error) {
	d, err := tx.RiskDuty(actor.Practice)
	if err := ignoreTampered(err); err != nil {
		return s, err
	}
	if d.Owner == "" || actor.Staff != d.Owner && !actor.Has(care.Manager) {
		if d.Owner == "" && actor.Has(care.Manager) {
			s.Nobody, err = asksRisk(tx, actor.Practice)
		}
		return s, err
	}
	owner, err := tx.Staff(actor.Practice, d.Owner)
	if err != nil {
		return s, ignoreTampered(err)
	}
	switch {
	case owner.Ended():
		s.Gone = true
	case !a.mails():
		s.NoMail = true
	case d.TestMillis == 0: // the first is on its way
	case d.TestedMillis == 0:
		s.Never = true
	default:
		s.Late = a.late(d)
	}
	if actor.Staff == d.Owner && a.mails() && d.TestMillis > d.TestedMillis {
		s.TestMillis = d.TestMillis
	}
	return s, nil
}

// asksRisk says whether the practice has published a form that asks about danger.
func asksRisk(tx Tx, practice care.ID) (bool, error) {
	all, err := tx.PracticeForms(practice)
	for _, f := range all {
		if f.PublishedMillis > 0 && AsksRisk(f.Instrument) {
			return true, err
		}
	}
	return false, err
}

// mayAskRisk refuses to publish a form that asks about danger while nobody would
// look after the answers, unless a manager has said why it is asked all the same.
func mayAskRisk(tx Tx, practice care.ID, id string) error {
	if !AsksRisk(id) {
		return nil
	}
	d, err := tx.RiskDuty(practice)
	if err := ignoreTampered(err); err != nil {
		return err
	}
	if d.Alone != "" {
		return nil
	}
	if d.Owner != "" {
		if s, err := tx.Staff(practice, d.Owner); err != nil || !s.Ended() {
			return ignoreTampered(err)
		}
	}
	return care.Bad("text", "publish.risk")
}
