// SPDX-License-Identifier: AGPL-3.0-or-later

package instrument

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// TableRow is one row of a table of words; Line is where it stands in its file.
type TableRow struct {
	Line  int
	Cells []string
}

// Names of rows that are not questions, in the column item.
const (
	titleRow = "title"
	ownerRow = "owner"
)

// column is what a column of a table holds: a text in one language, or a number.
type column struct {
	what  string // "item", "text", "above", "answer", "declined", "low", "high", "min", "max", "step"
	lang  string
	value float64
}

// WordingOfTable reads words from a table with a row for each question. The
// columns are item (its name), text, above (what is told above it), a column for
// each answer named by its number, with the words of the answer, declined ("rather
// not say"), or for a line min, max, step, low and high. A language stands behind
// a colon, as in text:it or 3:it. A row without answers has those of the row
// above. The rows named title, intro, owner and comment have a text only. The
// error is a *ParseError.
func WordingOfTable(name string, header []string, rows []TableRow) (*Wording, error) {
	t := &tableReader{w: &Wording{Source: name}, seen: map[string]bool{}}
	t.header(header)
	for _, r := range rows {
		if len(t.problems) == 0 {
			t.row(r)
		}
	}
	if len(t.problems) == 0 && len(t.w.Questions()) == 0 {
		t.fail(1, 1, "", "The table has no question.")
	}
	if len(t.problems) > 0 {
		return nil, &ParseError{Name: name, Problems: t.problems}
	}
	return t.w, nil
}

type tableReader struct {
	w        *Wording
	columns  []column
	seen     map[string]bool
	last     *WordedPart // whose answers a row without any takes
	problems []Problem
}

func (t *tableReader) fail(line, col int, path, format string, args ...any) {
	t.problems = append(t.problems, Problem{Line: line, Column: col, Path: path, Message: crop(fmt.Sprintf(format, args...))})
}

var tableWords = []string{"item", "text", "above", "declined", "low", "high", "min", "max", "step"}

func (t *tableReader) header(header []string) {
	for n, h := range header {
		what, lang, _ := strings.Cut(strings.ToLower(strings.TrimSpace(h)), ":")
		c := column{what: strings.TrimSpace(what), lang: canonical(lang)}
		v, err := strconv.ParseFloat(strings.Replace(c.what, ",", ".", 1), 64)
		switch {
		case t.seen[c.what+":"+c.lang]:
			t.fail(1, n+1, h, "The column %q is there twice.", h)
		case c.lang != "" && !languageTag.MatchString(c.lang):
			t.fail(1, n+1, h, "%q is not a language such as \"en\" or \"de-CH\".", lang)
		case slices.Contains(tableWords, c.what):
		case err == nil && v >= -maxNumber && v <= maxNumber:
			c.what, c.value = "answer", v
		default:
			t.fail(1, n+1, h, "The column %q is unknown; known are %s, and the number of an answer.", h, strings.Join(tableWords, ", "))
		}
		t.seen[strings.TrimSpace(what)+":"+c.lang] = true
		if c.what == "text" && len(t.w.Language) == 0 {
			t.w.Language = c.lang
		}
		t.columns = append(t.columns, c)
	}
	for _, need := range []string{"item", "text"} {
		if !slices.ContainsFunc(t.columns, func(c column) bool { return c.what == need }) {
			t.fail(1, 1, need, "The column %q is missing.", need)
		}
	}
}

// canonical is a language as the program writes it.
func canonical(lang string) string {
	main, country, two := strings.Cut(strings.TrimSpace(lang), "-")
	if !two {
		return main
	}
	return main + "-" + strings.ToUpper(country)
}

