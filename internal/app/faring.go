// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"math"
	"slices"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/outcome"
	"github.com/entente-project/entente/stats/psych"
)

// FigureOf says where the smallest reliable change of a scale comes from.
type FigureOf string

// The origins, the best first.
const (
	OfKey    FigureOf = "published" // the instrument's key
	OfForm   FigureOf = "form"      // reliability and SD that the form names
	OfStated FigureOf = "stated"    // outcome.StatedChange: nothing is known
)

// FiguresOf lists them.
func FiguresOf() []FigureOf { return []FigureOf{OfKey, OfForm, OfStated} }

// Faring is how somebody fares by one scale of an outcome form, and what that
// rests on.
type Faring struct {
	Verdict   outcome.Verdict
	Figures   outcome.Figures
	Of        FigureOf
	Change    instrument.Change     // as published, where Of is OfKey
	Threshold *instrument.Threshold // the published cutoff that Figures holds, nil without one
	Norms     *psych.Cutoffs        // by the published norms of people in and out of therapy, nil without both
	Expected  ExpectedResponse      // what the practice's closed episodes say
	Band      []outcome.Expectation // by session, from the first score alone; nil: none is told
	Next      outcome.Expectation   // of the next session, from the course so far
}

// changeLevel is the confidence of a reliable change that is worked out here.
const changeLevel = .95

// figuresOf gathers what is known of a scale, for somebody of an age.
func figuresOf(r Reading, age care.AgeBand) (f Faring) {
	s := r.Scale
	f.Figures.HigherIsBetter = s.HigherIsBetter
	published := r.Figures.Change
	if i := slices.IndexFunc(published, func(x instrument.Change) bool { return x.Mark.Checked() }); i > 0 {
		published = published[i:]
	}
	switch {
	case len(published) > 0:
		f.Of, f.Change, f.Figures.Change = OfKey, published[0], published[0].Value
	default:
		f.Of, f.Figures.Change = OfStated, outcome.StatedChange(s.Min, s.Max)
		if s.Reliability != nil {
			if c, err := psych.NewReliableChange(s.Reliability.SD, s.Reliability.Value); err == nil {
				f.Of, f.Figures.Change = OfForm, c.Criterion(changeLevel)
			}
		}
	}
	if c, ok := CutoffsOf(r.Figures); ok {
		f.Norms = &c
	}
	for _, t := range r.Figures.Cutoffs {
		if t.For(instrument.AgeBand(age)) && (t.Side == instrument.AtLeast) != s.HigherIsBetter { // of several the first: the others part degrees
			f.Threshold, f.Figures.Cutoff = &t, &outcome.Cutoff{Value: t.Value, Inclusive: t.Side != instrument.Below}
			return f
		}
	}
	switch {
	case s.Cutoff != nil:
		f.Figures.Cutoff = &outcome.Cutoff{Value: s.Cutoff.Value, Inclusive: true}
	case f.Norms != nil:
		f.Figures.Cutoff = &outcome.Cutoff{Value: f.Norms.C, Inclusive: true}
	}
	return f
}

// CutoffsOf works out the three cutoffs of Jacobson and Truax (1991, p. 13) from the
// published norms of the samples "clinical" and "general population"; false where a
// key does not have both.
func CutoffsOf(f instrument.Figures) (psych.Cutoffs, bool) {
	var n psych.Norms
	for _, x := range f.Norms {
		switch x.Sample {
		case "clinical":
			n.ClinicalMean, n.ClinicalSD = x.Mean, x.SD
		case "general population":
			n.GeneralMean, n.GeneralSD = x.Mean, x.SD
		}
	}
	c, err := n.Cutoffs() // refuses what is missing: a standard deviation of nought
	return c, err == nil
}

// drawn is the reading whose series a measure draws, if that is one scale.
func (m Measure) drawn() (Reading, bool) {
	if len(m.Client) != 1 {
		return Reading{}, false
	}
	for _, r := range m.Readings {
		if len(m.Readings) == 1 || r.Scale.Dimension == instrument.Whole {
			return r, true
		}
	}
	return Reading{}, false
}

// scoresOf are a series' values by session, NaN where there is none.
func scoresOf(s alliance.Series) []float64 {
	out := make([]float64, len(s.Points))
	for i, p := range s.Points {
		out[i] = math.NaN()
		if p.OK {
			out[i] = p.Value
		}
	}
	return out
}

// fare judges each outcome measure that goes on and has one series.
func fare(ms []Measure, age care.AgeBand, expected func(*instrument.Instrument, string) ExpectedResponse) {
	for i := range ms {
		r, ok := ms[i].drawn()
		if !ok || ms[i].Earlier {
			continue
		}
		f := figuresOf(r, age)
		f.Expected = expected(ms[i].Instrument, r.Scale.ID)
		scores := scoresOf(ms[i].Client[0])
		g := f.Expected.Growth
		f.Verdict = f.Figures.Judge(scores, g)
		if g != nil {
			f.Band = g.Band(scores, len(scores), outcome.Level)
			f.Next = g.Expect(scores, len(scores)+1, outcome.Level)[len(scores)]
		}
		ms[i].Faring = &f
	}
}
