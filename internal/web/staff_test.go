// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
)

// noon is a Saturday.
var noon = time.Date(2026, 9, 12, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) int64 { return noon.AddDate(0, 0, -n).UnixMilli() }

func newStaffCall(t testing.TB, lang string) (*call, func() string) {
	t.Helper()
	c, w := newCall(t, lang, "GET /clients")
	c.s.cfg.Now = func() time.Time { return noon }
	c.me = app.Me{Name: "Anna Neri", Practice: "Studio Aurora", TimeZone: "UTC"}
	c.me.Actor = care.Actor{Practice: "p", Staff: "s", SignIn: "i", Roles: []care.Role{care.Therapist, care.Manager}}
	c.by = c.me.Actor
	return c, w.Body.String
}

func ratings(d alliance.Dimension, who alliance.Informant, values ...float64) alliance.Series {
	s := alliance.Series{Dimension: d, Informant: who, Max: 10, HigherIsBetter: true}
	for i, v := range values {
		s.Points = append(s.Points, alliance.Point{Session: i + 1, AtMillis: daysAgo(7 * (len(values) - i)), Value: v, OK: !math.IsNaN(v)})
	}
	return s
}

// aCourse is four sessions: the third not rated, goals down at the fourth, and
// words that try to be markup.
func aCourse() app.ClientView {
	none := math.NaN()
	in, _ := library.Get("session-client-adult")
	m := app.Measure{
		Instrument: in, Separates: true, Max: 10,
		Client:    []alliance.Series{ratings(alliance.Bond, alliance.Client, 8, 8, none, 8.5), ratings(alliance.Goals, alliance.Client, 9, 9.1, none, 3)},
		Therapist: []alliance.Series{ratings(alliance.Goals, alliance.Therapist, 8, 8, 8, 7)},
		Predicted: []alliance.Series{ratings(alliance.Goals, alliance.Therapist, none, none, none, 8)},
	}
	m.Gaps = map[alliance.Dimension][]alliance.GapPoint{alliance.Goals: alliance.Gap(m.Client[1], m.Therapist[0])}
	v := app.ClientView{
		Client:  care.Client{ID: "c1", Label: "M. <R.>", AgeBand: care.Adult},
		Episode: care.Episode{ID: "e1", Setting: care.Online, OpenedOn: "2026-08-01"}, Therapists: []string{"Anna Neri"}, CanAsk: true,
		Verdict: alliance.Usual().Judge(alliance.Course{Series: m.Client}), Alliance: []app.Measure{m},
		Comments: []app.Comment{{Session: 4, Informant: care.ByClient, Text: "<script>canary</script>"}},
		Planned:  []care.Session{{ID: "s9", AtMillis: daysAgo(-7), Status: care.Planned}},
	}
	for i := range 4 {
		p := app.SessionPoint{Session: care.Session{ID: care.ID(fmt.Sprint("s", i+1)), Number: i + 1, AtMillis: daysAgo(7 * (4 - i)), Status: care.Held}}
		p.Asked = app.Asked{ClientForms: 2, ClientDone: 2}
		if i == 2 {
			p.Asked.ClientDone = 0
			p.Notes = []app.NoteView{{Text: "A note", By: "Anna Neri"}}
		}
		v.Sessions = append(v.Sessions, p)
	}
	v.Episodes = []care.Episode{v.Episode, {ID: "e0", OpenedOn: "2025-01-01"}}
	return v
}

