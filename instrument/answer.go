// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// Answers are what one person chose, by item ID: a point on the line, or the
// Value of an option. An item that is absent was not answered.
type Answers map[string]float64

// AnswerError says which item has an answer that does not fit, and why. It
// never repeats the answer itself, so that it may be logged.
type AnswerError struct {
	Item, Message string
}

// Error is one English sentence with the item's ID.
func (e *AnswerError) Error() string {
	return "answer to " + strconv.Quote(e.Item) + ": " + e.Message
}

// Check says whether each answer fits its item. The error is an *AnswerError
// for the first that does not: an item the form does not have, a value that is
// not a finite number, outside the range, off the step, or not an option.
// Missing answers are no error.
func (i *Instrument) Check(a Answers) error {
	for _, id := range slices.Sorted(maps.Keys(a)) {
		it, ok := i.Item(id)
		if !ok {
			return &AnswerError{id, "the form has no such item"}
		}
		if msg := it.refuse(a[id]); msg != "" {
			return &AnswerError{id, msg}
		}
	}
	return nil
}

// refuse is why v cannot be an answer to the item, or "".
func (it Item) refuse(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "the answer is not a number"
	}
	if it.Display == Buttons {
		for _, o := range it.Options {
			if o.Value == v {
				return ""
			}
		}
		return "the answer is not one of the options"
	}
	if v < it.Min || v > it.Max {
		return fmt.Sprintf("the answer is outside %v to %v", it.Min, it.Max)
	}
	if it.Step > 0 && !whole((v-it.Min)/it.Step) {
		return fmt.Sprintf("the answer is not on a step of %v", it.Step)
	}
	return ""
}

// whole allows for steps such as .1 that binary numbers only come near to.
func whole(x float64) bool { return math.Abs(x-math.Round(x)) < 1e-6 }

// State is what is known of the answer to one item.
type State int

// The states. Declined is "rather not say": the person answered, and the answer
// holds no number. Unanswered also covers a value that does not fit the item.
const (
	Unanswered State = iota
	Declined
	Given
)

// Read is the number a person gave to an item, before any reversal, and
// whether there is one. The value is NaN unless the state is Given.
func (i *Instrument) Read(a Answers, id string) (float64, State) {
	v, ok := a[id]
	if !ok {
		return math.NaN(), Unanswered
	}
	it, ok := i.Item(id)
	if !ok || it.refuse(v) != "" {
		return math.NaN(), Unanswered
	}
	if it.Display == Buttons {
		for _, o := range it.Options {
			if o.Value == v && o.NoAnswer {
				return math.NaN(), Declined
			}
		}
	}
	return v, Given
}
