// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

type responseTx interface {
	AddResponse(care.Response) (bool, error)
	ResponseHead(practice, id care.ID) (care.Response, error)
	SessionResponses(practice, episode, client, session care.ID) ([]care.Response, error)
	Responses(practice, episode, client care.ID) ([]care.Response, error)
}

const maxComment = 2000

// instrumentFor finds an instrument in the library or among those the practice
// brought.
func (a *App) instrumentFor(tx Tx, practice care.ID, id string, version int) (*instrument.Instrument, error) {
	if i, ok := library.GetVersion(id, version); ok {
		return i, nil
	}
	key := fmt.Sprintf("%s/%s@%d", practice, id, version)
	if i, ok := a.defined.Load(key); ok {
		return i.(*instrument.Instrument), nil
	}
	text, err := tx.Instrument(practice, id, version)
	if err != nil {
		return nil, fmt.Errorf("instrument %s: %w", key, err)
	}
	i, err := instrument.Parse(key, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("instrument %s: %w", key, err)
	}
	a.defined.Store(key, i)
	return i, nil
}

// forms lists the newest versions of an episode's forms that somebody answers; the
// episode is as asking reads it.
func (a *App) forms(e care.Episode, who instrument.Informant) (out []*instrument.Instrument) {
	for _, id := range e.Forms {
		if i, ok := a.formNow(e.Practice, id); ok && i.Informant == who {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(x, y *instrument.Instrument) int { return formRank(x) - formRank(y) })
	return out
}

// NextForm gives the form a respondent is to answer now. Errors: not_found with
// the key form.done when all of the session's forms are answered.
func (a *App) NextForm(ctx context.Context, actor care.Actor) (v FormView, err error) {
	if !actor.IsRespondent() {
		return v, care.Missing()
	}
	err = a.read(ctx, func(tx Tx) error {
		i, err := a.inForce(tx, actor)
		if err != nil {
			return err
		}
		if err := a.consentMet(tx, i.Practice, i.Client, consentWaits()); err != nil {
			return err
		}
		e, err := a.asking(tx, i.Practice, i.Episode)
		if err != nil {
			return err
		}
		s, err := tx.Session(i.Practice, i.Session)
		if err != nil {
			return err
		}
		if e, err = a.dueIn(tx, e, i.Client, i.Session); err != nil {
			return err
		}
		by, who := i.Who()
		all := a.forms(e, instrument.Informant(who))
		rs, err := tx.SessionResponses(i.Practice, e.ID, i.Client, i.Session)
		if err != nil {
			return err
		}
		v = FormView{Language: actor.Language, Submission: a.cfg.NewID(), AtMillis: s.AtMillis, Of: len(all), Kiosk: i.Channel == care.ByKiosk, Carer: who == care.ByCarer}
		for n, f := range all {
			if !answered(rs, f.ID, by) {
				v.Instrument, v.Step = f, n+1
				break
			}
		}
		if v.Instrument == nil {
			return &care.Error{Code: care.NotFound, Key: "form.done"}
		}
		p, err := tx.Practice(i.Practice)
		if err != nil {
			return err
		}
		v.TimeZone = p.TimeZone
		if v.Help, err = helpFor(tx, i.Practice, i.Client, who, v.Language); err != nil {
			return err
		}
		v.Readers, err = readers(tx, e)
		return err
	})
	return v, err
}

// inForce returns the actor's invitation if it has neither ended nor expired.
func (a *App) inForce(tx Tx, actor care.Actor) (care.Invitation, error) {
	i, err := tx.Invitation(actor.Practice, actor.Invitation)
	if err == nil && (i.RevokedMillis != 0 || i.ExpiresMillis <= a.nowMillis() || i.CreatedMillis > a.nowMillis()+(24*time.Hour).Milliseconds()) {
		err = care.Missing()
	}
	return i, err
}

func answered(rs []care.Response, instrumentID string, by care.ID) bool {
	return slices.ContainsFunc(rs, func(r care.Response) bool { return r.Instrument == instrumentID && r.By == by })
}

// readers are the names of those who will read what is answered in an episode.
func readers(tx Tx, e care.Episode) ([]string, error) {
	return names(tx, e.Practice, append(slices.Clone(e.Therapists), e.Supervisors...))
}

func names(tx Tx, practice care.ID, ids []care.ID) (out []string, err error) {
	for _, id := range ids {
		s, err := tx.NamedStaff(practice, id)
		if err != nil {
			return nil, err
		}
		tx.Damaged() // the page says that there is somebody whose name does not open
		if !slices.Contains(out, s.Name) {
			out = append(out, s.Name)
		}
	}
	return out, nil
}

// OwnForm gives a therapist the form for a session: kind alliance for their own
// rating, prediction for what they think the client will say, process for the first
// of their other forms that is still to be answered.
func (a *App) OwnForm(ctx context.Context, actor care.Actor, session care.ID, kind instrument.Kind) (v FormView, err error) {
	err = a.read(ctx, func(tx Tx) error {
		s, e, err := a.sessionFor(tx, actor, care.RateSession, session)
		if err != nil {
			return err
		}
		rs, err := tx.SessionResponses(actor.Practice, e.ID, e.Clients[0], s.ID)
		if err != nil {
			return err
		}
		done := false
		for _, f := range a.forms(e, instrument.Therapist) {
			if f.Kind != kind {
				continue
			}
			if answered(rs, f.ID, actor.Staff) {
				done = true
				continue
			}
			c, err := tx.Client(actor.Practice, e.Clients[0])
			if err != nil {
				return err
			}
			v = FormView{Instrument: f, Language: actor.Language, Submission: a.cfg.NewID(), AtMillis: s.AtMillis, Client: c.Label, Step: 1, Of: 1}
			return nil
		}
		if done {
			return &care.Error{Code: care.NotFound, Key: "form.done"}
		}
		return care.Missing()
	})
	return v, err
}

// RecordRating keeps an answered form: a respondent's for the invitation's
// session, a therapist's for Submission.Session. The same submission again gives
// the same receipt. Errors: invalid with Field the item's id; conflict
// form.already_sent when this person has answered this form already; not_found
// for a link that has ended.
func (a *App) RecordRating(ctx context.Context, actor care.Actor, in Submission) (Receipt, error) {
	in.Comment = strings.TrimSpace(in.Comment)
	if len([]rune(in.Comment)) > maxComment {
		return Receipt{}, care.Bad("comment", "field.too_long")
	}
	if _, err := uuid.Parse(string(in.ID)); err != nil || len(in.ID) != 36 {
		return Receipt{}, care.Bad("submission", "field.needed")
	}
	atRisk := actor.IsRespondent() && len(riskItems(in.Instrument, in.Answers)) > 0
	var r care.Response
	var out Receipt
	// All that needs no lock comes first: writers wait for each other.
	err := a.read(ctx, func(tx Tx) (err error) {
		r, out, err = a.prepare(tx, actor, in)
		return err
	})
	if err == nil && !out.Repeated {
		err = a.write(ctx, func(tx Tx) error { return a.keep(tx, actor, r, &out) })
	}
	if atRisk && err != nil { // what is not kept, as it was sent already, is looked at all the same
		out, riskErr := a.lookAtRefused(ctx, actor, in)
		return out, errors.Join(err, riskErr)
	}
	if err != nil {
		return Receipt{}, err
	}
	if out.Risk = atRisk; atRisk {
		a.wakeAlarms()
	}
	return out, nil
}

// prepare checks and scores a submission, and makes the receipt for it.
func (a *App) prepare(tx Tx, actor care.Actor, in Submission) (r care.Response, out Receipt, err error) {
	r, e, err := a.addressed(tx, actor, in)
	if err != nil {
		return r, out, err
	}
	if actor.IsRespondent() {
		if err := a.consentMet(tx, r.Practice, r.Client, consentWaits()); err != nil {
			return r, out, err
		}
	}
	form, err := a.accept(tx, e, r.Informant, in)
	if err != nil {
		return r, out, err
	}
	rs, err := tx.SessionResponses(r.Practice, r.Episode, r.Client, r.Session)
	if err != nil {
		return r, out, err
	}
	r.Version, r.Language = form.Version, in.Language
	r.Content = care.Content{Answers: in.Answers, Comment: in.Comment, Scores: scores(form, in.Answers), Beside: in.Beside && actor.IsRespondent()}
	if e, err = a.dueIn(tx, e, r.Client, r.Session); err != nil {
		return r, out, err
	}
	out = Receipt{ID: r.ID, AtMillis: r.AnsweredMillis, More: a.more(e, r, append(slices.Clone(rs), r))}
	if i := slices.IndexFunc(rs, func(old care.Response) bool { return old.ID == r.ID }); i >= 0 {
		if err := out.repeats(r, rs[i]); err != nil {
			return r, out, err
		}
	} else if answered(rs, in.Instrument, r.By) {
		return r, out, alreadySent()
	}
	atRisk := r.Informant == care.ByClient && len(riskItems(in.Instrument, in.Answers)) > 0
	if actor.IsRespondent() && (!out.More || atRisk) {
		p, err := tx.Practice(r.Practice)
		if err != nil {
			return r, out, err
		}
		out.TimeZone = p.TimeZone
		if out.Help, err = helpFor(tx, r.Practice, r.Client, r.Informant, in.Language); err != nil {
			return r, out, err
		}
		if atRisk {
			if out.Told, err = names(tx, e.Practice, e.Therapists); err != nil {
				return r, out, err
			}
		}
		if out.Readers, err = readers(tx, e); err != nil || out.More || r.Informant != care.ByClient {
			return r, out, err
		}
		goals, tasks, err := a.workWaits(tx, e, r.Client, r.Session)
		tx.Damaged() // what does not open is not asked about
		out.Work = len(goals)+len(tasks) > 0
		return r, out, err
	}
	return r, out, nil
}

// repeats gives a submission that was received before the receipt of then.
func (out *Receipt) repeats(r, old care.Response) error {
	if old.Session != r.Session || old.By != r.By || old.Instrument != r.Instrument {
		return alreadySent()
	}
	out.AtMillis, out.Repeated = old.AnsweredMillis, true
	return nil
}

func alreadySent() error { return &care.Error{Code: care.Conflict, Key: "form.already_sent"} }

// keep stores a prepared response, after another look at what may have ended
// since.
func (a *App) keep(tx Tx, actor care.Actor, r care.Response, out *Receipt) error {
	if err := a.mayStill(tx, actor, r); err != nil {
		return err
	}
	// A ground may have been withdrawn since.
	if may, err := mayAsk(tx, r.Practice, r.Instrument); err != nil {
		return err
	} else if !may {
		return care.Bad("form", "form.unknown")
	}
	added, err := tx.AddResponse(r)
	if care.CodeOf(err) == care.Conflict {
		return errors.Join(alreadySent(), err)
	}
	if err != nil {
		return err
	}
	if !added { // it came in twice at once, or its id was used for another session
		old, err := tx.ResponseHead(r.Practice, r.ID)
		if err != nil {
			return err
		}
		return out.repeats(r, old)
	}
	if items := riskItems(r.Instrument, r.Content.Answers); len(items) > 0 && r.Informant == care.ByClient {
		if err := a.raise(tx, actor, r, items); err != nil {
			return err
		}
	}
	if _, err := tx.Touch(r.Practice, r.Episode, r.Client); err != nil {
		return err
	}
	return a.audit(tx, actor, "record_rating", r.ID, r.Episode, true)
}

func (a *App) mayStill(tx Tx, actor care.Actor, r care.Response) error {
	if actor.IsRespondent() {
		i, err := a.inForce(tx, actor)
		if err != nil {
			return err
		}
		return a.consentMet(tx, i.Practice, i.Client, consentWaits())
	}
	s, _, err := a.sessionFor(tx, actor, care.RateSession, r.Session)
	if err == nil && s.Status != care.Held {
		err = care.Bad("session", "session.not_held")
	}
	return err
}

// addressed fills in whom and what a submission is about, and who sends it.
func (a *App) addressed(tx Tx, actor care.Actor, in Submission) (care.Response, care.Episode, error) {
	r := care.Response{ID: in.ID, Practice: actor.Practice, Instrument: in.Instrument, AnsweredMillis: a.nowMillis()}
	if actor.IsRespondent() {
		i, err := a.inForce(tx, actor)
		if err != nil {
			return r, care.Episode{}, err
		}
		r.Episode, r.Session, r.Client = i.Episode, i.Session, i.Client
		r.By, r.Informant = i.Who()
		e, err := a.asking(tx, i.Practice, i.Episode)
		return r, e, err
	}
	s, e, err := a.sessionFor(tx, actor, care.RateSession, in.Session)
	if err != nil {
		return r, e, err
	}
	if s.Status != care.Held {
		return r, e, care.Bad("session", "session.not_held")
	}
	r.Episode, r.Session, r.Client, r.By, r.Informant = e.ID, s.ID, e.Clients[0], actor.Staff, care.ByTherapist
	return r, e, nil
}

// accept checks that the form is one that this informant is asked in the episode,
// and that its answers fit.
func (a *App) accept(tx Tx, e care.Episode, who care.Informant, in Submission) (*instrument.Instrument, error) {
	form, err := a.askedVersion(tx, e, in)
	if err != nil && care.CodeOf(err) != care.NotFound {
		return nil, err
	}
	if err != nil || form.Informant != instrument.Informant(who) {
		return nil, care.Bad("form", "form.unknown")
	}
	if err := form.Check(in.Answers); err != nil {
		var bad *instrument.AnswerError
		if errors.As(err, &bad) {
			return nil, &care.Error{Code: care.Invalid, Field: bad.Item, Key: "form.answer_unfit", Err: err}
		}
		return nil, err
	}
	if len(in.Answers) == 0 && in.Comment == "" {
		return nil, care.Bad("form", "form.empty")
	}
	return form, nil
}

func scores(form *instrument.Instrument, answers instrument.Answers) (out []care.Score) {
	for _, s := range form.Score(answers) {
		x := care.Score{Scale: s.Scale, Dimension: string(s.Dimension), OK: s.OK}
		if s.OK {
			x.Value = s.Value
		}
		out = append(out, x)
	}
	return out
}

// more reports whether another form waits for whoever sent r.
func (a *App) more(e care.Episode, r care.Response, rs []care.Response) bool {
	if r.Informant != care.ByClient && r.Informant != care.ByCarer {
		return false
	}
	return slices.ContainsFunc(a.forms(e, instrument.Informant(r.Informant)), func(f *instrument.Instrument) bool { return !answered(rs, f.ID, r.By) })
}
