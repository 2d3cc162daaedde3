// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

type libraryTx interface {
	PracticeForms(practice care.ID) ([]care.PracticeForm, error)
}

// LibraryState says how far an instrument is from being asked.
type LibraryState string

// The states of an instrument in a practice.
const (
	Ready            LibraryState = "ready"
	BroughtIn        LibraryState = "brought" // earlier answers were imported with it; it is not asked
	PermissionNeeded LibraryState = "permission"
	WordingNeeded    LibraryState = "wording"
	KeyIncomplete    LibraryState = "incomplete"
)

// LibraryStates lists the states, the most usable first.
func LibraryStates() []LibraryState {
	return []LibraryState{Ready, BroughtIn, PermissionNeeded, WordingNeeded, KeyIncomplete}
}

// LibraryEntry is one instrument as a practice has it: a form of ours, a form of
// the practice's, the key of a published instrument, or key and form together.
type LibraryEntry struct {
	ID         string
	Name       instrument.Text
	Kind       instrument.Kind
	Informants []instrument.Informant
	// Ages are the bands it is for; nil when the published words do not tell.
	Ages  []instrument.AgeBand
	State LibraryState
	Ours  bool
	Key   *instrument.Key // nil: no published instrument of this id is known
	// Forms are the versions with words, oldest first.
	Forms []*instrument.Instrument
}

// Form is what scores are made by: the newest form, else the key's; nil for an
// incomplete key.
func (e LibraryEntry) Form() *instrument.Instrument {
	if n := len(e.Forms); n > 0 {
		return e.Forms[n-1]
	}
	if e.Key != nil {
		return e.Key.Form
	}
	return nil
}

// Library lists every instrument: our own forms, those of the practice, and the
// keys of published instruments; ready ones first, then by name. Any staff.
func (a *App) Library(ctx context.Context, actor care.Actor) (out []LibraryEntry, err error) {
	if err := care.May(actor, care.SeeLibrary); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		out, err = a.entries(tx, actor.Practice)
		return err
	})
	return out, err
}

// LibraryInstrument is one entry of Library. Errors: not_found for an id that
// neither the program nor this practice has.
func (a *App) LibraryInstrument(ctx context.Context, actor care.Actor, id string) (LibraryEntry, error) {
	all, err := a.Library(ctx, actor)
	if err != nil {
		return LibraryEntry{}, err
	}
	if i := slices.IndexFunc(all, func(e LibraryEntry) bool { return e.ID == id }); i >= 0 {
		return all[i], nil
	}
	return LibraryEntry{}, care.Missing()
}

// entries joins what the program has with what the practice brought, by id.
func (a *App) entries(tx Tx, practice care.ID) ([]LibraryEntry, error) {
	byID := map[string]*LibraryEntry{}
	at := func(id string) *LibraryEntry {
		if byID[id] == nil {
			byID[id] = &LibraryEntry{ID: id}
		}
		return byID[id]
	}
	for _, k := range library.Keys() {
		e := at(k.ID)
		e.Key, e.Name, e.Kind, e.Informants, e.Ages = k, instrument.Text{"en": k.Name}, k.Kind, k.Informants, k.Bands()
	}
	for _, f := range library.All() {
		e := at(f.ID)
		e.Ours = true
		e.take(f)
	}
	brought, err := tx.PracticeForms(practice)
	if err != nil {
		return nil, err
	}
	published := map[string]bool{}
	for _, b := range brought {
		published[b.Instrument] = published[b.Instrument] || b.PublishedMillis > 0
		f, err := a.instrumentFor(tx, practice, b.Instrument, b.Version)
		if err != nil {
			return nil, err
		}
		at(b.Instrument).take(f)
	}
	out := make([]LibraryEntry, 0, len(byID))
	for _, e := range byID {
		if e.State, err = stateOf(tx, practice, *e, published[e.ID]); err != nil {
			return nil, err
		}
		out = append(out, *e)
	}
	rank := LibraryStates()
	slices.SortFunc(out, func(x, y LibraryEntry) int {
		return cmp.Or(slices.Index(rank, x.State)-slices.Index(rank, y.State), strings.Compare(strings.ToLower(x.Name.In("en")), strings.ToLower(y.Name.In("en"))), strings.Compare(x.ID, y.ID))
	})
	return out, nil
}

// take adds a version with words, of which the newest names the entry.
func (e *LibraryEntry) take(f *instrument.Instrument) {
	e.Forms = append(e.Forms, f)
	e.Name, e.Kind, e.Informants, e.Ages = f.Name, f.Kind, []instrument.Informant{f.Informant}, f.Ages
}

func stateOf(tx Tx, practice care.ID, e LibraryEntry, published bool) (LibraryState, error) {
	switch {
	case e.Ours:
		return Ready, nil
	case published:
		may, err := mayAsk(tx, practice, e.ID)
		if err != nil || !may {
			return PermissionNeeded, err
		}
		return Ready, nil
	case len(e.Forms) > 0:
		return BroughtIn, nil
	case e.Key.Form == nil:
		return KeyIncomplete, nil
	}
	return WordingNeeded, nil
}
