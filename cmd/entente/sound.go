// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/entente-project/entente/internal/store"
)

const soundEvery = 24 * time.Hour

// watchSound checks the whole database when the server has started, and once a
// day: damage is to be found while there are backups of before.
func watchSound(ctx context.Context, s *store.Store, log *slog.Logger) {
	tick := time.NewTicker(soundEvery)
	defer tick.Stop()
	for {
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
