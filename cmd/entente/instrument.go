// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/entente-project/entente/instrument"
	"github.com/entente-project/entente/instrument/library"
	"github.com/entente-project/entente/internal/table"
)

type instrumentCommand struct {
	List   instrumentList   `cmd:"" help:"List the forms that come with the program and the keys of published instruments."`
	Show   instrumentShow   `cmd:"" help:"Show how one is scored, and what is known of it."`
	Check  instrumentCheck  `cmd:"" help:"Say what is wrong with a file of your own, by its place; with --key also all that is not as the key has it."`
	Import instrumentImport `cmd:"" help:"Make a form of a published instrument out of words (FHIR, CSV, YAML) and its key."`
	Export instrumentExport `cmd:"" help:"Write a form as FHIR R4 Questionnaire, CSV or YAML."`
	Score  instrumentScore  `cmd:"" help:"Score a CSV of answers; writes CSV."`
}

// columns prints lines whose cells, parted by tabs, stand below each other.
type columns struct {
	w   *tabwriter.Writer
	err error
}

func newColumns() *columns { return &columns{w: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)} }

func (c *columns) line(format string, args ...any) {
	_, err := fmt.Fprintf(c.w, format+"\n", args...)
	c.err = errors.Join(c.err, err)
}

func (c *columns) end() error { return errors.Join(c.err, c.w.Flush()) }

type instrumentList struct {
	Unchecked bool `help:"Only what still has to be looked up before it is relied on."`
}

// Run prints the library.
func (c *instrumentList) Run() error {
	w := newColumns()
	if c.Unchecked {
		for _, k := range library.Keys() {
			for _, text := range unchecked(k) {
				w.line("%s\t%s", k.ID, text)
			}
		}
		return w.end()
	}
	w.line("id\titems\tanswers\tscales\twords\tname")
	for _, i := range library.All() {
		w.line("%s@%d\t%d\t\t%d\there, %s\t%s", i.ID, i.Version, len(i.Items), len(i.Scales), i.Licence.SPDX, i.Name.In("en"))
	}
	for _, k := range library.Keys() {
		if k.Form == nil {
			w.line("%s\t\t\tkey incomplete\t%s\t%s", k.ID, k.Terms.Class, k.Name)
			continue
		}
		it := k.Form.Items[0]
		w.line("%s\t%d\t%v to %v\t%d\t%s\t%s", k.ID, len(k.Form.Items), it.Min, it.Max, len(k.Form.Scales), k.Terms.Class, k.Name)
	}
	return w.end()
}

// unchecked says what a key still needs, a sentence for each thing.
func unchecked(k *instrument.Key) (out []string) {
	for _, l := range k.Lacks {
		out = append(out, "not known: "+l)
	}
	for _, f := range k.ToCheck() {
		text := fmt.Sprintf("to be checked (%s): %s", f.Mark, f.What)
		if f.Note != "" {
			text += " (" + f.Note + ")"
		}
		out = append(out, text)
	}
	return out
}

type instrumentShow struct {
	ID string `arg:"" help:"Such as wai-sr, or session-client-adult."`
}

// Run prints one instrument.
func (c *instrumentShow) Run() error {
	form, key, err := instrumentOf(c.ID)
	if err != nil {
		return err
	}
	w := newColumns()
	if key != nil {
		w.line("%s\nwords: %s; %s\nages: %s\nas published: %s", key.Name, key.Terms.Class, key.Terms.Text, key.Ages, key.Method)
	} else {
		w.line("%s\nwords: %s, %s", form.Name.In("en"), form.Licence.SPDX, form.Licence.Holder)
	}
	if form != nil {
		w.line("\nscale\titems\treversed\tmissing\trange\thow")
		for _, s := range form.Scales {
			w.line("%s\t%s\t%s\t%d\t%s to %s\t%s", s.ID, strings.Join(s.Items, " "), strings.Join(s.Reversed, " "), s.MissingAllowed, figure(s.Min), figure(s.Max), howScored(s))
		}
	}
	if key != nil {
		showFigures(w, key)
		for _, text := range append(unchecked(key), key.Notes...) {
			w.line("- %s", text)
		}
		for _, s := range key.Sources {
			w.line("source: %s", s)
		}
	}
	return w.end()
}

