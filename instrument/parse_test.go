// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
)

const head = `id: mine
version: 2
kind: alliance
languages: [en]
name: {en: Mine}
title: {en: "How was it?"}
intro: {en: Today.}
informant: client
ages: [adult]
period: session
higher_is_better: true
validated: false
licence: {spdx: CC-BY-4.0, holder: Me, notice: {en: Mine.}}
`

// good is a small form with every field; the bad ones are made from it.
const good = head + `items:
  - id: one
    text: {en: First}
    display: line
    min: 0
    max: 10
    low: {en: no}
    high: {en: all}
  - id: two
    text: {en: Second}
    display: buttons
    options:
      - {value: 0, label: {en: "no"}}
      - {value: 10, label: {en: "yes"}}
      - {value: -1, label: {en: not said}, no_answer: true}
  - id: strain
    text: {en: Third}
    display: line
    tension: true
    min: 1
    max: 2
    step: 0.1
    low: {en: low}
    high: {en: high}
scales:
  - id: all
    name: {en: All}
    dimension: whole
    items: [one, two]
    reversed: [two]
    method: sum
    missing_allowed: 1
    reliability: {value: 0.9, sd: 2.5, source: A paper}
    cutoff: {value: 12, label: {en: Low}, source: A paper}
  - id: strain
    name: {en: Strain}
    dimension: tension
    items: [strain]
    method: mean
    min: 0
    max: 4
    higher_is_better: false
comment_prompt: {en: "More?"}
`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := instrument.Parse("good.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	en := func(s string) instrument.Text { return instrument.Text{"en": s} }
	want := &instrument.Instrument{
		ID: "mine", Version: 2, Kind: instrument.Alliance,
		Name: en("Mine"), Title: en("How was it?"), Intro: en("Today."),
		Informant: instrument.Client, Ages: []instrument.AgeBand{instrument.Adult},
		Period: "session", HigherIsBetter: true,
		Licence: instrument.Licence{SPDX: "CC-BY-4.0", Holder: "Me", Notice: en("Mine.")},
		Items: []instrument.Item{
			{ID: "one", Text: en("First"), Display: instrument.Line, Max: 10, Step: 1, Low: en("no"), High: en("all")},
			{ID: "two", Text: en("Second"), Display: instrument.Buttons, Max: 10, Options: []instrument.Option{
				{Value: 0, Label: en("no")}, {Value: 10, Label: en("yes")}, {Value: -1, Label: en("not said"), NoAnswer: true}}},
			{ID: "strain", Text: en("Third"), Display: instrument.Line, Tension: true, Min: 1, Max: 2, Step: .1, Low: en("low"), High: en("high")},
		},
		Scales: []instrument.Scale{
			{ID: "all", Name: en("All"), Dimension: instrument.Whole, Items: []string{"one", "two"}, Reversed: []string{"two"},
				Method: instrument.Sum, MissingAllowed: 1, Max: 20, HigherIsBetter: true,
				Reliability: &instrument.Reliability{Value: .9, SD: 2.5, Source: "A paper"},
				Cutoff:      &instrument.Cutoff{Value: 12, Label: en("Low"), Source: "A paper"}},
			{ID: "strain", Name: en("Strain"), Dimension: instrument.Tension, Items: []string{"strain"}, Method: instrument.Mean, Max: 4},
		},
		CommentPrompt: en("More?"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// bad files: each makes one change to good. seen says whether the schema, which
// knows only the shape, refuses the file too.
var bad = []struct {
	name, old, new, want string
	seen                 bool
}{
	{"unknown field", "kind: alliance", "kind: alliance\ncolour: red", `4:1: The field "colour" is unknown; known here: id, version, kind, languages, name, title, intro, informant, ages, settings, predicts, period, higher_is_better, validated, licence, items, scales, comment_prompt.`, true},
	{"field twice", "kind: alliance", "kind: alliance\nkind: outcome", `4:1: The field "kind" is written twice.`, false},
	{"field missing", "period: session\n", "", `1:1: The field "period" is missing.`, true},
	{"wrong kind", "kind: alliance", "kind: allianse", `3:7: "kind" cannot be "allianse"; it is one of alliance, outcome, prediction, process.`, true},
	{"id with a capital", "id: mine", "id: Mine", `1:5: "Mine" cannot be an id: use small letters, digits and single hyphens, a letter first, 64 at most.`, true},
	{"version as text", "version: 2", `version: "2"`, `2:10: "version" must be a number, not the text "2".`, true},
	{"version with a fraction", "version: 2", "version: 2.5", `2:10: "version" must be a whole number, 1 or more.`, true},
	{"validated as text", "validated: false", "validated: perhaps", `12:12: "validated" must be true or false, not the text "perhaps".`, true},
	{"text as a number", "text: {en: First}", "text: {en: 1}", `16:16: "en" must be text, not 1; write it in quotes.`, true},
	{"text without languages", "text: {en: First}", "text: First", `16:11: "text" must be a set of named fields, not the text "First".`, true},
	{"blank text", "text: {en: First}", `text: {en: " "}`, `16:16: "en" is empty.`, true},
	{"language missing", "text: {en: First}", "text: {}", `16:11: "text" has no wording in "en".`, true},
	{"language too many", "text: {en: First}", "text: {en: First, it: Primo}", `16:23: "text" has wording in "it", which "languages" does not declare.`, false},
	{"language declared twice", "languages: [en]", "languages: [en, en]", `4:17: The language "en" is declared twice.`, true},
	{"not a language", "languages: [en]", "languages: [en, English]", `4:17: "English" is not a language such as "en" or "de-CH".`, true},
	{"no age", "ages: [adult]", "ages: []", `9:7: "ages" needs at least 1.`, true},
	{"ages without a list", "ages: [adult]", "ages: adult", `9:7: "ages" must be a list, not the text "adult".`, true},
	{"prediction of nothing", "kind: alliance", "kind: prediction", `1:1: The field "predicts" is missing.`, true},
	{"predicts without prediction", "kind: alliance", "kind: alliance\npredicts: other", `4:11: Only an instrument of kind "prediction" has "predicts".`, true},
	{"item twice", "scales:\n", "  - {id: one, text: {en: x}, display: line, min: 0, max: 1, low: {en: x}, high: {en: x}}\nscales:\n", `38:10: Two items have the id "one".`, false},
	{"min at max", "    max: 10\n", "    max: 0\n", `19:10: "max" (0) must be above "min" (0).`, false},
	{"step that misses the end", "step: 0.1", "step: 0.3", `35:11: Steps of 0.3 do not lead from "min" (1) to "max" (2) in 1 to 10000 steps.`, false},
	{"step of nothing", "step: 0.1", "step: 0", `35:11: "step" must be above 0.`, true},
	{"not a number", "step: 0.1", "step: .inf", `35:11: "step" must be a number, not .inf.`, true},
	{"line without a label", "    low: {en: no}\n", "", `15:5: The field "low" is missing.`, true},
	{"line with options", "    low: {en: no}\n", "    low: {en: no}\n    options: []\n", `21:14: A line has no "options"; only buttons have.`, true},
	{"buttons with a range", "display: buttons", "display: buttons\n    max: 3", `25:10: Buttons have no "max"; their options say it.`, true},
	{"option twice", "{value: 10, label", "{value: 0, label", `27:17: Two options have the value 0.`, false},
	{"one number only", `{value: 10, label: {en: "yes"}}`, `{value: 10, label: {en: "yes"}, no_answer: true}`, `26:7: "options" needs at least two that are numbers.
f.yaml:28:55: Two options hold no answer; one is enough.`, true},
	{"unknown item in a scale", "items: [one, two]", "items: [one, two, three]", `42:23: The form has no item "three".`, false},
	{"item twice in a scale", "items: [one, two]", "items: [one, two, two]", `42:23: The scale names the item "two" twice.`, true},
	{"tension in another scale", "items: [one, two]", "items: [one, two, strain]", `42:23: The item "strain" asks about tension; only a scale of dimension "tension" may hold it.`, false},
	{"no tension in the tension scale", "items: [strain]", "items: [strain, one]", `51:21: The item "one" is not marked "tension: true".`, false},
	{"reversed outside the items", "reversed: [two]", "reversed: [strain]", `43:16: The reversed item "strain" is not an item of this scale.`, false},
	{"missing as many as items", "missing_allowed: 1", "missing_allowed: 2", `45:22: "missing_allowed" (2) must be below the number of items (2).`, false},
	{"missing below 0", "missing_allowed: 1", "missing_allowed: -1", `45:22: "missing_allowed" must be a whole number, 0 or more.`, true},
	{"missing with unequal ranges", "    max: 10\n", "    max: 9\n", `45:22: Items may be missing only if all have the same range; "one" and "two" differ.`, false},
	{"range too narrow", "    max: 4\n", "    max: 1.5\n", `54:10: The score can be as high as 2, above "max" (1.5).`, false},
	{"range too narrow below", "    min: 0\n    max: 4\n", "    min: 1.5\n", `53:10: The score can be as low as 1, below "min" (1.5).`, false},
	{"no number at all", "step: 0.1", "step: .nan", `35:11: "step" must be a number, not .nan.`, true},
	{"reliability above 1", "value: 0.9", "value: 90", `46:26: A reliability lies between 0 and 1.`, true},
	{"reliability without a source", ", source: A paper}\n    cutoff", "}\n    cutoff", `46:18: The field "source" is missing.`, true},
	{"cutoff out of range", "value: 12", "value: 21", `47:21: The cutoff (21) is outside the range of the score, 0 to 20.`, false},
	{"scale twice", "- id: strain\n    name", "- id: all\n    name", `48:9: Two scales have the id "all".`, false},
	{"reference", "text: {en: Second}", "text: *t", `23:11: This is not YAML: unknown anchor 't' referenced.`, false},
	{"reference to an anchor", "title: {en: \"How was it?\"}\nintro: {en: Today.}", "title: &t {en: x}\nintro: *t", `7:8: "intro" must be a set of named fields, not a reference (anchors and references are not used here).`, false},
}

func badFile(t *testing.T, from, to string) string {
	t.Helper()
	if !strings.Contains(good, from) {
		t.Fatalf("good has no %q", from)
	}
	return strings.Replace(good, from, to, 1)
}

func TestParseProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i, err := instrument.Parse("f.yaml", []byte(badFile(t, tt.old, tt.new)))
			var pe *instrument.ParseError
			if !errors.As(err, &pe) || i != nil {
				t.Fatalf("got %v, %v; want a *ParseError alone", i, err)
			}
			if got, want := err.Error(), "f.yaml:"+tt.want; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestParseWholeFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", "f.yaml:1:1: The file is empty."},
		{"only a comment", "# nothing\n", "f.yaml:1:1: The file is empty."},
		{"a list", "- a\n", `f.yaml:1:1: The file must be a set of named fields, not a list.`},
		{"two documents", good + "---\nid: b\n", fmt.Sprintf(`f.yaml:%d:1: The file holds a second document; write one instrument in a file.`, strings.Count(good, "\n")+1)},
		{"not YAML", "id: a\nname: [b\n", "f.yaml:2:1: This is not YAML: did not find expected ',' or ']'."},
		{"a tab", "id: a\n\tname: b\n", "f.yaml:2:1: This is not YAML: found a tab character that violates indentation."},
		{"a wrong indent", "id: a\nitems:\n  - b\n c: d\n", "f.yaml:4:1: This is not YAML: did not find expected key."},
		{"too large", strings.Repeat("#\n", 1<<20), "f.yaml:1:1: The file is larger than 1048576 bytes."},
	} {
		_, err := instrument.Parse("f.yaml", []byte(tt.data))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got\n%v\nwant\n%s", tt.name, err, tt.want)
		}
	}
}

