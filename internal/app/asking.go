// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

type askingTx interface {
	PublishInstrument(practice care.ID, f care.PracticeForm, definition string) error
	SetEpisodeForms(practice, episode care.ID, forms []string) error
}

// maxDefinition bounds the file of a form.
const maxDefinition = 256 << 10

// readForm reads a practice's own form from its file and says what is wrong.
func readForm(text string) (*instrument.Instrument, error) {
	if len(text) > maxDefinition {
		return nil, care.Bad("text", "field.too_long")
	}
	f, err := instrument.Parse("form", []byte(text))
	if err != nil {
		return nil, &care.Error{Code: care.Invalid, Field: "text", Key: "publish.unreadable", Args: map[string]string{"Why": err.Error()}, Err: err}
	}
	if _, ours := library.Get(f.ID); ours {
		return nil, care.Bad("text", "publish.id_ours")
	}
	if k, ok := library.Key(f.ID); ok {
		if k.Form == nil {
			return nil, care.Bad("text", "publish.key_incomplete")
		}
		if why := differs(k.Form, f); why != "" {
			return nil, &care.Error{Code: care.Invalid, Field: "text", Key: "publish.not_as_key", Args: map[string]string{"What": why}}
		}
	}
	return f, nil
}

// differs names the first thing in which a form is not scored as its key says.
// Items after the key's are asked and in no scale.
func differs(key, f *instrument.Instrument) string {
	if len(f.Items) < len(key.Items) {
		return fmt.Sprintf("items: %d, %d", len(f.Items), len(key.Items))
	}
	for i, it := range key.Items {
		if g := f.Items[i]; g.ID != it.ID || g.Min != it.Min || g.Max != it.Max {
			return fmt.Sprintf("item %s (%v-%v): %s (%v-%v)", it.ID, it.Min, it.Max, g.ID, g.Min, g.Max)
		}
	}
	if len(f.Scales) != len(key.Scales) {
		return fmt.Sprintf("scales: %d, %d", len(f.Scales), len(key.Scales))
	}
	for _, s := range key.Scales {
		g, ok := f.Scale(s.ID)
		if !ok || !slices.Equal(s.Items, g.Items) || !slices.Equal(s.Reversed, g.Reversed) || !slices.Equal(s.Parts, g.Parts) || s.Method != g.Method ||
			s.Times != g.Times || s.Rounded != g.Rounded || s.MissingAllowed != g.MissingAllowed || s.HigherIsBetter != g.HigherIsBetter {
			return "scale " + s.ID
		}
	}
	return ""
}

// PreviewForm reads the file of a form of the practice's and says what is wrong
// with it. Nothing is kept. Managers only.
func (a *App) PreviewForm(ctx context.Context, actor care.Actor, text string) (*instrument.Instrument, error) {
	if err := care.May(actor, care.LicenseForms); err != nil {
		return nil, err
	}
	f, err := readForm(text)
	if err != nil || !AsksRisk(f.ID) {
		return f, err
	}
	return f, a.read(ctx, func(tx Tx) error { return mayAskRisk(tx, actor.Practice, f.ID) })
}

// PublishForm keeps a form of the practice's as the version that its file names.
// It is asked once a ground to use its words is recorded as well. Managers only.
// Errors: invalid with Field text; conflict for a version that is there already,
// which never changes.
func (a *App) PublishForm(ctx context.Context, actor care.Actor, text string) (*instrument.Instrument, error) {
	f, err := a.PreviewForm(ctx, actor, text)
	if err != nil {
		return nil, err
	}
	return f, a.write(ctx, func(tx Tx) error {
		if err := mayAskRisk(tx, actor.Practice, f.ID); err != nil {
			return err
		}
		p := care.PracticeForm{Instrument: f.ID, Version: f.Version, PublishedMillis: a.nowMillis()}
		if err := tx.PublishInstrument(actor.Practice, p, text); err != nil {
			return err
		}
		return a.audit(tx, actor, "publish_form", "", "", true)
	})
}

// usable is the newest version of an instrument that a practice may ask now.
// Errors: not_found for one without published words or without a ground.
func (a *App) usable(tx Tx, practice care.ID, id string) (*instrument.Instrument, error) {
	if f, ours := library.Get(id); ours {
		return f, nil
	}
	ok, err := mayAsk(tx, practice, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, care.Missing()
	}
	all, err := tx.PracticeForms(practice)
	if err != nil {
		return nil, err
	}
	for _, f := range slices.Backward(all) {
		if f.Instrument == id && f.PublishedMillis > 0 {
			return a.instrumentFor(tx, practice, id, f.Version)
		}
	}
	return nil, care.Missing()
}

// asking reads an episode for whoever asks: of its forms those that are not ours
// stand as "id@version", and those that may not be asked now are left out.
func (a *App) asking(tx Tx, practice, id care.ID) (care.Episode, error) {
	e, err := tx.Episode(practice, id)
	if err != nil {
		return e, err
	}
	var now []string
	for _, id := range e.Forms {
		if _, ours := library.Get(id); !ours {
			f, err := a.usable(tx, practice, id)
			if care.CodeOf(err) == care.NotFound {
				continue
			}
			if err != nil {
				return e, err
			}
			id = f.Key()
		}
		now = append(now, id)
	}
	e.Forms = now
	return e, nil
}

