// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"errors"
	"slices"

	"github.com/entente-project/entente/internal/care"
)

type localHelpTx interface {
	LocalHelp(practice care.ID) (care.LocalHelp, error)
	SetLocalHelp(practice care.ID, h care.LocalHelp) error
}

// HelpShown is what a practice tells whoever answers, and in which language; both
// are "" where it tells nothing. Hours says when answers are read, "" where that is
// not said in the language of the form.
type HelpShown struct {
	Text, Language, Hours string
	Age                   care.AgeBand // of whoever reads it; "" where that does not open
}

// helpFor is what a practice tells whoever answers about a client.
func helpFor(tx Tx, practice, client care.ID, who care.Informant, language string) (v HelpShown, err error) {
	h, err := tx.LocalHelp(practice)
	if err != nil {
		return v, ignoreTampered(err)
	}
	v.Age = care.Adult
	if who == care.ByClient {
		c, err := tx.Client(practice, client)
		if err := ignoreTampered(err); err != nil {
			return v, err
		}
		v.Age = c.AgeBand
	}
	v.Text, v.Language = h.For(language, v.Age)
	v.Hours = h[language].Hours
	return v, nil
}

// ignoreTampered is for what a form can do without: a value that does not open is
// found by the daily check, and hinders nobody from answering.
func ignoreTampered(err error) error {
	if e, ok := errors.AsType[*care.Error](err); ok && e.Key == "error.tampered" {
		return nil
	}
	return err
}

// LocalHelp tells a manager what the practice tells whoever answers about help
// where they live.
func (a *App) LocalHelp(ctx context.Context, actor care.Actor) (h care.LocalHelp, err error) {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		h, err = tx.LocalHelp(actor.Practice)
		return err
	})
	return h, err
}

// SetLocalHelp changes it, from the next form that is opened. Managers only.
// Errors: invalid for a language that no form is in, or a text that is too long.
func (a *App) SetLocalHelp(ctx context.Context, actor care.Actor, h care.LocalHelp) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	h = h.Trimmed()
	for l := range h {
		if !slices.Contains(Languages, l) {
			return care.Bad("all-"+l, "field.choice")
		}
	}
	if err := h.Check(); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		if err := tx.SetLocalHelp(actor.Practice, h); err != nil {
			return err
		}
		return a.audit(tx, actor, "set_local_help", actor.Practice, "", false)
	})
}
