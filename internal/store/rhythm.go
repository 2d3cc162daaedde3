// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"maps"
	"slices"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

// writeRhythms and readRhythms keep rhythms as "form=rhythm" words: neither has a
// space or a sign of equality in it.
func writeRhythms(rs map[string]care.Rhythm) string {
	var words []string
	for _, form := range slices.Sorted(maps.Keys(rs)) {
		if rs[form] != care.EverySession {
			words = append(words, form+"="+string(rs[form]))
		}
	}
	return strings.Join(words, " ")
}

func readRhythms(text string) (rs map[string]care.Rhythm) {
	for word := range strings.FieldsSeq(text) {
		if form, r, ok := strings.Cut(word, "="); ok {
			if rs == nil {
				rs = map[string]care.Rhythm{}
			}
			rs[form] = care.Rhythm(r)
		}
	}
	return rs
}

// SetRhythms changes at which sessions of an episode its forms are asked.
func (t *Tx) SetRhythms(practice, episode care.ID, rs map[string]care.Rhythm) error {
	return t.changed("UPDATE episode SET rhythms = $3 WHERE practice_id = $1 AND episode_id = $2", practice, episode, writeRhythms(rs))
}

// SetReview marks a session as a review, in which every form is asked, or not.
func (t *Tx) SetReview(practice, session care.ID, review bool) error {
	return t.changed("UPDATE session SET review = $3 WHERE practice_id = $1 AND session_id = $2", practice, session, review)
}

// GivenForms says of each form in which sessions of an episode it was answered about
// a client.
func (t *Tx) GivenForms(practice, episode, client care.ID) (map[string]map[care.ID]bool, error) {
	type row struct {
		form    string
		session care.ID
	}
	rows, err := list(t, func(r scanner) (x row, err error) { return x, r.Scan(&x.form, &x.session) },
		"SELECT DISTINCT instrument, session_id FROM response WHERE practice_id = $1 AND episode_id = $2 AND client_id = $3 ORDER BY instrument, session_id", practice, episode, client)
	out := map[string]map[care.ID]bool{}
	for _, x := range rows {
		if out[x.form] == nil {
			out[x.form] = map[care.ID]bool{}
		}
		out[x.form][x.session] = true
	}
	return out, err
}
