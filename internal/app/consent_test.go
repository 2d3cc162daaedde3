// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// consentEach lets somebody consent for the world's client by a link: an adult's
// holders are not asked, so the client's own link is opened.
func (w *world) consentEach() {
	w.t.Helper()
	must(w.t, w.app.PublishConsentText(w.ctx, w.neri, care.DataNotice, map[string]string{"it": "CANARY-text"}, 0, false))
	w.holder = w.client
	w.consenter = w.consents(w.client, w.holder)
}

// consents opens a person's own link.
func (w *world) consents(client, person care.ID) care.Actor {
	w.t.Helper()
	l := get[app.Link](w.t)(w.app.InviteToConsent(w.ctx, w.neri, client, person))
	v := get[app.Link](w.t)(w.app.OpenConsentLink(w.ctx, l.Token))
	return get[care.Actor](w.t)(w.app.Consenter(w.ctx, v.Token))
}

// minor is an adolescent with two holders and a session held, at a practice that waits
// for both and for the minor's own yes.
type minor struct {
	client, session, mother, father care.ID
}

func (w *world) minor() (m minor) {
	t := w.t
	t.Helper()
	must(t, w.app.SetConsentRule(w.ctx, w.boss, care.ConsentRule{Holders: care.BothNeeded, AssentAge: 12}))
	for _, k := range care.ConsentKinds() {
		must(t, w.app.PublishConsentText(w.ctx, w.boss, k, map[string]string{"en": "Text", "it": "Testo"}, 0, false))
	}
	m.client = get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-minor", AgeBand: care.Adolescent, Language: "it"}))
	m.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, m.client, "")).Episode.ID))
	m.mother = get[care.ID](t)(w.app.AddHolder(w.ctx, w.neri, m.client, care.AsHolder1, "CANARY-mother"))
	m.father = get[care.ID](t)(w.app.AddHolder(w.ctx, w.neri, m.client, care.AsHolder2, "CANARY-father"))
	return m
}

// TestConsentOfMinor: with the rule on, nothing is asked of a minor until both holders
// and the minor have said yes; a withdrawal closes a form that is open already; an
// order or a reasoned override opens it; nobody reads what another said.
func TestConsentOfMinor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m := w.minor()
		invite := func() string { return keyOf(errorOf(w.app.Invite(w.ctx, w.neri, m.session))) }
		if got := invite(); got != "consent.blocked" {
			t.Fatalf("before anybody said anything: %q", got)
		}
		if got := keyOf(errorOf(w.app.StartKiosk(w.ctx, w.neri, m.session, "4711"))); got != "consent.blocked" {
			t.Errorf("on this device: %q", got)
		}
		w.visit(w.session) // an adult's goes on
		mother, father, girl := w.consents(m.client, m.mother), w.consents(m.client, m.father), w.consents(m.client, m.client)
		say := func(a care.Actor, k care.ConsentKind, s care.ConsentState) {
			t.Helper()
			must(t, w.app.AnswerConsent(w.ctx, a, k, 1, "it", s))
		}
		say(mother, care.ToTreatment, care.Given)
		say(mother, care.ToTreatment, care.Given) // twice counts once
		say(girl, care.Assent, care.Given)
		say(father, care.ToTreatment, care.Refused)
		if got := invite(); got != "consent.blocked" {
			t.Errorf("with a refusal: %q", got)
		}
		for _, o := range get[[]app.OwnConsent](t)(w.app.OwnConsents(w.ctx, mother)) {
			if o.Said == care.Refused {
				t.Errorf("the mother reads what the father said of %s", o.Kind)
			}
		}
		v := get[app.ConsentView](t)(w.app.Consent(w.ctx, w.neri, m.client))
		if len(v.Gaps) != 1 || v.Gaps[0] != (care.ConsentGap{What: care.LacksRefused, Person: m.father}) || len(v.Records) != 3 {
			t.Fatalf("lacks %v after %d records", v.Gaps, len(v.Records))
		}
		must(t, w.app.OverrideConsent(w.ctx, w.neri, m.client, true, "The judge has decided by telephone"))
		visit := w.visit(m.session)
		form := get[app.FormView](t)(w.app.NextForm(w.ctx, visit))
		must(t, w.app.OverrideConsent(w.ctx, w.neri, m.client, false, ""))
		if got := keyOf(errorOf(w.app.NextForm(w.ctx, visit))); got != "consent.waiting" {
			t.Errorf("an open link without the override: %q", got)
		}
		before := len(w.rows("response"))
		if got := keyOf(errorOf(w.app.RecordRating(w.ctx, visit, filled(form, "", .5, 1)))); got != "consent.waiting" || len(w.rows("response")) != before {
			t.Errorf("answers sent all the same: %q", got)
		}
		say(father, care.ToTreatment, care.Given)
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, visit, filled(form, "", .5, 1)))
		say(girl, care.Assent, care.Withdrawn)
		if got := keyOf(errorOf(w.app.NextForm(w.ctx, visit))); got != "consent.waiting" {
			t.Errorf("after the girl took her yes back: %q", got)
		}
		if kept := strings.Join(append(w.rows("consent_holder"), w.rows("consent_record")...), "\n"); strings.Contains(kept, "CANARY") || strings.Contains(kept, "judge") {
			t.Errorf("it is kept open: %s", kept)
		}
	})
}

