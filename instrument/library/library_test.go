// SPDX-License-Identifier: AGPL-3.0-or-later

package library_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func TestFormsOfTheLibrary(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, i := range library.All() {
		keys = append(keys, i.Key())
	}
	want := []string{"conditions-client-adolescent@1", "conditions-client-adult@1", "conditions-client-child@1", "involvement-client@1",
		"outcome-brief@1", "prediction-therapist@1", "readiness-client@1", "readiness-therapist@1", "session-carer@1", "session-client-adolescent@1", "session-client-adult@1", "session-client-child@1",
		"session-client-couple@1", "session-client-family@1", "session-client-group@1", "session-therapist@1"}
	if !slices.Equal(keys, want) {
		t.Errorf("got %v, want %v", keys, want)
	}
}

func TestFormsSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, i := range library.All() {
		if i.Validated {
			t.Errorf("%s: no form of ours is validated yet", i.ID)
		}
		if !slices.Equal(i.Languages(), []string{"en", "it"}) {
			t.Errorf("%s: languages %v", i.ID, i.Languages())
		}
		if i.Licence.SPDX != "CC-BY-4.0" ||
			!strings.Contains(i.Licence.Notice.In("en"), "Not yet validated") ||
			!strings.Contains(i.Licence.Notice.In("it"), "Non ancora validata") {
			t.Errorf("%s: licence %+v", i.ID, i.Licence)
		}
		data, err := os.ReadFile(fmt.Sprintf("%s.v%d.yaml", i.ID, i.Version))
		if err != nil {
			t.Error(err)
		} else if !strings.HasPrefix(string(data), "# SPDX-License-Identifier: CC-BY-4.0\n") {
			t.Errorf("%s: the first line is not the licence", i.ID)
		}
		for _, s := range i.Scales {
			if s.Reliability != nil || s.Cutoff != nil {
				t.Errorf("%s: %s has a published figure, and nothing is published", i.ID, s.ID)
			}
		}
	}
}

func TestSessionForms(t *testing.T) {
	t.Parallel()
	for _, i := range library.All() {
		if i.Kind != instrument.Alliance {
			continue
		}
		want := []instrument.Dimension{instrument.Bond, instrument.Tasks, instrument.Goals, instrument.Whole}
		// With others in the room there is one scale more, of the client with them.
		with := len(i.Settings) > 0
		dimensions := slices.DeleteFunc(i.Dimensions(), func(d instrument.Dimension) bool { return with && d == instrument.Part })
		if !slices.Equal(dimensions, want) || with != (len(i.Dimensions()) == 5) {
			t.Errorf("%s: dimensions %v", i.ID, i.Dimensions())
		}
		if i.CommentPrompt == nil {
			t.Errorf("%s: no room for own words", i.ID)
		}
		n := len(i.Items) - 1
		last := i.Items[n]
		if last.ID != "tension" || !last.Tension || !slices.ContainsFunc(last.Options, func(o instrument.Option) bool { return o.NoAnswer }) {
			t.Errorf("%s: the last item must be the question on tension, with a way not to say", i.ID)
		}
		best, worst := instrument.Answers{"tension": -1}, instrument.Answers{"tension": 2}
		for _, it := range i.Items[:n] {
			best[it.ID], worst[it.ID] = it.Max, it.Min
		}
		if err := i.Check(best); err != nil {
			t.Errorf("%s: %v", i.ID, err)
		}
		low := i.Score(worst)
		for k, got := range i.Score(best) {
			s := i.Scales[k]
			if !got.OK || got.Value != s.Max || !s.HigherIsBetter || s.Reversed != nil {
				t.Errorf("%s: best %+v of %+v", i.ID, got, s)
			}
			if !low[k].OK || low[k].Value != s.Min {
				t.Errorf("%s: worst %+v of %+v", i.ID, low[k], s)
			}
		}
		if v, state := i.Read(best, "tension"); state != instrument.Declined {
			t.Errorf("%s: rather not say is read as %v, %v", i.ID, v, state)
		}
	}
}

