// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/care"
)

type conversationTx interface {
	AddConversation(episode care.ID, v care.Conversation) error
	Answered(practice, staff care.ID) ([]care.ID, error)
	Discussed(practice, staff care.ID) ([]care.ID, error)
	Conversations(practice, episode, client care.ID) ([]care.Conversation, error)
}

// ConversationView is what came of a signal, and what was rated since.
type ConversationView struct {
	care.Conversation
	By     string           // who noted it
	Number int              // of the session that the signal is about
	Held   int64            // when that took place
	Shown  alliance.Verdict // as it stood then
	Since  []Since
	// Unrepaired says that a fall has not come back in three rated sessions.
	Unrepaired bool
	// Open says that a strain, seen by the therapist or by the rule, has neither come
	// back in the ratings nor been settled since.
	Open bool
	// Withheld says that the texts were not shared with the reader.
	Withheld bool
}

// Since is how a series that had fallen went on: Values of the client's next rated
// sessions, at most three. Back says that one of them came back to within the
// margin of where it had fallen from.
type Since struct {
	Dimension alliance.Dimension
	From, To  float64
	Values    []alliance.Point
	Back      bool
}

// patience is after how many rated sessions a fall that did not come back is one
// for supervision.
const patience = 3

// AnswerSignal notes what came of the signal about a session, with the verdict as
// it is shown, if that is about this session and shown at all. Errors: invalid with
// the field; not_found for who does not run the session.
func (a *App) AnswerSignal(ctx context.Context, actor care.Actor, session care.ID, in care.ConversationContent) error {
	for _, text := range []*string{&in.Why, &in.Said, &in.Mine, &in.Agreed, &in.Next} {
		*text = strings.TrimSpace(*text)
	}
	if err := in.Check(); err != nil {
		return err
	}
	return a.write(ctx, func(tx Tx) error {
		s, e, err := a.sessionFor(tx, actor, care.RunSessions, session)
		if err != nil {
			return err
		}
		seen, err := a.sessionView(tx, actor, s, e)
		if err != nil {
			return err
		}
		in.Shown = nil
		// Whoever has still to guess has not been shown it.
		if !seen.Asked.Hidden && seen.Verdict.Session == seen.Session.Number {
			if in.Shown, err = json.Marshal(seen.Verdict); err != nil {
				return err
			}
		}
		v := care.Conversation{ID: a.cfg.NewID(), Practice: actor.Practice, Session: s.ID, Client: e.Clients[0], Staff: actor.Staff, AtMillis: a.nowMillis(), Content: in}
		if err := tx.AddConversation(e.ID, v); err != nil {
			return err
		}
		return a.audit(tx, actor, "answer_signal", v.ID, e.ID, true)
	})
}

// conversations are those of a course, newest first, each with what was rated since.
// A supervisor reads the texts of those that were shared.
func (a *App) conversations(tx Tx, practice care.ID, relation care.Relation, e care.Episode, c course, drawn []Measure) (out []ConversationView, err error) {
	all, err := tx.Conversations(practice, e.ID, e.Clients[0])
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		v := ConversationView{Conversation: x}
		if relation == care.SupervisesIn {
			v.Content, v.Withheld = x.Content.Unshared(), !x.Content.Shared
		}
		s, err := tx.NamedStaff(practice, x.Staff)
		if err != nil {
			return nil, err
		}
		v.By = s.Name
		for _, s := range c.sessions {
			if s.ID == x.Session {
				v.Number, v.Held = s.Number, s.AtMillis
			}
		}
		if len(x.Content.Shown) > 0 {
			if err := json.Unmarshal(x.Content.Shown, &v.Shown); err != nil {
				return nil, err
			}
		}
		for _, r := range v.Shown.Reasons {
			if r.Code == alliance.Fell && r.Informant == alliance.Client {
				since, waited := sinceThen(drawn, r)
				v.Since = append(v.Since, since)
				v.Unrepaired = v.Unrepaired || waited && !since.Back
			}
		}
		v.Open = v.strained()
		if v.Content.Settled {
			for i := range out {
				out[i].Open, out[i].Unrepaired = false, false
			}
			v.Open, v.Unrepaired = false, false
		}
		out = append([]ConversationView{v}, out...)
	}
	return out, nil
}

// strained says that there was something to mend that has not come back by itself.
func (v ConversationView) strained() bool {
	if v.Content.Marker != "" && len(v.Since) == 0 {
		return true
	}
	if v.Content.Choice == care.NoMeaning && v.Content.Marker == "" {
		return false
	}
	return slices.ContainsFunc(v.Since, func(s Since) bool { return !s.Back })
}

// sinceThen follows the dimension that had fallen; waited says that it was rated
// often enough since.
func sinceThen(drawn []Measure, r alliance.Reason) (s Since, waited bool) {
	s = Since{Dimension: r.Dimension, From: r.Figures.From, To: r.Figures.To}
	for _, m := range drawn {
		for _, series := range m.Client {
			if m.Earlier || series.Dimension != r.Dimension || series.Informant != alliance.Client {
				continue
			}
			worse := 1.
			if series.HigherIsBetter {
				worse = -1
			}
			for _, p := range series.Points {
				if p.OK && p.Session > r.Session && len(s.Values) < patience {
					s.Values = append(s.Values, p)
					s.Back = s.Back || worse*(p.Value-s.From) < r.Figures.Threshold
				}
			}
			return s, len(s.Values) >= patience
		}
	}
	return s, false
}
