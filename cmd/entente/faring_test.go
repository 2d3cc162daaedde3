// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/i18n"
	"github.com/entente-project/entente/internal/store"
)

// ended adds episodes to the invented practice that went very well and are over:
// eighteen sessions each, scored at some of them.
func (d demo) ended(t *testing.T, me care.Actor, n int) {
	t.Helper()
	form, _ := library.Get("outcome-brief")
	id := func() care.ID { return care.ID(uuid.Must(uuid.NewV7()).String()) }
	r := rand.New(rand.NewPCG(5, 38))
	long := time.Now().Add(-200 * 24 * time.Hour).UnixMilli()
	err := d.store.Write(t.Context(), func(tx *store.Tx) error {
		for range n {
			c, e := id(), id()
			if err := tx.AddClient(care.Client{ID: c, Practice: me.Practice, Label: "E.", AgeBand: care.Adult, Language: "en"}); err != nil {
				return err
			}
			if err := tx.AddEpisode(care.Episode{ID: e, Practice: me.Practice, Clients: []care.ID{c}, Orientation: "unspecified", Setting: care.Individual, OpenedOn: "2025-01-01"}); err != nil {
				return err
			}
			y := 2.5 + .8*r.NormFloat64()
			for i := range 18 {
				s := care.Session{ID: id(), Practice: me.Practice, Episode: e, AtMillis: long - int64(18-i)*7*24*3_600_000, Status: care.Held}
				if err := tx.AddSession(s); err != nil {
					return err
				}
				if i%6 != 0 && i != 17 && i != 1 {
					continue
				}
				v := y + 2.2*math.Log(float64(i+1)) + .5*r.NormFloat64()
				if _, err := tx.AddResponse(care.Response{ID: id(), Practice: me.Practice, Episode: e, Session: s.ID, Client: c, By: c, Informant: care.ByClient, Instrument: form.ID, Version: form.Version, Language: "en", AnsweredMillis: s.AtMillis,
					Content: care.Content{Scores: []care.Score{{Scale: "whole", Dimension: "whole", OK: true, Value: max(0, min(10, v))}}}}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFaringJourney: from the practice's ended episodes to a band on a client's page
// and what to look at first; then the outcome form at a rhythm, and a review.
func TestFaringJourney(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d, p, b := serveDemo(t, lang), i18n.For(lang), newBrowser(t)
			me, err := d.app.Authenticate(t.Context(), d.links.therapist)
			if err != nil {
				t.Fatal(err)
			}
			d.ended(t, me.Actor, 210)
			b.open(d.base + "/demo/" + d.links.therapist)
			says := func(where string, words ...string) {
				t.Helper()
				b.until("document.readyState === 'complete' && document.querySelector('main')")
				text := eval[string](b, "document.querySelector('main').innerText")
				for _, w := range words {
					if !strings.Contains(text, w) {
						t.Errorf("%s: no %q in %q", where, w, text)
					}
				}
			}
			b.open(d.base + "/practice/expected")
			b.click("form button.main")
			b.until("location.search == '?done=1'")
			says("worked out", "210 "+strings.Fields(p.N("expected.episodes", 210))[1])
			b.looks("expected", lang)
			client := b.client(d.base, "Anna B.")
			b.open(client)
			says("client", p.T("faring.not_on_track.word"), p.T("faring.support"), p.T("faring.support.people"))
			b.click(".fares summary")
			b.looks("client-fares", lang)
			b.open(client)
			b.click("a.button[href$='/forms']")
			b.until("location.pathname.endsWith('/forms')")
			b.put("rhythm-outcome-brief", string(care.FirstAndReview))
			b.looks("forms-rhythm", lang)
			b.click("form.sheet button.main")
			b.until("document.querySelector('.fares')")
			b.click(".top form button.main")
			b.until("document.querySelector('.resting')")
			name := outcomeName(lang)
			says("session", p.T("rhythm.resting", "Forms", name))
			b.looks("session-rhythm", lang)
			b.click(".resting button")
			b.until("document.querySelector('.resting input[value=no]')")
			says("review", p.T("rhythm.reviewed"))
			b.axe("review " + lang)
			session := care.ID(eval[string](b, "location.pathname.split('/')[2]"))
			v, err := d.app.Session(t.Context(), me.Actor, session)
			if err != nil || v.Asked.ClientForms != 2 || !v.Session.Review {
				t.Errorf("%+v, %v", v.Asked, err)
			}
		})
	}
}

func outcomeName(lang string) string {
	f, _ := library.Get("outcome-brief")
	return f.Name.In(lang)
}
