// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"fmt"
	"slices"
)

func (r *reader) scales(o object, i *Instrument) []Scale {
	var out []Scale
	seen := map[string]bool{}
	for n, node := range o.list("scales", required, 1) {
		f, ok := r.object(node, fmt.Sprintf("scales[%d]", n), "id", "name", "dimension", "items", "reversed", "method",
			"times", "rounded", "parts", "missing_allowed", "min", "max", "higher_is_better", "reliability", "cutoff")
		if !ok {
			continue
		}
		s := r.scale(f, i, out)
		if s.ID != "" && seen[s.ID] {
			r.fail(f.fields["id"], f.at("id"), "Two scales have the id %q.", s.ID)
		}
		seen[s.ID] = true
		out = append(out, s)
	}
	return out
}

// scale reads one scale; above are those that it may be made of.
func (r *reader) scale(f object, i *Instrument, above []Scale) Scale {
	s := Scale{
		ID:   f.id("id"),
		Name: f.text("name", required),
		Dimension: Dimension(f.oneOf("dimension", string(Bond), string(Tasks), string(Goals),
			string(Whole), string(Tension), string(Part))),
		HigherIsBetter: i.HigherIsBetter,
	}
	if v, ok := f.boolean("higher_is_better", optional); ok {
		s.HigherIsBetter = v
	}
	if f.fields["parts"] != nil {
		r.composite(f, i, above, &s)
		return s
	}
	s.Method = Method(f.oneOf("method", string(Mean), string(Sum)))
	complete := r.scaleItems(f, i, &s)
	r.reversed(f, &s)
	r.factor(f, &s)
	s.MissingAllowed, _ = f.integer("missing_allowed", optional, 0)
	ranged := complete && !r.itemsWrong
	if complete && s.MissingAllowed >= len(s.Items) {
		r.fail(f.fields["missing_allowed"], f.at("missing_allowed"),
			"\"missing_allowed\" (%d) must be below the number of items (%d).", s.MissingAllowed, len(s.Items))
		ranged = false
	}
	if ranged {
		r.oneRange(f, i, s)
		r.scaleRange(f, i, &s)
	}
	s.Reliability = r.reliability(f)
	s.Cutoff = r.cutoff(f, s, ranged)
	return s
}

// scaleItems reads the items of a scale; false if one of them is wrong, so that
// nothing further can be said about the range.
func (r *reader) scaleItems(f object, i *Instrument, s *Scale) bool {
	nodes := f.list("items", required, 1)
	for n, node := range nodes {
		path := fmt.Sprintf("%s[%d]", f.at("items"), n)
		id, ok := r.str(node, path)
		if !ok {
			continue
		}
		it, found := i.Item(id)
		switch {
		case !found:
			r.fail(node, path, "The form has no item %q.", id)
		case slices.Contains(s.Items, id):
			r.fail(node, path, "The scale names the item %q twice.", id)
		case it.Tension && s.Dimension != Tension && s.Dimension != "":
			r.fail(node, path, "The item %q asks about tension; only a scale of dimension \"tension\" may hold it.", id)
		case !it.Tension && s.Dimension == Tension:
			r.fail(node, path, "The item %q is not marked \"tension: true\".", id)
		default:
			s.Items = append(s.Items, id)
		}
	}
	return len(nodes) > 0 && len(s.Items) == len(nodes)
}

func (r *reader) reversed(f object, s *Scale) {
	for n, node := range f.list("reversed", optional, 0) {
		path := fmt.Sprintf("%s[%d]", f.at("reversed"), n)
		id, ok := r.str(node, path)
		switch {
		case !ok:
		case !slices.Contains(s.Items, id):
			r.fail(node, path, "The reversed item %q is not an item of this scale.", id)
		case slices.Contains(s.Reversed, id):
			r.fail(node, path, "The item %q is reversed twice.", id)
		default:
			s.Reversed = append(s.Reversed, id)
		}
	}
}

// oneRange refuses a mean over whichever items are there where these could not
// stand for each other: the score would depend on which of them is missing.
func (r *reader) oneRange(f object, i *Instrument, s Scale) {
	if s.MissingAllowed == 0 {
		return
	}
	first, _ := i.Item(s.Items[0])
	for _, id := range s.Items[1:] {
		if it, _ := i.Item(id); it.Min != first.Min || it.Max != first.Max {
			r.fail(f.fields["missing_allowed"], f.at("missing_allowed"), "Items may be missing only if all have the same range; %q and %q differ.", first.ID, id)
			return
		}
	}
}

// scaleRange derives the range, or takes a wider one from the file.
func (r *reader) scaleRange(f object, i *Instrument, s *Scale) {
	low, high, _ := i.bounds(*s)
	s.Min, s.Max = low, high
	if v, ok := f.number("min", optional); ok {
		if v > low {
			r.fail(f.fields["min"], f.at("min"), "The score can be as low as %v, below \"min\" (%v).", low, v)
		}
		s.Min = v
	}
	if v, ok := f.number("max", optional); ok {
		if v < high {
			r.fail(f.fields["max"], f.at("max"), "The score can be as high as %v, above \"max\" (%v).", high, v)
		}
		s.Max = v
	}
}

func (r *reader) reliability(f object) *Reliability {
	node := f.get("reliability", optional)
	if node == nil {
		return nil
	}
	o, ok := r.object(node, f.at("reliability"), "value", "sd", "source")
	if !ok {
		return nil
	}
	out := &Reliability{Source: o.str("source")}
	if out.Value, ok = o.number("value", required); ok && (out.Value < 0 || out.Value > 1) {
		r.fail(o.fields["value"], o.at("value"), "A reliability lies between 0 and 1.")
	}
	if out.SD, ok = o.number("sd", required); ok && out.SD <= 0 {
		r.fail(o.fields["sd"], o.at("sd"), "A standard deviation is above 0.")
	}
	return out
}

func (r *reader) cutoff(f object, s Scale, ranged bool) *Cutoff {
	node := f.get("cutoff", optional)
	if node == nil {
		return nil
	}
	o, ok := r.object(node, f.at("cutoff"), "value", "label", "source")
	if !ok {
		return nil
	}
	out := &Cutoff{Label: o.text("label", required), Source: o.str("source")}
	if out.Value, ok = o.number("value", required); ok && ranged && (out.Value < s.Min || out.Value > s.Max) {
		r.fail(o.fields["value"], o.at("value"), "The cutoff (%v) is outside the range of the score, %v to %v.", out.Value, s.Min, s.Max)
	}
	return out
}
