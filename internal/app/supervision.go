// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

// AgendaRow is one client of whom there is something to bring to supervision.
type AgendaRow struct {
	Client  care.Client
	Episode care.ID
	// Since is when the session took place from which on it is open, Number that
	// session's.
	Since  int64
	Number int
	// Unanswered says that nobody has said what came of the Verdict.
	Unanswered bool
	Verdict    alliance.Verdict   // zero if it asks nothing, or has been answered
	Open       []ConversationView // strains noted, and neither come back nor settled, newest first
	NoShow     bool               // nobody came to the session after it
	Unrepaired bool               // one of them has not come back in three rated sessions
}

// Agenda lists what the actor's clients have for supervision, the oldest first:
// strains that are still open, and signals that nobody has answered. A therapist
// sees their own, a supervisor those of the episodes that they supervise, with the
// texts that were shared with them.
func (a *App) Agenda(ctx context.Context, actor care.Actor) (out []AgendaRow, err error) {
	if err := care.May(actor, care.SeeOwnWork); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		out = nil
		rows, _, err := a.caseload(tx, actor)
		if err != nil {
			return err
		}
		discussed, err := tx.Discussed(actor.Practice, actor.Staff)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if !r.waits() && !r.NoShow && !slices.Contains(discussed, r.Episode) {
				continue
			}
			x, err := a.agendaRow(tx, actor, r)
			if err != nil {
				return err
			}
			if x.Unanswered || x.NoShow || len(x.Open) > 0 {
				out = append(out, x)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(x, y AgendaRow) int {
		return cmp.Or(cmp.Compare(x.Since, y.Since), strings.Compare(strings.ToLower(x.Client.Label), strings.ToLower(y.Client.Label)))
	})
	return out, a.noteRead(ctx, actor, "read_agenda", actor.Staff, "")
}

func (a *App) agendaRow(tx Tx, actor care.Actor, r CaseloadRow) (x AgendaRow, err error) {
	x = AgendaRow{Client: r.Client, Episode: r.Episode}
	e, err := a.asking(tx, actor.Practice, r.Episode)
	if err != nil {
		return x, err
	}
	relation, err := tx.Relation(actor.Practice, e.ID, actor.Staff)
	if err != nil {
		return x, err
	}
	c, err := a.course(tx, e, r.Client.ID)
	if err != nil {
		return x, err
	}
	if r.Hidden { // what waits for a guess is not told here either
		fresh, _ := c.fresh()
		c = c.without(fresh)
	}
	said, err := a.conversations(tx, actor.Practice, relation, e, c, c.pictures(instrument.Alliance))
	if err != nil {
		return x, err
	}
	for _, v := range said {
		if !v.Open {
			continue
		}
		x.Open = append(x.Open, v)
		x.Unrepaired = x.Unrepaired || v.Unrepaired
		x.Since, x.Number = v.Held, v.Number
	}
	x.NoShow = r.NoShow
	if (r.waits() || r.NoShow) && !r.Hidden {
		x.Unanswered, x.Verdict = r.waits(), r.Verdict
		for _, s := range c.sessions {
			if s.Number == r.Verdict.Session && (x.Since == 0 || s.AtMillis < x.Since) {
				x.Since, x.Number = s.AtMillis, s.Number
			}
		}
	}
	return x, nil
}
