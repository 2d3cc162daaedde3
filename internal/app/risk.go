// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

type riskTx interface {
	AddRisk(care.RiskSignal) (bool, error)
	OpenRisks(practice care.ID) ([]care.RiskSignal, error)
	Risks(practice, episode care.ID) ([]care.RiskSignal, error)
	Risk(practice, id care.ID) (care.RiskSignal, error)
	SeeRisk(care.RiskSignal) (bool, error)
	RaiseRisk(practice, id care.ID, to care.RiskStep) (bool, error)
	RiskDuty(practice care.ID) (care.RiskDuty, error)
	SetRiskDuty(care.RiskDuty) error
}

// RiskView is a risk signal as one of those who look after it sees it.
type RiskView struct {
	care.RiskSignal
	Client     care.Client
	Form       string // its name, in the reader's language
	Therapists []string
	SeenByName string
	Treats     bool // the reader treats the client
}

// mostDone bounds what is written about what was done.
const mostDone = 4000

// riskItems are the items, among those answered, that ask for a person at once: by
// the key of a published instrument, whose risk items are known.
func riskItems(id string, a instrument.Answers) []string {
	k, ok := library.Key(id)
	if !ok {
		return nil
	}
	return k.AtRisk(a)
}

// AsksRisk says whether a form has items that ask about danger.
func AsksRisk(id string) bool {
	k, ok := library.Key(id)
	return ok && len(k.Risk) > 0
}

// NoteRisk looks at answers that are not sent yet, or that cannot be kept: of those
// to items about danger the client's therapists and the owner of the duty are told
// at once, also where the form is asked no more, as somebody had it open. It keeps no
// answer. at says whether there was such a one. Errors:
// not_found for a link that has ended.
func (a *App) NoteRisk(ctx context.Context, actor care.Actor, in Submission) (at bool, err error) {
	if !actor.IsRespondent() {
		return false, care.Missing()
	}
	items := riskItems(in.Instrument, in.Answers)
	if len(items) == 0 { // nothing to write: others wait for their turn
		return false, a.read(ctx, func(tx Tx) error {
			_, err := a.inForce(tx, actor)
			return err
		})
	}
	err = a.write(ctx, func(tx Tx) error {
		r, _, err := a.addressed(tx, actor, in)
		if err != nil {
			return err
		}
		if r.Informant != care.ByClient { // what is asked about danger is the client's to say
			return care.Missing()
		}
		form, err := a.publishedVersion(tx, r.Practice, in)
		if err != nil {
			return err
		}
		r.Version = form.Version
		return a.raise(tx, actor, r, items)
	})
	if err != nil {
		return false, err
	}
	a.wakeAlarms()
	return true, nil
}

// lookAtRefused looks at what could not be kept, and gives what the person reads.
func (a *App) lookAtRefused(ctx context.Context, actor care.Actor, in Submission) (out Receipt, err error) {
	if out.Risk, err = a.NoteRisk(ctx, actor, in); err != nil {
		return Receipt{}, err
	}
	return out, a.read(ctx, func(tx Tx) error {
		i, err := tx.Invitation(actor.Practice, actor.Invitation)
		if err != nil {
			return err
		}
		if out.Help, err = helpFor(tx, i.Practice, i.Client, care.ByClient, in.Language); err != nil {
			return err
		}
		e, err := tx.Episode(i.Practice, i.Episode)
		if err != nil {
			return err
		}
		out.Told, err = names(tx, e.Practice, e.Therapists)
		return err
	})
}

// raise stores a risk signal and lays out the mails to those who are told first.
func (a *App) raise(tx Tx, actor care.Actor, r care.Response, items []string) error {
	s := care.RiskSignal{ID: a.cfg.NewID(), Practice: r.Practice, Episode: r.Episode, Session: r.Session, Client: r.Client, AtMillis: a.nowMillis(),
		Content: care.RiskContent{Instrument: r.Instrument, Version: r.Version, Items: items}}
	added, err := tx.AddRisk(s)
	if err != nil || !added {
		return err
	}
	e, err := tx.Episode(r.Practice, r.Episode)
	if err != nil {
		return err
	}
	d, err := tx.RiskDuty(r.Practice)
	if err := ignoreTampered(err); err != nil {
		return err
	}
	if err := a.layOut(tx, s, append(slices.Clone(e.Therapists), d.Owner)); err != nil {
		return err
	}
	return a.audit(tx, actor, "risk_signal", s.ID, r.Episode, true)
}

