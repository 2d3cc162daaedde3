// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"cmp"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
)

// headOf is the newest version that stands in one course with each version
// that was answered, by key. A correction of wording shares the course of what it
// corrects; a change of structure begins one of its own.
func headOf(forms map[string]*instrument.Instrument) map[string]*instrument.Instrument {
	out := make(map[string]*instrument.Instrument, len(forms))
	for key, f := range forms {
		head := f
		for _, x := range forms {
			if x.ID == f.ID && x.Version > head.Version && instrument.SameCourse(f, x) {
				head = x
			}
		}
		out[key] = head
	}
	return out
}

// heads are the courses of one form, newest first: all but the first came to
// their end when its structure was changed.
func (c course) heads(id string) (out []*instrument.Instrument) {
	for _, r := range c.responses {
		if f := c.head[formKey(r)]; f.ID == id && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(x, y *instrument.Instrument) int { return y.Version - x.Version })
	return out
}

// headsOf are the courses of all forms of a kind for an informant, by id and
// newest first.
func (c course) headsOf(kind instrument.Kind, who instrument.Informant) (out []*instrument.Instrument) {
	for _, r := range c.responses {
		if f := c.head[formKey(r)]; f.Kind == kind && f.Informant == who && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(x, y *instrument.Instrument) int {
		return cmp.Or(strings.Compare(x.ID, y.ID), y.Version-x.Version)
	})
	return out
}

// ofRater picks those that one carer gave; by is empty for whoever it was.
func (c course) ofRater(head *instrument.Instrument, by care.ID) func(care.Response) bool {
	want := c.of(head)
	return func(r care.Response) bool { return want(r) && (by == "" || r.By == by) }
}

// of picks the responses of one course.
func (c course) of(head *instrument.Instrument) func(care.Response) bool {
	return func(r care.Response) bool { return c.head[formKey(r)] == head }
}
