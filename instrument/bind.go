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

// Choice is what a person decides where a key and a file leave it open. The zero
// value takes every language that is complete, and what the key says.
type Choice struct {
	// Languages are those of the form. A file that does not name its language is
	// taken to be in the one that is named here.
	Languages []string
	Version   int // 0 stands for 1
	Informant Informant
	Ages      []AgeBand
	Period    string
	// Owner is the line that whoever answers has to see, where the file has none.
	Owner string
	// LeaveOut and Keep name questions of the file that are none of the key's, by
	// their link id: not asked, or asked last and never scored.
	LeaveOut, Keep []string
	// TurnBack names items whose numbers the file has turned round already, so that
	// the key would do it a second time: they are given the numbers of the others.
	TurnBack []string
}

// Mismatch is one thing in which a file does not agree with a key. Item is the
// link id of a question, "" for the file as a whole; Path its place in the file.
// Decide is what a person may choose about it, "" where only the file can be mended.
type Mismatch struct {
	Item, Path, Message string
	Decide              Decision
}

// Decision is what a person may choose about a mismatch.
type Decision string

// The decisions: a question beyond the key is left out or kept, an item that the
// file has turned round is turned back.
const (
	LeaveOutOrKeep Decision = "extra"
	TurnItBack     Decision = "turned"
)

// String is the sentence with its question.
func (m Mismatch) String() string {
	if m.Path == "" {
		return m.Message
	}
	return m.Path + ": " + m.Message
}

// Binding is what came of joining a file to a key: a form, or all that does not
// agree; and notes on what was taken in a certain way.
type Binding struct {
	Form       *Instrument
	Mismatches []Mismatch
	Notes      []Note
}

// Bind joins the words of a file to the key of a published instrument. The form
// is scored by the key alone and has the words, the answers and the owner's line
// of the file; it is nil as long as anything does not agree, and every such thing
// is named.
func Bind(k *Key, w *Wording, c Choice) Binding {
	b := &binder{key: k, words: w, choice: c}
	if k.Form == nil {
		b.fail("The key of %s is incomplete (%s): its form cannot be checked.", k.Name, strings.Join(k.Lacks, ", "))
		return Binding{Mismatches: b.bad}
	}
	b.linkIDs()
	b.arrange()
	b.languages()
	b.order()
	form := b.form()
	b.directions()
	if len(b.bad) == 0 {
		b.proof(form)
	}
	if len(b.bad) > 0 {
		form = nil
	}
	return Binding{Form: form, Mismatches: b.bad, Notes: b.notes}
}

// proof reads the form back from its file: what no check above has seen would
// otherwise be found by whoever publishes it.
func (b *binder) proof(form *Instrument) {
	text, err := Format(form)
	if err == nil {
		_, err = Parse(form.ID, text)
	}
	if err != nil {
		b.fail("The form cannot be written as a file: %v.", err)
	}
}

type binder struct {
	key    *Key
	words  *Wording
	choice Choice
	langs  []string
	items  []asked // one for each item of the key, as far as there are any
	kept   []asked // beyond the key
	intro  Text
	last   Text // the place for one's own words
	bad    []Mismatch
	notes  []Note
}

// asked is a question with what stands above it.
type asked struct {
	WordedPart
	above Text
	place int // among the questions of the file, from 1
}

func (a asked) name() string {
	s := fmt.Sprintf("Question %d", a.place)
	if a.ID != "" && a.ID != strconv.Itoa(a.place) {
		s += " (" + crop(a.ID) + ")"
	}
	return s
}

func (b *binder) fail(format string, args ...any) {
	b.bad = append(b.bad, Mismatch{Message: crop(fmt.Sprintf(format, args...))})
}

func (b *binder) failAt(a asked, format string, args ...any) {
	b.bad = append(b.bad, Mismatch{Item: a.ID, Path: a.Path, Message: a.name() + ": " + crop(fmt.Sprintf(format, args...))})
}

func (b *binder) note(path, format string, args ...any) {
	b.notes = append(b.notes, Note{path, crop(fmt.Sprintf(format, args...))})
}

// linkIDs names each link id that stands twice.
func (b *binder) linkIDs() {
	seen := map[string]string{}
	b.words.walk(b.words.Parts, func(p WordedPart) {
		if first, twice := seen[p.ID]; twice {
			b.bad = append(b.bad, Mismatch{Item: p.ID, Path: p.Path, Message: fmt.Sprintf("The link id %q is also that of %s; give each item one of its own.", crop(p.ID), first)})
			return
		}
		seen[p.ID] = p.Path
	})
}

