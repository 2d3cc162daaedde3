// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// keyFile is a key as it is written; items are numbers.
type keyFile struct {
	ID, Name   string
	Kind       Kind
	Informants []Informant
	Ages       string
	Period     string
	Method     string
	Complete   bool
	Items      int
	Min, Max   float64
	Step       float64
	Higher     bool `yaml:"higher_is_better"`
	Scales     []keyScale
	Lacks      []string
	Sizes      string `yaml:"scale_sizes"`
	Risk       []struct {
		Items []int
		From  float64
	}
	Reliability string `yaml:"reliability_note"`
	Languages   string `yaml:"languages_note"`
	Licence     struct{ Class, Terms string }
	Notes       []string
	Facts       []struct {
		What string
		Mark Mark
		Note string
	}
	Sources []string
}

type keyScale struct {
	ID        string
	Name      Text
	Dimension Dimension
	Items     []int
	Reversed  []int
	Method    Method
	Times     float64
	Rounded   bool
	Missing   int   `yaml:"missing_allowed"`
	Higher    *bool `yaml:"higher_is_better"`
	Parts     []struct {
		Scale  string
		Weight float64
	}
	Cutoffs []struct {
		Value float64
		Side  Side
		Label Text
		Mark  Mark
		Ages  []AgeBand
	}
	Bands []struct {
		From  float64
		Label Text
	}
	BandsMark Mark   `yaml:"bands_mark"`
	BandsNote string `yaml:"bands_note"`
	Change    []struct {
		Value, Confidence float64
		Sample            string
		Mark              Mark
	}
	Norms []struct {
		Sample   string
		Mean, SD float64
		Mark     Mark
	}
	Reliability *struct {
		Value float64
		Kind  string
		Mark  Mark
	}
}

