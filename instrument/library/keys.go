// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/entente-project/entente/instrument"
)

//go:embed keys/*.yaml
var keyFiles embed.FS

// parsedKeys panics on a bad file, as parsed does.
var parsedKeys = sync.OnceValue(func() []*instrument.Key {
	entries, err := keyFiles.ReadDir("keys")
	if err != nil {
		panic(fmt.Errorf("keys of instruments: %w", err))
	}
	var out []*instrument.Key
	for _, e := range entries {
		data, err := keyFiles.ReadFile("keys/" + e.Name())
		if err != nil {
			panic(fmt.Errorf("keys of instruments: %w", err))
		}
		k, err := instrument.ParseKey(e.Name(), data)
		if err != nil {
			panic(fmt.Errorf("keys of instruments: %w", err))
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b *instrument.Key) int { return strings.Compare(a.ID, b.ID) })
	return out
})

// Keys are the keys of published instruments, by ID. They hold no words of
// anybody's, are shared and must not be changed.
func Keys() []*instrument.Key { return slices.Clone(parsedKeys()) }

// Key is the key of one published instrument; false if the library has none.
func Key(id string) (*instrument.Key, bool) {
	for _, k := range parsedKeys() {
		if k.ID == id {
			return k, true
		}
	}
	return nil, false
}
