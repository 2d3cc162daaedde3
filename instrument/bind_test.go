// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
)

// TestBindOwn: the words of each form of the library, bound to the way it is
// scored, are the form again.
func TestBindOwn(t *testing.T) {
	t.Parallel()
	for _, f := range library.All() {
		got := instrument.Bind(instrument.KeyOf(f), instrument.WordingOf(f), instrument.Choice{Ages: f.Ages, Version: f.Version})
		if len(got.Mismatches) > 0 || !reflect.DeepEqual(got.Form, f) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", f.ID, got.Mismatches, got.Form, f)
		}
	}
}

// worded makes words for a key: one question for each item, all with the same
// answers.
func worded(k *instrument.Key) *instrument.Wording {
	en := func(s string) instrument.Text { return instrument.Text{"en": s} }
	w := &instrument.Wording{Language: "en", Title: en("Questions"), Owner: en("(c) Owner"), Parts: []instrument.WordedPart{{Kind: instrument.ToldPart, ID: "told", Text: en("About last week.")}}}
	for n, it := range k.Form.Items {
		p := instrument.WordedPart{Kind: instrument.QuestionPart, ID: fmt.Sprintf("q%d", n+1), Path: fmt.Sprintf("item[%d]", n+1), Text: en(fmt.Sprintf("Question number %d?", n+1))}
		if it.Step < 1 {
			p.Line = &instrument.WordedLine{Low: en("bad"), High: en("good")}
		}
		for v := it.Min; v <= it.Max && p.Line == nil; v += it.Step {
			p.Options = append(p.Options, instrument.WordedOption{Value: v, Scored: true, Label: en(fmt.Sprintf("answer %v", v))})
		}
		w.Parts = append(w.Parts, p)
	}
	return w
}

// TestBindKeys: words for every complete key make a form that scores as the key
// does, that can be written and read, and whose items are the key's.
func TestBindKeys(t *testing.T) {
	t.Parallel()
	bound := 0
	for _, k := range library.Keys() {
		if k.Form == nil {
			if got := instrument.Bind(k, &instrument.Wording{}, instrument.Choice{}); len(got.Mismatches) != 1 || !strings.Contains(got.Mismatches[0].Message, "is incomplete") {
				t.Errorf("%s: %v", k.ID, got.Mismatches)
			}
			continue
		}
		got := instrument.Bind(k, worded(k), instrument.Choice{Ages: []instrument.AgeBand{instrument.Adult}})
		if got.Form == nil {
			t.Errorf("%s: %v", k.ID, got.Mismatches)
			continue
		}
		bound++
		answers := instrument.Answers{}
		for n, it := range k.Form.Items {
			answers[it.ID] = it.Min + float64(n%2)
		}
		if a, b := got.Form.Score(answers), k.Form.Score(answers); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: %v, and by the key %v", k.ID, a, b)
		}
		text, err := instrument.Format(got.Form)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := instrument.Parse(k.ID, text); err != nil || !reflect.DeepEqual(again, got.Form) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", k.ID, err, again, got.Form)
		}
	}
	if bound < 29 {
		t.Errorf("%d keys were bound", bound)
	}
}

