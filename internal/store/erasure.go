// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/vault"
)

// Holdings counts what is kept about a client: not_found for a client who is not
// there.
func (t *Tx) Holdings(practice, client care.ID) (h care.Holdings, err error) {
	_, err = one(t, scanID, "SELECT client_id FROM client WHERE practice_id = $1 AND client_id = $2", practice, client)
	if err != nil {
		return h, err
	}
	alone, shared, err := t.episodesAlone(practice, client)
	if err != nil {
		return h, err
	}
	h.Episodes, h.Shared = int64(len(alone)), shared
	for _, e := range alone {
		n, err := one(t, scanCount, "SELECT COUNT(*) FROM session WHERE practice_id = $1 AND episode_id = $2", practice, e)
		if err != nil {
			return h, err
		}
		h.Sessions += n
	}
	for to, query := range map[*int64]string{
		&h.Responses: "SELECT COUNT(*) FROM response WHERE practice_id = $1 AND client_id = $2",
		&h.Notes: "SELECT (SELECT COUNT(*) FROM session_note n WHERE n.practice_id = $1 AND n.client_id = $2)" +
			" + (SELECT COUNT(*) FROM conversation v WHERE v.practice_id = $1 AND v.client_id = $2)",
		&h.Invitations: "SELECT COUNT(*) FROM invitation WHERE practice_id = $1 AND client_id = $2",
	} {
		if *to, err = one(t, scanCount, query, practice, client); err != nil {
			return h, err
		}
	}
	return h, nil
}

func scanCount(r scanner) (n int64, err error) { return n, r.Scan(&n) }

// episodesAlone lists the episodes that have no other client, and counts those
// that have.
func (t *Tx) episodesAlone(practice, client care.ID) (alone []care.ID, shared int64, err error) {
	all, err := t.EpisodesOf(practice, client)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range all {
		n, err := one(t, scanCount, "SELECT COUNT(*) FROM episode_client WHERE practice_id = $1 AND episode_id = $2", practice, e)
		if err != nil {
			return nil, 0, err
		}
		if n > 1 {
			shared++
			continue
		}
		alone = append(alone, e)
	}
	return alone, shared, nil
}

// Each stands behind those whose rows point to its own.
var (
	eraseWithEpisode = []string{
		"DELETE FROM reveal WHERE practice_id = $1 AND session_id IN (SELECT s.session_id FROM session s WHERE s.practice_id = $1 AND s.episode_id = $2)",
		"DELETE FROM session WHERE practice_id = $1 AND episode_id = $2",
		"DELETE FROM episode_staff WHERE practice_id = $1 AND episode_id = $2",
		"DELETE FROM episode_client WHERE practice_id = $1 AND episode_id = $2",
		"DELETE FROM episode WHERE practice_id = $1 AND episode_id = $2",
	}
	eraseOfClient = []string{
		"DELETE FROM emergency_notice WHERE practice_id = $1 AND emergency_id IN (SELECT g.emergency_id FROM emergency g WHERE g.practice_id = $1 AND g.client_id = $2)",
		"DELETE FROM emergency WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM birth WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM carer WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM consent_link WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM consent_record WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM consent_holder WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM session_note WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM closing WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM agreed WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM work_report WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM alarm_mail WHERE practice_id = $1 AND about_id IN (SELECT r.risk_id FROM risk_signal r WHERE r.practice_id = $1 AND r.client_id = $2)",
		"DELETE FROM risk_signal WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM conversation WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM response WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM invitation WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM opened WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM page_read WHERE practice_id = $1 AND client_id = $2",
	}
	eraseClientItself = []string{
		"DELETE FROM episode_client WHERE practice_id = $1 AND client_id = $2",
		"DELETE FROM client WHERE practice_id = $1 AND client_id = $2",
	}
)

