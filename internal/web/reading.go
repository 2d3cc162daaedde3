// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
	"strings"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/chart"
)

// besides are the scales of a measure that its picture does not show.
func besides(a app.Measure) (out []app.Reading) {
	if len(a.Readings) < 2 {
		return nil
	}
	drawn := map[instrument.Dimension]bool{}
	for _, s := range a.Client {
		drawn[instrument.Dimension(s.Dimension)] = true
	}
	for _, r := range a.Readings {
		if !drawn[r.Scale.Dimension] {
			out = append(out, r)
		}
	}
	return out
}

// scaleName names a scale in a table, with what is better where that is not what
// the measure says.
func (c *call) scaleName(a app.Measure, r app.Reading) string {
	name := r.Scale.Name.In(c.p.Lang())
	if len(a.Client) > 0 && a.Client[0].HigherIsBetter == r.Scale.HigherIsBetter {
		return name
	}
	if r.Scale.HigherIsBetter {
		return name + " (" + c.p.T("axis.higher") + ")"
	}
	return name + " (" + c.p.T("axis.lower") + ")"
}

// besideRow is the first, previous and newest score of a scale that is not drawn.
func (c *call) besideRow(a app.Measure, r app.Reading) changeRow {
	text := func(p alliance.Point) string {
		if !p.OK {
			return ""
		}
		return c.p.Number(p.Value, 1)
	}
	first, previous, now := alliance.Snapshot(r.Series)
	return changeRow{Name: c.scaleName(a, r), First: text(first), Previous: text(previous), Now: text(now)}
}

// readingLines set the newest scores beside what was published about them, a
// sentence each, and each with whether the published figure was looked up.
func (c *call) readingLines(a app.Measure) (out []string) {
	for _, r := range a.Readings {
		first, _, now := alliance.Snapshot(r.Series)
		if !now.OK {
			continue
		}
		name, value := r.Scale.Name.In(c.p.Lang()), c.figure(round(now.Value))
		add := func(m instrument.Mark, key string, kv ...any) {
			text := c.p.T(key, append(kv, "Name", name, "Value", value)...)
			if check := c.check(m); check != "" {
				text += " " + c.p.T("reading.to_check", "Why", check)
			}
			out = append(out, text)
		}
		if b, ok := r.Figures.Band(now.Value); ok {
			add(r.Figures.BandsMark, "reading.band", "Band", b.Label.In(c.p.Lang()), "Range", c.bandRange(r.Figures, b), "Note", r.Figures.BandsNote)
		}
		for _, t := range r.Figures.Cutoffs {
			key := "reading.beyond_not"
			if t.Holds(now.Value) {
				key = "reading.beyond"
			}
			add(t.Mark, key, "Cutoff", c.p.T("library.side."+string(t.Side), "Value", c.figure(t.Value)), "Label", t.Label.In(c.p.Lang()))
		}
		if first.Session == now.Session {
			continue
		}
		difference := now.Value - first.Value
		for _, x := range r.Figures.Change {
			add(x.Mark, reachedKey(x, difference, r.Scale.HigherIsBetter), "Points", c.figure(round(math.Abs(difference))), "Session", first.Session, "Change", c.figure(x.Value), "Sample", c.sampleOf(x))
		}
	}
	return out
}

// reachedKey is the sentence for a change since the first score.
func reachedKey(x instrument.Change, difference float64, higherIsBetter bool) string {
	switch {
	case !x.Reached(difference):
		return "reading.change_not"
	case (difference > 0) == higherIsBetter:
		return "reading.better"
	}
	return "reading.worse"
}

// sampleOf is the sample of a published change, with its confidence if known.
func (c *call) sampleOf(x instrument.Change) string {
	parts := []string{x.Sample}
	if x.Sample == "" {
		parts[0] = c.p.T("library.no_sample")
	}
	if x.Confidence > 0 {
		parts = append(parts, c.p.T("library.confidence", "Percent", c.figure(x.Confidence*100)))
	}
	return strings.Join(parts, ", ")
}

func (c *call) bandRange(f instrument.Figures, b instrument.Band) string {
	from := c.p.T("library.from", "Value", c.figure(b.From))
	if to, ok := f.Upto(b); ok {
		return from + " " + c.p.T("reading.below", "Value", c.figure(to))
	}
	return from
}

// cutoffs are the published thresholds of what a measure draws, for an age.
func (c *call) cutoffs(a app.Measure, age care.AgeBand) (out []chart.Threshold) {
	for _, r := range a.Readings {
		for _, s := range a.Client {
			if len(a.Readings) > 1 && alliance.Dimension(r.Scale.Dimension) != s.Dimension {
				continue
			}
			for _, t := range r.Figures.Cutoffs {
				if !t.For(instrument.AgeBand(age)) {
					continue
				}
				out = append(out, chart.Threshold{Value: t.Value, Label: t.Label.In(c.p.Lang())})
			}
		}
	}
	return out
}

// round takes away what the arithmetic of means leaves behind.
func round(v float64) float64 { return math.Round(v*100) / 100 }
