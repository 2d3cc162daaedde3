// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strings"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/chart"
)

// clientModel is a client's page: sentence, picture, numbers, words.
type clientModel struct {
	app.ClientView
	Meta         string
	Verdict      verdictView
	Measures     []measureModel
	Comments     []commentLine
	SaidLines    []saidView
	Answer       care.ID // the session whose signal can be answered now, "" if none
	Strain       care.ID // the newest session, of which a strain can be noted where no signal is; "" if none
	Points       []pointModel
	Ends         []closingLine
	Work         []workView // what is open: goals, then tasks
	RiskOpen     []riskLine // that nobody has taken up
	RiskSeen     []riskLine
	Planned      []plannedModel
	HiddenNo     int
	DamagedLines []string
	Unrated      int         // the newest session, if the client has not rated it; 0 otherwise
	At           string      // day and time of a session to plan, as typed
	Again        *clientForm // for opening a further episode
	Print        string      // the day, for the printed page
	All          bool        // every session was asked for
	Beyond       int         // how many sessions there are, if only the newest are listed
	Held         string      // that this is read by an emergency access, "" if it is the reader's own
}

// measureModel is one form's pictures and tables.
type measureModel struct {
	app.Measure
	Name, Axis   string
	Wide, Narrow template.HTML
	Change       []changeRow
	GapLine      string
	Raters       []string // how client and therapist lie to each other, by dimension
	Columns      []string
	Rows         []tableRow
	Outcome      bool
	Fares        *faringView // nil: nothing is to be said of how somebody fares by it
	Readings     []string    // the newest scores beside what was published about them
}

// changeRow is first, previous, now, and the therapist's two numbers beside it.
type changeRow struct {
	Name                                      string
	First, Previous, Now, Therapist, Foretold string
	Gap                                       string
	Fell                                      bool
}

type tableRow struct {
	Number int
	Date   string
	Cells  []string // "" where not rated
}

type commentLine struct {
	app.Comment
	Day string
}

type pointModel struct {
	app.SessionPoint
	Day string
}

type plannedModel struct {
	care.Session
	Day string
}

func clientPage(c *call) error {
	v, err := c.app().ClientPage(c.r.Context(), c.by, c.id(), care.ID(c.r.URL.Query().Get("episode")))
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "client", c.newest(c.clientModel(v)))
}

