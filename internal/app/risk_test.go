// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// riskWords stand for the words of an instrument whose ninth item asks about danger.
var riskWords = func() string {
	b := strings.Builder{}
	b.WriteString("item,text:en,text:it,0:en,0:it,1:en,1:it,2:en,2:it,3:en,3:it\nowner,(c) Owner,(c) Owner,,,,,,,,\n1,One?,Uno?,no,no,a bit,un po',more,di più,much,molto\n")
	for i := 2; i <= 9; i++ {
		fmt.Fprintf(&b, "%d,Item %d?,Voce %d?,,,,,,,,\n", i, i, i)
	}
	return b.String()
}()

// askRisk has the world's episode ask about danger, and nothing else; it returns
// whoever answers.
func (w *world) askRisk() care.Actor {
	w.t.Helper()
	b := get[app.BoundWords](w.t)(w.app.BindWords(w.ctx, w.neri, "phq-9", "w.csv", []byte(riskWords), instrument.Choice{}))
	if b.Form == nil {
		w.t.Fatal(b.Mismatches)
	}
	get[*instrument.Instrument](w.t)(w.app.PublishForm(w.ctx, w.neri, b.Text))
	get[care.ID](w.t)(w.app.RecordGrant(w.ctx, w.boss, app.NewGrant{Instrument: "phq-9", Ground: care.PublicDomain}))
	must(w.t, w.app.ChooseForms(w.ctx, w.neri, w.episode, []string{"phq-9"}))
	return w.visit(w.session)
}

// answers are those of a form of which the last item is answered so.
func (w *world) answers(by care.Actor, ninth float64) app.Submission {
	w.t.Helper()
	f := get[app.FormView](w.t)(w.app.NextForm(w.ctx, by))
	in := filled(f, "", 0, 0)
	in.Answers["9"] = ninth
	return in
}

func (w *world) risksOf(a care.Actor) int {
	w.t.Helper()
	return len(get[app.Today](w.t)(w.app.Today(w.ctx, a)).Risks)
}

// round looks after the alarms once, and tells to whom mails went.
func (w *world) round() []string {
	w.t.Helper()
	w.mail.alarms = nil
	must(w.t, w.app.AlarmRound(w.ctx))
	slices.Sort(w.mail.alarms)
	return w.mail.alarms
}

// TestRiskDuty: without somebody who looks after the answers, or a reason, no form
// that asks about danger is published.
func TestRiskDuty(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		b := get[app.BoundWords](t)(w.app.BindWords(w.ctx, w.neri, "phq-9", "w.csv", []byte(riskWords), instrument.Choice{}))
		publish := func() string {
			_, err := w.app.PreviewForm(w.ctx, w.neri, b.Text)
			key := keyOf(err)
			_, err = w.app.PublishForm(w.ctx, w.neri, b.Text)
			if key != keyOf(err) {
				t.Errorf("shown %q, then %v", key, err)
			}
			return key
		}
		same(t, "nobody", publish(), "publish.risk")
		for field, d := range map[string]care.RiskDuty{
			"owner": {Owner: "nobody", Hours: 4}, "deputy": {Owner: w.boss.Staff, Deputy: w.boss.Staff, Hours: 4}, "hours": {Owner: w.boss.Staff}, "reason": {Hours: 4, Alone: strings.Repeat("x", 2001)},
		} {
			err := w.app.SetRiskDuty(w.ctx, w.boss, d)
			if e, ok := errors.AsType[*care.Error](err); !ok || e.Code != care.Invalid || e.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Hours: 4, Alone: " CANARY-alone "}))
		if kept := strings.Join(w.rows("risk_duty"), "\n"); strings.Contains(kept, "CANARY") {
			t.Error("the reason lies open")
		}
		same(t, "why", get[app.DutyView](t)(w.app.RiskDuty(w.ctx, w.boss)).Alone, "CANARY-alone")
		same(t, "with a reason", publish(), "")
		if !get[app.Today](t)(w.app.Today(w.ctx, w.boss)).Alarm.Nobody {
			t.Error("a manager is not told that nobody owns the duty")
		}
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Hours: 4}))
		b = get[app.BoundWords](t)(w.app.BindWords(w.ctx, w.neri, "phq-9", "w.csv", []byte(riskWords), instrument.Choice{}))
		same(t, "without it again", publish(), "publish.risk")
	})
}

