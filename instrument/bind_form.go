// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// form makes the form, as far as it goes; what is missing is named on the way.
func (b *binder) form() *Instrument {
	k, c := b.key, b.choice
	f := &Instrument{
		ID: k.ID, Version: max(c.Version, 1), Kind: k.Kind, Predicts: k.Form.Predicts, Settings: k.Form.Settings, Informant: b.informant(), Ages: c.Ages, Period: cmp.Or(c.Period, k.period()),
		HigherIsBetter: k.Form.HigherIsBetter, Validated: k.Form.Validated, Name: b.named(k.Form.Name), Title: b.title(), Intro: b.introduction(), Licence: b.licence(),
	}
	if k.Kind == Readiness {
		f.Kind = Outcome
		b.note("", "What measures readiness is kept with the outcome measures.")
	}
	if len(f.Ages) == 0 {
		f.Ages = k.Bands()
	}
	if len(f.Ages) == 0 {
		b.fail("The key does not tell for which ages %s is; choose them: adult, adolescent, child.", k.Name)
	}
	for n, a := range b.items {
		if n < len(k.Form.Items) {
			f.Items = append(f.Items, b.item(a, k.Form.Items[n]))
		}
	}
	for n, a := range b.kept {
		f.Items = append(f.Items, b.extra(a, n))
	}
	for _, s := range k.Form.Scales {
		s.Name = b.named(s.Name)
		if s.Cutoff != nil {
			cut := *s.Cutoff
			cut.Label = b.named(cut.Label)
			s.Cutoff = &cut
		}
		f.Scales = append(f.Scales, s)
	}
	if prompt := b.in(b.last); len(prompt) == len(b.langs) && len(prompt) > 0 {
		f.CommentPrompt = prompt
	}
	return f
}

func (b *binder) informant() Informant {
	k, c := b.key, b.choice
	switch {
	case c.Informant == "":
		if len(k.Informants) > 1 {
			b.note("", "%s is answered by several (%s); this form is for the %s.", k.Name, join(k.Informants), k.Informants[0])
		}
		return k.Informants[0]
	case !slices.Contains(k.Informants, c.Informant):
		b.fail("%s is not answered by the %s but by the %s.", k.Name, c.Informant, join(k.Informants))
	}
	return c.Informant
}

func join(who []Informant) string {
	var out []string
	for _, w := range who {
		out = append(out, string(w))
	}
	return strings.Join(out, ", ")
}

// named is a name in the languages of the form: names of instruments and scales
// are the program's, and stand in English where it does not have a language.
func (b *binder) named(t Text) Text {
	out := Text{}
	for _, lang := range b.langs {
		out[lang] = cmp.Or(t.In(lang), b.key.Name)
	}
	return out
}

func (b *binder) title() Text {
	if t := b.in(b.words.Title); len(t) == len(b.langs) {
		return t
	}
	b.note("", "The file has no title in every language of the form; the form is called %s.", b.key.Name)
	return b.named(Text{"en": b.key.Name})
}

// instruction is our own, for a file without one.
var instruction = Text{"en": "Please answer each question.", "it": "Si prega di rispondere a ogni domanda."}

func (b *binder) introduction() Text {
	t := b.in(b.intro)
	if len(t) == len(b.langs) {
		return t
	}
	if len(b.intro) > 0 {
		b.fail("What is told above the first question is not there in %s.", strings.Join(b.without(t), ", "))
		return t
	}
	b.note("", "The file tells nothing above the first question; a sentence of the program's stands there.")
	for _, lang := range b.langs {
		t[lang] = instruction.In(lang)
	}
	return t
}

func (b *binder) without(t Text) (out []string) {
	for _, lang := range b.langs {
		if t[lang] == "" {
			out = append(out, strconv.Quote(lang))
		}
	}
	return out
}

// licence has the owner's line: of the file, or the one that was given.
func (b *binder) licence() Licence {
	line := b.in(b.words.Owner)
	if b.choice.Owner != "" {
		for _, lang := range b.langs {
			line[lang] = b.choice.Owner
		}
	}
	for _, s := range b.words.Owner { // a line in one language is shown in all: nobody translates it
		for _, lang := range b.langs {
			line[lang] = cmp.Or(line[lang], s)
		}
	}
	if len(b.langs) == 0 {
		return Licence{}
	}
	if len(line) < len(b.langs) {
		b.fail("The file does not name the owner of the words; give the line that the owner asks to be shown.")
		return Licence{}
	}
	l := b.key.Form.Licence
	l.Notice = line
	l.SPDX = cmp.Or(l.SPDX, "LicenseRef-"+b.key.ID)
	l.Holder = cmp.Or(l.Holder, line[b.langs[0]])
	return l
}