func (c *call) clientModel(v app.ClientView) clientModel {
	m := clientModel{ClientView: v, Print: c.p.Date(c.today())}
	if v.Emergency > 0 {
		m.Held = c.p.T("emergency.held", "Until", c.p.DateTime(c.at(v.Emergency)))
	}
	for _, d := range v.Damaged {
		m.DamagedLines = append(m.DamagedLines, c.damagedLine(d))
	}
	last := 0
	dates, since := map[int]string{}, map[int]string{}
	for _, s := range v.Sessions {
		dates[s.Session.Number], since[s.Session.Number] = c.day(s.Session.AtMillis), c.since(s.Session.AtMillis)
		last, m.Unrated = s.Session.Number, 0
		if s.Asked.ClientDone == 0 && v.Verdict.Session > 0 && v.Verdict.Session < last {
			m.Unrated = last
		}
		if s.Session.ID == v.Hidden {
			m.HiddenNo = s.Session.Number
		}
	}
	m.Points = newestFirst(v.Sessions, func(s app.SessionPoint) pointModel { return pointModel{s, dates[s.Session.Number]} })
	for _, s := range v.Planned {
		m.Planned = append(m.Planned, plannedModel{s, c.p.DateTime(c.at(s.AtMillis))})
	}
	parts := []string{c.p.T("age." + string(v.Client.AgeBand)), c.p.T("setting." + string(v.Episode.Setting)), c.p.N("client.sessions", last)}
	if last > 0 {
		parts = append(parts, c.p.T("client.since", "Date", c.p.Date(c.at(v.Sessions[0].Session.AtMillis))))
	}
	m.Meta = strings.Join(append(parts, c.p.List(whoAll(c.p, v.Therapists))), " · ")
	m.Verdict = verdictWords(c.p, v.Verdict, func(n int) string { return since[n] })
	for i, a := range v.Alliance {
		m.Measures = append(m.Measures, c.measureModel(v, a, fmt.Sprintf("alliance%d", i)))
	}
	for i, o := range v.Outcome {
		m.Measures = append(m.Measures, c.measureModel(v, o, fmt.Sprintf("outcome%d", i)))
	}
	for i, x := range v.Process {
		m.Measures = append(m.Measures, c.measureModel(v, x, fmt.Sprintf("process%d", i)))
	}
	for _, r := range c.riskLines(v.Risks) {
		if r.SeenMillis > 0 {
			m.RiskSeen = append(m.RiskSeen, r)
			continue
		}
		m.RiskOpen = append(m.RiskOpen, r)
	}
	of := app.WorkView{Client: v.Client, Episode: v.Episode}
	for _, x := range append(c.workViews(of, v.Goals), c.workViews(of, v.Tasks)...) {
		if x.Open() {
			m.Work = append(m.Work, x)
		}
	}
	m.Ends = c.closingLines(v.Closings)
	m.SaidLines = c.said(v.Said)
	if v.CanAsk && v.Hidden == "" && (v.Verdict.Asks() || v.Verdict.Kind == alliance.CannotBeRead) {
		for _, s := range v.Sessions {
			if s.Session.Number == v.Verdict.Session {
				m.Answer = s.Session.ID
			}
		}
	}
	if n := len(v.Sessions); v.CanAsk && v.Hidden == "" && m.Answer == "" && n > 0 {
		m.Strain = v.Sessions[n-1].Session.ID
	}
	for _, x := range v.Comments {
		m.Comments = append(m.Comments, commentLine{x, dates[x.Session]})
	}
	return m
}

// seriesOf are all series of a measure in the order they are drawn and listed.
func seriesOf(m app.Measure) []alliance.Series {
	var out []alliance.Series
	out = append(out, m.Client...)
	out = append(out, m.Therapist...)
	return append(out, m.Predicted...)
}

