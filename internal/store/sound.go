// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/entente-project/entente/internal/care"
)

// Sound checks the file (where there is one) and every line of every audit: what
// a restored backup has to stand, and what a running server asks once a day. It
// reads the whole database. What it finds stays to be asked by Damage.
func (s *Store) Sound(ctx context.Context) error {
	err := s.Read(ctx, func(t *Tx) error {
		for _, check := range s.engine.checks() {
			var found string
			err := t.q.QueryRowContext(ctx, check).Scan(&found)
			if err != nil && !errors.Is(err, sql.ErrNoRows) || err == nil && found != "ok" {
				return errors.Join(fmt.Errorf("the file is damaged: %s", found), err)
			}
		}
		ps, err := t.Practices()
		if err != nil {
			return err
		}
		for _, p := range ps {
			if _, err := t.VerifyAudit(p.ID, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.damage.Store(nil)
	} else if ctx.Err() == nil && care.CodeOf(err) != care.Unavailable {
		s.damage.Store(&err)
	}
	return err
}

// Damage is what the last Sound and the last Check found (a [care.Unopened]), nil
// if nothing or if they could not look.
func (s *Store) Damage() error {
	var found []error
	if err := s.damage.Load(); err != nil {
		found = append(found, *err)
	}
	if n := s.unopened.Load(); n > 0 {
		found = append(found, care.Unopened(n))
	}
	return errors.Join(found...)
}
