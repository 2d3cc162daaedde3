// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// Lease gives name to holder until an instant, or keeps it with it: false when
// another holder has it at nowMillis. Until nowMillis or earlier gives it back.
func (s *Store) Lease(ctx context.Context, name, holder string, nowMillis, untilMillis int64) (got bool, err error) {
	err = s.Write(ctx, func(t *Tx) error {
		got, err = t.added(`INSERT INTO lease (name, holder, until_millis) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_millis = excluded.until_millis
			WHERE lease.holder = excluded.holder OR lease.until_millis <= $4`, name, holder, untilMillis, nowMillis)
		return err
	})
	return got, err
}

// secretPlace is where a secret of the servers is sealed for.
func secretPlace(name, column string) vault.Place {
	return vault.Place{Table: "server_secret", Row: name, Column: column}
}

// Secret gives what PutSecret kept under a name, to whichever server asks.
// Errors: not_found, also for what this key file cannot open, since all of it can
// be made anew; unavailable.
func (s *Store) Secret(ctx context.Context, name string) (plain []byte, err error) {
	type row struct{ wrapped, secret []byte }
	var x row
	err = s.Read(ctx, func(t *Tx) error {
		x, err = one(t, func(r scanner) (x row, err error) { return x, r.Scan(&x.wrapped, &x.secret) },
			"SELECT wrapped, secret FROM server_secret WHERE name = $1", name)
		return err
	})
	if err != nil {
		return nil, err
	}
	k, err := s.vault.Unwrap(secretPlace(name, "wrapped"), x.wrapped)
	if err == nil {
		plain, err = k.Open(secretPlace(name, "secret"), x.secret)
	}
	if errors.Is(err, vault.ErrTampered) {
		return nil, care.Missing()
	}
	if err != nil {
		return nil, s.fault("open", err)
	}
	return plain, s.rewrapSecret(ctx, name, x.wrapped)
}

// rewrapSecret brings a secret under the primary key when it is read, so that an
// exchange of keys needs no list of them.
func (s *Store) rewrapSecret(ctx context.Context, name string, wrapped []byte) error {
	again, changed, err := s.vault.Rewrap(secretPlace(name, "wrapped"), wrapped)
	if err != nil || !changed || s.reading {
		return s.fault("rewrap", err)
	}
	return s.Write(ctx, func(t *Tx) error {
		_, err := t.exec("UPDATE server_secret SET wrapped = $1 WHERE name = $2 AND wrapped = $3", again, name, wrapped)
		return err
	})
}

// PutSecret seals and keeps something of the servers; it replaces what was there.
func (s *Store) PutSecret(ctx context.Context, name string, plain []byte) error {
	k, wrapped, err := s.vault.NewKey(secretPlace(name, "wrapped"))
	if err != nil {
		return s.fault("new key", err)
	}
	sealed, err := k.Seal(secretPlace(name, "secret"), plain)
	if err != nil {
		return s.fault("seal", err)
	}
	return s.Write(ctx, func(t *Tx) error {
		_, err := t.exec(`INSERT INTO server_secret (name, wrapped, secret) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET wrapped = excluded.wrapped, secret = excluded.secret`, name, wrapped, sealed)
		return err
	})
}

// DropSecret removes a secret; one that is not there is no error.
func (s *Store) DropSecret(ctx context.Context, name string) error {
	return s.Write(ctx, func(t *Tx) error {
		_, err := t.exec("DELETE FROM server_secret WHERE name = $1", name)
		return err
	})
}

// BackupState is when backups were last made and last failed. A database of
// which none was made yet has the zero state.
func (t *Tx) BackupState() (care.BackupState, error) {
	b, err := one(t, func(r scanner) (b care.BackupState, err error) {
		return b, r.Scan(&b.MadeMillis, &b.TookMillis, &b.SizeBytes, &b.FailedMillis, &b.EveryMillis)
	}, "SELECT made_millis, took_millis, size_bytes, failed_millis, every_millis FROM backup_state WHERE name = $1", backupRow)
	if care.CodeOf(err) == care.NotFound {
		return care.BackupState{}, nil
	}
	return b, err
}

// PutBackupState keeps the state of backups.
func (t *Tx) PutBackupState(b care.BackupState) error {
	_, err := t.exec(`INSERT INTO backup_state (name, made_millis, took_millis, size_bytes, failed_millis, every_millis) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name) DO UPDATE SET made_millis = excluded.made_millis, took_millis = excluded.took_millis,
		size_bytes = excluded.size_bytes, failed_millis = excluded.failed_millis, every_millis = excluded.every_millis`,
		backupRow, b.MadeMillis, b.TookMillis, b.SizeBytes, b.FailedMillis, b.EveryMillis)
	return err
}

const backupRow = "schedule"
