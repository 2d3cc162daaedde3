// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
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
	BackupKeep      keeping       `help:"How many backups stay: one of each of so many days, weeks and months. The newest always does." default:"7,4,12" placeholder:"DAYS,WEEKS,MONTHS"`
	BackupEvery     time.Duration `help:"How often the server makes a backup." default:"24h"`
}

const backupName = "entente-20060102T150405Z.db.age"

type backupCommand struct {
	place       `embed:""`
	backupFlags `embed:""`
}

// Run makes one backup while a server may be running.
func (c *backupCommand) Run(ctx context.Context) (err error) {
	c.beside(c.BackupTo)
	v, s, err := c.open(ctx, false, store.ReadOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	name, err := c.backup(ctx, v, s, time.Now())
	if name != "" {
		fmt.Println(name)
	}
	return err
}

func (f backupFlags) recipient() (age.Recipient, error) {
	to, err := age.ParseX25519Recipient(f.BackupRecipient)
	if err != nil {
		return nil, fmt.Errorf("--backup-recipient: %q is no public key for backups; entente backup-key makes one", f.BackupRecipient)
	}
	return to, nil
}

// backup writes one moment of the database, encrypts it, restores what it
// encrypted into a temporary file and checks that, before the name of a backup
// is given to it. With an error and a name the backup is good, and an old one
// could not be removed.
func (f backupFlags) backup(ctx context.Context, v *vault.Vault, s *store.Store, now time.Time) (name string, err error) {
	err = quietly(func() (err error) {
		name, err = f.makeOne(ctx, v, s, now)
		return err
	})
	return name, err
}

func (f backupFlags) makeOne(ctx context.Context, v *vault.Vault, s *store.Store, now time.Time) (name string, err error) {
	to, err := f.recipient()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(f.BackupTo, 0o700); err != nil {
		return "", fmt.Errorf("--backup-to: %w", err)
	}
	f.sweep(now)
	// The copy is sealed like the database itself; still nobody else may read it.
	dir, err := os.MkdirTemp(f.BackupTo, ".backup-")
	if err != nil {
		return "", fmt.Errorf("--backup-to: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plain, sealed, restored := filepath.Join(dir, "snapshot.db"), filepath.Join(dir, "snapshot.age"), filepath.Join(dir, "restored.db")
	if err := s.Snapshot(ctx, plain, v, politely(ctx, s)); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	if err := encryptAndRestore(plain, sealed, restored, to, politely(ctx, s)); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	if err := sound(ctx, restored, v); err != nil {
		return "", fmt.Errorf("the backup would be damaged, none was made: %w", err)
	}
	name = filepath.Join(f.BackupTo, now.UTC().Format(backupName))
	if err := os.Rename(sealed, name); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	if err := syncFolder(f.BackupTo); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	// After the database: a share is durable before the row that needs it.
	if _, _, err := v.SyncShares(); err != nil {
		return name, fmt.Errorf("the backup was made, but the copy of the shares was not brought up to date: %w", err)
	}
	return name, f.retire(filepath.Base(name))
}

// politely copies at half speed while others write through the same store, so
// that they hardly notice; in the night it does not wait.
func politely(ctx context.Context, s *store.Store) store.CopyProgress {
	worked := time.Now()
	return func(string, int64) error {
		now := time.Now()
		if used := now.Sub(worked); used > 5*time.Millisecond {
			if now.Sub(s.LastWrite()) < time.Second {
				select {
				case <-ctx.Done():
				case <-time.After(min(used, 50*time.Millisecond)):
				}
			}
			worked = time.Now()
		}
		return ctx.Err()
	}
}

func sound(ctx context.Context, path string, v *vault.Vault) (err error) {
	s, err := store.Open(ctx, "sqlite:"+path, v, store.ReadOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Sound(ctx)
}

// encryptAndRestore encrypts a file and restores the result. The secret key is
// not here, so a key that lives only in this function is added for that. Of the
// three files never more than two lie on the disk.
func encryptAndRestore(plain, sealed, restored string, to age.Recipient, p store.CopyProgress) error {
	once, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	in, err := os.Open(plain)
	if err != nil {
		return err
	}
	wanted := sha256.New()
	err = encrypt(sealed, gentle{io.TeeReader(in, wanted), p}, to, once.Recipient())
	if err := errors.Join(err, in.Close()); err != nil {
		return err
	}
	if err := os.Remove(plain); err != nil {
		return err
	}
	out, err := os.OpenFile(restored, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	got := sha256.New()
	if err := errors.Join(decrypt(sealed, io.MultiWriter(out, got, gentle{p: p}), once), out.Close()); err != nil {
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
	w, err := age.Encrypt(&flushing{File: f}, to...)
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

// flushing forces a file to the disk piece by piece: to force all of it at once
// would keep every commit waiting.
type flushing struct {
	*os.File
	since int
}

func (f *flushing) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	if f.since += n; err == nil && f.since >= 4<<20 {
		f.since, err = 0, f.Sync()
	}
	return n, err
}

// gentle reads, or takes in, at the pace of a CopyProgress.
type gentle struct {
	io.Reader
	p store.CopyProgress
}

func (g gentle) Read(b []byte) (int, error) {
	if err := g.p("", 0); err != nil {
		return 0, err
	}
	return g.Reader.Read(b)
}

func (g gentle) Write(b []byte) (int, error) { return len(b), g.p("", 0) }

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
