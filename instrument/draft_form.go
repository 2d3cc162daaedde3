// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The file of a form, in the order in which people read it. Whatever may have
// been typed wrong is of type any, so that Parse says so and not the writer.
type formFile struct {
	ID             string       `yaml:"id"`
	Version        int          `yaml:"version"`
	Kind           string       `yaml:"kind"`
	Languages      []string     `yaml:"languages,flow"`
	Name           Text         `yaml:"name"`
	Title          Text         `yaml:"title"`
	Intro          Text         `yaml:"intro"`
	Informant      string       `yaml:"informant"`
	Ages           []AgeBand    `yaml:"ages,flow"`
	Settings       []Setting    `yaml:"settings,flow,omitempty"`
	Predicts       string       `yaml:"predicts,omitempty"`
	Period         string       `yaml:"period"`
	HigherIsBetter bool         `yaml:"higher_is_better"`
	Validated      bool         `yaml:"validated"`
	Licence        licenceFile  `yaml:"licence"`
	Items          []*itemFile  `yaml:"items"`
	Scales         []*scaleFile `yaml:"scales"`
	CommentPrompt  Text         `yaml:"comment_prompt,omitempty"`
}

type licenceFile struct {
	SPDX   string `yaml:"spdx"`
	Holder string `yaml:"holder"`
	Notice Text   `yaml:"notice"`
}

type itemFile struct {
	ID      string       `yaml:"id"`
	Text    Text         `yaml:"text"`
	Display string       `yaml:"display"`
	Min     any          `yaml:"min,omitempty"`
	Max     any          `yaml:"max,omitempty"`
	Step    any          `yaml:"step,omitempty"`
	Low     Text         `yaml:"low,omitempty"`
	High    Text         `yaml:"high,omitempty"`
	Options []optionFile `yaml:"options,omitempty"`
	Drawing string       `yaml:"drawing,omitempty"`
	Tension bool         `yaml:"tension,omitempty"`
}

type optionFile struct {
	Value    any  `yaml:"value"`
	Label    Text `yaml:"label"`
	NoAnswer bool `yaml:"no_answer,omitempty"`
}

type scaleFile struct {
	ID             string           `yaml:"id"`
	Name           Text             `yaml:"name"`
	Dimension      string           `yaml:"dimension"`
	Items          []string         `yaml:"items,flow"`
	Reversed       []string         `yaml:"reversed,flow,omitempty"`
	Method         string           `yaml:"method"`
	MissingAllowed any              `yaml:"missing_allowed"`
	Min            *float64         `yaml:"min,omitempty"`
	Max            *float64         `yaml:"max,omitempty"`
	HigherIsBetter *bool            `yaml:"higher_is_better,omitempty"`
	Reliability    *reliabilityFile `yaml:"reliability,omitempty"`
	Cutoff         *cutoffFile      `yaml:"cutoff,omitempty"`
}

type reliabilityFile struct {
	Value  float64 `yaml:"value"`
	SD     float64 `yaml:"sd"`
	Source string  `yaml:"source"`
}

type cutoffFile struct {
	Value  float64 `yaml:"value"`
	Label  Text    `yaml:"label"`
	Source string  `yaml:"source"`
}

// YAML is the draft as the file of a version, right or wrong.
func (d Draft) YAML(id string, version int) (string, error) {
	f := formFile{
		ID: id, Version: version, Kind: string(d.Kind), Languages: d.Languages, Name: d.in(d.Name), Title: d.in(d.Title), Intro: d.in(d.Intro), Informant: string(d.Informant),
		Ages: d.Ages, Settings: d.Settings, Predicts: d.Predicts, Period: d.Period, HigherIsBetter: d.HigherIsBetter, Validated: d.Validated,
		Licence: licenceFile{d.SPDX, d.Holder, d.in(d.Notice)}, Items: []*itemFile{}, Scales: []*scaleFile{},
	}
	if f.Languages == nil {
		f.Languages = []string{}
	}
	if f.Ages == nil {
		f.Ages = []AgeBand{}
	}
	for _, s := range d.Comment {
		if strings.TrimSpace(s) != "" {
			f.CommentPrompt = d.in(d.Comment)
		}
	}
	for _, it := range d.Items {
		f.Items = append(f.Items, d.itemFile(it))
	}
	for _, s := range d.Scales {
		f.Scales = append(f.Scales, d.scaleFile(s))
	}
	out, err := yaml.Marshal(f)
	return string(out), err
}

// in is a text in every declared language, empty where nothing was typed.
func (d Draft) in(t Text) Text {
	out := Text{}
	for _, lang := range d.Languages {
		out[lang] = strings.TrimSpace(t[lang])
	}
	return out
}

func (d Draft) itemFile(it DraftItem) *itemFile {
	a := d.Answers
	if it.Own != nil {
		a = *it.Own
	}
	f := &itemFile{ID: it.ID, Text: d.in(it.Text), Display: string(a.Display), Tension: it.Tension}
	if a.Display == Line {
		f.Min, f.Max, f.Step, f.Low, f.High = typed(a.Min), typed(a.Max), typed(a.Step), d.in(a.Low), d.in(a.High)
		return f
	}
	f.Drawing = string(it.Drawing)
	for _, o := range a.Options {
		f.Options = append(f.Options, optionFile{typed(o.Value), d.in(o.Label), o.NoAnswer})
	}
	return f
}

