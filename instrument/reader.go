// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks the nodes of a file and gathers what is wrong. It works on nodes
// and not on decoded structs because only a node knows its line and column.
type reader struct {
	problems  []Problem
	languages []string
	// itemsWrong keeps mistakes in items from being told again as mistakes of
	// the scales that use them.
	itemsWrong bool
}

const (
	required = true
	optional = false
)

// A hostile file could make an error many times its own size.
const (
	maxProblems = 100
	maxMessage  = 400
)

func (r *reader) fail(n *yaml.Node, path, format string, args ...any) {
	if len(r.problems) > maxProblems {
		return
	}
	if len(r.problems) == maxProblems {
		path, format, args = "", "There are further problems; mend those above first.", nil
		last := slices.MaxFunc(r.problems, byPlace)
		n = &yaml.Node{Line: last.Line, Column: last.Column}
	}
	r.problems = append(r.problems, Problem{
		Line: max(n.Line, 1), Column: max(n.Column, 1), Path: crop(path), Message: crop(fmt.Sprintf(format, args...)), format: format,
	})
}

func byPlace(a, b Problem) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

func crop(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "..."
}

// object is a mapping whose field names have been checked.
type object struct {
	r      *reader
	node   *yaml.Node
	path   string
	fields map[string]*yaml.Node
}

// object reads a mapping; a field that is unknown, written twice or not a plain
// name is a problem. No names at all means that any are allowed.
func (r *reader) object(n *yaml.Node, path string, known ...string) (object, bool) {
	o := object{r: r, node: n, path: path, fields: map[string]*yaml.Node{}}
	if n.Kind != yaml.MappingNode {
		what := "The file"
		if path != "" {
			what = quote(path)
		}
		r.fail(n, path, "%s must be a set of named fields, not %s.", what, kindOf(n))
		return o, false
	}
	for k := 0; k+1 < len(n.Content); k += 2 {
		key, value := n.Content[k], n.Content[k+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fail(key, path, "A field name must be a plain word, not %s.", kindOf(key))
		case len(known) > 0 && !slices.Contains(known, key.Value):
			r.fail(key, o.at(key.Value), "The field %q is unknown; known here: %s.", key.Value, strings.Join(known, ", "))
		case o.fields[key.Value] != nil:
			r.fail(key, o.at(key.Value), "The field %q is written twice.", key.Value)
		default:
			o.fields[key.Value] = value
		}
	}
	return o, true
}

