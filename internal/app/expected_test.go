// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
	"github.com/entente-project/entente/outcome"
)

const day = int64(86_400_000)

// ended adds episodes of four sessions with our outcome form, some days ago: each
// begins somewhere and gets half a point better from session to session, in truth.
func (w *world) ended(r *rand.Rand, n int, daysAgo int64, closedOn string) {
	w.t.Helper()
	form, _ := library.Get("outcome-brief")
	must(w.t, w.store.Write(w.ctx, func(tx *store.Tx) error {
		for range n {
			c, e := newID(), newID()
			if err := tx.AddClient(care.Client{ID: c, Practice: w.neri.Practice, Label: "CANARY-ended", AgeBand: care.Adult, Language: "en"}); err != nil {
				return err
			}
			if err := tx.AddEpisode(care.Episode{ID: e, Practice: w.neri.Practice, Clients: []care.ID{c}, Therapists: []care.ID{w.costa.Staff}, Orientation: "unspecified", Setting: care.Individual, Forms: []string{form.ID}, OpenedOn: "2025-01-01", ClosedOn: closedOn}); err != nil {
				return err
			}
			y := 3 + r.NormFloat64()
			for i := range 4 {
				s := care.Session{ID: newID(), Practice: w.neri.Practice, Episode: e, AtMillis: w.now.Load() - (daysAgo+int64(3-i)*7)*day, Status: care.Held}
				if err := tx.AddSession(s); err != nil {
					return err
				}
				v := y + .5*float64(i) + .6*r.NormFloat64()
				x := care.Response{ID: newID(), Practice: w.neri.Practice, Episode: e, Session: s.ID, Client: c, By: c, Informant: care.ByClient, Instrument: form.ID, Version: form.Version, Language: "en", AnsweredMillis: s.AtMillis,
					Content: care.Content{Scores: []care.Score{{Scale: "whole", Dimension: "whole", OK: true, Value: math.Max(0, math.Min(10, v))}}}}
				if _, err := tx.AddResponse(x); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// expectedOf is what was worked out of our outcome form.
func (w *world) expectedOf(actor care.Actor) (e app.ExpectedResponse) {
	w.t.Helper()
	for _, x := range get[[]app.ExpectedResponse](w.t)(w.app.ExpectedResponses(w.ctx, actor)) {
		if x.Instrument == "outcome-brief" {
			e = x
		}
	}
	return e
}

func (w *world) fares() app.Faring {
	w.t.Helper()
	for _, m := range get[app.ClientView](w.t)(w.app.ClientPage(w.ctx, w.neri, w.client, "")).Outcome {
		if m.Faring != nil {
			return *m.Faring
		}
	}
	w.t.Fatal("nothing is said of the outcome")
	return app.Faring{}
}

// TestExpected: from 200 ended episodes on a client's page has a band, and says who
// is not on track; what is still going on, and another practice's, counts for
// nothing.
func TestExpected(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		r := rand.New(rand.NewPCG(4, 4))
		w.answerAll(w.respondent, .3, 0, "")
		w.course(.3, .3)
		same(t, "at first", w.fares().Verdict.State, outcome.TooEarly)
		w.ended(r, 199, 200, "")
		w.ended(r, 5, 60, "") // may go on
		must(t, w.app.WorkOutExpected(w.ctx, w.boss))
		if e := w.expectedOf(w.boss); e.Episodes != 199 || e.Growth != nil || e.Why != app.FewEnded {
			t.Errorf("199: %+v", e)
		}
		if f := w.fares(); f.Band != nil || f.Expected.Episodes != 199 || f.Of != app.OfStated || math.Abs(f.Figures.Change-1.96*math.Sqrt2*2*math.Sqrt(.2)) > .001 {
			t.Errorf("199: %+v", f)
		}
		w.ended(r, 1, 60, "2026-01-20")
		w.now.Add(day)
		must(t, w.app.WorkOutExpected(w.ctx, w.boss))
		e := w.expectedOf(w.neri)
		if e.Episodes != 200 || e.Growth == nil || e.MadeMillis != w.now.Load() || e.Version != 1 {
			t.Fatalf("200: %+v", e)
		}
		if b := e.Growth.Expect([]float64{3}, 4, .8)[3]; math.Abs(b.Mean-4.5) > .5 || b.Lower > 4 || b.Upper < 5 {
			t.Errorf("somebody who began at 3 is expected at %+v in session 4, in truth about 4.5", b)
		}
		f := w.fares()
		if f.Verdict.State != outcome.TooEarly || f.Verdict.Track != outcome.Within || len(f.Band) != 3 || !f.Band[2].OK || !f.Next.OK || f.Next.Session != 4 {
			t.Errorf("with a band: %+v", f)
		}
		w.course(.1)
		if f := w.fares(); f.Verdict.State != outcome.NotOnTrack || f.Verdict.Track != outcome.Beyond {
			t.Errorf("a score that nobody expects: %+v", f.Verdict)
		}
		if got := get[[]app.ExpectedResponse](t)(w.app.ExpectedResponses(w.ctx, w.stranger)); len(got) != 0 {
			t.Errorf("another practice has %+v", got)
		}
		w.left.Store(1)
		before := w.digest()
		w.fail.Store(1)
		for n := int64(2); w.app.WorkOutExpected(w.ctx, w.boss) != nil && n < 1000; n++ {
			if w.digest() != before {
				t.Fatalf("statement %d failed, and something was written", n-1)
			}
			w.left.Store(n * n)
		}
		w.fail.Store(0)
		_, err := w.db.ExecContext(w.ctx, "UPDATE expected_response SET made_millis = made_millis + 1")
		must(t, err)
		if f := w.fares(); f.Band != nil || f.Expected.Growth != nil {
			t.Errorf("what was altered is used: %+v", f.Expected)
		}
	})
}

// TestFaringOfKeys: a published form is judged by its own figures, the one that was
// looked up before the others, and by its cutoff on its side.
func TestFaringOfKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.boss, worded(t, "gad-7")))
		get[care.ID](t)(w.app.RecordGrant(w.ctx, w.boss, app.NewGrant{Instrument: "gad-7", Ground: care.PublicDomain}))
		must(t, w.app.ChooseForms(w.ctx, w.neri, w.episode, []string{"gad-7", "session-client-adult"}))
		w.answerAll(w.respondent, 1, 0, "")
		w.course(0)
		f := w.fares()
		if f.Of != app.OfKey || f.Figures.Change != 4 || f.Figures.HigherIsBetter || f.Threshold == nil || f.Figures.Cutoff.Value != 8 || !f.Figures.Cutoff.Inclusive {
			t.Errorf("GAD-7: %+v", f)
		}
		if v := f.Verdict; v.State != outcome.Recovered || v.First != 21 || v.Now != 0 || v.Expected.OK {
			t.Errorf("from 21 to 0: %+v", v)
		}
		if row := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri))[0]; row.Verdict.Kind == alliance.WorthAskingNow {
			t.Errorf("the outcome is no signal of the alliance: %+v", row.Verdict)
		}
	})
}

