// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"context"
	"slices"
	"time"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

type practiceViewTx interface {
	CoursesSince(practice care.ID, sinceMillis int64) ([]care.EpisodeClient, error)
}

// SignalFigures say what comes of signals in a practice as a whole, over the year
// that has passed. Nothing in them is about one client or one member of staff.
type SignalFigures struct {
	Clients, Rated int // whose courses were looked at, and their rated sessions
	Signals        int // sessions that were worth asking about, each by what was known then
	Answered       int // of which somebody noted what came of them
	Choices        map[care.SignalChoice]int
	Days           []float64 // from the rating to that note, in order
	Followed       int       // falls after which three sessions were rated, or that came back before
	Back           int       // of them
}

// TooFew says that there are too few clients for any figure to be shown.
func (f SignalFigures) TooFew() bool { return f.Clients < OwnFewest }

// figuresOver is how far back the figures go.
const figuresOver = 365 * 24 * time.Hour

// SignalFigures works them out, each course judged session by session with what was
// known at the time. Managers and researchers. With too few clients it says nothing
// but how many there are.
func (a *App) SignalFigures(ctx context.Context, actor care.Actor) (f SignalFigures, err error) {
	if err := care.May(actor, care.SeeFigures); err != nil {
		return f, err
	}
	since := a.cfg.Now().Add(-figuresOver).UnixMilli()
	err = a.read(ctx, func(tx Tx) error {
		f = SignalFigures{Choices: map[care.SignalChoice]int{}}
		all, err := tx.CoursesSince(actor.Practice, since)
		if err != nil {
			return err
		}
		clients := map[care.ID]bool{}
		for _, x := range all {
			clients[x.Client] = true
		}
		if f.Clients = len(clients); f.TooFew() {
			return nil
		}
		for _, x := range all {
			if err := a.countSignals(tx, &f, actor.Practice, x, since); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		tx.Damaged() // what does not open is in no figure
		return nil
	})
	slices.Sort(f.Days)
	if err != nil {
		return f, err
	}
	return f, a.noteRead(ctx, actor, "read_figures", "", "")
}

func (a *App) countSignals(tx Tx, f *SignalFigures, practice care.ID, of care.EpisodeClient, since int64) error {
	e, err := tx.Episode(practice, of.Episode)
	if err != nil {
		return err
	}
	c, err := a.course(tx, e, of.Client)
	if err != nil {
		return err
	}
	said, err := tx.Conversations(practice, e.ID, of.Client)
	if err != nil {
		return err
	}
	drawn := c.pictures(instrument.Alliance)
	for n, s := range c.sessions {
		rated := c.ratedAt(s.ID)
		if rated == 0 || s.AtMillis < since {
			continue
		}
		f.Rated++
		v := c.until(n + 1).judge()
		if !v.Asks() || v.Session != s.Number {
			continue
		}
		f.Signals++
		if i := slices.IndexFunc(said, func(x care.Conversation) bool { return x.Session == s.ID }); i >= 0 {
			f.Answered++
			f.Choices[said[i].Content.Choice]++
			f.Days = append(f.Days, max(0, float64(said[i].AtMillis-rated)/float64((24*time.Hour).Milliseconds())))
		}
		for _, r := range v.Reasons {
			if r.Code != alliance.Fell || r.Informant != alliance.Client {
				continue
			}
			if went, waited := sinceThen(drawn, r); waited || went.Back {
				f.Followed++
				if went.Back {
					f.Back++
				}
			}
		}
	}
	return nil
}

// ratedAt is when the client answered about a session, 0 if they did not.
func (c course) ratedAt(session care.ID) (at int64) {
	for _, r := range c.responses {
		if r.Session == session && r.Informant == care.ByClient {
			at = max(at, r.AnsweredMillis)
		}
	}
	return at
}

// until is the course as it was after its first n sessions.
func (c course) until(n int) course {
	c.sessions = c.sessions[:n]
	known := map[care.ID]bool{}
	for _, s := range c.sessions {
		known[s.ID] = true
	}
	c.responses = slices.DeleteFunc(slices.Clone(c.responses), func(r care.Response) bool { return !known[r.Session] })
	return c
}