func (o object) at(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// get is the node of a field, or nil; a required one that is absent is a problem.
func (o object) get(key string, need bool) *yaml.Node {
	n := o.fields[key]
	if n == nil && need {
		o.r.fail(o.node, o.at(key), "The field %q is missing.", key)
	}
	return n
}

func (o object) str(key string) string {
	n := o.get(key, required)
	if n == nil {
		return ""
	}
	s, _ := o.r.str(n, o.at(key))
	return s
}

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9]*([-_][a-z0-9]+)*$`)

const maxID = 64

func (o object) id(key string) string {
	n := o.get(key, required)
	if n == nil {
		return ""
	}
	s, ok := o.r.str(n, o.at(key))
	if !ok {
		return ""
	}
	if !idPattern.MatchString(s) || len(s) > maxID {
		o.r.fail(n, o.at(key), "%q cannot be an id: use small letters, digits and single hyphens, a letter first, %d at most.", s, maxID)
		return ""
	}
	return s
}

func (o object) oneOf(key string, allowed ...string) string {
	n := o.get(key, required)
	if n == nil {
		return ""
	}
	s, _ := o.r.choice(n, o.at(key), allowed...)
	return s
}

func (o object) number(key string, need bool) (float64, bool) {
	n := o.get(key, need)
	if n == nil {
		return 0, false
	}
	return o.r.number(n, o.at(key))
}

func (o object) integer(key string, need bool, least int) (int, bool) {
	n := o.get(key, need)
	if n == nil {
		return 0, false
	}
	f, ok := o.r.number(n, o.at(key))
	if !ok {
		return 0, false
	}
	if f != math.Trunc(f) || f < float64(least) || f > math.MaxInt32 {
		o.r.fail(n, o.at(key), "%q must be a whole number, %d or more.", key, least)
		return 0, false
	}
	return int(f), true
}

func (o object) boolean(key string, need bool) (value, ok bool) {
	n := o.get(key, need)
	if n == nil {
		return false, false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&value) != nil {
		o.r.fail(n, o.at(key), "%q must be true or false, not %s.", key, kindOf(n))
		return false, false
	}
	return value, true
}

func (o object) list(key string, need bool, least int) []*yaml.Node {
	n := o.get(key, need)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.r.fail(n, o.at(key), "%q must be a list, not %s.", key, kindOf(n))
		return nil
	}
	if len(n.Content) < least {
		o.r.fail(n, o.at(key), "%q needs at least %d.", key, least)
	}
	return n.Content
}

// text reads a wording and compares its languages with the declared ones.
func (o object) text(key string, need bool) Text {
	n := o.get(key, need)
	if n == nil {
		return nil
	}
	t, ok := o.r.object(n, o.at(key))
	if !ok {
		return nil
	}
	out := Text{}
	for k := 0; k+1 < len(n.Content); k += 2 {
		lang := n.Content[k].Value
		if t.fields[lang] != n.Content[k+1] {
			continue // a name that object has already refused
		}
		if len(o.r.languages) > 0 && !slices.Contains(o.r.languages, lang) {
			o.r.fail(n.Content[k], t.at(lang), "%q has wording in %q, which \"languages\" does not declare.", key, lang)
			continue
		}
		if s, ok := o.r.str(n.Content[k+1], t.at(lang)); ok {
			out[lang] = s
		}
	}
	for _, lang := range o.r.languages {
		if t.fields[lang] == nil {
			o.r.fail(n, t.at(lang), "%q has no wording in %q.", key, lang)
		}
	}
	return out
}

// str reads text that is not blank.
func (r *reader) str(n *yaml.Node, path string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		r.fail(n, path, "%s must be text, not %s%s.", quote(path), kindOf(n), quoteHint(n))
		return "", false
	}
	if strings.TrimSpace(n.Value) == "" {
		r.fail(n, path, "%s is empty.", quote(path))
		return "", false
	}
	return n.Value, true
}

func (r *reader) choice(n *yaml.Node, path string, allowed ...string) (string, bool) {
	s, ok := r.str(n, path)
	if ok && !slices.Contains(allowed, s) {
		r.fail(n, path, "%s cannot be %q; it is one of %s.", quote(path), s, strings.Join(allowed, ", "))
		return "", false
	}
	return s, ok
}

func (r *reader) number(n *yaml.Node, path string) (float64, bool) {
	var f float64
	tag := n.ShortTag()
	if n.Kind != yaml.ScalarNode || (tag != "!!int" && tag != "!!float") || n.Decode(&f) != nil ||
		math.IsNaN(f) || math.Abs(f) > maxNumber {
		r.fail(n, path, "%s must be a number, not %s.", quote(path), kindOf(n))
		return 0, false
	}
	return f, true
}

// maxNumber keeps sums of answers exact enough and away from infinity.
const maxNumber = 1e9

// quote is the last name of a path in quotes, as the person wrote it.
func quote(path string) string {
	return fmt.Sprintf("%q", path[strings.LastIndexByte(path, '.')+1:])
}

func quoteHint(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		return "; write it in quotes"
	}
	return ""
}

// kindOf names what a node is, in the words of someone who does not know YAML.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a set of named fields"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "a reference (anchors and references are not used here)"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!str":
		return fmt.Sprintf("the text %q", n.Value)
	default:
		return n.Value
	}
}
