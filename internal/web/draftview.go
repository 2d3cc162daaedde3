// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/app"
	"github.com/entente-project/entente/internal/care"
)

// draftView is the editor. Every field carries its own mistake.
type draftView struct {
	ID                              care.ID
	Revision                        int
	Name, Next                      string // Next says what it will be: a new form, or which version
	Sound                           bool   // somebody asked, and nothing is wrong
	Wrong                           []wrongLine
	Languages, Ages                 choiceField
	Kind, Informant, Period, Better choiceField
	Texts                           []*textRow // name, title, introduction, comment
	Holder, SPDX                    lineField
	Notice                          textRow
	Answers                         answersModel
	Items                           []*draftItem
	Paste                           textRow
	Scales                          []*draftScale
	Dimensions                      []draftChoice
	ItemsError, ScalesError         string
}

// wrongLine is a mistake in the list at the top, with the field it belongs to.
type wrongLine struct{ Field, Text string }

type draftChoice struct {
	Value, Label string
	Chosen       bool
}

type choiceField struct {
	Name, Label, Error string
	Choices            []draftChoice
}

type lineField struct{ Name, Label, Value, Hint, Error string }

// textRow is a text in each language of the form, side by side.
type textRow struct {
	Name, Label, Hint string
	Rows              int // 1 is a line
	Fields            []*textField
}

type textField struct{ Name, Lang, Language, About, Value, Error string }

type answersModel struct {
	Name, Of       string // Of is the item's place, "0" for the form's
	Display        choiceField
	Line           bool
	Min, Max, Step lineField
	Low, High      textRow
	Options        []*draftOption
	From, To       string // the whole numbers that the choices run between
	Error          string
}

type draftOption struct {
	Name, At string
	Number   int
	Value    lineField
	Label    textRow
	NoAnswer bool
	Error    string
}

type draftItem struct {
	Number                  int
	Name, ID                string
	Text                    textRow
	Reversed, Tension, Open bool
	Own                     *answersModel
	First, Last             bool
}

type draftScale struct {
	Number            int
	Name, ID, Called  string
	Names             textRow
	Dimension, Method choiceField
	Items, Missing    lineField
	Kept              string // what it brings along from the form it was made of
}

func (c *call) draftModel(d app.Draft) *draftView {
	f := d.Form
	v := &draftView{ID: d.ID, Revision: d.Revision, Name: c.draftName(d), Next: c.p.T("draft.next_new")}
	if d.Before != nil {
		v.Next = c.p.T("draft.next_version", "Version", d.Version)
	}
	v.Languages = choiceField{Name: "languages", Label: c.p.T("draft.languages")}
	columns := columnsOf(f)
	for n, name := range c.languagesOf(columns) {
		v.Languages.Choices = append(v.Languages.Choices, draftChoice{columns[n], name, slices.Contains(f.Languages, columns[n])})
	}
	v.Kind = c.pick("kind", "draft.kind", "library.kind.", string(f.Kind), kindsFor(f.Kind)...)
	v.Informant = c.pick("informant", "draft.informant", "informant.", string(f.Informant), "client", "therapist", "carer", "observer")
	v.Period = c.pick("period", "draft.period", "draft.period.", f.Period, "session", "day", "week", "fortnight", "month", "general")
	better := map[bool]string{true: "higher", false: "lower"}[f.HigherIsBetter]
	v.Better = c.pick("better", "draft.better", "axis.", better, "higher", "lower")
	v.Ages = c.pick("ages", "draft.ages", "age.", "", "adult", "adolescent", "child")
	for i, a := range v.Ages.Choices {
		v.Ages.Choices[i].Label = c.p.T("age." + a.Value + ".long")
		v.Ages.Choices[i].Chosen = slices.Contains(f.Ages, instrument.AgeBand(a.Value))
	}
	for _, x := range []struct {
		name, key string
		text      instrument.Text
		rows      int
	}{{"name", "draft.name", f.Name, 1}, {"title", "draft.title", f.Title, 1}, {"intro", "draft.intro", f.Intro, 3}, {"comment", "draft.comment", f.Comment, 1}} {
		row := c.texts(f, x.name, c.p.T(x.key), x.text, x.rows)
		row.Hint = c.p.T(x.key + ".hint")
		v.Texts = append(v.Texts, &row)
	}
	v.Holder = lineField{Name: "holder", Label: c.p.T("draft.holder"), Value: f.Holder}
	v.SPDX = lineField{Name: "spdx", Label: c.p.T("draft.spdx"), Value: f.SPDX, Hint: c.p.T("draft.spdx.hint")}
	v.Notice = c.texts(f, "notice", c.p.T("draft.notice"), f.Notice, 2)
	v.Notice.Hint = c.p.T("draft.notice.hint")
	v.Answers = c.answersModel(f, "answers", "0", "", f.Answers)
	v.Paste = c.texts(f, "paste", c.p.T("draft.paste"), nil, 6)
	v.Paste.Hint = c.p.T("draft.paste.hint")
	c.addItems(v, f)
	c.addScales(v, f)
	return v
}

