// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// who names the people of a world that a use case is tried as.
type who string

const (
	neri       who = "therapist and manager"
	costa      who = "another therapist"
	longo      who = "supervisor of the episode"
	boss       who = "manager only"
	stranger   who = "everything in another practice"
	respondent who = "the client, by a link"
	consenter  who = "somebody who consents, by a link of their own"
	nobody     who = "signed out"
)

var everybody = []who{neri, costa, longo, boss, stranger, respondent, consenter, nobody}

func (w *world) actor(x who) care.Actor {
	return map[who]care.Actor{neri: w.neri, costa: w.costa, longo: w.longo, boss: w.boss, stranger: w.stranger, respondent: w.respondent, consenter: w.consenter}[x]
}

// useCase is one exported method of App, called on this world's records.
type useCase struct {
	method string
	may    []who
	writes bool // changes more than the note of a read
	run    func(w *world, a care.Actor) error
}

// throttled is how long a password must rest after many tries, in milliseconds.
const throttled = 900_000

// justStarted is longer than a session counts as just started, in milliseconds.
const justStarted = 180_000

// errorOf drops a use case's result.
func errorOf[T any](_ T, err error) error { return err }

var everyStaff = []who{stranger, neri, costa, longo, boss}

var staffOfPractice = []who{neri, costa, longo, boss}

