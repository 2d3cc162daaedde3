// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import "github.com/entente-project/entente/internal/care"

// PracticeForms lists the forms that a practice brought, by id and version.
func (t *Tx) PracticeForms(practice care.ID) ([]care.PracticeForm, error) {
	return list(t, func(r scanner) (f care.PracticeForm, err error) { return f, r.Scan(&f.Instrument, &f.Version) },
		"SELECT instrument, version FROM practice_instrument WHERE practice_id = $1 ORDER BY instrument, version", practice)
}