func (c *call) measureModel(v app.ClientView, a app.Measure, id string) measureModel {
	m := measureModel{Measure: a, Outcome: a.Instrument.Kind != instrument.Alliance, Name: a.Instrument.Name.In(c.p.Lang())}
	if a.Rater != "" {
		m.Name = a.Rater + " · " + m.Name
	}
	if len(a.Readings) == 1 && len(a.Instrument.Scales) > 1 {
		m.Name += " · " + a.Readings[0].Scale.Name.In(c.p.Lang())
	}
	if a.Earlier {
		m.Name = c.p.T("chart.earlier", "Name", m.Name, "Version", a.Instrument.Version)
	}
	higher := true
	for _, s := range a.Client {
		higher = higher && s.HigherIsBetter
	}
	m.Axis = c.p.T("axis.higher")
	if !higher {
		m.Axis = c.p.T("axis.lower")
	}
	picture := c.picture(v, a, id)
	c.drawFaring(&picture, a)
	m.Fares = c.faring(v, a)
	m.Wide = picture.SVG()
	picture.ID, picture.Width, picture.Height = id+"n", chart.Narrow, 0
	m.Narrow = picture.SVG()
	for _, s := range a.Client {
		m.Change = append(m.Change, c.changeRow(v, a, s))
	}
	others := besides(a)
	for _, r := range others {
		m.Change = append(m.Change, c.besideRow(a, r))
	}
	m.Readings = c.readingLines(a)
	m.GapLine, m.Raters = c.gapLine(a), c.raters(a)
	for _, s := range seriesOf(a) {
		name := c.seriesName(a, s)
		switch {
		case len(m.Columns) >= len(a.Client)+len(a.Therapist):
			name = c.p.T("table.foretold", "Name", name)
		case s.Informant == alliance.Therapist:
			name = c.p.T("table.therapist", "Name", name)
		}
		m.Columns = append(m.Columns, name)
	}
	all := seriesOf(a)
	for _, r := range others {
		m.Columns, all = append(m.Columns, c.scaleName(a, r)), append(all, r.Series)
	}
	for i, s := range v.Sessions {
		row := tableRow{Number: s.Session.Number, Date: c.p.DateShort(c.at(s.Session.AtMillis))}
		for _, x := range all {
			cell := ""
			if i < len(x.Points) && x.Points[i].OK {
				cell = c.p.Number(x.Points[i].Value, 1)
			}
			row.Cells = append(row.Cells, cell)
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func (c *call) seriesName(a app.Measure, s alliance.Series) string {
	if k := a.Instrument.Kind; k == instrument.Outcome || k == instrument.Process {
		return c.p.T("dimension." + string(k))
	}
	return c.p.T("dimension." + string(s.Dimension))
}

// meanByPoint is the therapist's line in the picture: one, the mean of what the
// same person said of the three dimensions, so that the client's stay in front.
func meanByPoint(series []alliance.Series, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		sum, k := 0.0, 0
		for _, s := range series {
			if i < len(s.Points) && s.Points[i].OK {
				sum, k = sum+s.Points[i].Value, k+1
			}
		}
		out[i] = math.NaN()
		if k > 0 && k == len(series) {
			out[i] = sum / float64(k)
		}
	}
	return out
}

func values(s alliance.Series, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
		if i < len(s.Points) && s.Points[i].OK {
			out[i] = s.Points[i].Value
		}
	}
	return out
}

func (c *call) picture(v app.ClientView, a app.Measure, id string) chart.Course {
	outcome := a.Instrument.Kind != instrument.Alliance
	n := len(v.Sessions)
	one := func(x float64) string { return c.p.Number(x, 1) }
	labels := make([]string, n) // asked for by each line, in each width
	p := chart.Course{ID: id, Title: c.p.T("chart.alliance"), Min: a.Min, Max: a.Max, Height: 300, Empty: c.p.T("chart.empty"),
		SessionLabel: func(i int) string {
			if labels[i] == "" {
				labels[i] = c.p.T("chart.session", "N", v.Sessions[i].Session.Number, "Date", c.p.DateShort(c.at(v.Sessions[i].Session.AtMillis)))
			}
			return labels[i]
		}}
	if outcome {
		p.Title, p.Height = c.p.T("chart."+string(a.Instrument.Kind)), 180
	}
	for i, s := range v.Sessions {
		p.Ticks = append(p.Ticks, fmt.Sprint(s.Session.Number))
		if !outcome && len(s.Notes) > 0 {
			p.Notes = append(p.Notes, chart.Note{Index: i, Text: c.p.T("chart.note")})
		}
	}
	var said []string
	for _, s := range a.Client {
		mark := chart.Mark(s.Dimension)
		if outcome {
			mark = chart.Outcome
		}
		name := c.seriesName(a, s)
		p.Lines = append(p.Lines, chart.Line{Name: name, Mark: mark, Values: values(s, n), Format: one})
		if first, _, now := alliance.Snapshot(s); now.OK {
			said = append(said, c.p.T("chart.from_to", "Name", name, "From", one(first.Value), "To", one(now.Value)))
		}
		if s.HasCutoff {
			p.Thresholds = append(p.Thresholds, chart.Threshold{Value: s.Cutoff, Label: c.p.T("chart.cutoff")})
		}
	}
	p.Thresholds = append(p.Thresholds, c.cutoffs(a, v.Client.AgeBand)...)
	if len(a.Therapist) > 0 {
		p.Lines = append(p.Lines, chart.Line{Name: c.p.T("informant.therapist"), Mark: chart.Therapist, Dashed: true, Values: meanByPoint(a.Therapist, n), Format: one})
	}
	p.Description = strings.Join(append(said, c.p.T("chart.below")), " ")
	return p
}

func (c *call) changeRow(v app.ClientView, a app.Measure, s alliance.Series) changeRow {
	text := func(p alliance.Point) string {
		if !p.OK {
			return ""
		}
		return c.p.Number(p.Value, 1)
	}
	first, previous, now := alliance.Snapshot(s)
	r := changeRow{Name: c.seriesName(a, s), First: text(first), Previous: text(previous), Now: text(now)}
	at := func(series []alliance.Series) (alliance.Point, bool) {
		for _, x := range series {
			for _, p := range x.Points {
				if x.Dimension == s.Dimension && p.OK && p.Session == now.Session {
					return p, true
				}
			}
		}
		return alliance.Point{}, false
	}
	if p, ok := at(a.Therapist); ok {
		r.Therapist = text(p)
	}
	if p, ok := at(a.Predicted); ok {
		r.Foretold = text(p)
	}
	for _, g := range a.Gaps[s.Dimension] {
		if g.OK && g.Session == now.Session {
			r.Gap = signed(c, g.Difference)
		}
	}
	for _, x := range v.Verdict.Reasons {
		r.Fell = r.Fell || a.Instrument.Kind == instrument.Alliance && !a.Earlier && x.Code == alliance.Fell && x.Dimension == s.Dimension && x.Informant == s.Informant && x.Rater == s.Rater
	}
	return r
}

func signed(c *call, d float64) string {
	text := c.p.Number(math.Abs(d), 1)
	switch {
	case math.Round(d*10) > 0:
		return "+" + text
	case math.Round(d*10) < 0:
		return "−" + text
	}
	return text
}

// gapLine says how far the therapist's ratings lie from the client's on the
// whole: the mean of the plain differences, with how many there are.
func (c *call) gapLine(a app.Measure) string {
	sum, n, sessions := 0.0, 0, map[int]bool{}
	for _, gaps := range a.Gaps {
		for _, g := range gaps {
			if g.OK {
				sum, n = sum+g.Difference, n+1
				sessions[g.Session] = true
			}
		}
	}
	if n == 0 {
		return ""
	}
	d := sum / float64(n)
	who := c.p.T("who." + string(a.Client[0].Informant)) // a gap has a client's series behind it
	key := "gap.same"
	switch {
	case d >= .05:
		key = "gap.therapist_higher"
	case d <= -.05:
		key = "gap.client_higher"
	}
	return c.p.N(key, len(sessions), "Who", who, "Points", c.p.Number(math.Abs(d), 1))
}

// raters say how far apart the two are and whether they move together, with
// intervals, once there are sessions enough.
func (c *call) raters(a app.Measure) (out []string) {
	for _, s := range a.Client {
		r, ok := alliance.TwoRaters(a.Gaps[s.Dimension])
		if !ok || s.Informant != alliance.Client {
			continue
		}
		text := c.p.T("raters.bias", "Dimension", c.seriesName(a, s), "Points", signed(c, r.Bias), "Low", signed(c, r.BiasLow), "High", signed(c, r.BiasHigh), "N", r.N)
		if r.Moves {
			text += " " + c.p.T("raters.move", "R", c.p.Number(r.Congruence, 2), "Low", c.p.Number(r.CongLow, 2), "High", c.p.Number(r.CongHigh, 2))
		}
		out = append(out, text)
	}
	return out
}

// coursePicture is the picture as a file of its own.
func coursePicture(c *call) error {
	v, err := c.app().ClientPage(c.r.Context(), c.by, c.id(), care.ID(c.r.URL.Query().Get("episode")))
	if err != nil {
		return err
	}
	if len(v.Alliance) == 0 {
		return care.Missing()
	}
	h := c.w.Header()
	h.Set("Content-Type", "image/svg+xml; charset=utf-8")
	h.Set("Content-Disposition", "attachment; filename=\"course.svg\"")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox")
	_, err = c.w.Write(c.picture(v, v.Alliance[0], "course").Standalone())
	return err
}