// TestRiskAlarm: an answer that speaks of danger, of a form that is not sent or that
// is, is told once, to the therapist and the owner, with mails that say nothing, and
// goes from one to the next until somebody takes it up.
func TestRiskAlarm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Owner: w.costa.Staff, Deputy: w.longo.Staff, Hours: 2}))
		same(t, "a test first", strings.Join(w.round(), " "), "test costa@example.org")
		by := w.askRisk()
		same(t, "no danger", get[bool](t)(w.app.NoteRisk(w.ctx, by, w.answers(by, 0))), false)
		same(t, "none yet", w.risksOf(w.neri), 0)
		part := app.Submission{Instrument: "phq-9", Version: 1, Answers: instrument.Answers{"9": 1}}
		same(t, "a part", get[bool](t)(w.app.NoteRisk(w.ctx, by, part)), true)
		w.mail.noAlarm = errPlanted // the mail server is down
		same(t, "mailed", len(w.round()), 0)
		in := w.answers(by, 1)
		if r := get[app.Receipt](t)(w.app.RecordRating(w.ctx, by, in)); !r.Risk || len(r.Told) != 1 || r.Told[0] != "CANARY-neri" { // the supervisor reads, and is not told
			t.Errorf("%+v", r)
		}
		if r := get[app.Receipt](t)(w.app.RecordRating(w.ctx, by, in)); !r.Risk || !r.Repeated {
			t.Errorf("sent twice: %+v", r)
		}
		for who, n := range map[*care.Actor]int{&w.neri: 1, &w.costa: 1, &w.longo: 0, &w.boss: 0, &w.stranger: 0} {
			same(t, "told at once", w.risksOf(*who), n)
		}
		if kept := strings.Join(append(w.rows("risk_signal"), w.rows("alarm_mail")...), "\n"); strings.Contains(kept, "phq") {
			t.Error("what was answered lies open")
		}
		w.mail.noAlarm = nil
		same(t, "not yet again", len(w.round()), 0)
		w.now.Add(time.Minute.Milliseconds())
		same(t, "when the server is back", strings.Join(w.round(), " "), "costa@example.org neri@example.org")
		w.now.Add((10 * time.Minute).Milliseconds())
		same(t, "only once", len(w.round()), 0)
		w.now.Add((2 * time.Hour).Milliseconds())
		same(t, "the deputy", strings.Join(w.round(), " "), "longo@example.org")
		same(t, "the deputy", w.risksOf(w.longo), 1)
		w.now.Add((2 * time.Hour).Milliseconds())
		same(t, "managers", strings.Join(w.round(), " "), "boss@example.org neri@example.org")
		r := get[app.Today](t)(w.app.Today(w.ctx, w.boss)).Risks
		if len(r) != 1 || r[0].Content.Items[0] != "9" || r[0].Client.Label != "CANARY-client" || r[0].Treats || len(r[0].Therapists) != 1 {
			t.Fatalf("%+v", r)
		}
		same(t, "without a word", care.CodeOf(w.app.TakeUpRisk(w.ctx, w.boss, r[0].ID, " ")), care.Invalid)
		must(t, w.app.TakeUpRisk(w.ctx, w.neri, r[0].ID, " CANARY-called "))
		same(t, "a second", care.CodeOf(w.app.TakeUpRisk(w.ctx, w.boss, r[0].ID, "late")), care.Conflict)
		for _, a := range []care.Actor{w.neri, w.costa, w.boss} {
			same(t, "taken up", w.risksOf(a), 0)
		}
		v := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if len(v.Risks) != 1 || v.Risks[0].Done != "CANARY-called" || v.Risks[0].SeenByName != "CANARY-neri" {
			t.Errorf("on the client's page: %+v", v.Risks)
		}
		w.now.Add((48 * time.Hour).Milliseconds())
		same(t, "then nobody", len(w.round()), 0)
	})
}

