// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/entente-project/entente/internal/care"
)

type alarmTx interface {
	AddAlarm(m care.Alarm, dueMillis int64) error
	DueAlarms(practice care.ID, nowMillis int64) ([]care.Alarm, error)
	TakeAlarm(m care.Alarm, nowMillis, untilMillis int64) (bool, error)
	PutOffAlarm(m care.Alarm, untilMillis int64) error
	SentAlarm(m care.Alarm, atMillis int64) error
	DropAlarms(practice, about care.ID) error
	WaitingAlarms(practice care.ID) (int64, error)
	Managers(practice care.ID) ([]care.ID, error)
	PracticeIDs() ([]care.ID, error)
}

// Alarmer sends a member of staff a mail that says that their page wants to be read
// now, and nothing of what stands there; test is for the weekly try. A Mailer that
// is one too is asked to.
type Alarmer interface {
	SendAlarm(ctx context.Context, to, language string, test bool) error
}

const (
	alarmEvery = 30 * time.Second
	// alarmLease is how long a mail that somebody is sending is left to them. A server
	// that dies between sending and saying so lets it go out once more after that: an
	// alarm that comes twice does less harm than one that does not come.
	alarmLease = 5 * time.Minute
	// alarmPause is the longest pause between tries of a mail that was refused.
	alarmPause = 30 * time.Minute
)

// wakeAlarms has what was just laid out sent now.
func (a *App) wakeAlarms() {
	select {
	case a.woken <- struct{}{}:
	default: // it is awake already
	}
}

// KeepAlarms passes signals on, tries the way each week and sends the mails, until
// ctx ends. Several servers of one database may each run it.
func (a *App) KeepAlarms(ctx context.Context) {
	tick := time.NewTicker(alarmEvery)
	defer tick.Stop()
	for {
		if err := a.AlarmRound(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Log.LogAttrs(ctx, slog.LevelError, "alarms could not be looked after; they are again in half a minute", slog.String("error", string(care.CodeOf(err))))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.woken:
		}
	}
}

