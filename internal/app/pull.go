// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"

	"github.com/entente-project/entente/internal/care"
)

type pullTx interface {
	Opened(practice, staff, about care.ID, atMillis, sinceMillis int64) (int64, error)
	AddPull(p care.Pull, tell []care.ID) error
	PullsOf(practice, staff care.ID, afterMillis, beforeMillis int64) (int64, error)
	PullsUnseen(practice, staff care.ID, limit int) ([]care.Pull, error)
	SeePull(practice, id, staff care.ID, atMillis int64) error
}

// LeastPull bounds Config.PullClients: below it a working day would alarm.
const LeastPull = 10

// UsualPull is Config.PullClients where nobody chose: four times what a full day
// of sessions opens in all its hours.
const UsualPull = 40

// MostPull bounds Config.PullClients: above it a practice could be read unnoticed.
const MostPull = 400

// mostPulls bounds how many notices one page shows.
const mostPulls = 20

// PullNotice is somebody's opening of unusually many clients, as a manager is shown it.
type PullNotice struct {
	care.Pull
	By string // who opened them
}

// opened notes that a member of staff opened what is about a client or an episode,
// in the audit and in the count of their hour. It returns the managers, if this
// made the count unusual for the first time in an hour.
func (a *App) opened(tx Tx, actor care.Actor, action string, record, about care.ID) (tell []care.Staff, err error) {
	if about != "" {
		if tell, err = a.countOpened(tx, actor, about); err != nil {
			return nil, err
		}
	}
	return tell, a.audit(tx, actor, action, record, about, false)
}

func (a *App) countOpened(tx Tx, actor care.Actor, about care.ID) (tell []care.Staff, err error) {
	now := a.nowMillis()
	n, err := tx.Opened(actor.Practice, actor.Staff, about, now, now-care.PullWindowMillis)
	if err != nil || n < int64(a.cfg.PullClients) {
		return nil, err
	}
	// A notice that lies ahead is of a clock that was put back, and silences nothing.
	before, err := tx.PullsOf(actor.Practice, actor.Staff, now-care.PullWindowMillis, now+care.PullWindowMillis)
	if err != nil || before > 0 {
		return nil, err
	}
	all, err := tx.AllStaff(actor.Practice)
	if err != nil {
		return nil, err
	}
	var ids []care.ID
	for _, s := range all {
		if slices.Contains(s.Roles, care.Manager) && !s.Ended() { // also who did it: it may not have been them
			tell, ids = append(tell, s), append(ids, s.ID)
		}
	}
	p := care.Pull{ID: a.cfg.NewID(), Practice: actor.Practice, Staff: actor.Staff, AtMillis: now, Clients: n}
	if err := tx.AddPull(p, ids); err != nil {
		return nil, err
	}
	return tell, a.audit(tx, actor, "many_opened", p.ID, "", true)
}

// SeePull says that a manager has seen the notice that somebody opened unusually
// many clients. Errors: not_found for whoever was not told.
func (a *App) SeePull(ctx context.Context, actor care.Actor, id care.ID) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		if err := tx.SeePull(actor.Practice, id, actor.Staff, a.nowMillis()); err != nil {
			return err
		}
		return a.audit(tx, actor, "see_many_opened", id, "", true)
	})
}

// pullsToday are the notices that wait for the actor, who may have ceased to be a
// manager since.
func (a *App) pullsToday(tx Tx, actor care.Actor) (out []PullNotice, err error) {
	if !actor.Has(care.Manager) {
		return nil, nil
	}
	all, err := tx.PullsUnseen(actor.Practice, actor.Staff, mostPulls)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		s, err := tx.NamedStaff(actor.Practice, p.Staff)
		if err != nil {
			return nil, err
		}
		tx.Damaged() // the notice says so
		out = append(out, PullNotice{Pull: p, By: s.Name})
	}
	return out, nil
}
