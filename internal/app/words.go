// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

// BoundWords is what came of the words of a file and an instrument's key: a form
// with its file as text, ready to be published as the next version, or all that
// does not agree.
type BoundWords struct {
	instrument.Binding
	Text string
}

// BindWords reads the words of a published instrument from a file and joins them
// to its key. Nothing is kept. Managers only. Errors: not_found for an instrument
// without a key; invalid with Field file for a file that cannot be read, and for an
// instrument that cannot be asked.
func (a *App) BindWords(ctx context.Context, actor care.Actor, id, file string, data []byte, c instrument.Choice) (out BoundWords, err error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return out, err
	}
	k, ok := library.Key(id)
	switch {
	case !ok:
		return out, care.Missing()
	case k.Form == nil:
		return out, care.Bad("file", "publish.key_incomplete")
	case len(data) == 0:
		return out, care.Bad("file", "wording.file_needed")
	case len(data) > maxWording:
		return out, care.Bad("file", "field.too_long")
	}
	w, err := ReadWording(file, data)
	if err != nil {
		return out, &care.Error{Code: care.Invalid, Field: "file", Key: "wording.unreadable", Args: map[string]string{"Why": err.Error()}, Err: err}
	}
	err = a.read(ctx, func(tx Tx) error {
		all, err := tx.PracticeForms(actor.Practice)
		for _, f := range all {
			if f.Instrument == id {
				c.Version = max(c.Version, f.Version+1)
			}
		}
		return err
	})
	if err != nil {
		return out, err
	}
	out.Binding = instrument.Bind(k, w, c)
	out.Notes = append(w.Notes, out.Notes...)
	if out.Form == nil {
		return out, nil
	}
	text, err := instrument.Format(out.Form)
	out.Text = string(text)
	return out, err
}
