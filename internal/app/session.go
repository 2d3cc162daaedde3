// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

type sessionTx interface {
	AddSession(care.Session) error
	Session(practice, id care.ID) (care.Session, error)
	Sessions(practice, episode care.ID) ([]care.Session, error)
	SessionsBetween(practice, staff care.ID, from, to int64) ([]care.Session, error)
	SetSession(care.Session) error
}

type noteTx interface {
	AddNote(episode care.ID, n care.Note) error
	Notes(practice, episode, client care.ID) ([]care.Note, error)
}

// ScheduleSession plans a session of an episode, up to two years ahead or back.
func (a *App) ScheduleSession(ctx context.Context, actor care.Actor, episode care.ID, atMillis int64) (care.ID, error) {
	span := 2 * 365 * 24 * time.Hour.Milliseconds()
	if d := atMillis - a.nowMillis(); d > span || d < -span {
		return "", care.Bad("at", "session.too_far")
	}
	return a.addSession(ctx, actor, care.Session{Episode: episode, AtMillis: atMillis, Status: care.Planned})
}

// justStarted is how long a session that nobody has rated counts as the one that
// was just started: a button pressed twice starts one session.
const justStarted = 2 * time.Minute

// StartSession notes a session that takes place now, or returns the one that was
// started a moment ago.
func (a *App) StartSession(ctx context.Context, actor care.Actor, episode care.ID) (care.ID, error) {
	return a.addSession(ctx, actor, care.Session{Episode: episode, AtMillis: a.nowMillis(), Status: care.Held})
}

// started finds a session of the episode that was started a moment ago and has
// no rating yet; "" if there is none.
func (a *App) started(tx Tx, practice care.ID, e care.Episode) (care.ID, error) {
	all, err := tx.Sessions(practice, e.ID)
	if err != nil {
		return "", err
	}
	for _, s := range all {
		if age := a.nowMillis() - s.AtMillis; s.Status != care.Held || age < 0 || age > justStarted.Milliseconds() {
			continue
		}
		rated := 0
		for _, c := range e.Clients {
			rs, err := tx.SessionResponses(practice, e.ID, c, s.ID)
			if err != nil {
				return "", err
			}
			rated += len(rs)
		}
		if rated == 0 {
			return s.ID, nil
		}
	}
	return "", nil
}

func (a *App) addSession(ctx context.Context, actor care.Actor, s care.Session) (care.ID, error) {
	s.ID, s.Practice = a.cfg.NewID(), actor.Practice
	err := a.write(ctx, func(tx Tx) error {
		if err := a.permit(tx, actor, care.RunSessions, s.Episode); err != nil {
			return err
		}
		e, err := a.asking(tx, actor.Practice, s.Episode)
		if err != nil {
			return err
		}
		if err := notEnded(e); err != nil {
			return err
		}
		if s.Status == care.Held {
			again, err := a.started(tx, actor.Practice, e)
			if err != nil || again != "" {
				s.ID = again
				return err
			}
		}
		if err := tx.AddSession(s); err != nil {
			return err
		}
		if err := a.refreshEpisode(tx, actor.Practice, s.Episode); err != nil {
			return err
		}
		return a.audit(tx, actor, "add_session", s.ID, s.Episode, true)
	})
	return s.ID, err
}

// HoldSession turns a planned session into one that took place.
func (a *App) HoldSession(ctx context.Context, actor care.Actor, session care.ID) error {
	return a.setSession(ctx, actor, session, care.Held, "hold_session")
}

// MissSession notes that a session did not take place. Errors: conflict when
// somebody has already rated it.
func (a *App) MissSession(ctx context.Context, actor care.Actor, session care.ID) error {
	return a.setSession(ctx, actor, session, care.Missed, "miss_session")
}

func (a *App) setSession(ctx context.Context, actor care.Actor, id care.ID, to care.SessionStatus, action string) error {
	return a.write(ctx, func(tx Tx) error {
		s, e, err := a.sessionFor(tx, actor, care.RunSessions, id)
		if err != nil {
			return err
		}
		if to == care.Missed {
			for _, c := range e.Clients {
				rs, err := tx.SessionResponses(actor.Practice, e.ID, c, s.ID)
				if err != nil {
					return err
				}
				if len(rs) > 0 {
					return &care.Error{Code: care.Conflict, Key: "session.rated_already"}
				}
			}
		}
		s.Status = to
		if err := tx.SetSession(s); err != nil {
			return err
		}
		if err := a.refreshEpisode(tx, actor.Practice, e.ID); err != nil {
			return err
		}
		return a.audit(tx, actor, action, id, e.ID, true)
	})
}

