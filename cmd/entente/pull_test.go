// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

// TestPullJourney: a manager is told on the page of today that somebody opened
// very many clients, of which it names none, and says to have seen it.
func TestPullJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := serveDemo(t, lang)
			if err := d.store.Write(t.Context(), func(tx *store.Tx) error { return addPull(tx) }); err != nil {
				t.Fatal(err)
			}
			manager := newBrowser(t)
			manager.open(d.base + "/demo/" + d.links.therapist)
			manager.until("document.querySelector('.notice')")
			text := eval[string](manager, "document.querySelector('.notice').innerText")
			if !strings.Contains(text, "40") || !strings.Contains(text, "Paolo Costa") || strings.Contains(text, "Sofia") {
				t.Errorf("the notice says: %s", text)
			}
			manager.looks("pull-notice", lang)
			manager.click(".notice form[action$='/seen'] button")
			manager.until("location.pathname === '/today' && !document.querySelector('.notice')")
		})
	}
}

// addPull says of the demo's Paolo Costa that he opened forty clients.
func addPull(tx *store.Tx) error {
	ps, err := tx.Practices()
	if err != nil {
		return err
	}
	all, err := tx.AllStaff(ps[0].ID)
	if err != nil {
		return err
	}
	p := care.Pull{ID: care.ID(uuid.NewString()), Practice: ps[0].ID, AtMillis: ps[0].CreatedMillis, Clients: 40}
	var tell []care.ID
	for _, s := range all {
		if s.Email == "costa@studio-aurora.example" {
			p.Staff = s.ID
		}
		if slices.Contains(s.Roles, care.Manager) {
			tell = append(tell, s.ID)
		}
	}
	return tx.AddPull(p, tell)
}
