// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"github.com/entente-project/entente/alliance"
	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

// NewClient is a client to be added together with a first episode.
type NewClient struct {
	Label    string
	AgeBand  care.AgeBand
	Language string
	Email    string
	Episode  NewEpisode
}

// NewEpisode is an episode to be opened. The acting therapist always belongs to
// it; Therapists and Supervisors add colleagues.
type NewEpisode struct {
	Therapists  []care.ID
	Supervisors []care.ID
	Orientation string
	Setting     care.Setting
	Forms       []string // instrument ids; empty: the forms that fit the age band
}

// Asked says how far the forms of one session have come.
type Asked struct {
	ClientForms  int // how many forms the client is asked
	ClientDone   int
	TherapistOwn bool // the therapist's own rating is asked for
	OwnDone      bool
	Predict      bool // a prediction is asked for
	PredictDone  bool
	ProcessLeft  bool // a further form of the therapist's own is still to be answered
	Hidden       bool // the client has answered; shown once the therapist has predicted or chosen to look
}

// SessionView is one session as its therapist sees it.
type SessionView struct {
	Session care.Session
	Client  care.Client
	Asked   Asked
	Verdict alliance.Verdict // zero while Hidden
	CanAsk  bool             // the actor runs this session
	Invited bool             // an invitation is in force
	Carers  []CarerAsked
	Resting []*instrument.Instrument // the client's forms that are not asked this time, by their rhythm
	Damaged bool                     // something of the client does not open; an empty label if not even that does
}

// Today is the first page of a working day.
type Today struct {
	Sessions []SessionView     // of this day, by time
	Asking   []CaseloadRow     // worth asking, or waiting for a prediction, from any day
	Clients  []CaseloadRow     // all of them, as Caseload sorts them
	Told     []EmergencyNotice // others' emergency accesses that wait to be seen
	Held     []EmergencyNotice // the actor's own, in force
	Risks    []RiskView        // answers that somebody must look at now, oldest first
	Alarm    AlarmState        // of the way by which they are told
	Reviews  []ReviewDue       // clients who have reached an age at which access is reviewed
	Pulls    []PullNotice      // unusually many clients opened by somebody, told to managers
}

// CaseloadRow is one client in the list. Rows come sorted: unread and worth
// asking, unread, a rating missed, then by label.
type CaseloadRow struct {
	Client   care.Client
	Episode  care.ID
	Sessions int
	LastAt   int64 // instant of the last held session, 0: none
	Unread   int   // sessions answered since this person last opened the page
	Missed   bool  // the last held session has no rating by the client
	NoShow   bool  // nobody came to the session after one that is worth asking about
	Hidden   bool  // a new answer waits for a prediction
	Damaged  bool  // something of it does not open; an empty label if not even that does
	Answered bool  // what came of the verdict is noted
	Verdict  alliance.Verdict
	Spark    []float64 // the client's mean by session on 0-1, NaN where not rated
}

// SessionPoint is one held session on the axis of the course.
type SessionPoint struct {
	Session care.Session
	Asked   Asked
	Notes   []NoteView
	Tension alliance.TensionAnswer
	Beside  bool // the client answered with somebody beside; never before the answers are seen
}

// NoteView is a remark with its writer's name.
type NoteView struct {
	Text, By string
	AtMillis int64
}

// Comment is what somebody wrote in a form, in their own words.
type Comment struct {
	Session   int
	AtMillis  int64
	Informant care.Informant
	Text      string
}

// Measure is an instrument whose course is drawn: its series all stand on one
// axis from Min to Max. Separates is false when the instrument does not tell
// bond, tasks and goals apart: then there is one line and the page says so.
type Measure struct {
	Instrument *instrument.Instrument
	By         care.ID // the carer whose ratings these are; empty for all others
	Rater      string  // that carer's label
	Earlier    bool    // the form's structure was changed since; the course goes on in another measure, or not at all
	Separates  bool
	Min, Max   float64
	Client     []alliance.Series // the client's (or carer's) own series, one for each informant and dimension
	Therapist  []alliance.Series // the therapist's rating of the same sessions
	Predicted  []alliance.Series // what the therapist foretold
	Gaps       map[alliance.Dimension][]alliance.GapPoint
	Readings   []Reading // every scale of the form, drawn or not; on a client's page
	Faring     *Faring   // of an outcome form of which one scale is drawn, on a client's page; nil else
}

// ClientView is a client's page.
type ClientView struct {
	Client     care.Client
	Episode    care.Episode
	Episodes   []care.Episode // all this actor may see, newest first
	Therapists []string
	Verdict    alliance.Verdict
	Sessions   []SessionPoint // held sessions in order; the x axis of every series
	Planned    []care.Session
	Alliance   []Measure // usually one
	Outcome    []Measure
	Process    []Measure
	Comments   []Comment          // newest first
	Said       []ConversationView // what came of signals, newest first
	Closings   []ClosingView      // newest first
	Goals      []WorkItem         // as they are agreed now, open ones first
	Tasks      []WorkItem
	Risks      []RiskView     // answers that spoke of danger, newest first
	Hidden     care.ID        // a session whose new answers wait for the actor's prediction; "" if none
	NoShow     bool           // nobody came to the session after one that is worth asking about
	Runs       bool           // the actor runs this episode, ended or not
	CanAsk     bool           // and it goes on
	Damaged    []care.Damaged // what does not open, and is left out of everything else
	Emergency  int64          // until when the actor reads this by an emergency access; 0: it is theirs
}

// Link is a way into a form or an account: its secret, never stored.
type Link struct {
	Token   string
	Expires int64
}

// FormView is a form ready to be answered.
type FormView struct {
	Instrument *instrument.Instrument
	Language   string
	Submission care.ID  // travels with the form, so that sending twice counts once
	TimeZone   string   // of the practice
	Readers    []string // the names of who will read the answers
	Help       HelpShown
	AtMillis   int64  // when the session took place
	Client     string // label of the client, for staff only; empty on a respondent's form
	Carer      bool   // a carer answers
	Step, Of   int    // "form 1 of 2"
	Kiosk      bool
}

// Submission is an answered form. Answers hold the chosen value of each item; an
// item that was skipped is absent.
type Submission struct {
	ID         care.ID
	Session    care.ID // for staff; a respondent's session is the invitation's
	Instrument string
	Version    int
	Language   string
	Answers    instrument.Answers
	Comment    string
	Beside     bool // a client's mark that somebody is with them
}

// Receipt says that a response is kept for good. More is true when another form
// of the same session waits.
type Receipt struct {
	ID       care.ID
	AtMillis int64
	Repeated bool // it had been received before
	More     bool
	Readers  []string // for a respondent whose last form it was: who will read it
	Work     bool     // goals or tasks wait to be spoken of, after the last form
	Told     []string // the names of the therapists, who are told of it
	Risk     bool     // an answer spoke of danger: people are told, and help is to be shown
	Help     HelpShown
	TimeZone string
}