// kindsFor are the kinds that a form can be of; a prediction stays one.
func kindsFor(k instrument.Kind) []string {
	out := []string{string(instrument.Alliance), string(instrument.Outcome), string(instrument.Process)}
	if k == instrument.Prediction {
		out = append(out, string(k))
	}
	return out
}

// pick is a choice among values whose messages begin alike.
func (c *call) pick(name, label, prefix, chosen string, values ...string) choiceField {
	f := choiceField{Name: name, Label: c.p.T(label)}
	for _, x := range values {
		f.Choices = append(f.Choices, draftChoice{x, c.p.T(prefix + x), x == chosen})
	}
	return f
}

// texts is a text in the languages of the form.
func (c *call) texts(f instrument.Draft, name, label string, t instrument.Text, rows int) textRow {
	row := textRow{Name: name, Label: label, Rows: rows}
	for n, language := range c.languagesOf(f.Languages) {
		lang := f.Languages[n]
		row.Fields = append(row.Fields, &textField{Name: name + "-" + lang, Lang: lang, Language: language, About: label + ", " + language, Value: t[lang]})
	}
	return row
}

// answersModel is how items are answered; item names the one whose own they are.
func (c *call) answersModel(f instrument.Draft, name, of, item string, a instrument.DraftAnswers) answersModel {
	about := func(key string) string { return strings.TrimSpace(item + " " + c.p.T(key)) }
	m := answersModel{
		Name: name, Of: of, Line: a.Display == instrument.Line, Display: c.pick(name+"-display", "draft.display", "draft.display.", string(a.Display), "buttons", "line"),
		Min: lineField{Name: name + "-min", Label: c.p.T("draft.min"), Value: a.Min}, Max: lineField{Name: name + "-max", Label: c.p.T("draft.max"), Value: a.Max},
		Step: lineField{Name: name + "-step", Label: c.p.T("draft.step"), Value: a.Step},
		Low:  c.texts(f, name+"-low", about("draft.low"), a.Low, 1), High: c.texts(f, name+"-high", about("draft.high"), a.High, 1),
	}
	m.From, m.To = ends(a.Options)
	for n, o := range a.Options {
		key := optionName(name, n+1)
		m.Options = append(m.Options, &draftOption{
			Name: key, At: of + "-" + strconv.Itoa(n+1), Number: n + 1, Value: lineField{Name: key + "-value", Label: about("draft.value") + " " + strconv.Itoa(n+1), Value: o.Value},
			Label: c.texts(f, key+"-label", strings.TrimSpace(item+" "+c.p.T("draft.choice", "N", n+1)), o.Label, 1), NoAnswer: o.NoAnswer,
		})
	}
	return m
}

