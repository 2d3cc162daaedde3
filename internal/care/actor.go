// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import "slices"

// ID names a record: a UUIDv7 in text, made by the caller.
type ID string

// Role is what a member of staff may be; a person may hold several.
type Role string

// The roles of staff.
const (
	Therapist  Role = "therapist"
	Supervisor Role = "supervisor"
	Manager    Role = "manager"
	Researcher Role = "researcher"
)

// Roles lists every role, in the order pages show them.
func Roles() []Role { return []Role{Therapist, Supervisor, Manager, Researcher} }

// Actor is the acting person of a use case, always passed explicitly. Either
// Staff is set (somebody signed in) or Invitation is (somebody answering a form
// by a link, without an account). The zero Actor is nobody.
type Actor struct {
	Practice   ID
	Staff      ID
	Roles      []Role
	SignIn     ID // the sign-in this actor came by
	Invitation ID
	Consent    ID // the link by which somebody reads what they are asked to agree to
	Language   string
}

// IsStaff reports whether the actor is a signed-in member of staff.
func (a Actor) IsStaff() bool { return a.Practice != "" && a.Staff != "" }

// IsRespondent reports whether the actor answers a form by a link.
func (a Actor) IsRespondent() bool { return a.Practice != "" && a.Invitation != "" }

// IsConsenter reports whether the actor reads and decides by a link of their own.
func (a Actor) IsConsenter() bool { return a.Practice != "" && a.Consent != "" }

// Has reports whether the actor holds role.
func (a Actor) Has(role Role) bool { return slices.Contains(a.Roles, role) }
