// SPDX-License-Identifier: AGPL-3.0-or-later

package app_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// TestOwnFigures: figures come from one answer of each client, the first; below
// twenty clients nothing is said; nobody else's clients are among them.
func TestOwnFigures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, boss := range []care.Actor{w.boss, w.stranger} {
			get[*instrument.Instrument](t)(w.app.PublishForm(w.ctx, boss, ownForm("sleep", 1)))
			get[care.ID](t)(w.app.RecordGrant(w.ctx, boss, app.NewGrant{Instrument: "sleep", Ground: care.OwnWork}))
		}
		ask := func(session care.ID, a, b float64) {
			visitor := w.visit(session)
			f := get[app.FormView](t)(w.app.NextForm(w.ctx, visitor))
			get[app.Receipt](t)(w.app.RecordRating(w.ctx, visitor, app.Submission{ID: care.ID(uuid.NewString()), Session: session,
				Instrument: f.Instrument.ID, Version: f.Instrument.Version, Language: "en", Answers: instrument.Answers{"a": a, "b": b}}))
		}
		answer := func(i int, a, b float64) (episode care.ID) {
			client := get[care.ID](t)(w.app.AddClient(w.ctx, w.neri, app.NewClient{Label: fmt.Sprintf("N. %d", i), AgeBand: care.Adult, Language: "en",
				Episode: app.NewEpisode{Forms: []string{"sleep"}}}))
			page := get[app.ClientView](t)(w.app.ClientPage(w.ctx, w.neri, client, ""))
			ask(get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, page.Episode.ID)), a, b)
			return page.Episode.ID
		}
		const n = 24
		var as, bs, means []float64
		var episode care.ID
		for i := range n {
			if i == app.OwnFewest-1 {
				few := get[app.OwnFigures](t)(w.app.OwnFigures(w.ctx, w.boss, "sleep"))
				if s := few.Scales[0]; few.Clients != i || s.Scored != i || s.Lacks != app.TooFew || !math.IsNaN(s.Mean) || !math.IsNaN(s.SD) || !math.IsNaN(s.Alpha) || !math.IsNaN(s.Criterion) {
					t.Errorf("of %d clients: %+v", i, few)
				}
			}
			a := float64(i % 8)
			b := min(10, a+float64(i%3))
			as, bs, means = append(as, a), append(bs, b), append(means, (a+b)/2)
			episode = answer(i, a, b)
		}
		ask(get[care.ID](t)(w.app.StartSession(w.ctx, w.neri, episode)), 10, 0) // a second answer
		got := get[app.OwnFigures](t)(w.app.OwnFigures(w.ctx, w.boss, "sleep"))
		sum := make([]float64, n)
		for i := range sum {
			sum[i] = as[i] + bs[i]
		}
		alpha := 2 * (1 - (variance(as)+variance(bs))/variance(sum)) // Cronbach (1951), two items
		sd := math.Sqrt(variance(means))
		s := got.Scales[0]
		if got.Clients != n || s.Scored != n || s.Complete != n || s.Lacks != "" {
			t.Fatalf("%+v", got)
		}
		for what, x := range map[string][2]float64{"mean": {s.Mean, mean(means)}, "SD": {s.SD, sd}, "alpha": {s.Alpha, alpha}, "change": {s.Criterion, 1.959963984540054 * math.Sqrt2 * sd * math.Sqrt(1-alpha)}} {
			if math.Abs(x[0]-x[1]) > 1e-9 {
				t.Errorf("%s is %v, not %v", what, x[0], x[1])
			}
		}
		if !(s.Low < s.Alpha && s.Alpha < s.High) {
			t.Errorf("the interval of %v is %v to %v", s.Alpha, s.Low, s.High)
		}
		if theirs := get[app.OwnFigures](t)(w.app.OwnFigures(w.ctx, w.stranger, "sleep")); theirs.Clients != 0 {
			t.Errorf("another practice sees %d clients", theirs.Clients)
		}
	})
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

func variance(x []float64) (v float64) {
	m := mean(x)
	for _, y := range x {
		v += (y - m) * (y - m) / float64(len(x)-1)
	}
	return v
}
