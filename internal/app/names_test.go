// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestHiddenCharacters: a name with something in it that cannot be seen is
// refused, and one in any script is not.
func TestHiddenCharacters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		add := func(label string) error {
			_, err := w.app.AddClient(w.ctx, w.neri, app.NewClient{
				Label: label, AgeBand: care.Adult, Language: "it",
			})
			return err
		}
		for _, label := range []string{"Anna\nBianchi", "Anna\x00", "Anna\u202eihcnaiB", "An\u200bna", "Anna\u2028B", "\ufeffAnna", "Anna\x1b[2J", "Anna\ufffd"} {
			if err := add(label); care.CodeOf(err) != care.Invalid {
				t.Errorf("%q: %v", label, err)
			}
		}
		for _, label := range []string{"Zoë", "Àlex", "王芳", "محمد", "נועה", "می\u200cخواهم", "क्\u200dष", "👩\u200d👧", "O’Neill-D’Angelo", "A. B."} {
			if err := add(label); err != nil {
				t.Errorf("%q: %v", label, err)
			}
		}
	})
}
