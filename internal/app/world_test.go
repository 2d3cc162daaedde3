// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/auth"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// engines are the two databases every test runs on.
var engines = []string{"sqlite", "postgres"}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	for _, e := range engines {
		t.Run(e, func(t *testing.T) {
			t.Parallel()
			f(t, newWorld(t, e))
		})
	}
}

// world is a practice with people in it, and a second practice beside it.
type world struct {
	t     *testing.T
	ctx   context.Context
	store *store.Store
	app   *app.App
	now   atomic.Int64

	questions map[care.ID]question // for a passkey, by staff
	fail      atomic.Int64         // the statement that fails next, counted down; 0: none
	left      atomic.Int64

	neri, costa, longo, boss care.Actor // therapist+manager, other therapist, supervisor of the episode, manager only
	stranger                 care.Actor // therapist and manager of another practice
	client, episode, session care.ID
	respondent               care.Actor
	consenter                care.Actor   // who consents for the client, by a link (see need)
	holder                   care.ID      // the same, in the records
	asked, own               app.FormView // the client's and the therapist's first form of the session
	dir                      string       // where SQLite's files are, "" for PostgreSQL
	db                       *sql.DB      // the same database, seen from outside
	mail                     *outbox
	far                      *farAway            // a provider
	inNeed, emergency        care.ID             // a second client of neri's, whom riva has opened (see need)
	pull                     care.ID             // a notice to the managers (see need)
	riva                     care.Actor          // a therapist in an emergency
	granted                  care.ID             // the newest ground for an instrument in neri's practice
	keys, version            int                 // how many of the keys have a ground; the newest version of a form
	draft                    care.ID             // a form that neri writes (see write)
	revision                 int                 // of it
	typed                    instrument.Draft    // what is in it
	erased                   care.ID             // somebody erased before (see need)
	shares                   string              // the folder of shares
	endable, over            care.ID             // episodes (see need)
	risks                    map[care.ID]care.ID // a risk signal for each who looks after it (see need)
	child, carer             care.ID             // a young client and their carer (see carerEach)
	childEpisode             care.ID             // the child's
	childSession             care.ID             // of it
	leaving                  map[care.ID]care.ID // a colleague for each manager to end (see need)
	toErase                  map[care.ID]care.ID // a client for each manager to erase (see need)
}

type outbox struct {
	tokens, notices, accounts, passwords []string
	down                                 error // what mailing a password's link gives
	alarms                               []string
	noAlarm                              error // what mailing an alarm gives
}

func (o *outbox) SendAlarm(_ context.Context, to, _ string, test bool) error {
	if o.noAlarm == nil {
		if test {
			to = "test " + to
		}
		o.alarms = append(o.alarms, to)
	}
	return o.noAlarm
}

func (o *outbox) SendPasswordLink(_ context.Context, _, _, token string) error {
	o.passwords = append(o.passwords, token)
	return o.down
}

func (o *outbox) SendAccountNotice(_ context.Context, to, _ string) error {
	o.accounts = append(o.accounts, to)
	return nil
}

func (o *outbox) SendNotice(_ context.Context, to, _ string) error {
	o.notices = append(o.notices, to)
	return nil
}

func (o *outbox) SendLink(_ context.Context, _, _, token string) error {
	o.tokens = append(o.tokens, token)
	return nil
}

const password = "quiet lantern over harbour"

// errPlanted is what a planted failure looks like.
var errPlanted = &care.Error{Code: care.Unavailable, Key: "planted"}

func newWorld(t *testing.T, engine string) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), mail: &outbox{}, far: &farAway{id: "far"}}
	w.now.Store(time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC).UnixMilli())
	w.dir = t.TempDir()
	url := "sqlite:" + filepath.Join(w.dir, "entente.db")
	if engine == "postgres" {
		w.dir = ""
		url = storetest.Postgres(t)
	}
	v := vault.Generate()
	w.shares = filepath.Join(t.TempDir(), "shares")
	v.UseShares(get[*vault.Shares](t)(vault.CreateShares(w.shares)))
	s, err := store.Open(w.ctx, url, v, store.WithHook(func(string) error {
		if w.fail.Load() == 0 {
			return nil
		}
		if w.left.Add(-1) == 0 {
			return errPlanted
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Close()) })
	w.store = s
	driver, dsn := "sqlite", strings.TrimPrefix(url, "sqlite:")
	if engine == "postgres" {
		driver, dsn = "pgx", storetest.Behind(url)
	}
	if w.db, err = sql.Open(driver, dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, w.db.Close()) })
	w.app = app.New(s, app.Config{Now: func() time.Time { return time.UnixMilli(w.now.Load()) }, Mail: w.mail, SetUpCode: "code", Providers: []app.Provider{w.far, &farAway{id: "other"}}})
	w.people()
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func (w *world) people() {
	t := w.t
	in, err := w.app.SetUpPractice(w.ctx, app.SetUp{Code: "code", Practice: "CANARY-practice", Language: "en", TimeZone: "Europe/Rome", Name: "CANARY-neri", Email: "neri@example.org", Password: password})
	must(t, err)
	w.neri = get[app.Me](t)(w.app.Authenticate(w.ctx, in.Token)).Actor
	w.costa = w.join("CANARY-costa", "costa@example.org", care.Therapist)
	w.longo = w.join("CANARY-longo", "longo@example.org", care.Supervisor)
	w.boss = w.join("CANARY-boss", "boss@example.org", care.Manager)
	w.stranger = w.otherPractice()
	w.client = get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: "CANARY-client", AgeBand: care.Adult, Language: "it", Email: "canary-client@example.org",
		Episode: app.NewEpisode{Supervisors: []care.ID{w.longo.Staff}}}))
	w.episode = get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, "")).Episode.ID
	w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
	w.respondent = w.visit(w.session)
	w.asked = get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent))
	w.own = get[app.FormView](t)(w.app.OwnForm(w.ctx, w.neri, w.session, instrument.Alliance))
}

