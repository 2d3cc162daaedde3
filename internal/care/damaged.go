// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"fmt"
	"time"
)

// Damaged names a sealed value that does not open, because it was altered or
// moved outside the program. It holds nothing of the value.
type Damaged struct {
	Practice      ID
	Client        ID // "" for a value about no single client
	Session       ID // "" for a value of no session
	SessionMillis int64
	Table, Column string
	Row           ID
}

// Absent stands in the place of a column where a whole row is missing that the
// audit says was written.
const Absent = "the row is missing"

// Unopened is how many sealed values the last check could not open, and rows it missed.
type Unopened int

// Error says it for an operator.
func (n Unopened) Error() string {
	return fmt.Sprintf("%d sealed values do not open, or their rows are missing; entente check names each", int(n))
}

// String names the record for an operator.
func (d Damaged) String() string {
	s := fmt.Sprintf("practice %s: %s %s, %s", d.Practice, d.Table, d.Row, d.Column)
	if d.Client != "" {
		s += ", of client " + string(d.Client)
	}
	if d.Session != "" {
		s += ", session of " + time.UnixMilli(d.SessionMillis).UTC().Format("2006-01-02 15:04 UTC")
	}
	return s
}
