// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// carerEach makes a child with a session and a carer, in neri's care and longo's
// supervision.
func (w *world) carerEach() {
	w.t.Helper()
	w.child = get[care.ID](w.t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-child", AgeBand: care.Child, Language: "it", Episode: app.NewEpisode{Supervisors: []care.ID{w.longo.Staff}}}))
	w.carer = get[care.ID](w.t)(w.app.AddCarer(w.ctx, w.neri, w.child, care.CarerContent{Label: "CANARY-carer", Relation: care.Parent, Language: "en", Email: "carer@example.org"}))
	w.childEpisode = get[app.ClientView](w.t)(w.app.ClientPage(w.ctx, w.neri, w.child, "")).Episode.ID
	w.childSession = get[care.ID](w.t)(w.app.StartSession(w.ctx, w.neri, w.childEpisode))
}

// comes opens a link as whoever got it.
func (w *world) comes(l app.Link, err error) care.Actor {
	w.t.Helper()
	must(w.t, err)
	opened := get[app.Link](w.t)(w.app.OpenInvitation(w.ctx, l.Token))
	return get[care.Actor](w.t)(w.app.Respondent(w.ctx, opened.Token))
}

// say fills the next form of a respondent with a share of its range.
func (w *world) say(a care.Actor, share float64, words string) (app.FormView, app.Receipt) {
	w.t.Helper()
	v := get[app.FormView](w.t)(w.app.NextForm(w.ctx, a))
	answers := instrument.Answers{}
	for _, it := range v.Instrument.Items {
		answers[it.ID] = it.Min + share*(it.Max-it.Min)
		if it.Tension {
			answers[it.ID] = it.Min
		}
	}
	in := app.Submission{ID: newID(), Instrument: v.Instrument.ID, Version: v.Instrument.Version, Language: v.Language, Answers: answers, Comment: words}
	return v, get[app.Receipt](w.t)(w.app.RecordRating(w.ctx, a, in))
}

// TestCarers: two parents and their child answer each by a link of their own, none
// ends another's, each is a course of its own, and none is shown a trace of another.
func TestCarers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.carerEach()
		father := get[care.ID](t)(w.app.AddCarer(w.ctx, w.neri, w.child, care.CarerContent{Label: "CANARY-father", Relation: care.Parent, Language: "it"}))
		child := w.comes(w.app.Invite(w.ctx, w.neri, w.childSession))
		mother := w.comes(w.app.InviteCarer(w.ctx, w.neri, w.childSession, w.carer))
		dad := w.comes(w.app.InviteCarer(w.ctx, w.neri, w.childSession, father))
		if mother.Language != "en" || dad.Language != "it" || child.Language != "it" {
			t.Errorf("languages: %s, %s, %s", mother.Language, dad.Language, child.Language)
		}
		s := get[app.SessionView](t)(w.app.Session(w.ctx, w.neri, w.childSession))
		if len(s.Carers) != 2 || !s.Invited || !s.Carers[0].Invited || s.Carers[0].Forms != 1 || s.Carers[0].Done != 0 {
			t.Errorf("before: %+v, invited %v", s.Carers, s.Invited)
		}
		before := shown(t, w, dad)
		v, r := w.say(mother, .9, "CANARY-mother-words")
		if !v.Carer || v.Instrument.Informant != instrument.Carer || r.More || r.Work || r.Risk {
			t.Errorf("the mother was asked %s: %+v", v.Instrument.ID, r)
		}
		w.say(child, 1, "CANARY-child-words")
		if after := shown(t, w, dad); after != before {
			t.Errorf("what others answered changed what the father is shown:\n%s\n%s", before, after)
		}
		w.say(dad, .2, "CANARY-father-words")
		for name, a := range map[string]care.Actor{"mother": mother, "father": dad} {
			if _, err := w.app.NextWork(w.ctx, a); care.CodeOf(err) != care.NotFound {
				t.Errorf("%s reads goals and tasks: %v", name, err)
			}
			if _, err := w.app.NextForm(w.ctx, a); care.CodeOf(err) != care.NotFound {
				t.Errorf("%s is asked again: %v", name, err)
			}
		}
		byLink := 0
		for _, l := range get[[]app.AccessLine](t)(w.app.Access(w.ctx, w.neri, w.child)) {
			if l.Who == "" && l.Action == "record_rating" {
				byLink++
			}
		}
		if byLink != 1 {
			t.Errorf("the child's list of who saw their data has %d answers by a link", byLink)
		}
		must(t, w.app.Reveal(w.ctx, w.neri, w.childSession))
		page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.child, ""))
		got := map[string]float64{}
		for _, m := range page.Alliance {
			if m.By == "" {
				continue
			}
			for _, x := range m.Client {
				if x.Informant == alliance.Carer && x.Dimension == alliance.Bond && x.Points[0].OK {
					got[m.Rater] = x.Points[0].Value
				}
			}
			if len(m.Therapist)+len(m.Predicted) != 0 {
				t.Errorf("the therapist's rating stands beside %s's", m.Rater)
			}
		}
		if len(got) != 2 || got["CANARY-carer"] <= got["CANARY-father"] {
			t.Errorf("courses of carers: %v", got)
		}
	})
}

