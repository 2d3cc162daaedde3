// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"

	"github.com/entente-project/entente/internal/care"
)

// rewrapBatch is how many data keys share one transaction: other writes wait no
// longer than for this many updates.
const rewrapBatch = 100

type wrappedKey struct {
	practice      care.ID
	name          string
	wrapped, next []byte
}

// Rewrap wraps every data key under the vault's primary key and returns how many
// it had to. Reading and writing go on meanwhile; nothing is sealed anew. Stopped
// at any moment it leaves each data key readable, and the next call goes on.
// tell is called after each batch with the data keys looked at, and stops the
// work by an error.
func (s *Store) Rewrap(ctx context.Context, tell func(done int64) error) (changed int, err error) {
	var done int64
	err = s.eachKeys(ctx, func(batch []wrappedKey) error {
		n, err := s.rewrapBatch(ctx, batch)
		changed += n
		if err != nil {
			return err
		}
		done += int64(len(batch))
		return tell(done)
	})
	return changed, err
}

// eachKeys goes over the data keys of one practice after the other, in batches,
// each read in a transaction of its own.
func (s *Store) eachKeys(ctx context.Context, do func(batch []wrappedKey) error) error {
	practices, err := s.practiceIDs(ctx)
	if err != nil {
		return err
	}
	for _, p := range practices {
		last := wrappedKey{practice: p}
		for {
			batch, err := s.wrappedKeys(ctx, last)
			if err != nil {
				return err
			}
			if len(batch) == 0 {
				break
			}
			if err := do(batch); err != nil {
				return err
			}
			last = batch[len(batch)-1]
		}
	}
	return nil
}

// wrappedKeys gives the data keys of a practice that follow one, in the order of
// their names.
func (s *Store) wrappedKeys(ctx context.Context, after wrappedKey) (out []wrappedKey, err error) {
	err = s.Read(ctx, func(t *Tx) (err error) {
		out, err = list(t, func(r scanner) (k wrappedKey, err error) {
			return k, r.Scan(&k.practice, &k.name, &k.wrapped)
		}, "SELECT practice_id, key_id, wrapped FROM data_key WHERE practice_id = $1 AND key_id > $2 ORDER BY key_id LIMIT $3", after.practice, after.name, rewrapBatch)
		return err
	})
	return out, err
}

func (s *Store) rewrapBatch(ctx context.Context, batch []wrappedKey) (int, error) {
	var todo []wrappedKey
	for _, k := range batch {
		next, had, err := s.vault.Rewrap(keyPlace(k.practice, k.name), k.wrapped)
		if err != nil {
			return 0, s.fault("rewrap", err)
		}
		if had {
			k.next = next
			todo = append(todo, k)
		}
	}
	if len(todo) == 0 {
		return 0, nil
	}
	var n int
	err := s.Write(ctx, func(t *Tx) error {
		n = 0 // this may run again
		for _, k := range todo {
			// On condition that it is as it was read: another server may be doing
			// the same, and its result is as good.
			r, err := t.exec("UPDATE data_key SET wrapped = $1 WHERE practice_id = $2 AND key_id = $3 AND wrapped = $4", k.next, k.practice, k.name, k.wrapped)
			if err != nil {
				return err
			}
			rows, err := r.RowsAffected()
			if err != nil {
				return t.s.fault("rows affected", err)
			}
			n += int(rows)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// KeysUnder counts the data keys under each key-encryption key, by its
// fingerprint; "" stands for those under a key that the vault does not have.
func (s *Store) KeysUnder(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	err := s.eachKeys(ctx, func(batch []wrappedKey) error {
		for _, k := range batch {
			out[s.vault.WrappedUnder(k.wrapped)]++
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("counting the data keys: %w", err)
	}
	return out, nil
}
