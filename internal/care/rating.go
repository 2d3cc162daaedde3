// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import "log/slog"

// Informant is who rates.
type Informant string

// The informants.
const (
	ByClient    Informant = "client"
	ByTherapist Informant = "therapist"
	ByCarer     Informant = "carer"
	ByObserver  Informant = "observer"
)

// Score is one number computed from a response by its instrument's key.
type Score struct {
	Scale     string  `json:"s"`
	Dimension string  `json:"d"`
	Value     float64 `json:"v"`
	OK        bool    `json:"ok"` // false: too many items missing
}

// Content is what a response says: sealed wherever it rests.
type Content struct {
	Answers map[string]float64 `json:"a,omitempty"`
	Comment string             `json:"c,omitempty"`
	Scores  []Score            `json:"r,omitempty"`
	Beside  bool               `json:"b,omitempty"` // whoever answered said that somebody was with them
}

// LogValue keeps a person's answers and words out of every log.
func (Content) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// String keeps a person's answers and words out of every formatted line.
func (Content) String() string { return "[sealed]" }

// GoString does the same for %#v.
func (Content) GoString() string { return "[sealed]" }

// Response is all answers of one form at one time. ID is the submission's own
// id: the same id twice is the same response, never a second one.
type Response struct {
	ID             ID
	Practice       ID
	Episode        ID
	Session        ID
	Client         ID // the client it is about; this client's key seals it
	By             ID // the client, the carer or the member of staff who answered
	Informant      Informant
	Instrument     string
	Version        int
	Language       string
	AnsweredMillis int64
	Import         ID // set when it came by an import
	Content        Content
}

// Invitation is a client's or a carer's way into the forms of one session: a link, a
// scan or this device in kiosk. Tokens are kept as hashes only.
type Invitation struct {
	ID            ID
	Practice      ID
	Session       ID
	Episode       ID
	Client        ID // whom the session is about
	Person        ID // the carer who answers; empty: the client
	Channel       Channel
	TokenHash     []byte
	VisitHash     []byte // the cookie that the token was exchanged for
	CreatedMillis int64
	ExpiresMillis int64
	RevokedMillis int64 // 0: in force
}

// Who is who answers by the invitation, and as what.
func (i Invitation) Who() (ID, Informant) {
	if i.Person != "" {
		return i.Person, ByCarer
	}
	return i.Client, ByClient
}

// Channel is how an invitation reaches the person.
type Channel string

// The channels.
const (
	ByLink  Channel = "link" // scanned, copied or handed over
	ByMail  Channel = "mail"
	ByKiosk Channel = "kiosk"
)

// Standing is what is known of one client's course in one episode, kept ready
// so that a caseload of hundreds opens at once. Body is made and read by app.
type Standing struct {
	Practice   ID
	Episode    ID
	Client     ID
	LastMillis int64 // instant of the last held session, 0: none
	Changes    int64 // how many changes of the course it was made of
	Body       []byte
}

// CaseloadEntry is one client of one member of staff with what is kept ready.
type CaseloadEntry struct {
	Client       Client
	Episode      ID
	Relation     Relation
	Standing     []byte // nil when nothing was kept yet
	Changes      int64  // of the course until now
	Damaged      bool   // what says who it is does not open; nothing else is filled in
	Stale        bool   // the standing was made of fewer changes
	ReadAtMillis int64  // when this person last read the course, 0: never
}