func (t *tableReader) row(r TableRow) {
	p := WordedPart{Kind: QuestionPart, Path: fmt.Sprintf("line %d", r.Line), Text: Text{}}
	above, declined := Text{}, Text{}
	line := &WordedLine{Low: Text{}, High: Text{}}
	for n, c := range t.columns {
		if n >= len(r.Cells) {
			break
		}
		cell := strings.TrimSpace(r.Cells[n])
		if cell == "" {
			continue
		}
		switch c.what {
		case "item":
			p.ID = cell
		case "text":
			p.Text[c.lang] = cell
		case "above":
			above[c.lang] = cell
		case "declined":
			declined[c.lang] = cell
		case "low":
			line.Low[c.lang] = cell
		case "high":
			line.High[c.lang] = cell
		case "answer":
			p.answer(c, cell)
		default:
			t.limit(r.Line, n, c.what, cell, line)
		}
	}
	if len(declined) > 0 {
		p.Options = append(p.Options, WordedOption{Declined: true, Label: declined})
	}
	if p.ID == "" && len(p.Text) == 0 || len(t.problems) > 0 {
		return
	}
	t.take(r, p, above, line)
}

// answer adds the words of an answer in one language.
func (p *WordedPart) answer(c column, cell string) {
	at := slices.IndexFunc(p.Options, func(o WordedOption) bool { return !o.Declined && o.Value == c.value })
	if at < 0 {
		p.Options = append(p.Options, WordedOption{Value: c.value, Scored: true, Label: Text{}})
		at = len(p.Options) - 1
	}
	p.Options[at].Label[c.lang] = cell
}

func (t *tableReader) limit(line, col int, what, cell string, l *WordedLine) {
	v, err := strconv.ParseFloat(strings.Replace(cell, ",", ".", 1), 64)
	if err != nil || v < -maxNumber || v > maxNumber {
		t.fail(line, col+1, what, "%q must be a number, not %q.", what, short(cell))
		return
	}
	switch what {
	case "min":
		l.Min = &v
	case "max":
		l.Max = &v
	case "step":
		l.Step = &v
	}
}

// take puts a row where it belongs.
func (t *tableReader) take(r TableRow, p WordedPart, above Text, line *WordedLine) {
	drawn := line.Min != nil || line.Max != nil || len(line.Low) > 0 || len(line.High) > 0
	switch {
	case p.ID == "":
		t.fail(r.Line, 1, "item", "The row has no name in the column \"item\".")
		return
	case len(p.Text) == 0:
		t.fail(r.Line, 1, "text", "%q has no text.", short(p.ID))
		return
	case p.ID == titleRow:
		t.w.Title = p.Text
		return
	case p.ID == ownerRow:
		t.w.Owner = p.Text
		return
	case p.ID == introPart:
		p.Kind, p.Type = ToldPart, "display"
	case p.ID == commentPart:
		p.Kind, p.Type = OpenPart, "text"
	case drawn && len(p.Options) > 0:
		t.fail(r.Line, 1, "", "%q has both answers to choose and a line; leave one of them empty.", short(p.ID))
		return
	case drawn:
		p.Line = line
	case len(p.Options) == 0 && t.last == nil:
		t.fail(r.Line, 1, "", "%q has no answers, and no row above has any.", short(p.ID))
		return
	case len(p.Options) == 0:
		p.Options, p.Line = t.last.Options, t.last.Line
	}
	if p.Kind != QuestionPart {
		p.Options, p.Line = nil, nil
	} else {
		t.last = &p
	}
	if len(above) > 0 {
		t.w.Parts = append(t.w.Parts, WordedPart{Kind: ToldPart, ID: p.ID + "-above", Path: p.Path, Type: "display", Text: above})
	}
	t.w.Parts = append(t.w.Parts, p)
}