// useCases has a row for each use case that acts for somebody. Those without an
// actor are in openUseCases.
var useCases = []useCase{
	{"Pulse", append([]who{stranger}, staffOfPractice...), false, func(w *world, a care.Actor) error { return errorOf(w.app.Pulse(w.ctx, a)) }},
	{"Staff", append([]who{stranger}, staffOfPractice...), false, func(w *world, a care.Actor) error { return errorOf(w.app.Staff(w.ctx, a)) }},
	{"Backups", []who{stranger, neri, boss}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Backups(w.ctx, a)) }},
	{"SetLanguage", append([]who{stranger}, staffOfPractice...), true, func(w *world, a care.Actor) error { return w.app.SetLanguage(w.ctx, a, "it") }},
	{"AddStaff", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.AddStaff(w.ctx, a, app.NewColleague{Name: "New", Email: uuid.NewString() + "@example.org", Language: "en", Roles: []care.Role{care.Therapist}}))
	}},
	{"AddClient", []who{neri, costa, stranger}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.AddClient(w.ctx, a, app.NewClient{Label: "N.", AgeBand: care.Adult, Language: "en"}))
	}},
	{"Client", []who{neri, longo}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Client(w.ctx, a, w.client)) }},
	{"Access", []who{neri, longo}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Access(w.ctx, a, w.client)) }},
	{"EditClient", []who{neri}, true, func(w *world, a care.Actor) error {
		return w.app.EditClient(w.ctx, a, care.Client{ID: w.client, Label: "CANARY-renamed", AgeBand: care.Adult, Language: "en", Email: "canary-client@example.org"})
	}},
	{"OpenEpisode", []who{neri}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.OpenEpisode(w.ctx, a, w.client, app.NewEpisode{}))
	}},
	{"ScheduleSession", []who{neri}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.ScheduleSession(w.ctx, a, w.episode, w.now.Load()+3_600_000))
	}},
	{"StartSession", []who{neri}, true, func(w *world, a care.Actor) error {
		w.now.Add(justStarted)
		return errorOf(w.app.StartSession(w.ctx, a, w.episode))
	}},
	{"HoldSession", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.HoldSession(w.ctx, a, w.session) }},
	{"ReviewSession", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.ReviewSession(w.ctx, a, w.session, true) }},
	{"MissSession", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.MissSession(w.ctx, a, w.session) }},
	{"Session", []who{neri, longo}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Session(w.ctx, a, w.session)) }},
	{"AddNote", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.AddNote(w.ctx, a, w.session, "CANARY-note") }},
	{"AnswerSignal", []who{neri}, true, func(w *world, a care.Actor) error {
		return w.app.AnswerSignal(w.ctx, a, w.session, care.ConversationContent{Choice: care.Talked, Said: "CANARY-said", Mine: "CANARY-mine", Agreed: "CANARY-agreed", Next: "CANARY-next"})
	}},
	{"Invite", []who{neri}, true, func(w *world, a care.Actor) error { return errorOf(w.app.Invite(w.ctx, a, w.session)) }},
	{"MailInvitation", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.MailInvitation(w.ctx, a, w.session) }},
	{"Carers", []who{neri, longo}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Carers(w.ctx, a, w.child)) }},
	{"AddCarer", []who{neri}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.AddCarer(w.ctx, a, w.child, care.CarerContent{Label: "CANARY-carer 2", Relation: care.FosterCarer, Language: "it"}))
	}},
	{"InviteCarer", []who{neri}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.InviteCarer(w.ctx, a, w.childSession, w.carer))
	}},
	{"MailCarer", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.MailCarer(w.ctx, a, w.childSession, w.carer) }},
	{"EndCarer", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.EndCarer(w.ctx, a, w.child, w.carer) }},
	{"StartKiosk", []who{neri}, true, func(w *world, a care.Actor) error { return errorOf(w.app.StartKiosk(w.ctx, a, w.session, "4711")) }},
	{"NextForm", []who{respondent}, false, func(w *world, a care.Actor) error { return errorOf(w.app.NextForm(w.ctx, a)) }},
	{"OwnForm", []who{neri}, false, func(w *world, a care.Actor) error {
		return errorOf(w.app.OwnForm(w.ctx, a, w.session, instrument.Alliance))
	}},
	{"RecordRating", []who{neri, respondent}, true, func(w *world, a care.Actor) error {
		form := w.asked
		if a.IsStaff() {
			form = w.own
		}
		form.Submission = care.ID(uuid.NewString())
		return errorOf(w.app.RecordRating(w.ctx, a, filled(form, w.session, .5, 0)))
	}},
	{"EndVisit", []who{respondent}, true, func(w *world, a care.Actor) error { return w.app.EndVisit(w.ctx, a) }},
	{"Reveal", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.Reveal(w.ctx, a, w.session) }},
	{"Today", append([]who{stranger}, staffOfPractice...), false, func(w *world, a care.Actor) error { return errorOf(w.app.Today(w.ctx, a)) }},
	{"Agenda", append([]who{stranger}, staffOfPractice...), false, func(w *world, a care.Actor) error { return errorOf(w.app.Agenda(w.ctx, a)) }},
	{"Caseload", append([]who{stranger}, staffOfPractice...), false, func(w *world, a care.Actor) error { return errorOf(w.app.Caseload(w.ctx, a)) }},
	{"ClientPage", []who{neri, longo}, false, func(w *world, a care.Actor) error { return errorOf(w.app.ClientPage(w.ctx, a, w.client, "")) }},
	{"PreviewImport", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return w.bring(a, w.app.PreviewImport) }},
	{"Import", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error { return w.bring(a, w.app.Import) }},
	{"Account", everyStaff, false, func(w *world, a care.Actor) error { return errorOf(w.app.Account(w.ctx, a)) }},
	{"EndSignIns", everyStaff, true, func(w *world, a care.Actor) error { return w.app.EndSignIns(w.ctx, a, "") }},
	{"ChangePassword", everyStaff, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return w.app.ChangePassword(w.ctx, a, password, password)
	}},
	{"NewSecond", everyStaff, false, func(w *world, a care.Actor) error {
		_, _, err := w.app.NewSecond(w.ctx, a)
		return err
	}},
	{"AddSecond", everyStaff, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return errorOf(w.app.AddSecond(w.ctx, a, testSecret, w.code(), password))
	}},
	{"RemoveSecond", everyStaff, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return w.app.RemoveSecond(w.ctx, a, password)
	}},
	{"BeginPasskey", staffOfPractice, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return errorOf(w.app.BeginPasskey(w.ctx, a, here, password))
	}},
	{"AddPasskey", staffOfPractice, true, func(w *world, a care.Actor) error { return w.answerPasskey(a) }},
	{"RemovePasskey", everyStaff, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return w.app.RemovePasskey(w.ctx, a, "key-"+a.Staff, password)
	}},
	{"SignInRules", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.SignInRules(w.ctx, a)) }},
	{"SetSignInRules", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return w.app.SetSignInRules(w.ctx, a, care.SignInRules{IdleMinutes: 60, LongestHours: 24}, password)
	}},
	{"Work", []who{neri, longo}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Work(w.ctx, a, w.client, w.episode)) }},
	{"Agree", []who{neri}, true, func(w *world, a care.Actor) error {
		return w.app.Agree(w.ctx, a, w.client, w.episode, "", care.GoalKind, care.AgreedContent{Words: "CANARY-goal", Whose: care.OfClient, ProposedBy: care.OfClient, State: care.SetAside})
	}},
	{"ReportWork", []who{respondent}, false, func(w *world, a care.Actor) error { return w.app.ReportWork(w.ctx, a, nil) }},
	{"Ended", append([]who{stranger}, staffOfPractice...), false, func(w *world, a care.Actor) error { return errorOf(w.app.Ended(w.ctx, a)) }},
	{"Closable", []who{neri}, false, func(w *world, a care.Actor) error {
		_, _, err := w.app.Closable(w.ctx, a, w.client, w.episode)
		return err
	}},
	{"CloseEpisode", []who{neri}, true, func(w *world, a care.Actor) error {
		return w.app.CloseEpisode(w.ctx, a, w.endable, care.ClosingContent{Reason: care.Practical, Words: "CANARY-end"})
	}},
	{"ReopenEpisode", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.ReopenEpisode(w.ctx, a, w.over) }},
	{"NoteRisk", []who{respondent}, false, func(w *world, a care.Actor) error {
		return errorOf(w.app.NoteRisk(w.ctx, a, filled(w.asked, "", .5, 0)))
	}},
	{"RiskSignal", []who{neri, boss}, false, func(w *world, a care.Actor) error {
		id, ok := w.risks[a.Staff]
		if !ok {
			id = w.risks[w.neri.Staff]
		}
		return errorOf(w.app.RiskSignal(w.ctx, a, id))
	}},
	{"TakeUpRisk", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		id, ok := w.risks[a.Staff]
		if !ok {
			id = w.risks[w.neri.Staff]
		}
		return w.app.TakeUpRisk(w.ctx, a, id, "CANARY-done")
	}},
	{"ConfirmAlarmTest", []who{boss}, true, func(w *world, a care.Actor) error { return w.app.ConfirmAlarmTest(w.ctx, a) }},
	{"RiskDuty", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.RiskDuty(w.ctx, a)) }},
	{"SetRiskDuty", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error {
		d := care.RiskDuty{Owner: a.Staff, Hours: 4}
		if a.Staff == w.neri.Staff { // whose world has an owner already
			d.Owner = w.boss.Staff
		}
		return w.app.SetRiskDuty(w.ctx, a, d)
	}},
	{"SignalFigures", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.SignalFigures(w.ctx, a)) }},
	{"SignalRule", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.SignalRule(w.ctx, a)) }},
	{"SetSignalRule", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error { return w.app.SetSignalRule(w.ctx, a, "cusum") }},
	{"ExpectedResponses", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.ExpectedResponses(w.ctx, a)) }},
	{"WorkOutExpected", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error { return w.app.WorkOutExpected(w.ctx, a) }},
	{"LocalHelp", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.LocalHelp(w.ctx, a)) }},
	{"SetLocalHelp", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error {
		return w.app.SetLocalHelp(w.ctx, a, care.LocalHelp{"en": {All: "CANARY-help"}})
	}},
	{"ConsentSetting", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.ConsentSetting(w.ctx, a)) }},
	{"SetConsentRule", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error {
		return w.app.SetConsentRule(w.ctx, a, care.ConsentRule{Holders: care.BothNeeded, AssentAge: 12})
	}},
	{"PublishConsentText", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error {
		v, err := w.app.ConsentSetting(w.ctx, a)
		if err != nil {
			return err
		}
		last, _ := care.Consents{Texts: v.Texts}.Newest(care.ToResearch)
		return w.app.PublishConsentText(w.ctx, a, care.ToResearch, map[string]string{"en": "A text."}, last.Version, false)
	}},
	{"Consent", []who{neri, longo}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Consent(w.ctx, a, w.client)) }},
	{"AddHolder", []who{neri}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.AddHolder(w.ctx, a, w.client, care.AsHolder2, "CANARY-holder"))
	}},
	{"RecordConsent", []who{neri}, true, func(w *world, a care.Actor) error {
		return w.app.RecordConsent(w.ctx, a, app.NewConsent{Client: w.client, Person: w.client, Kind: care.DataNotice, State: care.Given, How: care.OnPaper, Language: "it", Note: "CANARY-note"})
	}},
	{"OverrideConsent", []who{neri}, true, func(w *world, a care.Actor) error {
		return w.app.OverrideConsent(w.ctx, a, w.client, true, "CANARY-reason: a judge decides tomorrow")
	}},
	{"SetBirth", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.SetBirth(w.ctx, a, w.client, "1990-03-04") }},
	{"ReviewAccess", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.ReviewAccess(w.ctx, a, w.client) }},
	{"InviteToConsent", []who{neri}, true, func(w *world, a care.Actor) error {
		err := errorOf(w.app.InviteToConsent(w.ctx, a, w.client, w.holder))
		if err == nil { // it ended the link before it
			w.fail.Store(0)
			w.consenter = w.consents(w.client, w.holder)
		}
		return err
	}},
	{"OwnConsents", []who{consenter}, false, func(w *world, a care.Actor) error { return errorOf(w.app.OwnConsents(w.ctx, a)) }},
	{"AnswerConsent", []who{consenter}, true, func(w *world, a care.Actor) error {
		return w.app.AnswerConsent(w.ctx, a, care.DataNotice, 1, "it", care.Refused)
	}},
	{"EndConsentVisit", []who{consenter}, true, func(w *world, a care.Actor) error { return w.app.EndConsentVisit(w.ctx, a) }},
	{"Colleague", []who{neri, boss}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Colleague(w.ctx, a, w.costa.Staff)) }},
	{"UseSignIn", staffOfPractice, true, func(w *world, a care.Actor) error { return w.app.UseSignIn(w.ctx, a) }},
	{"HelpColleague", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return w.app.HelpColleague(w.ctx, a, w.costa.Staff, app.NewHelp{Kind: care.ResetSecond, Reason: "CANARY-reason: the phone was lost"}, password)
	}},
	{"EndStaff", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		id, ok := w.leaving[a.Staff]
		if !ok {
			id = w.costa.Staff
		}
		return w.app.EndStaff(w.ctx, a, id, app.NewEnding{To: w.riva.Staff, Reason: "CANARY-reason: works elsewhere now"}, password)
	}},
	{"Takers", []who{neri}, false, func(w *world, a care.Actor) error {
		_, _, err := w.app.Takers(w.ctx, a, w.client)
		return err
	}},
	{"HandOver", []who{neri}, true, func(w *world, a care.Actor) error {
		err := w.app.HandOver(w.ctx, a, w.client, w.costa.Staff)
		if err == nil {
			w.fail.Store(0)
			must(w.t, w.app.HandOver(w.ctx, w.costa, w.client, w.neri.Staff))
		}
		return err
	}},
	{"BeginLink", staffOfPractice, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return errorOf(w.app.BeginLink(w.ctx, a, "far", redirect, password))
	}},
	{"Unlink", everyStaff, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return w.app.Unlink(w.ctx, a, "link-"+a.Staff, password)
	}},
	{"HelpColleague", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		w.now.Add(throttled)
		return w.app.HelpColleague(w.ctx, a, w.costa.Staff, app.NewHelp{Kind: care.SentLink, Reason: "CANARY-reason: forgot the password"}, password)
	}},
	{"NoteRefusal", everyStaff, true, func(w *world, a care.Actor) error { return w.app.NoteRefusal(w.ctx, a, w.session) }},
	{"OpenEmergency", []who{costa}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.OpenEmergency(w.ctx, a, app.NewEmergency{Name: "canary-in  need", Reason: "CANARY-reason: in danger, colleague away"}))
	}},
	{"SeeEmergency", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.SeeEmergency(w.ctx, a, w.emergency) }},
	{"EndEmergency", []who{neri}, true, func(w *world, a care.Actor) error { return w.app.EndEmergency(w.ctx, a, w.inNeed) }},
	{"AskErasure", []who{neri, boss}, true, func(w *world, a care.Actor) error { // the stranger's name is nobody's: see keptTries
		return errorOf(w.app.AskErasure(w.ctx, a, "canary-erase "+string(a.Staff)))
	}},
	{"EraseClient", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		id, ok := w.toErase[a.Staff]
		if !ok {
			id = w.client
		}
		return w.app.EraseClient(w.ctx, a, app.Erase{Client: id, Name: "canary-erase  " + string(a.Staff), Reason: care.AskedFor})
	}},
	{"ErasedAccess", []who{neri, boss}, false, func(w *world, a care.Actor) error {
		return errorOf(w.app.ErasedAccess(w.ctx, a, w.erased))
	}},
	{"Erasures", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Erasures(w.ctx, a)) }},
	{"Grants", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Grants(w.ctx, a, "phq-9")) }},
	{"RecordGrant", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error { return w.grant(a) }},
	{"GrantFile", []who{neri, boss}, false, func(w *world, a care.Actor) error {
		_, _, err := w.app.GrantFile(w.ctx, a, w.granted)
		return err
	}},
	{"WithdrawGrant", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		err := w.app.WithdrawGrant(w.ctx, a, w.granted, "CANARY-withdrawn")
		if err == nil {
			w.fail.Store(0)
			must(w.t, w.grant(w.neri))
		}
		return err
	}},
	{"PreviewForm", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.PreviewForm(w.ctx, a, ownForm("sleep", 1))) }},
	{"BindWords", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error {
		b, err := w.app.BindWords(w.ctx, a, "gad-7", "w.csv", []byte(gadWords), instrument.Choice{})
		if err == nil && b.Form == nil {
			return fmt.Errorf("not bound: %v", b.Mismatches)
		}
		return err
	}},
	{"PublishForm", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error {
		w.version++
		return errorOf(w.app.PublishForm(w.ctx, a, ownForm("sleep", w.version)))
	}},
	{"Drafts", []who{neri, boss, stranger}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Drafts(w.ctx, a)) }},
	{"Draft", []who{neri, boss}, false, func(w *world, a care.Actor) error { return errorOf(w.app.Draft(w.ctx, a, w.draft)) }},
	{"StartDraft", []who{neri, boss, stranger}, true, func(w *world, a care.Actor) error {
		return errorOf(w.app.StartDraft(w.ctx, a, app.NewDraft{From: "session-client-adult", Adapt: true}))
	}},
	{"SaveDraft", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		n, err := w.app.SaveDraft(w.ctx, a, w.draft, w.revision, w.typed)
		if err == nil {
			w.revision = n
		}
		return err
	}},
	{"PublishDraft", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		return w.again(errorOf(w.app.PublishDraft(w.ctx, a, w.draft, w.revision, 1)))
	}},
	{"DropDraft", []who{neri, boss}, true, func(w *world, a care.Actor) error {
		return w.again(w.app.DropDraft(w.ctx, a, w.draft, w.revision))
	}},
	{"EpisodeForms", []who{neri}, false, func(w *world, a care.Actor) error { return errorOf(w.app.EpisodeForms(w.ctx, a, w.episode)) }},
	{"ChooseFormsAt", []who{neri}, true, func(w *world, a care.Actor) error {
		return w.app.ChooseFormsAt(w.ctx, a, w.episode, []string{"session-client-adult", "outcome-brief", "session-therapist", "prediction-therapist"}, map[string]care.Rhythm{"outcome-brief": care.EverySecond})
	}},
	{"ChooseForms", []who{neri}, true, func(w *world, a care.Actor) error {
		return w.app.ChooseForms(w.ctx, a, w.episode, []string{"session-client-adult", "session-therapist", "prediction-therapist"})
	}},
	{"Library", everyStaff, false, func(w *world, a care.Actor) error { return errorOf(w.app.Library(w.ctx, a)) }},
	{"LibraryInstrument", everyStaff, false, func(w *world, a care.Actor) error { return errorOf(w.app.LibraryInstrument(w.ctx, a, "core-10")) }},
	{"OwnFigures", []who{stranger, neri, boss}, false, func(w *world, a care.Actor) error { return errorOf(w.app.OwnFigures(w.ctx, a, "core-10")) }},
	{"SeePull", []who{neri, boss}, true, func(w *world, a care.Actor) error { return w.app.SeePull(w.ctx, a, w.pull) }},
	{"SignOut", append([]who{}, staffOfPractice...), true, func(w *world, a care.Actor) error { return w.app.SignOut(w.ctx, a) }},
}