// ends are the lowest and the highest whole number among choices, 0 and 4 where
// there are none.
func ends(all []instrument.DraftOption) (from, to string) {
	var numbers []int
	for _, o := range all {
		if n, err := strconv.Atoi(o.Value); err == nil && !o.NoAnswer {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) < 2 {
		return "0", "4"
	}
	return strconv.Itoa(slices.Min(numbers)), strconv.Itoa(slices.Max(numbers))
}

func (c *call) addItems(v *draftView, f instrument.Draft) {
	for n, it := range f.Items {
		name := fmt.Sprintf("item-%d", n+1)
		called := c.p.T("draft.item", "N", n+1)
		x := &draftItem{Number: n + 1, Name: name, ID: it.ID, Text: c.texts(f, name+"-text", called, it.Text, 2), Reversed: it.Reversed, Tension: it.Tension, First: n == 0, Last: n == len(f.Items)-1, Open: it.Own != nil || it.Tension}
		if it.Own != nil {
			a := c.answersModel(f, name+"-answers", strconv.Itoa(n+1), called+":", *it.Own)
			x.Own = &a
		}
		v.Items = append(v.Items, x)
	}
}

// draftDimensions are what a scale can be about, in the order of the list.
var draftDimensions = []string{"bond", "tasks", "goals", "whole", "part", "tension"}

func (c *call) addScales(v *draftView, f instrument.Draft) {
	v.Dimensions = c.pick("dimension", "draft.dimension", "draft.dimension.", "", draftDimensions...).Choices
	for n, s := range f.Scales {
		name := fmt.Sprintf("scale-%d", n+1)
		called := c.p.T("draft.scale", "N", n+1)
		x := &draftScale{
			Number: n + 1, Name: name, ID: s.ID, Called: called, Names: c.texts(f, name+"-name", called, s.Name, 1),
			Dimension: c.pick(name+"-dimension", "draft.dimension", "draft.dimension.", string(s.Dimension), draftDimensions...),
			Method:    c.pick(name+"-method", "draft.method", "library.rule.", string(s.Method), "mean", "sum"),
			Items:     lineField{Name: name + "-items", Label: c.p.T("draft.places"), Value: s.Items, Hint: c.p.T("draft.places.hint")},
			Missing:   lineField{Name: name + "-missing", Label: c.p.T("draft.missing"), Value: s.Missing},
		}
		if s.Reliability != nil || s.Cutoff != nil || s.Min != nil || s.HigherIsBetter != nil {
			x.Kept = c.p.T("draft.kept")
		}
		v.Scales = append(v.Scales, x)
	}
}

var (
	inBrackets = regexp.MustCompile(`\[(\d+)\]`)
	draftPlace = strings.NewReplacer("options", "option", "missing_allowed", "missing", "comment_prompt", "comment", "licence.", "", "no_answer", "none")
)

// fieldOf is the field of the editor in which a mistake was made.
func fieldOf(path string) string {
	counted := inBrackets.ReplaceAllStringFunc(path, func(s string) string {
		n, _ := strconv.Atoi(s[1 : len(s)-1])
		return "." + strconv.Itoa(n+1)
	})
	parts := strings.Split(draftPlace.Replace(counted), ".")
	switch {
	case len(parts) == 1 || parts[0] == "ages" || parts[0] == "languages":
		return parts[0]
	case parts[0] == "items":
		if parts[2] != "text" { // an item's own answers
			parts = slices.Insert(parts, 2, "answers")
		}
		parts[0] = "item"
	case parts[0] == "scales":
		parts[0] = "scale"
		if parts[2] == "items" || !slices.Contains([]string{"name", "dimension", "method", "missing"}, parts[2]) {
			parts = append(parts[:2], "items")
		}
	}
	return strings.TrimSuffix(strings.Join(parts, "-"), "-option")
}

// name puts a mistake at its field and into the list at the top.
func (v *draftView) name(c *call, errs map[string]string, p instrument.DraftProblem) {
	field := fieldOf(p.Path)
	if errs[field] != "" {
		return
	}
	key := "draft.wrong." + p.Reason
	if p.Reason == "too_few" {
		last := p.Path[strings.LastIndexAny(p.Path, ".")+1:]
		if strings.HasPrefix(p.Path, "scales[") {
			last = "places"
		}
		key += "." + last
	}
	text := p.Message
	if c.p.Has(key) {
		text = c.p.T(key)
	}
	errs[field] = text
	if where := v.whereIs(c, field); where != "" {
		text = where + ": " + text
	}
	v.Wrong = append(v.Wrong, wrongLine{field, text})
}

// whereIs says which field is meant, as the editor calls it.
func (v *draftView) whereIs(c *call, field string) string {
	at, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(field, "item-"), "scale-"), "-")
	switch {
	case strings.HasPrefix(field, "item-"):
		return c.p.T("draft.item", "N", at) + languageIn(c, rest)
	case strings.HasPrefix(field, "scale-"):
		return c.p.T("draft.scale", "N", at) + languageIn(c, rest)
	case strings.HasPrefix(field, "answers"):
		return c.p.T("draft.answers") + languageIn(c, field)
	}
	name, _, _ := strings.Cut(field, "-")
	if key := "draft." + name; c.p.Has(key) {
		return c.p.T(key) + languageIn(c, field)
	}
	return ""
}

// languageIn is ", Italiano" for a field that ends in a language.
func languageIn(c *call, field string) string {
	if key := "language." + field[strings.LastIndexByte(field, '-')+1:]; c.p.Has(key) {
		return ", " + c.p.T(key)
	}
	return ""
}

// fill gives every field its mistake.
func (v *draftView) fill(errs map[string]string) {
	rows := append([]*textRow{&v.Notice}, v.Texts...)
	lines := []*lineField{&v.Holder, &v.SPDX}
	choices := []*choiceField{&v.Languages, &v.Ages, &v.Kind, &v.Informant, &v.Period}
	answers := func(a *answersModel) {
		rows, lines, choices = append(rows, &a.Low, &a.High), append(lines, &a.Min, &a.Max, &a.Step), append(choices, &a.Display)
		a.Error = errs[a.Name]
		for _, o := range a.Options {
			rows, lines = append(rows, &o.Label), append(lines, &o.Value)
			o.Error = errs[o.Name+"-none"]
		}
	}
	answers(&v.Answers)
	for _, it := range v.Items {
		rows = append(rows, &it.Text)
		if it.Own != nil {
			answers(it.Own)
		}
	}
	for _, s := range v.Scales {
		rows, lines, choices = append(rows, &s.Names), append(lines, &s.Items, &s.Missing), append(choices, &s.Dimension, &s.Method)
	}
	for _, r := range rows {
		for _, f := range r.Fields {
			f.Error = errs[f.Name]
		}
	}
	for _, l := range lines {
		l.Error = errs[l.Name]
	}
	for _, x := range choices {
		x.Error = errs[x.Name]
	}
	v.ItemsError, v.ScalesError = errs["items"], errs["scales"]
}
