// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Format writes a form as the YAML file that [Parse] reads: Parse of it is f.
func Format(f *Instrument) ([]byte, error) {
	o := &mapping{}
	o.str("id", f.ID)
	o.number("version", float64(f.Version))
	o.str("kind", string(f.Kind))
	o.list("languages", f.Languages())
	o.text("name", f.Name)
	o.text("title", f.Title)
	o.text("intro", f.Intro)
	o.str("informant", string(f.Informant))
	var ages []string
	for _, a := range f.Ages {
		ages = append(ages, string(a))
	}
	o.list("ages", ages)
	var settings []string
	for _, s := range f.Settings {
		settings = append(settings, string(s))
	}
	if len(settings) > 0 {
		o.list("settings", settings)
	}
	if f.Predicts != "" {
		o.str("predicts", f.Predicts)
	}
	o.str("period", f.Period)
	o.boolean("higher_is_better", f.HigherIsBetter)
	o.boolean("validated", f.Validated)
	licence := &mapping{}
	licence.str("spdx", f.Licence.SPDX)
	licence.str("holder", f.Licence.Holder)
	licence.text("notice", f.Licence.Notice)
	o.put("licence", licence.node())
	items := &yaml.Node{Kind: yaml.SequenceNode}
	for _, it := range f.Items {
		items.Content = append(items.Content, itemNode(it))
	}
	o.put("items", items)
	scales := &yaml.Node{Kind: yaml.SequenceNode}
	for _, s := range f.Scales {
		scales.Content = append(scales.Content, f.scaleNode(s))
	}
	o.put("scales", scales)
	o.text("comment_prompt", f.CommentPrompt)
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(o.node()); err != nil {
		return nil, fmt.Errorf("write the form %s: %w", f.ID, err)
	}
	return out.Bytes(), e.Close()
}

func itemNode(it Item) *yaml.Node {
	o := &mapping{}
	o.str("id", it.ID)
	o.text("text", it.Text)
	o.str("display", string(it.Display))
	if it.Tension {
		o.boolean("tension", true)
	}
	if it.Drawing != "" {
		o.str("drawing", string(it.Drawing))
	}
	if it.Display == Line {
		o.number("min", it.Min)
		o.number("max", it.Max)
		o.number("step", it.Step)
		o.text("low", it.Low)
		o.text("high", it.High)
		return o.node()
	}
	options := &yaml.Node{Kind: yaml.SequenceNode}
	for _, x := range it.Options {
		op := &mapping{}
		op.number("value", x.Value)
		op.text("label", x.Label)
		if x.NoAnswer {
			op.boolean("no_answer", true)
		}
		options.Content = append(options.Content, op.node())
	}
	o.put("options", options)
	return o.node()
}

func (i *Instrument) scaleNode(s Scale) *yaml.Node {
	o := &mapping{}
	o.str("id", s.ID)
	o.text("name", s.Name)
	o.str("dimension", string(s.Dimension))
	if len(s.Parts) > 0 {
		parts := &yaml.Node{Kind: yaml.SequenceNode}
		for _, p := range s.Parts {
			part := &mapping{}
			part.str("scale", p.Scale)
			part.number("weight", p.Weight)
			parts.Content = append(parts.Content, part.node())
		}
		o.put("parts", parts)
	} else {
		o.list("items", s.Items)
		if len(s.Reversed) > 0 {
			o.list("reversed", s.Reversed)
		}
		o.str("method", string(s.Method))
		if s.Times != 0 {
			o.number("times", s.Times)
		}
		if s.Rounded {
			o.boolean("rounded", true)
		}
		o.number("missing_allowed", float64(s.MissingAllowed))
		if low, high, ok := i.bounds(s); !ok || low != s.Min || high != s.Max {
			o.number("min", s.Min)
			o.number("max", s.Max)
		}
	}
	if s.HigherIsBetter != i.HigherIsBetter {
		o.boolean("higher_is_better", s.HigherIsBetter)
	}
	if r := s.Reliability; r != nil {
		x := &mapping{}
		x.number("value", r.Value)
		x.number("sd", r.SD)
		x.str("source", r.Source)
		o.put("reliability", x.node())
	}
	if c := s.Cutoff; c != nil {
		x := &mapping{}
		x.number("value", c.Value)
		x.text("label", c.Label)
		x.str("source", c.Source)
		o.put("cutoff", x.node())
	}
	return o.node()
}

// mapping is a set of fields in the order in which they are put in.
type mapping struct{ content []*yaml.Node }

func (m *mapping) node() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Content: m.content} }

func (m *mapping) put(key string, v *yaml.Node) {
	m.content = append(m.content, plain(key), v)
}

func (m *mapping) str(key, v string) { m.put(key, plain(v)) }

func (m *mapping) text(key string, t Text) {
	if len(t) == 0 {
		return
	}
	o := &mapping{}
	for _, lang := range t.languages() {
		n := plain(t[lang])
		n.Style = yaml.DoubleQuotedStyle
		o.put(lang, n)
	}
	m.put(key, o.node())
}

func (m *mapping) number(key string, v float64) {
	tag := "!!float"
	if v == math.Trunc(v) {
		tag = "!!int"
	}
	m.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: strconv.FormatFloat(v, 'f', -1, 64)})
}

func (m *mapping) boolean(key string, v bool) {
	m.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)})
}

func (m *mapping) list(key string, vs []string) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, v := range vs {
		n.Content = append(n.Content, plain(v))
	}
	m.put(key, n)
}

// plain is text that the writer quotes where it would read as something else.
func plain(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
