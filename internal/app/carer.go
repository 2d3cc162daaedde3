// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

type carerTx interface {
	AddCarer(care.Carer) error
	EndCarer(practice, id care.ID, nowMillis int64) error
	Carer(practice, id care.ID) (care.Carer, error)
	Carers(practice, client care.ID) ([]care.Carer, error)
	CarerInvitations(practice, client care.ID) ([]care.ID, error)
}

// carerForm is what carers are asked in an episode for which nobody chose otherwise.
const carerForm = "session-carer"

// CarersView are the carers of a child or adolescent.
type CarersView struct {
	Client   care.Client
	Carers   []care.Carer // ended ones last
	CanWrite bool
	Damaged  bool // somebody's label does not open
}

// Carers lists who else is asked about the work with a client, for those who may read
// the course.
func (a *App) Carers(ctx context.Context, actor care.Actor, client care.ID) (v CarersView, err error) {
	err = a.read(ctx, func(tx Tx) error {
		before := len(tx.Damaged())
		if _, err := a.episodesFor(tx, actor, care.ReadCourse, client); err != nil {
			return err
		}
		if v.Client, err = tx.NamedClient(actor.Practice, client); err != nil {
			return err
		}
		if v.Carers, err = tx.Carers(actor.Practice, client); err != nil {
			return err
		}
		slices.SortStableFunc(v.Carers, func(x, y care.Carer) int {
			switch {
			case x.EndedMillis == 0 && y.EndedMillis != 0:
				return -1
			case x.EndedMillis != 0 && y.EndedMillis == 0:
				return 1
			}
			return 0
		})
		_, err := a.episodesFor(tx, actor, care.RunSessions, client)
		v.CanWrite = err == nil && v.Client.AgeBand != care.Adult
		v.Damaged = len(tx.Damaged()) > before
		if care.CodeOf(err) == care.Forbidden || care.CodeOf(err) == care.NotFound {
			err = nil
		}
		return err
	})
	if err != nil {
		return v, err
	}
	return v, a.noteRead(ctx, actor, "read_carers", client, client)
}

// AddCarer adds somebody with care of a child or adolescent, who can then be asked
// after sessions; where an open episode asks no carer's form yet, ours is asked from
// now on. Therapists of one of the client's episodes only. Errors: invalid, for an
// adult too.
func (a *App) AddCarer(ctx context.Context, actor care.Actor, client care.ID, in care.CarerContent) (care.ID, error) {
	in.Label, in.Email = strings.TrimSpace(in.Label), strings.TrimSpace(in.Email)
	x := care.Carer{ID: a.cfg.NewID(), Practice: actor.Practice, Client: client, AtMillis: a.nowMillis(), Content: in}
	err := a.write(ctx, func(tx Tx) error {
		all, err := a.episodesFor(tx, actor, care.RunSessions, client)
		if err != nil {
			return err
		}
		if err := checkCarer(in); err != nil {
			return err
		}
		c, err := tx.Client(actor.Practice, client)
		if err != nil {
			return err
		}
		if c.AgeBand == care.Adult {
			return care.Bad("label", "carer.adult")
		}
		if err := tx.AddCarer(x); err != nil {
			return err
		}
		for _, e := range all {
			if err := a.askCarers(tx, e); err != nil {
				return err
			}
		}
		return a.audit(tx, actor, "add_carer", x.ID, client, true)
	})
	return x.ID, err
}

// askCarers lets an open episode ask the carer's form, if it asks none.
func (a *App) askCarers(tx Tx, e care.Episode) error {
	asked, err := a.asking(tx, e.Practice, e.ID)
	if err != nil || e.ClosedOn != "" || len(a.forms(asked, instrument.Carer)) > 0 {
		return err
	}
	return tx.SetEpisodeForms(e.Practice, e.ID, append(slices.Clone(e.Forms), carerForm))
}

func checkCarer(in care.CarerContent) error {
	if err := checkName("label", in.Label); err != nil {
		return err
	}
	if err := in.Relation.Check(); err != nil {
		return err
	}
	if !slices.Contains(Languages, in.Language) {
		return care.Bad("language", "field.choice")
	}
	if in.Email != "" {
		return checkEmail(in.Email)
	}
	return nil
}

// EndCarer lets a carer be asked no more; their links end at once, what they answered
// stays. Therapists of one of the client's episodes only.
func (a *App) EndCarer(ctx context.Context, actor care.Actor, client, carer care.ID) error {
	return a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		x, err := tx.Carer(actor.Practice, carer)
		if err := ignoreTampered(err); err != nil { // whoever does not open can be ended all the same
			return err
		}
		if x.Client != client {
			return care.Missing()
		}
		if err := tx.EndCarer(actor.Practice, carer, a.nowMillis()); err != nil {
			return err
		}
		return a.audit(tx, actor, "end_carer", carer, client, true)
	})
}

// carerOf returns a carer who can be asked about a client now.
func carerOf(tx Tx, client care.Client, carer care.ID) (care.Carer, error) {
	x, err := tx.Carer(client.Practice, carer)
	switch {
	case err != nil:
		return x, err
	case x.Client != client.ID || x.EndedMillis != 0:
		return x, care.Missing()
	case client.AgeBand == care.Adult:
		return x, care.Bad("session", "carer.adult")
	}
	return x, nil
}

// InviteCarer makes a link to a carer's own form of a session that took place; an
// earlier link of theirs for that session ends. Therapists of the episode only.
func (a *App) InviteCarer(ctx context.Context, actor care.Actor, session, carer care.ID) (Link, error) {
	link, _, err := a.invite(ctx, actor, session, carer, care.ByLink)
	return link, err
}

// MailCarer mails a new link to a carer. Errors: as [App.MailInvitation].
func (a *App) MailCarer(ctx context.Context, actor care.Actor, session, carer care.ID) error {
	return a.mailLink(ctx, actor, session, carer)
}

// CarerAsked says how far a carer is with the forms of one session.
type CarerAsked struct {
	Carer   care.Carer
	Forms   int
	Done    int
	Invited bool // a link of theirs is in force
}

// carersAsked are a session's carers: those who can be asked, and those who were and
// answered it.
func (a *App) carersAsked(tx Tx, e care.Episode, client, session care.ID, rs []care.Response) (out []CarerAsked, err error) {
	all, err := tx.Carers(e.Practice, client)
	if err != nil {
		return nil, err
	}
	forms := a.forms(e, instrument.Carer)
	for _, x := range all {
		v := CarerAsked{Carer: x, Forms: len(forms)}
		for _, f := range forms {
			if answered(rs, f.ID, x.ID) {
				v.Done++
			}
		}
		if x.EndedMillis != 0 && v.Done == 0 {
			continue
		}
		if v.Invited, err = tx.InvitedNow(e.Practice, session, client, x.ID, a.nowMillis()); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// nameRaters gives measures of carers' ratings the labels of who gave them.
func nameRaters(tx Tx, practice, client care.ID, measures []Measure) error {
	if !slices.ContainsFunc(measures, func(m Measure) bool { return m.By != "" }) {
		return nil
	}
	all, err := tx.Carers(practice, client)
	if err != nil {
		return err
	}
	for i := range measures {
		for _, x := range all {
			if x.ID == measures[i].By {
				measures[i].Rater = x.Content.Label
			}
		}
	}
	return nil
}
