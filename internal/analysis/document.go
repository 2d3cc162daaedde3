// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/entente-project/entente/internal/figure"
)

// Version of the JSON; it rises when a key changes its meaning or goes away.
const Version = 1

// Document is the result of one analysis, ready to be read by people and by
// programs.
type Document struct {
	Analysis string
	Title    string
	Source   *Table // where the numbers come from; nil where none was read
	Body     []Part
	Result   Object
	pictures []picture
}

// Part is a table or a paragraph of a document.
type Part struct {
	Title string
	Head  []string   // of a table, the first column's head first; nil without a head
	Rows  [][]string // of a table
	Text  string     // of a paragraph
}

type picture struct {
	name string
	draw func() (*figure.Canvas, error)
}

func (d *Document) picture(name string, draw func() (*figure.Canvas, error)) {
	d.pictures = append(d.pictures, picture{name, draw})
}

func (d *Document) plots() []string {
	var names []string
	for _, p := range d.pictures {
		names = append(names, p.name)
	}
	return names
}

func (d *Document) draw(name, file string) ([]byte, error) {
	if file == "" {
		return nil, wrongUse("--plot needs a file to draw into: --picture FILE.svg")
	}
	if len(d.pictures) == 0 {
		return nil, wrongUse("there is no picture of this analysis; leave --picture out")
	}
	i := 0
	if name != "" {
		if i = slices.Index(d.plots(), name); i < 0 {
			return nil, wrongUse("--plot %s: this analysis has %s", name, strings.Join(d.plots(), ", "))
		}
	}
	c, err := d.pictures[i].draw()
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(filepath.Ext(file), ".png") {
		return c.PNG()
	}
	return c.SVG(), nil
}

func (d *Document) table(title string, head []string, rows [][]string) {
	if len(rows) > 0 {
		d.Body = append(d.Body, Part{Title: title, Head: head, Rows: rows})
	}
}

func (d *Document) say(format string, a ...any) {
	d.Body = append(d.Body, Part{Text: fmt.Sprintf(format, a...)})
}

// JSON returns the document for programs. Numbers have the digits that are
// needed to read the same number back (17 at most); what is not there is null.
func (d *Document) JSON() ([]byte, error) {
	o := Object{{"analysis", d.Analysis}, {"version", Version}}
	if d.Source != nil {
		o = append(o, Field{"source", d.Source.object()})
	}
	o = append(o, Field{"result", d.Result})
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(o); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return b.Bytes(), nil
}

// Field is a key with its value: a string, bool, int, float64, nil, a pointer to
// a number, an Object, or a slice of those.
type Field struct {
	Key   string
	Value any
}

// Object is a JSON object whose keys keep their order.
type Object []Field

// MarshalJSON writes the fields in their order and null for what is no number.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(f.Key)
		if err != nil {
			return nil, err
		}
		v, err := marshal(f.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Key, err)
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(finite(v))
	return bytes.TrimSpace(b.Bytes()), err
}

// finite puts nil in the place of a number that JSON cannot hold.
func finite(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) == math.MaxFloat64 {
			return nil
		}
	case *float64:
		if v == nil {
			return nil
		}
		return finite(*v)
	case []float64:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = finite(x)
		}
		return out
	case [][]float64:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = finite(x)
		}
		return out
	case []string:
		if v == nil {
			return []string{}
		}
	case []Object:
		if v == nil {
			return []Object{}
		}
	case []int:
		if v == nil {
			return []int{}
		}
	}
	return v
}

// Text returns the document for people.
func (d *Document) Text(digits int) []byte {
	var b bytes.Buffer
	b.WriteString(d.Title + "\n")
	if d.Source != nil {
		if s := d.Source.sentence(); s != "" {
			b.WriteString(s + "\n")
		}
	}
	for _, p := range d.Body {
		b.WriteByte('\n')
		p.write(&b, digits)
	}
	return b.Bytes()
}

func (p Part) write(b *bytes.Buffer, digits int) {
	if p.Title != "" {
		b.WriteString(p.Title + "\n")
	}
	if p.Text != "" {
		b.WriteString(wrap(p.Text, 88) + "\n")
	}
	rows := p.Rows
	if p.Head != nil {
		rows = append([][]string{p.Head}, rows...)
	}
	shown := make([][]string, len(rows))
	var width []int
	for i, r := range rows {
		shown[i] = make([]string, len(r))
		for j, cell := range r {
			shown[i][j] = atDigits(cell, digits)
			if j == len(width) {
				width = append(width, 0)
			}
			width[j] = max(width[j], len([]rune(shown[i][j])))
		}
	}
	left := p.texts(len(width))
	for _, r := range shown {
		var line strings.Builder
		for j, cell := range r {
			pad := strings.Repeat(" ", width[j]-len([]rune(cell)))
			if j > 0 {
				line.WriteString("  ")
			}
			if left[j] {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// texts says which columns hold no number and are written from the left.
func (p Part) texts(columns int) []bool {
	left := make([]bool, columns)
	for j := range left {
		left[j] = true
		for _, r := range p.Rows {
			if j < len(r) && isNumber(r[j]) {
				left[j] = j == 0
			}
		}
	}
	return left
}

func wrap(text string, width int) string {
	var out strings.Builder
	n := 0
	for i, word := range strings.Split(text, " ") {
		w := len([]rune(word))
		if i > 0 {
			if n+1+w > width {
				out.WriteByte('\n')
				n = 0
			} else {
				out.WriteByte(' ')
				n++
			}
		}
		out.WriteString(word)
		n += w
	}
	return out.String()
}