// ParseKey reads the key of a published instrument from YAML. A complete key has
// every item in some scale's or no scale's list, each number between 1 and the
// count, scales with a range, and figures that lie within it; an incomplete one
// says what it lacks. The error names the file and what is wrong.
func ParseKey(name string, data []byte) (*Key, error) {
	var f keyFile
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	k := &Key{
		ID: f.ID, Name: f.Name, Kind: f.Kind, Informants: f.Informants, Ages: f.Ages, Period: f.Period, Method: f.Method, Lacks: f.Lacks,
		Figures: map[string]Figures{}, Terms: Terms{f.Licence.Class, f.Licence.Terms, f.Languages}, Notes: f.Notes, Sources: f.Sources,
	}
	if f.Sizes != "" {
		k.Notes = append(k.Notes, "items in each scale: "+f.Sizes)
	}
	if f.Reliability != "" {
		k.Notes = append(k.Notes, "reliability: "+f.Reliability)
	}
	for _, x := range f.Facts {
		k.Facts = append(k.Facts, Fact(x))
	}
	err := f.check(k)
	if err == nil && f.Complete {
		err = f.form(k)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return k, nil
}

var (
	keyKinds   = []Kind{Alliance, Outcome, Readiness}
	keyClasses = []string{"open", "non-commercial", "unconfirmed", "by permission"}
	keyMarks   = []Mark{Verified, Secondary, Partly, Background, Derived, Unknown}
)

func (f keyFile) check(k *Key) error {
	switch {
	case f.ID == "" || f.Name == "":
		return errors.New("a key needs an id and a name")
	case !slices.Contains(keyKinds, f.Kind):
		return fmt.Errorf("kind %q is none of %v", f.Kind, keyKinds)
	case !slices.Contains(keyClasses, f.Licence.Class) || f.Licence.Terms == "":
		return fmt.Errorf("the licence needs terms and a class out of %q", keyClasses)
	case len(f.Informants) == 0:
		return errors.New("nobody is named who answers it")
	case f.Complete == (len(f.Lacks) > 0):
		return errors.New("a key is complete, or it says what it lacks")
	case !f.Complete && len(f.Scales) > 0:
		return errors.New("an incomplete key has scales: they would be guessed")
	}
	for _, x := range k.Facts {
		if !slices.Contains(keyMarks, x.Mark) || x.What == "" {
			return fmt.Errorf("the fact %q has the mark %q, which is none of %v", x.What, x.Mark, keyMarks)
		}
	}
	return nil
}

// form builds what scores the answers.
func (f keyFile) form(k *Key) error {
	if f.Items < 1 || f.Max <= f.Min || len(f.Scales) == 0 {
		return errors.New("a complete key has items, a range and scales")
	}
	i := &Instrument{ID: f.ID, Version: 1, Kind: f.Kind, Name: Text{"en": f.Name}, Informant: f.Informants[0], HigherIsBetter: f.Higher, Validated: true}
	if f.Step == 0 {
		f.Step = 1
	}
	for n := range f.Items {
		i.Items = append(i.Items, Item{ID: strconv.Itoa(n + 1), Display: Line, Min: f.Min, Max: f.Max, Step: f.Step})
	}
	for _, s := range f.Scales {
		if err := f.scale(k, i, s); err != nil {
			return fmt.Errorf("scale %q: %w", s.ID, err)
		}
	}
	for _, r := range f.Risk {
		ids, err := f.numbers(r.Items)
		if err != nil || r.From <= f.Min || r.From > f.Max {
			return errors.Join(fmt.Errorf("an answer of %v can be no risk", r.From), err)
		}
		k.Risk = append(k.Risk, Risk{ids, r.From})
	}
	k.Form = i
	return nil
}

func (f keyFile) scale(k *Key, i *Instrument, s keyScale) error {
	if _, twice := i.Scale(s.ID); twice || s.ID == "" || len(s.Name) == 0 {
		return errors.New("it needs an id of its own and a name")
	}
	out := Scale{ID: s.ID, Name: s.Name, Dimension: s.Dimension, Method: s.Method, Times: s.Times, Rounded: s.Rounded, MissingAllowed: s.Missing, HigherIsBetter: f.Higher}
	if s.Higher != nil {
		out.HigherIsBetter = *s.Higher
	}
	var err error
	if out.Items, err = f.numbers(s.Items); err != nil {
		return err
	}
	if out.Reversed, err = f.numbers(s.Reversed); err != nil {
		return err
	}
	for _, p := range s.Parts {
		if part, ok := i.Scale(p.Scale); !ok || len(part.Parts) > 0 {
			return fmt.Errorf("the part %q is no scale of items above it", p.Scale)
		}
		out.Parts = append(out.Parts, ScalePart(p))
	}
	switch {
	case !slices.Contains([]Dimension{Bond, Tasks, Goals, Whole, Part}, s.Dimension):
		return fmt.Errorf("the dimension %q is unknown", s.Dimension)
	case (len(out.Items) == 0) == (len(out.Parts) == 0):
		return errors.New("it is made either of items or of other scales")
	case len(out.Items) > 0 && s.Method != Mean && s.Method != Sum:
		return fmt.Errorf("the method %q is unknown", s.Method)
	case len(out.Items) > 0 && s.Missing >= len(out.Items):
		return errors.New("all items may be missing")
	case slices.ContainsFunc(out.Reversed, func(id string) bool { return !slices.Contains(out.Items, id) }):
		return errors.New("an item is reversed that it does not have")
	}
	out.Min, out.Max, _ = i.bounds(out)
	if len(out.Parts) > 0 {
		out.Min, out.Max, _ = i.compositeBounds(out)
	}
	i.Scales = append(i.Scales, out)
	return s.figures(k, out)
}

// numbers turns the items' numbers into ids.
func (f keyFile) numbers(ns []int) (ids []string, err error) {
	for _, n := range ns {
		id := strconv.Itoa(n)
		if n < 1 || n > f.Items || slices.Contains(ids, id) {
			return nil, fmt.Errorf("item %d is none of the %d, or stands there twice", n, f.Items)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s keyScale) figures(k *Key, of Scale) error {
	x := Figures{BandsMark: s.BandsMark, BandsNote: s.BandsNote}
	within := func(v float64) bool { return v >= of.Min && v <= of.Max }
	for _, c := range s.Cutoffs {
		if !within(c.Value) || !slices.Contains([]Side{AtLeast, AtMost, Below}, c.Side) || len(c.Label) == 0 {
			return fmt.Errorf("the cutoff %v is outside %v to %v, or has no side or label", c.Value, of.Min, of.Max)
		}
		for _, age := range c.Ages {
			if age != Adult && age != Adolescent && age != Child {
				return fmt.Errorf("the cutoff %v is for %q, which is no age band", c.Value, age)
			}
		}
		x.Cutoffs = append(x.Cutoffs, Threshold(c))
	}
	for n, b := range s.Bands {
		if !within(b.From) || n > 0 && b.From <= s.Bands[n-1].From {
			return fmt.Errorf("the band from %v is outside %v to %v, or out of order", b.From, of.Min, of.Max)
		}
		x.Bands = append(x.Bands, Band(b))
	}
	for _, c := range s.Change {
		if c.Value <= 0 || c.Value > of.Max-of.Min || c.Sample == "" {
			return fmt.Errorf("a reliable change of %v needs a sample and has to be possible", c.Value)
		}
		x.Change = append(x.Change, Change(c))
	}
	for _, n := range s.Norms {
		if !within(n.Mean) || n.SD <= 0 || n.Sample == "" {
			return fmt.Errorf("the norm of the sample %q is not possible", n.Sample)
		}
		x.Norms = append(x.Norms, Norm(n))
	}
	if r := s.Reliability; r != nil {
		if r.Value <= 0 || r.Value > 1 {
			return fmt.Errorf("a reliability of %v is not possible", r.Value)
		}
		x.Reliability = &Alpha{r.Value, r.Kind, r.Mark}
	}
	k.Figures[of.ID] = x
	return nil
}