// tables are all that hold something; throttle counts tries that failed, too.
var tables = []string{"practice", "data_key", "staff", "local_help", "expected_response", "sign_in", "staff_help", "staff_identity", "staff_passkey", "provider_flow", "staff_join", "client", "episode", "episode_client", "episode_staff", "session", "invitation", "response", "consent_rule", "consent_text", "consent_holder", "consent_record", "consent_link", "birth", "carer",
	"session_note", "conversation", "closing", "agreed", "work_report", "risk_signal", "risk_duty", "alarm_mail", "page_read", "reveal", "emergency", "emergency_notice", "erasure", "opened", "pull", "pull_notice", "audit", "audit_head", "practice_instrument", "instrument_draft", "instrument_grant", "import"}

// digest stands for every row of every table but some.
func (w *world) digest(but ...string) string {
	w.t.Helper()
	sum := sha256.New()
	for _, table := range tables {
		if slices.Contains(but, table) {
			continue
		}
		for _, line := range w.rows(table) {
			sum.Write(fmt.Appendf(nil, "%s %d ", table, len(line)))
			sum.Write([]byte(line))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// rows are the rows of a table as texts, in an order of their own.
func (w *world) rows(table string) (lines []string) {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.ctx, "SELECT * FROM "+table)
	must(w.t, err)
	defer rows.Close() //nolint:errcheck // read to its end
	columns, err := rows.Columns()
	must(w.t, err)
	for rows.Next() {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		must(w.t, rows.Scan(cells...))
		var b strings.Builder
		for _, c := range cells {
			switch v := (*c.(*any)).(type) {
			case []byte:
				b.Write(v)
			case string:
				b.WriteString(v)
			default:
				fmt.Fprint(&b, v)
			}
			b.WriteByte('|')
		}
		lines = append(lines, b.String())
	}
	must(w.t, rows.Err())
	slices.Sort(lines)
	return lines
}

func (w *world) join(name, email string, roles ...care.Role) care.Actor {
	l := get[app.Link](w.t)(w.app.AddStaff(w.ctx, w.neri, app.NewColleague{Name: name, Email: email, Language: "en", Roles: roles}))
	in := get[app.SignedIn](w.t)(w.app.Join(w.ctx, l.Token, password, ""))
	return get[app.Me](w.t)(w.app.Authenticate(w.ctx, in.Token)).Actor
}

// passwordHash is worked out once: it is meant to take long.
var passwordHash = sync.OnceValues(func() (string, error) { return auth.HashPassword(context.Background(), password) })

const testSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// code is what an authenticator app shows now.
func (w *world) code() string {
	return get[string](w.t)(totp.GenerateCode(testSecret, time.UnixMilli(w.now.Load())))
}

// otherPractice makes a second practice in the same database, as a service with
// several would have.
func (w *world) otherPractice() care.Actor {
	p := care.Practice{ID: "00000000-0000-7000-8000-00000000000b", Name: "CANARY-elsewhere", Language: "en", TimeZone: "Europe/Rome", CreatedMillis: w.now.Load()}
	s := care.Staff{ID: "00000000-0000-7000-8000-0000000000b1", Practice: p.ID, Name: "CANARY-stranger", Email: "stranger@example.org", Language: "en",
		Roles: []care.Role{care.Therapist, care.Supervisor, care.Manager, care.Researcher}, CreatedMillis: w.now.Load()}
	var err error
	s.PasswordHash, err = passwordHash()
	must(w.t, err)
	must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error {
		return errors.Join(tx.AddPractice(p), tx.AddStaff(s))
	}))
	return care.Actor{Practice: p.ID, Staff: s.ID, Roles: s.Roles, Language: "en"}
}

// visit opens a link to a session's forms as its client would.
func (w *world) visit(session care.ID) care.Actor {
	l := get[app.Link](w.t)(w.app.Invite(w.ctx, w.neri, session))
	v := get[app.Link](w.t)(w.app.OpenInvitation(w.ctx, l.Token))
	return get[care.Actor](w.t)(w.app.Respondent(w.ctx, v.Token))
}

// filled answers a form with the same share of each line, and tension.
func filled(f app.FormView, session care.ID, share float64, tension float64) app.Submission {
	s := app.Submission{ID: f.Submission, Session: session, Instrument: f.Instrument.ID, Version: f.Instrument.Version, Language: f.Language, Answers: instrument.Answers{}}
	for _, i := range f.Instrument.Items {
		v := i.Min + share*(i.Max-i.Min)
		if i.Tension {
			v = tension
		}
		s.Answers[i.ID] = float64(int(v + .5))
	}
	return s
}

// answerAll answers every form of a visit.
func (w *world) answerAll(actor care.Actor, share, tension float64, comment string) {
	for {
		f, err := w.app.NextForm(w.ctx, actor)
		var e *care.Error
		if errors.As(err, &e) && e.Key == "form.done" {
			return
		}
		must(w.t, err)
		in := filled(f, "", share, tension)
		if f.Instrument.Kind == instrument.Alliance {
			in.Comment = comment
		}
		get[app.Receipt](w.t)(w.app.RecordRating(w.ctx, actor, in))
	}
}
