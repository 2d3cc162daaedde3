// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"fmt"
	"regexp"
	"slices"
)

// What only forms of published instruments need: items named by their numbers, as
// their keys name them, factors, rounding, and scores made of other scores.

var itemNumber = regexp.MustCompile(`^[1-9][0-9]{0,3}$`)

// itemID reads the name of an item: an id, or a number in quotes.
func (o object) itemID(key string) string {
	if n := o.fields[key]; n != nil && n.ShortTag() == "!!str" && itemNumber.MatchString(n.Value) {
		return n.Value
	}
	return o.id(key)
}

// factor reads what is done to the score when the method is through.
func (r *reader) factor(f object, s *Scale) {
	if v, ok := f.number("times", optional); ok {
		if v <= 0 {
			r.fail(f.fields["times"], f.at("times"), "\"times\" must be above 0.")
			return
		}
		s.Times = v
	}
	s.Rounded, _ = f.boolean("rounded", optional)
}

// composite reads a score that is made of other scales.
func (r *reader) composite(f object, i *Instrument, above []Scale, s *Scale) {
	for _, key := range []string{"items", "reversed", "method", "times", "rounded", "missing_allowed", "min", "max", "reliability", "cutoff"} {
		if n := f.fields[key]; n != nil {
			r.fail(n, f.at(key), "A scale made of others (\"parts\") has no %q.", key)
		}
	}
	before := len(r.problems)
	for n, node := range f.list("parts", required, 1) {
		o, ok := r.object(node, fmt.Sprintf("%s[%d]", f.at("parts"), n), "scale", "weight")
		if !ok {
			continue
		}
		p := ScalePart{Scale: o.id("scale")}
		p.Weight, _ = o.number("weight", required)
		at := slices.IndexFunc(above, func(x Scale) bool { return x.ID == p.Scale })
		switch {
		case p.Scale == "":
		case at < 0 || len(above[at].Parts) > 0:
			r.fail(o.fields["scale"], o.at("scale"), "%q is no scale of items above this one.", p.Scale)
		case slices.ContainsFunc(s.Parts, func(x ScalePart) bool { return x.Scale == p.Scale }):
			r.fail(o.fields["scale"], o.at("scale"), "The scale %q is named twice.", p.Scale)
		default:
			s.Parts = append(s.Parts, p)
		}
	}
	if len(r.problems) == before && !r.itemsWrong {
		whole := *i
		whole.Scales = above
		s.Min, s.Max, _ = whole.compositeBounds(*s)
	}
}
