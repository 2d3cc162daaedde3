// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/entente-project/entente/instrument"
)

// form has a line a, b (0 to 10), a line c (1 to 5), buttons d (0, 1, 2 or
// "rather not say" as -1).
func form(scales ...instrument.Scale) *instrument.Instrument {
	text := instrument.Text{"en": "x"}
	return &instrument.Instrument{
		ID: "form", Version: 3, Name: text,
		Items: []instrument.Item{
			{ID: "a", Display: instrument.Line, Max: 10, Step: 1},
			{ID: "b", Display: instrument.Line, Max: 10, Step: 1},
			{ID: "c", Display: instrument.Line, Min: 1, Max: 5, Step: .5},
			{ID: "d", Display: instrument.Buttons, Max: 2, Tension: true, Options: []instrument.Option{
				{Value: 0, Label: text}, {Value: 1, Label: text}, {Value: 2, Label: text},
				{Value: -1, Label: text, NoAnswer: true},
			}},
		},
		Scales: scales,
	}
}

func TestScore(t *testing.T) {
	t.Parallel()
	scale := func(m instrument.Method, missing int, reversed []string, items ...string) instrument.Scale {
		return instrument.Scale{ID: "s", Dimension: instrument.Bond, Items: items, Reversed: reversed, Method: m, MissingAllowed: missing}
	}
	none := math.NaN()
	tests := []struct {
		name     string
		scale    instrument.Scale
		answers  instrument.Answers
		want     float64
		answered int
	}{
		{"mean", scale(instrument.Mean, 0, nil, "a", "b"), instrument.Answers{"a": 3, "b": 8}, 5.5, 2},
		{"sum", scale(instrument.Sum, 0, nil, "a", "b"), instrument.Answers{"a": 3, "b": 8}, 11, 2},
		{"a true 0 counts", scale(instrument.Mean, 1, nil, "a", "b"), instrument.Answers{"a": 0, "b": 8}, 4, 2},
		{"missing is not 0", scale(instrument.Mean, 1, nil, "a", "b"), instrument.Answers{"b": 8}, 8, 1},
		{"sum prorated", scale(instrument.Sum, 1, nil, "a", "b"), instrument.Answers{"b": 8}, 16, 1},
		{"too many missing", scale(instrument.Mean, 0, nil, "a", "b"), instrument.Answers{"b": 8}, none, 1},
		{"nothing answered", scale(instrument.Mean, 1, nil, "a", "b"), instrument.Answers{}, none, 0},
		{"nothing answered, all may be missing", scale(instrument.Sum, 2, nil, "a", "b"), nil, none, 0},
		{"reversed", scale(instrument.Sum, 0, []string{"b"}, "a", "b"), instrument.Answers{"a": 3, "b": 8}, 5, 2},
		{"reversed within the item's own range", scale(instrument.Mean, 0, []string{"c"}, "c"), instrument.Answers{"c": 1.5}, 4.5, 1},
		{"reversed and missing", scale(instrument.Sum, 1, []string{"b"}, "a", "b"), instrument.Answers{"a": 3}, 6, 1},
		{"rather not say is missing", scale(instrument.Mean, 0, nil, "d"), instrument.Answers{"d": -1}, none, 0},
		{"rather not say beside an answer", scale(instrument.Mean, 1, nil, "d", "a"), instrument.Answers{"d": -1, "a": 7}, 7, 1},
		{"out of range is missing", scale(instrument.Mean, 1, nil, "a", "b"), instrument.Answers{"a": 11, "b": 8}, 8, 1},
		{"not a number is missing", scale(instrument.Mean, 1, nil, "a", "b"), instrument.Answers{"a": math.NaN(), "b": 8}, 8, 1},
		{"an unknown item of the scale is missing", scale(instrument.Mean, 0, nil, "z"), instrument.Answers{"z": 1}, none, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := form(tt.scale).Score(tt.answers)[0]
			want := instrument.Score{Scale: "s", Dimension: instrument.Bond, Value: tt.want, OK: !math.IsNaN(tt.want),
				Answered: tt.answered, Of: len(tt.scale.Items)}
			if math.IsNaN(got.Value) && math.IsNaN(want.Value) {
				got.Value, want.Value = 0, 0
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// In binary numbers .1 + .2 + .3 is not .3 + .2 + .1.
func TestScoreIsTheSameToTheLastBit(t *testing.T) {
	t.Parallel()
	line := func(id string) instrument.Item {
		return instrument.Item{ID: id, Display: instrument.Line, Max: 1, Step: .1}
	}
	i := &instrument.Instrument{
		Items: []instrument.Item{line("a"), line("b"), line("c")},
		Scales: []instrument.Scale{
			{ID: "up", Items: []string{"a", "b", "c"}, Method: instrument.Sum},
			{ID: "down", Items: []string{"c", "b", "a"}, Method: instrument.Sum},
		},
	}
	got := i.Score(instrument.Answers{"a": .1, "b": .2, "c": .3})
	if got[0].Value != got[1].Value {
		t.Errorf("%v and %v", got[0].Value, got[1].Value)
	}
}

// The best answers reach the best score exactly, missing items or not.
func TestScoreReachesTheEnd(t *testing.T) {
	t.Parallel()
	items := ""
	for _, id := range []string{"a", "b", "c"} {
		items += "  - {id: " + id + ", text: {en: x}, display: line, min: 0, max: 0.1, step: 0.1, low: {en: x}, high: {en: x}}\n"
	}
	i, err := instrument.Parse("f.yaml", []byte(head+"items:\n"+items+
		"scales:\n  - {id: s, name: {en: x}, dimension: whole, items: [a, b, c], method: mean, missing_allowed: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := i.Score(instrument.Answers{"a": .1, "b": .1})[0]; got.Value != i.Scales[0].Max {
		t.Errorf("got %v, want %v", got.Value, i.Scales[0].Max)
	}
}

func TestScoreDoesNotChangeItsInput(t *testing.T) {
	t.Parallel()
	i := form(instrument.Scale{ID: "s", Items: []string{"b", "a"}, Method: instrument.Mean})
	a := instrument.Answers{"a": 1, "b": 9}
	i.Score(a)
	if !slices.Equal(i.Scales[0].Items, []string{"b", "a"}) || len(a) != 2 || a["a"] != 1 || a["b"] != 9 {
		t.Errorf("changed: %v, %v", i.Scales[0].Items, a)
	}
}

func TestScoreJSON(t *testing.T) {
	t.Parallel()
	i := form(
		instrument.Scale{ID: "s", Dimension: instrument.Bond, Items: []string{"a"}, Method: instrument.Mean},
		instrument.Scale{ID: "t", Dimension: instrument.Tasks, Items: []string{"b"}, Method: instrument.Mean})
	data, err := json.Marshal(i.Score(instrument.Answers{"a": 0}))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"scale":"s","dimension":"bond","value":0,"ok":true,"answered":1,"of":1},` +
		`{"scale":"t","dimension":"tasks","value":null,"ok":false,"answered":0,"of":1}]`
	if string(data) != want {
		t.Errorf("got %s\nwant %s", data, want)
	}
	var back []instrument.Score
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back[0].Value != 0 || !back[0].OK || !math.IsNaN(back[1].Value) || back[1].OK {
		t.Errorf("read back %+v", back)
	}
	if err := json.Unmarshal([]byte(`{"ok":true,"value":null}`), &back[0]); err == nil {
		t.Error("a score that is ok without a value was read")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers instrument.Answers
		item    string
		message string
	}{
		{"none", nil, "", ""},
		{"ends of the line", instrument.Answers{"a": 0, "b": 10, "c": 1.5}, "", ""},
		{"rather not say", instrument.Answers{"d": -1}, "", ""},
		{"unknown item", instrument.Answers{"a": 1, "z": 1}, "z", "the form has no such item"},
		{"below", instrument.Answers{"c": .5}, "c", "the answer is outside 1 to 5"},
		{"above", instrument.Answers{"a": 11}, "a", "the answer is outside 0 to 10"},
		{"off the step", instrument.Answers{"c": 1.25}, "c", "the answer is not on a step of 0.5"},
		{"not an option", instrument.Answers{"d": 1.5}, "d", "the answer is not one of the options"},
		{"not a number", instrument.Answers{"d": math.NaN()}, "d", "the answer is not a number"},
		{"infinite", instrument.Answers{"a": math.Inf(1)}, "a", "the answer is not a number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := form().Check(tt.answers)
			if tt.item == "" {
				if err != nil {
					t.Errorf("got %v, want none", err)
				}
				return
			}
			var ae *instrument.AnswerError
			if !errors.As(err, &ae) || ae.Item != tt.item || ae.Message != tt.message {
				t.Errorf("got %v, want %s: %s", err, tt.item, tt.message)
			}
		})
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	a := instrument.Answers{"a": 0, "d": -1, "b": 99, "z": 1}
	for id, want := range map[string]instrument.State{
		"a": instrument.Given, "d": instrument.Declined, "b": instrument.Unanswered,
		"c": instrument.Unanswered, "z": instrument.Unanswered,
	} {
		v, got := form().Read(a, id)
		if got != want {
			t.Errorf("%s: state %v, want %v", id, got, want)
		}
		if got == instrument.Given && v != 0 || got != instrument.Given && !math.IsNaN(v) {
			t.Errorf("%s: value %v", id, v)
		}
	}
}

func TestInstrumentLookups(t *testing.T) {
	t.Parallel()
	i := form(
		instrument.Scale{ID: "s", Dimension: instrument.Tasks}, instrument.Scale{ID: "t", Dimension: instrument.Bond},
		instrument.Scale{ID: "u", Dimension: instrument.Tasks})
	if got := i.Key(); got != "form@3" {
		t.Errorf("key %q", got)
	}
	if got := i.Dimensions(); !slices.Equal(got, []instrument.Dimension{instrument.Tasks, instrument.Bond}) {
		t.Errorf("dimensions %v", got)
	}
	if s, ok := i.Scale("u"); !ok || s.ID != "u" {
		t.Errorf("scale u: %v %v", s, ok)
	}
	if _, ok := i.Scale("z"); ok {
		t.Error("there is no scale z")
	}
	if it, ok := i.Item("c"); !ok || it.Min != 1 {
		t.Errorf("item c: %v %v", it, ok)
	}
	if _, ok := i.Item("z"); ok {
		t.Error("there is no item z")
	}
}

func TestTextIn(t *testing.T) {
	t.Parallel()
	both := instrument.Text{"en": "good", "it": "bene"}
	for _, tt := range []struct {
		text       instrument.Text
		lang, want string
	}{
		{both, "it", "bene"}, {both, "it-CH", "bene"}, {both, "fr", "good"}, {both, "", "good"},
		{instrument.Text{"it": "bene", "fr": "bien"}, "de", "bien"}, {nil, "en", ""},
	} {
		if got := tt.text.In(tt.lang); got != tt.want {
			t.Errorf("%v in %q: %q, want %q", tt.text, tt.lang, got, tt.want)
		}
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	up := instrument.Scale{Min: 1, Max: 5, HigherIsBetter: true}
	down := instrument.Scale{Min: 1, Max: 5}
	if got := up.Share(2); got != .25 {
		t.Errorf("up: %v", got)
	}
	if got := down.Share(2); got != .75 {
		t.Errorf("down: %v", got)
	}
	if got := up.Share(math.NaN()); !math.IsNaN(got) {
		t.Errorf("no score: %v", got)
	}
	if got := (instrument.Scale{}).Share(0); !math.IsNaN(got) {
		t.Errorf("no range: %v", got)
	}
}