// shown is all that a respondent's next form says.
func shown(t *testing.T, w *world, a care.Actor) string {
	t.Helper()
	v := get[app.FormView](t)(w.app.NextForm(w.ctx, a))
	v.Submission = ""
	out := get[[]byte](t)(json.Marshal(v))
	return string(out)
}

// TestCarerEnds: an ended carer's link opens nothing; a carer of somebody else, and
// one of a client who is grown up by now, cannot be asked.
func TestCarerEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.carerEach()
		if err := errorOf(w.app.AddCarer(w.ctx, w.neri, w.client, care.CarerContent{Label: "x", Relation: care.Parent, Language: "en"})); care.CodeOf(err) != care.Invalid {
			t.Errorf("a carer of an adult: %v", err)
		}
		for name, in := range map[string]care.CarerContent{
			"no label": {Relation: care.Parent, Language: "en"}, "relation": {Label: "x", Relation: "judge", Language: "en"},
			"language": {Label: "x", Relation: care.Parent, Language: "xx"}, "email": {Label: "x", Relation: care.Parent, Language: "en", Email: "nowhere"},
		} {
			if err := errorOf(w.app.AddCarer(w.ctx, w.neri, w.child, in)); care.CodeOf(err) != care.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := errorOf(w.app.InviteCarer(w.ctx, w.neri, w.session, w.carer)); care.CodeOf(err) != care.NotFound {
			t.Errorf("asked about another client's session: %v", err)
		}
		mother := w.comes(w.app.InviteCarer(w.ctx, w.neri, w.childSession, w.carer))
		must(t, w.app.EndCarer(w.ctx, w.neri, w.child, w.carer))
		if _, err := w.app.NextForm(w.ctx, mother); care.CodeOf(err) != care.NotFound {
			t.Errorf("an ended carer is asked: %v", err)
		}
		if err := errorOf(w.app.InviteCarer(w.ctx, w.neri, w.childSession, w.carer)); care.CodeOf(err) != care.NotFound {
			t.Errorf("an ended carer is invited: %v", err)
		}
		second := get[care.ID](t)(w.app.AddCarer(w.ctx, w.neri, w.child, care.CarerContent{Label: "CANARY-second", Relation: care.FosterCarer, Language: "en"}))
		must(t, w.app.EditClient(w.ctx, w.neri, care.Client{ID: w.child, Label: "CANARY-child", AgeBand: care.Adult, Language: "it"}))
		if err := errorOf(w.app.InviteCarer(w.ctx, w.neri, w.childSession, second)); care.CodeOf(err) != care.Invalid {
			t.Errorf("a carer of somebody grown up: %v", err)
		}
		for _, row := range w.rows("carer") {
			if strings.Contains(row, "CANARY") || strings.Contains(row, "example.org") {
				t.Errorf("a carer can be read in the database: %s", row)
			}
		}
	})
}

// TestCarerRaisesNoAlarm: what is asked about danger is the client's to say; a carer
// who sends such a form is refused, and nobody is told.
func TestCarerRaisesNoAlarm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.carerEach()
		mother := w.comes(w.app.InviteCarer(w.ctx, w.neri, w.childSession, w.carer))
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Owner: w.boss.Staff, Hours: 4}))
		in := w.answers(w.askRisk(), 3)
		if _, err := w.app.NoteRisk(w.ctx, mother, in); care.CodeOf(err) != care.NotFound {
			t.Errorf("a carer's answer counted as the client's: %v", err)
		}
		if _, err := w.app.RecordRating(w.ctx, mother, in); err == nil {
			t.Error("a carer sent the client's form")
		}
		if n := len(w.rows("risk_signal")); n != 0 {
			t.Errorf("%d signals", n)
		}
	})
}