// TestAdultMissing fixes the rule of the two-item scales: none may be missing.
func TestAdultMissing(t *testing.T) {
	t.Parallel()
	i, ok := library.Get("session-client-adult")
	if !ok {
		t.Fatal("no form")
	}
	got := i.Score(instrument.Answers{"bond1": 10, "tasks1": 4, "tasks2": 6, "goals1": 0, "goals2": 5})
	for k, want := range []struct {
		ok    bool
		value float64
	}{{false, 0}, {true, 5}, {true, 2.5}, {true, 5}} {
		if got[k].OK != want.ok || want.ok && got[k].Value != want.value {
			t.Errorf("%s: got %+v, want %+v", got[k].Scale, got[k], want)
		}
	}
}

func TestTherapistFormMirrorsTheClients(t *testing.T) {
	t.Parallel()
	client, _ := library.Get("session-client-adult")
	therapist, _ := library.Get("session-therapist")
	for k, it := range client.Items {
		other := therapist.Items[k]
		if it.ID != other.ID || it.Min != other.Min || it.Max != other.Max || it.Step != other.Step {
			t.Errorf("%s and %s differ", it.ID, other.ID)
		}
	}
}

func TestPrediction(t *testing.T) {
	t.Parallel()
	p, ok := library.Get("prediction-therapist")
	if !ok {
		t.Fatal("no form")
	}
	of, ok := library.Get(p.Predicts)
	if !ok || of.Informant != instrument.Client {
		t.Fatalf("%q is no client's form", p.Predicts)
	}
	for _, s := range p.Scales {
		other, ok := of.Scale(s.ID)
		if !ok || other.Dimension != s.Dimension || other.Min != s.Min || other.Max != s.Max {
			t.Errorf("%s: predicts %+v", s.ID, other)
		}
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	o, ok := library.Get("outcome-brief")
	if !ok {
		t.Fatal("no form")
	}
	a := instrument.Answers{"wellbeing": 8, "burden": 2, "relations": 8, "daily": 8}
	if got := o.Score(a)[0]; !got.OK || got.Value != 8 || got.Answered != 4 {
		t.Errorf("with hope missing: %+v", got)
	}
	delete(a, "daily")
	if got := o.Score(a)[0]; got.OK {
		t.Errorf("with two missing: %+v", got)
	}
}

// TestEveryAgeHasItsForms: a practice of all ages has a client's, a
// therapist's and a prediction form for each, and a carer's below 18.
func TestEveryAgeHasItsForms(t *testing.T) {
	t.Parallel()
	has := func(age instrument.AgeBand, who instrument.Informant, kind instrument.Kind) bool {
		return slices.ContainsFunc(library.All(), func(i *instrument.Instrument) bool {
			return slices.Contains(i.Ages, age) && i.Informant == who && i.Kind == kind
		})
	}
	for _, age := range []instrument.AgeBand{instrument.Adult, instrument.Adolescent, instrument.Child} {
		if !has(age, instrument.Client, instrument.Alliance) || !has(age, instrument.Therapist, instrument.Alliance) ||
			!has(age, instrument.Therapist, instrument.Prediction) {
			t.Errorf("%s: a form is missing", age)
		}
		if has(age, instrument.Carer, instrument.Alliance) != (age != instrument.Adult) {
			t.Errorf("%s: the carer's form", age)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	if _, ok := library.Get("nothing"); ok {
		t.Error("found nothing")
	}
	i, ok := library.GetVersion("session-carer", 1)
	if !ok || i.Key() != "session-carer@1" {
		t.Errorf("got %v %v", i, ok)
	}
	if _, ok := library.GetVersion("session-carer", 99); ok {
		t.Error("found version 99")
	}
	all := library.All()
	all[0] = nil
	if library.All()[0] == nil {
		t.Error("All hands out its own list")
	}
}

func TestFilesMatchTheSchema(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(instrument.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("*.yaml")
	if err != nil || len(names) != len(library.All()) {
		t.Fatalf("%d files, %d forms, %v", len(names), len(library.All()), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := yaml.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		inst, err := jsonschema.UnmarshalJSON(strings.NewReader(string(j)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(inst); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
