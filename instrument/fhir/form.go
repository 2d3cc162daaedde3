// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-project/entente/instrument"
)

// Where forms and the codes of their answers have their names. They are names and
// no promise that something is to be found there.
const (
	formURL = "https://github.com/entente-project/entente/Questionnaire/"
	codeURL = "https://github.com/entente-project/entente/CodeSystem/"
)

// EncodeForm writes a form as an R4 Questionnaire with an item for each of its
// scores, which a renderer that knows calculatedExpression works out as Score
// does; the notes say what the file cannot hold. Bind of KeyOf(f) and what Decode
// reads is f again.
func EncodeForm(to io.Writer, f *instrument.Instrument) ([]instrument.Note, error) {
	words := instrument.WordingOf(f)
	for i, p := range words.Parts {
		for n, o := range p.Options {
			if o.Scored {
				words.Parts[i].Options[n].Code = instrument.Code{System: codeURL + f.ID, Value: trim(o.Value)}
			}
		}
	}
	e := encoder{words.Language}
	q := e.resource(words)
	q.ID, q.URL, q.Version, q.Name = fmt.Sprintf("%s-v%d", f.ID, f.Version), formURL+f.ID, strconv.Itoa(f.Version), machineName(f.ID)
	q.SubjectType, q.Publisher = []string{"Patient"}, f.Licence.Holder
	if len(q.ID) > 64 { // the longest id of R4
		q.ID = ""
	}
	scores, notes := calculations(f)
	q.Extension = scores.variables
	for n, s := range f.Scales {
		i := item{LinkID: "score-" + s.ID, Type: "decimal", ReadOnly: true}
		i.Text, i.TextMore = e.words(s.Name, false)
		if name := scores.names[n]; name != "" {
			i.Extension = []extension{{URL: calculatedURL, ValueExpression: &expression{Description: how(s), Language: "text/fhirpath", Expression: "%" + name}}}
		}
		q.Item = append(q.Item, i)
	}
	if !f.Validated {
		notes = append(notes, instrument.Note{Message: "The form is not yet validated; say so wherever it is shown."})
	}
	return notes, write(to, q)
}

// machineName is an id as R4 wants names: SessionClientAdult.
func machineName(id string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if name := b.String(); name[0] >= 'A' && name[0] <= 'Z' {
		return name
	}
	return "Q" + b.String()
}

// how is the rule of a scale in words.
func how(s instrument.Scale) string {
	if len(s.Parts) > 0 {
		return "made of other scores"
	}
	text := string(s.Method) + " of " + strings.Join(s.Items, ", ")
	if len(s.Reversed) > 0 {
		text += "; turned round: " + strings.Join(s.Reversed, ", ")
	}
	if s.Times != 0 {
		text += "; times " + trim(s.Times)
	}
	if s.Rounded {
		text += "; rounded"
	}
	return text + fmt.Sprintf("; at most %d missing", s.MissingAllowed)
}

type calculated struct {
	variables []extension
	names     []string // of the variable with each scale's score
}

func (c *calculated) add(name, fhirpath string) {
	c.variables = append(c.variables, extension{URL: variableURL, ValueExpression: &expression{Name: name, Language: "text/fhirpath", Expression: fhirpath}})
}

// calculations are the scores as FHIRPath: a variable for each item's number,
// empty where there is none, one for the terms of each scale, and one for its score.
func calculations(f *instrument.Instrument) (c calculated, notes []instrument.Note) {
	for n, it := range f.Items {
		c.add(fmt.Sprintf("v%d", n+1), itemPath(it))
	}
	c.names = make([]string, len(f.Scales))
	for n, s := range f.Scales {
		path := scalePath(f, s, n, &c)
		if path == "" {
			notes = append(notes, instrument.Note{Path: s.ID, Message: fmt.Sprintf("How the score %q is made cannot be written; its item stands there without a calculation.", s.ID)})
			continue
		}
		c.names[n] = fmt.Sprintf("s%d", n+1)
		c.add(c.names[n], path)
	}
	return c, notes
}

func itemPath(it instrument.Item) string {
	given := "%resource.item.where(linkId = '" + it.ID + "').answer.value"
	if it.Display == instrument.Line {
		return given
	}
	return "%questionnaire.item.where(linkId = '" + it.ID + "').answerOption.where(value.code = " + given + ".code).extension.where(url = '" + ordinalURL + "').value"
}

// scalePath is the score of one scale, empty where too much is missing; "" for a
// scale whose method is not known.
func scalePath(f *instrument.Instrument, s instrument.Scale, n int, c *calculated) string {
	if len(s.Parts) > 0 {
		var sum []string
		for _, p := range s.Parts {
			at := slices.IndexFunc(f.Scales, func(o instrument.Scale) bool { return o.ID == p.Scale })
			if at < 0 || c.names[at] == "" {
				return ""
			}
			sum = append(sum, fmt.Sprintf("(%%%s * (%s))", c.names[at], trim(p.Weight)))
		}
		return strings.Join(sum, " + ")
	}
	terms := ""
	for _, id := range s.Items {
		at := slices.IndexFunc(f.Items, func(it instrument.Item) bool { return it.ID == id })
		if at < 0 {
			return ""
		}
		term := fmt.Sprintf("%%v%d", at+1)
		if slices.Contains(s.Reversed, id) {
			term = fmt.Sprintf("(%s - %s)", trim(f.Items[at].Min+f.Items[at].Max), term)
		}
		if terms == "" {
			terms = term
		} else {
			terms += ".combine(" + term + ")"
		}
	}
	all := fmt.Sprintf("t%d", n+1)
	c.add(all, terms)
	score := "%" + all + ".aggregate($this + $total, 0)"
	if s.Times != 0 {
		score += " * " + trim(s.Times)
	}
	switch {
	case s.Method == instrument.Mean:
		score += " / %" + all + ".count()"
	case s.Method != instrument.Sum:
		return ""
	case s.MissingAllowed > 0:
		score += fmt.Sprintf(" * %d / %%%s.count()", len(s.Items), all)
	}
	if s.Rounded {
		score = "(" + score + " + 0.5).floor()"
	}
	return fmt.Sprintf("iif(%%%s.count() >= %d, %s, {})", all, len(s.Items)-s.MissingAllowed, score)
}
