// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

type keyCommand struct {
	List       keyList    `cmd:"" help:"Name the keys of the key file, and how many data keys each holds."`
	Add        keyAdd     `cmd:"" help:"Add a key that opens and does not wrap yet. Then send SIGHUP to every server."`
	Promote    keyPromote `cmd:"" help:"Make a key the one that wraps. Then send SIGHUP to every server: it brings the data keys under it."`
	Rewrap     keyRewrap  `cmd:"" help:"Bring the data keys under the key that wraps. A running server does it at SIGHUP; with SQLite this needs the server to be stopped."`
	Remove     keyRemove  `cmd:"" help:"Remove a key that holds no data key any more."`
	CopyShares copyShares `cmd:"" help:"Bring a copy of the folder of shares up to date, or the folder from its copy. Whoever is erased in the copy stays erased."`
	Lock       keyLock    `cmd:"" help:"Lock the key file anew: with a passphrase, a key service, or nothing."`
}

type keyList struct {
	place `embed:""`
}

// Run prints a line for each key, the primary one first.
func (c *keyList) Run(ctx context.Context) error {
	v, under, err := c.counts(ctx)
	if err != nil {
		return err
	}
	for _, k := range v.Keys() {
		does := "opens"
		if k.Primary {
			does = "opens and wraps"
		}
		fmt.Printf("%s %s, %d data keys\n", k.Fingerprint, does, under[k.Fingerprint])
	}
	if n := under[""]; n > 0 {
		return fmt.Errorf("%d data keys are under a key that %s does not have; restore it from your copy", n, c.Key)
	}
	return nil
}

// counts looks into the database beside a running server.
func (p place) counts(ctx context.Context) (v *vault.Vault, under map[string]int, err error) {
	v, s, err := p.open(ctx, false, store.ReadOnly())
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	under, err = s.KeysUnder(ctx)
	return v, under, err
}

type keyFileFlags struct {
	Key       string `help:"The key file." default:"entente.key" type:"path"`
	lockFlags `embed:""`
}

type keyAdd struct {
	keyFileFlags `embed:""`
}

// Run prints the fingerprint of the new key.
func (c *keyAdd) Run(ctx context.Context) error {
	lock, err := c.lock()
	if err != nil {
		return err
	}
	defer lock.Clear()
	k, err := vault.AddKey(ctx, c.Key, lock)
	if k.Fingerprint != "" {
		fmt.Println(k.Fingerprint)
	}
	return err
}

type keyPromote struct {
	keyFileFlags `embed:""`
	Fingerprint  string `arg:"" help:"The key, as key add printed it."`
}

// Run makes the key the primary one.
func (c *keyPromote) Run(ctx context.Context) error {
	lock, err := c.lock()
	if err != nil {
		return err
	}
	defer lock.Clear()
	return vault.PromoteKey(ctx, c.Key, lock, c.Fingerprint)
}

type keyRewrap struct {
	place `embed:""`
}

// Run does what a running server does at SIGHUP.
func (c *keyRewrap) Run(ctx context.Context) (err error) {
	v, s, err := c.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	tell := progress(ctx)
	n, err := s.Rewrap(ctx, func(done int64) error { return tell("data keys", done, 0) })
	fmt.Fprint(os.Stderr, "\r\033[K")
	fmt.Printf("%d data keys brought under %s\n", n, v.Fingerprint())
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped; every data key still opens, and the same command goes on")
	}
	return err
}

type keyRemove struct {
	place       `embed:""`
	Fingerprint string `arg:"" help:"The key, as key list prints it."`
}

// Run removes a key when nothing needs it in this database.
func (c *keyRemove) Run(ctx context.Context) error {
	_, under, err := c.counts(ctx)
	if err != nil {
		return err
	}
	if n := under[c.Fingerprint]; n > 0 {
		return fmt.Errorf("%d data keys are still under %s and would be lost; promote another key and send SIGHUP to the server, or run entente key rewrap", n, c.Fingerprint)
	}
	lock, err := c.lock()
	if err != nil {
		return err
	}
	defer lock.Clear()
	return vault.RemoveKey(ctx, c.Key, lock, c.Fingerprint)
}

type keyLock struct {
	keyFileFlags  `embed:""`
	NewPassphrase string   `name:"new-passphrase-file" help:"File whose first line is the new passphrase." type:"path"`
	NewWrap       []string `name:"new-wrap-command" help:"As --key-wrap-command, from now on." sep:","`
	NewUnwrap     []string `name:"new-unwrap-command" help:"As --key-unwrap-command, from now on." sep:","`
	None          bool     `help:"Take the lock away: whoever can read the file has the keys."`
}

// Run replaces the lock; the keys stay.
func (c *keyLock) Run(ctx context.Context) error {
	wanted := lockFlags{KeyPassphrase: c.NewPassphrase, KeyWrap: c.NewWrap, KeyUnwrap: c.NewUnwrap}
	named := c.NewPassphrase != "" || len(c.NewWrap)+len(c.NewUnwrap) > 0
	if named == c.None {
		return errors.New("say which lock the file gets: --new-passphrase-file, --new-wrap-command with --new-unwrap-command, or --none")
	}
	from, err := c.lock()
	if err != nil {
		return err
	}
	defer from.Clear()
	to, err := wanted.lock()
	if err != nil {
		return err
	}
	defer to.Clear()
	return vault.ChangeLock(ctx, c.Key, from, to)
}

// followKey reads the key file again at each signal and brings the data keys
// under its primary key, while the server goes on. After an error everything is
// as before, and the next signal tries again.
func followKey(ctx context.Context, signals <-chan os.Signal, p place, lock vault.Lock, v *vault.Vault, s *store.Store, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		if err := v.Reload(ctx, p.Key, lock); err != nil {
			log.Error("the key file was not read again; the keys are as before", "err", err)
			continue
		}
		n, err := s.Rewrap(ctx, func(int64) error { return ctx.Err() })
		if err != nil {
			log.Error("not every data key is under the primary key yet; send SIGHUP again", "rewrapped", n, "err", err)
			continue
		}
		log.Info("the key file was read again", "primary", v.Fingerprint(), "keys", len(v.Keys()), "rewrapped", n)
	}
}
