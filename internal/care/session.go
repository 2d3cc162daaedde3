// SPDX-License-Identifier: AGPL-3.0-or-later

package care

// SessionStatus says whether a session is to come, took place or was missed.
type SessionStatus string

// The states of a session.
const (
	Planned SessionStatus = "planned"
	Held    SessionStatus = "held"
	Missed  SessionStatus = "missed"
)

// Session is one meeting of an episode. Number counts the held sessions of the
// episode from 1, in the order of AtMillis; it is 0 for planned and missed ones.
type Session struct {
	ID       ID
	Practice ID
	Episode  ID
	Number   int
	AtMillis int64
	Status   SessionStatus
	Review   bool // every form is asked, whatever its rhythm
}

// Note is a member of staff's remark on a session, shown under the chart.
type Note struct {
	ID       ID
	Practice ID
	Session  ID
	Client   ID // whose key seals it
	Staff    ID
	Text     string
	AtMillis int64
}