// EraseClient deletes all rows about a client, and keeps that and when it was
// done. The key stays until [Store.DestroyKey], which is to follow once this is
// durable. Errors: not_found; unavailable where the vault could not destroy the
// key, so that nobody takes half of it for the whole. A line in the audit for each
// of the client's episodes tells Check later that nothing of it is to be missed.
func (t *Tx) EraseClient(e care.Erasure, newID func() care.ID) (care.Erasure, error) {
	if !t.s.vault.HasShares() {
		return e, &care.Error{Code: care.Unavailable, Key: "erasure.no_shares", Err: vault.ErrNoShares}
	}
	var err error
	if e.Went, err = t.Holdings(e.Practice, e.Client); err != nil {
		return e, err
	}
	alone, _, err := t.episodesAlone(e.Practice, e.Client)
	if err != nil {
		return e, err
	}
	all, err := t.EpisodesOf(e.Practice, e.Client)
	if err != nil {
		return e, err
	}
	for _, id := range all {
		if err := t.Audit(care.AuditEntry{ID: newID(), Practice: e.Practice, AtMillis: e.AtMillis, Actor: e.By, Action: "erase_episode", Record: e.Client, About: id}); err != nil {
			return e, err
		}
	}
	run := func(queries []string, about care.ID) error {
		for _, q := range queries {
			if _, err := t.exec(q, e.Practice, about); err != nil {
				return err
			}
		}
		return nil
	}
	if err := run(eraseOfClient, e.Client); err != nil {
		return e, err
	}
	for _, id := range alone {
		if err := run(eraseWithEpisode, id); err != nil {
			return e, err
		}
	}
	if err := run(eraseClientItself, e.Client); err != nil {
		return e, err
	}
	if _, err := t.exec("DELETE FROM data_key WHERE practice_id = $1 AND key_id = $2", e.Practice, clientKey(e.Client)); err != nil {
		return e, err
	}
	_, err = t.exec(`INSERT INTO erasure (practice_id, client_id, by_id, reason, at_millis, destroyed_millis, episodes, shared, sessions, responses, notes, invitations)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (practice_id, client_id) DO NOTHING`, e.Practice, e.Client, e.By, e.Reason, e.AtMillis, e.DestroyedMillis,
		e.Went.Episodes, e.Went.Shared, e.Went.Sessions, e.Went.Responses, e.Went.Notes, e.Went.Invitations)
	return e, err
}

// Erasures lists who was erased, the newest first.
func (t *Tx) Erasures(practice care.ID) ([]care.Erasure, error) {
	return list(t, func(r scanner) (e care.Erasure, err error) {
		w := &e.Went
		return e, r.Scan(&e.Practice, &e.Client, &e.By, &e.Reason, &e.AtMillis, &e.DestroyedMillis, &w.Episodes, &w.Shared, &w.Sessions, &w.Responses, &w.Notes, &w.Invitations)
	}, `SELECT practice_id, client_id, by_id, reason, at_millis, destroyed_millis, episodes, shared, sessions, responses, notes, invitations
		FROM erasure WHERE practice_id = $1 ORDER BY at_millis DESC, client_id DESC`, practice)
}

// Erased reports whether a client was erased, here or in a database that this one
// was restored from an earlier copy of.
func (t *Tx) Erased(practice, client care.ID) (bool, error) {
	n, err := one(t, scanCount, "SELECT COUNT(*) FROM erasure WHERE practice_id = $1 AND client_id = $2", practice, client)
	if err != nil || n > 0 || !t.s.vault.HasShares() {
		return n > 0, err
	}
	gone, err := t.s.vault.Erased(keyPlace(practice, clientKey(client)))
	if err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	return gone, nil
}

