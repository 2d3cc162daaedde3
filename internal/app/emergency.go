// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/entente-project/entente/internal/care"
)

type emergencyTx interface {
	ClientsNamed(practice care.ID, name string) ([]care.ID, error)
	AddEmergency(e care.Emergency, tell []care.ID) error
	InEmergency(practice, episode, staff care.ID, nowMillis int64) (bool, error)
	EndEmergency(practice, id care.ID, atMillis int64) error
	SeeEmergency(practice, id, staff care.ID, atMillis int64) error
}

type emergencyListTx interface {
	EmergenciesOf(practice, client care.ID) ([]care.Emergency, error)
	EmergenciesBy(practice, staff care.ID, nowMillis int64) ([]care.Emergency, error)
	EmergenciesUnseen(practice, staff care.ID) ([]care.Emergency, error)
}

// Noticer sends a member of staff a mail that says only that something waits for
// them here. A Mailer that is one too is asked to.
type Noticer interface {
	SendNotice(ctx context.Context, to, language string) error
}

// NewEmergency is what somebody says to open a client who is not theirs.
type NewEmergency struct {
	Name   string // the client's label or reference, in full: nothing is listed or completed
	Reason string
}

// triesInNeed bounds how many names a person can try in a quarter of an hour.
const triesInNeed = 5

// leastReason is how many characters a reason has at least.
const leastReason = 15

// OpenEmergency lets a therapist of the practice read a client who is not theirs
// for 24 hours. The client's therapists are told. Errors: invalid for a reason
// that says nothing, or a name that is not exactly one client's; unavailable
// after too many tries, whether they found somebody or not.
func (a *App) OpenEmergency(ctx context.Context, actor care.Actor, in NewEmergency) (care.ID, error) {
	if err := care.May(actor, care.ActInNeed); err != nil {
		return "", err
	}
	in.Name, in.Reason = strings.TrimSpace(in.Name), strings.TrimSpace(in.Reason)
	switch n := len([]rune(in.Reason)); {
	case n < leastReason:
		return "", care.Bad("reason", "emergency.reason_short")
	case n > 2000:
		return "", care.Bad("reason", "field.too_long")
	}
	if in.Name == "" || len(in.Name) > 400 {
		return "", care.Bad("name", "field.needed")
	}
	e := care.Emergency{ID: a.cfg.NewID(), Practice: actor.Practice, Staff: actor.Staff, Reason: in.Reason, AtMillis: a.nowMillis()}
	e.UntilMillis = e.AtMillis + care.EmergencyLastsMillis
	var tell []care.Staff
	var refused error
	err := a.write(ctx, func(tx Tx) error { // a refusal is kept too: it counts, and stands in the audit
		tell, refused = nil, nil
		e.Client, refused = a.inNeedOf(tx, actor, in.Name)
		if refused != nil {
			if care.CodeOf(refused) != care.Invalid && !isThrottled(refused) {
				return refused
			}
			return a.audit(tx, actor, "try_emergency", "", "", false)
		}
		var err error
		if tell, err = therapistsOf(tx, actor.Practice, e.Client); err != nil {
			return err
		}
		var ids []care.ID
		for _, s := range tell {
			ids = append(ids, s.ID)
		}
		if err := tx.AddEmergency(e, ids); err != nil {
			return err
		}
		return a.audit(tx, actor, "open_emergency", e.ID, e.Client, true)
	})
	if err != nil {
		return "", err
	}
	if refused != nil {
		return "", refused
	}
	a.notify(ctx, tell)
	return e.Client, nil
}

func isThrottled(err error) bool {
	e, ok := errors.AsType[*care.Error](err)
	return ok && e.Key == "error.throttled"
}

// inNeedOf finds the one client of a name, who must not be the actor's already.
func (a *App) inNeedOf(tx Tx, actor care.Actor, name string) (care.ID, error) {
	if err := a.mayTry(tx, actor, "emergency", triesInNeed); err != nil {
		return "", err
	}
	ids, err := tx.ClientsNamed(actor.Practice, name)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", care.Bad("name", "emergency.nobody")
	case len(ids) > 1:
		return "", care.Bad("name", "emergency.several")
	}
	switch _, err := a.episodesFor(tx, actor, care.ReadCourse, ids[0]); care.CodeOf(err) {
	case "":
		return "", care.Bad("name", "emergency.yours")
	case care.NotFound, care.Forbidden:
		return ids[0], nil
	default:
		return "", err
	}
}

