// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

type standingTx interface {
	Touch(practice, episode, client care.ID) (int64, error)
	PutStanding(care.Standing) error
	MarkRead(practice, staff, episode, client care.ID, atMillis int64) error
	Reveal(practice, staff, session care.ID, atMillis int64) error
	Revealed(practice, staff care.ID) ([]care.ID, error)
	Instrument(practice care.ID, id string, version int) (string, error)
}

func (a *App) predicts(e care.Episode) bool {
	return slices.ContainsFunc(a.forms(e, instrument.Therapist), func(f *instrument.Instrument) bool { return f.Kind == instrument.Prediction })
}

// standing computes how one client stands in an episode.
func (a *App) standing(tx Tx, e care.Episode, client care.ID) (standing, error) {
	c, err := a.course(tx, e, client)
	if err != nil {
		return standing{}, err
	}
	return c.standing(a.predicts(e)), nil
}

// refresh keeps a client's standing ready after something changed.
func (a *App) refresh(tx Tx, e care.Episode, client care.ID) error {
	n, err := tx.Touch(e.Practice, e.ID, client)
	if err != nil {
		return err
	}
	before := len(tx.Damaged())
	s, err := a.standing(tx, e, client)
	if err != nil || len(tx.Damaged()) > before { // what lacks something stays stale, and is marked when it is looked at
		return err
	}
	k, err := s.kept(e.Practice, e.ID, client, n)
	if err != nil {
		return err
	}
	return tx.PutStanding(k)
}

func (s standing) kept(practice, episode, client care.ID, changes int64) (care.Standing, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return care.Standing{}, fmt.Errorf("standing of episode %s: %w", episode, err)
	}
	return care.Standing{Practice: practice, Episode: episode, Client: client, LastMillis: s.LastMillis, Changes: changes, Body: body}, nil
}

func (a *App) refreshEpisode(tx Tx, practice, episode care.ID) error {
	e, err := a.asking(tx, practice, episode)
	if err != nil {
		return err
	}
	for _, c := range e.Clients {
		if err := a.refresh(tx, e, c); err != nil {
			return err
		}
	}
	return nil
}

// asked says how far the forms of a session are, and whether the client's new
// answers wait for this person's prediction.
func (a *App) asked(actor care.Actor, relation care.Relation, e care.Episode, rs []care.Response, session care.ID, revealed []care.ID) (v Asked) {
	client := e.Clients[0]
	fresh := false
	for _, f := range a.forms(e, instrument.Client) {
		v.ClientForms++
		if answered(rs, f.ID, client) {
			v.ClientDone++
			fresh = fresh || f.Kind == instrument.Alliance
		}
	}
	for _, f := range a.forms(e, instrument.Therapist) {
		switch done := answered(rs, f.ID, actor.Staff); f.Kind {
		case instrument.Alliance:
			v.TherapistOwn, v.OwnDone = true, done
		case instrument.Prediction:
			v.Predict, v.PredictDone = true, done
		case instrument.Process:
			v.ProcessLeft = v.ProcessLeft || !done
		}
	}
	imported := slices.ContainsFunc(rs, func(r care.Response) bool { return r.Import != "" })
	v.Hidden = fresh && !imported && relation == care.TreatsIn && v.Predict && !v.PredictDone && !slices.Contains(revealed, session)
	return v
}

// Reveal shows the client's answers for a session to the actor without a
// prediction.
func (a *App) Reveal(ctx context.Context, actor care.Actor, session care.ID) error {
	return a.write(ctx, func(tx Tx) error {
		_, e, err := a.sessionFor(tx, actor, care.RateSession, session)
		if err != nil {
			return err
		}
		if err := tx.Reveal(actor.Practice, actor.Staff, session, a.nowMillis()); err != nil {
			return err
		}
		return a.audit(tx, actor, "reveal", session, e.ID, true)
	})
}