func TestParseNamesEveryProblemInOrder(t *testing.T) {
	t.Parallel()
	data := strings.NewReplacer("version: 2", "version: 0", "method: sum", "method: product", "text: {en: First}", "text: {it: Primo}").Replace(good)
	_, err := instrument.Parse("f.yaml", []byte(data))
	want := `f.yaml:2:10: "version" must be a whole number, 1 or more.
f.yaml:16:11: "text" has no wording in "en".
f.yaml:16:12: "text" has wording in "it", which "languages" does not declare.
f.yaml:44:13: "method" cannot be "product"; it is one of mean, sum.`
	var pe *instrument.ParseError
	if !errors.As(err, &pe) {
		t.Fatalf("got %v, want a *ParseError", err)
	}
	if err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var paths []string
	for _, p := range pe.Problems {
		paths = append(paths, p.Path)
	}
	if got, want := strings.Join(paths, " "), "version items[0].text.en items[0].text.it scales[0].method"; got != want {
		t.Errorf("paths %s, want %s", got, want)
	}
}

func TestParseErrorStaysSmall(t *testing.T) {
	t.Parallel()
	for _, data := range []string{strings.Repeat("a: b\n", 1000), "id: " + strings.Repeat("X", 1000)} {
		_, err := instrument.Parse("f.yaml", []byte(data))
		var pe *instrument.ParseError
		if !errors.As(err, &pe) {
			t.Fatalf("got %v", err)
		}
		if n := len(pe.Problems); n > 101 {
			t.Errorf("%d problems", n)
		} else if n == 101 && pe.Problems[100].Message != "There are further problems; mend those above first." {
			t.Errorf("the last is %+v", pe.Problems[100])
		}
		for _, p := range pe.Problems {
			if len(p.Message) > 410 || len(p.Path) > 410 {
				t.Errorf("long: %+v", p)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	for _, tt := range bad {
		f.Add([]byte(strings.Replace(good, tt.old, tt.new, 1)))
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := instrument.Parse("f.yaml", data)
		if (i == nil) == (err == nil) {
			t.Fatalf("both or neither: %v, %v", i, err)
		}
		if err != nil {
			var pe *instrument.ParseError
			if !errors.As(err, &pe) || len(pe.Problems) == 0 {
				t.Fatalf("%T %v", err, err)
			}
			for _, p := range pe.Problems {
				if p.Line < 1 || p.Column < 1 || p.Message == "" {
					t.Fatalf("%+v", p)
				}
			}
			return
		}
		for _, s := range i.Scales {
			if s.Min >= s.Max || s.MissingAllowed >= len(s.Items) {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func FuzzScore(f *testing.F) {
	f.Add(3.0, 0.0, 1.5, true, true, true)
	f.Add(0.0, -1.0, 2.0, true, true, false)
	f.Add(math.NaN(), math.Inf(1), math.MaxFloat64, true, true, true)
	f.Add(0.0, 0.0, 0.0, false, false, false)
	f.Fuzz(func(t *testing.T, one, two, strain float64, hasOne, hasTwo, hasStrain bool) {
		i, err := instrument.Parse("good.yaml", []byte(good))
		if err != nil {
			t.Fatal(err)
		}
		a := instrument.Answers{}
		for id, v := range map[string]struct {
			value float64
			has   bool
		}{"one": {one, hasOne}, "two": {two, hasTwo}, "strain": {strain, hasStrain}} {
			if v.has {
				a[id] = v.value
			}
		}
		for n, got := range i.Score(a) {
			s := i.Scales[n]
			if got.OK == math.IsNaN(got.Value) {
				t.Fatalf("%+v", got)
			}
			if got.OK && (got.Value < s.Min || got.Value > s.Max || got.Of-got.Answered > s.MissingAllowed) {
				t.Fatalf("%+v for %+v", got, a)
			}
		}
	})
}
