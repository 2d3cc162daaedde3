// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits far above any questionnaire people have; they keep a hostile file small.
const (
	maxBytes    = 8 << 20
	maxDepth    = 40
	maxNodes    = 100_000
	maxName     = 40
	maxProblems = 100
	maxNotes    = 200
)

// Error lists what is wrong with one file, in its order; after 100 problems it
// says that there are more.
type Error struct{ Problems []Problem }

// Problem is one mistake: where it is, as item[3].answerOption[1], and a sentence
// that says what it is and what to do.
type Problem struct{ Path, Message string }

// Error is one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for n, p := range e.Problems {
		lines[n] = p.String()
	}
	return strings.Join(lines, "\n")
}

// String is the place and the sentence.
func (p Problem) String() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

func failed(path, format string, args ...any) error {
	return &Error{[]Problem{{path, fmt.Sprintf(format, args...)}}}
}

// builder makes a tree of a file: maps, slices, strings, json.Number and bool. It
// is used in place of json.Unmarshal because that keeps the last of two fields of
// one name without a word.
type builder struct {
	dec   *json.Decoder
	nodes int
}

func parse(r io.Reader) (map[string]any, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the questionnaire: %w", err)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) > maxBytes:
		return nil, failed("", "The file is larger than %d MB; a questionnaire is far smaller.", maxBytes>>20)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, failed("", "The file is empty.")
	case !utf8.Valid(data):
		return nil, failed("", "The file is not in UTF-8; save it in that encoding.")
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")):
		return nil, failed("", "The file is XML or a web page; export the questionnaire as FHIR JSON.")
	}
	b := &builder{dec: json.NewDecoder(bytes.NewReader(data))}
	b.dec.UseNumber()
	v, err := b.value("", 0)
	if err == nil {
		if _, err = b.dec.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = failed("", "After the end of the questionnaire there is something more; write one questionnaire in a file.")
		}
	}
	var e *Error
	if err != nil && !errors.As(err, &e) {
		line := 1 + bytes.Count(data[:min(int(b.dec.InputOffset()), len(data))], []byte("\n"))
		return nil, failed("", "This is not JSON: near line %d: %v.", line, err)
	}
	if err != nil {
		return nil, err
	}
	root, ok := v.(map[string]any)
	if !ok {
		return nil, failed("", "The file holds %s in place of a Questionnaire.", kindOf(v))
	}
	return root, nil
}

func (b *builder) value(path string, depth int) (any, error) {
	t, err := b.dec.Token()
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if b.nodes++; b.nodes > maxNodes {
		return nil, failed(path, "The file has more than %d values; a questionnaire has far fewer.", maxNodes)
	}
	d, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth >= maxDepth {
		return nil, failed(path, "The file is nested more than %d levels deep.", maxDepth)
	}
	if d == '[' {
		return b.list(path, depth)
	}
	return b.object(path, depth)
}

func (b *builder) list(path string, depth int) (any, error) {
	out := []any{}
	for b.dec.More() {
		v, err := b.value(at(path, len(out)), depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := b.dec.Token()
	return out, err
}

func (b *builder) object(path string, depth int) (any, error) {
	out := map[string]any{}
	for b.dec.More() {
		t, err := b.dec.Token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		if !ok {
			return nil, failed(path, "A field name is missing.")
		}
		if _, twice := out[key]; twice {
			return nil, failed(under(path, key), "The field %q is written twice; delete the one that is wrong.", key)
		}
		if out[key], err = b.value(under(path, key), depth+1); err != nil {
			return nil, err
		}
	}
	_, err := b.dec.Token()
	return out, err
}

// under is a field's place. A name far longer than any of FHIR is cut short: a
// hostile file would otherwise have it copied for each value below it.
func under(path, key string) string {
	if len(key) > maxName {
		key = strings.ToValidUTF8(key[:maxName], "") + "..."
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func at(path string, n int) string { return path + "[" + strconv.Itoa(n) + "]" }

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "a set of named fields"
	case []any:
		return "a list"
	case string:
		return "text"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return "the number " + v.String()
	default:
		return fmt.Sprint(v)
	}
}

// node is one object of the file with its place; what is asked of it twice or
// not at all is told apart, so that nothing is left out without a word.
type node struct {
	r      *reader
	fields map[string]any
	path   string
}

func (n node) at(key string) string { return under(n.path, key) }

func (n node) has(key string) bool { return n.fields[key] != nil }

// str is a text field; "" when it is absent or a problem.
func (n node) str(key string) string {
	v, there := n.fields[key]
	if !there || v == nil {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		n.r.fail(n.at(key), "%q must be text, not %s.", key, kindOf(v))
		return ""
	}
	return s
}

func (n node) flag(key string) bool {
	v, there := n.fields[key]
	if !there || v == nil {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		n.r.fail(n.at(key), "%q must be true or false, not %s.", key, kindOf(v))
	}
	return b
}

// object is a field that is a set of named fields; false if it is absent or a problem.
func (n node) object(key string) (node, bool) {
	v, there := n.fields[key]
	if !there || v == nil {
		return node{}, false
	}
	m, ok := v.(map[string]any)
	if !ok {
		n.r.fail(n.at(key), "%q must be a set of named fields, not %s.", key, kindOf(v))
		return node{}, false
	}
	return node{n.r, m, n.at(key)}, true
}

// list is a field that is a list of objects.
func (n node) list(key string) (out []node) {
	v, there := n.fields[key]
	if !there || v == nil {
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		n.r.fail(n.at(key), "%q must be a list, not %s.", key, kindOf(v))
		return nil
	}
	for i, e := range l {
		m, ok := e.(map[string]any)
		if !ok {
			n.r.fail(at(n.at(key), i), "Here %q must hold a set of named fields, not %s.", key, kindOf(e))
			continue
		}
		out = append(out, node{n.r, m, at(n.at(key), i)})
	}
	return out
}

// unread notes fields that are neither read nor known to be harmless.
func (n node) unread(known ...string) {
	var more []string
	for key := range n.fields {
		if !slices.Contains(known, key) && !strings.HasPrefix(key, "_") {
			more = append(more, key)
		}
	}
	slices.Sort(more)
	for _, key := range more {
		n.r.note(n.at(key), "%q is not read.", key)
	}
}

// trim writes a number as people do.
func trim(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
