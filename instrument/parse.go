// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile is far above any questionnaire, and keeps a hostile upload small.
const maxFile = 1 << 20

// ParseError lists what is wrong with one file, in the order of the file; after
// 100 problems it says that there are more.
type ParseError struct {
	Name     string
	Problems []Problem
}

// Problem is one mistake. Line and Column count from 1; where a field is
// missing they are those of the part that should hold it. Path names the field,
// as items[2].text.it; Message is an English sentence.
type Problem struct {
	Line, Column  int
	Path, Message string
	format        string // the sentence before its words were filled in
}

// Error is one line for each problem, as name:line:column: message.
func (e *ParseError) Error() string {
	var b strings.Builder
	for n, p := range e.Problems {
		if n > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d:%d: %s", e.Name, p.Line, p.Column, p.Message)
	}
	return b.String()
}

// Parse reads one instrument from YAML; name only appears in the error, which
// is always a *ParseError. The rules beyond the shape of the file: IDs are
// unique; every text is there in exactly the declared languages; a scale names
// items of the form, reverses only its own, allows fewer missing than it has,
// and, if it allows any, its items share one range; a stated range holds every
// score that is possible; an item on tension stands in no other scale.
func Parse(name string, data []byte) (*Instrument, error) {
	r := &reader{}
	var i *Instrument
	if root := r.document(data); root != nil {
		i = r.instrument(root)
	}
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, byPlace)
		return nil, &ParseError{Name: name, Problems: r.problems}
	}
	return i, nil
}

// document is the root of the only document in data, or nil after a problem.
func (r *reader) document(data []byte) *yaml.Node {
	at := &yaml.Node{Line: 1, Column: 1}
	if len(data) > maxFile {
		r.fail(at, "", "The file is larger than %d bytes.", maxFile)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, rest yaml.Node
	err := dec.Decode(&doc)
	if err == nil {
		if err = dec.Decode(&rest); err == nil {
			r.fail(&rest, "", "The file holds a second document; write one instrument in a file.")
			return nil
		}
		if errors.Is(err, io.EOF) && len(doc.Content) == 1 {
			return doc.Content[0]
		}
	}
	if errors.Is(err, io.EOF) {
		r.fail(at, "", "The file is empty.")
		return nil
	}
	r.fail(at, "", "This is not YAML: %s.", syntaxAt(at, err, data))
	return nil
}

var (
	yamlLine    = regexp.MustCompile(`^line (\d+): (.*)$`)
	yamlUnknown = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	// The YAML reader counts lines from 0 in these, and from 1 in all others.
	yamlFromZero = []string{"<document start>", "node content", "'-' indicator", "expected key", "',' or ']'", "',' or '}'"}
)

// syntaxAt is the message of an error of the YAML reader; it moves at to its
// line, where that is known.
func syntaxAt(at *yaml.Node, err error, data []byte) string {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		msg = m[2]
		if line, convErr := strconv.Atoi(m[1]); convErr == nil {
			at.Line = line
		}
		if slices.ContainsFunc(yamlFromZero, func(end string) bool { return strings.HasSuffix(msg, end) }) {
			at.Line++
		}
	} else if m := yamlUnknown.FindStringSubmatch(msg); m != nil {
		if before, _, found := bytes.Cut(data, []byte("*"+m[1])); found {
			at.Line += bytes.Count(before, []byte("\n"))
			at.Column = len(before) - bytes.LastIndexByte(before, '\n')
		}
	}
	return msg
}

func (r *reader) instrument(root *yaml.Node) *Instrument {
	o, ok := r.object(root, "", "id", "version", "kind", "languages", "name", "title", "intro",
		"informant", "ages", "settings", "predicts", "period", "higher_is_better", "validated", "licence",
		"items", "scales", "comment_prompt")
	if !ok {
		return nil
	}
	r.languages = r.readLanguages(o)
	i := &Instrument{
		ID:            o.id("id"),
		Kind:          Kind(o.oneOf("kind", string(Alliance), string(Outcome), string(Prediction), string(Process))),
		Name:          o.text("name", required),
		Title:         o.text("title", required),
		Intro:         o.text("intro", required),
		Informant:     Informant(o.oneOf("informant", string(Client), string(Therapist), string(Carer), string(Observer))),
		Period:        o.oneOf("period", "session", "day", "week", "fortnight", "month", "general"),
		CommentPrompt: o.text("comment_prompt", optional),
	}
	i.Version, _ = o.integer("version", required, 1)
	i.HigherIsBetter, _ = o.boolean("higher_is_better", required)
	i.Validated, _ = o.boolean("validated", required)
	i.Licence = r.licence(o)
	i.Predicts = r.predicts(o, i.Kind)
	for _, n := range o.list("ages", required, 1) {
		if s, ok := r.choice(n, "ages", string(Adult), string(Adolescent), string(Child)); ok {
			if slices.Contains(i.Ages, AgeBand(s)) {
				r.fail(n, "ages", "The age band %q is named twice.", s)
				continue
			}
			i.Ages = append(i.Ages, AgeBand(s))
		}
	}
	for _, n := range o.list("settings", optional, 1) {
		if s, ok := r.choice(n, "settings", string(Alone), string(Couple), string(Family), string(Group)); ok {
			if slices.Contains(i.Settings, Setting(s)) {
				r.fail(n, "settings", "The setting %q is named twice.", s)
				continue
			}
			i.Settings = append(i.Settings, Setting(s))
		}
	}
	before := len(r.problems)
	i.Items = r.items(o)
	r.itemsWrong = len(r.problems) > before
	i.Scales = r.scales(o, i)
	return i
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)

func (r *reader) readLanguages(o object) []string {
	var out []string
	for n, node := range o.list("languages", required, 1) {
		path := fmt.Sprintf("languages[%d]", n)
		s, ok := r.str(node, path)
		switch {
		case !ok:
		case !languageTag.MatchString(s):
			r.fail(node, path, "%q is not a language such as \"en\" or \"de-CH\".", s)
		case slices.Contains(out, s):
			r.fail(node, path, "The language %q is declared twice.", s)
		default:
			out = append(out, s)
		}
	}
	return out
}

func (r *reader) licence(o object) Licence {
	n := o.get("licence", required)
	if n == nil {
		return Licence{}
	}
	l, ok := r.object(n, "licence", "spdx", "holder", "notice")
	if !ok {
		return Licence{}
	}
	return Licence{SPDX: l.str("spdx"), Holder: l.str("holder"), Notice: l.text("notice", required)}
}

func (r *reader) predicts(o object, kind Kind) string {
	switch n := o.get("predicts", optional); {
	case kind == Prediction:
		return o.id("predicts")
	case n != nil && kind != "":
		r.fail(n, "predicts", "Only an instrument of kind \"prediction\" has \"predicts\".")
	}
	return ""
}
