// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-project/entente/instrument"
)

// contained finds the value sets and code systems that the file carries.
func (r *reader) contained(q node) {
	for _, c := range q.list("contained") {
		switch kind := c.str("resourceType"); kind {
		case "ValueSet":
			r.sets["#"+c.str("id")] = c
			if url := c.str("url"); url != "" {
				r.sets[url] = c
			}
		case "CodeSystem":
			r.systems[c.str("url")] = c
		default:
			r.note(c.path, "What it contains of the kind %q is not read.", kind)
		}
	}
}

// answers reads what can be chosen, from the item or a value set, and then the
// number of each.
func (r *reader) answers(n node) []instrument.WordedOption {
	var out []answer
	switch set := n.str("answerValueSet"); {
	case n.has("answerOption") && set != "":
		r.fail(n.path, "The answers stand in two places (answerOption and answerValueSet); delete one of them.")
		return nil
	case n.has("answerOption"):
		for _, o := range n.list("answerOption") {
			if a, ok := r.option(o); ok {
				out = append(out, a)
			}
		}
		if len(out) == 0 && len(r.problems) == 0 {
			r.fail(n.at("answerOption"), "The list of answers is empty.")
		}
	case set != "":
		url, _, _ := strings.Cut(set, "|")
		c, ok := r.sets[url]
		if !ok {
			r.fail(n.at("answerValueSet"), "The answers stand outside the file (%s); put them into it, as answerOption or as a contained ValueSet.", set)
			return nil
		}
		if out = r.valueSet(c); len(out) == 0 {
			r.fail(c.path, "The ValueSet names no answers; list them under compose.include.concept or expansion.contains.")
		}
	default:
		r.fail(n.path, "The question has no answers to choose; add them as answerOption, each with its number.")
	}
	return r.scored(out)
}

// answer is one answer and where its number was found.
type answer struct {
	instrument.WordedOption
	path   string
	plain  *float64 // it is a number itself
	number *float64 // of an extension
}

// option reads one answerOption.
func (r *reader) option(n node) (answer, bool) {
	n.unread("id", "extension", "valueCoding", "valueInteger", "valueString", "valueDecimal", "initialSelected", "modifierExtension")
	a := answer{path: n.path}
	if n.flag("initialSelected") {
		r.note(n.at("initialSelected"), "The answer that is chosen beforehand is not taken over.")
	}
	a.number = r.score(n, nil)
	for _, key := range []string{"_valueInteger", "_valueString", "_valueDecimal"} {
		if more, ok := n.object(key); ok {
			a.number = r.score(more, a.number)
		}
	}
	switch {
	case n.has("valueCoding"):
		c, ok := n.object("valueCoding")
		if !ok {
			return a, false
		}
		r.coding(c, &a)
	case n.has("valueInteger"):
		a.plain = n.number("valueInteger", n.fields["valueInteger"])
	case n.has("valueDecimal"):
		a.plain = n.number("valueDecimal", n.fields["valueDecimal"])
	case n.has("valueString") || n.has("_valueString"):
		a.Label = n.words("valueString")
		if len(a.Label) == 0 {
			r.fail(n.path, "The answer has no words.")
		}
		a.plain = asNumber(n.str("valueString"))
	default:
		r.fail(n.path, "The answer has no value that can be chosen; write it as valueCoding, valueInteger or valueString.")
		return a, false
	}
	return a, true
}

// coding reads an answer with a code, from a list of options or a value set.
func (r *reader) coding(c node, a *answer) {
	a.Code = instrument.Code{System: c.str("system"), Value: c.str("code")}
	a.Label = c.words("display")
	a.number = r.score(c, a.number)
	a.Declined = a.Code.System == absentSystem
	if s, ok := r.systems[a.Code.System]; ok {
		r.fromSystem(s, a)
	}
	if len(a.Label) == 0 && a.Code.Value == "" {
		r.fail(c.path, "The answer has neither a code nor words (display).")
	}
	a.plain = asNumber(a.Code.Value)
}

