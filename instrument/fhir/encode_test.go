// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/fhir"
	"github.com/entente-project/entente/instrument/library"
)

// valid says what the JSON Schema of R4 has against a Questionnaire.
func valid(t testing.TB, text []byte) error {
	t.Helper()
	f, err := os.Open("testdata/r4-questionnaire.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("r4.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("r4.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`{"resourceType":"Questionnaire","item":[{"linkId":"a","type":"choice","answerOption":[{"valueDecimal":1}]}]}`,
		`{"resourceType":"Questionnaire","items":[]}`, `{"resourceType":"Questionnaire","item":[{"linkId":"a","type":"radio"}]}`,
	} {
		if valid(t, []byte(bad)) == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

// forms are those of the library and two as published keys make them.
func forms(t testing.TB) (out []*instrument.Instrument) {
	t.Helper()
	out = library.All()
	for _, f := range []string{"published.yaml", "italian.yaml"} {
		i, err := instrument.Parse(f, []byte(file(t, f)))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, i)
	}
	return out
}

// TestEncodeForm: each form is valid R4, its scores are items that are set aside
// by name, and what is read back is bound to the form itself.
func TestEncodeForm(t *testing.T) {
	t.Parallel()
	for _, f := range forms(t) {
		var out bytes.Buffer
		notes, err := fhir.EncodeForm(&out, f)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(t, out.Bytes()); err != nil {
			t.Errorf("%s: %v", f.ID, err)
		}
		w := decode(t, out.String())
		var aside []string
		for _, p := range w.Aside() {
			if p.Kind == instrument.CalculatedPart {
				aside = append(aside, p.ID)
			}
		}
		var scales []string
		for _, s := range f.Scales {
			scales = append(scales, "score-"+s.ID)
		}
		if !reflect.DeepEqual(aside, scales) {
			t.Errorf("%s: set aside %v of %v", f.ID, aside, scales)
		}
		got := instrument.Bind(instrument.KeyOf(f), w, instrument.Choice{Ages: f.Ages, Version: f.Version})
		if !reflect.DeepEqual(got.Form, f) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", f.ID, got.Mismatches, got.Form, f)
		}
		for _, n := range notes {
			if f.Validated || !strings.Contains(n.Message, "not yet validated") {
				t.Errorf("%s: %v", f.ID, n)
			}
		}
	}
}

// TestPublic: words that were read are written so that they are read again as
// they were, whichever way the file had written them: for files of others, for
// their shapes, and for those of a directory that ENTENTE_FHIR_DIR names.
func TestPublic(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("ENTENTE_FHIR_DIR"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(more) == 0 {
			t.Fatalf("no files in %s: %v", dir, err)
		}
		names = append(names, more...)
	}
	tested := 0
	for _, name := range names {
		if strings.HasSuffix(name, ".schema.json") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		twice(t, name, string(text))
		tested++
	}
	if tested < 4 {
		t.Errorf("%d files", tested)
	}
}

func twice(t *testing.T, name, text string) {
	t.Helper()
	first := decode(t, text)
	var out bytes.Buffer
	if err := fhir.Encode(&out, first); err != nil {
		t.Fatal(err)
	}
	if err := valid(t, out.Bytes()); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	again := decode(t, out.String())
	t.Logf("%s: %d questions, set aside %d, notes %v", name, len(first.Questions()), len(first.Aside()), first.Notes)
	first.Notes, again.Notes = nil, nil
	if !reflect.DeepEqual(first, again) {
		t.Errorf("%s: read as\n%+v\nand again as\n%+v", name, first, again)
	}
}

// TestBindShapes: the shapes of two public files of one instrument, bound to its
// key: the total is set aside, and the question on daily life is named and then
// kept or left out as is chosen.
func TestBindShapes(t *testing.T) {
	t.Parallel()
	k, ok := library.Key("phq-9")
	if !ok {
		t.Fatal("no key")
	}
	c := instrument.Choice{Languages: []string{"it"}, Owner: "(c) Owner"}
	got := instrument.Bind(k, decode(t, file(t, "sdc-phq9-shape.json")), c)
	if got.Form == nil || len(got.Form.Items) != 9 || got.Form.Intro["it"] != "Placeholder for what is told above" {
		t.Fatal(got.Mismatches)
	}
	if s := got.Form.Score(instrument.Answers{"1": 3, "2": 3, "3": 3, "4": 3, "5": 3, "6": 3, "7": 3, "8": 3, "9": 2}); s[0].Value != 26 {
		t.Errorf("%+v", s)
	}
	panel := decode(t, file(t, "loinc-panel-shape.json"))
	got = instrument.Bind(k, panel, c)
	if len(got.Mismatches) != 1 || got.Mismatches[0].Item != "/69722-7" {
		t.Errorf("%v", got.Mismatches)
	}
	c.LeaveOut = []string{"/69722-7"}
	if got = instrument.Bind(k, panel, c); got.Form == nil || len(got.Form.Items) != 9 {
		t.Errorf("left out: %v", got.Mismatches)
	}
	c.LeaveOut, c.Keep = nil, c.LeaveOut
	if got = instrument.Bind(k, panel, c); got.Form == nil || len(got.Form.Items) != 10 {
		t.Errorf("kept: %v", got.Mismatches)
	}
}
