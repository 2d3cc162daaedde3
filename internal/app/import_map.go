// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/care"
)

// ImportMap says what the columns of a file mean.
type ImportMap struct {
	Client     string            `yaml:"client"`     // column with the client's name in the other system
	Therapist  Therapist         `yaml:"therapist"`  // whose client it is
	Session    string            `yaml:"session"`    // column with the session's own id; without it a session is known by its time
	Time       When              `yaml:"time"`       // when the session took place
	Informant  Choice            `yaml:"informant"`  // who rated; empty: the form's informant
	Instrument Choice            `yaml:"instrument"` // which form
	Items      map[string]string `yaml:"items"`      // item id: column; empty: columns are called like the items
	Comment    string            `yaml:"comment"`    // column with the person's own words
	Missing    []string          `yaml:"missing"`    // texts that mean "not answered", beside the empty cell
	Decimal    string            `yaml:"decimal"`    // "point", "comma" or "auto"
	AgeBand    care.AgeBand      `yaml:"age_band"`   // of clients that are added; adult if empty
	Language   string            `yaml:"language"`   // of clients that are added; the actor's if empty
	Definition string            `yaml:"definition"` // an instrument of the practice's own, as its YAML
	Wide       *Wide             `yaml:"wide"`       // one row holds several sessions

	own *instrument.Instrument
}

// Therapist names the column of the therapist; Unknown says what to do with a
// name that is no colleague's: "refuse" (default) or "me".
type Therapist struct {
	Column  string `yaml:"column"`
	Unknown string `yaml:"unknown"`
}

// When names the column of the session's time and how it is written: iso, dmy,
// mdy or auto.
type When struct {
	Column string `yaml:"column"`
	Format string `yaml:"format"`
}

// Choice is one value for all rows, or a column whose texts stand for values.
type Choice struct {
	Value  string            `yaml:"value"`
	Column string            `yaml:"column"`
	Values map[string]string `yaml:"values"`
}

// Wide says that a row holds the sessions From to To of one client: {n} in the
// names of the item columns is the number. Session From took place on Start, the
// others EveryDays apart, for a file that has no dates.
type Wide struct {
	From      int    `yaml:"from"`
	To        int    `yaml:"to"`
	Start     string `yaml:"start"`
	EveryDays int    `yaml:"every_days"`

	start time.Time
}

// UnmarshalYAML lets a choice be written as a plain word.
func (c *Choice) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&c.Value)
	}
	type plain Choice
	return n.Decode((*plain)(c))
}

// UnmarshalYAML lets the column be written as a plain word.
func (t *Therapist) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&t.Column)
	}
	type plain Therapist
	return n.Decode((*plain)(t))
}

// UnmarshalYAML lets the column be written as a plain word.
func (w *When) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&w.Column)
	}
	type plain When
	return n.Decode((*plain)(w))
}

// ParseImportMap reads a mapping. Errors: invalid map.bad with the sentence that
// says where and what in Args["text"].
func ParseImportMap(name string, data []byte) (*ImportMap, error) {
	var m ImportMap
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the mapping is empty")
		}
		return nil, badMap(name, err)
	}
	if m.Definition != "" {
		own, err := instrument.Parse(name+", definition", []byte(m.Definition))
		if err != nil {
			return nil, badMap(name, err)
		}
		m.own = own
		if m.Instrument.Value == "" && m.Instrument.Column == "" {
			m.Instrument.Value = own.ID
		}
	}
	if err := m.check(); err != nil {
		return nil, badMap(name, err)
	}
	return &m, nil
}

func badMap(name string, err error) error {
	text := strings.ReplaceAll(err.Error(), "yaml: ", "")
	return &care.Error{Code: care.Invalid, Field: "map", Key: "import.map_bad", Args: map[string]string{"file": name, "text": text}, Err: err}
}

func (m *ImportMap) check() error {
	if m.Client == "" {
		return errors.New("client: name the column that says whose session it was")
	}
	if !slices.Contains([]string{"", "refuse", "me"}, m.Therapist.Unknown) {
		return fmt.Errorf("therapist.unknown: %q is neither refuse nor me", m.Therapist.Unknown)
	}
	if !slices.Contains([]string{"", "auto", "point", "comma"}, m.Decimal) {
		return fmt.Errorf("decimal: %q is none of auto, point, comma", m.Decimal)
	}
	if m.AgeBand == "" {
		m.AgeBand = care.Adult
	}
	if !slices.Contains(care.AgeBands(), m.AgeBand) {
		return fmt.Errorf("age_band: %q is none of child, adolescent, adult", m.AgeBand)
	}
	if m.Time.Format == "" {
		m.Time.Format = "auto"
	}
	if m.Instrument.Value == "" && m.Instrument.Column == "" {
		return errors.New("instrument: name the form that was answered, or give its definition")
	}
	if m.Wide == nil {
		if m.Time.Column == "" {
			return errors.New("time: name the column that says when the session took place")
		}
		return m.checkForm(m.Instrument.Value)
	}
	w := m.Wide
	if w.To < w.From || w.To-w.From > 1000 {
		return fmt.Errorf("wide: sessions run from %d to %d; give from and to in order, at most 1000 apart", w.From, w.To)
	}
	if w.EveryDays <= 0 {
		w.EveryDays = 7
	}
	start, err := time.Parse(time.DateOnly, w.Start)
	if err != nil {
		return fmt.Errorf("wide.start: %q is not a date such as 2025-01-31", w.Start)
	}
	w.start = start
	for item, column := range m.Items {
		if !strings.Contains(column, "{n}") {
			return fmt.Errorf("items.%s: %q has no {n} for the number of the session", item, column)
		}
	}
	if len(m.Items) == 0 {
		return errors.New("items: name the columns of the items, with {n} for the number of the session")
	}
	return m.checkForm(m.Instrument.Value)
}

// checkForm checks a constant form and its items before any row is read.
func (m *ImportMap) checkForm(id string) error {
	if id == "" {
		return nil
	}
	f := m.form(id)
	if f == nil {
		return fmt.Errorf("instrument: %q is neither in the library nor defined here", id)
	}
	for item := range m.Items {
		if _, ok := f.Item(item); !ok {
			return fmt.Errorf("items: the form %s has no item %q", f.Key(), item)
		}
	}
	return nil
}

func (m *ImportMap) form(id string) *instrument.Instrument {
	if m.own != nil && m.own.ID == id {
		return m.own
	}
	f, _ := library.Get(id)
	return f
}

// column is the column of an item of the n-th session in a row.
func (m *ImportMap) column(item string, n int) string {
	name, ok := m.Items[item]
	if !ok && len(m.Items) == 0 {
		name = item
	}
	return strings.ReplaceAll(name, "{n}", strconv.Itoa(n))
}

// numbers are the sessions that one row holds.
func (m *ImportMap) numbers() []int {
	if m.Wide == nil {
		return []int{0}
	}
	var out []int
	for n := m.Wide.From; n <= m.Wide.To; n++ {
		out = append(out, n)
	}
	return out
}
