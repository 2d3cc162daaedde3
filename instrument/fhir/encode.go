// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/entente-project/entente/instrument"
)

// The shapes of R4, as far as they are written. A field that begins with an
// underscore carries the extensions of the one without it.
type (
	resource struct {
		ResourceType    string       `json:"resourceType"`
		ID              string       `json:"id,omitempty"`
		Language        string       `json:"language,omitempty"`
		Extension       []extension  `json:"extension,omitempty"`
		URL             string       `json:"url,omitempty"`
		Identifier      []identifier `json:"identifier,omitempty"`
		Version         string       `json:"version,omitempty"`
		Name            string       `json:"name,omitempty"`
		Title           string       `json:"title,omitempty"`
		TitleMore       *more        `json:"_title,omitempty"`
		Status          string       `json:"status"`
		SubjectType     []string     `json:"subjectType,omitempty"`
		Publisher       string       `json:"publisher,omitempty"`
		Description     string       `json:"description,omitempty"`
		DescriptionMore *more        `json:"_description,omitempty"`
		Copyright       string       `json:"copyright,omitempty"`
		CopyrightMore   *more        `json:"_copyright,omitempty"`
		Item            []item       `json:"item,omitempty"`
	}
	identifier struct {
		System string `json:"system,omitempty"`
		Value  string `json:"value"`
	}
	item struct {
		Extension    []extension    `json:"extension,omitempty"`
		LinkID       string         `json:"linkId"`
		Code         []coding       `json:"code,omitempty"`
		Prefix       string         `json:"prefix,omitempty"`
		Text         string         `json:"text,omitempty"`
		TextMore     *more          `json:"_text,omitempty"`
		Type         string         `json:"type"`
		Required     bool           `json:"required,omitempty"`
		Repeats      bool           `json:"repeats,omitempty"`
		ReadOnly     bool           `json:"readOnly,omitempty"`
		AnswerOption []answerOption `json:"answerOption,omitempty"`
		Item         []item         `json:"item,omitempty"`
	}
	answerOption struct {
		Extension   []extension `json:"extension,omitempty"`
		ValueInt    *int        `json:"valueInteger,omitempty"`
		ValueString string      `json:"valueString,omitempty"`
		StringMore  *more       `json:"_valueString,omitempty"`
		ValueCoding *coding     `json:"valueCoding,omitempty"`
	}
	coding struct {
		System      string `json:"system,omitempty"`
		Code        string `json:"code,omitempty"`
		Display     string `json:"display,omitempty"`
		DisplayMore *more  `json:"_display,omitempty"`
	}
	more struct {
		Extension []extension `json:"extension"`
	}
	extension struct {
		URL             string      `json:"url"`
		Extension       []extension `json:"extension,omitempty"`
		ValueCode       string      `json:"valueCode,omitempty"`
		ValueString     string      `json:"valueString,omitempty"`
		ValueMarkdown   string      `json:"valueMarkdown,omitempty"`
		ValueDecimal    *float64    `json:"valueDecimal,omitempty"`
		ValueInteger    *int        `json:"valueInteger,omitempty"`
		ValueConcept    *concept    `json:"valueCodeableConcept,omitempty"`
		ValueExpression *expression `json:"valueExpression,omitempty"`
	}
	concept struct {
		Coding []coding `json:"coding"`
	}
	expression struct {
		Description string `json:"description,omitempty"`
		Name        string `json:"name,omitempty"`
		Language    string `json:"language"`
		Expression  string `json:"expression"`
	}
)

// Encode writes words as an R4 Questionnaire: Decode of it has the same title,
// owner and parts. The score of an answer is written as ordinalValue, whichever
// way it came in; how a calculated part was calculated is not known any more.
func Encode(to io.Writer, words *instrument.Wording) error {
	e := encoder{words.Language}
	q := e.resource(words)
	if words.Source != "" {
		system, value, two := strings.Cut(words.Source, "|")
		if !two {
			system, value = "", words.Source
		}
		q.Identifier = []identifier{{system, value}}
	}
	return write(to, q)
}

func write(to io.Writer, q resource) error {
	j := json.NewEncoder(to)
	j.SetIndent("", "  ")
	j.SetEscapeHTML(false)
	if err := j.Encode(q); err != nil {
		return fmt.Errorf("write the questionnaire: %w", err)
	}
	return nil
}

type encoder struct{ language string }

func (e encoder) resource(w *instrument.Wording) resource {
	q := resource{ResourceType: "Questionnaire", Language: w.Language, Status: "active"}
	q.Title, q.TitleMore = e.words(w.Title, false)
	q.Description, q.DescriptionMore = e.words(w.About, true)
	q.Copyright, q.CopyrightMore = e.words(w.Owner, true)
	q.Item = e.items(w.Parts)
	return q
}