// TestRiskOfWhatIsNotKept: an answer that is refused, as the form was sent before or is
// asked no more, is told all the same; a link that ended tells nothing.
func TestRiskOfWhatIsNotKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Hours: 4, Alone: "small"}))
		by := w.askRisk()
		first, second := w.answers(by, 0), w.answers(by, 3)
		second.ID = care.ID(uuid.NewString())
		if r := get[app.Receipt](t)(w.app.RecordRating(w.ctx, by, first)); r.Risk {
			t.Errorf("%+v", r)
		}
		r, err := w.app.RecordRating(w.ctx, by, second)
		if care.CodeOf(err) != care.Conflict || !r.Risk {
			t.Errorf("%+v, %v", r, err)
		}
		same(t, "told", w.risksOf(w.neri), 1)
		must(t, w.app.SetLocalHelp(w.ctx, w.boss, care.LocalHelp{second.Language: {All: "the night line"}}))
		open := w.visit(w.session) // another who has it open when the ground is withdrawn
		g := get[[]app.GrantLine](t)(w.app.Grants(w.ctx, w.boss, "phq-9"))
		must(t, w.app.WithdrawGrant(w.ctx, w.boss, g[0].ID, "The owner asked."))
		second.Answers = instrument.Answers{"1": 1, "9": 2}
		second.ID, second.Session = care.ID(uuid.NewString()), w.session
		r, err = w.app.RecordRating(w.ctx, open, second)
		if care.CodeOf(err) != care.Invalid || !r.Risk || r.Help.Text != "the night line" || len(r.Told) != 1 {
			t.Errorf("no longer asked: %+v, %v", r, err)
		}
		second.Version = 9
		_, err = w.app.NoteRisk(w.ctx, open, second)
		same(t, "a form that nobody published", care.CodeOf(err), care.NotFound)
		w.now.Add((4 * 24 * time.Hour).Milliseconds())
		_, err = w.app.NoteRisk(w.ctx, by, second)
		same(t, "after its end", care.CodeOf(err), care.NotFound)
		same(t, "told", w.risksOf(w.neri), 1)
	})
}

// TestRiskFaults: whatever breaks while such an answer is kept, either nothing is
// kept or it is told.
func TestRiskFaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Owner: w.boss.Staff, Hours: 4}))
		w.round()
		by := w.askRisk()
		in := w.answers(by, 2)
		w.breakUntil(func() error { return errorOf(w.app.NoteRisk(w.ctx, by, in)) })
		same(t, "a part", w.risksOf(w.boss), 1)
		in.Answers["8"] = 1
		w.breakUntil(func() error {
			in.ID = care.ID(uuid.NewString())
			return errorOf(w.app.RecordRating(w.ctx, by, in))
		})
		same(t, "sent", w.risksOf(w.boss), 1)
	})
}

// TestAlarmTogether: several servers that send at once send each mail once.
func TestAlarmTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Hours: 4, Alone: "small"}))
		w.mail.noAlarm = nil
		by := w.askRisk()
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, by, w.answers(by, 2)))
		var mu sync.Mutex
		sent := 0
		counting := app.New(w.store, app.Config{Now: func() time.Time { return time.UnixMilli(w.now.Load()) }, Mail: countingMail(func() { mu.Lock(); sent++; mu.Unlock() })})
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if err := counting.AlarmRound(w.ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		same(t, "mails", sent, 1)
	})
}

