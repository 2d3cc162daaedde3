// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// BenchmarkClientHTML: the page of a client of 50 sessions, from what is known of
// them to HTML with its two pictures.
func BenchmarkClientHTML(b *testing.B) {
	c, _ := newStaffCall(b, "en")
	v := aCourse()
	v.Sessions = nil
	var values []float64
	for i := range 50 {
		values = append(values, float64(i%5)+5)
		v.Sessions = append(v.Sessions, app.SessionPoint{Session: care.Session{ID: care.ID(fmt.Sprint("s", i+1)), Number: i + 1, AtMillis: daysAgo(7 * (50 - i)), Status: care.Held}, Asked: app.Asked{ClientForms: 1, ClientDone: 1}})
	}
	m := v.Alliance[0]
	m.Client = []alliance.Series{ratings(alliance.Bond, alliance.Client, values...), ratings(alliance.Tasks, alliance.Client, values...), ratings(alliance.Goals, alliance.Client, values...)}
	m.Therapist, m.Predicted, m.Gaps = nil, nil, nil
	v.Alliance = []app.Measure{m}
	b.ReportAllocs()
	for b.Loop() {
		c.w = httptest.NewRecorder()
		if err := c.render(http.StatusOK, "client", c.clientModel(v)); err != nil {
			b.Fatal(err)
		}
	}
}
