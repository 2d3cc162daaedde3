// SPDX-License-Identifier: AGPL-3.0-or-later

package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/internal/care"
	"github.com/entente-project/entente/internal/table"
)

// The bounds of one import. What is more has to be split: the whole of it is
// kept in one transaction.
const (
	MaxProblems   = 200
	maxImportRows = 200_000
	sampleRows    = 5
)

// rated is one response as a file tells it.
type rated struct {
	line      int
	client    string
	therapist string
	session   string // its own id in the other system, or "" when only its time is known
	staff     care.ID
	at        time.Time
	informant care.Informant
	form      *instrument.Instrument
	answers   instrument.Answers
	comment   string
}

// unrated says that nothing was answered.
func (x rated) unrated() bool { return len(x.answers) == 0 && x.comment == "" }

// meeting is what tells a session from others of the same client and therapist.
func (x rated) meeting() string {
	if x.session != "" {
		return "id " + x.session
	}
	return x.at.UTC().Format("2006-01-02T15:04:05.000")
}

// reading is a file being turned into responses.
type reading struct {
	m          *ImportMap
	zone       *time.Location
	colleagues map[string]care.ID // by name and address, lower case
	me         care.ID
	plan       ImportPlan
	index      map[string]int // column → cell
	out        []rated
	first      map[string]int // what a response is about → its line
	format     string
}

func (r *reading) problem(line int, column, key string, args map[string]string, text string) {
	r.plan.Total++
	if len(r.plan.Problems) < MaxProblems {
		r.plan.Problems = append(r.plan.Problems, ImportProblem{Line: line, Column: column, Key: key, Args: args, Text: text})
	}
}

// tableProblem passes on what package table found.
func (r *reading) tableProblem(err error, line int, column string) {
	var p *table.Problem
	if errors.As(err, &p) {
		q := *p
		if q.Line == 0 {
			q.Line = line
		}
		if q.Column == "" {
			q.Column = column
		}
		args := maps.Clone(q.Args)
		if args == nil {
			args = map[string]string{}
		}
		args["value"] = q.Value
		r.problem(q.Line, q.Column, "import."+q.Code, args, q.Error())
		return
	}
	r.problem(line, column, "import.unreadable", nil, err.Error())
}

// readFile reads src twice: once for the way its dates are written, once for all.
func (r *reading) readFile(src ImportSource, p Progress) error {
	r.plan.File = src.Name
	r.format = r.m.Time.Format
	if r.m.Wide == nil && r.format == "auto" {
		var sniffer table.DateSniffer
		stop, err := r.scan(src, func(done int64) error { return p("looking", done, src.Size) }, func(row table.Row) {
			if i, ok := r.index[r.m.Time.Column]; ok {
				sniffer.Add(strings.TrimSpace(row.Cells[i]))
			}
		})
		if err != nil || stop {
			return err
		}
		if r.format, err = sniffer.Format(); err != nil {
			r.tableProblem(err, 0, r.m.Time.Column)
			return nil
		}
	}
	r.plan.Rows, r.plan.Problems, r.plan.Total, r.plan.Sample = 0, nil, 0, nil
	_, err := r.scan(src, func(done int64) error { return p("reading", done, src.Size) }, r.row)
	return err
}