func staffSamples(c *call) []sample {
	v := aCourse()
	one := aCourse() // a form that does not tell the three apart, and the newest session not rated
	one.Alliance[0].Separates = false
	one.Alliance[0].Client = []alliance.Series{ratings(alliance.Whole, alliance.Client, 8, 8, 8, math.NaN())}
	one.Verdict = alliance.Usual().Judge(alliance.Course{Series: one.Alliance[0].Client})
	one.Sessions[3].Asked.ClientDone = 0
	one.CanAsk = false
	hidden := aCourse()
	hidden.Hidden = "s4"
	hidden.Sessions[3].Asked.Hidden = true
	row := app.CaseloadRow{Client: v.Client, Episode: "e1", Sessions: 4, LastAt: daysAgo(7), Unread: 2, Missed: true, Verdict: v.Verdict, Spark: []float64{.8, math.NaN(), .5}}
	secret := row
	secret.Hidden = true
	rows := c.caseRows([]app.CaseloadRow{row, secret})
	asked := app.Asked{ClientForms: 2, ClientDone: 1, TherapistOwn: true, Predict: true}
	sv := app.SessionView{Session: v.Sessions[3].Session, Client: v.Client, Asked: asked, CanAsk: true}
	sv.Client.Email = "m@example.org"
	link := sessionModel{SessionView: sv, When: "x", QR: template.URL("data:image/png;base64,AA=="), Link: "http://x/f#canary-token", Plain: "http://x/f/canary-token", Until: "y", Mailed: true}
	v.Sessions[0].Beside = true
	waiting := sv
	waiting.Asked.Hidden = true
	planned := sv
	planned.Session.Status, planned.Session.Number = care.Planned, 0
	form := clientForm{ID: "c1", Ages: care.AgeBands(), Languages: app.Languages, Orientations: care.Orientations(), Settings: care.Settings(), Chosen: map[string]bool{"a": true},
		Therapists: []app.Colleague{{ID: "a", Name: "B"}}, Supervisors: []app.Colleague{{ID: "d", Name: "D"}}, Forms: []formChoice{{ID: "f", Name: "F", Ages: []instrument.AgeBand{instrument.Adult}}}}
	plan := app.ImportPlan{File: "x.csv", Encoding: "UTF-8", Columns: []string{"a"}, Sample: [][]string{{"1"}}, Responses: 3, Clients: 1, Sessions: 3, Rows: 3, Total: 2}
	bad := []importProblem{{Line: 3, Column: "a", Text: "No."}}
	out := []sample{
		{"today", todayView{Date: "x", Reviews: []app.ReviewDue{{Client: "c1", Label: "<R>", Age: 18}}}, nil}, {"today", todayView{Date: "x", Sessions: []todaySession{{SessionView: sv, Clock: "9:00", Verdict: rows[0].Verdict}, {SessionView: waiting}, {SessionView: planned}}, Asking: rows, Clients: rows}, nil},
		{"emergency", emergencyForm{Name: "<b>", Reason: "x"}, map[string]string{"name": "No.", "reason": "No."}}, {"today", todayView{Date: "x", Told: c.told([]app.EmergencyNotice{{By: "A", Label: "<B>"}, {Emergency: care.Emergency{UntilMillis: daysAgo(-1)}}}), Held: c.held([]app.EmergencyNotice{{Label: "C"}}), Pulls: c.pulls([]app.PullNotice{{By: "<B>", Pull: care.Pull{Clients: 40}}})}, nil},
		{"caseload", caseloadView{InNeed: true}, nil}, {"caseload", caseloadView{Search: "<x>"}, nil}, {"caseload", caseloadView{Rows: rows}, nil}, {"caseload", caseloadView{Rows: rows, Total: 600, Beyond: true}, nil},
		{"client", c.clientModel(v), nil}, {"client", c.clientModel(one), nil}, {"client", c.clientModel(hidden), map[string]string{"at": "No."}}, {"client", c.clientModel(app.ClientView{Client: v.Client, Episode: v.Episode, Verdict: alliance.Verdict{Kind: alliance.TooLittle}}), nil},
		{"session", withCarers(link), nil}, {"session", link, map[string]string{"pin": "No."}}, {"session", sessionModel{SessionView: waiting}, nil}, {"session", sessionModel{SessionView: planned}, nil}, {"session", sessionModel{SessionView: app.SessionView{Session: sv.Session, Client: v.Client, Damaged: true}}, nil},
		{"clientnew", form, map[string]string{"label": "No.", "email": "No."}}, {"clientedit", form, nil},
		{"colleagues", colleaguesView{All: []app.Colleague{{Name: "A", Roles: care.Roles()}}, Roles: care.Roles()[:3], Languages: app.Languages, Link: "http://x/join/t", For: "A", Backup: backupView{Text: "Last good backup", Bad: true}}, map[string]string{"name": "No."}},
		{"colleague", helpView{ColleagueView: app.ColleagueView{Colleague: app.Colleague{ID: "a", Name: "<B>"}, SignIns: 2}, Lines: c.helpLines([]app.HelpLine{{Help: care.Help{Kind: care.ResetSecond, Reason: "<i>"}, Who: "A"}, {Help: care.Help{Kind: care.Recovered}}}), Done: true}, map[string]string{"old": "No.", "reason": "No."}},
		{"account", accountView{Name: "A", Least: 15, SignIns: []signInLine{{ID: "i", This: true}}, Linked: []linkedLine{{ID: "l", Name: "<L>", Email: "a@b.c"}}, Left: []app.ProviderName{{ID: "m", Name: "M"}}, Helped: []helpLine{{"x", "<y>"}}}, map[string]string{"old": "No.", "password": "No."}},
		{"colleague", helpView{ColleagueView: app.ColleagueView{Self: true, Colleague: app.Colleague{Second: true}}}, nil},
		{"rules", c.rulesView(care.SignInRules{IdleMinutes: 60, LongestHours: 12}), map[string]string{"old": "No."}},
		{"conversation", aConversation(c), map[string]string{"why": "No.", "choice": "No.", "said": "No."}},
		{"goals", c.workModel(app.WorkView{Client: v.Client, Episode: v.Episode}), nil}, {"goals", c.workModel(someWork(v)), nil}, {"goals", againWork(c, someWork(v)), map[string]string{"words": "No."}},
		{"client", c.clientModel(app.ClientView{Client: v.Client, Episode: v.Episode, CanAsk: true, Goals: someWork(v).Goals, Tasks: someWork(v).Tasks, Risks: []app.RiskView{aRisk(), seenRisk()}}), nil},
		{"risk", riskModel{riskLine: c.riskLines([]app.RiskView{aRisk()})[0], Typed: "<x>"}, map[string]string{"done": "No."}}, {"risk", riskModel{riskLine: c.riskLines([]app.RiskView{seenRisk()})[0], Taken: true}, nil},
		{"duty", c.dutyModel(app.DutyView{RiskDuty: care.RiskDuty{Owner: "a", Deputy: "d", Hours: 4, TestedMillis: 5}, CanBe: []app.Colleague{{ID: "a", Name: "<A>"}, {ID: "d", Name: "D"}}, Late: true, Waiting: 2}), map[string]string{"owner": "No.", "deputy": "No.", "reason": "No."}},
		{"duty", c.dutyModel(app.DutyView{Mails: true, RiskDuty: care.RiskDuty{Hours: 4, Alone: "<why>"}}), nil},
		{"today", todayView{Date: "x", Risks: c.riskLines([]app.RiskView{aRisk(), {}}), Alarm: alarmView{Test: "<t>", Late: "l", Nobody: "n"}}, nil},
		{"figures", c.practiceModel(app.SignalFigures{Clients: 3}), nil}, {"figures", c.practiceModel(app.SignalFigures{Clients: 30, Rated: 200, Signals: 20, Answered: 18, Choices: map[care.SignalChoice]int{care.Talked: 9}, Days: []float64{0, 1, 1, 2, 9}, Followed: 12, Back: 6}), nil},
		{"closing", closingModel{Client: "c", Label: "<C>", Episode: "e", Reasons: care.ClosingReasons(), Typed: care.ClosingContent{Reason: care.Practical, Words: "<w>"}}, map[string]string{"reason": "No.", "words": "No."}},
		{"ended", c.ended(nil), nil}, {"ended", c.ended([]app.EndedRow{{Client: care.Client{ID: "c", Label: "<C>"}, Episode: care.Episode{ID: "e", OpenedOn: "2026-01-02", ClosedOn: "2026-09-12"}, Reason: care.StayedAway}, {}}), nil},
		{"together", c.reviewModel(reviewed(v)), nil}, {"client", c.clientModel(reviewed(v)), nil},
		{"signalrule", c.signalRuleView("cusum"), map[string]string{"rule": "No."}},
		{"expected", expectedView{Need: 200, CanWork: true}, nil}, {"expected", expectedView{Done: true, Rows: []expectedRow{{Name: "<N>", Made: "x", Episodes: 300, Points: []string{"<p>"}}, {Name: "M", Text: "few"}}}, nil},
		{"client", c.clientModel(aFaring(v)), nil},
		{"supervision", c.agenda(nil), nil}, {"supervision", c.agenda([]app.AgendaRow{{Client: v.Client, Episode: "e1", Since: daysAgo(9), Number: 3, Unanswered: true, Verdict: v.Verdict, Unrepaired: true,
			Open: []app.ConversationView{{Conversation: care.Conversation{Content: care.ConversationContent{Choice: care.Talked, Marker: care.Withdrawal, Mine: "<mine>"}}, Unrepaired: true}, {Withheld: true, Conversation: care.Conversation{Content: care.ConversationContent{Choice: care.NotNow, Settled: true}}}}}, {}}), nil},
		{"together", c.togetherModel(v), nil}, {"together", c.togetherModel(hidden), nil},
		{"consentsetting", c.consentSettingModel(app.ConsentSetting{Rule: care.ConsentRule{Holders: care.BothNeeded}, Texts: []care.ConsentText{{Kind: care.ToTreatment, Version: 2, Edition: 1, Words: map[string]string{"en": "<b>"}}}}), map[string]string{"own_age": "No.", "assent_age": "No.", "review_ages": "No."}},
		{"carers", carersModel{CarersView: app.CarersView{Client: v.Client}}, nil}, {"carers", someCarers(), map[string]string{"label": "No.", "email": "No.", "relation": "No.", "language": "No."}},
		{"consent", someConsents(c), map[string]string{"born": "No.", "name": "No.", "note": "No.", "reason": "No."}}, {"consent", c.consentModel(app.ConsentView{Consents: care.Consents{Client: v.Client}}), nil},
		{"localhelp", localHelpModel(care.LocalHelp{"it": {All: "<b>", Young: "19696"}}), map[string]string{"all-it": "No.", "young-en": "No."}},
		{"ownform", newFormModel(c.p, sampleForm(c.p.Lang(), "session-therapist", false), nil, nil), nil},
	}
	out = append(out, librarySamples(c)...)
	out = append(out, ownSamples(c)...)
	for _, state := range []string{"new", "problems", "preview", "running", "done", "stopped", "failed"} {
		out = append(out, sample{"import", importView{ID: "k", State: state, Plan: plan, Problems: bad, Percent: 40}, nil})
	}
	return out
}

