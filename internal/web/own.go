// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// ownView is what the practice's own clients say about an instrument's scores.
type ownView struct {
	ID, Name, Lead string
	Rows           []ownRow
	Lacks          []named // why something is not said, and of which scales
	Key            bool    // that it is a published instrument
}

// ownRow is one scale: numbers, "" for what cannot be said, and why.
type ownRow struct {
	Name, N, MeanSD, Alpha, Change string
	Published                      []string
}

// seesFigures says whether whoever asks may see figures over many clients.
func (c *call) seesFigures() bool { return care.May(c.by, care.SeeFigures) == nil }

func ownFigures(c *call) error {
	f, err := c.app().OwnFigures(c.r.Context(), c.by, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "own", c.ownModel(f))
}

func (c *call) ownModel(f app.OwnFigures) ownView {
	v := ownView{ID: f.Entry.ID, Name: f.Entry.Name.In(c.p.Lang()), Lead: c.p.T("own.nobody"), Key: f.Entry.Key != nil}
	if f.Clients > 0 {
		v.Lead = c.p.N("own.clients", f.Clients, "From", c.p.Date(c.at(f.From)), "Until", c.p.Date(c.at(f.Until)))
	}
	for _, s := range f.Scales {
		row := ownRow{Name: s.Scale.Name.In(c.p.Lang()), N: strconv.Itoa(s.Scored), MeanSD: c.meanSD(s.Mean, s.SD)}
		if !math.IsNaN(s.Alpha) {
			row.Alpha = fmt.Sprintf("%s (%s–%s)", c.p.Number(s.Alpha, 2), c.p.Number(s.Low, 2), c.p.Number(s.High, 2))
		}
		if !math.IsNaN(s.Criterion) {
			row.Change = c.p.Number(s.Criterion, 1)
		}
		if f.Entry.Key != nil {
			row.Published = c.publishedBeside(f.Entry.Key.Figures[s.Scale.ID])
		}
		v.Rows = append(v.Rows, row)
	}
	for _, lack := range app.OwnLacks() {
		var names []string
		for _, s := range f.Scales {
			if s.Lacks == lack {
				names = append(names, s.Scale.Name.In(c.p.Lang()))
			}
		}
		if len(names) > 0 {
			v.Lacks = append(v.Lacks, named{c.p.List(names), c.p.T("own.lacks."+string(lack), "Fewest", app.OwnFewest)})
		}
	}
	return v
}

func (c *call) meanSD(mean, sd float64) string {
	if math.IsNaN(mean) || math.IsNaN(sd) {
		return ""
	}
	return c.p.Number(mean, 1) + " (" + c.p.Number(sd, 1) + ")"
}

// publishedBeside are the published figures of the same sort, a line each.
func (c *call) publishedBeside(f instrument.Figures) (out []string) {
	f.Cutoffs, f.Bands = nil, nil
	for _, x := range c.figures("", f) {
		line := x.What + " " + x.Value
		if x.Sample != "" {
			line += ", " + x.Sample
		}
		if x.Check != "" {
			line += " (" + c.p.T("library.to_check") + ")"
		}
		out = append(out, line)
	}
	return out
}