// DestroyKey makes whatever was ever sealed about an erased client unreadable, in
// every copy of the database, and notes when. It may be called again. Errors:
// not_found for a client whose erasure is not durable.
func (s *Store) DestroyKey(ctx context.Context, practice, client care.ID, nowMillis int64) error {
	err := s.Read(ctx, func(t *Tx) error {
		_, err := one(t, scanID, "SELECT client_id FROM erasure WHERE practice_id = $1 AND client_id = $2", practice, client)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.vault.Erase(keyPlace(practice, clientKey(client))); err != nil {
		return &care.Error{Code: care.Unavailable, Key: "erasure.not_destroyed", Err: err}
	}
	return s.Write(ctx, func(t *Tx) error {
		_, err := t.exec("UPDATE erasure SET destroyed_millis = $3 WHERE practice_id = $1 AND client_id = $2 AND destroyed_millis = 0", practice, client, nowMillis)
		return err
	})
}

// FinishErasures completes every erasure that was interrupted, and repeats those
// that a restored database does not know of yet; it also gives a share to each
// client's key that has none. It returns how many persons it erased. To be called
// at each start and after each restore.
func (s *Store) FinishErasures(ctx context.Context, nowMillis int64, newID func() care.ID) (erased int, err error) {
	if !s.vault.HasShares() {
		return 0, nil
	}
	err = s.eachKeys(ctx, func(batch []wrappedKey) error {
		for _, k := range batch {
			client, ok := strings.CutPrefix(k.name, "client:")
			if !ok {
				continue
			}
			gone, err := s.vault.Erased(keyPlace(k.practice, k.name))
			if err != nil {
				return fmt.Errorf("store: %w", err)
			}
			if !gone {
				if err := s.giveShare(ctx, k); err != nil {
					return err
				}
				continue
			}
			if err := s.eraseAgain(ctx, k.practice, care.ID(client), nowMillis, newID); err != nil {
				return err
			}
			erased++
		}
		return nil
	})
	if err != nil {
		return erased, err
	}
	n, err := s.destroyPending(ctx, nowMillis)
	return erased + n, err
}

// eraseAgain deletes the rows of a person whose key is destroyed already.
func (s *Store) eraseAgain(ctx context.Context, practice, client care.ID, nowMillis int64, newID func() care.ID) error {
	return s.Write(ctx, func(t *Tx) error {
		e := care.Erasure{Practice: practice, Client: client, By: "operator", Reason: care.ErasedBefore, AtMillis: nowMillis, DestroyedMillis: nowMillis}
		_, err := t.EraseClient(e, newID)
		if care.CodeOf(err) == care.NotFound { // another server was first
			return nil
		}
		if err != nil {
			return err
		}
		return t.Audit(care.AuditEntry{ID: newID(), Practice: practice, AtMillis: nowMillis, Actor: e.By, Action: "erase_client", Record: client, About: client, Changes: true})
	})
}

// giveShare makes a key erasable that was made before there were shares.
func (s *Store) giveShare(ctx context.Context, k wrappedKey) error {
	if vault.Erasable(k.wrapped) {
		return nil
	}
	next, had, err := s.vault.MakeErasable(keyPlace(k.practice, k.name), k.wrapped)
	if err != nil || !had {
		return s.fault("make erasable", err)
	}
	return s.Write(ctx, func(t *Tx) error {
		_, err := t.exec("UPDATE data_key SET wrapped = $1 WHERE practice_id = $2 AND key_id = $3 AND wrapped = $4", next, k.practice, k.name, k.wrapped)
		return err
	})
}

func (s *Store) destroyPending(ctx context.Context, nowMillis int64) (n int, err error) {
	practices, err := s.practiceIDs(ctx)
	for _, p := range practices {
		var pending []care.ID
		err = errors.Join(err, s.Read(ctx, func(t *Tx) (err error) {
			pending, err = list(t, scanID, "SELECT client_id FROM erasure WHERE practice_id = $1 AND destroyed_millis = 0 ORDER BY client_id", p)
			return err
		}))
		for _, c := range pending {
			if failed := s.DestroyKey(ctx, p, c, nowMillis); failed != nil {
				err = errors.Join(err, failed)
				continue
			}
			n++
		}
	}
	return n, err
}

// NeedsShares reports whether a client's key here opens only with its share, so
// that a missing folder of shares is not taken for a new one, and whether the
// vault has the key above it.
func (s *Store) NeedsShares(ctx context.Context) (needed, ours bool, err error) {
	enough := errors.New("seen enough")
	err = s.eachKeys(ctx, func(batch []wrappedKey) error {
		for _, k := range batch {
			if vault.Erasable(k.wrapped) {
				needed, ours = true, s.vault.WrappedUnder(k.wrapped) != ""
				return enough
			}
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return needed, ours, err
}
