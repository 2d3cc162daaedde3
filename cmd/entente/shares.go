// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// sharesFlags say where the shares are, without which no client's key opens.
type sharesFlags struct {
	Shares     string `help:"Folder with one small file for each client, without which that client's key does not open; by default beside the key file. Never let it into a backup of the database: erasing a person destroys their file." type:"path"`
	SharesCopy string `help:"Folder with the one copy of the shares, best on another disk; by default shares in the folder of the backups. Kept up to date with each backup, and an erasure reaches it at once." type:"path"`
}

// folder is where the shares of a key file are.
func (f sharesFlags) folder(key string) string {
	if f.Shares != "" {
		return f.Shares
	}
	return strings.TrimSuffix(key, ".key") + ".shares"
}

// beside keeps the copy of the shares with the backups where no other place is
// named: a backup that was left without its shares would open nobody.
func (f *sharesFlags) beside(backups string) {
	if backups != "" && f.SharesCopy == "" {
		f.SharesCopy = filepath.Join(backups, "shares")
	}
}

// use gives the vault its shares. The folder is made only for a database in
// which nothing needs it yet: an empty one in place of another would be the loss
// of every client.
func (f sharesFlags) use(ctx context.Context, key string, v *vault.Vault, s *store.Store) error {
	folder := f.folder(key)
	shares, err := vault.OpenShares(folder)
	if errors.Is(err, vault.ErrNoShares) {
		if s.ReadsOnly() { // what is only read without clients works without
			return nil
		}
		needed, ours, failed := s.NeedsShares(ctx)
		if failed != nil {
			return failed
		}
		if needed && !ours { // another practice's key file, which others say better
			return nil
		}
		if needed {
			return fmt.Errorf("the folder of shares is not at %s, and without it no client can be opened; is its disk mounted? Put it or its copy back with entente key copy-shares, or give its place by --shares", folder)
		}
		shares, err = vault.CreateShares(folder)
		if errors.Is(err, vault.ErrExists) { // another server was first
			shares, err = vault.OpenShares(folder)
		}
	}
	if err != nil {
		return err
	}
	v.UseShares(shares)
	if f.SharesCopy == "" {
		return nil
	}
	to, err := openOrMake(f.SharesCopy)
	if err != nil {
		return fmt.Errorf("--shares-copy: %w", err)
	}
	v.CopyShares(to)
	return nil
}

func openOrMake(folder string) (*vault.Shares, error) {
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		return vault.CreateShares(folder)
	}
	return vault.OpenShares(folder)
}

// finishErasures completes what an interruption or a restored database left.
func finishErasures(ctx context.Context, s *store.Store) (int, error) {
	return s.FinishErasures(ctx, time.Now().UnixMilli(), func() care.ID { return care.ID(uuid.Must(uuid.NewV7()).String()) })
}

// watchErasures does it at the start of a server, and each hour as long as
// something is left to do.
func watchErasures(ctx context.Context, v *vault.Vault, s *store.Store, log *slog.Logger) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		n, err := finishErasures(ctx, s)
		if err == nil {
			_, _, err = v.SyncShares()
		}
		if n > 0 {
			log.InfoContext(ctx, "erasures were finished", "persons", n)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		log.ErrorContext(ctx, "an erasure or the copy of the shares is not finished; it is tried again in an hour", "err", err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

type copyShares struct {
	From string `arg:"" help:"Folder of shares to copy from: the one in use, or its copy after a loss." type:"existingdir"`
	To   string `arg:"" help:"Folder to bring up to date; it is made if it is not there." type:"path"`
}

// Run adds what is missing there and erases whoever is erased in either.
func (c *copyShares) Run() error {
	from, err := vault.OpenShares(c.From)
	if err != nil {
		return err
	}
	to, err := openOrMake(c.To)
	if err != nil {
		return err
	}
	added, erased, err := from.CopyTo(to)
	fmt.Printf("%d shares added, %d persons erased there\n", added, erased)
	return err
}
