// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store/storetest"
	"github.com/entente-project/entente/internal/vault"
)

// unwalled is PostgreSQL that is not told whose transaction it is.
type unwalled struct{ postgresEngine }

func (unwalled) walled() bool { return false }

// side is one of the two ways that are compared.
type side struct {
	app      *app.App
	neri     care.Actor
	client   care.ID
	form     app.FormView
	sessions []care.ID
}

func newSide(b *testing.B, wall bool, sessions int) *side {
	b.Helper()
	ctx := b.Context()
	dsn := storetest.Postgres(b)
	s, err := Open(ctx, dsn, vault.Generate())
	try := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	try(err)
	b.Cleanup(func() { try(s.Close()) })
	if !wall {
		owner, done, err := s.engine.whole(dsn, nil)
		try(err)
		tx, err := owner.BeginTx(ctx, nil)
		try(err)
		tables, err := catalogue(ctx, tx)
		try(err)
		for table := range tables {
			_, err := tx.ExecContext(ctx, "ALTER TABLE "+table+" DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")
			try(err)
		}
		try(tx.Commit())
		try(done())
		s.engine = unwalled{s.engine.(postgresEngine)}
	}
	x := &side{app: app.New(s, app.Config{SetUpCode: "code"})}
	in, err := x.app.SetUpPractice(ctx, app.SetUp{Code: "code", Practice: "P", Language: "en", TimeZone: "UTC", Name: "N", Email: "n@example.org", Password: "quiet lantern over harbour"})
	try(err)
	me, err := x.app.Authenticate(ctx, in.Token)
	try(err)
	x.neri = me.Actor
	x.client, err = x.app.AddClient(ctx, x.neri, app.NewClient{Label: "C", AgeBand: care.Adult, Language: "en"})
	try(err)
	page, err := x.app.ClientPage(ctx, x.neri, x.client, "")
	try(err)
	try(s.Write(ctx, func(tx *Tx) error {
		e, err := tx.Episode(x.neri.Practice, page.Episode.ID)
		x.sessions = nil
		for i := range sessions {
			if i >= 50 && i%5 == 0 { // the first episode is that of the page
				e.ID = care.ID(uuid.Must(uuid.NewV7()).String())
				e.Clients = []care.ID{x.client}
				err = errors.Join(err, tx.AddEpisode(e))
			}
			id := care.ID(uuid.Must(uuid.NewV7()).String())
			if err = errors.Join(err, tx.AddSession(care.Session{ID: id, Practice: e.Practice, Episode: e.ID, AtMillis: int64(i), Status: care.Held})); err != nil {
				return err
			}
			x.sessions = append(x.sessions, id)
		}
		return err
	}))
	x.form, err = x.app.OwnForm(ctx, x.neri, x.sessions[0], instrument.Alliance)
	try(err)
	for range 50 {
		try(x.submit(b))
	}
	return x
}

func (x *side) submit(b *testing.B) error {
	in := app.Submission{ID: care.ID(uuid.Must(uuid.NewV7()).String()), Session: x.sessions[0], Instrument: x.form.Instrument.ID, Version: x.form.Instrument.Version, Language: "en", Answers: instrument.Answers{}}
	x.sessions = x.sessions[1:]
	for _, i := range x.form.Instrument.Items {
		in.Answers[i.ID] = i.Max
	}
	_, err := x.app.RecordRating(b.Context(), x.neri, in)
	return err
}

// BenchmarkWall does the same with and without the wall, in turn, and says how much
// longer it takes with it.
func BenchmarkWall(b *testing.B) {
	for name, do := range map[string]func(x *side) error{
		"submission": func(x *side) error { return x.submit(b) },
		"page": func(x *side) error {
			_, err := x.app.ClientPage(b.Context(), x.neri, x.client, "")
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			const turns = 300
			sides := []*side{newSide(b, true, 50+turns+50), newSide(b, false, 50+turns+50)}
			for b.Loop() {
				took := make([][]time.Duration, 2)
				for range turns {
					for i, x := range sides {
						at := time.Now()
						if err := do(x); err != nil {
							b.Fatal(err)
						}
						took[i] = append(took[i], time.Since(at))
					}
				}
				with, without := median(took[0]), median(took[1])
				b.ReportMetric(float64(with)/float64(without), "with/without")
				b.ReportMetric(float64(with.Microseconds()), "µs-with")
				b.ReportMetric(float64(without.Microseconds()), "µs-without")
			}
		})
	}
}

func median(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}
