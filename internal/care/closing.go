// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"encoding/json"
	"log/slog"
	"slices"
)

// ClosingReason is why an episode came to its end.
type ClosingReason string

// The reasons.
const (
	ByAgreement  ClosingReason = "agreed"       // both found that it was time
	HadEnough    ClosingReason = "enough"       // the client had what they came for
	Dissatisfied ClosingReason = "dissatisfied" // with the therapy or the therapist
	Practical    ClosingReason = "practical"    // money, time, distance
	MovedOn      ClosingReason = "moved"        // to another place or service
	StayedAway   ClosingReason = "no_show"      // and did not come again
	NotKnown     ClosingReason = "unknown"
)

// ClosingReasons lists them in the order pages show them.
func ClosingReasons() []ClosingReason {
	return []ClosingReason{ByAgreement, HadEnough, Dissatisfied, Practical, MovedOn, StayedAway, NotKnown}
}

// Closing is the end of an episode. One that was opened again has several.
type Closing struct {
	ID, Practice, Episode, Client ID
	Staff                         ID
	AtMillis                      int64
	Content                       ClosingContent
}

// ClosingContent is why, in whose words, and how the alliance stood: the verdict as
// it was then, as JSON.
type ClosingContent struct {
	Reason ClosingReason   `json:"reason"`
	Words  string          `json:"words,omitempty"` // the client's, or the therapist's
	Shown  json.RawMessage `json:"shown,omitempty"`
}

// Check says what cannot be kept. Errors: invalid with the field.
func (c ClosingContent) Check() error {
	if !slices.Contains(ClosingReasons(), c.Reason) {
		return Bad("reason", "field.choice")
	}
	if len([]rune(c.Words)) > mostConversation {
		return Bad("words", "field.too_long")
	}
	return nil
}

// LogValue keeps it out of every log.
func (ClosingContent) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// String keeps it out of every formatted line.
func (ClosingContent) String() string { return "[sealed]" }

// GoString does the same for %#v.
func (ClosingContent) GoString() string { return "[sealed]" }
