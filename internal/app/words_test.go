// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// gadWords are words of our own in the shape of the GAD-7.
const gadWords = "item,text:en,0:en,1:en,2:en,3:en\nowner,(c) Owner,,,,\n1,One?,no,a bit,more,much\n2,Two?,,,,\n3,Three?,,,,\n4,Four?,,,,\n5,Five?,,,,\n6,Six?,,,,\n7,Seven?,,,,\n"

// TestBindWords: a file of words becomes the next version of a form, and what
// cannot be is said at the file.
func TestBindWords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, version := range []string{"version: 1", "version: 2"} {
			b := get[app.BoundWords](t)(w.app.BindWords(w.ctx, w.neri, "gad-7", "w.csv", []byte(gadWords), instrument.Choice{}))
			if b.Form == nil || !strings.Contains(b.Text, version) {
				t.Fatal(b.Mismatches, b.Text)
			}
			get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.neri, b.Text))
		}
		b := get[app.BoundWords](t)(w.app.BindWords(w.ctx, w.neri, "gad-7", "w.csv", []byte(gadWords+"8,Eight?,,,,\n"), instrument.Choice{}))
		if b.Form != nil || len(b.Mismatches) != 1 || b.Mismatches[0].Decide != instrument.LeaveOutOrKeep {
			t.Errorf("%+v", b)
		}
		for key, in := range map[string][3]string{
			"publish.key_incomplete": {"calpas-p", "w.csv", gadWords}, "wording.file_needed": {"gad-7", "w.csv", ""},
			"wording.unreadable": {"gad-7", "w.json", "{}"},
		} {
			_, err := w.app.BindWords(w.ctx, w.neri, in[0], in[1], []byte(in[2]), instrument.Choice{})
			if e, ok := err.(*care.Error); !ok || e.Key != key || e.Field != "file" { //nolint:errorlint // it is the error itself
				t.Errorf("%s: %v", key, err)
			}
		}
		if _, err := w.app.BindWords(w.ctx, w.neri, "session-client-adult", "w.csv", []byte(gadWords), instrument.Choice{}); care.CodeOf(err) != care.NotFound {
			t.Error(err)
		}
	})
}
