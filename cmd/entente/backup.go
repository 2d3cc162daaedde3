// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// backupFlags say where backups go and who can read them.
type backupFlags struct {
	BackupTo        string        `help:"Folder for backups; best one that is copied to another place." type:"path"`
	BackupRecipient string        `help:"Public key (age1...) that backups are encrypted to; made by entente backup-key. The secret half is needed only to restore: keep it elsewhere."`
	BackupKeep      int           `help:"How many backups stay; older ones are removed." default:"30"`
	BackupEvery     time.Duration `help:"How often the server makes a backup." default:"24h"`
}

const backupName = "entente-20060102T150405Z.db.age"

type backupCommand struct {
	place       `embed:""`
	backupFlags `embed:""`
}

// Run makes one backup while a server may be running.
func (c *backupCommand) Run(ctx context.Context) (err error) {
	v, s, err := c.open(ctx, false, store.ReadOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	name, err := c.backup(ctx, v, s)
	if err == nil {
		fmt.Println(name)
	}
	return err
}

// backup writes one moment of the database, checks it, encrypts it, and reads
// what it encrypted back before the name of a backup is given to it.
func (f backupFlags) backup(ctx context.Context, v *vault.Vault, s *store.Store) (name string, err error) {
	to, err := age.ParseX25519Recipient(f.BackupRecipient)
	if err != nil {
		return "", fmt.Errorf("--backup-recipient: %q is no public key for backups; entente backup-key makes one", f.BackupRecipient)
	}
	if err := os.MkdirAll(f.BackupTo, 0o700); err != nil {
		return "", fmt.Errorf("--backup-to: %w", err)
	}
	// The copy is sealed like the database itself; still nobody else may read it.
	dir, err := os.MkdirTemp(f.BackupTo, ".backup-")
	if err != nil {
		return "", fmt.Errorf("--backup-to: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plain, sealed := filepath.Join(dir, "snapshot.db"), filepath.Join(dir, "snapshot.age")
	if err := s.Snapshot(ctx, plain, v, func(string, int64) error { return ctx.Err() }); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	if err := sound(ctx, plain, v); err != nil {
		return "", fmt.Errorf("the backup would be damaged, none was made: %w", err)
	}
	if err := encryptAndCompare(plain, sealed, to); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	name = filepath.Join(f.BackupTo, time.Now().UTC().Format(backupName))
	if err := os.Rename(sealed, name); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	if err := syncFolder(f.BackupTo); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	return name, f.retire()
}

func sound(ctx context.Context, path string, v *vault.Vault) (err error) {
	s, err := store.Open(ctx, "sqlite:"+path, v, store.ReadOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Sound(ctx)
}

// encryptAndCompare encrypts a file and reads the result back. The secret key is
// not here, so a key that lives only in this function is added for the reading.
func encryptAndCompare(plain, sealed string, to age.Recipient) error {
	once, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	in, err := os.Open(plain)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read only
	wanted := sha256.New()
	if err := encrypt(sealed, io.TeeReader(in, wanted), to, once.Recipient()); err != nil {
		return err
	}
	got := sha256.New()
	if err := decrypt(sealed, got, once); err != nil {
		return err
	}
	if !slices.Equal(wanted.Sum(nil), got.Sum(nil)) {
		return errors.New("what was written is not what was read; is the disk sound?")
	}
	return nil
}

func encrypt(path string, in io.Reader, to ...age.Recipient) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := age.Encrypt(f, to...)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Sync()
}

func decrypt(path string, out io.Writer, with ...age.Identity) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	r, err := age.Decrypt(f, with...)
	if err != nil {
		return fmt.Errorf("%s cannot be decrypted with this key: %w", path, err)
	}
	if _, err = io.Copy(out, r); err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// backups are the finished ones in a folder, oldest first.
func (f backupFlags) backups() ([]string, error) {
	entries, err := os.ReadDir(f.BackupTo)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if _, err := time.Parse(backupName, e.Name()); err == nil {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

// retire removes the oldest backups; never the last.
func (f backupFlags) retire() error {
	all, err := f.backups()
	if err != nil {
		return err
	}
	for _, name := range all[:max(0, len(all)-max(1, f.BackupKeep))] {
		if err := os.Remove(filepath.Join(f.BackupTo, name)); err != nil {
			return fmt.Errorf("an old backup could not be removed: %w", err)
		}
	}
	return nil
}

// schedule makes backups until ctx ends; a start soon after the last one waits
// for its time.
func (f backupFlags) schedule(ctx context.Context, v *vault.Vault, s *store.Store, log *slog.Logger) {
	for ctx.Err() == nil {
		wait := time.Duration(0)
		if all, err := f.backups(); err == nil && len(all) > 0 {
			if last, err := time.Parse(backupName, all[len(all)-1]); err == nil {
				wait = time.Until(last.Add(f.BackupEvery))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		name, err := f.backup(ctx, v, s)
		if err != nil {
			log.Error("no backup was made", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Minute): // then again: a disk may have space by then
			}
			continue
		}
		log.Info("backup", "file", name)
	}
}