// TestDrillWorkOut measures how long the most episodes there can be take, where
// ENTENTE_DRILL is set.
func TestDrillWorkOut(t *testing.T) {
	if os.Getenv("ENTENTE_DRILL") == "" {
		t.Skip("a long test: set ENTENTE_DRILL")
	}
	each(t, func(t *testing.T, w *world) {
		r := rand.New(rand.NewPCG(6, 6))
		for range 10 {
			w.ended(r, 500, 200, "")
		}
		begun := time.Now()
		must(t, w.app.WorkOutExpected(w.ctx, w.boss))
		took := time.Since(begun)
		if e := w.expectedOf(w.boss); e.Episodes != 5000 {
			t.Errorf("%+v", e)
		}
		t.Logf("5,000 episodes, 20,000 scores: %.1f s", took.Seconds())
		begun = time.Now()
		get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		t.Logf("a client's page: %.1f ms", float64(time.Since(begun).Microseconds())/1000)
	})
}

// TestFaringByAge: where cutoffs are published for ages, a client's is taken.
func TestFaringByAge(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		file := strings.Replace(worded(t, "ors"), "ages: [adult]", "ages: [adult, adolescent]", 1)
		get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, w.boss, file))
		get[care.ID](t)(w.app.RecordGrant(w.ctx, w.boss, app.NewGrant{Instrument: "ors", Ground: care.PublicDomain}))
		must(t, w.app.ChooseForms(w.ctx, w.neri, w.episode, []string{"ors", "session-client-adult"}))
		w.answerAll(w.respondent, .5, 0, "")
		c := get[care.Client](t)(w.app.Client(w.ctx, w.neri, w.client))
		for age, want := range map[care.AgeBand]float64{care.Adult: 25, care.Adolescent: 28} {
			c.AgeBand = age
			must(t, w.app.EditClient(w.ctx, w.neri, c))
			f := w.fares()
			if f.Figures.Cutoff == nil || f.Figures.Cutoff.Value != want || f.Figures.Cutoff.Inclusive || f.Figures.Change != 5.61 {
				t.Errorf("%s: %+v", age, f)
			}
		}
	})
}

// TestCutoffsOf: the published test vector of a ten-item scale, and no cutoff where a
// sample is missing.
func TestCutoffsOf(t *testing.T) {
	t.Parallel()
	k, _ := library.Key("core-10")
	c, ok := app.CutoffsOf(k.Figures["total"])
	if !ok || math.Abs(c.A-4.3) > 1e-9 || math.Abs(c.B-14.3) > 1e-9 || math.Abs(c.C-130.75/12.5) > 1e-9 {
		t.Errorf("%+v, %v", c, ok)
	}
	half := k.Figures["total"]
	half.Norms = half.Norms[:1]
	if c, ok := app.CutoffsOf(half); ok {
		t.Errorf("of one sample: %+v", c)
	}
}
