// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestLocalHelp: what a manager writes stands on the form, and never on another
// practice's.
func TestLocalHelp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		if h := get[care.LocalHelp](t)(w.app.LocalHelp(w.ctx, w.boss)); len(h) != 0 {
			t.Errorf("before anything was written: %v", h)
		}
		if got := get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent)).Help; got != (app.HelpShown{}) {
			t.Errorf("the form says %q", got)
		}
		must(t, w.app.SetLocalHelp(w.ctx, w.boss, care.LocalHelp{"en": {All: " first "}}))
		must(t, w.app.SetLocalHelp(w.ctx, w.boss, care.LocalHelp{"en": {All: " Night doctor: 116117 "}}))
		want := app.HelpShown{Text: "Night doctor: 116117", Language: "en"}
		if got := get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent)).Help; got != want {
			t.Errorf("the form says %q", got)
		}
		if h := get[care.LocalHelp](t)(w.app.LocalHelp(w.ctx, w.stranger)); len(h) != 0 {
			t.Errorf("another practice reads %v", h)
		}
		if got := keyOf(w.app.SetLocalHelp(w.ctx, w.boss, care.LocalHelp{"xx": {All: "a"}})); got != "field.choice" {
			t.Errorf("a language of no form: %q", got)
		}
	})
}
