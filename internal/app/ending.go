// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"

	"github.com/entente-project/entente/internal/care"
)

type endingTx interface {
	Treated(practice, staff, client care.ID) ([]care.Treats, error)
	HandOver(practice, from, to, client care.ID) error
	EndStaff(practice, staff care.ID, atMillis int64) error
}

// Ending is what a manager has to know before an account is ended.
type Ending struct {
	EndedMillis int64 // 0: it goes on
	Clients     int   // whom they treat and somebody has to take
	Takers      []Colleague
}

// NewEnding is to whom the clients go, and why an account is ended.
type NewEnding struct {
	To     care.ID // "" where there is nobody to hand over
	Reason string
}

// canTake reports whether somebody can be handed clients.
func canTake(s care.Staff) bool {
	return !s.Ended() && s.PasswordHash != "" && slices.Contains(s.Roles, care.Therapist)
}

func ending(tx Tx, s care.Staff) (e Ending, err error) {
	e.EndedMillis = s.EndedMillis
	treated, err := tx.Treated(s.Practice, s.ID, "")
	if err != nil {
		return e, err
	}
	e.Clients = countClients(treated)
	e.Takers, err = takers(tx, s.Practice, s.ID)
	return e, err
}

// takers are all who can take somebody's clients.
func takers(tx Tx, practice, from care.ID) (out []Colleague, err error) {
	all, err := tx.AllStaff(practice)
	for _, x := range all {
		if x.ID != from && canTake(x) {
			out = append(out, Colleague{ID: x.ID, Name: x.Name, Roles: x.Roles})
		}
	}
	return out, err
}

func countClients(treated []care.Treats) int {
	seen := map[care.ID]bool{}
	for _, t := range treated {
		seen[t.Client] = true
	}
	return len(seen)
}

// taker finds whoever is to take clients: invalid for somebody who cannot.
func taker(tx Tx, practice, from, to care.ID) error {
	bad := care.Bad("to", "ending.taker")
	if to == "" || to == from {
		return bad
	}
	s, err := tx.Staff(practice, to)
	if care.CodeOf(err) == care.NotFound || err == nil && !canTake(s) {
		return bad
	}
	return err
}

// handOver gives the clients that somebody treats to a colleague, each with its
// line in the audit.
func (a *App) handOver(tx Tx, actor care.Actor, from, to, client care.ID) error {
	if err := taker(tx, actor.Practice, from, to); err != nil {
		return err
	}
	treated, err := tx.Treated(actor.Practice, from, client)
	if err != nil {
		return err
	}
	if err := tx.HandOver(actor.Practice, from, to, client); err != nil {
		return err
	}
	told := map[care.ID]bool{}
	for _, t := range treated { // a couple has one episode
		if told[t.Episode] {
			continue
		}
		told[t.Episode] = true
		if err := a.audit(tx, actor, "hand_over", to, t.Episode, true); err != nil {
			return err
		}
	}
	return nil
}

// Takers lists to whom a client can be handed over, and what the client is called.
// Therapists of one of the client's episodes only. It is noted as a read of the client.
func (a *App) Takers(ctx context.Context, actor care.Actor, client care.ID) (label string, e Ending, err error) {
	err = a.read(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		c, err := tx.Client(actor.Practice, client)
		if err != nil {
			return err
		}
		label = c.Label
		e.Takers, err = takers(tx, actor.Practice, actor.Staff)
		return err
	})
	if err != nil {
		return "", Ending{}, err
	}
	return label, e, a.noteRead(ctx, actor, "read_client", client, client)
}

// HandOver gives a client, with every episode in which the actor is therapist, to
// another therapist of the practice; the actor then sees the client no more.
// Therapists of one of the client's episodes only. Errors: not_found; invalid for
// whoever cannot take anybody.
func (a *App) HandOver(ctx context.Context, actor care.Actor, client, to care.ID) error {
	return a.write(ctx, func(tx Tx) error {
		if _, err := a.episodesFor(tx, actor, care.RunSessions, client); err != nil {
			return err
		}
		if err := staffTurn(tx, actor.Practice); err != nil {
			return err
		}
		return a.handOver(tx, actor, actor.Staff, to, client)
	})
}

// EndStaff ends a colleague's account: nobody comes in by it any more, from this
// moment on, and what they wrote stays as it was, under their name. Those whom
// they treat are handed over first. It asks for the manager's password again and
// for a reason, which other managers can read; the colleague is told by mail. Nobody
// ends their own account, so that one manager always remains. Managers only.
// Errors: not_found; invalid for the actor's own account, one that has ended, a
// reason that says nothing, a wrong password, or whoever cannot take the clients.
func (a *App) EndStaff(ctx context.Context, actor care.Actor, id care.ID, in NewEnding, password string) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	var target care.Staff
	err := a.read(ctx, func(tx Tx) (err error) {
		target, err = tx.Staff(actor.Practice, id)
		return err
	})
	switch {
	case err != nil:
		return err
	case id == actor.Staff:
		return care.Bad("reason", "ending.own")
	case target.Ended():
		return care.Bad("reason", "ending.ended")
	}
	reason, err := reasonOf(in.Reason)
	if err != nil {
		return err
	}
	if _, err := a.proved(ctx, actor, password); err != nil {
		return err
	}
	h := care.Help{ID: a.cfg.NewID(), Practice: actor.Practice, Staff: id, By: actor.Staff, Kind: care.EndedAccount, Reason: reason, AtMillis: a.nowMillis()}
	err = a.write(ctx, func(tx Tx) error { return a.endStaff(tx, actor, h, in.To) })
	if err == nil {
		a.tellOfAccount(ctx, target)
	}
	return err
}

func (a *App) endStaff(tx Tx, actor care.Actor, h care.Help, to care.ID) error {
	// Two managers who end each other at once come one after the other, and the
	// second finds that their own account has ended.
	if err := staffTurn(tx, h.Practice); err != nil {
		return err
	}
	if me, err := tx.Staff(actor.Practice, actor.Staff); err != nil || me.Ended() {
		return orMissing(err)
	}
	treated, err := tx.Treated(h.Practice, h.Staff, "")
	if err != nil {
		return err
	}
	if len(treated) > 0 {
		if err := a.handOver(tx, actor, h.Staff, to, ""); err != nil {
			return err
		}
	}
	if err := tx.EndStaff(h.Practice, h.Staff, h.AtMillis); err != nil {
		return err
	}
	return a.noteHelp(tx, actor, h)
}

// staffTurn lets those who say who treats whom come one after the other: of two
// at once one waits, or begins again, and sees what the other has done.
func staffTurn(tx Tx, practice care.ID) error {
	_, err := tx.Hit("staff|"+string(practice), 0, 0)
	return err
}

func orMissing(err error) error {
	if err != nil {
		return err
	}
	return care.Missing()
}
