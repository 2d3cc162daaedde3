// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/i18n"
)

// TestFirstAsking: a hundred clients worth asking about are all there, of one more
// the first hundred, and the page can say so.
func TestFirstAsking(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][2]int{0: {0, 0}, 100: {100, 0}, 101: {100, 101}} {
		if shown, beyond := firstAsking(make([]app.CaseloadRow, n)); len(shown) != want[0] || beyond != want[1] {
			t.Errorf("of %d: %d, of %d", n, len(shown), beyond)
		}
	}
}

// TestNamelessColleague: a name that does not open is said to be one, in a list and
// alone; it is never an empty place.
func TestNamelessColleague(t *testing.T) {
	t.Parallel()
	for lang, part := range map[string]string{"en": "whose name cannot be opened", "it": "il cui nome non si può aprire"} {
		p := i18n.For(lang)
		if text := p.List(whoAll(p, []string{"Ada", "", "Zoe"})); !strings.Contains(text, part) || !strings.Contains(text, "Ada") || !strings.Contains(text, "Zoe") {
			t.Errorf("%s: %q", lang, text)
		}
	}
}
