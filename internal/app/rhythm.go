// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

type rhythmTx interface {
	SetRhythms(practice, episode care.ID, rs map[string]care.Rhythm) error
	SetReview(practice, session care.ID, review bool) error
	GivenForms(practice, episode, client care.ID) (map[string]map[care.ID]bool, error)
}

// HasRhythm says whether a form may be asked at a rhythm of its own. Those of the
// alliance are for every session: what is noticed rests on them.
func HasRhythm(f *instrument.Instrument) bool {
	return f.Kind == instrument.Outcome || f.Kind == instrument.Process
}

// sinceGiven is how many held sessions before s a form was last answered; 0: never.
func sinceGiven(s care.Session, all []care.Session, given map[care.ID]bool) int {
	n := 0
	for _, x := range slices.Backward(all) {
		if x.ID == s.ID || x.Status != care.Held || x.AtMillis > s.AtMillis {
			continue
		}
		if n++; given[x.ID] {
			return n
		}
	}
	return 0
}

// dueAmong is an episode with only those of its forms that are asked in a session:
// all are the episode's sessions by time, given where each form was answered. What
// was answered in the session itself belongs to it.
func dueAmong(e care.Episode, s care.Session, all []care.Session, given map[string]map[care.ID]bool) care.Episode {
	e.Forms = slices.DeleteFunc(slices.Clone(e.Forms), func(name string) bool {
		id, _, _ := strings.Cut(name, "@")
		r, own := e.Rhythms[id]
		return own && !given[id][s.ID] && !r.Due(sinceGiven(s, all, given[id]), s.Review)
	})
	return e
}

// dueIn is dueAmong for one session, read from the store where a form has a rhythm
// of its own.
func (a *App) dueIn(tx Tx, e care.Episode, client, session care.ID) (care.Episode, error) {
	if len(e.Rhythms) == 0 {
		return e, nil
	}
	all, err := tx.Sessions(e.Practice, e.ID)
	if err != nil {
		return e, err
	}
	i := slices.IndexFunc(all, func(s care.Session) bool { return s.ID == session })
	if i < 0 {
		return e, care.Missing()
	}
	given, err := tx.GivenForms(e.Practice, e.ID, client)
	return dueAmong(e, all[i], all, given), err
}

// dueForms is dueAmong over a course that was read already.
func (c course) dueForms(e care.Episode, s care.Session, given map[string]map[care.ID]bool) care.Episode {
	if len(e.Rhythms) == 0 {
		return e
	}
	return dueAmong(e, s, c.sessions, given)
}

// given says of each form in which sessions it was answered.
func (c course) given() map[string]map[care.ID]bool {
	out := map[string]map[care.ID]bool{}
	for _, r := range c.responses {
		if out[r.Instrument] == nil {
			out[r.Instrument] = map[care.ID]bool{}
		}
		out[r.Instrument][r.Session] = true
	}
	return out
}

// ReviewSession marks a session as a review, in which every form of the episode is
// asked whatever its rhythm, or takes that back. Therapists of the episode only.
func (a *App) ReviewSession(ctx context.Context, actor care.Actor, session care.ID, review bool) error {
	return a.write(ctx, func(tx Tx) error {
		s, e, err := a.sessionFor(tx, actor, care.RunSessions, session)
		if err != nil {
			return err
		}
		if err := tx.SetReview(actor.Practice, s.ID, review); err != nil {
			return err
		}
		return a.audit(tx, actor, "review_session", s.ID, e.ID, true)
	})
}

// rhythms are those that the chosen forms are to have: the new ones, or with nil
// those they had.
func (v EpisodeForms) rhythms(chosen []string, now map[string]care.Rhythm) (map[string]care.Rhythm, error) {
	if now == nil {
		now = v.Rhythms
	}
	out := map[string]care.Rhythm{}
	for id, r := range now {
		i := slices.IndexFunc(v.Forms, func(f *instrument.Instrument) bool { return f.ID == id })
		switch {
		case r == care.EverySession || !slices.Contains(chosen, id):
		case i < 0 || !r.Known() || !HasRhythm(v.Forms[i]):
			return nil, care.Bad("forms", "field.choice")
		default:
			out[id] = r
		}
	}
	return out, nil
}