// TableOf writes words as the table that WordingOfTable reads, the first row
// being its header. Calculated and open parts, prefixes and codes are left out.
// The error is for answers without a number, or two with the same.
func TableOf(w *Wording) ([][]string, error) {
	t := &tableWriter{languages: w.Languages(), at: map[string]int{}}
	if main := slices.Index(t.languages, w.Language); main > 0 {
		t.languages = slices.Insert(slices.Delete(t.languages, main, main+1), 0, w.Language)
	}
	t.header(w)
	for _, x := range []struct {
		id   string
		text Text
	}{{titleRow, w.Title}, {ownerRow, w.Owner}} {
		if len(x.text) > 0 {
			row := t.row(x.id)
			t.put(row, "text", x.text)
		}
	}
	var above Text
	first := true
	var err error
	w.walk(w.Parts, func(p WordedPart) {
		switch p.Kind {
		case GroupPart, ToldPart:
			above = joined(above, p.Text)
		case QuestionPart:
			if first && len(above) > 0 {
				t.put(t.row(introPart), "text", above)
				above = nil
			}
			first = false
			err = errors.Join(err, t.question(p, above))
			above = nil
		case OpenPart:
			if p.ID == commentPart {
				t.put(t.row(p.ID), "text", p.Text)
			}
		}
	})
	return t.rows, err
}

type tableWriter struct {
	languages []string
	at        map[string]int
	rows      [][]string
}

func title(what, lang string) string {
	if lang == "" {
		return what
	}
	return what + ":" + lang
}

// header finds which columns are needed, and in which order.
func (t *tableWriter) header(w *Wording) {
	values := map[float64]bool{}
	var lines, declined, asked, between bool
	w.walk(w.Parts, func(p WordedPart) {
		lines = lines || p.Line != nil
		between = between || asked && (p.Kind == GroupPart || p.Kind == ToldPart)
		asked = asked || p.Kind == QuestionPart
		for _, o := range p.Options {
			if o.Scored {
				values[o.Value] = true
			}
			declined = declined || o.Declined
		}
	})
	names := []string{"text"}
	if between {
		names = append(names, "above")
	}
	for _, v := range slices.Sorted(maps.Keys(values)) {
		names = append(names, strconv.FormatFloat(v, 'f', -1, 64))
	}
	if declined {
		names = append(names, "declined")
	}
	head := []string{"item"}
	if lines {
		head = append(head, "min", "max", "step")
		names = append(names, "low", "high")
	}
	for _, n := range names {
		for _, lang := range t.languages {
			head = append(head, title(n, lang))
		}
	}
	for n, h := range head {
		t.at[h] = n
	}
	t.rows = [][]string{head}
}

func (t *tableWriter) row(id string) []string {
	row := make([]string, len(t.rows[0]))
	row[0] = id
	t.rows = append(t.rows, row)
	return row
}

func (t *tableWriter) put(row []string, what string, text Text) {
	for lang, s := range text {
		if at, ok := t.at[title(what, lang)]; ok {
			row[at] = s
		}
	}
}

func (t *tableWriter) question(p WordedPart, above Text) error {
	row := t.row(p.ID)
	t.put(row, "text", p.Text)
	t.put(row, "above", above)
	if p.Line != nil {
		for what, v := range map[string]*float64{"min": p.Line.Min, "max": p.Line.Max, "step": p.Line.Step} {
			if v != nil {
				row[t.at[what]] = strconv.FormatFloat(*v, 'f', -1, 64)
			}
		}
		t.put(row, "low", p.Line.Low)
		t.put(row, "high", p.Line.High)
		return nil
	}
	seen := map[float64]bool{}
	for _, o := range p.Options {
		number := strconv.FormatFloat(o.Value, 'f', -1, 64)
		switch {
		case o.Declined:
			t.put(row, "declined", o.Label)
			continue
		case !o.Scored || seen[o.Value]:
			return fmt.Errorf("%q has an answer without a number, or two with the same: a table cannot hold that", p.ID)
		case len(o.Label) == 0:
			for _, lang := range t.languages {
				t.put(row, number, Text{lang: number})
			}
		}
		seen[o.Value] = true
		t.put(row, number, o.Label)
	}
	return nil
}
