// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"html/template"
	"net/http"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/chart"
)

// agendaRow is what one client has for supervision, in words.
type agendaRow struct {
	app.AgendaRow
	Age     string // "for 12 days"
	When    string
	Verdict verdictView
	Said    []saidView
}

func (c *call) agenda(all []app.AgendaRow) (out []agendaRow) {
	for _, r := range all {
		x := agendaRow{AgendaRow: r, When: c.day(r.Since), Said: c.said(r.Open)}
		if days := daysBetween(c.at(r.Since), c.today()); days > 0 {
			x.Age = c.p.N("agenda.days", days)
		}
		x.Client.Label = c.nameOf(r.Client.Label, r.Client.ID)
		if r.Unanswered || r.NoShow {
			x.Verdict = verdictWords(c.p, r.Verdict, func(n int) string { return c.p.T("session.number_since", "N", n) })
		}
		out = append(out, x)
	}
	return out
}

func supervisionPage(c *call) error {
	rows, err := c.app().Agenda(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, "supervision", c.agenda(rows))
}

// togetherModel is what client and therapist look at together, on one screen: the
// client's own answers and what both agreed, and nothing that is the therapist's.
type togetherModel struct {
	Client   care.ID
	Episode  care.ID
	Waits    bool // new answers wait for the therapist's guess
	Sessions int
	Pictures []togetherPicture
	Agreed   []agreedLine
	Lines    []string // questions to begin with

	// Of a review, besides: how life is going, what both agreed on, and how ready each
	// finds themselves.
	Review   bool
	Title    string
	Day      string
	Outcomes []togetherOutcome
	Goals    []workView
	Tasks    []workView
	Ready    []readyRow
}

// togetherOutcome is how life is going by one form: the picture, and one sentence.
type togetherOutcome struct {
	togetherPicture
	Name, Text string
}

// readyRow is one scale of a form of the process with the newest answers of both.
type readyRow struct{ Name, Client, Therapist string }

type togetherPicture struct {
	Wide, Narrow template.HTML
	Rows         []changeRow
}

type agreedLine struct{ Day, Text string }

func togetherPage(c *call) error {
	v, err := c.app().ClientPage(c.r.Context(), c.by, c.id(), care.ID(c.r.URL.Query().Get("episode")))
	if err != nil {
		return err
	}
	if !v.CanAsk {
		return care.Missing()
	}
	return c.render(http.StatusOK, "together", c.togetherModel(v))
}

func reviewPage(c *call) error {
	v, err := c.app().ClientPage(c.r.Context(), c.by, c.id(), care.ID(c.r.URL.Query().Get("episode")))
	if err != nil {
		return err
	}
	if !v.CanAsk {
		return care.Missing()
	}
	return c.render(http.StatusOK, "together", c.reviewModel(v))
}

// reviewModel gathers what two people look at in a review, on one sheet.
func (c *call) reviewModel(v app.ClientView) togetherModel {
	m := c.togetherModel(v)
	m.Review, m.Title, m.Day = true, c.p.T("review.title"), c.p.Date(c.today())
	m.Lines = c.promptLines("review")
	for i, a := range v.Outcome {
		if len(a.Client) == 0 || a.Client[0].Informant != alliance.Client {
			continue
		}
		x := togetherOutcome{Name: a.Instrument.Name.In(c.p.Lang()), togetherPicture: c.ownPicture(v, a, fmt.Sprintf("review%d", i))}
		if f := c.faring(v, a); f != nil {
			x.Text = f.Word + " " + f.Text
		}
		m.Outcomes = append(m.Outcomes, x)
	}
	of := app.WorkView{Client: v.Client, Episode: v.Episode}
	m.Goals, m.Tasks = c.workViews(of, v.Goals), c.workViews(of, v.Tasks)
	for _, a := range v.Process {
		for _, s := range a.Client {
			_, _, now := alliance.Snapshot(s)
			if !now.OK {
				continue
			}
			row := readyRow{Name: a.Instrument.Name.In(c.p.Lang())}
			if s.Informant == alliance.Therapist {
				row.Therapist = c.p.Number(now.Value, 1)
			} else {
				row.Client = c.p.Number(now.Value, 1)
			}
			m.Ready = append(m.Ready, row)
		}
	}
	return m
}

// ownPicture draws a measure's series as they are, in both widths.
func (c *call) ownPicture(v app.ClientView, a app.Measure, id string) (x togetherPicture) {
	p := c.picture(v, a, id)
	x.Wide = p.SVG()
	p.ID, p.Width, p.Height = p.ID+"n", chart.Narrow, 0
	x.Narrow = p.SVG()
	return x
}

func (c *call) togetherModel(v app.ClientView) togetherModel {
	m := togetherModel{Client: v.Client.ID, Episode: v.Episode.ID, Waits: v.Hidden != "", Lines: c.promptLines("together")}
	m.Sessions = len(v.Sessions)
	// A copy without notes: where one stands says that there is one.
	v.Sessions = append([]app.SessionPoint(nil), v.Sessions...)
	for i := range v.Sessions {
		v.Sessions[i].Notes = nil
	}
	for i, a := range v.Alliance {
		var own []alliance.Series
		for _, s := range a.Client {
			if s.Informant == alliance.Client {
				own = append(own, s)
			}
		}
		if len(own) == 0 {
			continue
		}
		a.Client, a.Therapist, a.Predicted, a.Gaps = own, nil, nil, nil
		x := c.ownPicture(v, a, fmt.Sprintf("together%d", i))
		for _, s := range own {
			row := c.changeRow(v, a, s)
			row.Fell = false
			x.Rows = append(x.Rows, row)
		}
		m.Pictures = append(m.Pictures, x)
	}
	for _, s := range v.Said {
		if s.Content.Agreed != "" {
			m.Agreed = append(m.Agreed, agreedLine{c.day(s.Held), s.Content.Agreed})
		}
	}
	return m
}
