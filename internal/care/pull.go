// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// PullWindowMillis is the time in which opened clients are counted: an hour.
const PullWindowMillis int64 = 3_600_000

// Pull says that a member of staff opened the records of unusually many clients
// within an hour. It names none of them.
type Pull struct {
	ID       ID
	Practice ID
	Staff    ID // who opened them
	AtMillis int64
	Clients  int64 // how many different ones, when it was noticed
}