// TestBindMismatches: each way in which a file can disagree with a key is named,
// with the question, and all of them at once.
func TestBindMismatches(t *testing.T) {
	t.Parallel()
	en := func(s string) instrument.Text { return instrument.Text{"en": s} }
	q := func(w *instrument.Wording, n int) *instrument.WordedPart { return &w.Parts[n] }
	for name, c := range map[string]struct {
		key    string
		change func(*instrument.Wording)
		choice instrument.Choice
		want   []string
	}{
		"nothing": {"gad-7", func(*instrument.Wording) {}, instrument.Choice{}, nil},
		"one too few, and a link id twice": {"gad-7", func(w *instrument.Wording) { w.Parts = w.Parts[:7]; q(w, 6).ID = "q1" }, instrument.Choice{}, []string{
			`item[6]: The link id "q1" is also that of item[1]; give each item one of its own.`, "The file has 6 questions and the key of GAD-7 7: 1 missing."}},
		"one too many, with other answers": {"gad-7", func(w *instrument.Wording) {
			w.Parts = slices.Insert(w.Parts, 3, instrument.WordedPart{Kind: instrument.QuestionPart, ID: "life", Path: "item[9]", Text: en("How hard was it?"), Options: []instrument.WordedOption{{Label: en("very")}}})
		}, instrument.Choice{}, []string{`item[9]: Question 3 (life): the key of GAD-7 has 7 items and the file 8; "How hard was it?" seems to be none of them. Leave it out, or keep it without a score.`}},
		"two too many": {"gad-7", func(w *instrument.Wording) {
			for _, id := range []string{"x8", "x9"} {
				p := *q(w, 1)
				p.ID, p.Path = id, "item["+id+"]"
				w.Parts = append(w.Parts, p)
			}
		}, instrument.Choice{}, []string{
			`item[x8]: Question 8 (x8): the key of GAD-7 has 7 items and the file 9; "Question number 1?" seems to be none of them. Leave it out, or keep it without a score.`,
			`item[x9]: Question 9 (x9): the key of GAD-7 has 7 items and the file 9; "Question number 1?" seems to be none of them. Leave it out, or keep it without a score.`}},
		"numbers from 1 in place of 0": {"gad-7", func(w *instrument.Wording) {
			for i := range q(w, 2).Options {
				q(w, 2).Options[i].Value++
			}
		}, instrument.Choice{}, []string{"item[2]: Question 2 (q2): its answers are 1 to 4, and the key's 0 to 3: change every number by -1.",
			`item[2]: Question 2 (q2): the answer "answer 0" has the number 1, and 0 in other questions.`}},
		"answers": {"gad-7", func(w *instrument.Wording) {
			q(w, 1).Many = true
			q(w, 2).Options[1].Scored = false
			q(w, 3).Options[3].Value, q(w, 3).Options[3].Label = 9, en("other")
			q(w, 4).Options[3].Value, q(w, 4).Options[3].Label = 2, en("other")
			q(w, 5).Options[0].Label = nil
		}, instrument.Choice{}, []string{
			"item[1]: Question 1 (q1): it takes several answers at once, and an item of the key takes one.",
			`item[2]: Question 2 (q2): the answer "answer 1" has no number; give it one, as an ordinalValue.`,
			`item[3]: Question 3 (q3): the answer "other" has the number 9, and the key's go from 0 to 3.`, "item[3]: Question 3 (q3): no answer has the number 3, which the key has.",
			"item[4]: Question 4 (q4): two of its answers have the number 2.", "item[4]: Question 4 (q4): no answer has the number 3, which the key has."}},
		"order": {"gad-7", func(w *instrument.Wording) { w.Parts[2], w.Parts[3] = w.Parts[3], w.Parts[2] }, instrument.Choice{}, []string{
			"item[2]: Question 3 (q2): it is number 2 and comes after number 3; the key counts the items in the order of the published form."}},
		"turned round already": {"core-10", func(w *instrument.Wording) {
			for _, n := range []int{3, 4} {
				for i := range q(w, n).Options {
					q(w, n).Options[i].Value = 4 - q(w, n).Options[i].Value
				}
			}
		}, instrument.Choice{}, []string{
			`item[3]: Question 3 (q3): the key turns item 3 round, and the file has done so already: "answer 0" is 4 here and 0 in other questions. Give it the numbers of the others, or have it turned back.`,
			`item[4]: Question 4 (q4): its answers run against those of the others ("answer 0" is 4 here and 0 there), and the key does not turn item 4 round. Correct its numbers.`}},
		"a language that is not there": {"gad-7", func(*instrument.Wording) {}, instrument.Choice{Languages: []string{"it"}}, []string{`The file has no words in "it"; it has them in en.`}},
		"a language that is not complete": {"gad-7", func(w *instrument.Wording) { w.Parts[1].Text["it"] = "Domanda?" }, instrument.Choice{Languages: []string{"it"}}, []string{
			`What is told above the first question is not there in "it".`, `item[2]: Question 2 (q2): it has no words in "it".`, `item[1]: Question 1 (q1): the answer "answer 0" has no words in "it".`}},
		"no owner": {"gad-7", func(w *instrument.Wording) { w.Owner = nil }, instrument.Choice{}, []string{"The file does not name the owner of the words; give the line that the owner asks to be shown."}},
		"no language": {"gad-7", func(w *instrument.Wording) {
			w.Language, w.Owner, w.Title = "", nil, nil
			for i, p := range w.Parts {
				w.Parts[i].Text = instrument.Text{"": p.Text["en"]}
				for j, o := range p.Options {
					p.Options[j].Label = instrument.Text{"": o.Label["en"]}
				}
			}
		}, instrument.Choice{}, []string{"The file does not say in which language its words are; choose one."}},
		"a line": {"srs-v3", func(w *instrument.Wording) {
			zero, hundred := 0.0, 100.0
			q(w, 1).Line = &instrument.WordedLine{Min: &zero, Max: &hundred, Low: en("bad")}
		}, instrument.Choice{}, []string{"item[1]: Question 1 (q1): its greatest answer is 100, and the key's 10.", `item[1]: Question 1 (q1): the high end of its line has no words in "en".`}},
		"who answers": {"gad-7", func(*instrument.Wording) {}, instrument.Choice{Informant: instrument.Carer}, []string{"GAD-7 is not answered by the carer but by the client."}},
	} {
		k, ok := library.Key(c.key)
		if !ok {
			t.Fatal(c.key)
		}
		w := worded(k)
		c.change(w)
		got := instrument.Bind(k, w, c.choice)
		var said []string
		for _, m := range got.Mismatches {
			said = append(said, m.String())
		}
		for _, want := range c.want {
			if !slices.Contains(said, want) {
				t.Errorf("%s: does not say %s", name, want)
			}
		}
		if (got.Form == nil) != (len(c.want) > 0) || len(c.want) == 0 && len(said) > 0 {
			t.Errorf("%s: form %v", name, got.Form)
		}
		if t.Failed() {
			t.Fatalf("%s says:\n%s", name, strings.Join(said, "\n"))
		}
	}
}

