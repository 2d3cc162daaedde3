// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"encoding/json"
	"log/slog"
	"slices"
)

// SignalChoice is what a member of staff did about a signal.
type SignalChoice string

// The choices. The last two want a reason.
const (
	Talked    SignalChoice = "talked"    // talked about it with the client
	NextTime  SignalChoice = "next_time" // will do so next time
	NotNow    SignalChoice = "not_now"
	NoMeaning SignalChoice = "no_meaning" // the signal means nothing here
)

// SignalChoices lists them in the order pages show them.
func SignalChoices() []SignalChoice { return []SignalChoice{Talked, NextTime, NotNow, NoMeaning} }

// StrainMarker is what a strain looked like to the therapist, who decides that it
// was one: no program guesses it.
type StrainMarker string

// The markers, "" where no strain is seen. Withdrawal is moving away from the
// other or from the work, confrontation moving against them (after Safran & Muran,
// 2000; the descriptions on the pages are ours).
const (
	Withdrawal    StrainMarker = "withdrawal"
	Confrontation StrainMarker = "confrontation"
	BothMarkers   StrainMarker = "both"
	UnsureMarker  StrainMarker = "unsure"
)

// StrainMarkers lists them in the order pages show them.
func StrainMarkers() []StrainMarker {
	return []StrainMarker{Withdrawal, Confrontation, BothMarkers, UnsureMarker}
}

// Conversation is what came of a signal in one session: one of several, if more
// was done later.
type Conversation struct {
	ID       ID
	Practice ID
	Session  ID // the session that the signal is about
	Client   ID // whose key seals it
	Staff    ID
	AtMillis int64
	Content  ConversationContent
}

// ConversationContent is all of a conversation that somebody said or was shown.
// Shown is the verdict as it stood on the page, as JSON.
type ConversationContent struct {
	Choice SignalChoice `json:"choice"`
	Why    string       `json:"why,omitempty"`    // not now, or without meaning, because
	Said   string       `json:"said,omitempty"`   // the client, in their own words
	Mine   string       `json:"mine,omitempty"`   // the therapist's part in it
	Agreed string       `json:"agreed,omitempty"` // by both
	Next   string       `json:"next,omitempty"`   // step
	// Marker says that the therapist sees a strain, whatever the scores say; Settled
	// that it, and what was noted before, is mended as both see it.
	Marker  StrainMarker `json:"marker,omitempty"`
	Settled bool         `json:"settled,omitempty"`
	// Shared lets the supervisors of the episode read the texts, too.
	Shared bool            `json:"shared,omitempty"`
	Shown  json.RawMessage `json:"shown,omitempty"`
}

// mostConversation bounds each text.
const mostConversation = 4000

// Check says what cannot be kept. Errors: invalid with the field.
func (c ConversationContent) Check() error {
	if !slices.Contains(SignalChoices(), c.Choice) {
		return Bad("choice", "field.choice")
	}
	if c.Marker != "" && !slices.Contains(StrainMarkers(), c.Marker) {
		return Bad("marker", "field.choice")
	}
	for _, x := range []struct{ field, text string }{{"why", c.Why}, {"said", c.Said}, {"mine", c.Mine}, {"agreed", c.Agreed}, {"next", c.Next}} {
		if len([]rune(x.text)) > mostConversation {
			return Bad(x.field, "field.too_long")
		}
	}
	if (c.Choice == NotNow || c.Choice == NoMeaning) && c.Why == "" {
		return Bad("why", "field.needed")
	}
	return nil
}

// Unshared is what a supervisor is told of a conversation that was not shared with
// them: that there was one, and what it came to.
func (c ConversationContent) Unshared() ConversationContent {
	if c.Shared {
		return c
	}
	return ConversationContent{Choice: c.Choice, Marker: c.Marker, Settled: c.Settled, Shown: c.Shown}
}

// LogValue keeps what was said out of every log.
func (ConversationContent) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// String keeps it out of every formatted line.
func (ConversationContent) String() string { return "[sealed]" }

// GoString does the same for %#v.
func (ConversationContent) GoString() string { return "[sealed]" }
