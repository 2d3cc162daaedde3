// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/internal/vault"
)

// large is a practice of one therapist with that many clients of that many sessions
// each, answered by the client; every tenth has a comment.
func large(b testing.TB, clients, sessions int) (a *app.App, me care.Actor, newest care.ID) {
	b.Helper()
	ctx := context.Background()
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	s, err := store.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "entente.db"), vault.Generate())
	check(err)
	b.Cleanup(func() { check(s.Close()) })
	begun := time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	now := begun.UnixMilli()
	me = care.Actor{Practice: newID(), Staff: newID(), Roles: []care.Role{care.Therapist, care.Manager}, Language: "en"}
	check(s.Write(ctx, func(tx *store.Tx) error {
		if err := tx.AddPractice(care.Practice{ID: me.Practice, Name: "Large", Language: "en", TimeZone: "UTC", CreatedMillis: now}); err != nil {
			return err
		}
		return tx.AddStaff(care.Staff{ID: me.Staff, Practice: me.Practice, Name: "Me", Email: "me@example.org", Language: "en", Roles: me.Roles, PasswordHash: "x", CreatedMillis: now})
	}))
	form := app.Instruments(care.Adult)[0]
	answers := instrument.Answers{}
	for _, i := range form.Items {
		answers[i.ID] = i.Max
	}
	var scores []care.Score
	for _, x := range form.Score(answers) {
		scores = append(scores, care.Score{Scale: x.Scale, Dimension: string(x.Dimension), OK: x.OK, Value: x.Value})
	}
	for c := 0; c < clients; {
		check(s.Write(ctx, func(tx *store.Tx) error {
			for range min(clients-c, 500) {
				newest = newID()
				if err := largeClient(tx, me, newest, c, sessions, now, form, answers, scores); err != nil {
					return err
				}
				c++
			}
			return nil
		}))
	}
	return app.New(s, app.Config{Now: func() time.Time { return begun }}), me, newest
}

func largeClient(tx *store.Tx, me care.Actor, id care.ID, nth, sessions int, now int64, form *instrument.Instrument, answers instrument.Answers, scores []care.Score) error {
	if err := tx.AddClient(care.Client{ID: id, Practice: me.Practice, Label: fmt.Sprintf("Client %05d", nth), AgeBand: care.Adult, Language: "en", CreatedMillis: now}); err != nil {
		return err
	}
	e := newID()
	if err := tx.AddEpisode(care.Episode{ID: e, Practice: me.Practice, Clients: []care.ID{id}, Therapists: []care.ID{me.Staff}, Orientation: "unspecified", Setting: care.Individual, Forms: []string{form.ID}, OpenedOn: "2026-03-02", CreatedMillis: now}); err != nil {
		return err
	}
	for i := range sessions {
		at := now - int64(sessions-i)*86_400_000
		x := care.Session{ID: newID(), Practice: me.Practice, Episode: e, AtMillis: at, Status: care.Held}
		if err := tx.AddSession(x); err != nil {
			return err
		}
		said := care.Content{Answers: answers, Scores: scores}
		if i%10 == 0 {
			said.Comment = "We found a way through what was hard last week."
		}
		r := care.Response{ID: newID(), Practice: me.Practice, Episode: e, Session: x.ID, Client: id, By: id, Informant: care.ByClient, Instrument: form.ID, Version: form.Version, Language: "en", AnsweredMillis: at, Content: said}
		if _, err := tx.AddResponse(r); err != nil {
			return err
		}
	}
	_, err := tx.Touch(me.Practice, e, id)
	return err
}

// BenchmarkTodayMany: the day's page of a therapist with 10,000 clients.
func BenchmarkTodayMany(b *testing.B) {
	a, me, _ := large(b, 10_000, 1)
	begun := time.Now()
	if _, err := a.Today(b.Context(), me); err != nil { // works the standings out, once
		b.Fatal(err)
	}
	first := time.Since(begun)
	for b.Loop() {
		if _, err := a.Today(b.Context(), me); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(first.Seconds(), "s/first")
}

// BenchmarkClientPageLong: the page of a client of 5,000 sessions.
func BenchmarkClientPageLong(b *testing.B) {
	a, me, client := large(b, 1, 5_000)
	for b.Loop() {
		if _, err := a.ClientPage(b.Context(), me, client, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkClientPage50: the page of a client of 50 sessions, without its HTML.
func BenchmarkClientPage50(b *testing.B) {
	a, me, client := large(b, 1, 50)
	for b.Loop() {
		if _, err := a.ClientPage(b.Context(), me, client, ""); err != nil {
			b.Fatal(err)
		}
	}
}
