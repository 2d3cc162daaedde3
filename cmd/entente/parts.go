// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// place says where a practice's data and key are.
type place struct {
	Data        string `help:"Folder of the SQLite database." default:"entente-data" type:"path"`
	Database    string `help:"Database to use instead: sqlite:PATH or postgres://USER@HOST/NAME."`
	Owner       string `name:"database-owner" help:"The same PostgreSQL database as the user that owns its tables; used at the start only, to bring the schema up to date. The user of --database then needs no right to change it."`
	Key         string `help:"File with the key that everything is sealed under. Keep a copy of it apart from the database." default:"entente.key" type:"path"`
	lockFlags   `embed:""`
	sharesFlags `embed:""`
}

func (p place) url() string {
	if p.Database != "" {
		return p.Database
	}
	return "sqlite:" + filepath.Join(p.Data, "entente.db")
}

// open opens the vault and the store. A key is made only where there is no
// database yet: with an existing one, another key would open nothing.
func (p place) open(ctx context.Context, create bool, opts ...store.Option) (*vault.Vault, *store.Store, error) {
	lock, err := p.lock()
	if err != nil {
		return nil, nil, err
	}
	defer lock.Clear()
	return p.openWith(ctx, lock, create, opts...)
}

// openWith is open for whoever needs the lock again later.
func (p place) openWith(ctx context.Context, lock vault.Lock, create bool, opts ...store.Option) (*vault.Vault, *store.Store, error) {
	v, err := vault.OpenLocked(ctx, p.Key, lock)
	made := errors.Is(err, vault.ErrNoKey)
	if made {
		if !create {
			return nil, nil, fmt.Errorf("there is no key at %s; give the one the practice was set up with by --key", p.Key)
		}
		if file, ok := strings.CutPrefix(p.url(), "sqlite:"); ok {
			if _, err := os.Stat(file); err == nil {
				return nil, nil, fmt.Errorf("there is a database at %s but no key at %s; put the key back or give its place by --key", file, p.Key)
			}
		}
		v, err = vault.CreateLocked(ctx, p.Key, lock)
	}
	if err != nil {
		return nil, nil, err
	}
	if p.Owner != "" {
		opts = append(opts, store.WithOwner(p.Owner))
	}
	s, err := store.Open(ctx, p.url(), v, opts...)
	if err != nil {
		return nil, nil, err
	}
	if made {
		if err := p.first(ctx, s); err != nil {
			return nil, nil, errors.Join(err, s.Close(), os.Remove(p.Key))
		}
	}
	if err := p.use(ctx, p.Key, v, s); err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return v, s, nil
}

// first refuses a key that was just made for a database with a practice in it.
func (p place) first(ctx context.Context, s *store.Store) error {
	n := 0
	err := s.Read(ctx, func(t *store.Tx) error {
		all, err := t.Practices()
		n = len(all)
		return err
	})
	if err == nil && n == 0 {
		return nil
	}
	return fmt.Errorf("there is a practice in this database but no key at %s; copy the key file of the server that it was set up with, or give its place by --key", p.Key)
}

// listenAndServe answers until ctx ends, then lets running requests finish.
func listenAndServe(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: 100, SendPingTimeout: time.Minute, PingTimeout: 15 * time.Second, WriteByteTimeout: 30 * time.Second},
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		done <- srv.Shutdown(end)
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}

// mailer gives the mail server's sender, nil when none is set up.
func (m mailFlags) mailer(baseURL string) (app.Mailer, error) {
	if m.SMTP == "" {
		return nil, nil //nolint:nilnil // no mail server is a setting, not a failure
	}
	return newMailer(m, baseURL)
}