// reviewed is a course with all that a review and an end bring.
func reviewed(v app.ClientView) app.ClientView {
	w := someWork(v)
	v.Goals, v.Tasks, v.Runs, v.CanAsk = w.Goals, w.Tasks, true, false
	v.Episode.ClosedOn = "2026-09-12"
	v.Closings = []app.ClosingView{{By: "<B>", Shown: v.Verdict, Closing: care.Closing{Content: care.ClosingContent{Reason: care.NotKnown, Words: "<w>"}}}}
	v.Process = append(v.Process, v.Outcome...)
	return v
}

func someWork(v app.ClientView) app.WorkView {
	n, m, far := 7, 3, 10
	c := care.AgreedContent{Words: "<sleep>", Whose: care.OfCarer, ProposedBy: care.OfTherapist, State: care.WorkOpen, ClientAgrees: &n, TherapistAgrees: &m, Why: "<why>", Often: "<often>", CarerPart: "<carer>", Hard: &far, InSession: true}
	goal := app.WorkItem{Agreed: care.Agreed{Item: "g", Kind: care.GoalKind, Content: c}, Since: daysAgo(9), Progress: []*int{nil, &m, &n}, Before: []care.Agreed{{AtMillis: daysAgo(20), Content: care.AgreedContent{Words: "<before>"}}}}
	closed := goal
	closed.Item, closed.Content.State = "h", care.Reached
	task := app.WorkItem{Agreed: care.Agreed{Item: "t", Kind: care.TaskKind, Content: c}, Done: care.NotDone, WhyNot: "<rain>", StepOf: "<big>"}
	return app.WorkView{Client: v.Client, Episode: v.Episode, CanWrite: true, Damaged: true, Goals: []app.WorkItem{goal, closed}, Tasks: []app.WorkItem{task}}
}