// therapistsOf lists who treats a client, in any episode.
func therapistsOf(tx Tx, practice, client care.ID) (out []care.Staff, err error) {
	episodes, err := tx.EpisodesOf(practice, client)
	if err != nil {
		return nil, err
	}
	for _, id := range episodes {
		e, err := tx.Episode(practice, id)
		if err != nil {
			return nil, err
		}
		for _, t := range e.Therapists {
			if slices.ContainsFunc(out, func(s care.Staff) bool { return s.ID == t }) {
				continue
			}
			s, err := tx.Staff(practice, t)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// notify sends the mails. The notice stands on the page all the same, so a mail
// server that is down stops nobody in an emergency.
func (a *App) notify(ctx context.Context, staff []care.Staff) {
	n, ok := a.cfg.Mail.(Noticer)
	if !ok {
		return
	}
	for _, s := range staff {
		if err := n.SendNotice(ctx, s.Email, s.Language); err != nil {
			a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a notice could not be mailed", slog.String("error", string(care.CodeOf(err))))
		}
	}
}

// EndEmergency ends every emergency access to a client before its time: the
// holder's own, or, by one of the client's therapists, all of them.
func (a *App) EndEmergency(ctx context.Context, actor care.Actor, client care.ID) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		_, err := a.episodesFor(tx, actor, care.RunSessions, client)
		treats := err == nil
		if code := care.CodeOf(err); !treats && code != care.NotFound && code != care.Forbidden {
			return err
		}
		all, err := tx.EmergenciesOf(actor.Practice, client)
		if err != nil {
			return err
		}
		n := 0
		for _, e := range all {
			if !e.In(a.nowMillis()) || !treats && e.Staff != actor.Staff {
				continue
			}
			n++
			if err := tx.EndEmergency(actor.Practice, e.ID, a.nowMillis()); err != nil {
				return err
			}
			if err := a.audit(tx, actor, "end_emergency", e.ID, client, true); err != nil {
				return err
			}
		}
		if n == 0 {
			return care.Missing()
		}
		return nil
	})
}

// SeeEmergency says that the actor, who was told of an emergency access, has
// seen it. Errors: not_found for whoever was not told.
func (a *App) SeeEmergency(ctx context.Context, actor care.Actor, id care.ID) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	return a.write(ctx, func(tx Tx) error {
		told, err := tx.EmergenciesUnseen(actor.Practice, actor.Staff)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(told, func(e care.Emergency) bool { return e.ID == id })
		if i < 0 {
			return care.Missing()
		}
		tx.Damaged() // a reason that does not open keeps nobody from saying so
		if err := tx.SeeEmergency(actor.Practice, id, actor.Staff, a.nowMillis()); err != nil {
			return err
		}
		return a.audit(tx, actor, "see_emergency", id, told[i].Client, true)
	})
}

// EmergencyNotice is an emergency access as somebody is shown it.
type EmergencyNotice struct {
	care.Emergency
	Label string // the client
	By    string // who took it
}

// emergencyNotices fills in the names.
func emergencyNotices(tx Tx, practice care.ID, all []care.Emergency) (out []EmergencyNotice, err error) {
	for _, e := range all {
		c, err := tx.NamedClient(practice, e.Client)
		if err != nil {
			return nil, err
		}
		s, err := tx.NamedStaff(practice, e.Staff)
		if err != nil {
			return nil, err
		}
		tx.Damaged() // without a name the client is shown by their number, and no reason is empty otherwise
		out = append(out, EmergencyNotice{Emergency: e, Label: c.Label, By: s.Name})
	}
	return out, nil
}

// emergenciesToday are the notices that wait for the actor, and what they hold.
func (a *App) emergenciesToday(tx Tx, actor care.Actor) (told, held []EmergencyNotice, err error) {
	unseen, err := tx.EmergenciesUnseen(actor.Practice, actor.Staff)
	if err != nil {
		return nil, nil, err
	}
	if told, err = emergencyNotices(tx, actor.Practice, unseen); err != nil {
		return nil, nil, err
	}
	own, err := tx.EmergenciesBy(actor.Practice, actor.Staff, a.nowMillis())
	if err != nil {
		return nil, nil, err
	}
	held, err = emergencyNotices(tx, actor.Practice, own)
	return told, held, err
}

// heldFor is until when the actor may read a client by an emergency access.
func (a *App) heldFor(tx Tx, actor care.Actor, client care.ID) (untilMillis int64, err error) {
	own, err := tx.EmergenciesBy(actor.Practice, actor.Staff, a.nowMillis())
	for _, e := range own {
		if e.Client == client {
			untilMillis = max(untilMillis, e.UntilMillis)
		}
	}
	return untilMillis, err
}