// sessionFor returns a session with its episode if the actor may do action in it.
func (a *App) sessionFor(tx Tx, actor care.Actor, action care.Action, id care.ID) (care.Session, care.Episode, error) {
	if !actor.IsStaff() {
		return care.Session{}, care.Episode{}, care.Missing()
	}
	s, err := tx.Session(actor.Practice, id)
	if err != nil {
		return s, care.Episode{}, err
	}
	if err := a.permit(tx, actor, action, s.Episode); err != nil {
		return s, care.Episode{}, err
	}
	e, err := a.asking(tx, actor.Practice, s.Episode)
	return s, e, err
}

// Session returns one session as the actor may see it.
func (a *App) Session(ctx context.Context, actor care.Actor, id care.ID) (v SessionView, err error) {
	var episode care.ID
	err = a.read(ctx, func(tx Tx) error {
		s, e, err := a.sessionFor(tx, actor, care.ReadCourse, id)
		if err != nil {
			return err
		}
		episode = e.ID
		v, err = a.sessionView(tx, actor, s, e)
		return err
	})
	if err != nil {
		return v, err
	}
	return v, a.noteRead(ctx, actor, "read_session", id, episode)
}

func (a *App) sessionView(tx Tx, actor care.Actor, s care.Session, e care.Episode) (v SessionView, err error) {
	v.Session = s
	c := e.Clients[0]
	before := len(tx.Damaged())
	defer func() { v.Damaged = len(tx.Damaged()) > before }()
	if v.Client, err = tx.NamedClient(actor.Practice, c); err != nil {
		return v, err
	}
	all, err := tx.Sessions(actor.Practice, e.ID)
	if err != nil {
		return v, err
	}
	for _, x := range all {
		if x.ID == s.ID {
			v.Session = x
		}
	}
	rs, err := tx.SessionResponses(actor.Practice, e.ID, c, s.ID)
	if err != nil {
		return v, err
	}
	revealed, err := tx.Revealed(actor.Practice, actor.Staff)
	if err != nil {
		return v, err
	}
	relation, err := tx.Relation(actor.Practice, e.ID, actor.Staff)
	if err != nil {
		return v, err
	}
	v.CanAsk = care.MayIn(actor, care.RunSessions, relation) == nil && s.Status == care.Held
	due, err := a.dueIn(tx, e, c, s.ID)
	if err != nil {
		return v, err
	}
	for _, f := range a.forms(e, instrument.Client) {
		if !slices.ContainsFunc(a.forms(due, instrument.Client), func(x *instrument.Instrument) bool { return x.ID == f.ID }) {
			v.Resting = append(v.Resting, f)
		}
	}
	v.Asked = a.asked(actor, relation, due, rs, s.ID, revealed)
	if v.Invited, err = tx.InvitedNow(actor.Practice, s.ID, c, "", a.nowMillis()); err != nil {
		return v, err
	}
	if v.Carers, err = a.carersAsked(tx, e, c, s.ID, rs); err != nil {
		return v, err
	}
	if !v.Asked.Hidden {
		body, err := a.standing(tx, e, c)
		if err != nil {
			return v, err
		}
		v.Verdict = body.Verdict
	}
	return v, nil
}

// AddNote keeps a remark on a session, shown under the chart to those who read
// the course.
func (a *App) AddNote(ctx context.Context, actor care.Actor, session care.ID, text string) error {
	text = strings.TrimSpace(text)
	switch n := len([]rune(text)); {
	case n == 0:
		return care.Bad("note", "field.needed")
	case n > 4000:
		return care.Bad("note", "field.too_long")
	}
	return a.write(ctx, func(tx Tx) error {
		s, e, err := a.sessionFor(tx, actor, care.RunSessions, session)
		if err != nil {
			return err
		}
		n := care.Note{ID: a.cfg.NewID(), Practice: actor.Practice, Session: s.ID, Client: e.Clients[0], Staff: actor.Staff, Text: text, AtMillis: a.nowMillis()}
		if err := tx.AddNote(e.ID, n); err != nil {
			return err
		}
		return a.audit(tx, actor, "add_note", n.ID, e.ID, true)
	})
}
