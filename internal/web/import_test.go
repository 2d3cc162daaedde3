// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"testing"

	"github.com/entente-project/entente/internal/i18n"
	"github.com/entente-project/entente/internal/table"
)

// TestEveryProblemIsTranslated: whatever is wrong with a file is said in the
// reader's language.
func TestEveryProblemIsTranslated(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		for _, code := range table.Codes() {
			if !i18n.For(lang).Has("import." + code) {
				t.Errorf("%s: import.%s is missing", lang, code)
			}
		}
	}
}
