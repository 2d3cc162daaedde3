// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/care"
)

type closingTx interface {
	CloseEpisode(x care.Closing, closedOn string) (bool, error)
	ReopenEpisode(practice, episode care.ID) (bool, error)
	Closings(practice, episode care.ID) ([]care.Closing, error)
	EndedOf(practice, staff care.ID) ([]care.ID, error)
}

// ClosingView is an end with the verdict of then.
type ClosingView struct {
	care.Closing
	By    string
	Shown alliance.Verdict
}

// EndedRow is one ended course.
type EndedRow struct {
	Client  care.Client
	Episode care.Episode
	Reason  care.ClosingReason // "" if it does not open
}

// Closable is a client and the episode of theirs, "" for the newest, that the actor
// could end or let go on. Therapists of it only. Errors: not_found, forbidden.
func (a *App) Closable(ctx context.Context, actor care.Actor, client, episode care.ID) (c care.Client, e care.Episode, err error) {
	err = a.read(ctx, func(tx Tx) error {
		if e, err = a.writable(tx, actor, client, episode); err != nil {
			return err
		}
		c, err = tx.NamedClient(actor.Practice, client)
		tx.Damaged() // the page names the client by their number
		return err
	})
	if err != nil {
		return c, e, err
	}
	return c, e, a.noteRead(ctx, actor, "read_client", client, client)
}

// CloseEpisode ends an episode: it leaves the lists of those who work in it, asks
// nothing any more, and stays readable. How the alliance stood is kept with it.
// Therapists of it only. Errors: invalid with the field; conflict for one that has
// ended, or of which a session is still planned.
func (a *App) CloseEpisode(ctx context.Context, actor care.Actor, episode care.ID, in care.ClosingContent) error {
	in.Words, in.Shown = strings.TrimSpace(in.Words), nil
	if err := in.Check(); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		if err := a.permit(tx, actor, care.RunSessions, episode); err != nil {
			return err
		}
		e, err := a.asking(tx, actor.Practice, episode)
		if err != nil {
			return err
		}
		all, err := tx.Sessions(actor.Practice, episode)
		if err != nil {
			return err
		}
		for _, s := range all {
			if s.Status == care.Planned {
				return &care.Error{Code: care.Conflict, Key: "closing.planned"}
			}
		}
		c, err := a.course(tx, e, e.Clients[0])
		if err != nil {
			return err
		}
		if in.Shown, err = json.Marshal(c.judge()); err != nil {
			return err
		}
		p, err := tx.Practice(actor.Practice)
		if err != nil {
			return err
		}
		x := care.Closing{ID: a.cfg.NewID(), Practice: actor.Practice, Episode: episode, Client: e.Clients[0], Staff: actor.Staff, AtMillis: a.nowMillis(), Content: in}
		done, err := tx.CloseEpisode(x, a.cfg.Now().In(zone(p)).Format(time.DateOnly))
		if err != nil {
			return err
		}
		if !done {
			return &care.Error{Code: care.Conflict, Key: "closing.already"}
		}
		return a.audit(tx, actor, "close_episode", x.ID, episode, true)
	})
}

// ReopenEpisode lets an ended episode go on. Therapists of it only. Errors: conflict
// for one that has not ended.
func (a *App) ReopenEpisode(ctx context.Context, actor care.Actor, episode care.ID) error {
	return a.write(ctx, func(tx Tx) error {
		if err := a.permit(tx, actor, care.RunSessions, episode); err != nil {
			return err
		}
		done, err := tx.ReopenEpisode(actor.Practice, episode)
		if err != nil {
			return err
		}
		if !done {
			return &care.Error{Code: care.Conflict, Key: "closing.not_ended"}
		}
		return a.audit(tx, actor, "reopen_episode", episode, episode, true)
	})
}

// notEnded refuses what an ended episode has no place for.
func notEnded(e care.Episode) error {
	if e.ClosedOn != "" {
		return &care.Error{Code: care.Conflict, Key: "closing.already"}
	}
	return nil
}

// Ended lists the ended courses that the actor stood in, the newest end first.
func (a *App) Ended(ctx context.Context, actor care.Actor) (out []EndedRow, err error) {
	if err := care.May(actor, care.SeeOwnWork); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		out = nil
		ids, err := tx.EndedOf(actor.Practice, actor.Staff)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if a.permit(tx, actor, care.ReadCourse, id) != nil { // the role was taken away since
				continue
			}
			e, err := tx.Episode(actor.Practice, id)
			if err != nil {
				return err
			}
			row := EndedRow{Episode: e}
			if row.Client, err = tx.NamedClient(actor.Practice, e.Clients[0]); err != nil {
				return err
			}
			ends, err := tx.Closings(actor.Practice, id)
			if err != nil {
				return err
			}
			if len(ends) > 0 {
				row.Reason = ends[0].Content.Reason
			}
			out = append(out, row)
		}
		tx.Damaged() // a row says so by what it lacks
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, a.noteRead(ctx, actor, "read_ended", actor.Staff, "")
}

// closings are the ends of an episode with what was shown at each.
func closings(tx Tx, e care.Episode) (out []ClosingView, err error) {
	all, err := tx.Closings(e.Practice, e.ID)
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		v := ClosingView{Closing: x}
		s, err := tx.NamedStaff(e.Practice, x.Staff)
		if err != nil {
			return nil, err
		}
		v.By = s.Name
		if len(x.Content.Shown) > 0 {
			if err := json.Unmarshal(x.Content.Shown, &v.Shown); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
	}
	return out, nil
}
