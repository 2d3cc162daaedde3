// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// bench is one open store, and the same database seen from outside.
type bench struct {
	t      *testing.T
	ctx    context.Context
	engine string
	url    string
	vault  *vault.Vault
	s      *Store
	raw    *sql.DB
}

// each runs f on an empty database of either engine.
func each(t *testing.T, f func(t *testing.T, b *bench)) {
	t.Helper()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f(t, newBench(t, engine))
		})
	}
}

func newBench(t *testing.T, engine string) *bench {
	t.Helper()
	b := &bench{t: t, ctx: t.Context(), engine: engine, vault: vault.Generate()}
	driver, dsn := "pgx", ""
	if engine == "sqlite" {
		path := filepath.Join(t.TempDir(), "entente.db")
		// The outsider's own commits need not outlive a crash, and are many.
		driver, dsn, b.url = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)", "sqlite:"+path
	} else {
		b.url = storetest.Postgres(t)
		dsn = storetest.Behind(b.url)
	}
	b.s = b.open()
	t.Cleanup(func() { must(t, b.s.Close()) })
	raw, err := sql.Open(driver, dsn)
	must(t, err)
	t.Cleanup(func() { must(t, raw.Close()) })
	b.raw = raw
	return b
}

func (b *bench) open() *Store {
	b.t.Helper()
	s, err := Open(b.ctx, b.url, b.vault)
	must(b.t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write and read must not end the test inside the transaction: SQLite's runs on
// the writer's own goroutine.
func (b *bench) write(f func(*Tx) error) {
	b.t.Helper()
	must(b.t, b.s.Write(b.ctx, f))
}

func read[T any](b *bench, f func(*Tx) (T, error)) T {
	b.t.Helper()
	v, err := tryRead(b, f)
	must(b.t, err)
	return v
}

func tryRead[T any](b *bench, f func(*Tx) (T, error)) (v T, err error) {
	err = b.s.Read(b.ctx, func(tx *Tx) (err error) {
		v, err = f(tx)
		return err
	})
	return v, err
}

// sql runs a statement behind the store's back.
func (b *bench) sql(query string, args ...any) {
	b.t.Helper()
	_, err := b.raw.ExecContext(b.ctx, query, args...)
	must(b.t, err)
}

func (b *bench) bytes(query string, args ...any) (v []byte) {
	b.t.Helper()
	must(b.t, b.raw.QueryRowContext(b.ctx, query, args...).Scan(&v))
	return v
}

func (b *bench) count(query string, args ...any) (n int) {
	b.t.Helper()
	must(b.t, b.raw.QueryRowContext(b.ctx, query, args...).Scan(&n))
	return n
}

// rows gives every row of a table as one text, each cell as it rests.
func (b *bench) rows(table string) (out []string) {
	b.t.Helper()
	rows, err := b.raw.QueryContext(b.ctx, "SELECT * FROM "+table)
	must(b.t, err)
	defer func() { must(b.t, errors.Join(rows.Err(), rows.Close())) }()
	columns, err := rows.Columns()
	must(b.t, err)
	for rows.Next() {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		must(b.t, rows.Scan(cells...))
		var line strings.Builder
		for _, c := range cells {
			if raw, ok := (*c.(*any)).([]byte); ok {
				line.Write(raw)
			} else {
				fmt.Fprint(&line, *c.(*any))
			}
			line.WriteByte('|')
		}
		out = append(out, line.String())
	}
	return out
}

// The people of every test, in two practices.
var (
	here      = care.Practice{ID: "0190-practice-1", Name: "CANARY-practice è 漢", Language: "it", TimeZone: "Europe/Rome", CreatedMillis: 10}
	elsewhere = care.Practice{ID: "0190-practice-2", Name: "CANARY-elsewhere", Language: "en", TimeZone: "UTC", CreatedMillis: 20}
	neri      = care.Staff{ID: "0190-staff-1", Practice: here.ID, Name: "CANARY-neri", Email: "CANARY.Neri@example.org", Language: "it",
		Roles: []care.Role{care.Therapist, care.Manager}, PasswordHash: "hash", CreatedMillis: 11}
	longo = care.Staff{ID: "0190-staff-2", Practice: here.ID, Name: "CANARY-longo", Email: "longo@example.org", Language: "en",
		Roles: []care.Role{care.Supervisor}, CreatedMillis: 12}
	anna = care.Client{ID: "0190-client-1", Practice: here.ID, Label: "CANARY-anna 🙂", AgeBand: care.Adult, Language: "it",
		Email: "CANARY-anna@example.org", Reference: "CANARY-ref", CreatedMillis: 13}
	bruno   = care.Client{ID: "0190-client-2", Practice: here.ID, Label: "CANARY-bruno", AgeBand: care.Child, Language: "en", CreatedMillis: 14}
	therapy = care.Episode{ID: "0190-episode-1", Practice: here.ID, Clients: []care.ID{anna.ID, bruno.ID}, Therapists: []care.ID{neri.ID}, Supervisors: []care.ID{longo.ID},
		Orientation: "systemic", Setting: care.Couple, Forms: []string{"one", "two"}, OpenedOn: "2026-01-02", CreatedMillis: 15}
	first  = care.Session{ID: "0190-session-1", Practice: here.ID, Episode: therapy.ID, AtMillis: 100, Status: care.Held}
	second = care.Session{ID: "0190-session-2", Practice: here.ID, Episode: therapy.ID, AtMillis: 200, Status: care.Held}
)

// settle stores the people and two sessions.
func (b *bench) settle() {
	b.t.Helper()
	b.write(func(tx *Tx) error { return tx.AddPractice(elsewhere) })
	b.write(func(tx *Tx) error {
		return errors.Join(tx.AddPractice(here), tx.AddStaff(neri), tx.AddStaff(longo),
			tx.AddClient(anna), tx.AddClient(bruno), tx.AddEpisode(therapy), tx.AddSession(first), tx.AddSession(second))
	})
}

// answer is what anna said about a session.
func answer(id care.ID, s care.Session) care.Response {
	return care.Response{ID: id, Practice: here.ID, Episode: s.Episode, Session: s.ID, Client: anna.ID, By: anna.ID, Informant: care.ByClient,
		Instrument: "one", Version: 3, Language: "it", AnsweredMillis: s.AtMillis + 5, Import: "0190-import-1",
		Content: care.Content{Answers: map[string]float64{"bond1": 4, "bond2": .5}, Comment: "CANARY-comment",
			Scores: []care.Score{{Scale: "bond", Dimension: "bond", Value: 4.25, OK: true}, {Scale: "goal", Dimension: "goal"}}}}
}

func (b *bench) responses() ([]care.Response, error) {
	return tryRead(b, func(tx *Tx) ([]care.Response, error) { return tx.Responses(here.ID, therapy.ID, anna.ID) })
}
