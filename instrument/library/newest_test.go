// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"testing"

	"github.com/entente-project/entente/instrument"
)

func TestNewest(t *testing.T) {
	t.Parallel()
	all := []*instrument.Instrument{{ID: "a", Version: 1}, {ID: "a", Version: 2}, {ID: "b", Version: 1}}
	if i, ok := newest(all, "a"); !ok || i.Version != 2 {
		t.Errorf("got %v %v, want version 2", i, ok)
	}
}