// fromSystem looks an answer up in a code system that the file carries.
func (r *reader) fromSystem(s node, a *answer) {
	for _, c := range s.list("concept") {
		if c.str("code") != a.Code.Value {
			continue
		}
		if len(a.Label) == 0 {
			a.Label = c.words("display")
		}
		a.number = r.score(c, a.number)
		for _, p := range c.list("property") {
			if code := p.str("code"); code == "itemWeight" || code == "ordinalValue" {
				a.number = r.same(p, p.numeric(), a.number)
			}
		}
	}
}

// valueSet reads the answers of a contained value set; what was expanded is what
// its maker meant to be chosen, and stands before what it is composed of.
func (r *reader) valueSet(c node) (out []answer) {
	take := func(list []node, system string) {
		for _, n := range list {
			a := answer{path: n.path}
			if system != "" {
				n = node{n.r, withSystem(n.fields, system), n.path}
			}
			r.coding(n, &a)
			out = append(out, a)
		}
	}
	if e, ok := c.object("expansion"); ok && e.has("contains") {
		take(e.list("contains"), "")
		return out
	}
	compose, ok := c.object("compose")
	if !ok {
		return nil
	}
	if compose.has("exclude") {
		r.fail(compose.at("exclude"), "The ValueSet takes answers away again (exclude); list only those that can be chosen.")
	}
	for _, inc := range compose.list("include") {
		if inc.has("filter") || inc.has("valueSet") {
			r.fail(inc.path, "The ValueSet takes its answers from elsewhere (filter or valueSet); list them under concept.")
		}
		concepts, system := inc.list("concept"), inc.str("system")
		if s, ok := r.systems[system]; ok && len(concepts) == 0 {
			concepts = s.list("concept")
		}
		take(concepts, system)
	}
	return out
}

func withSystem(fields map[string]any, system string) map[string]any {
	out := map[string]any{"system": system}
	for key, v := range fields {
		out[key] = v
	}
	return out
}

// score is the number that the extensions of an element give, which has to agree
// with one found before.
func (r *reader) score(n node, before *float64) *float64 {
	wanted := map[string]func(node){}
	for _, url := range scoreURLs {
		wanted[url] = func(e node) { before = r.same(e, e.numeric(), before) }
	}
	n.extensions(wanted)
	return before
}

func (r *reader) same(e node, v, before *float64) *float64 {
	if v == nil || before == nil || *v == *before {
		if v == nil {
			return before
		}
		return v
	}
	r.fail(e.path, "The answer has two numbers, %v and %v; delete the one that is wrong.", *before, *v)
	return before
}

var decimal = regexp.MustCompile(`^-?[0-9]{1,9}(\.[0-9]{1,9})?$`)

// asNumber is the number that a text is; nil if it is none.
func asNumber(s string) *float64 {
	s = strings.TrimSpace(s)
	if f, err := strconv.ParseFloat(s, 64); err == nil && decimal.MatchString(s) {
		return &f
	}
	return nil
}

// scored settles the number of each answer. Numbers given by extensions come
// first; the answers' own numbers or codes are taken only where every one of them
// is a number and none has an extension, so that a code such as "0" among codes
// of another kind is never mistaken for a score.
func (r *reader) scored(in []answer) (out []instrument.WordedOption) {
	given := slices.ContainsFunc(in, func(a answer) bool { return a.number != nil })
	own := !slices.ContainsFunc(in, func(a answer) bool { return a.plain == nil && !a.Declined })
	for _, a := range in {
		v := a.number
		if !given && own && !a.Declined {
			v = a.plain
		}
		if a.Declined && v != nil {
			r.note(a.path, "The number of an answer that says nothing is not taken over.")
			v = nil
		}
		if v != nil {
			a.Value, a.Scored = *v, true
		}
		if a.plain != nil && a.Code == (instrument.Code{}) && len(a.Label) == 0 && (v == nil || *v != *a.plain) {
			a.Label = instrument.Text{r.language: trim(*a.plain)}
		}
		out = append(out, a.WordedOption)
	}
	return out
}