// Caseload lists the clients of the open episodes the actor stands in. It holds
// no answer, only how each course stands.
func (a *App) Caseload(ctx context.Context, actor care.Actor) (out []CaseloadRow, err error) {
	if err := care.May(actor, care.SeeOwnWork); err != nil {
		return nil, err
	}
	var made []care.Standing
	err = a.read(ctx, func(tx Tx) error {
		out, made, err = a.caseload(tx, actor)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, a.noteRead(ctx, actor, "read_caseload", actor.Staff, "", made...)
}

// noteRead audits a read, and keeps the standings that it had to work out.
func (a *App) noteRead(ctx context.Context, actor care.Actor, action string, record, about care.ID, made ...care.Standing) error {
	var tell []care.Staff
	err := a.write(ctx, func(tx Tx) (err error) {
		for _, s := range made {
			if err := tx.PutStanding(s); err != nil {
				return err
			}
		}
		tell, err = a.opened(tx, actor, action, record, about)
		return err
	})
	if err != nil {
		return err
	}
	a.notify(context.WithoutCancel(ctx), tell) // who leaves the page early stops no mail
	return nil
}

// caseload also returns the standings it found stale, as they are now.
func (a *App) caseload(tx Tx, actor care.Actor) (out []CaseloadRow, made []care.Standing, err error) {
	entries, err := tx.Caseload(actor.Practice, actor.Staff)
	if err != nil {
		return nil, nil, err
	}
	revealed, err := tx.Revealed(actor.Practice, actor.Staff)
	if err != nil {
		return nil, nil, err
	}
	noted, err := tx.Answered(actor.Practice, actor.Staff)
	if err != nil {
		return nil, nil, err
	}
	answered := make(map[care.ID]bool, len(noted))
	for _, id := range noted {
		answered[id] = true
	}
	rule, err := a.rule(tx, actor.Practice)
	if err != nil {
		return nil, nil, err
	}
	out = make([]CaseloadRow, 0, len(entries))
	for _, e := range entries {
		if !actor.Has(care.Role(e.Relation)) { // the role was taken away since
			continue
		}
		before := len(tx.Damaged())
		if e.Damaged {
			out = append(out, CaseloadRow{Client: e.Client, Episode: e.Episode, Damaged: true, Verdict: alliance.Verdict{Kind: alliance.TooLittle}})
			continue
		}
		s, fresh, err := a.standingOf(tx, actor.Practice, rule.Key(), e)
		if err != nil {
			return nil, nil, err
		}
		damaged := len(tx.Damaged()) > before
		if fresh != nil && !damaged { // what lacks something is not kept as if it were whole
			made = append(made, *fresh)
		}
		row := caseloadRow(actor, e, s, revealed, answered)
		row.Damaged = damaged
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(x, y CaseloadRow) int {
		return cmp.Or(cmp.Compare(urgency(x), urgency(y)), strings.Compare(strings.ToLower(x.Client.Label), strings.ToLower(y.Client.Label)))
	})
	return out, made, nil
}

func urgency(r CaseloadRow) int {
	now := r.waits() && r.Verdict.Kind == alliance.WorthAskingNow
	switch {
	case r.Unread > 0 && now:
		return 0
	case r.Unread > 0 && r.waits():
		return 1
	case r.Unread > 0:
		return 2
	case now:
		return 3
	case r.waits(), r.NoShow:
		return 4
	case r.Missed:
		return 5
	}
	return 6
}

// standingOf reads the standing that is kept of a course or, where it is stale or
// judged by another rule, works it out; made is then to be kept.
func (a *App) standingOf(tx Tx, practice care.ID, rule string, e care.CaseloadEntry) (s standing, made *care.Standing, err error) {
	if len(e.Standing) > 0 {
		if err := json.Unmarshal(e.Standing, &s); err != nil {
			return s, nil, fmt.Errorf("standing of episode %s: %w", e.Episode, err)
		}
	}
	if !e.Stale && (s.Rule == rule || e.Changes == 0) {
		return s, nil, nil
	}
	ep, err := a.asking(tx, practice, e.Episode)
	if err != nil {
		return s, nil, err
	}
	if s, err = a.standing(tx, ep, e.Client.ID); err != nil {
		return s, nil, err
	}
	k, err := s.kept(practice, e.Episode, e.Client.ID, e.Changes)
	return s, &k, err
}

func caseloadRow(actor care.Actor, e care.CaseloadEntry, s standing, revealed []care.ID, answered map[care.ID]bool) CaseloadRow {
	r := CaseloadRow{Client: e.Client, Episode: e.Episode, Verdict: alliance.Verdict{Kind: alliance.TooLittle}}
	if s.Rule == "" { // nothing has happened yet
		return r
	}
	r.Sessions, r.LastAt, r.Missed = s.Sessions, s.LastMillis, s.Missed
	for _, at := range s.Received {
		if at > e.ReadAtMillis {
			r.Unread++
		}
	}
	r.Hidden = s.Fresh != "" && e.Relation == care.TreatsIn && !slices.Contains(s.Guessed, actor.Staff) && !slices.Contains(revealed, s.Fresh)
	if r.Hidden && len(s.Spark) > 0 {
		s.Spark = s.Spark[:len(s.Spark)-1]
	}
	for _, v := range s.Spark {
		if v == nil {
			r.Spark = append(r.Spark, math.NaN())
			continue
		}
		r.Spark = append(r.Spark, *v)
	}
	if !r.Hidden {
		r.Verdict, r.Answered, r.NoShow = s.Verdict, answered[s.About], s.NoShow
	}
	return r
}

// waits says that the verdict wants an answer that nobody has noted.
func (r CaseloadRow) waits() bool { return r.Verdict.Asks() && !r.Answered }

// Today gathers the actor's sessions of this day and what is worth asking about.
func (a *App) Today(ctx context.Context, actor care.Actor) (out Today, err error) {
	if err := care.May(actor, care.SeeOwnWork); err != nil {
		return out, err
	}
	var made []care.Standing
	err = a.read(ctx, func(tx Tx) error {
		out = Today{}
		p, err := tx.Practice(actor.Practice)
		if err != nil {
			return err
		}
		now := a.cfg.Now().In(zone(p))
		from := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
		ss, err := tx.SessionsBetween(actor.Practice, actor.Staff, from.UnixMilli(), from.AddDate(0, 0, 1).UnixMilli())
		if err != nil {
			return err
		}
		for _, s := range ss {
			e, err := a.asking(tx, actor.Practice, s.Episode)
			if err != nil {
				return err
			}
			if a.permit(tx, actor, care.ReadCourse, e.ID) != nil {
				continue
			}
			v, err := a.sessionView(tx, actor, s, e)
			if err != nil {
				return err
			}
			out.Sessions = append(out.Sessions, v)
		}
		if out.Told, out.Held, err = a.emergenciesToday(tx, actor); err != nil {
			return err
		}
		if out.Risks, err = a.risksFor(tx, actor); err != nil {
			return err
		}
		if out.Alarm, err = a.alarmState(tx, actor); err != nil {
			return err
		}
		if out.Pulls, err = a.pullsToday(tx, actor); err != nil {
			return err
		}
		if out.Reviews, err = a.reviewsDue(tx, actor); err != nil {
			return err
		}
		out.Clients, made, err = a.caseload(tx, actor)
		for _, r := range out.Clients {
			if r.waits() || r.Hidden || r.NoShow {
				out.Asking = append(out.Asking, r)
			}
		}
		return err
	})
	if err != nil {
		return out, err
	}
	return out, a.noteRead(ctx, actor, "read_today", actor.Staff, "", made...)
}

// ClientPage gathers one client's course in one episode ("" for the newest the
// actor may see), and notes that the actor has read it.
func (a *App) ClientPage(ctx context.Context, actor care.Actor, client, episode care.ID) (v ClientView, err error) {
	err = a.read(ctx, func(tx Tx) error {
		v, err = a.clientView(tx, actor, client, episode)
		v.Damaged = tx.Damaged()
		for i, d := range v.Damaged {
			for _, s := range v.Sessions {
				if s.Session.ID == d.Session {
					v.Damaged[i].SessionMillis = s.Session.AtMillis
				}
			}
		}
		return err
	})
	if err != nil {
		return v, err
	}
	var tell []care.Staff
	err = a.write(ctx, func(tx Tx) (err error) {
		for _, d := range v.Damaged {
			if err := a.audit(tx, actor, "damaged", d.Row, client, false); err != nil {
				return err
			}
		}
		if v.Hidden == "" { // hidden answers stay unread
			if err := tx.MarkRead(actor.Practice, actor.Staff, v.Episode.ID, client, a.nowMillis()); err != nil {
				return err
			}
		}
		tell, err = a.opened(tx, actor, "read_course", v.Episode.ID, v.Episode.ID)
		return err
	})
	if err != nil {
		return v, err
	}
	a.notify(context.WithoutCancel(ctx), tell)
	return v, nil
}

func (a *App) clientView(tx Tx, actor care.Actor, client, episode care.ID) (v ClientView, err error) {
	if v.Episodes, err = a.episodesFor(tx, actor, care.ReadCourse, client); err != nil {
		return v, err
	}
	v.Episode = v.Episodes[0]
	if episode != "" {
		i := slices.IndexFunc(v.Episodes, func(e care.Episode) bool { return e.ID == episode })
		if i < 0 {
			return v, care.Missing()
		}
		v.Episode = v.Episodes[i]
	}
	if v.Client, err = tx.Client(actor.Practice, client); err != nil {
		return v, err
	}
	if v.Therapists, err = names(tx, actor.Practice, v.Episode.Therapists); err != nil {
		return v, err
	}
	relation, err := tx.Relation(actor.Practice, v.Episode.ID, actor.Staff)
	if err != nil {
		return v, err
	}
	v.Runs = care.MayIn(actor, care.RunSessions, relation) == nil
	v.CanAsk = v.Runs && v.Episode.ClosedOn == ""
	if care.MayIn(actor, care.ReadCourse, relation) != nil {
		if v.Emergency, err = a.heldFor(tx, actor, client); err != nil {
			return v, err
		}
	}
	c, err := a.course(tx, v.Episode, client)
	if err != nil {
		return v, err
	}
	if v.Sessions, err = a.points(tx, actor, relation, v.Episode, c); err != nil {
		return v, err
	}
	fresh, _ := c.fresh()
	for _, p := range v.Sessions {
		if p.Asked.Hidden && p.Session.ID == fresh {
			v.Hidden = fresh
			c = c.without(fresh)
		}
	}
	tension := map[int]alliance.TensionAnswer{}
	for _, t := range c.tension() {
		tension[t.Session] = t.Answer
	}
	for i := range v.Sessions {
		v.Sessions[i].Tension = tension[v.Sessions[i].Session.Number]
	}
	v.Verdict, v.Comments = c.judge(), c.comments()
	v.NoShow = v.Hidden == "" && c.noShow(v.Verdict)
	v.Alliance, v.Outcome, v.Process = c.pictures(instrument.Alliance), c.pictures(instrument.Outcome), c.pictures(instrument.Process)
	for _, m := range [][]Measure{v.Alliance, v.Outcome, v.Process} {
		if err := nameRaters(tx, actor.Practice, client, m); err != nil {
			return v, err
		}
	}
	if err := a.faring(tx, actor.Practice, v.Client.AgeBand, v.Outcome); err != nil {
		return v, err
	}
	if v.Said, err = a.conversations(tx, actor.Practice, relation, v.Episode, c, v.Alliance); err != nil {
		return v, err
	}
	if v.Closings, err = closings(tx, v.Episode); err != nil {
		return v, err
	}
	if v.Goals, v.Tasks, err = a.workOf(tx, v.Episode, client, v.Hidden); err != nil {
		return v, err
	}
	risks, err := tx.Risks(actor.Practice, v.Episode.ID)
	if err != nil {
		return v, err
	}
	for _, s := range risks {
		x, err := a.riskView(tx, actor, v.Episode, s)
		if err != nil {
			return v, err
		}
		v.Risks = append(v.Risks, x)
	}
	all, err := tx.Sessions(actor.Practice, v.Episode.ID)
	for _, s := range all {
		if s.Status == care.Planned {
			v.Planned = append(v.Planned, s)
		}
	}
	return v, err
}

// points lists the held sessions with how far their forms are and the notes.
func (a *App) points(tx Tx, actor care.Actor, relation care.Relation, e care.Episode, c course) (out []SessionPoint, err error) {
	revealed, err := tx.Revealed(actor.Practice, actor.Staff)
	if err != nil {
		return nil, err
	}
	notes, err := tx.Notes(actor.Practice, e.ID, e.Clients[0])
	if err != nil {
		return nil, err
	}
	writers := map[care.ID]string{}
	for _, n := range notes {
		if _, known := writers[n.Staff]; !known {
			s, err := tx.NamedStaff(actor.Practice, n.Staff)
			if err != nil {
				return nil, err
			}
			writers[n.Staff] = s.Name
		}
	}
	noted := map[care.ID][]NoteView{}
	for _, n := range notes {
		noted[n.Session] = append(noted[n.Session], NoteView{Text: n.Text, By: writers[n.Staff], AtMillis: n.AtMillis})
	}
	fresh, _ := c.fresh()
	said, given := c.bySession(), map[string]map[care.ID]bool(nil)
	if len(e.Rhythms) > 0 {
		given = c.given()
	}
	for _, s := range c.sessions {
		p := SessionPoint{Session: s, Asked: a.asked(actor, relation, c.dueForms(e, s, given), said[s.ID], s.ID, revealed), Notes: noted[s.ID]}
		p.Asked.Hidden = p.Asked.Hidden && s.ID == fresh // only the newest waits for a guess
		p.Beside = !p.Asked.Hidden && besideIn(said[s.ID])
		out = append(out, p)
	}
	return out, nil
}
