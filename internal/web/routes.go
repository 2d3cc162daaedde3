// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import "slices"

// audience says who may ask for a route at all; the use cases decide the rest.
type audience int

const (
	anyone     audience = iota // no sign-in looked at
	staff                      // a signed-in member of staff, not in kiosk
	kiosk                      // a signed-in member of staff, kiosk or not
	respondent                 // somebody answering by a link
	consenter                  // somebody deciding what they agree to, by a link of their own
)

type route struct {
	pattern string // as http.ServeMux takes it: "GET /today"
	who     audience
	do      func(*call) error
}

// routes is the one table of everything the server answers.
func (s *Server) routes() []route {
	return slices.Concat(s.commonRoutes(), s.formRoutes(), s.staffRoutes(), s.emergencyRoutes(), s.rulesRoutes(), s.conversationRoutes(), s.localHelpRoutes(), s.riskRoutes(), s.workRoutes(), s.closingRoutes(), s.helpRoutes(), s.endingRoutes(), s.erasureRoutes(), s.providerRoutes(), s.passkeyRoutes(), s.libraryRoutes(), s.draftRoutes(), s.pullRoutes(), s.consentRoutes(), s.carerRoutes())
}

// Patterns lists everything the server answers, as http.ServeMux takes it, so
// that whoever tries each address from outside forgets none.
func Patterns() (out []string) {
	s := &Server{}
	for _, r := range s.routes() {
		out = append(out, r.pattern)
	}
	return out
}
