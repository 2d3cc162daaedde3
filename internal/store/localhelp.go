// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/entente-project/entente/internal/care"
)

// LocalHelp is what a practice tells of help; empty where it has said nothing.
func (t *Tx) LocalHelp(practice care.ID) (care.LocalHelp, error) {
	type row struct {
		language string
		body     []byte
	}
	rows, err := list(t, func(r scanner) (x row, err error) { return x, r.Scan(&x.language, &x.body) },
		"SELECT language, body FROM local_help WHERE practice_id = $1 ORDER BY language", practice)
	if err != nil {
		return nil, err
	}
	h := care.LocalHelp{}
	for _, x := range rows {
		c, err := t.cell(practice, practiceKey, "local_help", care.ID(x.language), "")
		if err != nil {
			return nil, err
		}
		body := c.open("body", x.body)
		if err := c.err(); err != nil {
			return nil, t.s.fault("open", err)
		}
		var text care.HelpText
		if err := json.Unmarshal(body, &text); err != nil {
			return nil, t.s.fault("read what a practice tells of help", err)
		}
		h[x.language] = text
	}
	return h, nil
}

// SetLocalHelp puts h in the place of what a practice told before.
func (t *Tx) SetLocalHelp(practice care.ID, h care.LocalHelp) error {
	if _, err := t.exec("DELETE FROM local_help WHERE practice_id = $1", practice); err != nil {
		return err
	}
	for _, language := range slices.Sorted(maps.Keys(h)) {
		text, err := json.Marshal(h[language])
		if err != nil {
			return t.s.fault("write what a practice tells of help", err)
		}
		c, err := t.cell(practice, practiceKey, "local_help", care.ID(language), "")
		if err != nil {
			return err
		}
		body := c.seal("body", text)
		if err := c.err(); err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO local_help (practice_id, language, body) VALUES ($1, $2, $3)", practice, language, body); err != nil {
			return err
		}
	}
	return nil
}
