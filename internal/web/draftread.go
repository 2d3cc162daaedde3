// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/i18n"
)

// readDraft puts what was typed into the editor over the draft as it was; what
// the editor does not show stays. Nothing is refused here: a draft is kept as it
// was typed.
func readDraft(f url.Values, was instrument.Draft) instrument.Draft {
	d := was
	r := draftReader{f, was}
	d.Languages = nil
	for _, lang := range columnsOf(was) {
		if slices.Contains(f["languages"], lang) {
			d.Languages = append(d.Languages, lang)
		}
	}
	d.Name, d.Title, d.Intro = r.text("name", was.Name), r.text("title", was.Title), r.text("intro", was.Intro)
	d.Comment, d.Notice = r.text("comment", was.Comment), r.text("notice", was.Notice)
	d.Kind, d.Informant, d.Period = instrument.Kind(f.Get("kind")), instrument.Informant(f.Get("informant")), f.Get("period")
	d.Ages = nil
	for _, a := range f["ages"] {
		d.Ages = append(d.Ages, instrument.AgeBand(a))
	}
	d.HigherIsBetter = f.Get("better") != "lower"
	d.SPDX, d.Holder = clean(f.Get("spdx")), clean(f.Get("holder"))
	d.Answers = r.answers("answers", was.Answers)
	d.Items = r.items()
	d.Scales = r.scales()
	return d
}

// columnsOf are the languages an editor shows: those of the program, and any
// other that the form has.
func columnsOf(d instrument.Draft) []string {
	out := slices.Clone(i18n.Languages())
	for _, t := range []instrument.Text{d.Name, d.Title, d.Intro} {
		for _, lang := range slices.Sorted(maps.Keys(t)) {
			if !slices.Contains(out, lang) {
				out = append(out, lang)
			}
		}
	}
	return out
}

type draftReader struct {
	f   url.Values
	was instrument.Draft
}

// clean is text without what cannot be seen; lines end as they do here.
func clean(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// text takes the languages that were shown; others stay as they were.
func (r draftReader) text(name string, was instrument.Text) instrument.Text {
	out := maps.Clone(was)
	if out == nil {
		out = instrument.Text{}
	}
	for _, lang := range columnsOf(r.was) {
		if key := name + "-" + lang; r.f.Has(key) {
			out[lang] = clean(r.f.Get(key))
		}
	}
	return out
}

func (r draftReader) answers(name string, was instrument.DraftAnswers) instrument.DraftAnswers {
	if !r.f.Has(name + "-display") {
		return was
	}
	a := instrument.DraftAnswers{Display: instrument.Display(r.f.Get(name + "-display")), Options: was.Options}
	a.Min, a.Max, a.Step = clean(r.f.Get(name+"-min")), clean(r.f.Get(name+"-max")), clean(r.f.Get(name+"-step"))
	a.Low, a.High = r.text(name+"-low", was.Low), r.text(name+"-high", was.High)
	if !r.f.Has(name + "-options") {
		return a
	}
	a.Options = nil
	for n := 1; n <= instrument.MostOptions && r.f.Has(optionName(name, n)+"-value"); n++ {
		o := optionName(name, n)
		label := instrument.Text{}
		if n <= len(was.Options) {
			label = was.Options[n-1].Label
		}
		a.Options = append(a.Options, instrument.DraftOption{Value: clean(r.f.Get(o + "-value")), Label: r.text(o+"-label", label), NoAnswer: r.f.Has(o + "-none")})
	}
	return a
}

func optionName(name string, n int) string { return name + "-option-" + strconv.Itoa(n) }

func (r draftReader) items() (out []instrument.DraftItem) {
	for n := 1; n <= instrument.MostItems; n++ {
		name := "item-" + strconv.Itoa(n)
		id := r.f.Get(name + "-id")
		if id == "" {
			break
		}
		it := instrument.DraftItem{ID: id}
		var was instrument.DraftItem
		if i := slices.IndexFunc(r.was.Items, func(x instrument.DraftItem) bool { return x.ID == id }); i >= 0 {
			was = r.was.Items[i]
		}
		it.Text, it.Drawing = r.text(name+"-text", was.Text), was.Drawing
		it.Reversed, it.Tension = r.f.Has(name+"-reversed"), r.f.Has(name+"-tension")
		if r.f.Has(name + "-own") {
			own := r.was.Answers // what it had so far
			if was.Own != nil {
				own = r.answers(name+"-answers", *was.Own)
			}
			it.Own = &own
		}
		out = append(out, it)
	}
	return out
}

func (r draftReader) scales() (out []instrument.DraftScale) {
	for n := 1; n <= instrument.MostScales; n++ {
		name := "scale-" + strconv.Itoa(n)
		id := r.f.Get(name + "-id")
		if id == "" {
			break
		}
		s := instrument.DraftScale{ID: id}
		if i := slices.IndexFunc(r.was.Scales, func(x instrument.DraftScale) bool { return x.ID == id }); i >= 0 {
			s = r.was.Scales[i]
		}
		s.Name = r.text(name+"-name", s.Name)
		s.Dimension, s.Method = instrument.Dimension(r.f.Get(name+"-dimension")), instrument.Method(r.f.Get(name+"-method"))
		s.Items, s.Missing = clean(r.f.Get(name+"-items")), clean(r.f.Get(name+"-missing"))
		out = append(out, s)
	}
	return out
}
