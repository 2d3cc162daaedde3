// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

// TestDraftOf: a draft of a form makes the same form again, also after it was
// kept as JSON.
func TestDraftOf(t *testing.T) {
	t.Parallel()
	forms := append(library.All(), parsed(t, compared), parsed(t, strings.Replace(compared, "method: sum", "method: sum, min: -5, max: 50, higher_is_better: false, reliability: {value: .9, sd: 3, source: us}, cutoff: {value: 7, source: us, label: {en: x, it: x}}", 1)))
	for _, f := range forms {
		d, err := instrument.DraftOf(f)
		if err != nil {
			t.Fatalf("%s: %v", f.ID, err)
		}
		kept, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back instrument.Draft
		if err := json.Unmarshal(kept, &back); err != nil {
			t.Fatal(err)
		}
		got, wrong := back.Form(f.ID, f.Version)
		if len(wrong) > 0 {
			t.Fatalf("%s: %v", f.ID, wrong)
		}
		if !reflect.DeepEqual(got, f) {
			t.Errorf("%s came back as\n%+v\nnot\n%+v", f.ID, got, f)
		}
	}
	for _, k := range library.Keys() {
		if k.Form != nil && slices.ContainsFunc(k.Form.Scales, func(s instrument.Scale) bool { return len(s.Parts) > 0 || s.Rounded || s.Times > 1 }) {
			if _, err := instrument.DraftOf(k.Form); !errors.Is(err, instrument.ErrNotDraft) {
				t.Errorf("%s: %v", k.ID, err)
			}
		}
	}
	uneven := parsed(t, strings.Replace(compared, "items: [q1, q2]", "items: [q1, q2], reversed: [q1]", 1))
	if _, err := instrument.DraftOf(uneven); !errors.Is(err, instrument.ErrNotDraft) {
		t.Errorf("reversed in one scale and not in another: %v", err)
	}
}