// arrange finds the questions with what is told above each, and which of them are
// the key's.
func (b *binder) arrange() {
	var all []asked
	var pending Text
	b.words.walk(b.words.Parts, func(p WordedPart) {
		switch p.Kind {
		case GroupPart, ToldPart:
			pending = joined(pending, p.Text)
		case QuestionPart:
			all = append(all, asked{WordedPart: p, above: pending, place: len(all) + 1})
			pending = nil
		case OpenPart:
			if p.ID == commentPart {
				b.last = p.Text
				return
			}
			b.note(p.Path, "%s is answered in words; it is set aside and not asked.", crop(cmp.Or(p.Text.In(b.words.Language), p.ID)))
		case CalculatedPart:
			b.note(p.Path, "%s is a calculated score; it is set aside, and scores are made by the key.", crop(cmp.Or(p.Text.In(b.words.Language), p.ID)))
		}
	})
	if len(pending) > 0 {
		b.note("", "What is told after the last question is not shown.")
	}
	if len(all) > 0 {
		b.intro, all[0].above = all[0].above, nil
	}
	for _, a := range all {
		switch {
		case slices.Contains(b.choice.LeaveOut, a.ID):
			b.note(a.Path, "%s is left out, as was chosen.", a.name())
		case slices.Contains(b.choice.Keep, a.ID):
			b.note(a.Path, "%s is kept, asked last and not scored, as was chosen.", a.name())
			b.kept = append(b.kept, a)
		default:
			b.items = append(b.items, a)
		}
	}
	b.count()
}

// count compares how many questions there are, and names those beyond the key.
func (b *binder) count() {
	want, have := len(b.key.Form.Items), len(b.items)
	if have < want {
		b.fail("The file has %d questions and the key of %s %d: %d missing.", have, b.key.Name, want, want-have)
		return
	}
	var strange []int
	for n, a := range b.items {
		if len(b.unfit(a, b.key.Form.Items[min(n, want-1)])) > 0 {
			strange = append(strange, n)
		}
	}
	if len(strange) != have-want {
		strange = strange[:0]
		for n := want; n < have; n++ {
			strange = append(strange, n)
		}
	}
	if have == want {
		return
	}
	for _, n := range slices.Backward(strange) {
		a := b.items[n]
		b.failAt(a, "the key of %s has %d items and the file %d; %q seems to be none of them. Leave it out, or keep it without a score.", b.key.Name, want, have, short(a.Text.In(b.words.Language)))
		b.bad[len(b.bad)-1].Decide = LeaveOutOrKeep
		b.items = slices.Delete(b.items, n, n+1)
	}
	slices.Reverse(b.bad[len(b.bad)-len(strange):])
}

func short(s string) string {
	r := []rune(s)
	if len(r) <= 60 {
		return s
	}
	return string(r[:60]) + "…"
}

func joined(a, b Text) Text {
	if len(a) == 0 {
		return maps.Clone(b)
	}
	out := maps.Clone(a)
	for lang, s := range b {
		if out[lang] != "" {
			s = out[lang] + "\n" + s
		}
		out[lang] = s
	}
	return out
}

// languages settles in which languages the form is.
func (b *binder) languages() {
	have := b.words.Languages()
	named := slices.DeleteFunc(slices.Clone(have), func(l string) bool { return l == "" })
	if len(b.choice.Languages) > 0 {
		for _, lang := range b.choice.Languages {
			switch {
			case !languageTag.MatchString(lang):
				b.fail("%q is not a language such as \"en\" or \"de-CH\".", lang)
			case b.found(have, lang):
				b.langs = append(b.langs, lang)
			default:
				b.fail("The file has no words in %q; it has them in %s.", lang, strings.Join(named, ", "))
			}
		}
		return
	}
	if len(named) == 0 {
		b.fail("The file does not say in which language its words are; choose one.")
		return
	}
	var whole []string
	for _, lang := range named {
		if lacking := b.lacking(lang); lacking == 0 {
			whole = append(whole, lang)
		} else {
			b.note("", "The words in %q are not complete (%d texts are missing): that language is left out.", lang, lacking)
		}
	}
	if b.langs = whole; len(whole) == 0 {
		b.langs = named[:1] // so that each missing text is named
		if slices.Contains(named, b.words.Language) {
			b.langs = []string{b.words.Language}
		}
	}
}

// found reports whether there are words in a language, perhaps those whose
// language is not named.
func (b *binder) found(have []string, lang string) bool {
	if wording(Text{lang: "x"}, lang, false) == "" {
		return false
	}
	for _, h := range have {
		if wording(Text{h: "x"}, lang, len(b.choice.Languages) == 1 && b.words.Language == "") != "" {
			return true
		}
	}
	return false
}

// wording is a text in a language, of the tag itself or of another country of the
// same language; with unnamed also the one whose language is not named.
func wording(t Text, lang string, unnamed bool) string {
	if s := t[lang]; s != "" {
		return s
	}
	main, _, _ := strings.Cut(lang, "-")
	for _, l := range t.languages() {
		if m, _, _ := strings.Cut(l, "-"); l != "" && m == main {
			return t[l]
		}
	}
	if unnamed {
		return t[""]
	}
	return ""
}

// in is a text in the languages of the form; those missing are simply not there.
func (b *binder) in(t Text) Text {
	out := Text{}
	for _, lang := range b.langs {
		if s := wording(t, lang, len(b.choice.Languages) == 1 && b.words.Language == ""); s != "" {
			out[lang] = s
		}
	}
	return out
}

// lacking counts the texts that a language has not.
func (b *binder) lacking(lang string) (n int) {
	count := func(t Text) {
		if len(t) > 0 && wording(t, lang, false) == "" {
			n++
		}
	}
	for _, a := range slices.Concat(b.items, b.kept) {
		count(a.Text)
		for _, o := range a.Options {
			count(o.Label)
		}
		if a.Line != nil {
			count(a.Line.Low)
			count(a.Line.High)
		}
	}
	return n
}
