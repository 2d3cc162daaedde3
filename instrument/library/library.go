// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"sync"

	"github.com/entente-project/entente/instrument"
)

//go:embed *.yaml
var files embed.FS

// parsed panics on a bad file: the files are part of the program, and a test
// parses each of them.
var parsed = sync.OnceValue(func() []*instrument.Instrument {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(fmt.Errorf("instrument library: %w", err))
	}
	var out []*instrument.Instrument
	for _, e := range entries {
		data, err := files.ReadFile(e.Name())
		if err != nil {
			panic(fmt.Errorf("instrument library: %w", err))
		}
		i, err := instrument.Parse(e.Name(), data)
		if err != nil {
			panic(fmt.Errorf("instrument library: %w", err))
		}
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b *instrument.Instrument) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version))
	})
	return out
})

// All is every version of every form, by ID and then by version. The forms are
// shared and must not be changed.
func All() []*instrument.Instrument { return slices.Clone(parsed()) }

// Get is the newest version of a form; false if the library has none.
func Get(id string) (*instrument.Instrument, bool) { return newest(parsed(), id) }

// newest expects the order of All.
func newest(all []*instrument.Instrument, id string) (*instrument.Instrument, bool) {
	for _, i := range slices.Backward(all) {
		if i.ID == id {
			return i, true
		}
	}
	return nil, false
}

// GetVersion is one version of a form; false if the library does not have it.
func GetVersion(id string, version int) (*instrument.Instrument, bool) {
	for _, i := range parsed() {
		if i.ID == id && i.Version == version {
			return i, true
		}
	}
	return nil, false
}
