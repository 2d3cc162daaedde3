// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

// published is a form as a published key makes one: items by number, a factor,
// rounding and a score made of two others.
const published = head + `items:
  - {id: "1", text: {en: First}, display: line, min: 0, max: 4, low: {en: x}, high: {en: x}}
  - {id: "2", text: {en: "on: \"and\" #"}, display: line, min: 0, max: 4, low: {en: x}, high: {en: "1"}}
scales:
  - {id: a, name: {en: A}, dimension: part, items: ["1", "2"], reversed: ["2"], method: mean, times: 10, rounded: true, missing_allowed: 1}
  - {id: b, name: {en: B}, dimension: part, items: ["2"], method: sum, higher_is_better: false}
  - id: both
    name: {en: Both}
    dimension: whole
    parts: [{scale: a, weight: 1}, {scale: b, weight: -0.5}]
`

// TestFormat: what is written is read as the same form, and the schema takes it.
func TestFormat(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	forms := library.All()
	for _, text := range []string{good, published} {
		f, err := instrument.Parse("f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		forms = append(forms, f)
	}
	for _, f := range forms {
		text, err := instrument.Format(f)
		if err != nil {
			t.Fatal(err)
		}
		again, err := instrument.Parse(f.ID, text)
		if err != nil || !reflect.DeepEqual(again, f) {
			t.Errorf("%s: %v\n%s\n got %+v\nwant %+v", f.ID, err, text, again, f)
		}
		if err := validate(t, schema, string(text)); err != nil {
			t.Errorf("%s: %v", f.ID, err)
		}
	}
	last := forms[len(forms)-1]
	if s := last.Score(instrument.Answers{"1": 3, "2": 1}); s[0].Value != 30 || s[1].Value != 1 || s[2].Value != 29.5 || last.Scales[2].Min != -2 || last.Scales[2].Max != 40 {
		t.Errorf("%+v, %+v", s, last.Scales[2])
	}
}

// TestPublishedProblems: what is wrong with what only published forms have.
func TestPublishedProblems(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	for _, c := range []struct {
		old, new, want string
		seen           bool
	}{
		{`id: "1"`, `id: "01"`, `"01" cannot be an id`, true},
		{`id: "1"`, `id: 1`, `"id" must be text, not 1; write it in quotes.`, true},
		{"times: 10", "times: 0", `"times" must be above 0.`, true},
		{"{scale: b,", "{scale: c,", `"c" is no scale of items above this one.`, false},
		{"{scale: b,", "{scale: a,", `The scale "a" is named twice.`, false},
		{"dimension: whole", "dimension: whole\n    method: sum", `A scale made of others ("parts") has no "method".`, true},
		{"weight: 1}", "weight: x}", `"weight" must be a number`, true},
	} {
		if !strings.Contains(published, c.old) {
			t.Fatal(c.old)
		}
		text := strings.Replace(published, c.old, c.new, 1)
		_, err := instrument.Parse("f", []byte(text))
		var e *instrument.ParseError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.new, err)
		}
		if seen := validate(t, schema, text) != nil; seen != c.seen {
			t.Errorf("%s: the schema sees it: %t", c.new, seen)
		}
	}
}