func draft(t *testing.T) instrument.Draft {
	t.Helper()
	d, err := instrument.DraftOf(parsed(t, compared))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDraftProblems: each mistake a person can type is named once, where it was
// made and by a word for it, and nothing that follows from it is.
func TestDraftProblems(t *testing.T) {
	t.Parallel()
	for want, wrong := range map[string]func(d *instrument.Draft){
		"[]": func(*instrument.Draft) {}, "[{name.it empty}]": func(d *instrument.Draft) { d.Name["it"] = " " }, "[{items[1].text.en empty}]": func(d *instrument.Draft) { delete(d.Items[1].Text, "en") },
		"[{ages too_few}]": func(d *instrument.Draft) { d.Ages = nil }, "[{languages too_few}]": func(d *instrument.Draft) { d.Languages = nil },
		"[{items too_few} {scales[0].items too_few} {scales[1].items too_few}]": func(d *instrument.Draft) { d.Items, d.Scales[0].Items, d.Scales[1].Items = nil, "", "" },
		"[{items too_few} {scales[0].items too_few} {scales[1].items too_few} {answers.max number}]": func(d *instrument.Draft) {
			d.Items, d.Scales[0].Items, d.Scales[1].Items, d.Answers.Max = nil, "", "", "ten"
		},
		"[{scales too_few}]":                        func(d *instrument.Draft) { d.Scales = nil },
		"[{informant choice}]":                      func(d *instrument.Draft) { d.Informant = "cat" },
		"[{answers.max number}]":                    func(d *instrument.Draft) { d.Answers.Max = "ten" },
		"[{answers.max upside_down}]":               func(d *instrument.Draft) { d.Answers.Max = "-1" },
		"[{answers.step steps}]":                    func(d *instrument.Draft) { d.Answers.Step = "3" },
		"[{answers.low.it empty}]":                  func(d *instrument.Draft) { d.Answers.Low["it"] = "" },
		"[{items[2].options[1].value value_twice}]": func(d *instrument.Draft) { d.Items[2].Own.Options[1].Value = "0" },
		"[{items[2].options[1].value number}]":      func(d *instrument.Draft) { d.Items[2].Own.Options[1].Value = "often" },
		"[{items[2].options[1].label.en empty}]":    func(d *instrument.Draft) { d.Items[2].Own.Options[1].Label["en"] = "" },
		"[{items[2].options too_few} {items[2].options[2].no_answer no_answer_twice}]": func(d *instrument.Draft) { d.Items[2].Own.Options[1].NoAnswer = true },
		"[{scales[0].items places}]":                                                      func(d *instrument.Draft) { d.Scales[0].Items = "1-2, x" },
		"[{scales[1].items places}]":                                                      func(d *instrument.Draft) { d.Scales[1].Items = "1-4" },
		"[{scales[0].items too_few}]":                                                     func(d *instrument.Draft) { d.Scales[0].Items = "" },
		"[{scales[0].missing_allowed whole}]":                                             func(d *instrument.Draft) { d.Scales[0].Missing = "1,5" },
		"[{scales[0].missing_allowed number}]":                                            func(d *instrument.Draft) { d.Scales[0].Missing = "" },
		"[{scales[0].missing_allowed missing_many}]":                                      func(d *instrument.Draft) { d.Scales[0].Missing = "2" },
		"[{scales[1].missing_allowed missing_ranges}]":                                    func(d *instrument.Draft) { d.Scales[1].Missing = "1" },
		"[{scales[0].name.en empty}]":                                                     func(d *instrument.Draft) { d.Scales[0].Name["en"] = "\t" },
		"[{scales[0].items[0] tension_elsewhere} {scales[1].items[0] tension_elsewhere}]": func(d *instrument.Draft) { d.Items[0].Tension = true },
		"[{scales[1].items[0] tension_unmarked}]":                                         func(d *instrument.Draft) { d.Scales[1].Dimension, d.Scales[1].Items = instrument.Tension, "1" },
		"[{scales nothing_drawn}]":                                                        func(d *instrument.Draft) { d.Scales[1].Dimension = instrument.Part },
	} {
		d := draft(t)
		wrong(&d)
		f, problems := d.Form("mood", 1)
		got := []string{}
		for _, p := range problems {
			got = append(got, fmt.Sprintf("{%s %s}", p.Path, p.Reason))
			if p.Message == "" {
				t.Errorf("%s has no sentence", p.Path)
			}
		}
		if s := fmt.Sprint(got); s != want || (f == nil) != (len(got) > 0) {
			t.Errorf("%s, not %s", s, want)
		}
	}
}

// TestDraftReasons: whatever is typed into a draft, no mistake is without a word
// for it that a page can say in its language.
func TestDraftReasons(t *testing.T) {
	t.Parallel()
	typed := []string{"", "x", "-1", "0", "1", "1e9", "1-3", "3-1", "*", "0,5", "99999999999999999", "\x00", "null", "true", "~", "{a: b}", "- x"}
	fields := []func(d *instrument.Draft, s string){
		func(d *instrument.Draft, s string) { d.Name["en"] = s }, func(d *instrument.Draft, s string) { d.Items[0].Text["it"] = s },
		func(d *instrument.Draft, s string) { d.Answers.Min = s }, func(d *instrument.Draft, s string) { d.Answers.Max = s }, func(d *instrument.Draft, s string) { d.Answers.Step = s },
		func(d *instrument.Draft, s string) { d.Items[2].Own.Options[0].Value = s }, func(d *instrument.Draft, s string) { d.Items[2].Own.Options[0].Label["en"] = s },
		func(d *instrument.Draft, s string) { d.Scales[0].Items = s }, func(d *instrument.Draft, s string) { d.Scales[0].Missing = s }, func(d *instrument.Draft, s string) { d.Scales[1].Missing = s },
		func(d *instrument.Draft, s string) { d.Kind = instrument.Kind(s) }, func(d *instrument.Draft, s string) { d.Period = s }, func(d *instrument.Draft, s string) { d.Answers.Display = instrument.Display(s) },
		func(d *instrument.Draft, s string) { d.Scales[0].Dimension = instrument.Dimension(s) }, func(d *instrument.Draft, s string) { d.Scales[0].Method = instrument.Method(s) },
		func(d *instrument.Draft, s string) { d.Languages = []string{s} }, func(d *instrument.Draft, s string) { d.Holder = s }, func(d *instrument.Draft, s string) { d.Notice["en"] = s },
	}
	for n, set := range fields {
		for _, s := range typed {
			d := draft(t)
			set(&d, s)
			_, wrong := d.Form("mood", 1)
			for _, p := range wrong {
				if p.Reason == "" && s != "\x00" && !strings.HasPrefix(p.Path, "languages") {
					t.Errorf("field %d, %q: %s: %s", n, s, p.Path, p.Message)
				}
			}
		}
	}
}

// TestDraftPlaces: scales go on naming the same items when these are moved or
// taken away; what cannot be read stays as it was typed.
func TestDraftPlaces(t *testing.T) {
	t.Parallel()
	d := instrument.NewDraft([]string{"en"})
	d.Paste(instrument.Text{"en": "1. one\n2) two\n\n- three\n four \n5: five\n2 of us"})
	if got := fmt.Sprint(d.Items[0].Text, d.Items[2].Text, d.Items[5].Text, len(d.Items)); got != "map[en:one] map[en:three] map[en:2 of us] 6" {
		t.Fatal(got)
	}
	d.AddScale(instrument.Bond, instrument.Text{"en": "b"})
	d.AddScale(instrument.Whole, instrument.Text{"en": "w"})
	d.AddScale(instrument.Bond, instrument.Text{"en": "b"})
	d.Scales[0].Items, d.Scales[2].Items = "1–3; 5", "3 - 1"
	if d.Scales[1].Items != "*" || d.Scales[2].ID != "bond-2" {
		t.Errorf("%+v", d.Scales)
	}
	d.Move(0, -1)
	d.Move(5, 1)
	d.Move(4, 1) // five is the sixth now
	if s := d.Scales[0].Items; s != "1-3, 6" {
		t.Errorf("moved: %s", s)
	}
	d.Remove(1)
	if s := d.Scales[0].Items; s != "1-2, 5" || d.Scales[1].Items != "*" || d.Scales[2].Items != "3 - 1" {
		t.Errorf("removed: %+v", d.Scales)
	}
	if ids, ok := d.ItemsOf(d.Scales[0]); !ok || fmt.Sprint(ids) != "[q1 q3 q5]" {
		t.Error(ids)
	}
	d.Paste(instrument.Text{"it": "uno\ndue\ntre\nquattro\ncinque\nsei"})
	if len(d.Items) != 6 || d.Items[1].Text["it"] != "due" || d.Items[5].Text["it"] != "sei" || d.Items[5].ID == d.Items[4].ID {
		t.Errorf("%+v", d.Items)
	}
	d.Items[0].Reversed = true
	d.Languages = []string{"it"}
	for i, name := range []string{"Legame", "Totale"} {
		d.Scales[i].Name["it"] = name
	}
	d.Scales = d.Scales[:2]
	for _, x := range []*instrument.Text{&d.Name, &d.Title, &d.Intro, &d.Notice} {
		*x = instrument.Text{"it": "x"}
	}
	d.SPDX, d.Holder = "x", "x"
	d.Answers.Range([]string{"it"}, 1, 7)
	f, wrong := d.Form("x", 1)
	if len(wrong) > 0 || len(f.Scales[1].Items) != 6 || f.Scales[0].Reversed[0] != "q1" || f.Items[0].Max != 7 || f.Items[0].Options[6].Label["it"] != "7" {
		t.Errorf("%+v %+v", wrong, f)
	}
}

// FuzzDraft: no draft makes a panic, each either is a form or is told what is
// wrong with it, and a form's own draft makes it again.
func FuzzDraft(f *testing.F) {
	for _, form := range library.All() {
		d, err := instrument.DraftOf(form)
		if err != nil {
			f.Fatal(err)
		}
		data, err := json.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "1-3, *", 2)
	}
	f.Fuzz(func(t *testing.T, data []byte, places string, at int) {
		var d instrument.Draft
		if json.Unmarshal(data, &d) != nil || len(d.Items) > instrument.MostItems {
			return
		}
		if len(d.Scales) > 0 {
			d.Scales[0].Items = places
		}
		for i := range d.Items {
			if d.Items[i].Text == nil {
				d.Items[i].Text = instrument.Text{}
			}
		}
		d.Move(at, 1)
		d.Remove(at)
		d.Paste(instrument.Text{"en": places})
		form, wrong := d.Form("fuzz", 1)
		if (form == nil) != (len(wrong) > 0) {
			t.Fatalf("%v and %v", form, wrong)
		}
		if form == nil {
			return
		}
		again, err := instrument.DraftOf(form)
		if err != nil {
			t.Fatal(err)
		}
		if back, wrong := again.Form("fuzz", 1); len(wrong) > 0 || !instrument.Compare(form, back).Keeps() || len(instrument.Compare(form, back).Wording) > 0 {
			t.Fatalf("%v %+v %+v", wrong, form, back)
		}
	})
}
