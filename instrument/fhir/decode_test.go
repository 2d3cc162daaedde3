// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir_test

import (
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/fhir"
	"github.com/entente-project/entente/instrument/library"
)

func file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func decode(t testing.TB, text string) *instrument.Wording {
	t.Helper()
	w, err := fhir.Decode(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// ask is a questionnaire of one choice with these answers, inside a list.
func ask(answers string) string {
	return `{"resourceType":"Questionnaire","status":"active","language":"en","item":[{"linkId":"a","type":"choice","text":"How?",` + answers + `}]}`
}

// TestScores: the number of an answer is found wherever files of servers and of
// other programs put it.
func TestScores(t *testing.T) {
	t.Parallel()
	const url = `"url":"http://hl7.org/fhir/StructureDefinition/`
	set := func(inside string) string {
		return strings.Replace(ask(`"answerValueSet":"#s"`), `"item"`, `"contained":[{"resourceType":"ValueSet","id":"s","url":"urn:s",`+inside+`}],"item"`, 1)
	}
	for name, text := range map[string]string{
		"ordinalValue on the option":    ask(`"answerOption":[{"extension":[{` + url + `ordinalValue","valueDecimal":3}],"valueCoding":{"code":"x","display":"Yes"}}]`),
		"itemWeight on the option":      ask(`"answerOption":[{"extension":[{` + url + `itemWeight","valueDecimal":3}],"valueCoding":{"code":"x","display":"Yes"}}]`),
		"on the coding":                 ask(`"answerOption":[{"valueCoding":{"extension":[{` + url + `itemWeight","valueInteger":3}],"code":"x","display":"Yes"}}]`),
		"on a text":                     ask(`"answerOption":[{"valueString":"Yes","_valueString":{"extension":[{` + url + `ordinalValue","valueDecimal":3}]}}]`),
		"of STU3":                       ask(`"answerOption":[{"extension":[{` + url + `questionnaire-ordinalValue","valueDecimal":3}],"valueCoding":{"display":"Yes"}}]`),
		"a code that is the number":     ask(`"answerOption":[{"valueCoding":{"system":"urn:x","code":"3","display":"Yes"}}]`),
		"value set, composed":           set(`"compose":{"include":[{"system":"urn:c","concept":[{"code":"x","display":"Yes","extension":[{` + url + `valueset-ordinalValue","valueDecimal":3}]}]}]}`),
		"value set, expanded":           set(`"expansion":{"contains":[{"system":"urn:c","code":"x","display":"Yes","extension":[{` + url + `itemWeight","valueDecimal":3}]}]}`),
		"value set by its address":      strings.Replace(set(`"expansion":{"contains":[{"code":"3","display":"Yes"}]}`), "#s", "urn:s|1.0", 1),
		"a code system's property":      strings.Replace(set(`"compose":{"include":[{"system":"urn:c"}]}`), `"contained":[`, `"contained":[{"resourceType":"CodeSystem","url":"urn:c","concept":[{"code":"x","display":"Yes","property":[{"code":"itemWeight","valueDecimal":3}]}]},`, 1),
		"twice, and the same both ways": ask(`"answerOption":[{"extension":[{` + url + `ordinalValue","valueDecimal":3}],"valueCoding":{"extension":[{` + url + `itemWeight","valueDecimal":3.0}],"display":"Yes"}}]`),
	} {
		w := decode(t, text)
		got := w.Questions()[0].Options
		if len(got) != 1 || !got[0].Scored || got[0].Value != 3 || got[0].Label["en"] != "Yes" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	numbers := decode(t, ask(`"answerOption":[{"valueInteger":0},{"valueInteger":1},{"valueCoding":{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"asked-declined","display":"Rather not"}}]`)).Questions()[0].Options
	want := []instrument.WordedOption{{Scored: true}, {Value: 1, Scored: true}, {Declined: true, Label: instrument.Text{"en": "Rather not"}, Code: instrument.Code{System: "http://terminology.hl7.org/CodeSystem/data-absent-reason", Value: "asked-declined"}}}
	if !reflect.DeepEqual(numbers, want) {
		t.Errorf("whole numbers: %+v", numbers)
	}
	// A code that is a number among codes that are none is no score.
	mixed := decode(t, ask(`"answerOption":[{"valueCoding":{"code":"0","display":"No"}},{"valueCoding":{"code":"LA1-2","display":"Yes"}}]`)).Questions()[0].Options
	if mixed[0].Scored || mixed[1].Scored {
		t.Errorf("mixed codes became scores: %+v", mixed)
	}
}

// TestPanelShape: of a panel as LHC-Forms exports it the total is set aside by
// name, and the question without numbers stays a question without numbers.
func TestPanelShape(t *testing.T) {
	t.Parallel()
	w := decode(t, file(t, "loinc-panel-shape.json"))
	q := w.Questions()
	if len(q) != 10 || q[9].ID != "/69722-7" || q[9].Options[0].Scored || !q[8].Required {
		t.Errorf("questions: %+v", q)
	}
	for n, o := range q[0].Options {
		if !o.Scored || o.Value != float64(n) {
			t.Errorf("answer %d: %+v", n, o)
		}
	}
	if aside := w.Aside(); len(aside) != 1 || aside[0].ID != "/44261-6" || aside[0].Kind != instrument.CalculatedPart || aside[0].Path != "item[9]" {
		t.Errorf("set aside: %+v", aside)
	}
	if w.Source != "http://loinc.org|44249-1" || w.Title[""] != "Placeholder panel" {
		t.Errorf("%q, %v", w.Source, w.Title)
	}
}

// TestWords: translations, groups, lines with their ends, and what is told.
func TestWords(t *testing.T) {
	t.Parallel()
	tr := func(it string) string {
		return `{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/translation","extension":[{"url":"lang","valueCode":"it"},{"url":"content","valueString":"` + it + `"}]}]}`
	}
	control := func(code string) string {
		return `"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl","valueCodeableConcept":{"coding":[{"code":"` + code + `"}]}}]`
	}
	w := decode(t, `{"resourceType":"Questionnaire","status":"draft","language":"en-us","title":"Day","_title":`+tr("Giorno")+`,"copyright":"(c) Somebody","item":[
	 {"linkId":"g","type":"group","text":"Today","_text":`+tr("Oggi")+`,"item":[
	  {"linkId":"h","type":"display","text":"Think of today."},
	  {"linkId":"l","type":"integer","prefix":"1.","text":"How was it?","_text":`+tr("Com'era?")+`,"enableWhen":[{"question":"x"}],"extension":[
	    {"url":"http://hl7.org/fhir/StructureDefinition/minValue","valueInteger":0},{"url":"http://hl7.org/fhir/StructureDefinition/maxValue","valueInteger":10},
	    {"url":"http://example.org/unknown","valueString":"x"}],
	   "item":[{"linkId":"l1","type":"display","text":"bad",`+control("lower")+`},{"linkId":"l2","type":"display","text":"good",`+control("upper")+`}]},
	  {"linkId":"o","type":"text","text":"Anything else?"}]}],"effectivePeriod":{},"surprise":1}`)
	zero, ten := 0.0, 10.0
	want := []instrument.WordedPart{{Kind: instrument.GroupPart, ID: "g", Path: "item[0]", Text: instrument.Text{"en-US": "Today", "it": "Oggi"}, Parts: []instrument.WordedPart{
		{Kind: instrument.ToldPart, ID: "h", Path: "item[0].item[0]", Type: "display", Text: instrument.Text{"en-US": "Think of today."}},
		{Kind: instrument.QuestionPart, ID: "l", Prefix: "1.", Path: "item[0].item[1]", Text: instrument.Text{"en-US": "How was it?", "it": "Com'era?"},
			Line: &instrument.WordedLine{Min: &zero, Max: &ten, Low: instrument.Text{"en-US": "bad"}, High: instrument.Text{"en-US": "good"}}},
		{Kind: instrument.OpenPart, ID: "o", Path: "item[0].item[2]", Type: "text", Text: instrument.Text{"en-US": "Anything else?"}},
	}}}
	if !reflect.DeepEqual(w.Parts, want) {
		t.Errorf("%+v", w.Parts)
	}
	var notes []string
	for _, n := range w.Notes {
		notes = append(notes, n.Path+": "+n.Message)
	}
	for _, want := range []string{
		`surprise: "surprise" is not read.`, "status: Its maker calls it a draft.", `item[0].item[1].extension[2]: The extension "http://example.org/unknown" is not read.`,
		"item[0].item[1].enableWhen: The item is asked there only on a condition; here it is always asked.",
	} {
		if !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("no note %q in\n%s", want, strings.Join(notes, "\n"))
		}
	}
	if w.Owner["en-US"] != "(c) Somebody" || w.Title["it"] != "Giorno" {
		t.Errorf("%v, %v", w.Owner, w.Title)
	}
}

// TestBroken prints what is said of broken files, and compares.
func TestBroken(t *testing.T) {
	t.Parallel()
	const url = `"url":"http://hl7.org/fhir/StructureDefinition/`
	good := ask(`"answerOption":[{"valueInteger":0},{"valueInteger":1}]`)
	if _, err := fhir.Decode(strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	change := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("good has no %s", from)
		}
		return strings.Replace(good, from, to, 1)
	}
	for _, c := range []struct{ text, want string }{
		{"", "The file is empty."},
		{"<Questionnaire/>", "The file is XML or a web page; export the questionnaire as FHIR JSON."},
		{"{\n\"resourceType\": }", "This is not JSON: near line 2: invalid character '}' looking for beginning of value."},
		{good[:40], "This is not JSON: near line 1: unexpected EOF."},
		{good + good, "After the end of the questionnaire there is something more; write one questionnaire in a file."},
		{"[]", "The file holds a list in place of a Questionnaire."},
		{strings.Repeat(`{"a":`, 60), "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: The file is nested more than 40 levels deep."},
		{change(`"Questionnaire"`, `"QuestionnaireResponse"`), "resourceType: The file holds somebody's answers (QuestionnaireResponse); take the Questionnaire itself, without answers."},
		{change(`"Questionnaire"`, `"Patient"`), `resourceType: The file holds "Patient" in place of a Questionnaire.`},
		{`{"resourceType":"Bundle","entry":[]}`, "entry: The file is a Bundle with 0 Questionnaires; take the one that is wanted out of it."},
		{change(`"status"`, `"language":"it","status"`), `language: The field "language" is written twice; delete the one that is wrong.`},
		{change(`"en"`, `"English"`), `language: "English" is not a language such as "en" or "de-CH".`},
		{change(`"linkId":"a",`, ""), "item[0].linkId: The item has no linkId; give each one of its own."},
		{change(`"choice"`, `"radio"`), `item[0].type: The type "radio" is none of FHIR R4.`},
		{change(`"type":"choice",`, ""), `item[0].type: The item has no type; a question with answers to choose is a "choice".`},
		{change(`"How?"`, `["How?"]`), `item[0].text: "text" must be text, not a list.`},
		{change(`"answerOption"`, `"option"`), "item[0]: The answers stand as in FHIR STU3 (option); export the questionnaire as FHIR R4, with answerOption.\nitem[0]: The question has no answers to choose; add them as answerOption, each with its number."},
		{ask(`"answerValueSet":"http://loinc.org/vs/LL358-3"`), "item[0].answerValueSet: The answers stand outside the file (http://loinc.org/vs/LL358-3); put them into it, as answerOption or as a contained ValueSet."},
		{ask(`"answerOption":[]`), "item[0].answerOption: The list of answers is empty."},
		{change(`{"valueInteger":1}`, `{"valueInteger":"often"}`), `item[0].answerOption[1].valueInteger: "valueInteger" must be a number, not text.`},
		{change(`{"valueInteger":1}`, `{"valueDate":"2026-01-01"}`), "item[0].answerOption[1]: The answer has no value that can be chosen; write it as valueCoding, valueInteger or valueString."},
		{change(`{"valueInteger":1}`, `{"valueCoding":{"system":"urn:x"}}`), "item[0].answerOption[1].valueCoding: The answer has neither a code nor words (display)."},
		{change(`{"valueInteger":1}`, `{"valueCoding":{"display":"x","extension":[{`+url+`itemWeight","valueDecimal":2}]},"extension":[{`+url+`ordinalValue","valueDecimal":1}]}`),
			"item[0].answerOption[1].valueCoding.extension[0]: The answer has two numbers, 1 and 2; delete the one that is wrong."},
		{change(`"text"`, `"modifierExtension":[{}],"text"`), "item[0].modifierExtension: The item must not be read without understanding an addition of its maker's; ask them for a plain export."},
		{change(`"text"`, `"_text":{"extension":[{`+url+`translation","extension":[{"url":"lang","valueCode":"it"}]}]},"text"`), "item[0]._text.extension[0]: A translation needs its language (lang) and its text (content)."},
		{change(`"item":[`, `"item":[{"linkId":"n","type":"text","text":"x"}],"items":[`), "item: The questionnaire has no question that is answered by a choice or a number."},
	} {
		_, err := fhir.Decode(strings.NewReader(c.text))
		var e *fhir.Error
		if !errors.As(err, &e) {
			t.Errorf("%.60s: %v", c.text, err)
			continue
		}
		t.Log(e)
		if e.Error() != c.want {
			t.Errorf("said %s\nwant %s", e, c.want)
		}
	}
}

// FuzzDecode: whatever is sent, there is a wording with a question or an *Error
// of bounded size; what was read can be written and bound.
func FuzzDecode(f *testing.F) {
	f.Add(file(f, "loinc-panel-shape.json"))
	f.Add(ask(`"answerOption":[{"valueInteger":0},{"valueString":"x","_valueString":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/itemWeight","valueDecimal":1}]}}]`))
	f.Add(strings.Replace(ask(`"answerValueSet":"#s"`), `"item"`, `"contained":[{"resourceType":"ValueSet","id":"s","expansion":{"contains":[{"code":"3"}]}}],"item"`, 1))
	k, ok := library.Key("gad-7")
	if !ok {
		f.Fatal("no key")
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := fhir.Decode(strings.NewReader(text))
		var e *fhir.Error
		switch {
		case err == nil:
			if len(w.Questions()) == 0 {
				t.Error("no question and no error")
			}
			if err := fhir.Encode(io.Discard, w); err != nil {
				t.Error(err)
			}
			b := instrument.Bind(k, w, instrument.Choice{Languages: []string{"en"}, Owner: "x"})
			if (b.Form == nil) == (len(b.Mismatches) == 0) {
				t.Errorf("a form and mismatches, or neither: %+v", b)
			}
		case !errors.As(err, &e) || len(e.Problems) == 0 || len(e.Problems) > 101:
			t.Errorf("%v", err)
		}
	})
}
