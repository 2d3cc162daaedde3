// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import "slices"

// Action is something a member of staff can try to do.
type Action string

// The actions of staff. Those on a practice need a role; those on an episode
// need a relation to it as well.
const (
	SeeOwnWork   Action = "see_own_work"  // today, caseload, colleagues' names
	AddClients   Action = "add_clients"   // create a client with a first episode
	ManageStaff  Action = "manage_staff"  // add a colleague
	BringRatings Action = "bring_ratings" // import earlier ratings
	ReadCourse   Action = "read_course"   // an episode's ratings, comments, notes
	RunSessions  Action = "run_sessions"  // schedule, start, ask, note, change the client
	RateSession  Action = "rate_session"  // the therapist's own rating and prediction
	EraseClients Action = "erase_clients" // erase a person, whoever treats them
	SeeLibrary   Action = "see_library"   // which instruments there are, and what is known of them
	LicenseForms Action = "license_forms" // publish a form, record on what ground its words are used
	SeeFigures   Action = "see_figures"   // figures over many clients, of which none can be told
	ActInNeed    Action = "act_in_need"   // open a client who is not one's own, with a reason
)

// Relation is how a member of staff stands to an episode.
type Relation string

// The relations. NoRelation is what a stranger has.
const (
	NoRelation   Relation = ""
	TreatsIn     Relation = "therapist"
	SupervisesIn Relation = "supervisor"
	InNeedOf     Relation = "emergency" // an emergency access in force
)

type rule struct {
	roles     []Role
	relations []Relation // nil: the action is not about one episode
}

var rules = map[Action]rule{
	SeeOwnWork:   {roles: []Role{Therapist, Supervisor, Manager}},
	AddClients:   {roles: []Role{Therapist}},
	ManageStaff:  {roles: []Role{Manager}},
	BringRatings: {roles: []Role{Manager}},
	EraseClients: {roles: []Role{Manager}},
	SeeLibrary:   {roles: []Role{Therapist, Supervisor, Manager, Researcher}},
	LicenseForms: {roles: []Role{Manager}},
	SeeFigures:   {roles: []Role{Manager, Researcher}},
	ActInNeed:    {roles: []Role{Therapist}},
	ReadCourse:   {roles: []Role{Therapist, Supervisor}, relations: []Relation{TreatsIn, SupervisesIn, InNeedOf}},
	RunSessions:  {roles: []Role{Therapist}, relations: []Relation{TreatsIn}},
	RateSession:  {roles: []Role{Therapist}, relations: []Relation{TreatsIn}},
}

// May decides an action on the practice as a whole: nil, or Denied. Nobody
// (no sign-in) gets Missing, so that a stranger learns nothing.
func May(a Actor, action Action) error {
	r, ok := rules[action]
	if !ok || r.relations != nil || !a.IsStaff() {
		return Missing()
	}
	for _, role := range r.roles {
		if a.Has(role) {
			return nil
		}
	}
	return Denied()
}

// MayIn decides an action on one episode, given how the actor stands to it: nil,
// Missing for whoever has no relation, Denied for a relation that is not enough.
func MayIn(a Actor, action Action, relation Relation) error {
	r, ok := rules[action]
	if !ok || r.relations == nil || !a.IsStaff() || relation == NoRelation {
		return Missing()
	}
	if slices.Contains(r.relations, relation) && a.Has(needed(relation)) {
		return nil
	}
	return Denied()
}

// needed is the role without which a relation counts for nothing.
func needed(relation Relation) Role {
	if relation == InNeedOf {
		return Therapist
	}
	return Role(relation)
}
