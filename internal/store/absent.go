// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"

	"github.com/entente-project/entente/internal/care"
)

// written are the tables whose rows are only ever deleted with a person, and by
// which action the audit says that a row was written.
var written = []struct{ act, table, id string }{
	{"add_client", "client", "client_id"},
	{"open_episode", "episode", "episode_id"},
	{"add_session", "session", "session_id"},
	{"record_rating", "response", "response_id"},
	{"add_note", "session_note", "note_id"},
	{"answer_signal", "conversation", "conversation_id"},
	{"close_episode", "closing", "closing_id"},
	{"agree_work", "agreed", "agreed_id"},
	{"report_work", "work_report", "report_id"},
	{"risk_signal", "risk_signal", "risk_id"},
	{"open_emergency", "emergency", "emergency_id"},
	{"add_holder", "consent_holder", "holder_id"},
	{"add_carer", "carer", "carer_id"},
	{"record_consent", "consent_record", "record_id"},
	{"record_grant", "instrument_grant", "grant_id"},
}

// mostAbsent bounds how many missing rows of a table are named.
const mostAbsent = 1_000

// checkAbsent calls found with each row that the audit says was written, that is
// not there, and that went with nobody who was erased. Rows that an import brought
// have no line each, and are not looked for.
func (s *Store) checkAbsent(ctx context.Context, practice care.ID, found func(care.Damaged) error) error {
	for _, w := range written {
		var gone []care.Damaged
		err := s.Read(ctx, func(t *Tx) (err error) {
			gone, err = list(t, func(r scanner) (d care.Damaged, err error) {
				d = care.Damaged{Practice: practice, Table: w.table, Column: care.Absent}
				return d, r.Scan(&d.Row)
			}, "SELECT a.record_id FROM audit a WHERE a.practice_id = $1 AND a.act = $2 AND NOT EXISTS (SELECT 1 FROM "+w.table+" x WHERE x.practice_id = $1 AND x."+w.id+` = a.record_id)
				AND NOT EXISTS (SELECT 1 FROM audit e WHERE e.practice_id = $1 AND e.about_id = a.about_id AND e.act IN ('erase_client', 'erase_episode'))
				ORDER BY a.audit_id LIMIT $3`, practice, w.act, mostAbsent)
			return err
		})
		if err != nil {
			return err
		}
		for _, d := range gone {
			if err := found(d); err != nil {
				return err
			}
		}
	}
	return nil
}