func howScored(s instrument.Scale) string {
	if len(s.Parts) > 0 {
		var parts []string
		for _, p := range s.Parts {
			parts = append(parts, fmt.Sprintf("%+g %s", p.Weight, p.Scale))
		}
		return strings.Join(parts, " ")
	}
	how := string(s.Method)
	if s.Times != 0 {
		how += fmt.Sprintf(" times %g", s.Times)
	}
	if s.Rounded {
		how += ", rounded"
	}
	return how
}

func showFigures(w *columns, k *instrument.Key) {
	w.line("")
	for _, r := range k.Risk {
		w.line("at once: item %s from %g", strings.Join(r.Items, ", "), r.From)
	}
	if k.Form == nil {
		return
	}
	for _, s := range k.Form.Scales {
		f := k.Figures[s.ID]
		for _, c := range f.Cutoffs {
			w.line("%s, %s %g: %s (%s)", s.ID, strings.ReplaceAll(string(c.Side), "_", " "), c.Value, c.Label.In("en"), c.Mark)
		}
		for _, b := range f.Bands {
			w.line("%s from %g: %s (%s)", s.ID, b.From, b.Label.In("en"), f.BandsMark)
		}
		for _, x := range f.Change {
			w.line("%s, reliable change %g, sample: %s (%s)", s.ID, x.Value, x.Sample, x.Mark)
		}
		for _, n := range f.Norms {
			w.line("%s, %s: mean %g, SD %g (%s)", s.ID, n.Sample, n.Mean, n.SD, n.Mark)
		}
	}
}

// instrumentOf finds a form of ours, the key of a published one, or a file.
func instrumentOf(id string) (*instrument.Instrument, *instrument.Key, error) {
	if i, ok := library.Get(id); ok {
		return i, nil, nil
	}
	if k, ok := library.Key(id); ok {
		return k.Form, k, nil
	}
	text, err := os.ReadFile(id)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no instrument %q in the library and no file of that name; entente instrument list says which there are", id)
	}
	if err != nil {
		return nil, nil, err
	}
	i, err := instrument.Parse(id, text)
	return i, nil, err
}

type instrumentCheck struct {
	File string `arg:"" help:"YAML file of an instrument, or words of one: a FHIR R4 Questionnaire (JSON) or CSV." type:"existingfile"`
	Key  string `help:"Compare with the key of this instrument, such as phq-9."`
	wordingFlags
}

// Run says what is wrong, or that nothing is.
func (c *instrumentCheck) Run() error {
	if c.Key != "" {
		b, err := c.bind(c.File, c.Key, 1)
		if err := tell(b.Notes); err != nil {
			return err
		}
		if err == nil {
			fmt.Printf("%s: as the key of %s, %d items, in %s: good\n", c.File, c.Key, len(b.Form.Items), strings.Join(b.Form.Languages(), ", "))
		}
		return err
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	if ext := strings.ToLower(filepath.Ext(c.File)); ext == ".json" || ext == ".csv" || ext == ".tsv" {
		return checkWording(c.File, text)
	}
	i, err := instrument.Parse(c.File, text)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s, version %d, %d items, %d scales: good\n", c.File, i.ID, i.Version, len(i.Items), len(i.Scales))
	return nil
}

type instrumentScore struct {
	ID      string   `arg:"" help:"Such as wai-sr, session-client-adult, or a YAML file."`
	File    string   `arg:"" help:"CSV of answers, one row for each response; - reads standard input."`
	Columns []string `help:"The items' columns in order, if they are not named like the items (1, 2, ... or item1, q1, i1)."`
	Keep    []string `help:"Columns to write beside the scores, such as a number of the person."`
	Missing []string `help:"Texts that stand for no answer, beside empty and NA." default:"NA"`
}

// Run writes a row of scores for each row of answers: a score, empty where too
// much is missing, and how many items were answered. It holds one row at a time.
func (c *instrumentScore) Run(ctx context.Context) (err error) {
	form, key, err := instrumentOf(c.ID)
	if err != nil {
		return err
	}
	if form == nil {
		return fmt.Errorf("the key of %s is incomplete (%s): it is not scored by guessing", c.ID, strings.Join(key.Lacks, ", "))
	}
	in, name := io.Reader(os.Stdin), "standard input"
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // read only
		in, name = f, c.File
	}
	r, err := table.Open(name, in, table.Options{MaxBytes: math.MaxInt64})
	if err != nil {
		return err
	}
	at, err := c.columns(form, r.Columns())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	keep, err := places(c.Keep, r.Columns())
	if err != nil {
		return fmt.Errorf("%s: --keep: %w", name, err)
	}
	out := csv.NewWriter(bufio.NewWriterSize(os.Stdout, 1<<16))
	defer func() {
		out.Flush()
		err = errors.Join(err, out.Error())
	}()
	return c.all(ctx, scoring{form: form, key: key, at: at, keep: keep, r: r, out: out})
}

