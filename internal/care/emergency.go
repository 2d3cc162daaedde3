// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import "log/slog"

// EmergencyLastsMillis is how long an emergency access lasts unless it is ended
// earlier: 24 hours, until the colleague who treats the client can be reached.
const EmergencyLastsMillis int64 = 24 * 3_600_000

// Emergency is access to a client who is not one's own, taken with a reason and
// told to the client's therapists. It lets its holder read, never write.
type Emergency struct {
	ID          ID
	Practice    ID
	Client      ID
	Staff       ID     // who took it
	Reason      string // sealed with the client's key
	AtMillis    int64
	UntilMillis int64
	EndedMillis int64 // 0: not ended before its time
}

// In reports whether the access was open at an instant.
func (e Emergency) In(atMillis int64) bool {
	return e.AtMillis <= atMillis && atMillis < e.UntilMillis && (e.EndedMillis == 0 || atMillis < e.EndedMillis)
}

// LogValue keeps the reason out of logs.
func (e Emergency) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// String keeps the reason out of texts.
func (e Emergency) String() string { return "[sealed]" }
