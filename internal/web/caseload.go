// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/chart"
)

// caseRow is a client as the lists show them.
type caseRow struct {
	app.CaseloadRow
	Verdict verdictView
	Last    string
	Line    template.HTML
}

type caseloadView struct {
	Rows   []caseRow
	Total  int
	Beyond bool // more are there than Rows, and only a search finds them
	Search string
	InNeed bool // the reader may open a colleague's client in an emergency
}

func (c *call) caseRows(rows []app.CaseloadRow) []caseRow {
	out := make([]caseRow, 0, len(rows))
	for _, r := range rows {
		row := caseRow{CaseloadRow: r, Verdict: verdictWords(c.p, r.Verdict, func(n int) string { return c.p.T("session.number_since", "N", n) })}
		row.Client.Label = c.nameOf(r.Client.Label, r.Client.ID)
		if r.LastAt > 0 {
			row.Last = c.day(r.LastAt)
		}
		if len(r.Spark) > 0 {
			row.Line = chart.Course{Min: 0, Max: 1, Lines: []chart.Line{{Mark: chart.Whole, Values: r.Spark}}}.Spark()
		}
		out = append(out, row)
	}
	return out
}

// mostRows bounds the list of clients: the first of them are those that something
// is new of, and nobody reads so many.
const mostRows = 500

func caseloadPage(c *call) error {
	rows, err := c.app().Caseload(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	v := caseloadView{InNeed: care.May(c.by, care.ActInNeed) == nil, Search: strings.TrimSpace(c.r.URL.Query().Get("q"))}
	if v.Search != "" {
		var kept []app.CaseloadRow
		for _, r := range rows {
			if strings.Contains(strings.ToLower(r.Client.Label), strings.ToLower(v.Search)) {
				kept = append(kept, r)
			}
		}
		rows = kept
	}
	v.Total = len(rows)
	if v.Beyond = v.Total > mostRows; v.Beyond {
		rows = rows[:mostRows]
	}
	v.Rows = c.caseRows(rows)
	return c.render(http.StatusOK, "caseload", v)
}

// mostStarts is how many clients are offered at once to start a session with;
// with more, the list of clients is the way.
const mostStarts = 40

// todayView is the first page of a working day.
type todayView struct {
	Date     string
	Sessions []todaySession
	Asking   []caseRow
	Beyond   int        // how many there are, if Asking holds only the first of them
	Clients  []caseRow  // to start a session with
	Told     []notice   // others' accesses in an emergency, to be seen
	Held     []notice   // the reader's own
	Risks    []riskLine // answers that somebody must look at now
	Alarm    alarmView
	Reviews  []app.ReviewDue
	Pulls    []pullView // many clients opened by somebody, for managers
	First    bool       // a therapist who has no client yet
}

type todaySession struct {
	app.SessionView
	Clock   string
	Verdict verdictView
}

func todayPage(c *call) error {
	d, err := c.app().Today(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	asking, beyond := firstAsking(d.Asking)
	v := todayView{Beyond: beyond, Date: c.p.Weekday(c.today()) + ", " + c.p.Date(c.today()), Asking: c.caseRows(asking), Told: c.told(d.Told), Held: c.held(d.Held), Pulls: c.pulls(d.Pulls), Reviews: c.reviews(d.Reviews), Risks: c.riskLines(d.Risks), Alarm: c.alarmView(d.Alarm)}
	for _, s := range d.Sessions {
		x := todaySession{SessionView: s, Clock: c.p.Clock(c.at(s.Session.AtMillis))}
		x.Client.Label = c.nameOf(s.Client.Label, s.Client.ID)
		if s.Verdict.Asks() && s.Verdict.Session == s.Session.Number {
			x.Verdict = verdictWords(c.p, s.Verdict, func(n int) string { return c.p.T("session.number_since", "N", n) })
		}
		v.Sessions = append(v.Sessions, x)
	}
	v.First = c.by.Has(care.Therapist) && len(d.Clients) == 0
	if c.by.Has(care.Therapist) && len(d.Clients) <= mostStarts {
		v.Clients = c.caseRows(d.Clients)
	}
	return c.render(http.StatusOK, "today", v)
}