// openUseCases act for nobody yet: each is reached by a secret of its own, or
// tells nothing about anybody.
var openUseCases = map[string]string{
	"Health": "says only whether a write is possible", "Damage": "says only whether the last check of the database found damage", "NeedsSetUp": "says only whether a practice exists",
	"SetUpPractice": "by the code the server printed, once", "SignIn": "by a password", "ConfirmSignIn": "by a sign-in that waits, and a code", "Authenticate": "by a sign-in's cookie",
	"Join": "by a colleague's link", "JoinName": "by a colleague's link", "OpenInvitation": "by a client's link", "Respondent": "by a visit's cookie",
	"NextWork":   "with nothing agreed it tells that nothing is left: TestWorkStep",
	"KeepAlarms": "the program's own", "AlarmRound": "the program's own; mails without content, to those a signal has come to",
	"OpenConsentLink": "by the link of whoever consents", "Consenter": "by that visit's cookie",
	"AuditHeads": "by the operator, who has the key; codes only", "VerifyAudit": "by the operator, who has the key; says what is wrong, of no client",
	"BackupWord":     "says in a word whether backups are made",
	"RecoverAccount": "by the operator, who has the key; audited, and told to its owner", "Accounts": "by the operator, who has the key",
	"Providers": "names only", "BeginProvider": "nothing is kept but an attempt", "FinishProvider": "by an attempt of this browser and what a provider says",
	"BeginPasskeySignIn": "nothing is kept but an attempt", "PasskeySignIn": "by an attempt of this browser and a passkey",
	"Guess":      "opens nothing itself; counts by address what fitted nothing",
	"LeaveKiosk": "by a sign-in's cookie and a PIN",
}

