// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "github.com/entente-project/entente/internal/care"

const draftColumns = "draft_id, instrument, base, form, revision, staff_id, at_millis"

func draftFrom(practice care.ID) func(scanner) (care.Draft, error) {
	return func(r scanner) (care.Draft, error) {
		d := care.Draft{Practice: practice}
		return d, r.Scan(&d.ID, &d.Instrument, &d.Base, &d.Form, &d.Revision, &d.By, &d.AtMillis)
	}
}

// Drafts lists what a practice is writing, the newest first.
func (t *Tx) Drafts(practice care.ID) ([]care.Draft, error) {
	return list(t, draftFrom(practice), "SELECT "+draftColumns+" FROM instrument_draft WHERE practice_id = $1 ORDER BY at_millis DESC, draft_id DESC", practice)
}

// Draft is one of them.
func (t *Tx) Draft(practice, id care.ID) (care.Draft, error) {
	return one(t, draftFrom(practice), "SELECT "+draftColumns+" FROM instrument_draft WHERE practice_id = $1 AND draft_id = $2", practice, id)
}

// AddDraft keeps a new draft.
func (t *Tx) AddDraft(d care.Draft) error {
	return t.changed("INSERT INTO instrument_draft (practice_id, draft_id, instrument, base, form, revision, staff_id, at_millis) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		d.Practice, d.ID, d.Instrument, d.Base, d.Form, d.Revision, d.By, d.AtMillis)
}

// SaveDraft keeps what was typed as revision d.Revision, in the place of the one
// before it: not_found when that is not the newest any more.
func (t *Tx) SaveDraft(d care.Draft) error {
	return t.changed("UPDATE instrument_draft SET form = $3, revision = $4, staff_id = $5, at_millis = $6 WHERE practice_id = $1 AND draft_id = $2 AND revision = $7",
		d.Practice, d.ID, d.Form, d.Revision, d.By, d.AtMillis, d.Revision-1)
}

// DropDraft takes a draft away: not_found when revision is not the newest any more.
func (t *Tx) DropDraft(practice, id care.ID, revision int) error {
	return t.changed("DELETE FROM instrument_draft WHERE practice_id = $1 AND draft_id = $2 AND revision = $3", practice, id, revision)
}