// TestConsentTextChanges: a correction leaves a yes in force, a change asks anew and
// re-consents nobody, and whoever read an older text cannot say yes to the newer one.
func TestConsentTextChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m := w.minor()
		mother := w.consents(m.client, m.mother)
		must(t, w.app.AnswerConsent(w.ctx, mother, care.ToTreatment, 1, "it", care.Given))
		publish := func(version int, correction bool) error {
			return w.app.PublishConsentText(w.ctx, w.boss, care.ToTreatment, map[string]string{"it": "Testo nuovo"}, version, correction)
		}
		says := func() (bool, int) {
			c := get[app.ConsentView](t)(w.app.Consent(w.ctx, w.neri, m.client)).Consents
			r, _ := c.Last(m.mother, care.ToTreatment)
			return c.Says(m.mother, care.ToTreatment), r.Version
		}
		must(t, publish(1, true))
		if yes, v := says(); !yes || v != 1 {
			t.Errorf("after a correction: %v to version %d", yes, v)
		}
		must(t, publish(2, false))
		if yes, v := says(); yes || v != 1 {
			t.Errorf("after a change: %v to version %d", yes, v)
		}
		if got := keyOf(publish(2, false)); got != "consent.text_moved" {
			t.Errorf("published over a version that came between: %q", got)
		}
		if got := keyOf(w.app.AnswerConsent(w.ctx, mother, care.ToTreatment, 2, "it", care.Given)); got != "consent.read_again" {
			t.Errorf("a yes to the older text: %q", got)
		}
		must(t, w.app.AnswerConsent(w.ctx, mother, care.ToTreatment, 3, "it", care.Given))
		if yes, v := says(); !yes || v != 3 {
			t.Errorf("asked anew: %v to version %d", yes, v)
		}
		_, err := w.db.ExecContext(w.ctx, "UPDATE consent_record SET state = 'refused' WHERE client_id = $1", m.client)
		must(t, err)
		if got := keyOf(errorOf(w.app.Consent(w.ctx, w.neri, m.client))); got != "error.tampered" {
			t.Errorf("a state that was altered outside is shown: %q", got)
		}
		if got := keyOf(errorOf(w.app.Invite(w.ctx, w.neri, m.session))); got != "error.tampered" {
			t.Errorf("and opens the forms: %q", got)
		}
	})
}

// TestBeside: a client's mark that somebody was with them is kept with the answers,
// and waits with them until the therapist has guessed; nobody else can set it.
func TestBeside(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		in := filled(w.asked, "", .5, 1)
		in.Beside = true
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.respondent, in))
		own := filled(w.own, w.session, .5, 0)
		own.Beside = true
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.neri, own))
		if p := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, "")).Sessions[0]; !p.Asked.Hidden || p.Beside {
			t.Errorf("before a guess: hidden %v, beside %v", p.Asked.Hidden, p.Beside)
		}
		must(t, w.app.Reveal(w.ctx, w.neri, w.session))
		if page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, "")); !page.Sessions[0].Beside {
			t.Error("afterwards the page does not say it")
		}
		other := get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "alone", AgeBand: care.Adult, Language: "it"}))
		session := get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, other, "")).Episode.ID))
		form := get[app.FormView](t)(w.app.OwnForm(w.ctx, w.neri, session, w.own.Instrument.Kind))
		mine := filled(form, session, .5, 0)
		mine.Beside = true
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.neri, mine))
		if page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, other, "")); page.Sessions[0].Beside {
			t.Error("a therapist's own form carries the mark")
		}
	})
}

