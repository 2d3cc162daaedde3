// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

type backupKeyCommand struct {
	File string `arg:"" help:"File for the secret key. Keep it apart from the server: whoever has it and the practice's key can read every backup." type:"path"`
}

// Run makes the pair of keys that backups need.
func (c *backupKeyCommand) Run() error {
	k, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "# Secret key for backups. Public key: %s\n%s\n", k.Recipient(), k)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	fmt.Printf("public key, for --backup-recipient: %s\n", k.Recipient())
	return nil
}

type restoreCommand struct {
	place     `embed:""`
	File      string `arg:"" help:"Backup to restore." type:"existingfile"`
	BackupKey string `help:"File with the secret key of backups." required:"" type:"existingfile"`
}

// Run restores into a place where there is nothing yet. Everybody has to sign in
// again, and no link sent before opens any more.
func (c *restoreCommand) Run(ctx context.Context) (err error) {
	text, err := os.Open(c.BackupKey)
	if err != nil {
		return err
	}
	defer text.Close() //nolint:errcheck // read only
	with, err := age.ParseIdentities(text)
	if err != nil {
		return fmt.Errorf("%s holds no secret key of backups: %w", c.BackupKey, err)
	}
	target, sqlite := strings.CutPrefix(c.url(), "sqlite:")
	folder := c.Data
	if sqlite {
		folder = filepath.Dir(target)
		if _, err := os.Stat(target); err == nil {
			return fmt.Errorf("there is a database at %s already; restore to another place, or move it away first", target)
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(folder, ".restore-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "entente.db")
	if err := decryptFile(c.File, file, with...); err != nil {
		return err
	}
	rows, err := c.bring(ctx, file)
	if err != nil {
		return err
	}
	if sqlite {
		if err := store.Forget(target); err != nil {
			return err
		}
		if err := errors.Join(os.Rename(file, target), syncFolder(folder)); err != nil {
			return err
		}
	}
	fmt.Printf("restored: %d responses; every sign-in and link has ended\n", rows)
	return nil
}

func decryptFile(from, to string, with ...age.Identity) error {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(decrypt(from, f, with...), f.Sync(), f.Close())
}

// bring checks the decrypted file, ends what could let somebody in, and copies it
// to PostgreSQL where that is the target.
func (c *restoreCommand) bring(ctx context.Context, file string) (rows int64, err error) {
	from := place{Data: filepath.Dir(file), Database: "sqlite:" + file, Key: c.Key, lockFlags: c.lockFlags, sharesFlags: c.sharesFlags}
	_, s, err := from.open(ctx, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Sound(ctx); err != nil {
		return 0, fmt.Errorf("this backup is not sound, or %s is not its key; nothing was restored: %w", c.Key, err)
	}
	now := time.Now().UnixMilli()
	err = s.Write(ctx, func(t *store.Tx) error {
		ps, err := t.Practices()
		if err != nil {
			return err
		}
		for _, p := range ps {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			if err := t.Audit(care.AuditEntry{ID: care.ID(id.String()), Practice: p.ID, AtMillis: now, Actor: "operator", Action: "restore", Record: p.ID, Changes: true}); err != nil {
				return err
			}
		}
		return t.EndAccess(now)
	})
	if err != nil {
		return 0, err
	}
	// An earlier backup still has the rows of who was erased since.
	if n, err := finishErasures(ctx, s); err != nil {
		return 0, fmt.Errorf("whoever was erased since this backup could not be erased from it again; nothing was restored: %w", err)
	} else if n > 0 {
		fmt.Printf("erased again: %d persons who were erased after this backup was made\n", n)
	}
	all, err := s.Contents(ctx)
	if err != nil || strings.HasPrefix(c.url(), "sqlite:") {
		return all["response"].Rows, err
	}
	return all["response"].Rows, copyDatabase(ctx, s, c.place)
}

type dbCommand struct {
	Copy dbCopy `cmd:"" help:"Copy a whole database into an empty one, of the same or the other kind."`
}

type dbCopy struct {
	From        string `help:"sqlite:PATH or postgres://USER@HOST/NAME." required:""`
	To          string `help:"sqlite:PATH or postgres://USER@HOST/NAME; must be empty." required:""`
	Key         string `help:"File with the key that everything is sealed under; it stays the same." default:"entente.key" type:"path"`
	lockFlags   `embed:""`
	sharesFlags `embed:""`
}

// Run copies and then compares every value.
func (c *dbCopy) Run(ctx context.Context) (err error) {
	_, s, err := place{Database: c.From, Key: c.Key, lockFlags: c.lockFlags, sharesFlags: c.sharesFlags}.open(ctx, false, store.ReadOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return copyDatabase(ctx, s, place{Database: c.To, Key: c.Key, lockFlags: c.lockFlags, sharesFlags: c.sharesFlags})
}

func copyDatabase(ctx context.Context, from *store.Store, target place) (err error) {
	_, to, err := target.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	tell := progress(ctx)
	said, err := store.Copy(ctx, from, to, func(table string, rows int64) error { return tell("copying "+table, rows, 0) })
	fmt.Fprint(os.Stderr, "\r\033[K")
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped; nothing was copied")
	}
	if err != nil {
		return err
	}
	got, err := to.Contents(ctx)
	if err != nil {
		return err
	}
	var rows int64
	for table, c := range said {
		if got[table] != c {
			return fmt.Errorf("the copy of %s differs from the original; do not use it", table)
		}
		rows += c.Rows
	}
	fmt.Printf("copied and compared: %d rows, %d of them responses\n", rows, said["response"].Rows)
	return nil
}
