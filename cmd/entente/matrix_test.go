// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
	"github.com/entente-project/entente/internal/web"
)

// The roles that ask, each a letter in the rows below.
const (
	roleTherapist  = 't' // of the client, and manager
	roleColleague  = 'c' // another therapist of the practice
	roleSupervisor = 's' // of the client's episode
	roleManager    = 'm' // and nothing else
	roleResearcher = 'r' // and nothing else
	roleStranger   = 'x' // everything, in another practice
	roleAnswering  = 'a' // the client, by a link
	roleNobody     = 'n'
)

const allRoles, staffRoles = "tcsmrxan", "tcsmrx"

// outside is one route: who may, and what stands for {id} and the like.
type outside struct {
	may  string // roles that get further; the others learn nothing
	id   string // client, session, episode, emergency or file; "" for an address without a record
	form url.Values
}

var openToAll = outside{may: allRoles}

// theRoutes has a row for every route; TestHTTPMatrix fails for one without.
var theRoutes = map[string]outside{
	"/": {}, "GET /{$}": openToAll, "GET /setup": {}, "POST /setup": {}, "GET /signin": openToAll, "POST /signin": {}, "GET /signin/code": openToAll, "POST /signin/code": {},
	"POST /signout": {may: staffRoles}, "GET /join/{token}": {}, "POST /join/{token}": {}, "GET /demo/{token}": {}, "GET /kiosk": {may: staffRoles}, "POST /kiosk": {may: staffRoles},
	"POST /language": openToAll, "GET /health": openToAll, "GET /assets/{file}": {},
	"GET /f": openToAll, "GET /f/{token}": openToAll, "POST /f": {}, "GET /form": {may: "a"}, "POST /form": {may: "a"}, "GET /form/sent": openToAll, "POST /form/leave": openToAll, "GET /blank": openToAll,

	"GET /today": {may: "tcsmx"}, "GET /pulse": {may: "tcsmx"}, "GET /clients": {may: "tcsmx"}, "GET /supervision": {may: "tcsmx"}, "GET /clients/{id}/together": {may: "t", id: "client"},
	"GET /clients/new": {may: "tcx"}, "POST /clients/new": {may: "tcx"},
	"GET /clients/{id}": {may: "ts", id: "client"}, "GET /clients/{id}/course.svg": {may: "ts", id: "client"}, "GET /clients/{id}/edit": {may: "ts", id: "client"},
	"GET /clients/{id}/access": {may: "ts", id: "client"}, "GET /clients/{id}/access.csv": {may: "ts", id: "client"},
	"POST /clients/{id}/edit":      {may: "t", id: "client", form: url.Values{"label": {"CANARY-label"}, "age_band": {"adult"}, "language": {"en"}}},
	"POST /clients/{id}/episodes":  {may: "t", id: "client"},
	"POST /episodes/{id}/sessions": {may: "t", id: "episode"},
	"GET /sessions/{id}":           {may: "ts", id: "session"},
	"POST /sessions/{id}/hold":     {may: "t", id: "session"}, "POST /sessions/{id}/miss": {may: "t", id: "session"}, "POST /sessions/{id}/invite": {may: "t", id: "session"},
	"POST /sessions/{id}/mail": {may: "t", id: "session"}, "POST /sessions/{id}/kiosk": {may: "t", id: "session", form: url.Values{"pin": {"4711"}}},
	"GET /sessions/{id}/conversation": {may: "t", id: "session"}, "POST /sessions/{id}/conversation": {may: "t", id: "session", form: url.Values{"choice": {"talked"}, "said": {"CANARY-said"}}},
	"POST /sessions/{id}/review": {may: "t", id: "session"},
	"POST /sessions/{id}/note":   {may: "t", id: "session", form: url.Values{"note": {"CANARY-note"}}}, "POST /sessions/{id}/reveal": {may: "t", id: "session"},
	"GET /sessions/{id}/rate": {may: "t", id: "session"}, "POST /sessions/{id}/rate": {may: "t", id: "session"},
	"GET /sessions/{id}/process": {may: "t", id: "session"}, "POST /sessions/{id}/process": {may: "t", id: "session"},
	"GET /sessions/{id}/predict": {may: "t", id: "session"}, "POST /sessions/{id}/predict": {may: "t", id: "session"},
	// These only lead back to another address, which decides.
	"GET /sessions/{id}/invite": {may: staffRoles, id: "session"}, "GET /sessions/{id}/mail": {may: staffRoles, id: "session"}, "GET /sessions/{id}/kiosk": {may: staffRoles, id: "session"},
	"GET /sessions/{id}/note": {may: staffRoles, id: "session"}, "GET /clients/{id}/episodes": {may: staffRoles, id: "client"},
	"GET /clients/{id}/emergency": {may: staffRoles, id: "client"}, "GET /emergency/{id}/seen": {may: staffRoles, id: "emergency"},
	"GET /emergency": {may: "tcx"}, "POST /emergency": {may: "tcx", form: url.Values{"name": {"no such person"}, "reason": {"a reason that is long enough"}}},
	"POST /emergency/{id}/seen": {may: "t", id: "emergency"}, "POST /clients/{id}/emergency": {may: "t", id: "client"},

	"GET /erasures": {may: "tmx"}, "POST /erasures": {may: "tmx", form: url.Values{"name": {"no such person"}}}, "GET /erasures/{id}": {may: staffRoles, id: "client"},
	"POST /erasures/{id}":  {may: "tm", id: "client", form: url.Values{"confirm": {"no such person"}, "reason": {"asked"}}},
	"GET /pulls/{id}/seen": {may: staffRoles, id: "pull"}, "POST /pulls/{id}/seen": {may: "tm", id: "pull"},
	"GET /erasures/{id}/access.csv": {id: "client"}, // nobody is erased there

	"GET /account": {may: "tcsmrx"}, "POST /account/end": {may: staffRoles}, "POST /account/password": {may: staffRoles}, "POST /account/second/new": {may: staffRoles},
	"POST /account/second": {may: staffRoles}, "POST /account/second/remove": {may: staffRoles}, "GET /account/{part...}": {may: staffRoles},
	"GET /library": {may: staffRoles}, "GET /library/{id}": {may: staffRoles, id: "instrument"},
	"GET /library/{id}/figures": {may: "tmrx", id: "instrument"}, "GET /library/{id}/ground": {may: staffRoles, id: "instrument"}, "POST /library/{id}/ground": {may: "tmx", id: "instrument", form: url.Values{"ground": {"public_domain"}}},
	"GET /library/{id}/words": {may: "tmx", id: "instrument"}, "POST /library/{id}/words": {may: "tmx", id: "instrument"}, "GET /library/{id}/questionnaire.json": {may: staffRoles, id: "ours"},
	"GET /grants/{id}/withdraw": {may: staffRoles, id: "grant"}, "POST /grants/{id}/withdraw": {may: "tm", id: "grant", form: url.Values{"reason": {"CANARY-withdrawn"}}},
	"GET /grants/{id}/file": {may: "tm", id: "grant"}, "GET /publish": {may: "tmx"}, "POST /publish": {may: "tmx"},
	"GET /drafts": {may: staffRoles}, "POST /drafts": {may: "tmx", form: url.Values{"from": {"session-client-adult"}}}, "GET /drafts/{id}": {may: "tm", id: "draft"},
	"POST /drafts/{id}":        {may: "tm", id: "draft", form: url.Values{"revision": {"1"}, "name-en": {"CANARY-draft"}, "do": {"save"}}},
	"GET /drafts/{id}/preview": {may: "tm", id: "draft"}, "GET /drafts/{id}/check": {may: "tm", id: "draft"}, "GET /drafts/{id}/publish": {may: "tm", id: "draft"}, "GET /drafts/{id}/drop": {may: "tm", id: "draft"},
	"POST /drafts/{id}/publish": {may: "tm", id: "draft", form: url.Values{"revision": {"1"}, "version": {"1"}}}, "POST /drafts/{id}/drop": {may: "tm", id: "draft", form: url.Values{"revision": {"1"}}},
	"GET /episodes/{id}/forms": {may: "t", id: "episode"}, "POST /episodes/{id}/forms": {may: "t", id: "episode"},
	"GET /colleagues": {may: "tcsmx"}, "POST /colleagues": {may: "tmx"},
	"GET /practice": {may: "tmx"}, "POST /practice": {may: "tmx"}, "POST /signin/with/{provider}": {}, "GET /signin/with/{provider}": openToAll, "GET /signin/with/{provider}/back": {}, "POST /account/with/{provider}": {}, "POST /account/unlink/{id}": {may: staffRoles, id: "client"}, "POST /account/passkeys/{id}/remove": {may: staffRoles, id: "client"}, "POST /account/passkeys": {}, "POST /account/passkeys/answer": {}, "POST /signin/passkey": {}, "POST /signin/passkey/answer": {}, "GET /signin/passkey": openToAll, "GET /signin/passkey/answer": openToAll, "GET /colleagues/{id}": {may: "tm", id: "colleague"}, "POST /colleagues/{id}": {may: "tm", id: "colleague"},
	"GET /form/work": {may: "a"}, "POST /form/work": {may: "a"},
	"GET /clients/{id}/goals": {may: "ts", id: "client"}, "POST /clients/{id}/goals": {may: "t", id: "client", form: url.Values{"kind": {"goal"}, "words": {"CANARY-goal"}, "whose": {"client"}, "proposed_by": {"client"}, "state": {"open"}}},
	"POST /form/part":    {may: "a"},
	"GET /practice/risk": {may: "tmx"}, "POST /practice/risk": {may: "tmx", form: url.Values{"hours": {"4"}, "alone": {"1"}, "reason": {"CANARY-reason"}}},
	"GET /risk/{id}": {may: "t", id: "risk"}, "POST /risk/{id}": {may: "t", id: "risk", form: url.Values{"done": {"CANARY-done"}}}, "POST /alarm/came": {},
	"GET /practice/figures": {may: "tmrx"},
	"GET /clients/ended":    {may: "tcsmx"}, "GET /clients/{id}/close": {may: "t", id: "client"}, "POST /clients/{id}/close": {may: "t", id: "client", form: url.Values{"words": {"CANARY-end"}}}, "POST /clients/{id}/reopen": {may: "t", id: "client"},
	"GET /clients/{id}/review": {may: "t", id: "client"},
	"GET /practice/signals":    {may: "tmx"}, "POST /practice/signals": {may: "tmx", form: url.Values{"rule": {"weighed-fall"}}},
	"GET /practice/expected": {may: "tmrx"}, "POST /practice/expected": {may: "tmx"},
	"GET /practice/help": {may: "tmx"}, "POST /practice/help": {may: "tmx"},
	"GET /practice/consent": {may: "tmx"}, "POST /practice/consent": {may: "tmx", form: url.Values{"holders": {"off"}}},
	"GET /clients/{id}/consent": {may: "ts", id: "client"}, "POST /clients/{id}/consent": {may: "t", id: "client", form: url.Values{"do": {"holder"}, "capacity": {"holder_1"}, "name": {"CANARY-holder"}}},
	"GET /clients/{id}/carers": {may: "ts", id: "client"}, "POST /clients/{id}/carers": {may: "t", id: "client", form: url.Values{"label": {"CANARY-carer"}}}, "POST /sessions/{id}/carer": {may: "t", id: "session"},
	"GET /form/text": openToAll, "GET /form/text/{token}": openToAll, "POST /form/text": {}, "GET /form/texts": {}, "POST /form/texts": {}, "POST /form/texts/leave": openToAll,
	"GET /colleagues/{id}/end": {may: "tm", id: "colleague"}, "POST /colleagues/{id}/end": {may: "tm", id: "colleague"}, "GET /clients/{id}/handover": {may: "t", id: "client"}, "POST /clients/{id}/handover": {may: "t", id: "client"},
	"GET /import": {may: "tmx"}, "POST /import": {may: "tmx"}, "GET /import/{id}": {id: "file"}, "POST /import/{id}/start": {id: "file"}, "POST /import/{id}/stop": {id: "file"},
}