// item makes one item of the key out of a question.
func (b *binder) item(a asked, k Item) Item {
	for _, why := range b.unfit(a, k) {
		b.failAt(a, "%s", why)
	}
	it := Item{ID: k.ID, Text: b.spoken(a), Tension: k.Tension, Min: k.Min, Max: k.Max}
	if a.Line != nil {
		b.drawn(a, k, &it)
		return it
	}
	it.Display, it.Drawing = Buttons, k.Drawing
	flip := slices.Contains(b.choice.TurnBack, a.ID)
	for _, o := range a.Options {
		if flip && o.Scored {
			o.Value = k.Min + k.Max - o.Value
		}
		it.Options = append(it.Options, b.option(a, o, declinedValue(a, k)))
	}
	return it
}

// spoken is the text of a question, with what is told above it.
func (b *binder) spoken(a asked) Text {
	t := b.in(a.Text)
	if lacks := b.without(t); len(lacks) > 0 {
		b.failAt(a, "it has no words in %s.", strings.Join(lacks, ", "))
	}
	if above := b.in(a.above); len(above) > 0 {
		b.note(a.Path, "What is told above %s stands in front of its words.", strings.ToLower(a.name()[:1])+a.name()[1:])
		t = joined(above, t)
	}
	return t
}

func (b *binder) drawn(a asked, k Item, it *Item) {
	it.Display, it.Step = Line, k.Step
	if a.Line.Step != nil && *a.Line.Step > 0 {
		it.Step = *a.Line.Step
	}
	if it.Step == 0 {
		it.Step = 1
	}
	it.Low, it.High = b.in(a.Line.Low), b.in(a.Line.High)
	if lacks := b.without(it.Low); len(lacks) > 0 {
		b.failAt(a, "the low end of its line has no words in %s.", strings.Join(lacks, ", "))
	}
	if lacks := b.without(it.High); len(lacks) > 0 {
		b.failAt(a, "the high end of its line has no words in %s.", strings.Join(lacks, ", "))
	}
	if a.Line.Min == nil || a.Line.Max == nil {
		b.note(a.Path, "The file does not say from where to where the answers go; the key's %v to %v are taken.", k.Min, k.Max)
	}
}

func (b *binder) option(a asked, o WordedOption, declined float64) Option {
	out := Option{Value: o.Value, Label: b.in(o.Label), NoAnswer: o.Declined}
	if o.Declined {
		out.Value = declined
	}
	if len(o.Label) == 0 && o.Scored {
		for _, lang := range b.langs {
			out.Label[lang] = strconv.FormatFloat(o.Value, 'f', -1, 64)
		}
	}
	if lacks := b.without(out.Label); len(lacks) > 0 {
		b.failAt(a, "the answer %s has no words in %s.", answerName(b, o), strings.Join(lacks, ", "))
	}
	return out
}

// declinedValue stands for "rather not say": as in the key's form, or a number
// that no answer has.
func declinedValue(a asked, k Item) float64 {
	for _, o := range k.Options {
		if o.NoAnswer {
			return o.Value
		}
	}
	low := k.Min
	for _, o := range a.Options {
		low = min(low, o.Value)
	}
	return low - 1
}

// extra makes an item that is asked beyond the key.
func (b *binder) extra(a asked, n int) Item {
	it := Item{ID: fmt.Sprintf("extra%d", n+1), Text: b.spoken(a)}
	if a.Line != nil {
		if a.Line.Min == nil || a.Line.Max == nil {
			b.failAt(a, "it is answered by a number, and the file does not say from where to where.")
			return it
		}
		it.Min, it.Max = *a.Line.Min, *a.Line.Max
		b.drawn(a, Item{Min: it.Min, Max: it.Max, Step: 1}, &it)
		return it
	}
	it.Display = Buttons
	scored := !slices.ContainsFunc(a.Options, func(o WordedOption) bool { return !o.Scored && !o.Declined })
	if !scored {
		b.note(a.Path, "The answers of %s have no numbers; they are kept by their place, from 0.", a.name())
	}
	for place, o := range a.Options {
		if !scored && !o.Declined {
			o.Value, o.Scored = float64(place), true
		}
		if !o.Declined {
			if len(it.Options) == 0 {
				it.Min, it.Max = o.Value, o.Value
			}
			it.Min, it.Max = min(it.Min, o.Value), max(it.Max, o.Value)
		}
		it.Options = append(it.Options, b.option(a, o, it.Min-1))
	}
	return it
}

// period is the time a key's items ask about, as forms name it.
func (k *Key) period() string {
	if k.Form.Period != "" {
		return k.Form.Period
	}
	words := []struct{ in, period string }{{"2 week", "fortnight"}, {"session", "session"}, {"month", "month"}, {"week", "week"}, {"day", "day"}}
	for _, w := range words {
		if strings.Contains(k.Period, w.in) && !strings.Contains(k.Period, "so far") {
			return w.period
		}
	}
	return "general"
}

// KeyOf is the key of a form of ours or of a practice's, so that new words can be
// bound to the way it is scored.
func KeyOf(f *Instrument) *Key {
	return &Key{
		ID: f.ID, Name: f.Name.In("en"), Kind: f.Kind, Informants: []Informant{f.Informant}, Form: f,
		Figures: map[string]Figures{}, Terms: Terms{Class: "open", Text: f.Licence.SPDX, Languages: strings.Join(slices.Sorted(maps.Keys(f.Name)), ", ")},
	}
}