// scan reads every row of the file; stop says that there is nothing to go on with.
func (r *reading) scan(src ImportSource, progress func(int64) error, each func(table.Row)) (stop bool, err error) {
	f, err := src.Open()
	if err != nil {
		return true, &care.Error{Code: care.Invalid, Field: "file", Key: "import.unreadable", Err: err}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	t, err := table.Open(src.Name, f, table.Options{})
	if err != nil {
		r.tableProblem(err, 0, "")
		return true, nil
	}
	r.plan.Encoding, r.plan.Delimiter, r.plan.Columns = t.Encoding(), string(t.Delimiter()), t.Columns()
	if !r.columns() {
		return true, nil
	}
	for {
		if !t.Next() {
			var torn *table.RowError
			if err := t.Err(); errors.As(err, &torn) { // the rows after it can still be read
				r.tableProblem(err, torn.Line, "")
				if r.hopeless() {
					return true, nil
				}
				continue
			} else if err != nil {
				r.tableProblem(err, 0, "")
				return true, nil
			}
			break
		}
		if stop, err := r.counted(t, progress); stop || err != nil {
			return true, err
		}
		each(t.Row())
		if r.hopeless() {
			return true, nil
		}
	}
	return false, progress(t.BytesRead())
}

// hopeless says that so much is wrong that it must be the wrong file or mapping.
func (r *reading) hopeless() bool { return r.plan.Total > 20*MaxProblems }

// counted counts a row, within the bound of one import, and tells of progress.
func (r *reading) counted(t *table.Reader, progress func(int64) error) (stop bool, err error) {
	r.plan.Rows++
	if r.plan.Rows > maxImportRows {
		r.problem(t.Row().Line, "", "import.too_many_rows", map[string]string{"max": fmt.Sprint(maxImportRows)},
			fmt.Sprintf("Line %d: a file may have at most %d rows; split it into several files.", t.Row().Line, maxImportRows))
		return true, nil
	}
	if r.plan.Rows%500 == 0 {
		return false, progress(t.BytesRead())
	}
	return false, nil
}

// columns finds the columns the mapping names and reports those that are missing.
func (r *reading) columns() bool {
	r.index = map[string]int{}
	for i, c := range r.plan.Columns {
		r.index[c] = i
	}
	var want []string
	for _, c := range []string{r.m.Client, r.m.Therapist.Column, r.m.Session, r.m.Time.Column, r.m.Informant.Column, r.m.Instrument.Column, r.m.Comment} {
		if c != "" {
			want = append(want, c)
		}
	}
	if f := r.m.form(r.m.Instrument.Value); f != nil || len(r.m.Items) > 0 {
		for _, n := range r.m.numbers() {
			if len(r.m.Items) == 0 {
				for _, i := range f.Items {
					if !i.Tension {
						want = append(want, i.ID)
					}
				}
				continue
			}
			for _, item := range slices.Sorted(maps.Keys(r.m.Items)) {
				want = append(want, r.m.column(item, n))
			}
		}
	}
	complete := true
	for _, c := range want {
		if _, ok := r.index[c]; !ok {
			complete = false
			r.problem(1, c, "import.no_column", map[string]string{"column": c},
				fmt.Sprintf("Line 1: the file has no column %q; its columns are %s. Correct the mapping or the file.", c, strings.Join(r.plan.Columns, ", ")))
		}
	}
	return complete
}

func (r *reading) cell(row table.Row, column string) string {
	i, ok := r.index[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(row.Cells[i])
}

// row turns one row into responses, or problems.
func (r *reading) row(row table.Row) {
	if len(r.plan.Sample) < sampleRows {
		r.plan.Sample = append(r.plan.Sample, slices.Clone(row.Cells))
	}
	base := rated{line: row.Line, client: r.cell(row, r.m.Client), session: r.cell(row, r.m.Session)}
	if base.client == "" {
		r.problem(row.Line, r.m.Client, "import.no_client", nil, fmt.Sprintf("Line %d, column %q: there is no client; fill it in or remove the row.", row.Line, r.m.Client))
		return
	}
	ok := r.therapist(row, &base) && r.chosen(row, &base)
	if !ok {
		return
	}
	var found []rated
	for _, n := range r.m.numbers() {
		x := base
		if r.when(row, n, &x) && r.answers(row, n, &x) {
			found = append(found, x)
		}
	}
	for len(found) > 0 && r.m.Wide != nil && found[len(found)-1].unrated() { // after the last one it is not known that there were any
		r.plan.Skipped++
		found = found[:len(found)-1]
	}
	for _, x := range found {
		r.keep(x)
	}
}

// keep adds a response; a session without one is kept too, so that the gap shows.
func (r *reading) keep(x rated) {
	if x.unrated() {
		r.plan.Skipped++
	}
	k := strings.Join([]string{x.client, x.therapist, x.meeting(), string(x.informant), x.form.ID}, "\x00")
	if line, twice := r.first[k]; twice {
		r.problem(x.line, r.m.Time.Column, "import.twice", map[string]string{"line": fmt.Sprint(line)},
			fmt.Sprintf("Line %d: this is the same client, session, informant and form as line %d; remove one of them.", x.line, line))
		return
	}
	r.first[k] = x.line
	r.out = append(r.out, x)
}

func (r *reading) therapist(row table.Row, x *rated) bool {
	x.staff = r.me
	if r.m.Therapist.Column == "" {
		return true
	}
	x.therapist = r.cell(row, r.m.Therapist.Column)
	if id, ok := r.colleagues[strings.ToLower(x.therapist)]; ok {
		x.staff, x.therapist = id, string(id) // however the file calls this colleague
		return true
	}
	if r.m.Therapist.Unknown == "me" {
		return true
	}
	r.problem(row.Line, r.m.Therapist.Column, "import.unknown_therapist", map[string]string{"value": x.therapist},
		fmt.Sprintf("Line %d, column %q: %q is neither the name nor the address of a colleague; add them first, or write therapist: {column: ..., unknown: me}.", row.Line, r.m.Therapist.Column, x.therapist))
	return false
}

// chosen finds the form and the informant of a row.
func (r *reading) chosen(row table.Row, x *rated) bool {
	pick := func(c Choice) (string, bool) {
		if c.Column == "" {
			return c.Value, true
		}
		text := r.cell(row, c.Column)
		if v, ok := c.Values[text]; ok {
			return v, true
		}
		if len(c.Values) == 0 {
			return text, true
		}
		r.problem(row.Line, c.Column, "import.unknown_value", map[string]string{"value": text},
			fmt.Sprintf("Line %d, column %q: the mapping does not say what %q stands for; add it under values.", row.Line, c.Column, text))
		return "", false
	}
	id, ok := pick(r.m.Instrument)
	if !ok {
		return false
	}
	if x.form = r.m.form(id); x.form == nil {
		r.problem(row.Line, r.m.Instrument.Column, "import.unknown_form", map[string]string{"value": id},
			fmt.Sprintf("Line %d, column %q: %q is neither in the library nor defined in the mapping.", row.Line, r.m.Instrument.Column, id))
		return false
	}
	who, ok := pick(r.m.Informant)
	if who == "" {
		who = string(x.form.Informant)
	}
	x.informant = care.Informant(who)
	if ok && !slices.Contains([]care.Informant{care.ByClient, care.ByTherapist, care.ByCarer, care.ByObserver}, x.informant) {
		r.problem(row.Line, r.m.Informant.Column, "import.unknown_value", map[string]string{"value": who},
			fmt.Sprintf("Line %d: %q is none of client, therapist, carer, observer.", row.Line, who))
		return false
	}
	return ok
}

// when finds the time of the n-th session of a row. A day without a time of day
// stands for its noon, so that no change of clocks moves it to another day.
func (r *reading) when(row table.Row, n int, x *rated) bool {
	if w := r.m.Wide; w != nil {
		d := w.start.AddDate(0, 0, (n-w.From)*w.EveryDays)
		x.at = time.Date(d.Year(), d.Month(), d.Day(), 12, 0, 0, 0, r.zone)
		return true
	}
	text := r.cell(row, r.m.Time.Column)
	at, err := table.ParseTime(text, r.format, r.zone)
	if err != nil {
		r.tableProblem(err, row.Line, r.m.Time.Column)
		return false
	}
	if !strings.Contains(text, ":") {
		at = time.Date(at.Year(), at.Month(), at.Day(), 12, 0, 0, 0, r.zone)
	}
	x.at = at
	return true
}

// answers reads the items of the n-th session of a row.
func (r *reading) answers(row table.Row, n int, x *rated) bool {
	decimal := map[string]table.Decimal{"point": table.DecimalPoint, "comma": table.DecimalComma}[r.m.Decimal]
	x.answers = instrument.Answers{}
	good := true
	for _, item := range x.form.Items {
		column := r.m.column(item.ID, n)
		text := r.cell(row, column)
		if column == "" || text == "" {
			continue
		}
		v, missing, err := table.ParseNumber(text, decimal, r.m.Missing...)
		if err != nil {
			r.tableProblem(err, row.Line, column)
			good = false
			continue
		}
		if missing {
			continue
		}
		if err := x.form.Check(instrument.Answers{item.ID: v}); err != nil {
			good = false
			var bad *instrument.AnswerError
			what := err.Error()
			if errors.As(err, &bad) {
				what = bad.Message
			}
			r.problem(row.Line, column, "import.unfit", map[string]string{"value": text, "text": what, "min": fmt.Sprint(item.Min), "max": fmt.Sprint(item.Max)},
				fmt.Sprintf("Line %d, column %q: %s does not fit item %s, which takes %v to %v (%s).", row.Line, column, text, item.ID, item.Min, item.Max, what))
			continue
		}
		x.answers[item.ID] = v
	}
	x.comment = r.cell(row, r.m.Comment)
	return good
}
