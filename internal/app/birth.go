// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"time"

	"github.com/entente-project/entente/internal/care"
)

type birthTx interface {
	SetBirth(care.Birth) error
	Birth(practice, client care.ID) (care.Birth, error)
	BirthsOf(practice, staff care.ID) ([]care.Birth, error)
}

// birthOf is when a client was born, zero where nobody noted it.
func birthOf(tx Tx, practice, client care.ID) (care.Birth, error) {
	b, err := tx.Birth(practice, client)
	if care.CodeOf(err) == care.NotFound {
		return care.Birth{Practice: practice, Client: client}, nil
	}
	return b, err
}

// today is the calendar date where a practice is.
func (a *App) today(tx Tx, practice care.ID) (string, error) {
	p, err := tx.Practice(practice)
	if err != nil {
		return "", err
	}
	return a.cfg.Now().In(zone(p)).Format(time.DateOnly), nil
}

// SetBirth notes when a client was born, so that their age is known and access to them
// is reviewed. Ages that are past by then count as reviewed. Therapists of one of the
// client's episodes only. Errors: invalid for what is no date, or one to come.
func (a *App) SetBirth(ctx context.Context, actor care.Actor, client care.ID, born string) error {
	return a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		on, err := a.today(tx, actor.Practice)
		if err != nil {
			return err
		}
		rule, err := consentRule(tx, actor.Practice)
		if err != nil {
			return err
		}
		b := care.Birth{Practice: actor.Practice, Client: client, Born: born}
		if years, ok := b.AgeOn(on); !ok || years > 120 {
			return care.Bad("born", "consent.bad_born")
		}
		b.Reviewed = b.Due(rule.Reviews, on)
		if err := tx.SetBirth(b); err != nil {
			return err
		}
		return a.audit(tx, actor, "set_birth", client, client, true)
	})
}

// ReviewAccess says that who has access to a client was looked at again at the age
// that was due. Therapists of one of the client's episodes only. Nothing due changes
// nothing.
func (a *App) ReviewAccess(ctx context.Context, actor care.Actor, client care.ID) error {
	return a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		b, err := birthOf(tx, actor.Practice, client)
		if err != nil {
			return err
		}
		on, err := a.today(tx, actor.Practice)
		if err != nil {
			return err
		}
		rule, err := consentRule(tx, actor.Practice)
		if err != nil {
			return err
		}
		due := b.Due(rule.Reviews, on)
		if due == 0 {
			return nil
		}
		b.Reviewed = due
		if err := tx.SetBirth(b); err != nil {
			return err
		}
		return a.audit(tx, actor, "review_access", client, client, true)
	})
}

// ReviewDue is a client who has reached an age at which access is reviewed.
type ReviewDue struct {
	Client care.ID
	Label  string
	Age    int
}

// reviewsDue are those of the actor's clients.
func (a *App) reviewsDue(tx Tx, actor care.Actor) (out []ReviewDue, err error) {
	births, err := tx.BirthsOf(actor.Practice, actor.Staff)
	if err != nil || len(births) == 0 {
		return nil, err
	}
	on, err := a.today(tx, actor.Practice)
	if err != nil {
		return nil, err
	}
	rule, err := consentRule(tx, actor.Practice)
	if err != nil {
		return nil, err
	}
	for _, b := range births {
		age := b.Due(rule.Reviews, on)
		if age == 0 {
			continue
		}
		c, err := tx.NamedClient(actor.Practice, b.Client)
		if err != nil {
			return nil, err
		}
		out = append(out, ReviewDue{Client: b.Client, Label: c.Label, Age: age})
	}
	return out, nil
}
