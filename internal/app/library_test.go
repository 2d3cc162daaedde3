// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

// TestLibrary: each practice sees all that the program has, what it brought
// itself, and nothing that another one brought.
func TestLibrary(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		bring := func(a care.Actor, id string) {
			must(t, w.store.Write(w.ctx, func(tx *store.Tx) error { return tx.AddInstrument(a.Practice, id, 1, ownForm(id, 1)) }))
		}
		bring(w.neri, "ours-canary")
		bring(w.stranger, "theirs-canary")
		all := get[[]app.LibraryEntry](t)(w.app.Library(w.ctx, w.costa))
		states := map[string]app.LibraryState{}
		for _, e := range all {
			states[e.ID] = e.State
		}
		for id, want := range map[string]app.LibraryState{"session-client-adult": app.Ready, "ours-canary": app.BroughtIn, "core-10": app.WordingNeeded, "3rs": app.KeyIncomplete, "theirs-canary": ""} {
			if states[id] != want {
				t.Errorf("%s is %q, not %q", id, states[id], want)
			}
		}
		if n := len(library.Keys()) + 1; len(all) <= n {
			t.Errorf("%d instruments, of %d keys and more", len(all), n)
		}
		if _, err := w.app.LibraryInstrument(w.ctx, w.costa, "theirs-canary"); care.CodeOf(err) != care.NotFound {
			t.Errorf("another practice's form: %v", err)
		}
		for id, want := range map[string]string{"core-10": "[adult adolescent]", "wai-sr": "[adult]", "ors": "[adult adolescent]", "csrs": "[child]", "sdq": "[adolescent child]", "gbo": ""} {
			i := slices.IndexFunc(all, func(e app.LibraryEntry) bool { return e.ID == id })
			if got := fmt.Sprint(all[i].Ages); want != "" && got != want {
				t.Errorf("%s is for %s, not %s (%q)", id, got, want, all[i].Key.Ages)
			}
		}
	})
}

// ownForm is a practice's own form of two items as its file.
func ownForm(id string, version int) string {
	return fmt.Sprintf(`id: %s
version: %d
kind: outcome
languages: [en, it]
name: {en: "Sleep and rest", it: "Sonno e riposo"}
title: {en: "Your nights", it: "Le Sue notti"}
intro: {en: "Think of the last week.", it: "Pensi all'ultima settimana."}
informant: client
ages: [adult]
period: week
higher_is_better: true
validated: false
licence: {spdx: CC-BY-4.0, holder: "The practice", notice: {en: "Ours.", it: "Nostro."}}
items:
  - {id: a, display: line, min: 0, max: 10, step: 0.1, text: {en: "I slept", it: "Ho dormito"}, low: {en: "badly", it: "male"}, high: {en: "well", it: "bene"}}
  - {id: b, display: line, min: 0, max: 10, step: 0.1, text: {en: "I rested", it: "Ho riposato"}, low: {en: "badly", it: "male"}, high: {en: "well", it: "bene"}}
scales:
  - {id: rest, name: {en: "Rest", it: "Riposo"}, dimension: whole, items: [a, b], method: mean, missing_allowed: 0}
`, id, version)
}