// TestBindChoices: a question beyond the key is kept or left out, a file whose
// language is not named is in the one that is chosen, turned items are turned
// back, and what is told between questions is not lost.
func TestBindChoices(t *testing.T) {
	t.Parallel()
	none := func(s string) instrument.Text { return instrument.Text{"": s} }
	k, _ := library.Key("core-10")
	w := worded(k)
	w.Language, w.Title, w.Owner = "", nil, none("(c) Owner")
	for i, p := range w.Parts {
		w.Parts[i].Text = none(p.Text["en"])
		for j, o := range p.Options {
			p.Options[j].Label = none(o.Label["en"])
			if i == 3 {
				p.Options[j].Value = 4 - o.Value
			}
		}
	}
	w.Parts[5].Options = append(w.Parts[5].Options, instrument.WordedOption{Declined: true, Label: none("rather not say")})
	life := instrument.WordedPart{Kind: instrument.QuestionPart, ID: "life", Text: none("How hard?"), Options: []instrument.WordedOption{{Label: none("not")}, {Label: none("very")}}}
	w.Parts = slices.Insert(w.Parts, 2, life, instrument.WordedPart{Kind: instrument.GroupPart, ID: "g", Text: none("And now:")})
	w.Parts = append(w.Parts, instrument.WordedPart{Kind: instrument.CalculatedPart, ID: "sum", Path: "item[20]", Text: none("Total")}, instrument.WordedPart{Kind: instrument.OpenPart, ID: "why", Text: none("Why?")})
	choice := instrument.Choice{Languages: []string{"it"}, TurnBack: []string{"q3"}, Keep: []string{"life"}}
	got := instrument.Bind(k, w, choice)
	if got.Form == nil {
		t.Fatal(got.Mismatches)
	}
	f := got.Form
	if len(f.Items) != 11 || f.Items[10].ID != "extra1" || f.Items[10].Max != 1 || f.Items[1].Text["it"] != "And now:\nQuestion number 2?" || f.Licence.Notice["it"] != "(c) Owner" || f.Intro["it"] != "About last week." {
		t.Errorf("%+v", f)
	}
	if o := f.Items[2].Options; o[0].Value != 0 || o[0].Label["it"] != "answer 0" {
		t.Errorf("not turned back: %+v", o)
	}
	if o := f.Items[4].Options[5]; !o.NoAnswer || o.Value != -1 {
		t.Errorf("rather not say: %+v", o)
	}
	notes := fmt.Sprint(got.Notes)
	for _, want := range []string{"Total is a calculated score", "Why? is answered in words", "(life) is kept", "have no numbers", "no title"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note %q in %s", want, notes)
		}
	}
	choice.Keep, choice.LeaveOut = nil, []string{"life"}
	if got := instrument.Bind(k, w, choice); got.Form == nil || len(got.Form.Items) != 10 {
		t.Error(got.Mismatches)
	}
}
