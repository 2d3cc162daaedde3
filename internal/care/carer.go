// SPDX-License-Identifier: AGPL-3.0-or-later

package care

import "slices"

// CarerRelation is how a carer stands to the child or adolescent.
type CarerRelation string

// The relations. None of them says who may consent: that is a matter of law, and
// [ConsentHolder] records it.
const (
	Parent      CarerRelation = "parent"
	StepParent  CarerRelation = "step_parent"
	FosterCarer CarerRelation = "foster"
	Grandparent CarerRelation = "grandparent"
	OtherCarer  CarerRelation = "other"
)

// CarerRelations lists them in the order pages show them.
func CarerRelations() []CarerRelation {
	return []CarerRelation{Parent, StepParent, FosterCarer, Grandparent, OtherCarer}
}

// Carer is somebody with care of a child or adolescent who is asked how the work
// together is for them. What a carer answers is a course of its own: it is never
// averaged with the child's or another carer's. All but the ids and times is sealed
// with the client's key.
type Carer struct {
	ID          ID
	Practice    ID
	Client      ID
	AtMillis    int64
	EndedMillis int64 // 0: is asked; what was answered stays
	Content     CarerContent
}

// CarerContent is who a carer is.
type CarerContent struct {
	Label    string        `json:"l"`
	Relation CarerRelation `json:"r"`
	Language string        `json:"g"`
	Email    string        `json:"e,omitempty"` // empty: never mailed
}

// Check refuses what is no relation, with its field.
func (r CarerRelation) Check() error {
	if !slices.Contains(CarerRelations(), r) {
		return Bad("relation", "field.choice")
	}
	return nil
}
