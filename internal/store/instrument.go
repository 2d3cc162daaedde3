// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

// PracticeForms lists the forms that a practice brought, by id and version.
func (t *Tx) PracticeForms(practice care.ID) ([]care.PracticeForm, error) {
	return list(t, func(r scanner) (f care.PracticeForm, err error) {
		return f, r.Scan(&f.Instrument, &f.Version, &f.PublishedMillis)
	},
		"SELECT instrument, version, published_millis FROM practice_instrument WHERE practice_id = $1 ORDER BY instrument, version", practice)
}

// PublishInstrument keeps a version that can be asked. A version that is there
// already stays as it is, whatever it was answered: conflict.
func (t *Tx) PublishInstrument(practice care.ID, f care.PracticeForm, definition string) error {
	ok, err := t.added("INSERT INTO practice_instrument (practice_id, instrument, version, definition, published_millis) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		practice, f.Instrument, f.Version, definition, f.PublishedMillis)
	if err == nil && !ok {
		err = &care.Error{Code: care.Conflict, Field: "text", Key: "publish.version_taken"}
	}
	return err
}

// SetEpisodeForms changes which instruments are asked in an episode.
func (t *Tx) SetEpisodeForms(practice, episode care.ID, forms []string) error {
	return t.changed("UPDATE episode SET forms = $3 WHERE practice_id = $1 AND episode_id = $2", practice, episode, strings.Join(forms, " "))
}

const grantTable = "instrument_grant"

// grantText is what people wrote in a grant, sealed as one.
type grantText struct{ Licence, From, GivenOn, Note string }

// AddGrant keeps on what ground an instrument is used: conflict if another is in
// force.
func (t *Tx) AddGrant(g care.Grant) error {
	c, err := t.cell(g.Practice, practiceKey, grantTable, g.ID, g.Instrument+" "+string(g.Ground))
	if err != nil {
		return err
	}
	text, err := json.Marshal(grantText{g.Licence, g.From, g.GivenOn, g.Note})
	if err != nil {
		return fmt.Errorf("store: grant: %w", err)
	}
	details := c.seal("details", text)
	var file []byte
	if g.FileKind != "" {
		file = c.seal("file", g.File)
	}
	if err := c.err(); err != nil {
		return err
	}
	ok, err := t.added(`INSERT INTO instrument_grant (practice_id, grant_id, instrument, ground, details, file_kind, file, staff_id, at_millis, ended_millis, ended_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '') ON CONFLICT DO NOTHING`,
		g.Practice, g.ID, g.Instrument, g.Ground, details, g.FileKind, file, g.By, g.AtMillis)
	if err == nil && !ok {
		err = &care.Error{Code: care.Conflict, Key: "grant.in_force"}
	}
	return err
}

// Grants lists the grants of a practice without their files, newest first.
func (t *Tx) Grants(practice care.ID) ([]care.Grant, error) {
	type row struct {
		g               care.Grant
		details, reason []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) {
		return x, r.Scan(&x.g.ID, &x.g.Instrument, &x.g.Ground, &x.details, &x.g.FileKind, &x.g.By, &x.g.AtMillis, &x.g.EndedMillis, &x.g.EndedBy, &x.reason)
	}, `SELECT grant_id, instrument, ground, details, file_kind, staff_id, at_millis, ended_millis, ended_by, reason
		FROM instrument_grant WHERE practice_id = $1 ORDER BY at_millis DESC, grant_id DESC`, practice)
	if err != nil {
		return nil, err
	}
	out := make([]care.Grant, 0, len(rows))
	for _, x := range rows {
		c, err := t.cell(practice, practiceKey, grantTable, x.g.ID, x.g.Instrument+" "+string(x.g.Ground))
		if err != nil {
			return nil, err
		}
		plain := c.open("details", x.details)
		if x.reason != nil {
			x.g.EndReason = string(c.open("reason", x.reason))
		}
		if err := c.err(); err != nil {
			return nil, t.s.fault("open", err)
		}
		var text grantText
		if err := json.Unmarshal(plain, &text); err != nil {
			return nil, fmt.Errorf("store: grant %s: %w", x.g.ID, err)
		}
		x.g.Practice, x.g.Licence, x.g.From, x.g.GivenOn, x.g.Note = practice, text.Licence, text.From, text.GivenOn, text.Note
		out = append(out, x.g)
	}
	return out, nil
}

// GrantFile returns the file of a grant and its content type: not_found for a
// grant without one.
func (t *Tx) GrantFile(practice, id care.ID) (kind string, data []byte, err error) {
	type row struct {
		instrument, ground, kind string
		file                     []byte
	}
	x, err := one(t, func(r scanner) (x row, err error) { return x, r.Scan(&x.instrument, &x.ground, &x.kind, &x.file) },
		"SELECT instrument, ground, file_kind, file FROM instrument_grant WHERE practice_id = $1 AND grant_id = $2 AND file IS NOT NULL", practice, id)
	if err != nil {
		return "", nil, err
	}
	c, err := t.cell(practice, practiceKey, grantTable, id, x.instrument+" "+x.ground)
	if err != nil {
		return "", nil, err
	}
	data = c.open("file", x.file)
	return x.kind, data, t.s.fault("open", c.err())
}

// Granted reports whether a grant for an instrument is in force.
func (t *Tx) Granted(practice care.ID, instrument string) (bool, error) {
	n, err := one(t, func(r scanner) (n int64, err error) { return n, r.Scan(&n) },
		"SELECT COUNT(*) FROM instrument_grant WHERE practice_id = $1 AND instrument = $2 AND ended_millis = 0", practice, instrument)
	return n > 0, err
}

// EndGrant withdraws a grant that is in force: not_found for any other.
func (t *Tx) EndGrant(g care.Grant) error {
	c, err := t.cell(g.Practice, practiceKey, grantTable, g.ID, g.Instrument+" "+string(g.Ground))
	if err != nil {
		return err
	}
	reason := c.seal("reason", []byte(g.EndReason))
	if err := c.err(); err != nil {
		return err
	}
	return t.changed("UPDATE instrument_grant SET ended_millis = $3, ended_by = $4, reason = $5 WHERE practice_id = $1 AND grant_id = $2 AND ended_millis = 0",
		g.Practice, g.ID, g.EndedMillis, g.EndedBy, reason)
}