// safeBuffer is a log that many write to.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// block is a practice whose every private word is a canary, served as in earnest.
type block struct {
	demo
	log    *safeBuffer
	office *postOffice
	ids    map[string]string
	people map[rune]visitor
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newBlock(t *testing.T) *block {
	t.Helper()
	return newBlockIn(t, "sqlite:"+filepath.Join(t.TempDir(), "entente.db"))
}

func newBlockIn(t *testing.T, database string) *block {
	t.Helper()
	b := &block{log: &safeBuffer{}, people: map[rune]visitor{}}
	b.store = must[*store.Store](t)(store.Open(t.Context(), database, vault.Generate()))
	srv := httptest.NewUnstartedServer(nil)
	b.base = "http://" + srv.Listener.Addr().String()
	office, address := openPostOffice(t)
	b.office = office
	office.got = make(chan letter, 100)
	m := must[*smtpMailer](t)(newMailer(mailFlags{SMTP: address, SMTPFrom: "check@example.org", SMTPSecurity: "none"}, b.base))
	log := slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.app = app.New(b.store, app.Config{Mail: m, SetUpCode: demoCode, Log: log})
	srv.Config.Handler = must[http.Handler](t)(web.New(b.app, web.Config{BaseURL: b.base, Log: log}))
	srv.Start()
	t.Cleanup(func() {
		srv.Close()
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	b.staff(t)
	return b
}

// staff makes the people and what they know.
func (b *block) staff(t *testing.T) {
	ctx := t.Context()
	in := must[app.SignedIn](t)(b.app.SetUpPractice(ctx, app.SetUp{Code: demoCode, Practice: "Here", Language: "en", TimeZone: "UTC", Name: "T.", Email: "t@example.org", Password: demoPassword}))
	actor := map[rune]care.Actor{roleTherapist: must[app.Me](t)(b.app.Authenticate(ctx, in.Token)).Actor}
	for role, roles := range map[rune][]care.Role{roleColleague: {care.Therapist}, roleSupervisor: {care.Supervisor}, roleManager: {care.Manager}, roleResearcher: {care.Researcher}} {
		l := must[app.Link](t)(b.app.AddStaff(ctx, actor[roleTherapist], app.NewColleague{Name: string(role), Email: string(role) + "@example.org", Language: "en", Roles: roles}))
		in := must[app.SignedIn](t)(b.app.Join(ctx, l.Token, demoPassword, ""))
		actor[role] = must[app.Me](t)(b.app.Authenticate(ctx, in.Token)).Actor
	}
	hash := must[string](t)(auth.HashPassword(ctx, demoPassword))
	other := care.Practice{ID: care.ID(uuid.NewString()), Name: "There", Language: "en", TimeZone: "UTC", CreatedMillis: 1}
	x := care.Staff{ID: care.ID(uuid.NewString()), Practice: other.ID, Name: "X.", Email: "x@example.org", Language: "en", Roles: care.Roles(), PasswordHash: hash, CreatedMillis: 1}
	if err := b.store.Write(ctx, func(tx *store.Tx) error { return errors.Join(tx.AddPractice(other), tx.AddStaff(x)) }); err != nil {
		t.Fatal(err)
	}
	me := actor[roleTherapist]
	client := must[care.ID](t)(b.app.AddClient(ctx, me, app.NewClient{Label: "CANARY-label", AgeBand: care.Adult, Language: "en", Email: "canary-client@example.org", Episode: app.NewEpisode{Supervisors: []care.ID{actor[roleSupervisor].Staff}}}))
	episode := must[app.ClientView](t)(b.app.ClientPage(ctx, me, client, "")).Episode.ID
	forms := []string{"session-client-adult", "outcome-brief", "session-therapist", "prediction-therapist", "readiness-therapist"}
	if err := b.app.ChooseForms(ctx, me, episode, forms); err != nil {
		t.Fatal(err)
	}
	session := must[care.ID](t)(b.app.StartSession(ctx, me, episode))
	if err := b.app.AddNote(ctx, me, session, "CANARY-note"); err != nil {
		t.Fatal(err)
	}
	for role := range actor {
		b.people[role] = b.enter(t, string(role)+"@example.org")
	}
	b.people[roleStranger], b.people[roleNobody], b.people[roleAnswering] = b.enter(t, "x@example.org"), b.visitor(t), b.visitor(t)
	b.ids = map[string]string{"client": string(client), "episode": string(episode), "session": string(session)}
	b.answer(t, me, session)
	riva := must[app.Link](t)(b.app.AddStaff(ctx, me, app.NewColleague{Name: "R.", Email: "riva@example.org", Language: "en", Roles: []care.Role{care.Therapist}}))
	in = must[app.SignedIn](t)(b.app.Join(ctx, riva.Token, demoPassword, ""))
	must[care.ID](t)(b.app.OpenEmergency(ctx, must[app.Me](t)(b.app.Authenticate(ctx, in.Token)).Actor, app.NewEmergency{Name: "CANARY-label", Reason: "CANARY-reason, at night"}))
	b.ids["emergency"] = string(must[app.Today](t)(b.app.Today(ctx, me)).Told[0].ID)
	b.ids["colleague"] = string(actor[roleColleague].Staff)
	b.ids["instrument"], b.ids["ours"] = "core-10", "session-client-adult"
	pull := care.Pull{ID: care.ID(uuid.NewString()), Practice: me.Practice, Staff: actor[roleColleague].Staff, AtMillis: 1, Clients: 50}
	if err := b.store.Write(ctx, func(tx *store.Tx) error { return tx.AddPull(pull, []care.ID{me.Staff, actor[roleManager].Staff}) }); err != nil {
		t.Fatal(err)
	}
	b.ids["pull"] = string(pull.ID)
	risk := care.RiskSignal{ID: care.ID(uuid.NewString()), Practice: me.Practice, Episode: episode, Session: session, Client: client, AtMillis: 1, Content: care.RiskContent{Instrument: "CANARY-risk", Items: []string{"9"}}}
	if err := b.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.AddRisk(risk)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	b.ids["risk"] = string(risk.ID)
	b.ids["grant"] = string(must[care.ID](t)(b.app.RecordGrant(ctx, me, app.NewGrant{Instrument: "phq-9", Ground: care.PublicDomain, Note: "CANARY-ground", File: []byte("CANARY-letter")})))
	b.ids["draft"] = string(must[care.ID](t)(b.app.StartDraft(ctx, me, app.NewDraft{From: "session-client-adult", Adapt: true, Name: instrument.Text{"en": " CANARY-draft"}})))
	b.ids["file"] = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
}

// answer lets the client answer one form and keep the second open.
func (b *block) answer(t *testing.T, me care.Actor, session care.ID) {
	ctx := t.Context()
	l := must[app.Link](t)(b.app.Invite(ctx, me, session))
	if r := b.people[roleAnswering].post("/f", url.Values{"token": {l.Token}}); r.location != "/form" {
		t.Fatalf("the link: %d", r.status)
	}
	u := must[*url.URL](t)(url.Parse(b.base))
	visit := b.people[roleAnswering].http.Jar.Cookies(u)[0].Value
	by := must[care.Actor](t)(b.app.Respondent(ctx, visit))
	f := must[app.FormView](t)(b.app.NextForm(ctx, by))
	in := app.Submission{ID: f.Submission, Instrument: f.Instrument.ID, Version: f.Instrument.Version, Language: f.Language, Answers: map[string]float64{}, Comment: "CANARY-comment"}
	for _, i := range f.Instrument.Items {
		in.Answers[i.ID] = i.Min
	}
	must[app.Receipt](t)(b.app.RecordRating(ctx, by, in))
}

func (b *block) enter(t *testing.T, email string) visitor {
	t.Helper()
	v := b.visitor(t)
	if r := v.post("/signin", url.Values{"email": {email}, "password": {demoPassword}}); r.status != http.StatusSeeOther {
		t.Fatalf("%s cannot sign in: %d", email, r.status)
	}
	return v
}

// ask sends what a route takes, with id in its place; the address is taken out
// of the answer, so that two answers can be compared.
func (b *block) ask(pattern string, role rune, id string, form url.Values) answer {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = "GET", pattern+"nowhere"
	}
	path = strings.NewReplacer("{id}", id, "{token}", "0000000000000000000000000", "{file}", "none.css", "{part...}", "password", "{$}", "").Replace(path)
	v := b.people[role]
	var r answer
	if method == "POST" {
		r = v.post(path, form)
	} else {
		r = v.get(path)
	}
	if id != "" {
		r.body = strings.ReplaceAll(r.body, id, "ID")
	}
	r.header = maps.Clone(r.header)
	r.header.Del("Date")
	return r
}

func inside(r answer) bool {
	return r.status < 400 && !strings.HasPrefix(r.location, "/signin") && r.location != "/setup"
}

// TestHTTPMatrix asks for every route as everybody, for a record that is there
// and for one that is not.
func TestHTTPMatrix(t *testing.T) {
	t.Parallel()
	b := newBlock(t)
	for pattern := range theRoutes {
		if !slices.Contains(web.Patterns(), pattern) {
			t.Errorf("%s has a row and is no route", pattern)
		}
	}
	asked, refused := 0, 0
	for _, pattern := range web.Patterns() {
		row, ok := theRoutes[pattern]
		if !ok {
			t.Errorf("%s has no row in theRoutes: say who may", pattern)
			continue
		}
		for _, role := range allRoles {
			if strings.ContainsRune(row.may, role) {
				continue
			}
			asked++
			refused += b.refuses(t, pattern, row, role)
		}
	}
	b.ask("POST /sessions/{id}/reveal", roleTherapist, b.ids["session"], nil)
	for _, pattern := range web.Patterns() { // last, because some of it changes what is there
		row := theRoutes[pattern]
		if row.id == "" || !strings.HasPrefix(pattern, "GET ") {
			continue
		}
		for _, role := range row.may {
			asked++
			if r := b.ask(pattern, role, b.ids[row.id], nil); !inside(r) || r.status == http.StatusSeeOther && row.may != staffRoles {
				t.Errorf("%s as %c: %d %s", pattern, role, r.status, r.location)
			}
		}
	}
	if r := b.ask("GET /clients/{id}", roleTherapist, b.ids["client"], nil); !strings.Contains(r.body, "CANARY-note") || !strings.Contains(r.body, "CANARY-comment") || !strings.Contains(r.body, "CANARY-label") {
		t.Error("the canaries are not where they belong, so that looking for them proves nothing")
	}
	list := b.ask("GET /clients/{id}/access.csv", roleTherapist, b.ids["client"], nil).body
	if n := strings.Count(list, "was refused"); n < 50 || !strings.Contains(list, ",c,") {
		t.Errorf("%d refused looks stand in the list of who has seen the client", n)
	}
	b.silent(t)
	t.Logf("%d routes, %d requests, %d refusals looked at", len(theRoutes), asked, refused)
}

// refuses holds what somebody who may not is told of a record that exists against
// what they are told of one that does not.
func (b *block) refuses(t *testing.T, pattern string, row outside, role rune) int {
	id := b.ids[row.id]
	r := b.ask(pattern, role, id, row.form)
	name := fmt.Sprintf("%s as %c", pattern, role)
	if inside(r) && !(r.status == http.StatusSeeOther && r.location == "/") {
		t.Errorf("%s: %d %s", name, r.status, r.location)
	}
	for k, vs := range r.header {
		if strings.Contains(strings.ToLower(strings.Join(vs, " ")), "canary") {
			t.Errorf("%s: %s tells %v", name, k, vs)
		}
	}
	if strings.Contains(strings.ToLower(r.body), "canary") {
		t.Errorf("%s: the page holds a canary", name)
	}
	if row.id == "" {
		return 1
	}
	if role == roleSupervisor && r.status == http.StatusForbidden { // stands in the episode, and may read it
		return 1
	}
	none := b.ask(pattern, role, uuid.NewString(), row.form)
	if r.status != none.status || r.body != none.body || r.location != none.location || !maps.EqualFunc(r.header, none.header, slices.Equal) {
		t.Errorf("%s: %d for a record that is there, %d for none; bodies alike: %v", name, r.status, none.status, r.body == none.body)
	}
	return 2
}

// silent looks for canaries where nobody should find any.
func (b *block) silent(t *testing.T) {
	t.Helper()
	if log := b.log.String(); strings.Contains(strings.ToLower(log), "canary") {
		t.Errorf("the log holds a canary:\n%s", log)
	}
	for len(b.office.got) > 0 {
		l := <-b.office.got
		if strings.Contains(strings.ToLower(strings.ReplaceAll(l.text, "canary-client@example.org", "")), "canary") {
			t.Errorf("a mail holds a canary:\n%s", l.text)
		}
	}
}

// TestSameIDs gives two practices records of the same ids: whoever works in one
// sees nothing of the other.
func TestSameIDs(t *testing.T) {
	t.Parallel()
	b := newBlock(t)
	var there care.ID
	if err := b.store.Write(t.Context(), func(tx *store.Tx) error {
		ps, err := tx.Practices()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(ps, func(p care.Practice) bool { return p.Name == "There" })
		there = ps[i].ID
		all, err := tx.AllStaff(there)
		if err != nil {
			return err
		}
		return errors.Join(
			tx.AddClient(care.Client{ID: care.ID(b.ids["client"]), Practice: there, Label: "OTHER-label", AgeBand: care.Adult, Language: "en"}),
			tx.AddEpisode(care.Episode{ID: care.ID(b.ids["episode"]), Practice: there, Clients: []care.ID{care.ID(b.ids["client"])}, Therapists: []care.ID{all[0].ID}, Orientation: "other", Setting: care.Individual, OpenedOn: "2026-01-01"}),
			tx.AddSession(care.Session{ID: care.ID(b.ids["session"]), Practice: there, Episode: care.ID(b.ids["episode"]), AtMillis: 1, Status: care.Held}))
	}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, pattern := range web.Patterns() {
		for role, foreign := range map[rune]string{roleStranger: "CANARY", roleTherapist: "OTHER"} {
			if !strings.HasPrefix(pattern, "GET ") {
				continue
			}
			r := b.ask(pattern, role, b.ids[theRoutes[pattern].id], nil)
			if strings.Contains(r.body, foreign) || strings.Contains(fmt.Sprint(r.header), foreign) {
				t.Errorf("%s as %c shows the other practice", pattern, role)
			}
			if r.status == http.StatusOK && theRoutes[pattern].id != "" {
				seen++
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d pages of records were seen, so that this proves little", seen)
	}
}
