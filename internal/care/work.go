// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import (
	"log/slog"
	"slices"
)

// WorkKind tells a goal from a task.
type WorkKind string

// The kinds: what therapy is for, and what is done for it.
const (
	GoalKind WorkKind = "goal"
	TaskKind WorkKind = "task"
)

// WorkState is how an agreed goal or task stands.
type WorkState string

// The states. Reached is for goals, Finished for tasks.
const (
	WorkOpen WorkState = "open"
	Reached  WorkState = "reached"
	Finished WorkState = "finished"
	SetAside WorkState = "set_aside"
	NoLonger WorkState = "no_longer" // wanted
)

// WorkStates lists those of a kind, in the order pages show them.
func WorkStates(k WorkKind) []WorkState {
	if k == GoalKind {
		return []WorkState{WorkOpen, Reached, SetAside, NoLonger}
	}
	return []WorkState{WorkOpen, Finished, SetAside, NoLonger}
}

// WorkSide is whose a goal is, or who proposed it.
type WorkSide string

// The sides.
const (
	OfClient    WorkSide = "client"
	OfCarer     WorkSide = "carer"
	OfTherapist WorkSide = "therapist"
)

// WorkSides lists them.
func WorkSides() []WorkSide { return []WorkSide{OfClient, OfCarer, OfTherapist} }

// Agreed is one wording of a goal or a task: each change is another, and nothing is
// overwritten. Item is the same for all wordings of one.
type Agreed struct {
	ID, Practice, Item, Episode, Client ID
	Staff                               ID // who wrote it down
	Kind                                WorkKind
	AtMillis                            int64
	Content                             AgreedContent
}

// AgreedContent is what was agreed. Agreements, importance and difficulty are 0 to
// 10, nil where nobody said.
type AgreedContent struct {
	Words      string    `json:"words"` // the client's own, where they found some
	Whose      WorkSide  `json:"whose"`
	ProposedBy WorkSide  `json:"proposed_by"`
	State      WorkState `json:"state"`
	// How far each side agrees with it, and how much it matters to them.
	ClientAgrees     *int `json:"client_agrees,omitempty"`
	TherapistAgrees  *int `json:"therapist_agrees,omitempty"`
	ClientMatters    *int `json:"client_matters,omitempty"`
	TherapistMatters *int `json:"therapist_matters,omitempty"`
	// Of a task: why, in the client's words; how often; how hard it seems; a carer's
	// part in it; whether it is done in sessions or between them; of which bigger task
	// it is a step.
	Why       string `json:"why,omitempty"`
	Often     string `json:"often,omitempty"`
	Hard      *int   `json:"hard,omitempty"`
	CarerPart string `json:"carer_part,omitempty"`
	InSession bool   `json:"in_session,omitempty"`
	StepOf    ID     `json:"step_of,omitempty"`
}

// Bounds of what is agreed.
const (
	MostGoals     = 5 // open at once: more are none
	MostTasks     = 8
	mostWorkText  = 500
	MostWorkScale = 10
	// SidesDiffer is from how many points on the sides see a goal differently: a
	// convention of ours.
	SidesDiffer = 3
)

// Check says what cannot be kept. Errors: invalid with the field.
func (c AgreedContent) Check(k WorkKind) error {
	if c.Words == "" {
		return Bad("words", "field.needed")
	}
	for _, x := range []struct{ field, text string }{{"words", c.Words}, {"why", c.Why}, {"often", c.Often}, {"carer_part", c.CarerPart}} {
		if len([]rune(x.text)) > mostWorkText {
			return Bad(x.field, "field.too_long")
		}
	}
	switch {
	case !slices.Contains(WorkStates(k), c.State):
		return Bad("state", "field.choice")
	case !slices.Contains(WorkSides(), c.Whose):
		return Bad("whose", "field.choice")
	case !slices.Contains(WorkSides(), c.ProposedBy):
		return Bad("proposed_by", "field.choice")
	}
	for field, v := range map[string]*int{"client_agrees": c.ClientAgrees, "therapist_agrees": c.TherapistAgrees, "client_matters": c.ClientMatters, "therapist_matters": c.TherapistMatters, "hard": c.Hard} {
		if v != nil && (*v < 0 || *v > MostWorkScale) {
			return Bad(field, "field.choice")
		}
	}
	return nil
}

// Differ says that client and therapist do not agree with it alike, or that it does
// not matter to them alike.
func (c AgreedContent) Differ() bool {
	far := func(a, b *int) bool { return a != nil && b != nil && max(*a-*b, *b-*a) >= SidesDiffer }
	return far(c.ClientAgrees, c.TherapistAgrees) || far(c.ClientMatters, c.TherapistMatters)
}

// LogValue keeps what was agreed out of every log.
func (AgreedContent) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// String keeps it out of every formatted line.
func (AgreedContent) String() string { return "[sealed]" }

// GoString does the same for %#v.
func (AgreedContent) GoString() string { return "[sealed]" }

// Done is how far a task came.
type Done string

// The answers.
const (
	DoneAll    Done = "done"
	DonePartly Done = "partly"
	NotDone    Done = "not"
)

// WorkReport is what a client says of their goals and tasks after a session: one for
// each session.
type WorkReport struct {
	ID, Practice, Episode, Session, Client ID
	AtMillis                               int64
	Items                                  []WorkItemReport
}

// WorkItemReport is of one goal (Progress 0 to 10, and how far it is still what the
// client wants) or of one task.
type WorkItemReport struct {
	Item     ID     `json:"item"`
	Progress *int   `json:"progress,omitempty"`
	Wanted   *int   `json:"wanted,omitempty"`
	Done     Done   `json:"done,omitempty"`
	WhyNot   string `json:"why_not,omitempty"`
}

// Said reports whether anything was said.
func (r WorkItemReport) Said() bool {
	return r.Progress != nil || r.Wanted != nil || r.Done != "" || r.WhyNot != ""
}

// Check says what cannot be kept.
func (r WorkItemReport) Check() error {
	for _, v := range []*int{r.Progress, r.Wanted} {
		if v != nil && (*v < 0 || *v > MostWorkScale) {
			return Bad(string(r.Item), "field.choice")
		}
	}
	if r.Done != "" && !slices.Contains([]Done{DoneAll, DonePartly, NotDone}, r.Done) {
		return Bad(string(r.Item), "field.choice")
	}
	if len([]rune(r.WhyNot)) > mostWorkText {
		return Bad(string(r.Item), "field.too_long")
	}
	return nil
}

// LogValue keeps what was said out of every log.
func (WorkItemReport) LogValue() slog.Value { return slog.StringValue("[sealed]") }

// String keeps it out of every formatted line.
func (WorkItemReport) String() string { return "[sealed]" }

// GoString does the same for %#v.
func (WorkItemReport) GoString() string { return "[sealed]" }
