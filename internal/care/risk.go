// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"log/slog"
	"time"
)

// RiskSignal says that somebody answered an item that asks about danger in a way
// that a person must look at now. It is no measure of danger, and nothing is worked
// out of it.
type RiskSignal struct {
	ID, Practice, Episode, Session, Client ID
	AtMillis                               int64
	Content                                RiskContent
	Step                                   RiskStep
	SeenBy                                 ID    // who has taken it up; "" nobody yet
	SeenMillis                             int64 // 0: not yet
	Done                                   string
}

// RiskContent is what was answered: which items of which form, never how.
type RiskContent struct {
	Instrument string   `json:"instrument"`
	Version    int      `json:"version"`
	Items      []string `json:"items"`
}

// LogValue keeps it out of every log.
func (RiskContent) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// String keeps it out of every formatted line.
func (RiskContent) String() string { return "[sealed]" }

// GoString does the same for %#v.
func (RiskContent) GoString() string { return "[sealed]" }

// RiskStep says who has been told.
type RiskStep int64

// The steps: the client's therapists and the owner of the duty; then the deputy;
// then every manager.
const (
	ToldOwner RiskStep = iota
	ToldDeputy
	ToldManagers
)

// RiskDuty says who in a practice looks after answers that speak of danger.
type RiskDuty struct {
	Practice      ID
	Owner, Deputy ID     // "" nobody
	Hours         int    // after which a signal that nobody took up goes to the next
	Alone         string // why the practice asks such items without an owner; "" it does not
	// TestMillis is when the way of the alarm was last tried by a mail, TestedMillis
	// when the owner last said that it came; 0: never.
	TestMillis, TestedMillis int64
}

// Bounds and the usual value of RiskDuty.Hours.
const (
	LeastRiskHours = 1
	UsualRiskHours = 4
	MostRiskHours  = 24
)

// How often the way of the alarm is tried, and from when on it is too long ago.
const (
	AlarmTestEvery = 7 * 24 * time.Hour
	AlarmTestLate  = 9 * 24 * time.Hour
)

// Wait is how long a signal waits before it goes to the next.
func (d RiskDuty) Wait() time.Duration {
	if d.Hours == 0 {
		return UsualRiskHours * time.Hour
	}
	return time.Duration(d.Hours) * time.Hour
}

// Check refuses what is out of bounds. Errors: invalid with the field.
func (d RiskDuty) Check() error {
	switch {
	case d.Hours < LeastRiskHours || d.Hours > MostRiskHours:
		return Bad("hours", "field.choice")
	case d.Deputy != "" && d.Deputy == d.Owner:
		return Bad("deputy", "risk.same")
	case d.Deputy != "" && d.Owner == "":
		return Bad("owner", "risk.owner_first")
	case len([]rune(d.Alone)) > 2000:
		return Bad("reason", "field.too_long")
	}
	return nil
}

// Alarm is a mail to a member of staff that waits to go out. It holds nothing but
// whom it is for.
type Alarm struct {
	Practice, ID, Staff ID
	About               ID // the risk signal, "" for a test
	Tries               int
}
