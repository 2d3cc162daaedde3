// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
	"github.com/entente-project/entente/internal/web"
)

type demoCommand struct {
	mailFlags `embed:""`
	Data      string `help:"Folder for the invented practice; made anew at each start." default:".demo" type:"path"`
	Listen    string `help:"Address to listen on; the next free port is taken if it is in use." default:"127.0.0.1:8484"`
	Language  string `help:"Language of the therapist's pages." enum:"en,it" default:"en"`
}

// demoClock shows the past while the invented practice lives through its months,
// and the present afterwards.
type demoClock struct{ past atomic.Pointer[time.Time] }

func (c *demoClock) now() time.Time {
	if t := c.past.Load(); t != nil {
		return *t
	}
	return time.Now()
}

func (c *demoClock) set(t time.Time) { c.past.Store(&t) }

// demoLasts is how long the printed address opens the practice.
const demoLasts = 30 * 24 * time.Hour

// Run makes the invented practice and serves it until it is interrupted.
func (c *demoCommand) Run(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		host, _, splitErr := net.SplitHostPort(c.Listen)
		if splitErr != nil {
			return fmt.Errorf("--listen: %w", splitErr)
		}
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, "0")); err != nil {
			return fmt.Errorf("--listen: %w", err)
		}
	}
	if !here(l) {
		return errors.Join(fmt.Errorf("--listen %s: the invented practice lets in whoever can reach it, so it listens on this machine only: give an address like 127.0.0.1:8484", c.Listen), l.Close())
	}
	base := "http://" + l.Addr().String()
	s, err := c.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err := s.Close(); err != nil {
			slog.Error("closing", "err", err)
		}
	}()
	m, err := c.mailer(base)
	if err != nil {
		return err
	}
	clock := &demoClock{}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a := app.New(s, app.Config{Now: clock.now, Mail: m, SetUpCode: demoCode, Log: log, SignInLasts: demoLasts})
	links, err := invent(ctx, a, clock, c.Language)
	if err != nil {
		return fmt.Errorf("the invented practice could not be made: %w", err)
	}
	h, err := web.New(a, web.Config{BaseURL: base, Demo: true, Log: log, Now: clock.now})
	if err != nil {
		return err
	}
	fmt.Printf("therapist: %s/demo/%s\n", base, links.therapist)
	fmt.Printf("form: %s/f/%s\n", base, links.form)
	return listenAndServe(ctx, l, h, log)
}

// fresh opens an empty database in the demo's folder. Only files of an earlier
// demo are removed.
func (c *demoCommand) fresh(ctx context.Context) (*store.Store, error) {
	for _, f := range []string{"entente.db", "entente.db-wal", "entente.db-shm", "entente.db-witness", "entente.key"} {
		if err := os.Remove(filepath.Join(c.Data, f)); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	folder := filepath.Join(c.Data, "entente.shares")
	if err := os.RemoveAll(folder); err != nil {
		return nil, err
	}
	shares, err := vault.CreateShares(folder)
	if err != nil {
		return nil, err
	}
	v, err := vault.Create(filepath.Join(c.Data, "entente.key"))
	if err != nil {
		return nil, err
	}
	v.UseShares(shares)
	return store.Open(ctx, "sqlite:"+filepath.Join(c.Data, "entente.db"), v)
}
