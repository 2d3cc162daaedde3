// SPDX-License-Identifier: AGPL-3.0-or-later

package library_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

// TestEaseOfForms: whoever answers can read it. A child's form asks for three
// years of school and is easy for who has five, an adolescent's for five, an
// adult's for six; the table is in the documents.
func TestEaseOfForms(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/instruments.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range library.All() {
		grade, gulpease := 6.0, 70.0
		switch {
		case f.Informant == instrument.Therapist:
			grade, gulpease = 9, 60
		case f.Informant == instrument.Client && slices.Contains(f.Ages, instrument.Child):
			grade, gulpease = 3, 80
		case f.Informant == instrument.Client && slices.Contains(f.Ages, instrument.Adolescent):
			grade, gulpease = 5, 75
		}
		en, it := f.EaseIn("en"), f.EaseIn("it")
		if en.Grade > grade || it.Gulpease < gulpease {
			t.Errorf("%s: grade %.1f, at most %v; Gulpease %.0f, at least %v", f.ID, en.Grade, grade, it.Gulpease, gulpease)
		}
		if row := fmt.Sprintf("| %s | %d | %.1f | %.0f |", f.ID, len(f.Items), max(0, en.Grade), it.Gulpease); !strings.Contains(string(page), row) {
			t.Errorf("docs/instruments.md lacks the row %q", row)
		}
	}
}

// TestFormsByReadersEye: longer sentences of longer words are harder, in both languages.
func TestFormsByReadersEye(t *testing.T) {
	t.Parallel()
	easy, hard := instrument.EaseOf("I like it here. You are kind."), instrument.EaseOf("Therapeutic collaboration necessitates explicit consideration of reciprocally acknowledged intentions")
	if easy.Grade > 2 || hard.Grade < 15 {
		t.Errorf("grades %.1f and %.1f", easy.Grade, hard.Grade)
	}
	facile, difficile := instrument.EaseOf("Qui si sta bene. Mi ascolti."), instrument.EaseOf("La collaborazione terapeutica presuppone l'esplicitazione di intenzionalità reciprocamente riconosciute")
	if facile.Gulpease < 90 || difficile.Gulpease > 40 {
		t.Errorf("Gulpease %.0f and %.0f", facile.Gulpease, difficile.Gulpease)
	}
}