func againWork(c *call, v app.WorkView) workModel {
	m := c.workModel(v)
	f := c.workForm(v, care.GoalKind, "", "new-goal", care.AgreedContent{Words: "<typed>"})
	f.Open, f.Wrong = true, "No."
	m.New["goal"] = f
	return m
}

func aRisk() app.RiskView {
	return app.RiskView{RiskSignal: care.RiskSignal{ID: "r", Episode: "e", AtMillis: daysAgo(1), Content: care.RiskContent{Instrument: "phq-9", Items: []string{"9"}}}, Client: care.Client{ID: "c", Label: "<C>"}, Form: "<F>", Therapists: []string{"<T>"}}
}

func seenRisk() app.RiskView {
	r := aRisk()
	r.SeenBy, r.SeenMillis, r.SeenByName, r.Done, r.Treats = "s", daysAgo(0), "<S>", "<d>", true
	return r
}

func TestEveryStaffPageIsSound(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		first, _ := newStaffCall(t, lang)
		for i, x := range staffSamples(first) {
			t.Run(fmt.Sprintf("%s/%s/%d", lang, x.name, i), func(t *testing.T) {
				t.Parallel()
				c, body := newStaffCall(t, lang)
				if err := c.write(http.StatusOK, x.name, view{Me: c.me, Path: "/x", V: x.v, Errors: x.errors}); err != nil {
					t.Fatal(err)
				}
				inspectStaff(t, lang, body())
			})
		}
	}
}

