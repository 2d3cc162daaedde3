// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import "github.com/entente-project/entente/internal/app"

// mostSessions bounds what a client's page lists of a course, so that a very long
// one opens as quickly; the pictures and the sentence are of the whole of it.
const mostSessions = 100

// newest leaves the newest sessions in the lists, unless all were asked for.
func (c *call) newest(m clientModel) clientModel {
	if m.All = c.r.URL.Query().Get("all") != ""; m.All || len(m.Points) <= mostSessions {
		return m
	}
	m.Beyond = len(m.Points)
	m.Points = m.Points[:mostSessions]
	first := m.Points[mostSessions-1].Session.Number
	for i, x := range m.Measures {
		m.Measures[i].Rows = x.Rows[max(0, len(x.Rows)-mostSessions):]
	}
	for i, x := range m.Comments { // newest first
		if x.Session < first {
			m.Comments = m.Comments[:i]
			break
		}
	}
	return m
}

// newestFirst turns the order of a course round.
func newestFirst(all []app.SessionPoint, line func(app.SessionPoint) pointModel) []pointModel {
	out := make([]pointModel, len(all))
	for i, s := range all {
		out[len(all)-1-i] = line(s)
	}
	return out
}

// mostAsking bounds the clients worth asking about on the day's page.
const mostAsking = 100

// firstAsking leaves the first of them, and says how many there were if it left
// some out.
func firstAsking(all []app.CaseloadRow) (shown []app.CaseloadRow, beyond int) {
	if len(all) <= mostAsking {
		return all, 0
	}
	return all[:mostAsking], len(all)
}