// TestAlarmTest: the way of the alarm is tried each week, and whoever answers for it
// is told when nobody has said for long that a test came.
func TestAlarmTest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Owner: w.costa.Staff, Deputy: w.longo.Staff, Hours: 4}))
		same(t, "the first", len(w.round()), 1)
		same(t, "no second", len(w.round()), 0)
		state := func(a care.Actor) app.AlarmState { return get[app.Today](t)(w.app.Today(w.ctx, a)).Alarm }
		if s := state(w.costa); s.TestMillis == 0 || !s.Never || s.Late {
			t.Errorf("%+v", s)
		}
		same(t, "never confirmed", state(w.boss), app.AlarmState{Never: true})
		same(t, "a colleague's", state(w.longo), app.AlarmState{})
		same(t, "another's word", care.CodeOf(w.app.ConfirmAlarmTest(w.ctx, w.boss)), care.NotFound)
		must(t, w.app.ConfirmAlarmTest(w.ctx, w.costa))
		same(t, "confirmed", state(w.costa), app.AlarmState{})
		w.now.Add((7 * 24 * time.Hour).Milliseconds())
		same(t, "a week later", len(w.round()), 1)
		w.now.Add((3 * 24 * time.Hour).Milliseconds())
		if !state(w.boss).Late || !state(w.costa).Late {
			t.Error("nobody is told that no test came through")
		}
		by := w.askRisk()
		must(t, w.end(w.boss, w.costa.Staff, "", "moved to another town", password))
		same(t, "the owner left", state(w.boss), app.AlarmState{Gone: true})
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, by, w.answers(by, 1)))
		same(t, "the deputy at once", strings.Join(w.round(), " "), "longo@example.org neri@example.org")
	})
}

// TestAlarmWithoutMail: where no mail can go out nothing says that one was sent, and
// whoever answers for it reads that the alarm stands on the page only.
func TestAlarmWithoutMail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		silent := app.New(w.store, app.Config{Now: func() time.Time { return time.UnixMilli(w.now.Load()) }})
		must(t, silent.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Owner: w.costa.Staff, Hours: 4}))
		must(t, silent.AlarmRound(w.ctx))
		for _, a := range []care.Actor{w.boss, w.costa} {
			same(t, "told", get[app.Today](t)(silent.Today(w.ctx, a)).Alarm, app.AlarmState{NoMail: true})
		}
		same(t, "once there is a mail server", strings.Join(w.round(), " "), "test costa@example.org")
	})
}

// TestAlarmKeepsNothingBack: without a deputy the managers come next; a name that was
// altered keeps no mail from going out, an altered address only its own, and a
// practice in which something fails no other practice's.
func TestAlarmKeepsNothingBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		spoil := func(query string) {
			t.Helper()
			_, err := w.db.ExecContext(w.ctx, query, append([]byte{1, 1}, make([]byte, 60)...))
			must(t, err)
		}
		must(t, w.app.SetRiskDuty(w.ctx, w.boss, care.RiskDuty{Owner: w.costa.Staff, Hours: 2}))
		must(t, w.app.SetRiskDuty(w.ctx, w.stranger, care.RiskDuty{Owner: w.stranger.Staff, Hours: 2}))
		same(t, "tests", len(w.round()), 2)
		by := w.askRisk()
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, by, w.answers(by, 1)))
		spoil("UPDATE staff SET name = $1")
		spoil("UPDATE practice SET name = $1")
		same(t, "at once", strings.Join(w.round(), " "), "costa@example.org neri@example.org")
		spoil("UPDATE staff SET email = $1 WHERE staff_id = '" + string(w.boss.Staff) + "'")
		w.later(2 * time.Hour)
		same(t, "managers", strings.Join(w.round(), " "), "neri@example.org")
		for n := int64(3); ; n++ { // the first two list the practices
			w.later(8 * 24 * time.Hour)
			w.mail.alarms = nil
			w.left.Store(n)
			w.fail.Store(1)
			err := w.app.AlarmRound(w.ctx)
			w.fail.Store(0)
			if err == nil {
				break
			}
			if len(w.mail.alarms) == 0 {
				t.Errorf("statement %d broken: no mail goes out at all: %v", n, err)
			}
			w.round()
		}
	})
}

type countingMail func()

func (c countingMail) SendLink(importContext, string, string, string) error { return nil }

func (c countingMail) SendAlarm(importContext, string, string, bool) error { c(); return nil }
