// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/store"
)

// TestSignalFigures: with few clients nothing is told; with enough, every signal is
// counted as it stood then, by what came of it, and how often a fall came back.
func TestSignalFigures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		figures := func() app.SignalFigures { return get[app.SignalFigures](t)(w.app.SignalFigures(w.ctx, w.boss)) }
		w.answerAll(w.respondent, .8, 0, "")
		w.course(.8, .8, .3)
		if f := figures(); !f.TooFew() || f.Rated+f.Signals != 0 {
			t.Errorf("of one client: %+v", f)
		}
		must(t, w.store.Write(w.ctx, func(tx *store.Tx) error {
			for i := range app.OwnFewest - 1 { // who had a session and rated nothing
				c := care.Client{ID: care.ID(uuid.NewString()), Practice: w.neri.Practice, Label: fmt.Sprint(i), AgeBand: care.Adult, Language: "en"}
				e := care.Episode{ID: care.ID(uuid.NewString()), Practice: w.neri.Practice, Clients: []care.ID{c.ID}, Therapists: []care.ID{w.neri.Staff}, Orientation: "other", Setting: care.Individual, OpenedOn: "2026-01-01"}
				s := care.Session{ID: care.ID(uuid.NewString()), Practice: w.neri.Practice, Episode: e.ID, AtMillis: w.now.Load(), Status: care.Held}
				k := care.Standing{Practice: w.neri.Practice, Episode: e.ID, Client: c.ID, LastMillis: w.now.Load(), Body: []byte("{}")}
				if err := errors.Join(tx.AddClient(c), tx.AddEpisode(e), tx.AddSession(s), tx.PutStanding(k)); err != nil {
					return err
				}
			}
			return nil
		}))
		f := figures()
		if f.TooFew() || f.Clients != app.OwnFewest || f.Rated != 4 || f.Signals != 1 || f.Answered != 0 || f.Followed != 0 {
			t.Fatalf("%+v", f)
		}
		w.now.Add(12 * 60 * 60 * 1000)
		must(t, w.app.AnswerSignal(w.ctx, w.neri, w.session, care.ConversationContent{Choice: care.Talked}))
		w.course(.5, .8)
		f = figures()
		if f.Rated != 6 || f.Signals < 1 || f.Answered != 1 || f.Choices[care.Talked] != 1 || len(f.Days) != 1 || f.Days[0] != .5 || f.Followed == 0 || f.Back != f.Followed {
			t.Fatalf("%+v", f)
		}
		w.now.Add(400 * 24 * 60 * 60 * 1000)
		if f := figures(); !f.TooFew() {
			t.Errorf("of long ago: %+v", f)
		}
	})
}
