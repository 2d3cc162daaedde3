// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
	"net/http"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/chart"
	"github.com/entente-project/entente/outcome"
)

// faringView is one sentence on how somebody fares, in the shape of a verdict, with
// what could be looked at first where it asks for that.
type faringView struct {
	State, Word, Text string
	Lines             []string // sudden gains and losses, what is expected next
	How               []string // the rule, one tap away
	Support           bool
	Episode           care.ID // whose forms can be chosen, "" if this reader cannot
}

func (c *call) faring(v app.ClientView, a app.Measure) *faringView {
	if a.Faring == nil || a.Faring.Verdict.Scored == 0 {
		return nil
	}
	f := *a.Faring
	one := func(x float64) string { return c.p.Number(x, 1) }
	s := f.Verdict
	suffix := ""
	if f.Of == app.OfStated && (s.State == outcome.Worse || s.State == outcome.Improved || s.State == outcome.Recovered) {
		suffix = ".stated" // nobody measured the error of this form
	}
	out := &faringView{State: "little", Word: c.p.T("faring." + string(s.State) + ".word" + suffix), Support: s.Support()}
	switch s.State {
	case outcome.Worse, outcome.NotOnTrack:
		out.State = "warm"
	case outcome.Improved, outcome.Recovered:
		out.State = "calm"
	}
	if v.CanAsk {
		out.Episode = v.Episode.ID
	}
	kv := []any{"Change", one(f.Figures.Change), "From", one(s.First), "To", one(s.Now), "First", s.FirstAt, "Last", s.NowAt, "Low", one(max(a.Min, s.Expected.Lower)), "High", one(min(a.Max, s.Expected.Upper))}
	text := "faring." + string(s.State) + ".text" + suffix
	if s.State == outcome.TooEarly && s.Scored == 1 {
		text = "faring.once"
	}
	out.Text = c.p.T(text, kv...)
	for _, x := range s.Sudden {
		key := "faring.gain"
		if x.Loss {
			key = "faring.loss"
		}
		out.Lines = append(out.Lines, c.p.T(key, "From", x.From, "To", x.To, "Points", one(x.Points), "Back", x.Reversed))
	}
	if f.Next.OK {
		out.Lines = append(out.Lines, c.p.T("faring.next", "Low", one(max(a.Min, f.Next.Lower)), "High", one(min(a.Max, f.Next.Upper))))
	}
	out.How = c.faringRule(a, f)
	return out
}

// faringRule says by what it is judged, and what that rests on.
func (c *call) faringRule(a app.Measure, f app.Faring) (out []string) {
	change := c.figure(round(f.Figures.Change))
	switch f.Of {
	case app.OfKey:
		text := c.p.T("faring.change.published", "Change", change, "Sample", c.sampleOf(f.Change))
		if check := c.check(f.Change.Mark); check != "" {
			text += " " + c.p.T("reading.to_check", "Why", check)
		}
		out = append(out, text)
	default:
		out = append(out, c.p.T("faring.change."+string(f.Of), "Change", change))
	}
	if t := f.Threshold; t != nil {
		text := c.p.T("faring.cutoff", "Cutoff", c.p.T("library.side."+string(t.Side), "Value", c.figure(t.Value)), "Label", t.Label.In(c.p.Lang()))
		if check := c.check(t.Mark); check != "" {
			text += " " + c.p.T("reading.to_check", "Why", check)
		}
		out = append(out, text)
	} else if f.Figures.Cutoff != nil {
		out = append(out, c.p.T("faring.cutoff.value", "Cutoff", c.figure(round(f.Figures.Cutoff.Value))))
	} else {
		out = append(out, c.p.T("faring.no_cutoff"))
	}
	if n := f.Norms; n != nil {
		out = append(out, c.p.T("faring.norms", "A", c.figure(round(n.A)), "B", c.figure(round(n.B)), "C", c.figure(round(n.C))))
	}
	switch g := f.Expected.Growth; {
	case g == nil && f.Expected.Why == app.NotSettled:
		out = append(out, c.p.T("faring.band.not_settled", "N", f.Expected.Episodes))
	case g == nil:
		out = append(out, c.p.T("faring.band.few", "N", f.Expected.Episodes, "Need", outcome.FewestEpisodes))
	default:
		text := c.p.T("faring.band", "N", g.Episodes, "Scores", g.Scores, "Date", c.p.Date(c.at(f.Expected.MadeMillis)), "Until", g.Until)
		if first := f.Verdict.First; first < g.Low || first > g.High {
			text += " " + c.p.T("faring.band.far", "Low", c.p.Number(g.Low, 1), "High", c.p.Number(g.High, 1))
		}
		out = append(out, text)
	}
	if len(f.Verdict.Sudden) > 0 {
		out = append(out, c.p.T("faring.sudden"))
	}
	return append(out, c.p.T("faring.source"))
}

