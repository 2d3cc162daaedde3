// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(instrument.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate says whether the schema accepts a file; what JSON cannot hold, such
// as infinity or a field written twice, counts as refused.
func validate(t *testing.T, s *jsonschema.Schema, data string) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(data), &v); err != nil {
		return err
	}
	j, err := json.Marshal(v)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(j)))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// TestSchemaAgreesWithParse: whatever the schema refuses Parse refuses, and the
// schema sees every mistake that is one of shape. A field written twice and a
// broken reference are refused by the YAML reader before the schema is asked.
func TestSchemaAgreesWithParse(t *testing.T) {
	t.Parallel()
	s := compileSchema(t)
	if err := validate(t, s, good); err != nil {
		t.Errorf("the schema refuses the good file: %v", err)
	}
	for _, tt := range bad {
		err := validate(t, s, badFile(t, tt.old, tt.new))
		seen := err != nil
		if tt.name == "field twice" || tt.name == "reference" {
			continue
		}
		if seen != tt.seen {
			t.Errorf("%s: the schema refuses: %v, want %v (%v)", tt.name, seen, tt.seen, err)
		}
	}
}

// TestSchemaListsTheFields guards against a field that one of the two forgets.
func TestSchemaListsTheFields(t *testing.T) {
	t.Parallel()
	var doc struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(instrument.Schema), &doc); err != nil {
		t.Fatal(err)
	}
	for part, props := range map[string]map[string]any{
		"":            doc.Properties,
		"items:\n  ":  doc.Defs["item"].Properties,
		"scales:\n  ": doc.Defs["scale"].Properties,
	} {
		data := "nothing: 1\n"
		if part != "" {
			data = part + "- nothing: 1\n"
		}
		_, err := instrument.Parse("f.yaml", []byte(data))
		known := ""
		for line := range strings.Lines(err.Error()) {
			if _, rest, ok := strings.Cut(line, `"nothing" is unknown; known here: `); ok {
				known = strings.TrimSuffix(strings.TrimSpace(rest), ".")
			}
		}
		fields := strings.Split(known, ", ")
		if len(fields) != len(props) {
			t.Errorf("%q: Parse knows %v, the schema %v", part, fields, props)
		}
		for _, f := range fields {
			if _, ok := props[f]; !ok {
				t.Errorf("%q: the schema does not know %q", part, f)
			}
		}
	}
}
