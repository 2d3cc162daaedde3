// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"testing"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestMainJob: sessions, the client's forms, a fall, prediction before reveal,
// and what the therapist then sees.
func TestMainJob(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.answerAll(w.respondent, .7, 0, "")
		for _, share := range []float64{.8, .8, .3} {
			w.now.Add((7 * 24 * time.Hour).Milliseconds())
			w.session = get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
			must(t, w.app.Reveal(w.ctx, w.neri, w.session))
			w.answerAll(w.visit(w.session), share, 0, "CANARY-words")
		}
		v := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if !v.Verdict.Asks() {
			t.Fatalf("verdict %+v", v.Verdict)
		}
		if len(v.Sessions) != 4 || len(v.Alliance) != 1 || len(v.Alliance[0].Client) != 3 || !v.Alliance[0].Separates {
			t.Fatalf("view %+v", v.Alliance)
		}
		if got := v.Alliance[0].Client[0].Points[3]; !got.OK || got.Value != 3 {
			t.Errorf("bond of the last session: %+v", got)
		}
		if len(v.Comments) != 3 || v.Comments[0].Text != "CANARY-words" || v.Comments[0].Session != 4 {
			t.Errorf("comments %+v", v.Comments)
		}
		rows := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri))
		if len(rows) != 1 || rows[0].Sessions != 4 || !rows[0].Verdict.Asks() || len(rows[0].Spark) != 4 {
			t.Errorf("caseload %+v", rows)
		}
	})
}

// TestPredictBeforeReveal: the newest answers stay hidden from the treating
// therapist, and only from them, until they have predicted or chosen to look.
func TestPredictBeforeReveal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.now.Add(time.Minute.Milliseconds())
		w.answerAll(w.respondent, .7, 2, "CANARY-words")
		v := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if v.Hidden != w.session || len(v.Comments) != 0 || len(v.Alliance) != 0 || v.Sessions[0].Tension != "" {
			t.Errorf("shown before the prediction: %+v", v)
		}
		if s := get[app.SessionView](t)(w.app.Session(w.ctx, w.neri, w.session)); !s.Asked.Hidden || s.Verdict.Kind != "" {
			t.Errorf("session view %+v", s)
		}
		if rows := get[[]app.CaseloadRow](t)(w.app.Caseload(w.ctx, w.neri)); !rows[0].Hidden || rows[0].Unread == 0 || rows[0].Verdict.Asks() {
			t.Errorf("caseload %+v", rows)
		}
		if v := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.longo, w.client, "")); v.Hidden != "" || !v.Verdict.Asks() {
			t.Errorf("the supervisor predicts nothing and sees %+v", v.Verdict)
		}
		f := get[app.FormView](t)(w.app.OwnForm(w.ctx, w.neri, w.session, instrument.Prediction))
		get[app.Receipt](t)(w.app.RecordRating(w.ctx, w.neri, filled(f, w.session, .5, 0)))
		v = get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, w.client, ""))
		if v.Hidden != "" || !v.Verdict.Asks() || len(v.Alliance[0].Predicted) != 3 {
			t.Errorf("after the prediction: hidden %q, verdict %+v", v.Hidden, v.Verdict)
		}
	})
}

// TestStartTwice: a button pressed twice starts one session; later it is another.
func TestStartTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.now.Add(justStarted)
		first := get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode))
		if again := get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode)); again != first {
			t.Error("two sessions were started")
		}
		w.now.Add(justStarted)
		if later := get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, w.episode)); later == first {
			t.Error("a later session is the same")
		}
	})
}

// TestSubmitTwice: the same submission gives the same receipt, another one for
// the same form is refused.
func TestSubmitTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := get[app.FormView](t)(w.app.NextForm(w.ctx, w.respondent))
		in := filled(f, "", .6, 0)
		results := make(chan app.Receipt, 20)
		for range cap(results) {
			go func() {
				r, err := w.app.RecordRating(w.ctx, w.respondent, in)
				if err != nil {
					t.Error(err)
				}
				results <- r
			}()
		}
		first := 0
		for range cap(results) {
			r := <-results
			if r.ID != in.ID {
				t.Errorf("receipt %+v", r)
			}
			if !r.Repeated {
				first++
			}
		}
		if first != 1 {
			t.Errorf("%d first receipts", first)
		}
		other := in
		other.ID = "0190b0e0-0000-7000-8000-000000000000"
		if _, err := w.app.RecordRating(w.ctx, w.respondent, other); care.CodeOf(err) != care.Conflict {
			t.Errorf("a second answer to the same form: %v", err)
		}
	})
}
