// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date, each migration in its own transaction.
// A schema newer than this program is refused before anything is written; one
// opened for reading must be up to date already.
func migrate(ctx context.Context, e engine, db *sql.DB, reading bool) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	return migrateBy(ctx, e, db, files, reading)
}

func migrateBy(ctx context.Context, e engine, db *sql.DB, files fs.FS, reading bool) error {
	p, err := goose.NewProvider(e.goose(), db, files)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("store: the schema's version cannot be read: %w", err)
	}
	var newest int64
	for _, s := range p.ListSources() {
		newest = max(newest, s.Version)
	}
	if have > newest {
		return fmt.Errorf("store: this database has schema %d and this program knows up to %d: use the newer program that wrote it", have, newest)
	}
	if reading {
		if have < newest {
			return fmt.Errorf("store: this database has schema %d and this program needs %d: start the server once, it brings the schema up to date", have, newest)
		}
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrating: %w", err)
	}
	return nil
}
