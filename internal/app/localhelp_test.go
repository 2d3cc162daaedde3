// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestLocalHelp: what a manager writes stands on the form, and never on another
// practice's; one that does not open hinders nobody from answering.
func TestLocalHelp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if h := get[care.LocalHelp](t)(w.app.LocalHelp(w.ctx, w.boss)); len(h) != 0 {
			t.Errorf("before anything was written: %v", h)
		}
		if got := get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent)).Help; got != (app.HelpShown{Age: care.Adult}) {
			t.Errorf("the form says %q", got)
		}
		must(t, w.app.SetLocalHelp(w.ctx, w.boss, care.LocalHelp{"en": {All: " first "}}))
		must(t, w.app.SetLocalHelp(w.ctx, w.boss, care.LocalHelp{"en": {All: " Night doctor: 116117 "}}))
		want := app.HelpShown{Text: "Night doctor: 116117", Language: "en", Age: care.Adult}
		if got := get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent)).Help; got != want {
			t.Errorf("the form says %q", got)
		}
		if h := get[care.LocalHelp](t)(w.app.LocalHelp(w.ctx, w.stranger)); len(h) != 0 {
			t.Errorf("another practice reads %v", h)
		}
		if got := keyOf(w.app.SetLocalHelp(w.ctx, w.boss, care.LocalHelp{"xx": {All: "a"}})); got != "field.choice" {
			t.Errorf("a language of no form: %q", got)
		}
		_, err := w.db.ExecContext(w.ctx, "UPDATE local_help SET body = $1", append([]byte{1, 1}, make([]byte, 60)...))
		must(t, err)
		f := get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent))
		if f.Help != (app.HelpShown{}) {
			t.Errorf("a text that does not open is shown: %q", f.Help)
		}
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.respondent, filled(f, "", .5, 1)))
		if got := keyOf(errorOf(w.app.LocalHelp(w.ctx, w.boss))); got != "error.tampered" {
			t.Errorf("its manager is not told: %q", got)
		}
		must(t, w.app.SetLocalHelp(w.ctx, w.boss, care.LocalHelp{"en": {All: "again"}}))
		if h := get[care.LocalHelp](t)(w.app.LocalHelp(w.ctx, w.boss)); h["en"].All != "again" {
			t.Errorf("written again: %v", h)
		}
	})
}
