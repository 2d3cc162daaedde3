// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"

	"github.com/entente-project/entente/internal/care"
)

// backupTx knows when backups were made.
type backupTx interface {
	BackupState() (care.BackupState, error)
}

// Backups says when the servers of this database last made a backup, and whether
// the last try failed. Managers only. It is not audited: it is about nobody.
func (a *App) Backups(ctx context.Context, actor care.Actor) (b care.BackupState, err error) {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return b, err
	}
	return a.backups(ctx)
}

func (a *App) backups(ctx context.Context) (b care.BackupState, err error) {
	err = a.read(ctx, func(tx Tx) error {
		b, err = tx.BackupState()
		return err
	})
	return b, err
}

// BackupWord is one word for whoever watches the server: ok, failing, late, or
// none where no schedule makes any.
func (a *App) BackupWord(ctx context.Context) (string, error) {
	b, err := a.backups(ctx)
	switch {
	case err != nil:
		return "", err
	case b.EveryMillis == 0:
		return "none", nil
	case b.Failing():
		return "failing", nil
	case b.Late(a.nowMillis()):
		return "late", nil
	}
	return "ok", nil
}