// formNow is a form by its name in an episode that asking has read.
func (a *App) formNow(practice care.ID, name string) (*instrument.Instrument, bool) {
	if f, ok := library.Get(name); ok {
		return f, true
	}
	f, ok := a.defined.Load(string(practice) + "/" + name)
	if !ok {
		return nil, false
	}
	return f.(*instrument.Instrument), true
}

// askedVersion is the form that was sent: one of the episode's, in any published
// version, for whoever had it open when the next one came. Errors: not_found.
func (a *App) askedVersion(tx Tx, e care.Episode, in Submission) (*instrument.Instrument, error) {
	if f, ours := library.GetVersion(in.Instrument, in.Version); ours {
		if !slices.Contains(e.Forms, in.Instrument) {
			return nil, care.Missing()
		}
		return f, nil
	}
	if !slices.ContainsFunc(e.Forms, func(name string) bool { id, _, _ := strings.Cut(name, "@"); return id == in.Instrument }) {
		return nil, care.Missing()
	}
	return a.publishedVersion(tx, e.Practice, in)
}

// publishedVersion is the form that was sent, whether or not it is asked now: one
// that the practice has published. Errors: not_found.
func (a *App) publishedVersion(tx Tx, practice care.ID, in Submission) (*instrument.Instrument, error) {
	all, err := tx.PracticeForms(practice)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(f care.PracticeForm) bool {
		return f.Instrument == in.Instrument && f.Version == in.Version && f.PublishedMillis > 0
	}) {
		return nil, care.Missing()
	}
	return a.instrumentFor(tx, practice, in.Instrument, in.Version)
}

// EpisodeForms is which forms can be asked in an episode, and which are.
type EpisodeForms struct {
	Episode  care.ID
	Client   care.Client
	Forms    []*instrument.Instrument
	Asked    map[string]bool
	Rhythms  map[string]care.Rhythm // of those that are not asked at every session
	NotAsked []string               // chosen earlier, and without words or ground now
}

// EpisodeForms lists the forms that fit the client and may be asked, ours and the
// practice's. Therapists of the episode only.
func (a *App) EpisodeForms(ctx context.Context, actor care.Actor, episode care.ID) (v EpisodeForms, err error) {
	err = a.read(ctx, func(tx Tx) error {
		v, err = a.episodeForms(tx, actor, episode)
		return err
	})
	return v, err
}

func (a *App) episodeForms(tx Tx, actor care.Actor, episode care.ID) (v EpisodeForms, err error) {
	if err := a.permit(tx, actor, care.RunSessions, episode); err != nil {
		return v, err
	}
	e, err := tx.Episode(actor.Practice, episode)
	if err != nil {
		return v, err
	}
	v = EpisodeForms{Episode: e.ID, Asked: map[string]bool{}, Rhythms: e.Rhythms}
	if v.Client, err = tx.Client(actor.Practice, e.Clients[0]); err != nil {
		return v, err
	}
	v.Forms = Instruments(v.Client.AgeBand)
	brought, err := tx.PracticeForms(actor.Practice)
	if err != nil {
		return v, err
	}
	for i, b := range brought {
		if i+1 < len(brought) && brought[i+1].Instrument == b.Instrument {
			continue
		}
		f, err := a.usable(tx, actor.Practice, b.Instrument)
		if care.CodeOf(err) == care.NotFound {
			continue
		}
		if err != nil {
			return v, err
		}
		if slices.Contains(f.Ages, instrument.AgeBand(v.Client.AgeBand)) {
			v.Forms = append(v.Forms, f)
		}
	}
	for _, id := range e.Forms {
		v.Asked[id] = true
		if !slices.ContainsFunc(v.Forms, func(f *instrument.Instrument) bool { return f.ID == id }) {
			v.NotAsked = append(v.NotAsked, id)
		}
	}
	return v, nil
}

// ChooseForms changes which forms are asked in an episode from now on; what was
// answered stays. Therapists of the episode only. Errors: invalid for a form that
// does not fit the client, has no words here, or none that the practice may use.
func (a *App) ChooseForms(ctx context.Context, actor care.Actor, episode care.ID, ids []string) error {
	return a.ChooseFormsAt(ctx, actor, episode, ids, nil)
}

// ChooseFormsAt is ChooseForms with the rhythms of those forms that are not to be
// asked at every session; nil leaves the rhythms as they are. Errors: invalid, with
// Field forms, for a rhythm that is none, or of a form that has none of its own.
func (a *App) ChooseFormsAt(ctx context.Context, actor care.Actor, episode care.ID, ids []string, rhythms map[string]care.Rhythm) error {
	return a.write(ctx, func(tx Tx) error {
		v, err := a.episodeForms(tx, actor, episode)
		if err != nil {
			return err
		}
		var chosen []string
		for _, id := range ids {
			if !slices.ContainsFunc(v.Forms, func(f *instrument.Instrument) bool { return f.ID == id }) {
				return care.Bad("forms", "field.choice")
			}
			if !slices.Contains(chosen, id) {
				chosen = append(chosen, id)
			}
		}
		if len(chosen) == 0 {
			return care.Bad("forms", "asking.at_least_one")
		}
		rs, err := v.rhythms(chosen, rhythms)
		if err != nil {
			return err
		}
		if err := tx.SetRhythms(actor.Practice, episode, rs); err != nil {
			return err
		}
		if err := tx.SetEpisodeForms(actor.Practice, episode, chosen); err != nil {
			return err
		}
		return a.audit(tx, actor, "choose_forms", episode, episode, true)
	})
}
