// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"maps"
	"slices"
)

// Wording is what a file says of a questionnaire: its words in their order, and
// the number of each answer. It does not say how scores are made: that is in a
// [Key], to which [Bind] joins it. A text whose language the file does not name
// stands under "".
type Wording struct {
	// Language is the main language of the file, "" where it names none.
	Language string
	// Source is how the file names itself: an address with a version, or an
	// identifier.
	Source string
	// Title is for the person who answers, About for staff, Owner the line of
	// whoever owns the words.
	Title, About, Owner Text
	Parts               []WordedPart
	// Notes say what of the file was not taken over, or taken in a certain way.
	Notes []Note
}

// Note is one sentence about one place of a file.
type Note struct{ Path, Message string }

// PartKind is what one part of a questionnaire is.
type PartKind string

// The kinds. Only questions can be scored; a calculated part is a score that the
// file's own renderer would work out, an open one a question answered in words.
const (
	GroupPart      PartKind = "group"
	QuestionPart   PartKind = "question"
	ToldPart       PartKind = "told"
	CalculatedPart PartKind = "calculated"
	OpenPart       PartKind = "open"
)

// WordedPart is one part of a questionnaire, with those below it. Path is its place in
// the file, ID the name the file gives it.
type WordedPart struct {
	Kind       PartKind
	ID, Prefix string
	Path       string
	Text       Text
	// Type is the file's word for the sort of answer, for parts that are not
	// scored; Code names the question in a system of codes.
	Type string
	Code Code
	// Required and Many say that it must be answered, and that several answers at
	// once may be given.
	Required, Many bool
	Options        []WordedOption
	Line           *WordedLine
	Parts          []WordedPart
}

// Code is a name in a system of codes.
type Code struct{ System, Value string }

// WordedOption is one answer to choose. Without Scored the file gives it no
// number; Declined is "rather not say". Without a label it is shown as its number.
type WordedOption struct {
	Value            float64
	Scored, Declined bool
	Label            Text
	Code             Code
}

// WordedLine is a range to answer in; a limit that the file does not state is nil.
type WordedLine struct {
	Min, Max, Step *float64
	Low, High      Text
}

// Questions are the parts that can be scored, in their order.
func (w *Wording) Questions() []WordedPart { return w.ofKind(QuestionPart) }

// Aside are the parts that are answered or shown without being items of a scale:
// calculated scores and open questions.
func (w *Wording) Aside() []WordedPart { return w.ofKind(CalculatedPart, OpenPart) }

func (w *Wording) ofKind(kinds ...PartKind) (out []WordedPart) {
	w.walk(w.Parts, func(p WordedPart) {
		if slices.Contains(kinds, p.Kind) {
			p.Parts = nil
			out = append(out, p)
		}
	})
	return out
}

func (w *Wording) walk(parts []WordedPart, visit func(WordedPart)) {
	for _, p := range parts {
		visit(p)
		w.walk(p.Parts, visit)
	}
}

// Languages are those in which the file has any words, sorted; "" among them if
// it does not name the language of some.
func (w *Wording) Languages() []string {
	seen := map[string]bool{}
	add := func(t Text) {
		for lang := range t {
			seen[lang] = true
		}
	}
	add(w.Title)
	w.walk(w.Parts, func(p WordedPart) {
		add(p.Text)
		for _, o := range p.Options {
			add(o.Label)
		}
		if p.Line != nil {
			add(p.Line.Low)
			add(p.Line.High)
		}
	})
	return slices.Sorted(maps.Keys(seen))
}

// Names of the parts of a form that are not items.
const (
	introPart   = "intro"
	commentPart = "comment"
)

// WordingOf is the words of a form, as a file of them would be read.
func WordingOf(f *Instrument) *Wording {
	w := &Wording{Language: f.Languages()[0], Source: f.Key(), Title: f.Title, About: f.Name, Owner: f.Licence.Notice}
	if slices.Contains(f.Languages(), "en") {
		w.Language = "en"
	}
	w.Parts = append(w.Parts, WordedPart{Kind: ToldPart, ID: introPart, Text: f.Intro, Type: "display"})
	for _, it := range f.Items {
		w.Parts = append(w.Parts, partOf(it))
	}
	if len(f.CommentPrompt) > 0 {
		w.Parts = append(w.Parts, WordedPart{Kind: OpenPart, ID: commentPart, Text: f.CommentPrompt, Type: "text"})
	}
	return w
}

func partOf(it Item) WordedPart {
	p := WordedPart{Kind: QuestionPart, ID: it.ID, Text: it.Text}
	if it.Display == Line {
		p.Line = &WordedLine{Min: &it.Min, Max: &it.Max, Step: &it.Step, Low: it.Low, High: it.High}
		return p
	}
	for _, o := range it.Options {
		if o.NoAnswer {
			p.Options = append(p.Options, WordedOption{Declined: true, Label: o.Label})
			continue
		}
		p.Options = append(p.Options, WordedOption{Value: o.Value, Scored: true, Label: o.Label})
	}
	return p
}
