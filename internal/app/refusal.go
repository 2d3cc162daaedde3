// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/care"
)

// NoteRefusal keeps in the audit that the actor asked for a record and was
// refused. A record of the practice is noted with the client or episode it is
// about, so that it stands in the list of who has seen them; one that does not
// exist is noted as well, and what is no identifier is left out. Staff only.
func (a *App) NoteRefusal(ctx context.Context, actor care.Actor, record care.ID) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	if uuid.Validate(string(record)) != nil {
		record = ""
	}
	return a.write(ctx, func(tx Tx) error {
		about, err := aboutOf(tx, actor.Practice, record)
		if err != nil {
			return err
		}
		return a.audit(tx, actor, "refused", record, about, false)
	})
}

// aboutOf is the client or the episode a record is about, "" for neither.
func aboutOf(tx Tx, practice, record care.ID) (care.ID, error) {
	of, err := tx.EpisodesOf(practice, record)
	if err != nil {
		return "", err
	}
	if len(of) > 0 {
		return record, nil
	}
	switch s, err := tx.Session(practice, record); care.CodeOf(err) {
	case "":
		return s.Episode, nil
	case care.NotFound:
	default:
		return "", err
	}
	switch _, err := tx.Episode(practice, record); care.CodeOf(err) {
	case "":
		return record, nil
	case care.NotFound:
		return "", nil
	default:
		return "", err
	}
}
