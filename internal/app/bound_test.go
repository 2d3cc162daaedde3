// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestPublishBound: a form that was made of a published key and somebody's words
// can be published, asked and answered, with a question beyond the key.
func TestPublishBound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		k, _ := library.Key("gad-7")
		words := &instrument.Wording{Language: "en", Title: instrument.Text{"en": "Questions"}, Owner: instrument.Text{"en": "(c) Owner"}}
		for n := range 8 {
			p := instrument.WordedPart{Kind: instrument.QuestionPart, ID: fmt.Sprintf("q%d", n+1), Text: instrument.Text{"en": "How?"}}
			for v := range 4 {
				p.Options = append(p.Options, instrument.WordedOption{Value: float64(v), Scored: true, Label: instrument.Text{"en": fmt.Sprint(v)}})
			}
			words.Parts = append(words.Parts, p)
		}
		b := instrument.Bind(k, words, instrument.Choice{Keep: []string{"q8"}})
		if b.Form == nil {
			t.Fatal(b.Mismatches)
		}
		text := string(get[[]byte](t)(instrument.Format(b.Form)))
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, text))
		entry := get[app.LibraryEntry](t)(w.app.LibraryInstrument(w.ctx, w.neri, "gad-7"))
		if entry.State != app.PermissionNeeded || len(entry.Forms) != 1 || len(entry.Forms[0].Items) != 8 || !slices.Equal(entry.Forms[0].Scales[0].Items, k.Form.Scales[0].Items) {
			t.Errorf("%+v", entry)
		}
		// A question beyond the key that is scored is another instrument.
		scored := strings.Replace(text, `items: ["1",`, `items: [extra1, "1",`, 1)
		if _, err := w.app.PublishForm(w.ctx, w.neri, strings.Replace(scored, "version: 1", "version: 2", 1)); scored == text || care.CodeOf(err) != care.Invalid {
			t.Error(err)
		}
	})
}
