// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"testing"

	"github.com/entente-project/entente/internal/app"
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
