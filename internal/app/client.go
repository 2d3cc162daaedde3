// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

type clientTx interface {
	AddClient(care.Client) error
	ChangeClient(care.Client) error
	Client(practice, id care.ID) (care.Client, error)
	NamedClient(practice, id care.ID) (care.Client, error)
	ClientLanguage(practice, id care.ID) (string, error)
	Caseload(practice, staff care.ID) ([]care.CaseloadEntry, error)
}

type episodeTx interface {
	AddEpisode(care.Episode) error
	Episode(practice, id care.ID) (care.Episode, error)
	EpisodesOf(practice, client care.ID) ([]care.ID, error)
	Relation(practice, episode, staff care.ID) (care.Relation, error)
}

// Instruments lists our own forms that fit an age band, those asked by default
// first.
func Instruments(age care.AgeBand) []*instrument.Instrument {
	var out []*instrument.Instrument
	for _, i := range library.All() {
		if slices.Contains(i.Ages, instrument.AgeBand(age)) {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(x, y *instrument.Instrument) int { return formRank(x) - formRank(y) })
	return out
}

// formRank orders forms as they are asked: the client's alliance, outcome and
// process, carer, therapist, prediction.
func formRank(i *instrument.Instrument) int {
	rank := map[instrument.Informant]int{instrument.Client: 0, instrument.Carer: 4, instrument.Therapist: 8}[i.Informant]
	switch i.Kind {
	case instrument.Outcome:
		rank++
	case instrument.Prediction:
		rank += 2
	case instrument.Process:
		rank += 3
	}
	return rank
}

// defaultForms are the forms asked when nobody chose: of the alliance, outcome and
// prediction those made for the setting, else those made for any. The carer's, whose
// person is not known yet, and those of the process are asked where somebody chose
// them.
func defaultForms(age care.AgeBand, setting care.Setting) (ids []string) {
	in := map[care.Setting]instrument.Setting{care.Couple: instrument.Couple, care.Family: instrument.Family, care.Group: instrument.Group}[setting]
	if in == "" {
		in = instrument.Alone
	}
	all := Instruments(age)
	for _, i := range all {
		better := func(x *instrument.Instrument) bool {
			return x.Informant == i.Informant && x.Kind == i.Kind && slices.Contains(x.Settings, in)
		}
		switch {
		case i.Informant == instrument.Carer || i.Kind == instrument.Process:
		case len(i.Settings) == 0 && !slices.ContainsFunc(all, better), slices.Contains(i.Settings, in):
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func checkClient(c *care.Client) error {
	c.Label, c.Email = strings.TrimSpace(c.Label), strings.TrimSpace(c.Email)
	if err := checkName("label", c.Label); err != nil {
		return err
	}
	if !slices.Contains(care.AgeBands(), c.AgeBand) {
		return care.Bad("age_band", "field.choice")
	}
	if !slices.Contains(Languages, c.Language) {
		return care.Bad("language", "field.choice")
	}
	if c.Email != "" {
		return checkEmail(c.Email)
	}
	return nil
}

// AddClient adds a client with a first episode, in which the actor is therapist.
// Therapists only.
func (a *App) AddClient(ctx context.Context, actor care.Actor, in NewClient) (care.ID, error) {
	if err := care.May(actor, care.AddClients); err != nil {
		return "", err
	}
	c := care.Client{ID: a.cfg.NewID(), Practice: actor.Practice, Label: in.Label, AgeBand: in.AgeBand, Language: in.Language, Email: in.Email, CreatedMillis: a.nowMillis()}
	if err := checkClient(&c); err != nil {
		return "", err
	}
	err := a.write(ctx, func(tx Tx) error {
		if err := tx.AddClient(c); err != nil {
			return err
		}
		if err := a.audit(tx, actor, "add_client", c.ID, c.ID, true); err != nil {
			return err
		}
		_, err := a.openEpisode(tx, actor, c, in.Episode)
		return err
	})
	return c.ID, err
}

// openEpisode checks and stores an episode of one client.
func (a *App) openEpisode(tx Tx, actor care.Actor, c care.Client, in NewEpisode) (care.ID, error) {
	e := care.Episode{
		ID: a.cfg.NewID(), Practice: actor.Practice, Clients: []care.ID{c.ID}, Supervisors: in.Supervisors,
		Orientation: in.Orientation, Setting: in.Setting, Forms: in.Forms, CreatedMillis: a.nowMillis(),
	}
	if e.Setting == "" {
		e.Setting = care.Individual
	}
	if e.Orientation == "" {
		e.Orientation = "unspecified"
	}
	if !slices.Contains(care.Settings(), e.Setting) {
		return "", care.Bad("setting", "field.choice")
	}
	if !slices.Contains(care.Orientations(), e.Orientation) {
		return "", care.Bad("orientation", "field.choice")
	}
	if len(e.Forms) == 0 {
		e.Forms = defaultForms(c.AgeBand, e.Setting)
	}
	for _, id := range e.Forms {
		if _, err := a.usable(tx, actor.Practice, id); care.CodeOf(err) == care.NotFound {
			return "", care.Bad("forms", "field.choice")
		} else if err != nil {
			return "", err
		}
	}
	if err := staffTurn(tx, actor.Practice); err != nil {
		return "", err
	}
	e.Therapists = append([]care.ID{actor.Staff}, in.Therapists...)
	for who, role := range map[*[]care.ID]care.Role{&e.Therapists: care.Therapist, &e.Supervisors: care.Supervisor} {
		slices.Sort(*who)
		*who = slices.Compact(*who)
		for _, id := range *who {
			s, err := tx.Staff(actor.Practice, id)
			if care.CodeOf(err) == care.NotFound || err == nil && (s.Ended() || !slices.Contains(s.Roles, role)) {
				return "", care.Bad("therapists", "field.choice")
			}
			if err != nil {
				return "", err
			}
		}
	}
	p, err := tx.Practice(actor.Practice)
	if err != nil {
		return "", err
	}
	e.OpenedOn = a.cfg.Now().In(zone(p)).Format(time.DateOnly)
	if err := tx.AddEpisode(e); err != nil {
		return "", err
	}
	return e.ID, a.audit(tx, actor, "open_episode", e.ID, e.ID, true)
}

func zone(p care.Practice) *time.Location {
	if loc, err := time.LoadLocation(p.TimeZone); err == nil {
		return loc
	}
	return time.UTC
}

// episodesFor lists the episodes of a client in which the actor may do action,
// newest first: not_found when there is none.
func (a *App) episodesFor(tx Tx, actor care.Actor, action care.Action, client care.ID) ([]care.Episode, error) {
	if !actor.IsStaff() {
		return nil, care.Missing()
	}
	ids, err := tx.EpisodesOf(actor.Practice, client)
	if err != nil {
		return nil, err
	}
	var out []care.Episode
	var denied error
	for _, id := range ids {
		switch err := a.permit(tx, actor, action, id); care.CodeOf(err) {
		case "":
			e, err := a.asking(tx, actor.Practice, id)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		case care.Forbidden:
			denied = err
		case care.NotFound:
		default:
			return nil, err
		}
	}
	if len(out) == 0 {
		if denied != nil {
			return nil, denied
		}
		return nil, care.Missing()
	}
	return out, nil
}

// Client returns what is known of a client, for those who read the course.
func (a *App) Client(ctx context.Context, actor care.Actor, id care.ID) (c care.Client, err error) {
	err = a.read(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.ReadCourse, id); err != nil {
			return err
		}
		c, err = tx.Client(actor.Practice, id)
		return err
	})
	if err != nil {
		return c, err
	}
	return c, a.noteRead(ctx, actor, "read_client", id, id)
}

// EditClient changes label, age band, language and address. Therapists of one
// of the client's episodes only.
func (a *App) EditClient(ctx context.Context, actor care.Actor, c care.Client) error {
	if err := checkClient(&c); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, c.ID); err != nil {
			return err
		}
		c.Practice = actor.Practice
		if err := tx.ChangeClient(c); err != nil {
			return err
		}
		return a.audit(tx, actor, "edit_client", c.ID, c.ID, true)
	})
}

// OpenEpisode opens a further episode of a client. Therapists of an earlier one only.
func (a *App) OpenEpisode(ctx context.Context, actor care.Actor, client care.ID, in NewEpisode) (id care.ID, err error) {
	err = a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		c, err := tx.Client(actor.Practice, client)
		if err != nil {
			return err
		}
		id, err = a.openEpisode(tx, actor, c, in)
		return err
	})
	return id, err
}