// TestConsentAtSetUp: a practice waits for what it chose when it was set up, and one
// that chose nothing, or was there before, waits for nothing.
func TestConsentAtSetUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, a := range []care.Actor{w.boss, w.stranger} {
			if r := get[app.ConsentSetting](t)(w.app.ConsentSetting(w.ctx, a)).Rule; r.Holders != care.NoRule {
				t.Errorf("without a choice: %+v", r)
			}
		}
		_, err := w.app.SetUpPractice(w.ctx, app.SetUp{Code: "code", Practice: "P", Language: "en", TimeZone: "UTC", Name: "N", Email: "n@example.org", Password: password, Consent: "sometimes"})
		if got := keyOf(err); got != "field.choice" {
			t.Errorf("no rule: %q", got)
		}
	})
	s := get[*store.Store](t)(store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "e.db"), vault.Generate()))
	t.Cleanup(func() { must(t, s.Close()) })
	a := app.New(s, app.Config{SetUpCode: "code"})
	in := get[app.SignedIn](t)(a.SetUpPractice(t.Context(), app.SetUp{Code: "code", Practice: "P", Language: "en", TimeZone: "UTC", Name: "N", Email: "n@example.org", Password: password, Consent: care.BothNeeded}))
	me := get[app.Me](t)(a.Authenticate(t.Context(), in.Token))
	if r := get[app.ConsentSetting](t)(a.ConsentSetting(t.Context(), me.Actor)).Rule; r.Holders != care.BothNeeded {
		t.Errorf("chosen at the beginning: %+v", r)
	}
}

// TestDangerBeforeConsent: an answer that speaks of danger is told at once also where
// the consent was taken back while the form was open; the answers are not kept.
func TestDangerBeforeConsent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Owner: w.costa.Staff, Hours: 4}))
		by := w.askRisk()
		in := w.answers(by, 3)
		must(t, w.app.EditClient(w.ctx, w.neri, care.Client{ID: w.client, Label: "CANARY-client", AgeBand: care.Adolescent, Language: "it"}))
		must(t, w.app.SetConsentRule(w.ctx, w.boss, care.ConsentRule{Holders: care.BothNeeded}))
		before := len(w.rows("response"))
		receipt, err := w.app.RecordRating(w.ctx, by, in)
		if keyOf(err) != "consent.waiting" || !receipt.Risk || len(w.rows("response")) != before {
			t.Errorf("%v, told %v, kept %d", err, receipt.Risk, len(w.rows("response"))-before)
		}
		if n := w.risksOf(w.neri); n != 1 {
			t.Errorf("the therapist is told of %d", n)
		}
		if got := keyOf(errorOf(w.app.NextWork(w.ctx, by))); got != "consent.waiting" {
			t.Errorf("goals and tasks: %q", got)
		}
		if got := keyOf(w.app.ReportWork(w.ctx, by, nil)); got != "consent.waiting" {
			t.Errorf("what is said of them: %q", got)
		}
	})
}

// TestReviewAtAges: who has reached an age is due on the day's page of their therapist
// and of nobody else, until it was reviewed; at 18 nobody else's link opens anything.
func TestReviewAtAges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) { // it is 2 March 2026
		m := w.minor()
		must(t, w.app.SetConsentRule(w.ctx, w.boss, care.ConsentRule{Holders: care.BothNeeded, Reviews: care.UsualReviews()}))
		due := func(a care.Actor) string {
			var ages []int
			for _, r := range get[app.Today](t)(w.app.Today(w.ctx, a)).Reviews {
				ages = append(ages, r.Age)
			}
			return care.AgesText(ages)
		}
		for _, bad := range []string{"", "2026-03-04", "1800-01-01", "no"} {
			if got := keyOf(w.app.SetBirth(w.ctx, w.neri, m.client, bad)); got != "consent.bad_born" {
				t.Errorf("%q: %q", bad, got)
			}
		}
		must(t, w.app.SetBirth(w.ctx, w.neri, m.client, "2010-03-04")) // 15: 14 is past
		same(t, "at 15", due(w.neri), "")
		w.now.Add(3 * 24 * 3_600_000)
		same(t, "at 16", due(w.neri), "16")
		same(t, "another therapist", due(w.costa), "")
		same(t, "the supervisor of others", due(w.longo), "")
		must(t, w.app.ReviewAccess(w.ctx, w.neri, m.client))
		same(t, "reviewed", due(w.neri), "")
		mother := w.consents(m.client, m.mother)
		get[[]app.OwnConsent](t)(w.app.OwnConsents(w.ctx, mother))
		must(t, w.app.SetBirth(w.ctx, w.neri, m.client, "2008-03-06")) // tomorrow 18
		get[[]app.OwnConsent](t)(w.app.OwnConsents(w.ctx, mother))
		w.now.Add(24 * 3_600_000)
		same(t, "at 18", due(w.neri), "18")
		if got := care.CodeOf(errorOf(w.app.OwnConsents(w.ctx, mother))); got != care.NotFound {
			t.Errorf("the mother's link at 18: %q", got)
		}
		if got := care.CodeOf(w.app.AnswerConsent(w.ctx, mother, care.ToTreatment, 1, "it", care.Given)); got != care.NotFound {
			t.Errorf("and what she says: %q", got)
		}
		w.visit(m.session) // and nothing waits for others any more
	})
}
