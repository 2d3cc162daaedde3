// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

// Reading is one scale of a form over a course, with what was published about its
// scores: the figures are empty for a form that was not.
type Reading struct {
	Scale   instrument.Scale
	Series  alliance.Series
	Figures instrument.Figures
}

// pictures are the measures of a kind with every scale of theirs. A form that has
// neither dimensions nor a whole has one for each scale: such scales may differ in
// range, and in what is better.
func (c course) pictures(kind instrument.Kind) (out []Measure) {
	for _, m := range c.measures(kind) {
		m.Readings = c.readings(m.Instrument, m.By)
		if len(m.Client) > 0 {
			out = append(out, m)
			continue
		}
		for _, r := range m.Readings {
			out = append(out, Measure{Instrument: m.Instrument, By: m.By, Earlier: m.Earlier, Min: r.Scale.Min, Max: r.Scale.Max, Client: []alliance.Series{r.Series}, Readings: []Reading{r}})
		}
	}
	return out
}

// readings are the scales of a form that a client or carer answered. The whole
// stands first: the other scales are parts of it.
func (c course) readings(f *instrument.Instrument, by care.ID) (out []Reading) {
	key, published := library.Key(f.ID)
	for _, scale := range f.Scales {
		r := Reading{Scale: scale, Series: c.series(scale, alliance.Informant(f.Informant), c.ofRater(f, by))}
		if published {
			r.Figures = key.Figures[scale.ID]
		}
		if scale.Dimension == instrument.Whole {
			out = append([]Reading{r}, out...)
			continue
		}
		out = append(out, r)
	}
	return out
}
