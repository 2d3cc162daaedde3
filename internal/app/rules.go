// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"time"

	"github.com/entente-project/entente/internal/care"
)

type rulesTx interface {
	SetSignInRules(practice care.ID, r care.SignInRules, nowMillis int64) error
	UseSignIn(practice, signIn care.ID, idleMillis int64) error
	SignalRule(practice care.ID) (string, error)
	SetSignalRule(practice care.ID, rule string) error
}

// useEvery is how coarsely the use of a sign-in is noted, so that reading a page
// seldom writes.
const useEvery = time.Minute

// rules are a practice's, or the demo's.
func (a *App) rules(p care.Practice) (idle, longest time.Duration) {
	if a.cfg.SignInLasts > 0 {
		return a.cfg.SignInLasts, a.cfg.SignInLasts
	}
	return p.Rules.Idle(), p.Rules.Longest()
}

// SignInRules tells a manager what the practice asks of its sign-ins.
func (a *App) SignInRules(ctx context.Context, actor care.Actor) (r care.SignInRules, err error) {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return r, err
	}
	err = a.read(ctx, func(tx Tx) error {
		p, err := tx.Practice(actor.Practice)
		r = p.Rules
		r.IdleMinutes, r.LongestHours = int(r.Idle().Minutes()), int(r.Longest().Hours())
		return err
	})
	return r, err
}

// SetSignInRules changes them; it asks for the manager's password again. What is
// stricter holds at once for the sign-ins that are there. Errors: invalid for
// what is out of bounds, or for a wrong password.
func (a *App) SetSignInRules(ctx context.Context, actor care.Actor, r care.SignInRules, password string) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	if _, err := a.proved(ctx, actor, password); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		if err := tx.SetSignInRules(actor.Practice, r, a.nowMillis()); err != nil {
			return err
		}
		return a.audit(tx, actor, "set_sign_in_rules", actor.Practice, "", false)
	})
}

// UseSignIn notes that somebody uses their sign-in, which then lasts as long
// again. Ask for it where Me says that it is due. Errors: not_found for a sign-in
// that is over.
func (a *App) UseSignIn(ctx context.Context, actor care.Actor) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		p, err := tx.Practice(actor.Practice)
		if err != nil {
			return err
		}
		idle, _ := a.rules(p)
		return tx.UseSignIn(actor.Practice, actor.SignIn, a.cfg.Now().Add(idle).UnixMilli())
	})
}