func (w *world) bring(a care.Actor, do func(ctx importContext, actor care.Actor, m *app.ImportMap, src app.ImportSource, p app.Progress) (app.ImportPlan, error)) error {
	m, err := app.ParseImportMap("map", []byte("client: c\ntime: {column: t, format: iso}\ninstrument: session-client-adult\nitems: {bond1: b}\n"))
	if err != nil {
		return err
	}
	data := []byte("c,t,b\nX-1,2025-03-01,7\nX-1,2025-03-08,8\n")
	plan, err := do(w.ctx, a, m, app.ImportSource{Name: "f.csv", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}, nil)
	if err == nil && (plan.Total > 0 || plan.Responses+plan.Known != 2) {
		w.t.Errorf("import: %+v", plan)
	}
	return err
}

// TestEveryUseCaseHasItsRow: a use case without a row in the matrix fails here.
func TestEveryUseCaseHasItsRow(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, u := range useCases {
		rows[u.method] = true
	}
	methods := reflect.TypeFor[*app.App]()
	for i := range methods.NumMethod() {
		name := methods.Method(i).Name
		if rows[name] == (openUseCases[name] != "") {
			t.Errorf("%s must stand in useCases or in openUseCases, and in one of them only", name)
		}
	}
	for name := range rows {
		if _, ok := methods.MethodByName(name); !ok {
			t.Errorf("%s has a row and is no use case", name)
		}
	}
}
