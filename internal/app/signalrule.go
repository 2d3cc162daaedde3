// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/care"
)

// rule is the one by which a practice's courses are judged. One that this program
// does not offer, as after a return to an earlier version, is the program's own.
func (a *App) rule(tx Tx, practice care.ID) (alliance.Rule, error) {
	id, err := tx.SignalRule(practice)
	if err != nil {
		return nil, err
	}
	if r, err := alliance.RuleByID(id); err == nil {
		return r, nil
	}
	return alliance.Usual(), nil
}

// SignalRule tells a manager which rule judges the practice's courses: the
// weighing's name, or the ID of a published one.
func (a *App) SignalRule(ctx context.Context, actor care.Actor) (id string, err error) {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return "", err
	}
	err = a.read(ctx, func(tx Tx) error {
		id, err = tx.SignalRule(actor.Practice)
		return err
	})
	if id == "" {
		id = alliance.WeighingName
	}
	return id, err
}

// SetSignalRule chooses another. Every course is judged by it when it is next
// looked at; what was shown in a conversation stays as it was. Errors: invalid for
// a rule that is not offered.
func (a *App) SetSignalRule(ctx context.Context, actor care.Actor, id string) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	if _, err := alliance.RuleByID(id); err != nil || id == "" {
		return care.Bad("rule", "field.choice")
	}
	if id == alliance.WeighingName {
		id = ""
	}
	return a.write(ctx, func(tx Tx) error {
		if err := tx.SetSignalRule(actor.Practice, id); err != nil {
			return err
		}
		return a.audit(tx, actor, "set_signal_rule", actor.Practice, "", false)
	})
}