var staffKey = regexp.MustCompile(`\b(age|asked|ask|axis|caseload|change|chart|client|colleagues|common|day|dimension|emergency|episode|gap|asking|grant|import|informant|library|publish|note|orientation|own|predict|reason|role|rule|session|sessions|setting|table|tension|today|verdict|who|why|wording|words)\.[a-z_]+`)

// inspectStaff looks for messages that are missing, names that point nowhere and
// markup that somebody typed.
func inspectStaff(t *testing.T, lang, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	count, ids := map[string]int{}, map[string]bool{}
	var wanted []string
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "textarea" {
			if key := staffKey.FindString(n.Data); key != "" {
				t.Errorf("a message is missing: %q", key)
			}
		}
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		a := attributes(n)
		for name, value := range a {
			if name == "style" || strings.HasPrefix(name, "on") || strings.Contains(value, "<no value>") || strings.Contains(value, "ZgotmplZ") {
				t.Errorf("<%s %s=%q>", n.Data, name, value)
			}
			if n.Data != "input" && strings.Contains(value, "canary-token") {
				t.Errorf("<%s %s> holds the link's secret", n.Data, name)
			}
		}
		if n.Data == "script" && a["src"] == "" {
			t.Error("a script inside the page")
		}
		if id, ok := a["id"]; ok && ids[id] {
			t.Errorf("two elements are called %q", id)
		} else if ok {
			ids[id] = true
		}
		wanted = append(wanted, strings.Fields(a["aria-describedby"]+" "+a["for"]+" "+a["aria-labelledby"])...)
		if to, ok := strings.CutPrefix(a["href"], "#"); ok {
			wanted = append(wanted, to)
		}
		if n.Data == "html" && a["lang"] != lang {
			t.Errorf("the page says it is in %q", a["lang"])
		}
	}
	for _, one := range []string{"h1", "main", "title"} {
		want := 1
		if one == "title" { // a picture has a title as well
			want = max(1, count["title"])
		}
		if count[one] != want {
			t.Errorf("%d <%s>", count[one], one)
		}
	}
	for _, id := range wanted {
		if !ids[id] {
			t.Errorf("nothing is called %q", id)
		}
	}
}

// What is waiting for a guess stays out of the lists as well as the pages.
func TestHiddenAnswerIsNotGivenAway(t *testing.T) {
	t.Parallel()
	c, body := newStaffCall(t, "en")
	row := app.CaseloadRow{Client: care.Client{Label: "M. R.", AgeBand: care.Adult}, Hidden: true, Unread: 1}
	if err := c.write(http.StatusOK, "caseload", view{Me: c.me, V: caseloadView{Rows: c.caseRows([]app.CaseloadRow{row})}}); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"Worth asking", "Nothing stands out", "Too little"} {
		if strings.Contains(body(), word) {
			t.Errorf("%q is said before the guess", word)
		}
	}
}

func TestClientModel(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]struct{ text, gap, foretold string }{
		"en": {"Goals fell from 9.1 to 3.0 since 22 Aug.", "Over 3 sessions both rated, the therapist was 0.6 points higher on average.", "Goals, guessed"},
		"it": {"Obiettivi: da 9,1 a 3,0 rispetto al 22 ago.", "Nelle 3 sedute valutate da entrambi, il terapeuta era in media 0,6 punti sopra.", "Obiettivi, previsto"},
	} {
		c, _ := newStaffCall(t, lang)
		m := c.clientModel(aCourse())
		if m.Verdict.State != "warm" || m.Verdict.Text != want.text {
			t.Errorf("%s: %q", lang, m.Verdict.Text)
		}
		if len(m.Verdict.Figures) != 2 || len(m.Verdict.How) < 3 {
			t.Errorf("%s: %q", lang, append(m.Verdict.Figures, m.Verdict.How...))
		}
		x := m.Measures[0]
		if x.Columns[len(x.Columns)-1] != want.foretold || x.Rows[2].Cells[0] != "" || x.Rows[3].Cells[1] == "" {
			t.Errorf("%s: %v %v", lang, x.Columns, x.Rows)
		}
		if x.Change[0].Fell || !x.Change[1].Fell || x.Change[0].Therapist != "" || x.Change[1].Gap[:1] != "+" {
			t.Errorf("%s: %+v", lang, x.Change)
		}
		if x.GapLine != want.gap {
			t.Errorf("%s: %q", lang, x.GapLine)
		}
		if m.Unrated != 0 || m.Points[0].Session.Number != 4 {
			t.Errorf("%s: unrated %d, first in the list %d", lang, m.Unrated, m.Points[0].Session.Number)
		}
	}
}