// columns finds where each item's answers stand.
func (c *instrumentScore) columns(form *instrument.Instrument, header []string) ([]int, error) {
	if len(c.Columns) > 0 {
		if len(c.Columns) != len(form.Items) {
			return nil, fmt.Errorf("--columns names %d columns and the instrument has %d items", len(c.Columns), len(form.Items))
		}
		return places(c.Columns, header)
	}
	var names []string
	for _, it := range form.Items {
		n := slices.IndexFunc(header, func(h string) bool {
			h = strings.ToLower(strings.TrimSpace(h))
			return h == it.ID || strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(h, "item"), "q"), "i"), "_ 0") == it.ID
		})
		if n < 0 {
			return nil, fmt.Errorf("there is no column for item %s; give the columns in order with --columns", it.ID)
		}
		names = append(names, header[n])
	}
	return places(names, header)
}

func places(names, header []string) (out []int, err error) {
	for _, n := range names {
		at := slices.Index(header, n)
		if at < 0 {
			return nil, fmt.Errorf("there is no column %q; there are: %s", n, strings.Join(header, ", "))
		}
		out = append(out, at)
	}
	return out, nil
}

func figure(v float64) string { return strconv.FormatFloat(v, 'g', 12, 64) }

type scoring struct {
	form *instrument.Instrument
	key  *instrument.Key
	at   []int
	keep []int
	r    *table.Reader
	out  *csv.Writer
}

func (c *instrumentScore) all(ctx context.Context, s scoring) error {
	row := make([]string, 0, 64)
	for _, k := range s.keep {
		row = append(row, s.r.Columns()[k])
	}
	for _, x := range s.form.Scales {
		row = append(row, x.ID, x.ID+"_answered")
	}
	if err := s.out.Write(append(row, "unfit")); err != nil {
		return err
	}
	scorer, answers, scores := s.form.Scorer(), make([]float64, len(s.form.Items)), make([]instrument.Score, 0, 16)
	for n := 0; ; n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return fmt.Errorf("stopped after %d rows", n)
		}
		if !s.r.Next() {
			return s.r.Err()
		}
		in := s.r.Row()
		unfit, err := c.read(s, in, answers)
		if err != nil {
			return err
		}
		row = row[:0]
		for _, k := range s.keep {
			row = append(row, in.Cells[k])
		}
		scores = scorer.Score(scores[:0], answers)
		for _, x := range scores {
			value := ""
			if x.OK {
				value = figure(x.Value)
			}
			row = append(row, value, strconv.Itoa(x.Answered))
		}
		if err := s.out.Write(append(row, strings.Join(unfit, " "))); err != nil {
			return err
		}
	}
}

// read takes the answers of one row; unfit are the items whose answer is outside
// the item's range and therefore counts as missing.
func (c *instrumentScore) read(s scoring, in table.Row, answers []float64) (unfit []string, err error) {
	for n, at := range s.at {
		v, missing, err := table.ParseNumber(in.Cells[at], table.DecimalAuto, c.Missing...)
		if err != nil {
			return nil, fmt.Errorf("line %d, column %q: %w", in.Line, s.r.Columns()[at], err)
		}
		it := s.form.Items[n]
		answers[n] = v
		if missing {
			answers[n] = math.NaN()
		} else if (&instrument.Instrument{Items: []instrument.Item{it}}).Check(instrument.Answers{it.ID: v}) != nil {
			unfit = append(unfit, it.ID)
		}
	}
	return unfit, nil
}
