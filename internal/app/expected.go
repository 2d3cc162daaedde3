// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/outcome"
)

type expectedTx interface {
	ExpectedResponses(practice care.ID) ([]care.ExpectedResponse, error)
	PutExpectedResponse(care.ExpectedResponse) error
	EndedEpisodes(practice care.ID, lastBefore int64, limit int) ([]care.EndedEpisode, error)
}

// restsAfter is how long after its last session an episode that nobody closed is
// taken as ended.
const restsAfter = 120 * 24 * time.Hour

// mostEnded bounds how many episodes are read: the newest.
const mostEnded = 5000

// ExpectedResponse is what a practice's ended episodes say of one scale. Growth is
// nil while there are too few, or where none could be fitted: Why then says so.
type ExpectedResponse struct {
	Instrument string          `json:"-"`
	Scale      string          `json:"-"`
	MadeMillis int64           `json:"-"`
	Version    int             `json:"version"`  // of the form whose courses were taken
	Episodes   int             `json:"episodes"` // ended, with two scores or more
	Growth     *outcome.Growth `json:"growth,omitempty"`
	Why        ExpectedLack    `json:"why,omitempty"`
}

// ExpectedLack says why nothing is expected.
type ExpectedLack string

// Why there is no growth.
const (
	FewEnded   ExpectedLack = "few"
	NotSettled ExpectedLack = "not_settled"
)

// ExpectedLacks lists them.
func ExpectedLacks() []ExpectedLack { return []ExpectedLack{FewEnded, NotSettled} }

func (a *App) expected(tx Tx, practice care.ID) (out []ExpectedResponse, err error) {
	rows, err := tx.ExpectedResponses(practice)
	for _, r := range rows {
		e := ExpectedResponse{Instrument: r.Instrument, Scale: r.Scale, MadeMillis: r.MadeMillis}
		if err := json.Unmarshal(r.Body, &e); err != nil {
			return nil, fmt.Errorf("expected response of %s: %w", r.Instrument, err)
		}
		out = append(out, e)
	}
	return out, err
}

// faring judges a client's outcome measures.
func (a *App) faring(tx Tx, practice care.ID, age care.AgeBand, ms []Measure) error {
	if len(ms) == 0 {
		return nil
	}
	all, err := a.expected(tx, practice)
	if err != nil {
		return err
	}
	fit := map[string]*instrument.Instrument{} // the forms whose courses were taken
	for _, e := range all {
		if e.Growth == nil || !slices.ContainsFunc(ms, func(m Measure) bool { return m.Instrument.ID == e.Instrument }) {
			continue
		}
		if fit[e.Instrument], err = a.instrumentFor(tx, practice, e.Instrument, e.Version); err != nil {
			return err
		}
	}
	fare(ms, age, func(f *instrument.Instrument, scale string) ExpectedResponse {
		for _, e := range all {
			if e.Instrument != f.ID || e.Scale != scale {
				continue
			}
			if g := fit[f.ID]; g != nil && !instrument.SameCourse(g, f) { // another structure is another scale
				return ExpectedResponse{Why: FewEnded}
			}
			return e
		}
		return ExpectedResponse{Why: FewEnded}
	})
	return nil
}

// ExpectedResponses tells managers and researchers what was last worked out.
func (a *App) ExpectedResponses(ctx context.Context, actor care.Actor) (out []ExpectedResponse, err error) {
	if err := care.May(actor, care.SeeFigures); err != nil {
		return nil, err
	}
	err = a.read(ctx, func(tx Tx) error {
		out, err = a.expected(tx, actor.Practice)
		return err
	})
	return out, err
}

// WorkOutExpected fits the expected response of each outcome scale anew to the
// practice's ended episodes: those closed, and those without a session for four
// months; the newest 5,000 at most. It reads every answer of theirs and shows none.
// Managers only.
func (a *App) WorkOutExpected(ctx context.Context, actor care.Actor) error {
	if err := care.May(actor, care.ManageStaff); err != nil {
		return err
	}
	var made []ExpectedResponse
	err := a.read(ctx, func(tx Tx) error {
		taken, err := a.endedCourses(tx, actor.Practice)
		if err != nil {
			return err
		}
		made = nil
		for _, t := range taken {
			made = append(made, t.expected())
		}
		return nil
	})
	if err != nil {
		return err
	}
	now := a.nowMillis()
	return a.write(ctx, func(tx Tx) error {
		for _, e := range made {
			body, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("expected response of %s: %w", e.Instrument, err)
			}
			if err := tx.PutExpectedResponse(care.ExpectedResponse{Practice: actor.Practice, Instrument: e.Instrument, Scale: e.Scale, MadeMillis: now, Body: body}); err != nil {
				return err
			}
		}
		return a.audit(tx, actor, "work_out_expected", actor.Practice, "", false)
	})
}

// taken are the ended courses of one scale.
type taken struct {
	form   *instrument.Instrument
	scale  string
	scores [][]float64
}

// expected fits the courses, or says why not.
func (t taken) expected() ExpectedResponse {
	e := ExpectedResponse{Instrument: t.form.ID, Scale: t.scale, Version: t.form.Version}
	g, err := outcome.FitGrowth(t.scores)
	var few *outcome.TooFewError
	switch {
	case errors.As(err, &few):
		e.Episodes, e.Why = few.Have, FewEnded
	case err != nil:
		e.Episodes, e.Why = len(t.scores), NotSettled
	default:
		e.Episodes, e.Growth = g.Episodes, g
	}
	return e
}

// endedCourses reads the ended episodes' outcome courses, by scale. Of a form whose
// structure was changed, those of the structure that is met first, in the newest
// episode, are taken.
func (a *App) endedCourses(tx Tx, practice care.ID) ([]*taken, error) {
	ended, err := tx.EndedEpisodes(practice, a.cfg.Now().Add(-restsAfter).UnixMilli(), mostEnded)
	if err != nil {
		return nil, err
	}
	by := map[string]*taken{}
	for _, x := range ended {
		c, err := a.course(tx, care.Episode{ID: x.Episode, Practice: practice}, x.Client)
		if err != nil {
			return nil, err
		}
		for _, m := range c.pictures(instrument.Outcome) {
			r, ok := m.drawn()
			if !ok || m.Earlier {
				continue
			}
			key := m.Instrument.ID + "/" + r.Scale.ID
			if by[key] == nil {
				by[key] = &taken{form: m.Instrument, scale: r.Scale.ID}
			}
			if instrument.SameCourse(by[key].form, m.Instrument) {
				by[key].scores = append(by[key].scores, scoresOf(m.Client[0]))
			}
		}
	}
	return slices.SortedFunc(maps.Values(by), func(x, y *taken) int {
		return cmp.Or(cmp.Compare(x.form.ID, y.form.ID), cmp.Compare(x.scale, y.scale))
	}), nil
}