func (d Draft) scaleFile(s DraftScale) *scaleFile {
	f := &scaleFile{ID: s.ID, Name: d.in(s.Name), Dimension: string(s.Dimension), Items: []string{}, Method: string(s.Method), MissingAllowed: typed(s.Missing), Min: s.Min, Max: s.Max, HigherIsBetter: s.HigherIsBetter}
	ids, _ := d.ItemsOf(s) // what cannot be read is named by Form
	for _, it := range d.Items {
		if slices.Contains(ids, it.ID) {
			f.Items = append(f.Items, it.ID)
			if it.Reversed {
				f.Reversed = append(f.Reversed, it.ID)
			}
		}
	}
	if r := s.Reliability; r != nil {
		f.Reliability = &reliabilityFile{r.Value, r.SD, r.Source}
	}
	if c := s.Cutoff; c != nil {
		f.Cutoff = &cutoffFile{c.Value, c.Label, c.Source}
	}
	return f
}

var decimalNumber = regexp.MustCompile(`^[-+−]?\d{1,15}([.,]\d{1,9})?$`)

// typed is a number as people type one, with a comma or a point, or else the
// text as it stands.
func typed(s string) any {
	s = strings.TrimSpace(s)
	if decimalNumber.MatchString(s) {
		if v, err := strconv.ParseFloat(strings.NewReplacer(",", ".", "−", "-").Replace(s), 64); err == nil {
			return v
		}
	}
	return s
}

// DraftProblem is one mistake in a draft. Path is as in [Problem], with "answers"
// for what is wrong with the shared answers; Reason is one word for what it is,
// empty where only Message says it.
type DraftProblem struct {
	Path, Reason, Message string
}

// Form is the draft as a version of a form, or what is wrong with it.
func (d Draft) Form(id string, version int) (*Instrument, []DraftProblem) {
	if len(d.Languages) == 0 { // nothing can be said of texts then
		return nil, []DraftProblem{{"languages", "too_few", "A form needs a language."}}
	}
	text, err := d.YAML(id, version)
	if err != nil {
		return nil, []DraftProblem{{Message: err.Error()}}
	}
	f, err := Parse(id, []byte(text))
	var out []DraftProblem
	if p, ok := errors.AsType[*ParseError](err); ok {
		for _, x := range p.Problems {
			out = d.add(out, x)
		}
	}
	if len(d.Items) == 0 { // the answers are looked at before there is an item
		with := d
		with.Items = []DraftItem{{ID: "q1", Text: Text{}}}
		_, all := with.Form(id, version)
		for _, x := range all {
			if strings.HasPrefix(x.Path, "answers") {
				out = append(out, x)
			}
		}
	}
	for n, s := range d.Scales {
		if _, ok := d.ItemsOf(s); !ok {
			at := "scales[" + strconv.Itoa(n) + "].items"
			out = slices.DeleteFunc(out, func(x DraftProblem) bool { return x.Path == at })
			out = append(out, DraftProblem{at, "places", "Only places of the items may stand here, such as 1-5, 8."})
		}
	}
	if len(out) == 0 && f.Kind != Process && !f.drawn() {
		out = append(out, DraftProblem{"scales", "nothing_drawn", "A course needs a scale for the whole, or two of bond, tasks and goals."})
	}
	if len(out) > 0 {
		return nil, out
	}
	return f, nil
}

// drawn reports whether a course of the form has anything to show.
func (i *Instrument) drawn() bool {
	n := 0
	for _, d := range i.Dimensions() {
		switch d {
		case Whole:
			return true
		case Bond, Tasks, Goals:
			n++
		}
	}
	return n > 1 || len(i.Scales) == 1
}

var itemPath = regexp.MustCompile(`^items\[(\d+)\]\.(options|min|max|step|low|high|display)`)

// add puts a mistake in the shared answers once, whichever item Parse met it in,
// and leaves out what follows from another mistake.
func (d Draft) add(out []DraftProblem, p Problem) []DraftProblem {
	x := DraftProblem{Path: p.Path, Message: p.Message, Reason: reasonOf(p)}
	if m := itemPath.FindStringSubmatch(p.Path); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n < len(d.Items) && d.Items[n].Own == nil {
			x.Path = "answers" + strings.TrimPrefix(p.Path, "items["+m[1]+"]")
		}
	}
	if slices.ContainsFunc(out, func(y DraftProblem) bool { return y.Path == x.Path }) {
		return out
	}
	return append(out, x)
}

// reasons are Parse's sentences that what is typed into a draft can lead to.
var reasons = map[string]string{
	"%s is empty.":                             "empty",
	"%q has no wording in %q.":                 "empty",
	"%q needs at least %d.":                    "too_few",
	"The field %q is missing.":                 "empty",
	"%s must be a number, not %s.":             "number",
	"%s cannot be %q; it is one of %s.":        "choice",
	"\"max\" (%v) must be above \"min\" (%v).": "upside_down",
	"\"step\" must be above 0.":                "steps",
	"Steps of %v do not lead from \"min\" (%v) to \"max\" (%v) in 1 to %d steps.":        "steps",
	"Two options have the value %v.":                                                     "value_twice",
	"Two options hold no answer; one is enough.":                                         "no_answer_twice",
	"\"options\" needs at least two that are numbers.":                                   "too_few",
	"%q must be a whole number, %d or more.":                                             "whole",
	"\"missing_allowed\" (%d) must be below the number of items (%d).":                   "missing_many",
	"Items may be missing only if all have the same range; %q and %q differ.":            "missing_ranges",
	"The item %q asks about tension; only a scale of dimension \"tension\" may hold it.": "tension_elsewhere",
	"The item %q is not marked \"tension: true\".":                                       "tension_unmarked",
	"The score can be as low as %v, below \"min\" (%v).":                                 "range",
	"The score can be as high as %v, above \"max\" (%v).":                                "range",
	"The cutoff (%v) is outside the range of the score, %v to %v.":                       "cutoff",
}

func reasonOf(p Problem) string { return reasons[p.format] }