// A carer's gap is the carer's, in words too.
func TestGapNamesWhoRated(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string][2]string{"en": {"the client was 1.0 points higher", "the carer was 1.0 points higher"}, "it": {"il cliente era in media 1,0 punti", "il genitore o caregiver era in media 1,0 punti"}} {
		c, _ := newStaffCall(t, lang)
		for i, who := range []alliance.Informant{alliance.Client, alliance.Carer} {
			own, other := ratings(alliance.Bond, who, 8, 8), ratings(alliance.Bond, alliance.Therapist, 7, 7)
			got := c.gapLine(app.Measure{Client: []alliance.Series{own}, Gaps: map[alliance.Dimension][]alliance.GapPoint{alliance.Bond: alliance.Gap(own, other)}})
			if !strings.Contains(got, want[i]) {
				t.Errorf("%s, %s: %q", lang, who, got)
			}
		}
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string][4]string{
		"en": {"since today", "since yesterday", "since Tuesday", "since 29 Aug"},
		"it": {"rispetto a oggi", "rispetto a ieri", "rispetto a martedì", "rispetto al 29 ago"},
	} {
		c, _ := newStaffCall(t, lang)
		for i, n := range []int{0, 1, 4, 14} {
			if got := c.since(daysAgo(n)); got != want[i] {
				t.Errorf("%s, %d days ago: %q", lang, n, got)
			}
		}
	}
}

// A file in hand is its owner's in that browser only, and goes when nobody
// comes back for it; what is being imported stays.
func TestFileInHand(t *testing.T) {
	t.Parallel()
	var all bringings
	owner := care.Actor{Practice: "p", Staff: "s", SignIn: "i"}
	key, ok := all.put(&bringing{owner: owner, state: "preview", until: noon, data: []byte("x")}, noon)
	if !ok {
		t.Fatal("refused")
	}
	for _, other := range []care.Actor{{Practice: "q", Staff: "s", SignIn: "i"}, {Practice: "p", Staff: "t", SignIn: "i"}, {Practice: "p", Staff: "s", SignIn: "j"}} {
		if _, err := all.get(key, other); care.CodeOf(err) != care.NotFound {
			t.Errorf("%+v may see it: %v", other, err)
		}
	}
	x, err := all.get(key, owner)
	if err != nil {
		t.Fatal(err)
	}
	x.state = "running"
	if all.forget(key); x.data == nil {
		t.Error("a file being imported was let go")
	}
	x.state = "preview"
	if all.forget(key); x.data != nil {
		t.Error("the file stays in memory")
	}
	if _, err := all.get(key, owner); care.CodeOf(err) != care.NotFound {
		t.Errorf("still there: %v", err)
	}
}

func someCarers() carersModel {
	return carersModel{CarersView: app.CarersView{Client: care.Client{ID: "c", Label: "<b>"}, CanWrite: true, Damaged: true, Carers: []care.Carer{
		{ID: "1", Content: care.CarerContent{Label: "<i>", Relation: care.Parent, Language: "en", Email: "a@example.org"}}, {ID: "2", EndedMillis: 1}}},
		Relations: care.CarerRelations(), Languages: app.Languages, Typed: care.CarerContent{Label: "<b>"}}
}

func withCarers(m sessionModel) sessionModel {
	m.CanAsk, m.LinkFor = true, "<b>"
	x := app.CarerAsked{Carer: care.Carer{ID: "1", Content: care.CarerContent{Label: "<i>", Email: "a@example.org"}}, Forms: 1}
	m.CarerLines = []carerLine{{CarerAsked: x, Text: "<i>", State: "open", Ask: true}, {Text: "<i>", State: "done"}}
	return m
}
