// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
)

// Types of items that are answered in words or in other ways no scale takes.
var openTypes = []string{"string", "text", "date", "dateTime", "time", "url", "attachment", "reference", "quantity"}

func (r *reader) parts(of node, seen map[string]string) (out []instrument.WordedPart) {
	for _, n := range of.list("item") {
		if p, ok := r.part(n, seen); ok {
			out = append(out, p)
		}
	}
	return out
}

// part reads one item and those below it; false for one that only labels the
// ends of the line above it.
func (r *reader) part(n node, seen map[string]string) (instrument.WordedPart, bool) {
	n.unread("id", "extension", "modifierExtension", "linkId", "definition", "code", "prefix", "text", "type", "enableWhen", "enableBehavior", "disabledDisplay",
		"required", "repeats", "readOnly", "maxLength", "answerValueSet", "answerOption", "answerConstraint", "initial", "item", "option", "options")
	p := instrument.WordedPart{ID: strings.TrimSpace(n.str("linkId")), Prefix: n.str("prefix"), Path: n.path, Text: n.words("text"), Required: n.flag("required"), Many: n.flag("repeats")}
	if p.ID == "" {
		r.fail(n.at("linkId"), "The item has no linkId; give each one of its own.")
	}
	if n.has("modifierExtension") {
		r.fail(n.at("modifierExtension"), "The item must not be read without understanding an addition of its maker's; ask them for a plain export.")
	}
	if n.has("option") || n.has("options") {
		r.fail(n.path, "The answers stand as in FHIR STU3 (option); export the questionnaire as FHIR R4, with answerOption.")
	}
	if n.has("enableWhen") {
		r.note(n.at("enableWhen"), "The item is asked there only on a condition; here it is always asked.")
	}
	if n.has("initial") {
		r.note(n.at("initial"), "The answer that is filled in beforehand is not taken over.")
	}
	for _, c := range n.list("code") {
		if p.Code == (instrument.Code{}) {
			p.Code = instrument.Code{System: c.str("system"), Value: c.str("code")}
		}
	}
	x := n.traits()
	p.Parts = r.parts(n, seen)
	r.kind(n, &p, x)
	if p.Kind == instrument.GroupPart && len(p.Parts) == 0 {
		r.note(n.path, "The group holds nothing.")
	}
	if p.Kind == instrument.QuestionPart && len(p.Text) == 0 {
		r.note(n.path, "The question has no text.")
	}
	return p, x.control != "lower" && x.control != "upper"
}

// traits are what the extensions of an item say.
type traits struct {
	control        string
	calculated     bool
	min, max, step *float64
}

func (n node) traits() (x traits) {
	wanted := map[string]func(node){
		controlURL: func(e node) {
			if c, ok := e.object("valueCodeableConcept"); ok {
				for _, coding := range c.list("coding") {
					x.control = coding.str("code")
				}
			}
		},
		minURL:      func(e node) { x.min = e.numeric() },
		maxURL:      func(e node) { x.max = e.numeric() },
		stepURL:     func(e node) { x.step = e.numeric() },
		fineStepURL: func(e node) { x.step = e.numeric() },
	}
	for _, url := range calculatedURLs {
		wanted[url] = func(node) { x.calculated = true }
	}
	n.extensions(wanted)
	return x
}

// numeric is the number an extension holds; nil after a problem.
func (n node) numeric() *float64 {
	for _, key := range []string{"valueDecimal", "valueInteger"} {
		if v, there := n.fields[key]; there {
			return n.number(key, v)
		}
	}
	n.r.fail(n.path, "The extension must hold a number (valueDecimal or valueInteger).")
	return nil
}

// maxNumber is that of package instrument.
const maxNumber = 1e9

func (n node) number(key string, v any) *float64 {
	text := ""
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
		n.r.note(n.at(key), "A number is written as text.")
	}
	f, err := json.Number(text).Float64()
	if err != nil || math.IsNaN(f) || math.Abs(f) > maxNumber {
		n.r.fail(n.at(key), "%q must be a number, not %s.", key, kindOf(v))
		return nil
	}
	return &f
}

// kind tells what an item is and reads its answers.
func (r *reader) kind(n node, p *instrument.WordedPart, x traits) {
	calculated := x.calculated || n.flag("readOnly") || scoreCode(p.Code)
	switch t := n.str("type"); {
	case t == "":
		r.fail(n.at("type"), "The item has no type; a question with answers to choose is a \"choice\".")
	case t == "group":
		p.Kind = instrument.GroupPart
	case t == "display":
		p.Kind, p.Type = instrument.ToldPart, t
	case t == "choice" || t == "open-choice" || t == "coding":
		p.Kind = instrument.QuestionPart
		if t == "coding" {
			r.note(n.at("type"), "The item has a type of FHIR R5 (coding); it is taken as a choice.")
		}
		if t == "open-choice" {
			r.note(n.at("type"), "An answer in one's own words is not taken over; only the choices are.")
		}
		p.Options = r.answers(n)
	case t == "boolean":
		p.Kind, p.Type = instrument.QuestionPart, t
		p.Options = []instrument.WordedOption{
			{Value: 0, Scored: true, Label: instrument.Text{"en": "no", "it": "no"}}, {Value: 1, Scored: true, Label: instrument.Text{"en": "yes", "it": "sì"}},
		}
		r.note(n.at("type"), "The item is answered by yes or no; no is taken as 0 and yes as 1.")
	case (t == "integer" || t == "decimal") && calculated, t == "quantity" && calculated:
		p.Kind, p.Type = instrument.CalculatedPart, t
	case (t == "integer" || t == "decimal") && n.has("answerOption"):
		p.Kind = instrument.QuestionPart
		p.Options = r.answers(n)
	case t == "integer" || t == "decimal":
		p.Kind = instrument.QuestionPart
		p.Line = r.line(n, x)
	case slices.Contains(openTypes, t):
		p.Kind, p.Type = instrument.OpenPart, t
	default:
		r.fail(n.at("type"), "The type %q is none of FHIR R4.", t)
	}
}

// Codes of LOINC under which panels carry their total as an item: PHQ-9, GAD-7,
// PHQ-2, PHQ-15, GAD-2, WHO-5 and the sum of a survey in general.
var scoreCodes = []string{"44261-6", "70274-6", "55758-7", "69669-0", "70273-8", "89553-2", "96905-5"}

func scoreCode(c instrument.Code) bool {
	return c.System == "http://loinc.org" && slices.Contains(scoreCodes, c.Value)
}

// line reads an item that is answered by a number.
func (r *reader) line(n node, x traits) *instrument.WordedLine {
	l := &instrument.WordedLine{Min: x.min, Max: x.max, Step: x.step}
	if l.Min != nil && l.Max != nil && *l.Min >= *l.Max {
		r.fail(n.path, "The least answer (%v) must be below the greatest (%v).", *l.Min, *l.Max)
	}
	for _, c := range n.list("item") {
		quiet := node{&reader{again: map[string]int{}, language: r.language}, c.fields, c.path}
		switch quiet.traits().control {
		case "lower":
			l.Low = quiet.words("text")
		case "upper":
			l.High = quiet.words("text")
		}
	}
	return l
}
