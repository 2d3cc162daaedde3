// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

const soundEvery = 24 * time.Hour

// watchSound checks the whole database when the server has started, and once a
// day: damage is to be found while there are backups of before.
func watchSound(ctx context.Context, s *store.Store, log *slog.Logger) {
	known := map[care.Damaged]bool{}
	tick := time.NewTicker(soundEvery)
	defer tick.Stop()
	for {
		unopened(ctx, s, log, known)
		if err := s.Sound(ctx); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "the database is damaged or cannot be checked: restore a backup, or ask for help before going on", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// unopened logs each sealed value that does not open, and notes those that are
// not known yet in the audit.
func unopened(ctx context.Context, s *store.Store, log *slog.Logger, known map[care.Damaged]bool) {
	_, err := s.Check(ctx, func(int64) error { return ctx.Err() }, func(d care.Damaged) error {
		log.ErrorContext(ctx, "a sealed value does not open, or a row is missing: it was altered, moved or deleted outside Entente, or the disk fails", "record", d.String())
		if known[d] {
			return nil
		}
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		err = s.Write(ctx, func(t *store.Tx) error {
			return t.Audit(care.AuditEntry{ID: care.ID(id.String()), Practice: d.Practice, AtMillis: time.Now().UnixMilli(), Actor: "operator", Action: "damaged", Record: d.Row, About: d.Client})
		})
		known[d] = err == nil
		return err
	})
	if err != nil && ctx.Err() == nil {
		log.ErrorContext(ctx, "the sealed values could not all be checked; they are again tomorrow", "err", err)
	}
}

type checkCommand struct {
	place `embed:""`
}

// Run names each sealed value that does not open. It may run beside a server, and
// stops when it is interrupted.
func (c *checkCommand) Run(ctx context.Context) (err error) {
	_, s, err := c.open(ctx, false, store.ReadOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	tell, bad := progress(ctx), 0
	done, err := s.Check(ctx, func(done int64) error { return tell("values opened", done, 0) }, func(d care.Damaged) error {
		bad++
		fmt.Fprint(os.Stderr, "\r\033[K")
		fmt.Println(d)
		return nil
	})
	fmt.Fprint(os.Stderr, "\r\033[K")
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("stopped after %d sealed values, %d of which do not open", done, bad)
	case err != nil:
		return err
	case bad > 0:
		return fmt.Errorf("%d of %d sealed values do not open or are missing: they were altered, moved or deleted outside Entente, or the disk fails; a backup from before may still have them", bad, done)
	}
	fmt.Printf("%d sealed values open\n", done)
	return nil
}