// looksAfter says whether a signal has come to the actor: they treat the client, own
// the duty, or it was passed on to them.
func looksAfter(actor care.Actor, e care.Episode, d care.RiskDuty, s care.RiskSignal) bool {
	switch {
	case slices.Contains(e.Therapists, actor.Staff) && actor.Has(care.Therapist), d.Owner == actor.Staff:
		return true
	case d.Deputy == actor.Staff && s.Step >= care.ToldDeputy:
		return true
	}
	return actor.Has(care.Manager) && s.Step >= care.ToldManagers
}

// risksFor are the open signals that have come to the actor, oldest first.
func (a *App) risksFor(tx Tx, actor care.Actor) (out []RiskView, err error) {
	all, err := tx.OpenRisks(actor.Practice)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	d, err := tx.RiskDuty(actor.Practice)
	if err := ignoreTampered(err); err != nil {
		return nil, err
	}
	defer tx.Damaged() // a signal is told without what does not open
	for _, s := range all {
		e, err := tx.Episode(actor.Practice, s.Episode)
		if err != nil {
			return nil, err
		}
		if !looksAfter(actor, e, d, s) {
			continue
		}
		v, err := a.riskView(tx, actor, e, s)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *App) riskView(tx Tx, actor care.Actor, e care.Episode, s care.RiskSignal) (v RiskView, err error) {
	v = RiskView{RiskSignal: s, Treats: slices.Contains(e.Therapists, actor.Staff)}
	if v.Client, err = tx.NamedClient(s.Practice, s.Client); err != nil {
		return v, err
	}
	if v.Therapists, err = names(tx, s.Practice, e.Therapists); err != nil {
		return v, err
	}
	if s.SeenBy != "" {
		by, err := tx.NamedStaff(s.Practice, s.SeenBy)
		if err != nil {
			return v, err
		}
		v.SeenByName = by.Name
	}
	if s.Content.Instrument != "" {
		if f, err := a.instrumentFor(tx, s.Practice, s.Content.Instrument, s.Content.Version); err == nil {
			v.Form = f.Name.In(actor.Language)
		}
	}
	return v, nil
}

// riskFor is one signal and its episode, if it has come to the actor. Errors:
// not_found.
func riskFor(tx Tx, actor care.Actor, id care.ID) (s care.RiskSignal, e care.Episode, err error) {
	if s, err = tx.Risk(actor.Practice, id); err != nil {
		return s, e, err
	}
	if e, err = tx.Episode(actor.Practice, s.Episode); err != nil {
		return s, e, err
	}
	d, err := tx.RiskDuty(actor.Practice)
	if err := ignoreTampered(err); err != nil {
		return s, e, err
	}
	if !looksAfter(actor, e, d, s) {
		return s, e, care.Missing()
	}
	return s, e, nil
}

// RiskSignal returns one signal for one of those who look after it. Errors:
// not_found for whom it has not come to.
func (a *App) RiskSignal(ctx context.Context, actor care.Actor, id care.ID) (v RiskView, err error) {
	if !actor.IsStaff() {
		return v, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		s, e, err := riskFor(tx, actor, id)
		if err != nil {
			return err
		}
		v, err = a.riskView(tx, actor, e, s)
		tx.Damaged() // what does not open is told without it
		return err
	})
	if err != nil {
		return v, err
	}
	return v, a.noteRead(ctx, actor, "read_risk", id, v.Episode)
}

// TakeUpRisk notes that the actor has taken a signal up, and what they did; it then
// goes to nobody else. Errors: invalid without a word on what was done; conflict if
// somebody had taken it up; not_found for whom it has not come to.
func (a *App) TakeUpRisk(ctx context.Context, actor care.Actor, id care.ID, done string) error {
	if !actor.IsStaff() {
		return care.Missing()
	}
	done = strings.TrimSpace(done)
	switch n := len([]rune(done)); {
	case n == 0:
		return care.Bad("done", "field.needed")
	case n > mostDone:
		return care.Bad("done", "field.too_long")
	}
	return a.write(ctx, func(tx Tx) error {
		s, _, err := riskFor(tx, actor, id)
		tx.Damaged() // who takes it up needs none of what does not open
		if err != nil {
			return err
		}
		s.SeenBy, s.SeenMillis, s.Done = actor.Staff, a.nowMillis(), done
		seen, err := tx.SeeRisk(s)
		if err != nil {
			return err
		}
		if !seen {
			return &care.Error{Code: care.Conflict, Key: "risk.taken"}
		}
		if err := tx.DropAlarms(actor.Practice, id); err != nil {
			return err
		}
		return a.audit(tx, actor, "take_up_risk", id, s.Episode, true)
	})
}