// AlarmRound does once what KeepAlarms goes on doing. A practice in which something
// fails keeps no other back.
func (a *App) AlarmRound(ctx context.Context) error {
	var practices []care.ID
	err := a.read(ctx, func(tx Tx) (err error) {
		practices, err = tx.PracticeIDs()
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range practices {
		err = errors.Join(err, a.passOn(ctx, p), a.sendAlarms(ctx, p))
	}
	return err
}

// mails says whether mails can go out at all.
func (a *App) mails() bool {
	_, ok := a.cfg.Mail.(Alarmer)
	return ok
}

// passOn raises what waited too long, and lays out the weekly test.
func (a *App) passOn(ctx context.Context, practice care.ID) error {
	now := a.nowMillis()
	var late []care.RiskSignal
	var d care.RiskDuty
	err := a.read(ctx, func(tx Tx) error {
		open, err := tx.OpenRisks(practice)
		tx.Damaged() // it is passed on all the same
		if err != nil {
			return err
		}
		if d, err = tx.RiskDuty(practice); ignoreTampered(err) != nil {
			return err
		}
		left := false // an owner whose account has ended takes nothing up
		if d.Owner != "" && len(open) > 0 {
			owner, err := tx.Staff(practice, d.Owner)
			if err := ignoreTampered(err); err != nil {
				return err
			}
			left = owner.Ended()
		}
		late = slices.DeleteFunc(open, func(s care.RiskSignal) bool {
			waits := now-s.AtMillis < d.Wait().Milliseconds()*int64(s.Step+1)
			return s.Step >= care.ToldManagers || waits && (!left || s.Step > care.ToldOwner)
		})
		return nil
	})
	testDue := d.Owner != "" && a.mails() && now-d.TestMillis >= care.AlarmTestEvery.Milliseconds()
	if err != nil || len(late) == 0 && !testDue {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		for _, s := range late {
			if err := a.raiseTo(tx, s, d); err != nil {
				return err
			}
		}
		if !testDue {
			return nil
		}
		now, err := tx.RiskDuty(practice) // another server may have been quicker
		if err != nil || now.TestMillis != d.TestMillis {
			return ignoreTampered(err)
		}
		now.TestMillis = a.nowMillis()
		if err := tx.SetRiskDuty(now); err != nil {
			return err
		}
		return a.layOut(tx, care.RiskSignal{Practice: practice, AtMillis: now.TestMillis}, []care.ID{now.Owner})
	})
}

func (a *App) raiseTo(tx Tx, s care.RiskSignal, d care.RiskDuty) error {
	s.Step++
	if s.Step == care.ToldDeputy && d.Deputy == "" {
		if ok, err := tx.RaiseRisk(s.Practice, s.ID, s.Step); err != nil || !ok {
			return err
		}
		s.Step++ // nobody to tell in between
	}
	ok, err := tx.RaiseRisk(s.Practice, s.ID, s.Step)
	if err != nil || !ok {
		return err
	}
	to := []care.ID{d.Deputy}
	if s.Step == care.ToldManagers {
		if to, err = tx.Managers(s.Practice); err != nil {
			return err
		}
	}
	if err := a.layOut(tx, s, to); err != nil {
		return err
	}
	return tx.Audit(care.AuditEntry{ID: a.cfg.NewID(), Practice: s.Practice, AtMillis: a.nowMillis(), Actor: "operator", Action: "pass_on_risk", Record: s.ID, About: s.Episode, Changes: true})
}

// layOut prepares a mail to each of them, whose name says to whom and what for: laid
// out again it is the same one.
func (a *App) layOut(tx Tx, s care.RiskSignal, to []care.ID) error {
	if !a.mails() {
		return nil
	}
	slices.Sort(to)
	for _, id := range slices.Compact(to) {
		if id == "" {
			continue
		}
		name := fmt.Sprintf("%s/%d/%s", s.ID, s.Step, id)
		if s.ID == "" {
			name = fmt.Sprintf("test/%d/%s", s.AtMillis, id)
		}
		if err := tx.AddAlarm(care.Alarm{Practice: s.Practice, ID: care.ID(name), Staff: id, About: s.ID}, a.nowMillis()); err != nil {
			return err
		}
	}
	return nil
}

// sendAlarms sends what is due, each mail by whichever server takes it first.
func (a *App) sendAlarms(ctx context.Context, practice care.ID) error {
	m, ok := a.cfg.Mail.(Alarmer)
	if !ok {
		return nil
	}
	var due []care.Alarm
	err := a.read(ctx, func(tx Tx) (err error) {
		due, err = tx.DueAlarms(practice, a.nowMillis())
		return err
	})
	if err != nil {
		return err
	}
	for _, x := range due { // one that fails keeps no other back
		err = errors.Join(err, a.sendAlarm(ctx, m, x))
	}
	return err
}

func (a *App) sendAlarm(ctx context.Context, m Alarmer, x care.Alarm) error {
	mine := false
	err := a.write(ctx, func(tx Tx) (err error) {
		now := a.nowMillis()
		mine, err = tx.TakeAlarm(x, now, now+alarmLease.Milliseconds())
		return err
	})
	if err != nil || !mine {
		return err
	}
	x.Tries++
	var to care.Staff
	err = a.read(ctx, func(tx Tx) (err error) {
		if to, err = tx.Staff(x.Practice, x.Staff); to.Email != "" {
			err = ignoreTampered(err) // a mail needs no name
		}
		return err
	})
	if err == nil && !to.Ended() {
		err = m.SendAlarm(ctx, to.Email, to.Language, x.About == "")
	}
	if err == nil {
		return a.write(ctx, func(tx Tx) error { return tx.SentAlarm(x, a.nowMillis()) })
	}
	a.cfg.Log.LogAttrs(ctx, slog.LevelError, "an alarm could not be mailed; it stands on the page, and the mail is tried again", slog.Int("tries", x.Tries), slog.String("error", string(care.CodeOf(err))))
	pause := min(alarmPause, time.Minute<<min(x.Tries-1, 10))
	return a.write(ctx, func(tx Tx) error { return tx.PutOffAlarm(x, a.nowMillis()+pause.Milliseconds()) })
}