// drawFaring adds the band, the lines of reliable change and the sudden gains to a
// picture of the outcome.
func (c *call) drawFaring(p *chart.Course, a app.Measure) {
	if a.Faring == nil {
		return
	}
	f := *a.Faring
	if f.Verdict.Scored > 1 {
		suffix := ""
		if f.Of == app.OfStated {
			suffix = ".stated"
		}
		better, worse, ok := f.Figures.Limits(f.Verdict.First)
		for _, l := range []chart.Threshold{{Value: better, Label: c.p.T("faring.line.better" + suffix)}, {Value: worse, Label: c.p.T("faring.line.worse" + suffix)}} {
			if ok && l.Value >= a.Min && l.Value <= a.Max {
				p.Thresholds = append(p.Thresholds, l)
			}
		}
	}
	for _, x := range f.Verdict.Sudden {
		key := "faring.mark.gain"
		if x.Loss {
			key = "faring.mark.loss"
		}
		p.Notes = append(p.Notes, chart.Note{Index: x.To - 1, Text: c.p.T(key)})
	}
	area := chart.Area{Label: c.p.T("faring.area")}
	some := false
	for _, e := range f.Band {
		low, high := math.NaN(), math.NaN()
		if e.OK {
			low, high, some = e.Lower, e.Upper, true
		}
		area.Lower, area.Upper = append(area.Lower, low), append(area.Upper, high)
	}
	if some {
		p.Area = &area
		p.Description += " " + c.p.T("faring.area")
	}
}

// expectedView is what the practice's ended episodes say.
type expectedView struct {
	Rows    []expectedRow
	Need    int
	CanWork bool
	Done    bool
}

// expectedRow is one outcome scale: how much growth there is for somebody who begins
// at the middle, after five, ten and all sessions.
type expectedRow struct {
	Name, Made string
	Episodes   int
	Text       string
	Points     []string
}

func (c *call) expectedView() (v expectedView, err error) {
	all, err := c.app().ExpectedResponses(c.r.Context(), c.by)
	if err != nil {
		return v, err
	}
	v.Need, v.CanWork = outcome.FewestEpisodes, care.May(c.by, care.ManageStaff) == nil
	for _, e := range all {
		entry, err := c.app().LibraryInstrument(c.r.Context(), c.by, e.Instrument)
		if care.CodeOf(err) == care.NotFound { // a form from an import alone
			entry = app.LibraryEntry{Name: instrument.Text{c.p.Lang(): e.Instrument}}
		} else if err != nil {
			return v, err
		}
		v.Rows = append(v.Rows, c.expectedRow(entry, e))
	}
	return v, nil
}

func (c *call) expectedRow(entry app.LibraryEntry, e app.ExpectedResponse) expectedRow {
	r := expectedRow{Name: entry.Name.In(c.p.Lang()), Made: c.p.Date(c.at(e.MadeMillis)), Episodes: e.Episodes}
	if form := entry.Form(); form != nil {
		if s, ok := form.Scale(e.Scale); ok && len(form.Scales) > 1 {
			r.Name += " · " + s.Name.In(c.p.Lang())
		}
	}
	g := e.Growth
	if g == nil {
		r.Text = c.p.T("expected.lack." + string(e.Why))
		return r
	}
	bands := g.Expect([]float64{g.Centre}, g.Until, outcome.Level)
	seen := map[int]bool{}
	for _, t := range []int{5, 10, g.Until} {
		if t <= g.Until && !seen[t] && bands[t-1].OK {
			seen[t] = true
			b := bands[t-1]
			r.Points = append(r.Points, c.p.T("expected.point", "Session", t, "First", c.p.Number(g.Centre, 1), "Mean", c.p.Number(b.Mean, 1), "Low", c.p.Number(b.Lower, 1), "High", c.p.Number(b.Upper, 1)))
		}
	}
	return r
}

func expectedPage(c *call) error {
	v, err := c.expectedView()
	if err != nil {
		return err
	}
	v.Done = c.r.URL.Query().Get("done") != ""
	return c.render(http.StatusOK, "expected", v)
}

func workOutExpected(c *call) error {
	if err := c.app().WorkOutExpected(c.r.Context(), c.by); err != nil {
		return err
	}
	return c.redirect("/practice/expected?done=1")
}
