// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// setAside notes a value that does not open, so that a list can go on without
// it; any other error is returned. Whoever reads the list has to ask for
// [Tx.Damaged]: a transaction that ends with something set aside and not asked
// for fails, so that no list is ever shorter without anybody knowing.
func (t *Tx) setAside(err error, d care.Damaged) error {
	switch {
	case errors.Is(err, vault.ErrTampered):
	case errors.Is(err, vault.ErrNoShare), errors.Is(err, vault.ErrBadShare): // of this client alone
		d.Table, d.Column, d.Row = "data_key", "wrapped", care.ID(clientKey(d.Client))
	default:
		return err
	}
	if at, ok := errors.AsType[*vault.TamperError](err); ok {
		d.Table, d.Column, d.Row = at.Place.Table, at.Place.Column, care.ID(at.Place.Row)
		if d.Column == "wrapped" { // the key itself
			d.Table = "data_key"
		}
	}
	t.damaged = append(t.damaged, d)
	t.untold = errors.Join(t.untold, err)
	return nil
}

// Damaged gives what was set aside until now, and takes note that the caller
// knows.
func (t *Tx) Damaged() []care.Damaged {
	t.untold = nil
	return t.damaged
}

// told is err, or what nobody asked for.
func (t *Tx) told(err error) error {
	if err != nil || t.untold == nil {
		return err
	}
	return t.s.fault("open", t.untold)
}