// words are a text in the main language, and its translations.
func (e encoder) words(t instrument.Text, markdown bool) (string, *more) {
	var m more
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		if lang == e.language {
			continue
		}
		content := extension{URL: "content", ValueString: t[lang]}
		if markdown {
			content.ValueString, content.ValueMarkdown = "", t[lang]
		}
		m.Extension = append(m.Extension, extension{URL: translationURL, Extension: []extension{{URL: "lang", ValueCode: lang}, content}})
	}
	if len(m.Extension) == 0 {
		return t[e.language], nil
	}
	return t[e.language], &m
}

func (e encoder) items(parts []instrument.WordedPart) (out []item) {
	for _, p := range parts {
		out = append(out, e.item(p))
	}
	return out
}

func (e encoder) item(p instrument.WordedPart) item {
	i := item{LinkID: p.ID, Prefix: p.Prefix, Required: p.Required, Repeats: p.Many}
	i.Text, i.TextMore = e.words(p.Text, false)
	if p.Code != (instrument.Code{}) {
		i.Code = []coding{{System: p.Code.System, Code: p.Code.Value}}
	}
	switch p.Kind {
	case instrument.GroupPart:
		i.Type = "group"
	case instrument.CalculatedPart:
		i.Type, i.ReadOnly = p.Type, true
	case instrument.QuestionPart:
		e.question(p, &i)
	default:
		i.Type = p.Type
	}
	i.Item = append(i.Item, e.items(p.Parts)...)
	return i
}

func (e encoder) question(p instrument.WordedPart, i *item) {
	switch {
	case p.Line != nil:
		e.line(p, i)
	case p.Type == "boolean":
		i.Type = p.Type
	default:
		i.Type = "choice"
		for _, o := range p.Options {
			i.AnswerOption = append(i.AnswerOption, e.option(o))
		}
	}
}

func control(code string) extension {
	return extension{URL: controlURL, ValueConcept: &concept{[]coding{{System: controlSystem, Code: code}}}}
}

// line is a number between two ends, whose labels are items of their own.
func (e encoder) line(p instrument.WordedPart, i *item) {
	i.Type = "decimal"
	if integral(p.Line.Min) && integral(p.Line.Max) && integral(p.Line.Step) {
		i.Type = "integer"
	}
	limit := func(url string, v *float64) {
		switch {
		case v == nil:
		case i.Type == "integer":
			i.Extension = append(i.Extension, extension{URL: url, ValueInteger: ptr(int(*v))})
		case url == stepURL:
			i.Extension = append(i.Extension, extension{URL: fineStepURL, ValueDecimal: v})
		default:
			i.Extension = append(i.Extension, extension{URL: url, ValueDecimal: v})
		}
	}
	if p.Line.Min != nil && p.Line.Max != nil {
		i.Extension = append(i.Extension, control("slider"))
	}
	limit(minURL, p.Line.Min)
	limit(maxURL, p.Line.Max)
	limit(stepURL, p.Line.Step)
	for _, end := range []struct {
		code string
		text instrument.Text
	}{{"lower", p.Line.Low}, {"upper", p.Line.High}} {
		if len(end.text) == 0 {
			continue
		}
		label := item{LinkID: p.ID + "-" + end.code, Type: "display", Extension: []extension{control(end.code)}}
		label.Text, label.TextMore = e.words(end.text, false)
		i.Item = append(i.Item, label)
	}
}

func integral(v *float64) bool { return v == nil || *v == math.Trunc(*v) }

func ptr[T any](v T) *T { return &v }

func (e encoder) option(o instrument.WordedOption) answerOption {
	var a answerOption
	if o.Scored {
		a.Extension = []extension{{URL: ordinalURL, ValueDecimal: ptr(o.Value)}}
	}
	code := o.Code
	if o.Declined {
		code = instrument.Code{System: absentSystem, Value: declinedCode}
	}
	switch {
	case code != (instrument.Code{}):
		a.ValueCoding = &coding{System: code.System, Code: code.Value}
		a.ValueCoding.Display, a.ValueCoding.DisplayMore = e.words(o.Label, false)
	case len(o.Label) == 0 && integral(&o.Value):
		a.Extension, a.ValueInt = nil, ptr(int(o.Value))
	case len(o.Label) == 0:
		a.ValueString = trim(o.Value)
	default:
		a.ValueString, a.StringMore = e.words(o.Label, false)
	}
	return a
}
